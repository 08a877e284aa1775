/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening what a configuration names: files, directories, the system's CA
 * store, and secrets of each kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct conf_fixture fixture;
static struct file_set *files;
static char directory[64];

static void
make_file(const char *name, const char *text)
{
	AUTO_FREE char *path = mem_format("%s/%s", directory, name);
	FILE *out = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
}

static void
make_directory(const char *name)
{
	AUTO_FREE char *path = mem_format("%s/%s", directory, name);

	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
}

static void
set_up(void)
{
	strcpy(directory, "/tmp/sealock-files-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

static void
tear_down(void)
{
	AUTO_FREE char *command = mem_format("rm -r %s", directory);

	file_set_free(files);
	files = NULL;
	conf_fixture_clear(&fixture);
	CU_ASSERT_EQUAL(system(command), 0);
}

/* Load a document that lies in the directory, and open what it names. */
static int
open_all(const char *text)
{
	AUTO_FREE char *name = mem_format("%s/t.yaml", directory);

	file_set_free(files);
	files = file_set_new();
	conf_documents_clear(&fixture.documents);
	conf_fixture_add(&fixture, name, text);
	conf_fixture_load_all(&fixture);
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	return conf_files_open(fixture.conf, files, &fixture.problems);
}

/* Open a certificate with that pass-phrase. */
static int
open_secret(const char *secret)
{
	AUTO_FREE char *text = mem_format(
		"services: {s: {connect: \"h:1\", accept: {address: \":1\", "
		"tls: {certificates: {chain: c, passphrase: %s}}}}}\n",
		secret);

	return open_all(text);
}

static const struct file_entry *
find(const char *name)
{
	AUTO_FREE char *path = name[0] == '/' || strchr(name, ':')
				       ? mem_strdup(name)
				       : mem_format("%s/%s", directory, name);

	return file_set_find(files, path);
}

static bool
holds(const struct file_entry *entry, const char *text)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};

	if (!entry || !(entry->uses & FILE_SECRET) ||
	    file_set_read(files, entry->name, &blob, &error) != 0)
		return false;
	return blob.length == strlen(text) &&
	       memcmp(blob.bytes, text, blob.length) == 0;
}

