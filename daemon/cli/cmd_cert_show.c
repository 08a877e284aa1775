/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both commands read files of certificates, in the order found: what they
 * show is the file, not what the daemon would make of it.
 */
#include "daemon/cli/cmd_cert_show.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_key.h"
#include "daemon/cli/certificate_facts.h"
#include "daemon/cli/certificate_issuers.h"
#include "daemon/cli/json_line.h"

#define READ_MAX ((size_t)16 << 20)

/* What both command lines say. */
struct request {
	const char *command;
	const char *passphrase_file;
	const char *digest;
	bool is_json;
	bool is_of_key;
	bool is_all;
	char **files;
	size_t file_count;
};

static const char show_usage[] =
	"usage: sealock cert show [--json] [--passphrase-file FILE] FILE...\n"
	"Show every certificate of files in PEM, DER or PKCS#12; - is standard "
	"input.\n"
	"  --json                  one array of objects, for programs\n"
	"  --passphrase-file FILE  the pass-phrase of PKCS#12 files\n";

static const char fingerprint_usage[] =
	"usage: sealock cert fingerprint [--digest NAME] [--public-key] "
	"[--all]\n"
	"                                [--passphrase-file FILE] FILE...\n"
	"Print the fingerprint of each file's first certificate, in the form "
	"that\nIO::Socket::SSL takes; - is standard input.\n"
	"  --digest NAME           sha256 (default), sha384, sha512, sha1 ...\n"
	"  --public-key            of the public key alone: it outlives a "
	"renewal\n"
	"  --all                   of every certificate in the files\n"
	"  --passphrase-file FILE  the pass-phrase of PKCS#12 files\n";

__attribute__((format(printf, 2, 3))) static int
fail_usage(const struct request *request, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "sealock cert %s: ", request->command);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs(" (see --help)\n", stderr);
	return 2;
}

/* Twice the room, and one byte for a NUL; there may be a key in what is left
 * behind. */
static size_t
grow(struct blob *blob, size_t capacity)
{
	size_t larger = capacity ? 2 * capacity : 16384;
	unsigned char *bytes = mem_alloc(larger + 1);

	if (blob->length > 0) {
		memcpy(bytes, blob->bytes, blob->length);
		mem_wipe(blob->bytes, blob->length);
	}
	mem_free(blob->bytes);
	blob->bytes = bytes;
	return larger;
}

