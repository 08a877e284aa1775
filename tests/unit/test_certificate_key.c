/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys in every form, right, wrong and missing pass-phrases, PKCS#12, and the
 * kinds of keys that are refused.
 */
#include "common/tls/certificate_key.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/tls_settings.h"
#include "tests/lib/certificate_attempt.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

static size_t
der_certificate(const struct test_identity *identity, unsigned char **bytes)
{
	*bytes = NULL;
	return (size_t)i2d_X509(identity->certificate, bytes);
}

static void
test_der(void)
{
	struct test_identity *web = test_leaf("rsa2048", "web.example", NULL);
	AUTO_OPENSSL(pkcs8)
	PKCS8_PRIV_KEY_INFO *pkcs8 = EVP_PKEY2PKCS8(web->key);
	unsigned char *certificate, *traditional = NULL, *plain = NULL;
	size_t length = der_certificate(web, &certificate);
	int traditional_length = i2d_PrivateKey(web->key, &traditional);
	int plain_length = i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &plain);
	struct attempt attempt = attempt_new();

	attempt_bytes(&attempt, certificate_name, certificate, length);
	attempt_bytes(&attempt, key_name, traditional,
		      (size_t)traditional_length);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_bytes(&attempt, certificate_name, certificate, length);
	attempt_bytes(&attempt, key_name, plain, (size_t)plain_length);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_bytes(&attempt, certificate_name, certificate, length - 1);
	expect_refused(&attempt, "/test/web.pem: it is neither PEM nor DER nor "
				 "PKCS#12, or damaged");

	certificate[10] = V_ASN1_NULL; /* where the version was */
	attempt = attempt_new();
	attempt_bytes(&attempt, certificate_name, certificate, length);
	expect_refused(&attempt, "/test/web.pem: it is damaged: the DER at "
				 "byte 0 is no certificate");

	OPENSSL_free(certificate);
	OPENSSL_free(traditional);
	OPENSSL_free(plain);
	test_identity_free(web);
}

/* In PEM, PKCS#8 and the traditional form; right, wrong and no pass-phrase. */
static void
test_encrypted_keys(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *pkcs8 = test_pem_key(web, "open sesame");
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());
	AUTO_FREE char *traditional = NULL;
	char *text;
	long length;

	PEM_write_bio_PrivateKey_traditional(
		out, web->key, EVP_aes_128_cbc(),
		(const unsigned char *)"open sesame", 11, NULL, NULL);
	length = BIO_get_mem_data(out, &text);
	traditional = mem_strndup(text, (size_t)length);
	CU_ASSERT_PTR_NOT_NULL(strstr(traditional, "Proc-Type: 4,ENCRYPTED"));

	for (int i = 0; i < 2; i++) {
		const char *key = i == 0 ? pkcs8 : traditional;
		static const char *const endings[] = {"", "\n", "\r\n"};
		struct attempt attempt;

		for (size_t j = 0; j < ARRAY_SIZE(endings); j++) {
			AUTO_FREE char *right =
				mem_format("open sesame%s", endings[j]);

			attempt = attempt_new();
			attempt_text(&attempt, certificate_name, certificate);
			attempt_text(&attempt, key_name, key);
			attempt_text(&attempt, passphrase_name, right);
			expect_loaded(&attempt, web);
		}

		attempt = attempt_new();
		attempt_text(&attempt, certificate_name, certificate);
		attempt_text(&attempt, key_name, key);
		attempt_text(&attempt, passphrase_name, "open wheat\n");
		expect_refused(&attempt,
			       "/test/web.key: its private key cannot be "
			       "decrypted: the pass-phrase is wrong, or the "
			       "file is damaged");

		attempt = attempt_new();
		attempt_text(&attempt, certificate_name, certificate);
		attempt_text(&attempt, key_name, key);
		expect_refused(&attempt,
			       "/test/web.key: its private key is encrypted, "
			       "and no pass-phrase is given");
	}
	test_identity_free(web);
}

