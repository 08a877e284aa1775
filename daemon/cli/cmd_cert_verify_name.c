/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check that the connect gate makes of a backend's certificate, for a file.
 */
#include "daemon/cli/cmd_cert_verify_name.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/text.h"
#include "common/net/hostname.h"
#include "common/verify/peer_names.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_name.h"
#include "common/verify/verify_scheme.h"
#include "daemon/cli/certificate_file.h"
#include "daemon/cli/json_line.h"

#define SENTENCE_MAX 512

struct request {
	const char *scheme_text;
	struct verify_scheme scheme;
	const char *suffixes_text;
	struct public_suffixes *suffixes;
	const char *passphrase_file;
	bool is_json;
	const char *file;
	char **names;
	size_t name_count;
};

/* What came of one name. */
struct answer {
	const char *asked;
	bool is_matched;
	const struct peer_name *by; /* NULL: nothing, or the scheme is none */
	char compared[HOSTNAME_MAX + 1];
	char why[SENTENCE_MAX]; /* not */
};

static const char usage[] =
	"usage: sealock cert verify-name [--scheme SCHEME] [--public-suffix "
	"WHICH]\n"
	"                                [--json] [--passphrase-file FILE] "
	"FILE NAME...\n"
	"Is the first certificate of a file (PEM, DER or PKCS#12; - is "
	"standard "
	"input)\n"
	"for these host names or IP addresses? Exit status 0: for all of "
	"them.\n"
	"  --scheme SCHEME         http (default) or another scheme of "
	"verify.scheme; or\n"
	"                          one's own: "
	"check_cn=always,wildcards_in_alt=anywhere\n"
	"  --public-suffix WHICH   builtin (default), off, or a list in a "
	"file\n"
	"  --json                  one array of objects, for programs\n"
	"  --passphrase-file FILE  the pass-phrase of a PKCS#12 file\n";

