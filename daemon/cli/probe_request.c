/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options, and what follows from the address where nothing else was said.
 */
#include "daemon/cli/probe_request.h"

#include <getopt.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/verify/fingerprint.h"
#include "common/verify/verify_name.h"

#define DEFAULT_SCHEME "http"
#define TIMEOUT_MS     5000
#define TIMEOUT_MAX_MS 600000

static void
add_word(const char ***words, size_t *count, const char *word)
{
	*words = mem_resize(*words, *count + 1, sizeof(**words));
	(*words)[(*count)++] = word;
}

/* h2,http/1.1 and several options are the same. */
static int
add_protocols(struct probe_request *request, char *text, struct error *error)
{
	char *rest = text, *word;

	while ((word = strsep(&rest, ","))) {
		if (word[0] == '\0' || strlen(word) > 255) {
			error_set(error, "--alpn: a protocol's name has 1 to "
					 "255 bytes");
			return -1;
		}
		add_word(&request->alpn, &request->alpn_count, word);
	}
	return 0;
}

static int
add_pin(struct probe_request *request, const char *text, struct error *error)
{
	struct fingerprint pin;

	if (fingerprint_parse(text, &pin, error) != 0) {
		error_prefix(error, "--fingerprint: ");
		return -1;
	}
	request->pins = mem_resize(request->pins, request->pin_count + 1,
				   sizeof(*request->pins));
	request->pins[request->pin_count++] = pin;
	return 0;
}

static int
set_timeout(struct probe_request *request, const char *text,
	    struct error *error)
{
	if (text_parse_duration(text, &request->timeout_ms) == 0 &&
	    request->timeout_ms > 0 && request->timeout_ms <= TIMEOUT_MAX_MS)
		return 0;
	error_set(error,
		  "--timeout: \"%s\" is no time such as 500ms, 5s or 1m, up to "
		  "10m",
		  text);
	return -1;
}

static int
set_server_name(struct probe_request *request, const char *text,
		struct error *error)
{
	request->has_server_name = text[0] != '\0';
	if (!request->has_server_name ||
	    hostname_normalize(text, strlen(text), request->server_name) == 0)
		return 0;
	error_set(error,
		  "--server-name: \"%s\" is no host name (nothing else can be "
		  "sent; \"\" sends none)",
		  text);
	return -1;
}

/* The host is the name that is sent and looked for, unless told otherwise. */
static int
apply_host(struct probe_request *request, bool is_name_given,
	   const char *verify_name, struct error *error)
{
	const struct address *address = &request->address;
	bool is_host = address->kind == ADDRESS_HOST;

	if (!is_name_given && is_host)
		request->has_server_name =
			hostname_normalize(address->host, strlen(address->host),
					   request->server_name) == 0;
	if (!verify_name && is_name_given && request->has_server_name)
		verify_name = request->server_name;
	else if (!verify_name && (is_host || address->kind == ADDRESS_INET))
		verify_name = address->host;
	if (!verify_name ||
	    verify_name_normalize(verify_name, request->verify_name, error) ==
		    0)
		return 0;
	error_prefix(error, "--verify-name: ");
	return -1;
}

static int
set_scheme(struct probe_request *request, const char *text, struct error *error)
{
	request->scheme_text = text;
	if (verify_scheme_parse(text, &request->scheme, error) == 0)
		return 0;
	error_prefix(error, "--scheme: ");
	return -1;
}

static int
parse_target(int argc, char **argv, struct probe_request *request,
	     struct error *error)
{
	if (optind == argc) {
		error_set(error, "which server? HOST:PORT is missing");
		return -1;
	}
	if (optind + 1 < argc) {
		error_set(error, "%s: one server at a time", argv[optind + 1]);
		return -1;
	}
	request->target = argv[optind];
	if (address_parse(request->target, ADDRESS_TO_CONNECT,
			  &request->address, error) != 0)
		return -1;
	switch (request->address.kind) {
	case ADDRESS_INET:
	case ADDRESS_HOST:
	case ADDRESS_UNIX:
	case ADDRESS_ABSTRACT:
		return 0;
	case ADDRESS_ANY:
	case ADDRESS_FD:
	case ADDRESS_BUILTIN:
		break;
	}
	error_set(error,
		  "%s: nothing to connect to; write HOST:PORT or "
		  "unix:/PATH",
		  request->target);
	return -1;
}