/* Only one newline goes; a pass-phrase may end in one itself. */
static void
test_passphrase(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, "a\n");
	AUTO_FREE char *plain = test_pem_key(web, NULL);
	AUTO_FREE char *long_one = mem_alloc(1026);
	struct attempt attempt = attempt_new();

	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, key);
	attempt_text(&attempt, passphrase_name, "a\n\n");
	expect_loaded(&attempt, web);

	/* Not needed is not wrong. */
	attempt = attempt_new();
	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, plain);
	attempt_text(&attempt, passphrase_name, "whatever");
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	attempt_bytes(&attempt, passphrase_name, "a\0b", 3);
	expect_refused(&attempt, "passphrase: there is a NUL byte in it");

	memset(long_one, 'x', 1025);
	attempt = attempt_new();
	attempt_text(&attempt, passphrase_name, long_one);
	expect_refused(&attempt, "passphrase: it is longer than 1024 bytes");

	attempt = attempt_new();
	attempt.spec.passphrase.kind = SECRET_ENVIRONMENT;
	attempt.spec.passphrase.name = passphrase_name;
	expect_refused(&attempt, "passphrase: cannot read env:PASS: No such "
				 "file or directory");
	test_identity_free(web);
}

/* The longest pass-phrase that is allowed opens every form. */
static void
test_longest_passphrase(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *passphrase = mem_alloc(1025);
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());
	struct attempt attempt = attempt_new();
	char *text;
	long length;

	memset(passphrase, 'x', 1024);
	PEM_write_bio_PrivateKey_traditional(out, web->key, EVP_aes_128_cbc(),
					     (const unsigned char *)passphrase,
					     1024, NULL, NULL);
	length = BIO_get_mem_data(out, &text);
	attempt_text(&attempt, certificate_name, certificate);
	attempt_bytes(&attempt, key_name, text, (size_t)length);
	attempt_text(&attempt, passphrase_name, passphrase);
	expect_loaded(&attempt, web);
	test_identity_free(web);
}

static void
add_pkcs12(struct attempt *attempt, const struct test_identity *identity,
	   const char *passphrase, int key_cipher, int certificate_cipher,
	   int mac_rounds)
{
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *others = sk_X509_new_null();
	AUTO_OPENSSL(pkcs12) PKCS12 *box = NULL;
	unsigned char *bytes = NULL;
	int length;

	X509_add_cert(others, identity->issuer->certificate,
		      X509_ADD_FLAG_UP_REF);
	box = PKCS12_create(passphrase, "web", identity->key,
			    identity->certificate, others, key_cipher,
			    certificate_cipher, 1, mac_rounds, 0);
	length = i2d_PKCS12(box, &bytes);
	CU_ASSERT_FATAL(length > 0);
	attempt->spec.source = CERTIFICATE_PKCS12;
	attempt_bytes(attempt, certificate_name, bytes, (size_t)length);
	OPENSSL_free(bytes);
}

static void
test_pkcs12(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *middle = test_ca("Middle", root);
	struct test_identity *web = test_leaf("p256", "web.example", middle);
	struct attempt attempt = attempt_new();

	add_pkcs12(&attempt, web, "secret", 0, 0, 1);
	attempt_text(&attempt, passphrase_name, "secret\n");
	CU_ASSERT_EQUAL(attempt_load(&attempt), 1);
	if (attempt.list.count == 1) {
		const struct certificate *loaded = attempt.list.certificates[0];

		CU_ASSERT_EQUAL(sk_X509_num(loaded->chain), 1);
		CU_ASSERT_FALSE(loaded->is_chain_repaired);
		CU_ASSERT_STRING_EQUAL(loaded->source, certificate_name);
	}
	attempt_clear(&attempt);

	attempt = attempt_new();
	add_pkcs12(&attempt, web, "secret", 0, 0, 1);
	attempt_text(&attempt, passphrase_name, "Secret");
	expect_refused(&attempt,
		       "/test/web.pem: it cannot be decrypted: the "
		       "pass-phrase is wrong, or the file is damaged");

	attempt = attempt_new();
	add_pkcs12(&attempt, web, "secret", 0, 0, 1);
	expect_refused(&attempt, "/test/web.pem: it is encrypted, and no "
				 "pass-phrase is given");

	test_identity_free(web);
	test_identity_free(middle);
	test_identity_free(root);
}

/* Nobody's pass-phrase is written in two ways, and a MAC may be missing. */
static void
test_pkcs12_open(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *web = test_leaf("p256", "web.example", root);
	struct attempt attempt = attempt_new();

	add_pkcs12(&attempt, web, "", 0, 0, 1);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	add_pkcs12(&attempt, web, NULL, 0, 0, 1);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	add_pkcs12(&attempt, web, "", 0, 0, 1);
	attempt_text(&attempt, passphrase_name, "not needed");
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	add_pkcs12(&attempt, web, NULL, -1, -1, -1);
	expect_loaded(&attempt, web);

	attempt = attempt_new();
	add_pkcs12(&attempt, web, "secret", 0, 0, -1);
	attempt_text(&attempt, passphrase_name, "secret");
	expect_loaded(&attempt, web);

	test_identity_free(web);
	test_identity_free(root);
}

