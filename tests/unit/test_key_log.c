/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key logs: which files are taken, that both ends of a connection write the
 * same, and that who has none writes nothing.
 */
#include "common/tls/key_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

/* A service whose connect gate has that key log, opened into files. */
static int
open_log(const char *path, bool is_trial, struct file_set *files,
	 struct error_list *problems)
{
	AUTO_FREE char *text =
		mem_format("services:\n  web:\n    accept: \":4433\"\n"
			   "    connect:\n      address: 192.0.2.1:1\n"
			   "      tls: {verify: none, key_log_file: %s}\n",
			   path);
	struct conf_documents documents = {0};
	struct conf *conf;
	int status;

	conf_documents_add(&documents, "/test.yaml", text, strlen(text));
	conf = conf_load(&documents, problems, NULL);
	CU_ASSERT_FATAL(conf != NULL);
	status = conf_key_logs_open(conf, is_trial, files, problems);
	conf_free(conf);
	conf_documents_clear(&documents);
	return status;
}

static mode_t
mode_of(const char *path)
{
	struct stat status = {0};

	CU_ASSERT(lstat(path, &status) == 0);
	return status.st_mode & 07777;
}

static void
test_open(void)
{
	char *directory = test_directory();
	AUTO_FREE char *path = mem_format("%s/new.log", directory);
	AUTO_FREE char *name = key_log_entry_name(path);
	struct error_list problems = {0};
	const struct file_entry *entry;
	struct file_set *files;

	/* A trial makes no file. */
	files = file_set_new();
	CU_ASSERT(open_log(path, true, files, &problems) == 0);
	CU_ASSERT(access(path, F_OK) != 0 && file_set_count(files) == 0);
	file_set_free(files);

	files = file_set_new();
	CU_ASSERT(open_log(path, false, files, &problems) == 0);
	CU_ASSERT(mode_of(path) == 0600);
	entry = file_set_find(files, name);
	CU_ASSERT_FATAL(entry && entry->kind == FILE_KIND_FILE);
	CU_ASSERT(entry->uses == FILE_PUBLIC);
	CU_ASSERT((fcntl(entry->descriptor, F_GETFL) &
		   (O_ACCMODE | O_APPEND)) == (O_WRONLY | O_APPEND));
	CU_ASSERT(fcntl(entry->descriptor, F_GETFD) & FD_CLOEXEC);
	file_set_free(files);

	/* What is there stays as it is. */
	path = (mem_free(path), mem_strdup(test_directory_write(
					directory, "old.log", "# mine\n", 7)));
	CU_ASSERT(chmod(path, 0640) == 0);
	files = file_set_new();
	CU_ASSERT(open_log(path, true, files, &problems) == 0);
	CU_ASSERT(open_log(path, false, files, &problems) == 0);
	CU_ASSERT(mode_of(path) == 0640);
	CU_ASSERT(file_set_count(files) == 1);
	file_set_free(files);
	CU_ASSERT(problems.count == 0);
	test_directory_remove(directory);
}

static void
expect_refused(const char *path, const char *said)
{
	for (int is_trial = 0; is_trial < 2; is_trial++) {
		struct file_set *files = file_set_new();
		struct error_list problems = {0};

		CU_ASSERT(open_log(path, is_trial, files, &problems) == -1);
		CU_ASSERT(file_set_count(files) == 0);
		CU_ASSERT_FATAL(problems.count == 1);
		CU_ASSERT(problems.errors[0].at.line == 6);
		if (!strstr(problems.errors[0].text, said)) {
			CU_FAIL("another sentence");
			printf("%s\n", problems.errors[0].text);
		}
		error_list_clear(&problems);
		file_set_free(files);
	}
}

static void
test_refused(void)
{
	char *directory = test_directory();
	AUTO_FREE char *target = mem_strdup(
		test_directory_write(directory, "target.log", "", 0));
	AUTO_FREE char *hard = mem_format("%s/hard.log", directory);
	AUTO_FREE char *pipe = mem_format("%s/pipe", directory);
	AUTO_FREE char *below = mem_format("%s/none/x.log", directory);
	struct stat status;

	expect_refused(test_directory_link(directory, "link.log", target),
		       "symbolic link");
	expect_refused(test_directory_link(directory, "dangling.log", below),
		       "symbolic link");
	expect_refused(directory, strerror(EISDIR));
	CU_ASSERT(mkfifo(pipe, 0600) == 0);
	expect_refused(pipe, "no regular file");
	expect_refused("/dev/null", "no regular file");
	expect_refused("/dev/full", "no regular file");
	CU_ASSERT(link(target, hard) == 0);
	expect_refused(hard, "hard links");
	CU_ASSERT(stat(target, &status) == 0 && status.st_size == 0);
	test_directory_remove(directory);
}

