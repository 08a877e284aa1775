/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both commands read files of certificates, in the order found: what they
 * show is the file, not what the daemon would make of it.
 */
#include "daemon/cli/cmd_cert_show.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate.h"
#include "common/verify/fingerprint.h"
#include "daemon/cli/certificate_facts.h"
#include "daemon/cli/certificate_file.h"
#include "daemon/cli/certificate_issuers.h"
#include "daemon/cli/json_line.h"

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
	"that\n`fingerprints` and IO::Socket::SSL take; - is standard input.\n"
	"  --digest NAME           sha256 (default), sha512, sha3-256 ... any "
	"that\n                          OpenSSL has\n"
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
	int count = request->is_all ? sk_X509_num(found) : 1;
	char text[FINGERPRINT_TEXT_SIZE];
	struct fingerprint made;

	*is_first = false;
	for (int i = 0; i < count; i++) {
		if (fingerprint_make(sk_X509_value(found, i), request->digest,
				     request->is_of_key, &made, NULL) != 0)
			continue;
		fingerprint_format(&made, text, sizeof(text));
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
		STACK_OF(X509) *found = certificate_file_parse(
			request->files[i], passphrase, &error);

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
		passphrase = certificate_file_passphrase(
			request->passphrase_file, &blob, &error);
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
	if (!fingerprint_is_digest(request->digest))
		return fail_usage(request,
				  "OpenSSL has no digest %s of a fixed length",
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