static void
test_files(void)
{
	const struct file_entry *entry;

	set_up();
	make_file("chain", "");
	make_file("key", "");
	make_file("one.pem", "");
	make_file("ca.pem", "");
	make_file("dh.pem", "");
	make_file("host.pem", "");
	make_file("client.p12", "");
	make_directory("live");
	make_directory("live/a.b");
	make_file("live/a.b/fullchain.pem", "");
	make_directory("cas");
	make_file("cas/x.pem", "");
	CU_ASSERT_EQUAL(
		open_all("services:\n"
			 "  s:\n"
			 "    accept:\n"
			 "      address: \":1\"\n"
			 "      tls:\n"
			 "        certificates: [one.pem, {chain: chain, key: "
			 "key}, {directory: live}, gone.pem, {self_signed: "
			 "x}]\n"
			 "        dh: dh.pem\n"
			 "        hosts: {a.b: {certificates: host.pem}}\n"
			 "    connect:\n"
			 "      address: \"h:1\"\n"
			 "      tls: {verify: {ca: [ca.pem, cas]}, "
			 "certificates: {pkcs12: client.p12}}\n"),
		0);
	CU_ASSERT_EQUAL(find("one.pem")->uses, FILE_SECRET);
	CU_ASSERT_EQUAL(find("chain")->uses, 0);
	CU_ASSERT_EQUAL(find("key")->uses, FILE_SECRET);
	CU_ASSERT_EQUAL(find("host.pem")->uses, FILE_SECRET);
	CU_ASSERT_EQUAL(find("client.p12")->uses, FILE_SECRET);
	CU_ASSERT_EQUAL(find("ca.pem")->uses, FILE_PUBLIC);
	CU_ASSERT_EQUAL(find("dh.pem")->uses, FILE_PUBLIC);
	CU_ASSERT_EQUAL(find("live")->kind, FILE_KIND_DIRECTORY);
	entry = find("live/a.b/fullchain.pem");
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(entry->uses, FILE_SECRET);
	CU_ASSERT_EQUAL(find("cas")->kind, FILE_KIND_DIRECTORY);
	CU_ASSERT_EQUAL(find("cas/x.pem")->kind, FILE_KIND_FILE);
	CU_ASSERT_EQUAL(find("gone.pem")->kind, FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(find("gone.pem")->error_number, ENOENT);
	tear_down();
}

static void
test_chain_with_key(void)
{
	set_up();
	make_file("c", "");
	CU_ASSERT_EQUAL(
		open_all("services: {s: {connect: \"h:1\", accept: {address: "
			 "\":1\", tls: {certificates: {chain: c}}}}}\n"),
		0);
	CU_ASSERT_EQUAL(find("c")->uses, FILE_SECRET);
	tear_down();
}

/* One file for a certificate with its key and for a CA. */
static void
test_key_as_ca(void)
{
	static const char services[] =
		"services:\n"
		"  s:\n"
		"    connect: {address: \"h:1\", tls: {verify: {ca: both}}}\n"
		"    accept: {address: \":1\", tls: {dh: dh, certificates: "
		"[both, {chain: dh}]}}\n";
	AUTO_FREE char *apart =
		mem_format("global: {isolate_keys: false}\n%s", services);

	set_up();
	make_file("both", "");
	make_file("dh", "");
	CU_ASSERT_EQUAL(open_all(services), -1);
	CU_ASSERT_EQUAL(fixture.problems.count, 2);
	CU_ASSERT_EQUAL(find("both")->uses, FILE_SECRET | FILE_PUBLIC);
	tear_down();
	set_up();
	make_file("both", "");
	make_file("dh", "");
	CU_ASSERT_EQUAL(open_all(apart), 0);
	tear_down();
}

/* Made once for the same names, whatever service they stand in. */
static void
test_self_signed(void)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};
	const struct file_entry *entry;
	char byte = 'x';

	set_up();
	CU_ASSERT_EQUAL(
		open_all("defaults: {tls: {certificates: {self_signed: "
			 "[localhost, '::1']}}}\n"
			 "services:\n"
			 "  a: {connect: \"h:1\", accept: {address: \":1\", "
			 "tls: {}}}\n"
			 "  b: {connect: \"h:1\", accept: {address: \":2\", "
			 "tls: {}}}\n"
			 "  c: {connect: \"h:1\", accept: {address: \":3\", "
			 "tls: {certificates: {self_signed: x}}}}\n"),
		0);
	CU_ASSERT_EQUAL(file_set_count(files), 2);
	CU_ASSERT_PTR_NOT_NULL(file_set_find(files, "self_signed:x"));
	entry = file_set_find(files, "self_signed:localhost,::1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_FILE);
	CU_ASSERT_EQUAL(entry->uses, FILE_SECRET);
	CU_ASSERT_EQUAL(pwrite(entry->descriptor, &byte, 1, 0), -1);
	CU_ASSERT_EQUAL_FATAL(file_set_read(files, entry->name, &blob, &error),
			      0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr((const char *)blob.bytes, "BEGIN CERTIFICATE"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr((const char *)blob.bytes, "BEGIN PRIVATE KEY"));
	tear_down();
}

static void
test_system_ca(void)
{
	const char *store = conf_system_ca_path();

	set_up();
	CU_ASSERT_EQUAL(open_all("services: {s: {accept: \":1\", connect: "
				 "{address: \"h:1\", tls: true}}}\n"),
			0);
	if (store) {
		CU_ASSERT_EQUAL(store[0], '/');
		CU_ASSERT_PTR_EQUAL(conf_system_ca_path(), store);
		CU_ASSERT_PTR_NOT_NULL_FATAL(find(store));
		CU_ASSERT(find(store)->kind != FILE_KIND_MISSING);
		CU_ASSERT_STRING_EQUAL(fixture.conf->services[0]
					       .connect.tls->verify.cas[0]
					       .text,
				       store);
	} else {
		CU_ASSERT_PTR_NULL(fixture.conf->services[0]
					   .connect.tls->verify.cas[0]
					   .text);
	}
	tear_down();
}

static void
test_secret_file(void)
{
	set_up();
	make_file("p", "word\n");
	CU_ASSERT_EQUAL(open_secret("p"), 0);
	CU_ASSERT(holds(find("p"), "word\n"));
	CU_ASSERT_EQUAL(open_secret("gone"), 0);
	CU_ASSERT_EQUAL(find("gone")->kind, FILE_KIND_MISSING);
	tear_down();
}

/* That it cannot be read, and this is why. */
static bool
is_unreadable(const char *name, const char *why)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};

	return file_set_read(files, name, &blob, &error) != 0 &&
	       strstr(error.text, why) != NULL;
}

