/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of versions and the manual's grammar; what OpenSSL 3.0 and 3.5
 * are asked for.
 */
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_version.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define ALL TLS_VERSION_ALL

static void
test_one(void)
{
	static const struct {
		const char *word;
		unsigned int version;
	} cases[] = {
		{"SSLv2", TLS_VERSION_SSL2},
		{"SSLv3", TLS_VERSION_SSL3},
		{"sslV3", TLS_VERSION_SSL3},
		{"TLSv1", TLS_VERSION_1_0},
		{"TLSv1.0", TLS_VERSION_1_0},
		{"TLSv10", TLS_VERSION_1_0},
		{"TLSv1_0", TLS_VERSION_1_0},
		{"TLSv1.1", TLS_VERSION_1_1},
		{"TLSv11", TLS_VERSION_1_1},
		{"TLSv1_1", TLS_VERSION_1_1},
		{"TLSv1.2", TLS_VERSION_1_2},
		{"tlsv12", TLS_VERSION_1_2},
		{"TLSV1_2", TLS_VERSION_1_2},
		{"TLSv1.3", TLS_VERSION_1_3},
		{"TLSv13", TLS_VERSION_1_3},
		{"tlsv1_3", TLS_VERSION_1_3},
		{"", 0},
		{"TLS", 0},
		{"SSLv23", 0},
		{"TLSv1.4", 0},
		{"TLSv2", 0},
		{"TLSv1.2 ", 0},
		{" TLSv1.2", 0},
		{"TLSv1-2", 0},
		{"TLS1.2", 0},
		{"1.2", 0},
		{"DTLSv1.2", 0},
		{"TLSv1.22", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CU_ASSERT(tls_version_parse_one(cases[i].word) ==
			  cases[i].version);
}

static void
test_grammar(void)
{
	static const struct {
		const char *text;
		unsigned int versions;
	} cases[] = {
		{"SSLv23", ALL},
		{"sslv2/3", ALL},
		{"TLS", ALL},
		{"SSLv23:!SSLv2", ALL & ~TLS_VERSION_SSL2},
		{"SSLv23:!SSLv3:!SSLv2",
		 ALL & ~(TLS_VERSION_SSL3 | TLS_VERSION_SSL2)},
		{"SSLv23:!SSLv3:!TLSv1_1",
		 ALL & ~(TLS_VERSION_SSL3 | TLS_VERSION_1_1)},
		{"SSLv23:!SSLv2:!SSLv3:!TLSv1_1:!TLSv1_2",
		 TLS_VERSION_1_0 | TLS_VERSION_1_3},
		{"SSLv23: !SSLv3 :\t!SSLv2",
		 ALL & ~(TLS_VERSION_SSL3 | TLS_VERSION_SSL2)},
		{" TLSv1_2 ", TLS_VERSION_1_2},
		{"TLSv1_2:TLSv13", TLS_VERSION_1_2 | TLS_VERSION_1_3},
		{"TLSv1.2:TLSv1.2", TLS_VERSION_1_2},
		{"!SSLv3", ALL & ~TLS_VERSION_SSL3},
		{"!TLSv1:!TLSv11", ALL & ~(TLS_VERSION_1_0 | TLS_VERSION_1_1)},
		{"!TLSv1_1:SSLv23", ALL & ~TLS_VERSION_1_1},
		{"TLSv1_1:TLSv1_2:!TLSv1_1", TLS_VERSION_1_2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error = {0};
		unsigned int versions = 0;

		CU_ASSERT(tls_version_parse(cases[i].text, &versions, &error) ==
			  0);
		CU_ASSERT(versions == (cases[i].versions & ALL));
		CU_ASSERT_STRING_EQUAL(error.text, "");
	}
}

static void
test_grammar_refused(void)
{
	static const struct {
		const char *text;
		const char *shown;
	} cases[] = {
		{"", "\"\" is no TLS version"},
		{" ", "\"\" is no TLS version"},
		{"TLSv1_4", "\"TLSv1_4\" is no TLS version"},
		{"SSLv23:", "\"\" is no TLS version"},
		{":SSLv23", "\"\" is no TLS version"},
		{"SSLv23::!SSLv3", "\"\" is no TLS version"},
		{"SSLv23:!", "\"\" is no TLS version"},
		{"SSLv23:! SSLv3", "\" SSLv3\" is no TLS version"},
		{"!!SSLv3", "\"!SSLv3\" is no TLS version"},
		{"TLSv1.2,TLSv1.3", "\"TLSv1.2,TLSv1.3\" is no"},
		{"TLSv1.2 TLSv1.3", "is no TLS version"},
		{"TLSv1.2\n", "\"TLSv1.2\\x0a\" is no"},
		{"SSLv2SSLv2SSLv2SSLv2", "is no TLS version"},
		{"TLSv1_2:!TLSv1_2", "no version is left"},
		{"!SSLv23", "no version is left"},
		{"!TLS:TLSv1_2", "no version is left"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error = {0};
		unsigned int versions = 77;

		CU_ASSERT(tls_version_parse(cases[i].text, &versions, &error) ==
			  -1);
		CU_ASSERT(versions == 77);
		CU_ASSERT(strstr(error.text, cases[i].shown) != NULL);
		CU_ASSERT(strstr(error.text, "TLSv1_2") != NULL);
		CU_ASSERT(tls_version_parse(cases[i].text, &versions, NULL) ==
			  -1);
	}
}

static void
test_format(void)
{
	char text[64], small[8];

	CU_ASSERT_STRING_EQUAL(
		tls_version_format(TLS_VERSION_1_2 | TLS_VERSION_1_3, text,
				   sizeof(text)),
		"TLSv1.2, TLSv1.3");
	CU_ASSERT_STRING_EQUAL(tls_version_format(0, text, sizeof(text)), "");
	CU_ASSERT_STRING_EQUAL(
		tls_version_format(ALL, text, sizeof(text)),
		"SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3");
	CU_ASSERT_STRING_EQUAL(tls_version_format(ALL, small, sizeof(small)),
			       "SSLv2, ");
	CU_ASSERT_STRING_EQUAL(tls_version_name(TLS_VERSION_1_0), "TLSv1");
	CU_ASSERT_STRING_EQUAL(tls_version_name(ALL), "");
	CU_ASSERT(tls_version_number(TLS_VERSION_1_3) == TLS1_3_VERSION);
	CU_ASSERT(tls_version_number(TLS_VERSION_SSL2) == 0);
}

/* What is said to be there shakes hands, what is not does not. */
static void
test_available(void)
{
	unsigned int available = tls_version_available();

	CU_ASSERT(!(available & TLS_VERSION_SSL2));
	CU_ASSERT(available & TLS_VERSION_1_2);
	CU_ASSERT(available & TLS_VERSION_1_3);
	CU_ASSERT(ERR_peek_error() == 0);
	for (unsigned int version = TLS_VERSION_SSL3; version & ALL;
	     version <<= 1) {
		SSL_CTX *client = tls_fixture_bare_client();
		SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
		int number = tls_version_number(version);
		struct tls_outcome outcome;

		if (SSL_CTX_set_max_proto_version(client, number) &&
		    SSL_CTX_set_min_proto_version(client, number)) {
			outcome = tls_fixture_try(client, server);
			CU_ASSERT(outcome.is_established ==
				  ((available & version) != 0));
			if (available & version)
				CU_ASSERT_STRING_EQUAL(
					outcome.version,
					tls_version_name(version));
		} else {
			CU_ASSERT(!(available & version));
		}
		SSL_CTX_free(client);
		SSL_CTX_free(server);
		ERR_clear_error();
	}
}

static void
test_has_group(void)
{
	static const char *const there[] = {
		"X25519", "x25519",    "P-256", "prime256v1", "secp256r1",
		"P-384",  "secp384r1", "P-521", "X448",       "ffdhe2048"};
	static const char *const not_there[] = {
		"",        "nosuchgroup", "?X25519",       "*X25519",
		"-X25519", "X25519:",     "X25519:P-256",  "X25519/P-256",
		"DEFAULT", "default",     "X25519 ",       " X25519",
		"P-256\n", "P-999",       "rsaEncryption", "."};

	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		CU_ASSERT(openssl_compat_has_group(there[i]));
	for (size_t i = 0; i < ARRAY_SIZE(not_there); i++)
		CU_ASSERT(!openssl_compat_has_group(not_there[i]));
	CU_ASSERT(openssl_compat_has_group("X25519MLKEM768") ==
		  openssl_compat_has_key_share_marks());
	CU_ASSERT(ERR_peek_error() == 0);
}

static void
test_group_name(void)
{
	static const struct {
		const char *group;
		const char *name;
	} cases[] = {
		{"X25519", "X25519"},        {"X448", "X448"},
		{"P-256", "secp256r1"},      {"P-384", "secp384r1"},
		{"P-521", "secp521r1"},      {"ffdhe2048", "ffdhe2048"},
		{"prime256v1", "secp256r1"},
	};
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
	SSL *ssl = SSL_new(client);

	CU_ASSERT_STRING_EQUAL(openssl_compat_group_name(ssl), "");
	SSL_free(ssl);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tls_fixture_set_groups(client, cases[i].group);
		tls_fixture_set_groups(server, cases[i].group);
		CU_ASSERT_STRING_EQUAL(tls_fixture_try(client, server).group,
				       cases[i].name);
	}
	/* A suite of TLS 1.2 without a group. */
	tls_fixture_set_versions(client, 0, TLS1_2_VERSION);
	CU_ASSERT(SSL_CTX_set_cipher_list(client, "kRSA:@SECLEVEL=0"));
	CU_ASSERT_STRING_EQUAL(tls_fixture_try(client, server).group, "");
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

UNIT_SUITE(tls_version, {"one", test_one}, {"grammar", test_grammar},
	   {"grammar_refused", test_grammar_refused}, {"format", test_format},
	   {"available", test_available}, {"has_group", test_has_group},
	   {"group_name", test_group_name});