/* 0, or the errno of what went wrong. */
static int
read_descriptor(int descriptor, struct blob *blob)
{
	size_t capacity = grow(blob, 0);

	for (;;) {
		ssize_t got = read(descriptor, blob->bytes + blob->length,
				   capacity - blob->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			return 0;
		blob->length += (size_t)got;
		if (blob->length > READ_MAX)
			return EFBIG;
		if (blob->length == capacity)
			capacity = grow(blob, capacity);
	}
}

/* A file, a pipe, or standard input. */
static int
read_file(const char *path, struct blob *blob, struct error *error)
{
	bool is_input = strcmp(path, "-") == 0;
	int descriptor =
		is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int problem =
		descriptor < 0 ? errno : read_descriptor(descriptor, blob);

	if (descriptor >= 0 && !is_input)
		close(descriptor);
	if (problem == 0)
		return 0;
	error_set(error, "cannot read %s: %s",
		  is_input ? "standard input" : path, strerror(problem));
	return -1;
}

static STACK_OF(X509) *
read_certificates(const char *path, const char *passphrase, struct error *error)
{
	AUTO_BLOB struct blob blob = {0};
	STACK_OF(X509) *found;

	if (read_file(path, &blob, error) != 0)
		return NULL;
	found = certificate_parse_all(blob.bytes, blob.length, passphrase,
				      error);
	if (!found)
		error_prefix(error, "%s: ", path);
	return found;
}

static void
show_file(const struct request *request, const char *path,
	  const STACK_OF(X509) *found, bool *is_first)
{
	struct certificate_issuers *issuers = certificate_issuers_new(found);

	if (!request->is_json)
		printf("%s%s: %d certificate%s\n", *is_first ? "" : "\n", path,
		       sk_X509_num(found), sk_X509_num(found) == 1 ? "" : "s");
	for (int i = 0; i < sk_X509_num(found); i++) {
		size_t issuer = certificate_issuers_find(issuers, i);
		struct certificate_facts facts;

		certificate_facts_read(&facts, sk_X509_value(found, i));
		if (request->is_json) {
			struct json_line line = {.out = stdout};

			fputs(*is_first ? "\n" : ",\n", stdout);
			certificate_facts_print_json(
				&facts, path, (size_t)i + 1, issuer, &line);
		} else {
			certificate_facts_print(&facts, (size_t)i + 1, issuer,
						"not in this file", stdout);
		}
		*is_first = false;
		certificate_facts_clear(&facts);
	}
	certificate_issuers_free(issuers);
}

static void
fingerprint_file(const struct request *request, const char *path,
		 const STACK_OF(X509) *found, bool *is_first)
{
	const EVP_MD *digest = EVP_get_digestbyname(request->digest);
	int count = request->is_all ? sk_X509_num(found) : 1;
	char text[256];

	*is_first = false;
	for (int i = 0; i < count; i++) {
		if (certificate_fingerprint(sk_X509_value(found, i), digest,
					    request->is_of_key, text,
					    sizeof(text)) != 0)
			continue;
		if (request->file_count > 1)
			printf("%s  %s\n", text, path);
		else
			puts(text);
	}
}

typedef void
file_printer(const struct request *request, const char *path,
	     const STACK_OF(X509) *found, bool *is_first);

static int
print_files(const struct request *request, const char *passphrase,
	    file_printer *print)
{
	bool is_first = true;
	int status = 0;

	for (size_t i = 0; i < request->file_count; i++) {
		struct error error = {0};
		AUTO_OPENSSL(x509_stack)
		STACK_OF(X509) *found = read_certificates(request->files[i],
							  passphrase, &error);

		if (found) {
			print(request, request->files[i], found, &is_first);
			continue;
		}
		fprintf(stderr, "sealock cert %s: %s\n", request->command,
			error.text);
		status = 1;
	}
	return status;
}

static int
run(const struct request *request, file_printer *print)
{
	AUTO_BLOB struct blob blob = {0};
	const char *passphrase = NULL;
	struct error error = {0};
	int status;

	if (request->passphrase_file) {
		if (read_file(request->passphrase_file, &blob, &error) == 0) {
			passphrase = certificate_passphrase(&blob, &error);
			if (!passphrase)
				error_prefix(&error,
					     "%s: ", request->passphrase_file);
		}
		if (!passphrase) {
			fprintf(stderr, "sealock cert %s: %s\n",
				request->command, error.text);
			return 1;
		}
	}
	if (request->is_json)
		putchar('[');
	status = print_files(request, passphrase, print);
	if (request->is_json)
		puts("\n]");
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "sealock cert %s: cannot write the output\n",
		request->command);
	return 1;
}

/* The exit status, or -1 to go on. */
static int
parse(int argc, char **argv, const struct option *options, const char *usage,
      struct request *request)
{
	int option;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			request->is_json = true;
			break;
		case 'p':
			request->passphrase_file = optarg;
			break;
		case 'd':
			request->digest = optarg;
			break;
		case 'k':
			request->is_of_key = true;
			break;
		case 'a':
			request->is_all = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case ':':
			return fail_usage(request, "%s needs a value",
					  argv[optind - 1]);
		default:
			return fail_usage(request, "unknown option %s",
					  argv[optind - 1]);
		}
	}
	request->files = argv + optind;
	request->file_count = (size_t)(argc - optind);
	if (request->file_count == 0)
		return fail_usage(request, "which file?");
	if (!EVP_get_digestbyname(request->digest))
		return fail_usage(request, "there is no digest %s",
				  request->digest);
	return -1;
}

int
cmd_cert_show(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"passphrase-file", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct request request = {.command = "show", .digest = "sha256"};
	int status = parse(argc, argv, options, show_usage, &request);

	return status >= 0 ? status : run(&request, show_file);
}

int
cmd_cert_fingerprint(int argc, char **argv)
{
	static const struct option options[] = {
		{"digest", required_argument, NULL, 'd'},
		{"public-key", no_argument, NULL, 'k'},
		{"all", no_argument, NULL, 'a'},
		{"passphrase-file", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct request request = {.command = "fingerprint", .digest = "sha256"};
	int status = parse(argc, argv, options, fingerprint_usage, &request);

	return status >= 0 ? status : run(&request, fingerprint_file);
}
