/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificate_load() on files, inline text, stores and self_signed: what is
 * found, and how what is wrong is said.
 */
#include "common/tls/certificate.h"

#include <stdio.h>
#include <string.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "common/tls/tls_settings.h"
#include "tests/lib/certificate_attempt.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)

/* The three common arrangements of a certificate with its key. */
static void
test_pem(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, NULL);
	AUTO_FREE char *both = mem_format("%s%s", certificate, key);
	AUTO_FREE char *reverse = mem_format("words\n%s\n%s", key, certificate);
	AUTO_FREE char *marked = mem_format("\xef\xbb\xbf%s", both);
	AUTO_FREE char *zero = mem_format("0 words\n%s", both);
	struct attempt attempt = attempt_new();

	attempt_text(&attempt, certificate_name, both);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, reverse);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, marked);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, zero);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, key);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt.spec.source = CERTIFICATE_INLINE;
	attempt.spec.path = both;
	expect_loaded(&attempt, web);

	test_identity_free(web);
}

static void
test_carriage_returns(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, NULL);
	AUTO_FREE char *both = mem_format("%s%s", certificate, key);
	AUTO_FREE char *dos = mem_alloc(2 * strlen(both) + 1);
	struct attempt attempt = attempt_new();
	char *to = dos;

	for (const char *from = both; *from; from++) {
		if (*from == '\n')
			*to++ = '\r';
		*to++ = *from;
	}
	attempt_text(&attempt, certificate_name, dos);
	expect_loaded(&attempt, web);
	test_identity_free(web);
}

static void
test_fields(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *middle = test_ca("Middle", root);
	struct test_identity *web = test_leaf("p384", "WEB.example", middle);
	AUTO_FREE char *chain = test_pem_chain(web);
	AUTO_FREE char *key = test_pem_key(web, NULL);
	struct attempt attempt = attempt_new();
	const struct certificate *loaded;
	unsigned char digest[32];
	int64_t now = clock_real_ms();

	attempt.spec.is_default = true;
	attempt_text(&attempt, certificate_name, chain);
	attempt_text(&attempt, key_name, key);
	CU_ASSERT_EQUAL_FATAL(attempt_load(&attempt), 1);
	loaded = attempt.list.certificates[0];
	CU_ASSERT_EQUAL(loaded->references, 1);
	CU_ASSERT_STRING_EQUAL(loaded->source,
			       "/test/web.pem and /test/web.key");
	CU_ASSERT_EQUAL(sk_X509_num(loaded->chain), 1);
	CU_ASSERT_EQUAL(
		X509_cmp(sk_X509_value(loaded->chain, 0), middle->certificate),
		0);
	CU_ASSERT_EQUAL(loaded->type, CERTIFICATE_ECDSA);
	CU_ASSERT_EQUAL_FATAL(loaded->name_count, 1);
	CU_ASSERT_STRING_EQUAL(loaded->names[0], "web.example");
	CU_ASSERT_TRUE(loaded->is_default);
	CU_ASSERT_FALSE(loaded->is_chain_repaired);
	CU_ASSERT_FALSE(loaded->is_self_issued);
	CU_ASSERT_TRUE(loaded->not_before_ms < now);
	CU_ASSERT_TRUE(loaded->not_before_ms > now - DAY_MS);
	CU_ASSERT_TRUE(loaded->not_after_ms > now + 29 * DAY_MS);
	CU_ASSERT_TRUE(loaded->not_after_ms <= now + 30 * DAY_MS);
	X509_digest(web->certificate, EVP_sha256(), digest, NULL);
	CU_ASSERT_EQUAL(memcmp(digest, loaded->digest, sizeof(digest)), 0);
	attempt_clear(&attempt);
	test_identity_free(web);
	test_identity_free(middle);
	test_identity_free(root);
}