/* In a trial a directory that is not there is like a file that is not: the
 * daemon may have it by then, and says so if it has not. */
static void
test_no_directory(void)
{
	struct file_set *files = file_set_new();
	struct error_list problems = {0};

	CU_ASSERT(open_log("/nonexistent/x.log", true, files, &problems) == 0);
	CU_ASSERT(open_log("/nonexistent/x.log", false, files, &problems) ==
		  -1);
	CU_ASSERT(problems.count == 1);
	error_list_clear(&problems);
	file_set_free(files);
}

static char *
read_all(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = mem_alloc(65536);

	CU_ASSERT_FATAL(file != NULL);
	CU_ASSERT(fread(text, 1, 65535, file) < 65535);
	fclose(file);
	return text;
}

static int
compare_lines(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The lines in order, so that two logs can be compared as sets. */
static size_t
sort_lines(char *text, char **lines, size_t most)
{
	size_t count = 0;

	for (char *line = strtok(text, "\n"); line && count < most;
	     line = strtok(NULL, "\n"))
		lines[count++] = line;
	qsort(lines, count, sizeof(*lines), compare_lines);
	return count;
}

static struct key_log *
log_at(const char *path)
{
	struct file_set *files = file_set_new();
	AUTO_FREE char *name = key_log_entry_name(path);
	struct key_log *log = NULL;
	int descriptor =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	CU_ASSERT_FATAL(descriptor >= 0);
	file_set_add(files, name, descriptor, FILE_PUBLIC);
	CU_ASSERT(key_log_open(files, path, &log, NULL) == 0);
	CU_ASSERT_FATAL(log != NULL);
	file_set_free(files);
	return log;
}

static void
test_lines(void)
{
	char *directory = test_directory();
	AUTO_FREE char *ours = mem_format("%s/client.log", directory);
	AUTO_FREE char *theirs = mem_format("%s/server.log", directory);
	struct key_log *client_log = log_at(ours), *server_log = log_at(theirs);
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->ecdsa);
	char *lines[32], *others[32];
	struct tls_outcome outcome;

	CU_ASSERT(key_log_install(client, client_log) == 0);
	CU_ASSERT(key_log_install(server, server_log) == 0);
	/* The contexts hold them. */
	key_log_unref(client_log);
	key_log_unref(server_log);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT(outcome.is_established);
	{
		AUTO_FREE char *one = read_all(ours);
		AUTO_FREE char *other = read_all(theirs);
		size_t count, other_count;

		CU_ASSERT(one[0] && one[strlen(one) - 1] == '\n');
		count = sort_lines(one, lines, ARRAY_SIZE(lines));
		other_count = sort_lines(other, others, ARRAY_SIZE(others));
		CU_ASSERT(count >= 4 && count == other_count);
		for (size_t i = 0; i < count && i < other_count; i++)
			CU_ASSERT_STRING_EQUAL(lines[i], others[i]);
	}
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	test_directory_remove(directory);
}

static void
test_identity_of_files(void)
{
	char *directory = test_directory();
	AUTO_FREE char *path = mem_format("%s/x.log", directory);
	AUTO_FREE char *moved = mem_format("%s/x.log.1", directory);
	struct key_log *one = log_at(path), *same = log_at(path), *other;
	struct key_log *none = one;
	struct file_set *files = file_set_new();
	uint64_t first[2], second[2];
	struct error error = {0};

	CU_ASSERT(one == same);
	CU_ASSERT(!key_log_is_exposed(one));
	CU_ASSERT(rename(path, moved) == 0);
	other = log_at(path);
	CU_ASSERT(other != one);
	key_log_identity(one, first);
	key_log_identity(other, second);
	CU_ASSERT(memcmp(first, second, sizeof(first)) != 0);
	CU_ASSERT(chmod(path, 0644) == 0);
	same = (key_log_unref(same), log_at(path));
	CU_ASSERT(same == other && key_log_is_exposed(other));

	CU_ASSERT(key_log_open(files, path, &none, &error) == 0 && !none);
	{
		AUTO_FREE char *name = key_log_entry_name(path);

		file_set_add_missing(files, name, EACCES, FILE_PUBLIC);
	}
	CU_ASSERT(key_log_open(files, path, &none, &error) == -1 && !none);
	CU_ASSERT(strstr(error.text, strerror(EACCES)) != NULL);
	file_set_free(files);
	key_log_unref(one);
	key_log_unref(same);
	key_log_unref(other);
	key_log_unref(NULL);
	test_directory_remove(directory);
}

UNIT_SUITE(key_log, {"open", test_open}, {"refused", test_refused},
	   {"no_directory", test_no_directory}, {"lines", test_lines},
	   {"identity_of_files", test_identity_of_files});
