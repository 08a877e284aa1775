/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in some bytes, before anything is made of it; and what files share.
 */
#include "common/tls/certificate_parse.h"

#include <string.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_cache.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

static void
expect_none(const void *bytes, size_t length, const char *sentence)
{
	struct error error = {0};

	CU_ASSERT_PTR_NULL(certificate_parse_all(bytes, length, NULL, &error));
	CU_ASSERT_STRING_EQUAL(error.text, sentence);
	CU_ASSERT_PTR_NULL(certificate_parse_all(bytes, length, NULL, NULL));
}

static void
test_all_in_order(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *web = test_leaf("p256", "web.example", root);
	AUTO_FREE char *one = test_pem_certificate(root);
	AUTO_FREE char *other = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, "secret");
	AUTO_FREE char *all = mem_format("%s%s%s", one, key, other);
	STACK_OF(X509) *found =
		certificate_parse_all(all, strlen(all), NULL, NULL);

	CU_ASSERT_EQUAL_FATAL(sk_X509_num(found), 2);
	CU_ASSERT_EQUAL(X509_cmp(sk_X509_value(found, 0), root->certificate),
			0);
	CU_ASSERT_EQUAL(X509_cmp(sk_X509_value(found, 1), web->certificate), 0);
	sk_X509_pop_free(found, X509_free);
	test_identity_free(web);
	test_identity_free(root);
}

/* DER certificates one behind the other. */
static void
test_der_series(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	unsigned char *der = NULL;
	int length = i2d_X509(web->certificate, &der);
	AUTO_FREE unsigned char *twice = mem_alloc(2 * (size_t)length);
	AUTO_FREE char *sentence = NULL;
	STACK_OF(X509) *found;

	memcpy(twice, der, (size_t)length);
	memcpy(twice + length, der, (size_t)length);
	found = certificate_parse_all(twice, 2 * (size_t)length, NULL, NULL);
	CU_ASSERT_EQUAL(sk_X509_num(found), 2);
	sk_X509_pop_free(found, X509_free);
	sentence = mem_format("it is damaged: the DER at byte %d is no "
			      "certificate",
			      length);
	expect_none(twice, 2 * (size_t)length - 1, sentence);
	OPENSSL_free(der);
	test_identity_free(web);
}

static void
test_none(void)
{
	static const unsigned char der[] = {0x30, 0x03, 0x02, 0x01, 0x00};
	struct test_identity *web = test_leaf("ed25519", "x.example", NULL);
	AUTO_FREE char *key = test_pem_key(web, NULL);

	expect_none("", 0, "it is empty");
	expect_none("\xef\xbb\xbf", 3,
		    "it is neither PEM nor DER nor PKCS#12, or damaged");
	expect_none("words", 5,
		    "it is neither PEM nor DER nor PKCS#12, or damaged");
	expect_none("0", 1,
		    "it is neither PEM nor DER nor PKCS#12, or damaged");
	expect_none("0\x80", 2,
		    "it is neither PEM nor DER nor PKCS#12, or damaged");
	expect_none(der, sizeof(der), "there is no certificate in it");
	expect_none(key, strlen(key), "there is no certificate in it");
	test_identity_free(web);
}

static void
test_damaged_pem(void)
{
	static const char *const texts[] = {
		"",
		"MIIB\n",
		"MIIB\n-----END X-----\n",
		"!!!!\n-----END CERTIFICATE-----\n",
		"\n-----END CERTIFICATE-----\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_FREE char *text =
			mem_format("-----BEGIN CERTIFICATE-----\n%s", texts[i]);
		struct error error = {0};

		CU_ASSERT_PTR_NULL(certificate_parse_all(text, strlen(text),
							 NULL, &error));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(error.text, "it is damaged before line "));
	}
}