static void
test_types(void)
{
	static const struct {
		const char *kind;
		enum certificate_type type;
		const char *text;
	} cases[] = {
		{"rsa2048", CERTIFICATE_RSA, "RSA 2048"},
		{"rsa-pss2048", CERTIFICATE_RSA_PSS, "RSA-PSS 2048"},
		{"p256", CERTIFICATE_ECDSA, "ECDSA P-256"},
		{"p384", CERTIFICATE_ECDSA, "ECDSA P-384"},
		{"p521", CERTIFICATE_ECDSA, "ECDSA P-521"},
		{"ed25519", CERTIFICATE_ED25519, "Ed25519"},
		{"ed448", CERTIFICATE_ED448, "Ed448"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_identity *web =
			test_leaf(cases[i].kind, "web.example", NULL);
		struct certificate *loaded = test_certificate(web);
		char text[64];

		CU_ASSERT_EQUAL(loaded->type, cases[i].type);
		CU_ASSERT_STRING_EQUAL(
			certificate_key_format(loaded->key, text, sizeof(text)),
			cases[i].text);
		certificate_unref(loaded);
		test_identity_free(web);
	}
}

/* The id of a key does not depend on the certificate around it. */
static void
test_key_id(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	const char *name = "other.example";
	struct certificate_request request = {
		.names = &name, .name_count = 1, .days = 1};
	struct test_identity again = {
		.key = web->key,
		.certificate = certificate_create(&request, web->key, NULL,
						  NULL, NULL),
	};
	struct certificate *one = test_certificate(web);
	struct certificate *other = test_certificate(&again);

	CU_ASSERT_EQUAL(memcmp(one->key_id, other->key_id, KEY_ID_SIZE), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(one->digest, other->digest, 32), 0);
	certificate_unref(one);
	certificate_unref(other);
	X509_free(again.certificate);
	test_identity_free(web);
}

static void
test_mismatch(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	struct test_identity *other = test_leaf("p256", "web.example", NULL);
	struct test_identity *rsa = test_leaf("rsa2048", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *other_key = test_pem_key(other, NULL);
	AUTO_FREE char *rsa_key = test_pem_key(rsa, NULL);
	AUTO_FREE char *both = mem_format("%s%s", certificate, other_key);
	struct attempt attempt = attempt_new();

	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, other_key);
	expect_refused(&attempt, "the private key in /test/web.key does not "
				 "match a certificate in /test/web.pem");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, rsa_key);
	expect_refused(&attempt, "the private key in /test/web.key does not "
				 "match a certificate in /test/web.pem");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, both);
	expect_refused(&attempt, "/test/web.pem: its private key does not "
				 "match a certificate in it");
	test_identity_free(web);
	test_identity_free(other);
	test_identity_free(rsa);
}

static void
test_lacking(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, NULL);
	AUTO_FREE char *cut = mem_strndup(certificate, 200);
	AUTO_FREE char *spoilt = mem_strdup(certificate);
	struct attempt attempt = attempt_new();

	expect_refused(&attempt,
		       "cannot read /test/web.pem: No such file or directory");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, "");
	expect_refused(&attempt, "/test/web.pem: it is empty");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, "certificate");
	expect_refused(&attempt, "/test/web.pem: it is neither PEM nor DER nor "
				 "PKCS#12, or damaged");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, key);
	expect_refused(&attempt,
		       "/test/web.pem: there is no certificate in it");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, certificate);
	expect_refused(&attempt,
		       "/test/web.pem: there is no private key in it, and "
		       "no other file is named for it");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, certificate);
	expect_refused(&attempt,
		       "/test/web.key: there is no private key in it");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, "");
	expect_refused(&attempt, "/test/web.key: it is empty");

	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, cut);
	expect_refused(&attempt,
		       "/test/web.pem: it is damaged before line 4: the PEM "
		       "block cannot be decoded");

	spoilt[100] = spoilt[100] == 'A' ? 'B' : 'A';
	memcpy(strchr(spoilt, '\n') + 1, "AAAA", 4);
	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, spoilt);
	CU_ASSERT_EQUAL(attempt_load(&attempt), 0);
	CU_ASSERT_EQUAL_FATAL(attempt.problems.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(attempt.problems.errors[0].text,
				      "the certificate cannot be decoded"));
	attempt_clear(&attempt);

	attempt = attempt_new();
	attempt.spec.source = CERTIFICATE_INLINE;
	attempt.spec.path = certificate;
	expect_refused(&attempt, "inline PEM: there is no private key in it, "
				 "and no other file is named for it");

	attempt = attempt_new();
	attempt.spec.source = CERTIFICATE_DIRECTORY;
	attempt_text(&attempt, certificate_name, certificate);
	expect_refused(&attempt, "/test/web.pem is a file, not a directory");
	test_identity_free(web);
}

