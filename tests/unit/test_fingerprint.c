/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fingerprints: the manual's spellings (SSL_fingerprint), and what is none.
 */
#include "common/verify/fingerprint.h"

#include <ctype.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define MD5    "00112233445566778899aabbccddeeff"
#define SHA1   MD5 "01234567"
#define SHA224 MD5 "000102030405060708090a0b"
#define SHA256 MD5 MD5
#define SHA384 SHA256 MD5
#define SHA512 SHA256 SHA256

static void
test_parse(void)
{
	static const struct {
		const char *text;
		const char *formatted;
	} cases[] = {
		{"sha256$" SHA256, "sha256$" SHA256},
		{"SHA256$" SHA256, "sha256$" SHA256},
		{"sha2-256$" SHA256, "sha256$" SHA256},
		{"sha-256$" SHA256, "sha256$" SHA256},
		{"sha256$pub$" SHA256, "sha256$pub$" SHA256},
		{"sha256$PUB$" SHA256, "sha256$pub$" SHA256},
		{"sha1$" SHA1, "sha1$" SHA1},
		{"md5$" MD5, "md5$" MD5},
		{"sha384$" SHA384, "sha384$" SHA384},
		{"sha512$pub$" SHA512, "sha512$pub$" SHA512},
		{"sha512-256$" SHA256, "sha512-256$" SHA256},
		{"sha3-256$" SHA256, "sha3-256$" SHA256},
		{"SHA3-512$" SHA512, "sha3-512$" SHA512},
		{"blake2b512$" SHA512, "blake2b512$" SHA512},
		{"BLAKE2s256$" SHA256, "blake2s256$" SHA256},
		{"sm3$" SHA256, "sm3$" SHA256},
		/* Bare: the length tells the digest. */
		{MD5, "md5$" MD5},
		{SHA1, "sha1$" SHA1},
		{SHA224, "sha224$" SHA224},
		{SHA256, "sha256$" SHA256},
		{SHA384, "sha384$" SHA384},
		{SHA512, "sha512$" SHA512},
		/* Colons and capitals do not count. */
		{"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", "md5$" MD5},
		{"md5$:0:011:2233445566778899AabbCCddeeff::", "md5$" MD5},
		{"sha256$pub$00112233445566778899AABBCCDDEEFF:" MD5,
		 "sha256$pub$" SHA256},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[FINGERPRINT_TEXT_SIZE];
		struct fingerprint found, again;
		struct error error = {0};

		if (fingerprint_parse(cases[i].text, &found, &error) != 0) {
			CU_FAIL("refused");
			printf("%s: %s\n", cases[i].text, error.text);
			continue;
		}
		fingerprint_format(&found, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(text, cases[i].formatted);
		CU_ASSERT(fingerprint_parse(text, &again, NULL) == 0);
		CU_ASSERT(memcmp(&found, &again, sizeof(found)) == 0);
	}
	CU_ASSERT(ERR_peek_error() == 0);
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *said;
	} cases[] = {
		{"", "no digits"},
		{":::", "no digits"},
		{"sha256$", "no digits"},
		{"sha256$pub$", "no digits"},
		{"$", "no digits"},
		{"$" SHA256, "no digest \"\""},
		{"pub$" SHA256, "in front: sha256$pub$"},
		{"PUB$" SHA256, "in front: sha256$pub$"},
		{"sha257$" SHA256, "no digest \"sha257\""},
		{"sha256 $" SHA256, "no digest \"sha256 \""},
		{"sha256:pub$" SHA256, "no digest \"sha256:pub\""},
		{"sha\x01$" SHA256, "no digest \"sha\\x01\""},
		{"aes-128-cbc$" SHA256, "no digest"},
		{"null$00", "no digest"},
		/* No length of their own. */
		{"shake128$" MD5, "no digest \"shake128\""},
		{"shake256$" SHA256, "no digest \"shake256\""},
		{"sha256$" MD5, "16 bytes, but sha256 makes 32"},
		{"sha1$" SHA256, "32 bytes, but sha1 makes 20"},
		{"sha256$00" SHA256, "33 bytes, but sha256 makes 32"},
		{"sha256$" SHA256 "0", "odd number"},
		{"0" MD5, "odd number"},
		{"00" MD5, "length of 17 bytes"},
		{"00", "length of 1 bytes"},
		{SHA512 "00", "more than 64 bytes"},
		{"sha256$" SHA512 "00", "more than 64 bytes"},
		{"sha256$" MD5 " " MD5, "in hexadecimal"},
		{" " SHA256, "in hexadecimal"},
		{SHA256 "\n", "\\x0a"},
		{"0x" SHA256, "and x is no digit"},
		{"g" SHA256, "and g is no digit"},
		{"sha256$priv$" SHA256, "and p is no digit"},
		{"sha256$pub$pub$" SHA256, "and p is no digit"},
		{"sha256$$" SHA256, "and $ is no digit"},
		{"sha256//9yJ5S+Vu6zSbdPhzAXl/zA==", "and s is no digit"},
		{"sha256 Fingerprint=AA:BB", "and s is no digit"},
		{"sha1$" SHA1 ",sha1$" SHA1, "and , is no digit"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fingerprint found = {.digest = "untouched"};
		struct error error = {0};

		CU_ASSERT(fingerprint_parse(cases[i].text, &found, &error) ==
			  -1);
		CU_ASSERT_STRING_EQUAL(found.digest, "untouched");
		if (!strstr(error.text, cases[i].said)) {
			CU_FAIL("another sentence");
			printf("%s: %s\n", cases[i].text, error.text);
		}
	}
	CU_ASSERT(ERR_peek_error() == 0);
}

static void
test_make(void)
{
	struct test_identity *leaf = test_leaf("p256", "web.example", NULL);
	unsigned char bytes[EVP_MAX_MD_SIZE];
	struct fingerprint made;
	struct error error = {0};
	unsigned int length;

	CU_ASSERT(fingerprint_make(leaf->certificate, "sha256", false, &made,
				   &error) == 0);
	CU_ASSERT(X509_digest(leaf->certificate, EVP_sha256(), bytes, &length));
	CU_ASSERT(made.length == length && !made.is_of_key);
	CU_ASSERT(memcmp(made.bytes, bytes, length) == 0);
	CU_ASSERT_STRING_EQUAL(made.digest, "sha256");

	CU_ASSERT(fingerprint_make(leaf->certificate, "SHA3-384", true, &made,
				   &error) == 0);
	CU_ASSERT(X509_pubkey_digest(leaf->certificate, EVP_sha3_384(), bytes,
				     &length));
	CU_ASSERT(made.length == length && made.is_of_key);
	CU_ASSERT(memcmp(made.bytes, bytes, length) == 0);
	CU_ASSERT_STRING_EQUAL(made.digest, "sha3-384");

	CU_ASSERT(fingerprint_is_digest("SHA3-384"));
	CU_ASSERT(!fingerprint_is_digest("sha257"));
	CU_ASSERT(!fingerprint_is_digest("shake256"));
	CU_ASSERT(!fingerprint_is_digest(""));
	CU_ASSERT(fingerprint_make(leaf->certificate, "shake128", false, &made,
				   &error) == -1);
	CU_ASSERT(strstr(error.text, "shake128") != NULL);
	CU_ASSERT(fingerprint_make(leaf->certificate, "", false, &made,
				   &error) == -1);
	CU_ASSERT(ERR_peek_error() == 0);
	test_identity_free(leaf);
}

static int
find(const struct fingerprint *list, size_t count, const X509 *certificate)
{
	struct fingerprint_set *set = fingerprint_set_new(list, count, NULL);
	int found;

	CU_ASSERT_FATAL(set != NULL);
	found = fingerprint_set_find(set, certificate);
	fingerprint_set_free(set);
	return found;
}

static struct fingerprint
pin(const X509 *certificate, const char *digest, bool is_of_key)
{
	struct fingerprint made = {0};

	CU_ASSERT(fingerprint_make(certificate, digest, is_of_key, &made,
				   NULL) == 0);
	return made;
}

static void
test_find(void)
{
	struct test_identity *one = test_leaf("p256", "one.example", NULL);
	struct test_identity *two = test_leaf("rsa2048", "two.example", NULL);
	struct fingerprint list[] = {
		pin(two->certificate, "sha256", false),
		pin(two->certificate, "sha1", true),
		pin(one->certificate, "sha512", true),
		pin(two->certificate, "sha256", true),
		pin(one->certificate, "sha256", false),
	};

	CU_ASSERT(find(list, 0, one->certificate) == -1);
	CU_ASSERT(find(list, 1, one->certificate) == -1);
	CU_ASSERT(find(list, 1, two->certificate) == 0);
	CU_ASSERT(find(list + 1, 1, two->certificate) == 0);
	CU_ASSERT(find(list, 2, one->certificate) == -1);
	CU_ASSERT(find(list, 3, one->certificate) == 2);
	CU_ASSERT(find(list + 3, 2, one->certificate) == 1);
	CU_ASSERT(find(list, 5, one->certificate) >= 0);
	CU_ASSERT(find(list, 5, two->certificate) >= 0);
	/* A pin of the one kind is none of the other. */
	list[0].is_of_key = true;
	list[3].is_of_key = false;
	CU_ASSERT(find(list, 1, two->certificate) == -1);
	CU_ASSERT(find(list + 3, 1, two->certificate) == -1);
	/* Nor one that is nearly the right one. */
	list[4].bytes[31] ^= 1;
	CU_ASSERT(find(list + 4, 1, one->certificate) == -1);
	list[4].bytes[31] ^= 1;
	list[4].bytes[0] ^= 0x80;
	CU_ASSERT(find(list + 4, 1, one->certificate) == -1);
	test_identity_free(one);
	test_identity_free(two);
}

static void
test_set_refused(void)
{
	struct fingerprint unknown = {.digest = "sha257", .length = 32};
	struct fingerprint misfit = {.digest = "sha256", .length = 20};
	struct error error = {0};

	CU_ASSERT(fingerprint_set_new(&unknown, 1, &error) == NULL);
	CU_ASSERT(strstr(error.text, "sha257") != NULL);
	CU_ASSERT(fingerprint_set_new(&misfit, 1, &error) == NULL);
	fingerprint_set_free(NULL);
}

UNIT_SUITE(fingerprint, {"parse", test_parse}, {"refused", test_refused},
	   {"make", test_make}, {"find", test_find},
	   {"set_refused", test_set_refused});
