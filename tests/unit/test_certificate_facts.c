/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is shown of certificates: fingerprints in the manual's form, and no
 * byte of a hostile certificate as it is.
 */
#include "daemon/cli/certificate_facts.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/tls/certificate_create.h"
#include "daemon/cli/json_line.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)

static char *
shown(X509 *certificate, bool is_json)
{
	struct certificate_facts facts;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct json_line line = {.out = out};

	certificate_facts_read(&facts, certificate);
	if (is_json)
		certificate_facts_print_json(&facts, "a \"file\"", 1, 2, &line);
	else
		certificate_facts_print(&facts, 1, 2, "not here", out);
	certificate_facts_clear(&facts);
	fclose(out);
	return text;
}

static void
expect_words(X509 *certificate, bool is_json, const char *const *words)
{
	char *text = shown(certificate, is_json);

	for (; *words; words++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(text, *words));
		if (!strstr(text, *words))
			fprintf(stderr, "%s is not in:\n%s\n", *words, text);
	}
	free(text);
}

#define EXPECT_TEXT(certificate, ...)    \
	expect_words(certificate, false, \
		     (const char *const[]){__VA_ARGS__, NULL})
#define EXPECT_JSON(certificate, ...)   \
	expect_words(certificate, true, \
		     (const char *const[]){__VA_ARGS__, NULL})

static void
test_facts(void)
{
	static const char *const names[] = {"web.example",  "*.web.example",
					    "192.0.2.1",    "2001:db8::1",
					    "spiffe://x/y", "a@web.example"};
	const struct certificate_request request = {
		.names = names,
		.name_count = ARRAY_SIZE(names),
		.purpose = CERTIFICATE_FOR_BOTH,
		.days = 30,
		.ocsp_uri = "http://ocsp.example/",
		.crl_uri = "http://crl.example/ca.crl",
	};
	struct test_identity *ca = test_ca("Some CA", NULL);
	struct test_identity *web = test_identity("p384", &request, ca);

	EXPECT_TEXT(web->certificate, "certificate 1\n",
		    "subject      CN=web.example\n",
		    "issuer       CN=Some CA\n", "signed by    certificate 2\n",
		    "names        web.example, *.web.example\n",
		    "addresses    192.0.2.1, 2001:db8::1\n",
		    "URIs         spiffe://x/y\n",
		    "e-mail       a@web.example\n", " 29 days left\n",
		    "key          ECDSA P-384\n",
		    "signature    ecdsa-with-SHA256\n",
		    "usage        digitalSignature\n",
		    "purposes     serverAuth, clientAuth\n",
		    "OCSP         http://ocsp.example/\n",
		    "CRL          http://crl.example/ca.crl\n",
		    "fingerprint  sha256$", "public key   sha256$pub$");
	EXPECT_TEXT(ca->certificate, "certificate 1, of a CA\n",
		    "digitalSignature, keyCertSign, cRLSign\n");
	EXPECT_JSON(web->certificate, "{\"file\":\"a \\\"file\\\"\",",
		    "\"subject\":\"CN=web.example\",",
		    "\"is_self_signed\":false,\"signed_by\":2,",
		    "\"dns\":[\"web.example\",\"*.web.example\"],",
		    "\"ip\":[\"192.0.2.1\",\"2001:db8::1\"],",
		    "\"ocsp\":[\"http://ocsp.example/\"],"
		    "\"crl\":[\"http://crl.example/ca.crl\"],",
		    "\"days_left\":29,", "\"is_ca\":false,\"path_length\":null",
		    "\"key\":\"ECDSA P-384\"", "\"fingerprint\":\"sha256$");
	test_identity_free(web);
	test_identity_free(ca);
}

static void
test_validity(void)
{
	struct test_identity *web = test_leaf("ed25519", "web.example", NULL);

	clock_shift(31 * DAY_MS);
	EXPECT_TEXT(web->certificate, "EXPIRED 1 day ago\n");
	EXPECT_JSON(web->certificate, "\"days_left\":-2,");
	clock_shift(-DAY_MS);
	EXPECT_TEXT(web->certificate, "NOT YET VALID\n");
	clock_shift(0);
	test_identity_free(web);
}

/* Terminal sequences, a newline and a NUL in every place that takes text. */
static void
test_hostile(void)
{
	static const char bytes[] = "x\033[2J\n\"\\\0y\xff";
	struct test_identity *base = test_leaf("ed25519", "x.example", NULL);
	X509 *leaf = X509_dup(base->certificate);
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	static const int types[] = {GEN_DNS, GEN_URI, GEN_EMAIL};
	X509_NAME *subject = X509_NAME_new();
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *value = ASN1_IA5STRING_new();

		ASN1_STRING_set(value, bytes, (int)sizeof(bytes) - 1);
		GENERAL_NAME_set0_value(name, types[i], value);
		sk_GENERAL_NAME_push(names, name);
	}
	X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 0,
			  X509V3_ADD_REPLACE);
	X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
				   (const unsigned char *)bytes,
				   (int)sizeof(bytes) - 2, -1, 0);
	X509_set_subject_name(leaf, subject);
	X509_sign(leaf, base->key, NULL);

	text = shown(leaf, false);
	for (const char *at = text; *at; at++)
		CU_ASSERT_TRUE(*at == '\n' || (*at >= ' ' && *at <= '~'));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		text, "names        x\\x1b[2J\\x0a\\x22\\x5c\\x00y\\xff\n"));
	free(text);
	text = shown(leaf, true);
	for (const char *at = text; *at; at++)
		CU_ASSERT_TRUE((unsigned char)*at >= ' ' && *at != '\177');
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "[\"x\\u001b[2J\\n\\\"\\\\\\u0000y\\u00ff\"]"));
	free(text);
	GENERAL_NAMES_free(names);
	X509_NAME_free(subject);
	X509_free(leaf);
	test_identity_free(base);
}

static void
test_many_names(void)
{
	const char *names[25];
	struct certificate_request request = {
		.names = names, .name_count = ARRAY_SIZE(names), .days = 1};
	struct test_identity *web;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = "web.example";
	web = test_identity("ed25519", &request, NULL);
	EXPECT_TEXT(web->certificate, "web.example, and 5 more\n");
	test_identity_free(web);
}

UNIT_SUITE(certificate_facts, {"facts", test_facts},
	   {"validity", test_validity}, {"hostile", test_hostile},
	   {"many_names", test_many_names});