/* Being expired, or not valid yet, is told by the fields, not by a refusal. */
static void
test_validity(void)
{
	struct test_identity *web;
	struct certificate *loaded;

	clock_shift(-100 * DAY_MS);
	web = test_leaf("p256", "old.example", NULL);
	clock_shift(0);
	loaded = test_certificate(web);
	CU_ASSERT_TRUE(loaded->not_after_ms < clock_real_ms());
	certificate_unref(loaded);
	test_identity_free(web);

	clock_shift(100 * DAY_MS);
	web = test_leaf("p256", "new.example", NULL);
	clock_shift(0);
	loaded = test_certificate(web);
	CU_ASSERT_TRUE(loaded->not_before_ms > clock_real_ms());
	certificate_unref(loaded);
	test_identity_free(web);
}

/* A renewed certificate of the same key behind the old one: the valid one is
 * the leaf, and the old one is foreign. */
static void
test_renewed(void)
{
	struct test_identity *old, renewed = {0};
	const char *name = "web.example";
	struct certificate_request request = {
		.names = &name, .name_count = 1, .days = 30};
	AUTO_FREE char *first = NULL, *second = NULL, *key = NULL, *all = NULL;
	struct attempt attempt = attempt_new();

	clock_shift(-100 * DAY_MS);
	old = test_leaf("p256", name, NULL);
	clock_shift(0);
	renewed.key = old->key;
	renewed.certificate =
		certificate_create(&request, old->key, NULL, NULL, NULL);
	first = test_pem_certificate(old);
	second = test_pem_certificate(&renewed);
	key = test_pem_key(old, NULL);
	all = mem_format("%s%s%s", first, second, key);
	attempt_text(&attempt, certificate_name, all);
	expect_loaded(&attempt, &renewed);
	X509_free(renewed.certificate);
	test_identity_free(old);
}

/* Two pairs in one file are two certificates. */
static void
test_two_pairs(void)
{
	struct test_identity *rsa = test_leaf("rsa2048", "web.example", NULL);
	struct test_identity *ecdsa = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *one = test_pem_certificate(rsa);
	AUTO_FREE char *one_key = test_pem_key(rsa, NULL);
	AUTO_FREE char *other = test_pem_certificate(ecdsa);
	AUTO_FREE char *other_key = test_pem_key(ecdsa, NULL);
	AUTO_FREE char *all =
		mem_format("%s%s%s%s", one, one_key, other, other_key);
	struct attempt attempt = attempt_new();

	attempt_text(&attempt, certificate_name, all);
	CU_ASSERT_EQUAL(attempt_load(&attempt), 2);
	CU_ASSERT_EQUAL(attempt.problems.count, 0);
	if (attempt.list.count == 2) {
		CU_ASSERT_EQUAL(attempt.list.certificates[0]->type,
				CERTIFICATE_RSA);
		CU_ASSERT_EQUAL(attempt.list.certificates[1]->type,
				CERTIFICATE_ECDSA);
	}
	attempt_clear(&attempt);
	test_identity_free(rsa);
	test_identity_free(ecdsa);
}