__attribute__((format(printf, 1, 2))) static int
fail_usage(const char *format, ...)
{
	va_list arguments;

	fputs("sealock cert verify-name: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputs(" (see --help)\n", stderr);
	return 2;
}

static int
fail(const struct error *error)
{
	fprintf(stderr, "sealock cert verify-name: %s\n", error->text);
	return 1;
}

static void
ask(const struct request *request, const struct peer_names *names,
    const char *asked, struct answer *answer)
{
	struct error error = {0};

	*answer = (struct answer){.asked = asked};
	if (verify_name_normalize(asked, answer->compared, &error) != 0) {
		snprintf(answer->why, sizeof(answer->why), "%s", error.text);
		return;
	}
	answer->is_matched =
		verify_name_check(&request->scheme, request->suffixes, names,
				  answer->compared, &answer->by);
	if (!answer->is_matched)
		verify_name_explain(&request->scheme, request->suffixes, names,
				    answer->compared, answer->why,
				    sizeof(answer->why));
}

static void
print_text(const struct request *request, const struct answer *answer)
{
	char name[4 * HOSTNAME_MAX + 1], by[4 * HOSTNAME_MAX + 1];

	text_escape_line(answer->asked, strlen(answer->asked), name,
			 sizeof(name));
	if (!answer->is_matched)
		printf("%s: no, %s\n", name, answer->why);
	else if (!answer->by)
		printf("%s: yes, any name is (scheme %s)\n", name,
		       request->scheme_text);
	else
		printf("%s: yes, by %s %s\n", name,
		       peer_name_kind_word(answer->by->kind),
		       peer_name_format(answer->by, by, sizeof(by)));
}

static void
print_json(const struct request *request, const struct answer *answer)
{
	struct json_line line = {.out = stdout};
	char by[4 * HOSTNAME_MAX + 1];

	json_line_open(&line, NULL, '{');
	json_line_text(&line, "file", request->file);
	json_line_text(&line, "name", answer->asked);
	json_line_text(&line, "scheme", request->scheme_text);
	json_line_text(&line, "public_suffix", request->suffixes_text);
	json_line_boolean(&line, "matches", answer->is_matched);
	if (answer->by) {
		json_line_open(&line, "by", '{');
		json_line_text(&line, "kind",
			       peer_name_kind_word(answer->by->kind));
		json_line_text(&line, "name",
			       peer_name_format(answer->by, by, sizeof(by)));
		json_line_close(&line, '}');
	} else {
		json_line_null(&line, "by");
	}
	json_line_text(&line, "why_not",
		       answer->is_matched ? NULL : answer->why);
	json_line_close(&line, '}');
}

static int
answer_all(const struct request *request, const struct peer_names *names)
{
	int status = 0;

	if (request->is_json)
		putchar('[');
	for (size_t i = 0; i < request->name_count; i++) {
		struct answer answer;

		ask(request, names, request->names[i], &answer);
		if (request->is_json) {
			fputs(i == 0 ? "\n" : ",\n", stdout);
			print_json(request, &answer);
		} else {
			print_text(request, &answer);
		}
		if (!answer.is_matched)
			status = 1;
	}
	if (request->is_json)
		puts("\n]");
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fputs("sealock cert verify-name: cannot write the output\n", stderr);
	return 1;
}

static int
read_suffixes(struct request *request, struct error *error)
{
	AUTO_BLOB struct blob blob = {0};

	if (strcmp(request->suffixes_text, "off") == 0)
		return 0;
	if (strcmp(request->suffixes_text, "builtin") == 0) {
		request->suffixes = public_suffixes_builtin();
		return 0;
	}
	if (certificate_file_read(request->suffixes_text, &blob, error) != 0)
		return -1;
	request->suffixes =
		public_suffixes_parse(blob.bytes, blob.length, error);
	if (request->suffixes)
		return 0;
	error_prefix(error, "%s: ", request->suffixes_text);
	return -1;
}

static int
run(struct request *request)
{
	AUTO_BLOB struct blob blob = {0};
	const char *passphrase = NULL;
	struct error error = {0};
	struct peer_names *names;
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *found = NULL;
	int status;

	if (read_suffixes(request, &error) != 0)
		return fail(&error);
	if (request->passphrase_file) {
		passphrase = certificate_file_passphrase(
			request->passphrase_file, &blob, &error);
		if (!passphrase)
			return fail(&error);
	}
	found = certificate_file_parse(request->file, passphrase, &error);
	if (!found)
		return fail(&error);
	names = peer_names_new(sk_X509_value(found, 0));
	status = answer_all(request, names);
	peer_names_free(names);
	return status;
}

/* The exit status, or -1 to go on. */
static int
parse(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{"scheme", required_argument, NULL, 's'},
		{"public-suffix", required_argument, NULL, 'u'},
		{"json", no_argument, NULL, 'j'},
		{"passphrase-file", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct error error = {0};
	int option;

	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			request->scheme_text = optarg;
			break;
		case 'u':
			request->suffixes_text = optarg;
			break;
		case 'j':
			request->is_json = true;
			break;
		case 'p':
			request->passphrase_file = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case ':':
			return fail_usage("%s needs a value", argv[optind - 1]);
		default:
			return fail_usage("unknown option %s",
					  argv[optind - 1]);
		}
	}
	if (verify_scheme_parse(request->scheme_text, &request->scheme,
				&error) != 0)
		return fail_usage("%s", error.text);
	if (argc - optind < 2)
		return fail_usage(argc == optind ? "which file?"
						 : "which name?");
	request->file = argv[optind];
	request->names = argv + optind + 1;
	request->name_count = (size_t)(argc - optind - 1);
	return -1;
}

int
cmd_cert_verify_name(int argc, char **argv)
{
	struct request request = {.scheme_text = "http",
				  .suffixes_text = "builtin"};
	int status = parse(argc, argv, &request);

	if (status < 0)
		status = run(&request);
	public_suffixes_unref(request.suffixes);
	return status;
}