static void
test_credential(void)
{
	set_up();
	make_file("web", "word");
	make_directory("sub");
	CU_ASSERT_EQUAL(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	CU_ASSERT_EQUAL(open_secret("'credential:web'"), 0);
	CU_ASSERT_EQUAL(find("credential:web")->kind, FILE_KIND_MISSING);
	CU_ASSERT(is_unreadable("credential:web",
				"CREDENTIALS_DIRECTORY is not set"));
	CU_ASSERT_EQUAL(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
	CU_ASSERT_EQUAL(open_secret("'credential:web'"), 0);
	CU_ASSERT(holds(find("credential:web"), "word"));
	CU_ASSERT_EQUAL(open_secret("'credential:none'"), 0);
	CU_ASSERT_EQUAL(find("credential:none")->error_number, ENOENT);
	CU_ASSERT(is_unreadable("credential:none", "No such file"));
	CU_ASSERT_EQUAL(open_secret("'credential:sub'"), 0);
	CU_ASSERT_EQUAL(find("credential:sub")->error_number, EINVAL);
	/* A certificate and a key may be credentials too. */
	CU_ASSERT_EQUAL(open_all("services: {s: {connect: \"h:1\", accept: "
				 "{address: \":1\", tls: {certificates: "
				 "{chain: c, key: 'credential:web'}}}}}\n"),
			0);
	CU_ASSERT(holds(find("credential:web"), "word"));
	CU_ASSERT_EQUAL(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	tear_down();
}

static void
test_environment(void)
{
	char byte = 'x';

	set_up();
	CU_ASSERT_EQUAL(setenv("SEALOCK_TEST_SECRET", "word\n", 1), 0);
	CU_ASSERT_EQUAL(open_secret("'env:SEALOCK_TEST_SECRET'"), 0);
	CU_ASSERT(holds(find("env:SEALOCK_TEST_SECRET"), "word\n"));
	/* Nobody who gets the descriptor can change it for the others. */
	CU_ASSERT_EQUAL(pwrite(find("env:SEALOCK_TEST_SECRET")->descriptor,
			       &byte, 1, 0),
			-1);
	CU_ASSERT_EQUAL(unsetenv("SEALOCK_TEST_SECRET"), 0);
	CU_ASSERT_EQUAL(open_secret("'env:SEALOCK_TEST_SECRET'"), 0);
	CU_ASSERT_EQUAL(find("env:SEALOCK_TEST_SECRET")->kind,
			FILE_KIND_MISSING);
	CU_ASSERT(is_unreadable("env:SEALOCK_TEST_SECRET",
				"the environment variable SEALOCK_TEST_SECRET "
				"is not set"));
	tear_down();
}

static const struct file_entry *
find_command(void)
{
	for (size_t i = 0; i < file_set_count(files); i++)
		if (strncmp(file_set_at(files, i)->name, "command:", 8) == 0)
			return file_set_at(files, i);
	return NULL;
}

static bool
command_fails(const char *secret, const char *part)
{
	return open_secret(secret) == -1 && fixture.problems.count == 1 &&
	       conf_fixture_has(&fixture.problems, "1:99", part);
}

static void
test_command(void)
{
	set_up();
	CU_ASSERT_EQUAL(open_secret("{command: [echo, '$HOME; word']}"), 0);
	CU_ASSERT(holds(find_command(), "$HOME; word"));
	CU_ASSERT_PTR_NULL(strstr(find_command()->name, "word"));
	CU_ASSERT_EQUAL(open_secret("{command: [printf, 'a\\n\\n']}"), 0);
	CU_ASSERT(holds(find_command(), "a\n"));
	CU_ASSERT_EQUAL(open_secret("{command: [cat]}"), -1);
	CU_ASSERT(command_fails("{command: [sh, -c, 'echo x; exit 3']}",
				"`command` sh: it ended with exit status 3"));
	CU_ASSERT(command_fails("{command: [sh, -c, 'kill -9 $$']}",
				"it was ended by signal 9"));
	CU_ASSERT(command_fails("{command: [/nowhere/to/be/found, hunter2]}",
				"`command` /nowhere/to/be/found: it cannot be "
				"started: No such file"));
	CU_ASSERT(command_fails("{command: 'true'}", "it says nothing"));
	CU_ASSERT(command_fails("{command: [yes]}",
				"it says more than a pass-phrase"));
	CU_ASSERT_PTR_NULL(strstr(fixture.problems.errors[0].text, "hunter2"));
	tear_down();
}

/* One that failed is not run again for each entry that shares it, and one
 * that is there already is not run at all. */
static void
test_command_once(void)
{
	AUTO_FREE char *runs = NULL;
	AUTO_FREE char *document = NULL;
	struct stat status;

	set_up();
	runs = mem_format("%s/runs", directory);
	document = mem_format(
		"defaults: {tls: {certificates: {chain: c, passphrase: "
		"{command: [sh, -c, 'echo x >>%s/runs; exit 1']}}}}\n"
		"services:\n"
		"  a: {connect: \"h:1\", accept: {address: \":1\", tls: {}}}\n"
		"  b: {connect: \"h:1\", accept: {address: \":2\", tls: {}}}\n",
		directory);
	CU_ASSERT_EQUAL(open_all(document), -1);
	CU_ASSERT_EQUAL(fixture.problems.count, 1);
	CU_ASSERT_EQUAL_FATAL(stat(runs, &status), 0);
	CU_ASSERT_EQUAL(status.st_size, 2);
	error_list_clear(&fixture.problems);
	CU_ASSERT_EQUAL(conf_files_open(fixture.conf, files, &fixture.problems),
			0);
	CU_ASSERT_EQUAL_FATAL(stat(runs, &status), 0);
	CU_ASSERT_EQUAL(status.st_size, 2);
	tear_down();
}

/* In a process with a terminal of its own: exit status 0 when the prompt gave
 * the word, 1 when it failed. */
static void
answer_prompt(const char *word)
{
	int result = open_secret("prompt");
	AUTO_FREE char *name = mem_format("prompt:%s/c", directory);

	if (result != 0)
		_exit(fixture.problems.count == 1 &&
				      strstr(fixture.problems.errors[0].text,
					     "no pass-phrase for")
			      ? 1
			      : 2);
	_exit(holds(file_set_find(files, name), word) ? 0 : 3);
}

/* Everything up to a text, as an operator would see it. */
static void
read_until(int terminal, const char *text, char *seen, size_t size)
{
	size_t length = 0;

	seen[0] = '\0';
	while (!strstr(seen, text) && length + 1 < size) {
		ssize_t got = read(terminal, seen + length, size - length - 1);

		if (got <= 0)
			break;
		length += (size_t)got;
		seen[length] = '\0';
	}
}

static int
prompt_with(const char *typed, const char *word, char *seen, size_t size)
{
	int terminal, status;
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0)
		answer_prompt(word);
	read_until(terminal, "/c: ", seen, size);
	CU_ASSERT_EQUAL(write(terminal, typed, strlen(typed)),
			(ssize_t)strlen(typed));
	read_until(terminal, "\n", seen + strlen(seen), size - strlen(seen));
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	close(terminal);
	CU_ASSERT(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_prompt(void)
{
	char seen[1024];

	set_up();
	CU_ASSERT_EQUAL(prompt_with("word\n", "word", seen, sizeof(seen)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "Pass-phrase for "));
	CU_ASSERT_PTR_NULL(strstr(seen, "word"));
	CU_ASSERT_EQUAL(prompt_with("wo\003", "", seen, sizeof(seen)), 1);
	CU_ASSERT_EQUAL(prompt_with("\004", "", seen, sizeof(seen)), 1);
	CU_ASSERT_EQUAL(prompt_with("\n", "", seen, sizeof(seen)), 0);
	tear_down();
}

static void
test_prompt_without_terminal(void)
{
	pid_t pid;
	int status;

	set_up();
	pid = fork();
	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0) {
		setsid();
		_exit(open_secret("prompt") == -1 &&
				      conf_fixture_has(
					      &fixture.problems, "1:99",
					      "is to be asked on the terminal, "
					      "and there is none")
			      ? 0
			      : 1);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	tear_down();
}

UNIT_SUITE(conf_files, {"key_as_ca", test_key_as_ca}, {"files", test_files},
	   {"chain_with_key", test_chain_with_key},
	   {"self_signed", test_self_signed}, {"system_ca", test_system_ca},
	   {"secret_file", test_secret_file}, {"credential", test_credential},
	   {"environment", test_environment}, {"command", test_command},
	   {"command_once", test_command_once}, {"prompt", test_prompt},
	   {"prompt_without_terminal", test_prompt_without_terminal});