static void
expect_key_refused(EVP_PKEY *key, const char *sentence)
{
	enum certificate_type type;
	struct error error = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	CU_ASSERT_EQUAL(certificate_key_type(key, &type, &error), -1);
	CU_ASSERT_STRING_EQUAL(error.text, sentence);
	EVP_PKEY_free(key);
}

static EVP_PKEY *
explicit_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *decoded;
	unsigned char *bytes = NULL;
	const unsigned char *at;
	int length;

	EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
				       OSSL_PKEY_EC_ENCODING_EXPLICIT);
	length = i2d_PUBKEY(key, &bytes);
	at = bytes;
	decoded = d2i_PUBKEY(NULL, &at, length);
	OPENSSL_free(bytes);
	EVP_PKEY_free(key);
	return decoded;
}

static void
test_refused_keys(void)
{
	expect_key_refused(EVP_RSA_gen(1024),
			   "an RSA key of 1024 bits is too small: 2048 are the "
			   "least");
	expect_key_refused(EVP_EC_gen("secp256k1"),
			   "the curve secp256k1 is none for TLS; P-256, P-384 "
			   "and P-521 are");
	expect_key_refused(EVP_EC_gen("P-224"),
			   "the curve secp224r1 is none for TLS; P-256, P-384 "
			   "and P-521 are");
	expect_key_refused(explicit_key(),
			   "a curve with explicit parameters is refused; "
			   "P-256, P-384 and P-521, by name, are not");
	expect_key_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
			   "a key of the kind X25519 cannot be used; RSA, "
			   "ECDSA, Ed25519 and Ed448 can");
}

/* A public RSA key of 8200 bits takes no time to make: nothing is asked of
 * its number. */
static void
test_huge_key(void)
{
	AUTO_OPENSSL(evp_pkey_ctx)
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	unsigned char number[1025];
	unsigned int exponent = 65537;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, number, sizeof(number)),
		OSSL_PARAM_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
		OSSL_PARAM_END,
	};
	EVP_PKEY *key = NULL;

	memset(number, 0xff, sizeof(number));
	EVP_PKEY_fromdata_init(maker);
	EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parameters);
	expect_key_refused(key, "an RSA key of 8200 bits is too large: 8192 "
				"are the most");
}

/* A weak key in a file is refused with the file's name. */
static void
test_weak_file(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	struct test_identity weak = {
		.key = EVP_EC_gen("P-224"),
		.certificate = X509_dup(web->certificate),
	};
	AUTO_FREE char *certificate = NULL, *key = NULL, *both = NULL;
	struct attempt attempt = attempt_new();

	X509_set_pubkey(weak.certificate, weak.key);
	X509_sign(weak.certificate, weak.key, EVP_sha256());
	certificate = test_pem_certificate(&weak);
	key = test_pem_key(&weak, NULL);
	both = mem_format("%s%s", certificate, key);
	attempt_text(&attempt, certificate_name, both);
	expect_refused(&attempt, "/test/web.pem: the curve secp224r1 is none "
				 "for TLS; P-256, P-384 and P-521 are");
	X509_free(weak.certificate);
	EVP_PKEY_free(weak.key);
	test_identity_free(web);
}

static void
test_too_many_keys(void)
{
	struct test_identity *web = test_leaf("ed25519", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, NULL);
	AUTO_FREE char *all =
		mem_format("%s%s%s%s%s%s%s%s%s%s", certificate, key, key, key,
			   key, key, key, key, key, key);
	struct attempt attempt = attempt_new();

	attempt_text(&attempt, certificate_name, all);
	CU_ASSERT_EQUAL(attempt_load(&attempt), 0);
	CU_ASSERT_EQUAL_FATAL(attempt.problems.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(attempt.problems.errors[0].text,
				      "more than 8 private keys are in it"));
	attempt_clear(&attempt);
	test_identity_free(web);
}

UNIT_SUITE(certificate_key, {"der", test_der},
	   {"encrypted_keys", test_encrypted_keys},
	   {"passphrase", test_passphrase},
	   {"longest_passphrase", test_longest_passphrase},
	   {"pkcs12", test_pkcs12}, {"pkcs12_open", test_pkcs12_open},
	   {"refused_keys", test_refused_keys}, {"huge_key", test_huge_key},
	   {"weak_file", test_weak_file},
	   {"too_many_keys", test_too_many_keys});