/* It was made where files are opened, and is found under its names. */
static void
test_self_signed(void)
{
	static const char *const names[] = {"localhost", "127.0.0.1"};
	char name[] = "self_signed:localhost,127.0.0.1";
	struct attempt attempt = attempt_new();
	AUTO_BLOB struct blob pem = {0};
	const struct certificate *loaded;
	unsigned char digest[32];

	CU_ASSERT_EQUAL_FATAL(certificate_create_self_signed(
				      names, ARRAY_SIZE(names), &pem, NULL),
			      0);
	attempt_bytes(&attempt, name, pem.bytes, pem.length);
	attempt.spec.source = CERTIFICATE_SELF_SIGNED;
	attempt.spec.path = name;
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL_FATAL(attempt_load(&attempt), 1);
		loaded = attempt.list.certificates[0];
		CU_ASSERT_TRUE(loaded->is_self_issued);
		CU_ASSERT_FALSE(loaded->is_chain_repaired);
		CU_ASSERT_STRING_EQUAL(loaded->source, name);
		CU_ASSERT_EQUAL(loaded->name_count, 1);
		CU_ASSERT_STRING_EQUAL(loaded->names[0], "localhost");
		if (i > 0)
			CU_ASSERT_EQUAL(
				memcmp(digest, loaded->digest, sizeof(digest)),
				0);
		memcpy(digest, loaded->digest, sizeof(digest));
		certificate_list_clear(&attempt.list);
	}
	attempt_clear(&attempt);

	attempt = attempt_new();
	attempt.spec.source = CERTIFICATE_SELF_SIGNED;
	attempt.spec.path = name;
	expect_refused(&attempt,
		       "cannot read self_signed:localhost,127.0.0.1: No such "
		       "file or directory");
}

static void
test_store(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, "secret");
	AUTO_FREE char *both = mem_format("%s%s", certificate, key);
	char *directory = test_directory();
	const char *path = test_directory_write(directory, "store.pem", both,
						strlen(both));
	AUTO_FREE char *uri = mem_format("file:%s", path);
	AUTO_FREE char *sentence =
		mem_format("%s: there is no private key in the store: it is "
			   "encrypted, and no pass-phrase is given",
			   uri);
	char pkcs11[] = "pkcs11:object=web?pin-value=1234";
	struct attempt attempt = attempt_new();

	attempt.spec.source = CERTIFICATE_STORE;
	attempt.spec.path = uri;
	attempt_text(&attempt, passphrase_name, "secret\n");
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt.spec.source = CERTIFICATE_STORE;
	attempt.spec.path = uri;
	expect_refused(&attempt, sentence);

	/* The PIN stays out of the sentence, whatever a library says. */
	attempt = attempt_new();
	attempt.spec.source = CERTIFICATE_STORE;
	attempt.spec.path = pkcs11;
	CU_ASSERT_EQUAL(attempt_load(&attempt), 0);
	CU_ASSERT_EQUAL_FATAL(attempt.problems.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(attempt.problems.errors[0].text,
				      "pkcs11:object=web: the store cannot be "
				      "opened"));
	CU_ASSERT_PTR_NULL(strstr(attempt.problems.errors[0].text, "1234"));
	attempt_clear(&attempt);
	test_directory_remove(directory);
	test_identity_free(web);
}

static void
test_references(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	struct certificate *loaded = test_certificate(web);
	struct certificate_list list = {0};

	for (int i = 0; i < 9; i++)
		certificate_list_add(&list, certificate_ref(loaded));
	CU_ASSERT_EQUAL(list.count, 9);
	CU_ASSERT_EQUAL(loaded->references, 10);
	certificate_list_clear(&list);
	CU_ASSERT_EQUAL(list.count, 0);
	CU_ASSERT_PTR_NULL(list.certificates);
	CU_ASSERT_EQUAL(loaded->references, 1);
	certificate_unref(loaded);
	certificate_unref(NULL);
	test_identity_free(web);
}

UNIT_SUITE(certificate, {"pem", test_pem},
	   {"carriage_returns", test_carriage_returns}, {"fields", test_fields},
	   {"types", test_types}, {"key_id", test_key_id},
	   {"mismatch", test_mismatch}, {"lacking", test_lacking},
	   {"validity", test_validity}, {"renewed", test_renewed},
	   {"two_pairs", test_two_pairs}, {"self_signed", test_self_signed},
	   {"store", test_store}, {"references", test_references});