/* A box of certificates alone, as trust stores are. */
static void
test_pkcs12(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	STACK_OF(X509) *others = sk_X509_new_null(), *found;
	struct error error = {0};
	unsigned char *bytes = NULL;
	PKCS12 *box;
	int length;

	sk_X509_push(others, root->certificate);
	box = PKCS12_create("secret", NULL, NULL, NULL, others, 0, 0, 1, 1, 0);
	length = i2d_PKCS12(box, &bytes);
	found = certificate_parse_all(bytes, (size_t)length, "secret", NULL);
	CU_ASSERT_EQUAL(sk_X509_num(found), 1);
	sk_X509_pop_free(found, X509_free);
	CU_ASSERT_PTR_NULL(
		certificate_parse_all(bytes, (size_t)length, NULL, &error));
	CU_ASSERT_STRING_EQUAL(error.text, "it is encrypted, and no "
					   "pass-phrase is given");
	OPENSSL_free(bytes);
	PKCS12_free(box);
	sk_X509_free(others);
	test_identity_free(root);
}

/* Keys are counted without being decoded. */
static void
test_keys(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *key = test_pem_key(web, "secret");
	struct certificate_content content;
	struct error error = {0};
	EVP_PKEY *decoded;

	CU_ASSERT_EQUAL(certificate_content_parse(key, strlen(key), NULL, NULL,
						  &content, &error),
			0);
	CU_ASSERT_EQUAL(content.form, CERTIFICATE_FORM_PEM);
	CU_ASSERT_EQUAL_FATAL(certificate_content_key_count(&content), 1);
	CU_ASSERT_PTR_NULL(certificate_content_key(&content, 0, NULL, &error));
	CU_ASSERT_STRING_EQUAL(error.text, "its private key is encrypted, and "
					   "no pass-phrase is given");
	/* A failure leaves the key as it was. */
	decoded = certificate_content_key(&content, 0, "secret", &error);
	CU_ASSERT_EQUAL(EVP_PKEY_eq(decoded, web->key), 1);
	EVP_PKEY_free(decoded);
	certificate_content_clear(&content);
	test_identity_free(web);
}

static void
test_cache(void)
{
	struct certificate_cache *cache = certificate_cache_new();
	struct test_identity *one = test_ca("One", NULL);
	struct test_identity *other = test_ca("Other", NULL);
	unsigned char *one_der = NULL, *other_der = NULL;
	int one_length = i2d_X509(one->certificate, &one_der);
	int other_length = i2d_X509(other->certificate, &other_der);
	X509 *first = certificate_cache_decode(cache, one_der, one_length);
	X509 *second = certificate_cache_decode(cache, other_der, other_length);
	X509 *again = certificate_cache_decode(cache, one_der, one_length);

	CU_ASSERT_EQUAL(X509_cmp(first, one->certificate), 0);
	CU_ASSERT_EQUAL(X509_cmp(second, other->certificate), 0);
	CU_ASSERT_PTR_EQUAL(first, again);
	CU_ASSERT_PTR_NULL(
		certificate_cache_decode(cache, one_der, one_length - 1));
	certificate_cache_free(cache);
	certificate_cache_free(NULL);
	CU_ASSERT_EQUAL(X509_cmp(again, one->certificate), 0);
	X509_free(first);
	X509_free(second);
	X509_free(again);
	OPENSSL_free(one_der);
	OPENSSL_free(other_der);
	test_identity_free(one);
	test_identity_free(other);
}

/* More than it holds: the rest is decoded all the same. */
static void
test_full_cache(void)
{
	struct certificate_cache *cache = certificate_cache_new();
	struct test_identity *base = test_leaf("ed25519", "x.example", NULL);

	for (int i = 0; i < 600; i++) {
		X509 *copy = X509_dup(base->certificate), *decoded;
		unsigned char *der = NULL;
		int length;

		ASN1_INTEGER_set(X509_get_serialNumber(copy), i + 1);
		X509_sign(copy, base->key, NULL);
		length = i2d_X509(copy, &der);
		decoded = certificate_cache_decode(cache, der, length);
		CU_ASSERT_EQUAL(X509_cmp(copy, decoded), 0);
		X509_free(decoded);
		OPENSSL_free(der);
		X509_free(copy);
	}
	certificate_cache_free(cache);
	test_identity_free(base);
}

UNIT_SUITE(certificate_parse, {"all_in_order", test_all_in_order},
	   {"der_series", test_der_series}, {"none", test_none},
	   {"damaged_pem", test_damaged_pem}, {"pkcs12", test_pkcs12},
	   {"keys", test_keys}, {"cache", test_cache},
	   {"full_cache", test_full_cache});
