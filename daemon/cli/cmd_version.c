/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts in two forms. The libraries are asked at run time: they may be newer
 * than those that this was built with.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/cli/cmd_version.h"

#include <ares.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include <event2/event.h>
#include <openssl/crypto.h>

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif
#ifdef HAVE_LIBCURL
#include <curl/curl.h>
#endif

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/net/hostname_idn.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_version.h"
#include "common/verify/public_suffix.h"
#include "daemon/process/sandbox.h"

#ifdef HAVE_SYSTEMD
#define HAS_SYSTEMD true
#else
#define HAS_SYSTEMD false
#endif

#ifdef HAVE_JANSSON
#define HAS_JANSSON true
#else
#define HAS_JANSSON false
#endif

#ifdef HAVE_LIBCURL
#define HAS_LIBCURL true
#else
#define HAS_LIBCURL false
#endif

#define LIST_MAX 256

enum fact_kind {
	FACT_TEXT,
	FACT_LIST, /* words separated by ", " */
	FACT_BOOLEAN,
};

struct fact {
	const char *key;
	const char *label;
	enum fact_kind kind;
	const char *text;
	bool is_so;
};

static const char *
usable_groups(char *buffer, size_t size)
{
	static const char *const names[] = {
		"X25519MLKEM768",
		"X25519",
		"P-256",
		"X448",
		"P-384",
		"P-521",
		"SecP256r1MLKEM768",
		"SecP384r1MLKEM1024",
	};
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (openssl_compat_has_group(names[i]) && used < size)
			used += (size_t)snprintf(buffer + used, size - used,
						 "%s%s", used > 0 ? ", " : "",
						 names[i]);
	return buffer;
}

static const char *
jansson_version(void)
{
#ifdef HAVE_JANSSON
	return jansson_version_str();
#else
	return "none";
#endif
}

static const char *
libcurl_version(void)
{
#ifdef HAVE_LIBCURL
	return curl_version_info(CURLVERSION_NOW)->version;
#else
	return "none";
#endif
}

static void
print_text_form(const struct fact *facts, size_t count)
{
	printf("sealock %s\n", PACKAGE_VERSION);
	for (size_t i = 0; i < count; i++)
		printf("  %-26s%s\n", facts[i].label,
		       facts[i].kind != FACT_BOOLEAN ? facts[i].text
		       : facts[i].is_so              ? "yes"
						     : "no");
}

static void
print_json_string(const char *text, size_t length)
{
	char escaped[6 * LIST_MAX];

	text_escape_json(text, length, escaped, sizeof(escaped));
	printf("\"%s\"", escaped);
}

static void
print_json_list(const char *text)
{
	const char *before = "";

	putchar('[');
	while (*text) {
		size_t length = strcspn(text, ",");

		fputs(before, stdout);
		print_json_string(text, length);
		before = ",";
		text += length;
		text += strspn(text, ", ");
	}
	putchar(']');
}

static void
print_json_form(const struct fact *facts, size_t count)
{
	printf("{\"version\":\"%s\"", PACKAGE_VERSION);
	for (size_t i = 0; i < count; i++) {
		printf(",\"%s\":", facts[i].key);
		switch (facts[i].kind) {
		case FACT_TEXT:
			print_json_string(facts[i].text, strlen(facts[i].text));
			break;
		case FACT_LIST:
			print_json_list(facts[i].text);
			break;
		case FACT_BOOLEAN:
			printf("%s", facts[i].is_so ? "true" : "false");
			break;
		}
	}
	printf("}\n");
}

static int
print_version(bool is_json)
{
	char versions[LIST_MAX], groups[LIST_MAX], sandbox[LIST_MAX];
	char suffixes[LIST_MAX];
	const struct fact facts[] = {
		{"openssl", "OpenSSL", FACT_TEXT,
		 OpenSSL_version(OPENSSL_VERSION_STRING), false},
		{"libevent", "libevent", FACT_TEXT, event_get_version(), false},
		{"libyaml", "libyaml", FACT_TEXT, yaml_get_version_string(),
		 false},
		{"c_ares", "c-ares", FACT_TEXT, ares_version(NULL), false},
		{"jansson", "jansson", FACT_TEXT, jansson_version(), false},
		{"libcurl", "libcurl", FACT_TEXT, libcurl_version(), false},
		{"public_suffixes", "public suffixes", FACT_TEXT,
		 public_suffixes_describe(suffixes, sizeof(suffixes)), false},
		{"idn", "international names", FACT_TEXT,
		 hostname_idn_library(), false},
		{"tls_versions", "TLS versions", FACT_LIST,
		 tls_version_format(tls_version_available(), versions,
				    sizeof(versions)),
		 false},
		{"groups", "groups", FACT_LIST,
		 usable_groups(groups, sizeof(groups)), false},
		{"post_quantum", "X25519MLKEM768", FACT_BOOLEAN, NULL,
		 openssl_compat_has_group("X25519MLKEM768")},
		{"ecdh", "ECDH", FACT_BOOLEAN, NULL, true},
		{"server_sni", "SNI, accept gate", FACT_BOOLEAN, NULL, true},
		{"client_sni", "SNI, connect gate", FACT_BOOLEAN, NULL, true},
		{"alpn", "ALPN", FACT_BOOLEAN, NULL, true},
		{"npn", "NPN", FACT_BOOLEAN, NULL, false},
		{"resumption", "session resumption", FACT_BOOLEAN, NULL, true},
		{"ocsp", "OCSP", FACT_BOOLEAN, NULL, HAS_LIBCURL},
		{"crl", "CRL", FACT_BOOLEAN, NULL, true},
		{"authorize", "authorize", FACT_BOOLEAN, NULL, HAS_JANSSON},
		{"starttls", "STARTTLS", FACT_BOOLEAN, NULL, false},
		{"keys", "private keys", FACT_TEXT,
		 "in the keeper, unless isolate_keys is false", false},
		{"sandbox", "sandbox", FACT_TEXT,
		 sandbox_describe(sandbox, sizeof(sandbox)), false},
		{"systemd", "readiness for systemd", FACT_BOOLEAN, NULL,
		 HAS_SYSTEMD},
	};

	if (is_json)
		print_json_form(facts, ARRAY_SIZE(facts));
	else
		print_text_form(facts, ARRAY_SIZE(facts));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("sealock --version: standard output");
		return 1;
	}
	return 0;
}

int
cmd_version(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	bool is_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return 2;
		is_json = true;
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument \"%s\"\n", argv[0],
			argv[optind]);
		return 2;
	}
	return print_version(is_json);
}