static int
check(const struct probe_request *request, struct error *error)
{
	if (request->key && !request->certificate) {
		error_set(error, "--key needs --cert");
		return -1;
	}
	if (request->http_proxy && !request->has_ocsp) {
		error_set(error, "--http-proxy needs --ocsp");
		return -1;
	}
	if (request->passphrase_file && !request->certificate) {
		error_set(error, "--passphrase-file needs --cert");
		return -1;
	}
	return 0;
}

int
probe_request_parse(int argc, char **argv, struct probe_request *request,
		    struct error *error)
{
	static const struct option options[] = {
		{"alpn", required_argument, NULL, 'a'},
		{"ca", required_argument, NULL, 'c'},
		{"cert", required_argument, NULL, 'C'},
		{"fingerprint", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{"http-proxy", required_argument, NULL, 'P'},
		{"json", no_argument, NULL, 'j'},
		{"key", required_argument, NULL, 'k'},
		{"no-versions", no_argument, NULL, 'V'},
		{"ocsp", no_argument, NULL, 'o'},
		{"resume", no_argument, NULL, 'r'},
		{"passphrase-file", required_argument, NULL, 'p'},
		{"scheme", required_argument, NULL, 'S'},
		{"server-name", required_argument, NULL, 's'},
		{"timeout", required_argument, NULL, 't'},
		{"verify-name", required_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	const char *verify_name = NULL;
	bool is_name_given = false;
	int option, problem = 0;

	*request = (struct probe_request){
		.scheme_text = DEFAULT_SCHEME,
		.scheme = *verify_scheme_find(DEFAULT_SCHEME),
		.timeout_ms = TIMEOUT_MS,
		.has_versions = true,
	};
	optind = 0;
	opterr = 0;
	while (problem == 0 &&
	       (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			problem = add_protocols(request, optarg, error);
			break;
		case 'c':
			add_word(&request->cas, &request->ca_count, optarg);
			break;
		case 'C':
			request->certificate = optarg;
			break;
		case 'f':
			problem = add_pin(request, optarg, error);
			break;
		case 'h':
			request->is_help = true;
			return 0;
		case 'j':
			request->is_json = true;
			break;
		case 'k':
			request->key = optarg;
			break;
		case 'V':
			request->has_versions = false;
			break;
		case 'o':
			request->has_ocsp = true;
			break;
		case 'r':
			request->is_resuming = true;
			break;
		case 'P':
			request->http_proxy = optarg;
			break;
		case 'p':
			request->passphrase_file = optarg;
			break;
		case 's':
			is_name_given = true;
			problem = set_server_name(request, optarg, error);
			break;
		case 't':
			problem = set_timeout(request, optarg, error);
			break;
		case 'n':
			verify_name = optarg;
			break;
		case 'S':
			problem = set_scheme(request, optarg, error);
			break;
		case ':':
			error_set(error, "%s needs a value", argv[optind - 1]);
			return -1;
		default:
			error_set(error, "unknown option %s", argv[optind - 1]);
			return -1;
		}
	}
	if (problem != 0 || parse_target(argc, argv, request, error) != 0 ||
	    apply_host(request, is_name_given, verify_name, error) != 0)
		return -1;
	return check(request, error);
}

void
probe_request_clear(struct probe_request *request)
{
	address_clear(&request->address);
	mem_free(request->pins);
	mem_free(request->alpn);
	mem_free(request->cas);
}
