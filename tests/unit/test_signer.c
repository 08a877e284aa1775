/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signer: each form with each scheme it may have, checked with the public
 * key; and everything that is nearly a form.
 */
#include "common/tls/signer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "common/tls/signature_scheme.h"
#include "tests/lib/sign_text.h"
#include "tests/unit/unit.h"

#define SERVER (KEY_USE_SERVER | KEY_USE_DHE)
#define CLIENT KEY_USE_CLIENT

/* Keys are made once, RSA is slow, and kept until the program ends. */
enum key_index {
	KEY_RSA,
	KEY_RSA_PSS,
	KEY_P256,
	KEY_P384,
	KEY_P521,
	KEY_ED25519,
	KEY_ED448,
	KEY_COUNT,
};

static const char *const key_kinds[KEY_COUNT] = {
	"rsa2048", "rsa-pss2048", "p256", "p384", "p521", "ed25519", "ed448",
};

static EVP_PKEY *keys[KEY_COUNT];
static struct signer_key *signers[KEY_COUNT];

static struct signer_key *
signer(enum key_index index)
{
	struct error error = {0};

	if (!keys[index]) {
		keys[index] = certificate_create_key(key_kinds[index], &error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(keys[index]);
		signers[index] = signer_key_new(keys[index], &error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(signers[index]);
	}
	return signers[index];
}

/* An exact copy of the message, so that a sanitizer sees a read past it. */
static int
sign_bytes(enum key_index key, unsigned int uses, uint16_t scheme,
	   const void *message, size_t message_length, unsigned char *signature,
	   size_t *length, struct error *error)
{
	AUTO_FREE unsigned char *copy = mem_dup(message, message_length);
	struct sign_request request = {scheme, copy, message_length};

	*length = SIGNATURE_MAX;
	return signer_sign(signer(key), uses, &request, signature, length,
			   error);
}

static bool
is_valid(enum key_index key, uint16_t code, const struct sign_text *text,
	 const unsigned char *signature, size_t length)
{
	const struct signature_scheme *scheme = signature_scheme_by_code(code);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;
	bool is_good;

	is_good = EVP_DigestVerifyInit_ex(context, &settings,
					  signature_digest_name(scheme->digest),
					  NULL, NULL, keys[key], NULL) == 1;
	if (is_good && scheme->padding == SIGNATURE_PADDING_PSS)
		is_good = EVP_PKEY_CTX_set_rsa_padding(
				  settings, RSA_PKCS1_PSS_PADDING) == 1 &&
			  EVP_PKEY_CTX_set_rsa_pss_saltlen(
				  settings, RSA_PSS_SALTLEN_DIGEST) == 1;
	is_good = is_good &&
		  EVP_DigestVerify(context, signature, length, text->bytes,
				   text->writer.length) == 1;
	EVP_MD_CTX_free(context);
	return is_good;
}

static void
check_signed(enum key_index key, unsigned int uses, uint16_t scheme,
	     const struct sign_text *text)
{
	unsigned char signature[SIGNATURE_MAX];
	struct error error = {0};
	size_t length;

	if (sign_bytes(key, uses, scheme, text->bytes, text->writer.length,
		       signature, &length, &error) != 0) {
		printf("key %s scheme %04x: %s\n", key_kinds[key], scheme,
		       error.text);
		CU_FAIL("not signed");
		return;
	}
	CU_ASSERT(is_valid(key, scheme, text, signature, length));
}

static void
check_refused_bytes(enum key_index key, unsigned int uses, uint16_t scheme,
		    const void *message, size_t message_length,
		    const char *reason)
{
	unsigned char signature[SIGNATURE_MAX];
	struct error error = {0};
	size_t length;
	int result = sign_bytes(key, uses, scheme, message, message_length,
				signature, &length, &error);

	CU_ASSERT_EQUAL(result, -1);
	if (!strstr(error.text, reason))
		printf("\"%s\" instead of \"%s\"\n", error.text, reason);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, reason));
}

static void
check_refused(enum key_index key, unsigned int uses, uint16_t scheme,
	      const struct sign_text *text, const char *reason)
{
	check_refused_bytes(key, uses, scheme, text->bytes, text->writer.length,
			    reason);
}

struct pairing {
	enum key_index key;
	uint16_t scheme;
	unsigned int versions;
};

#define BOTH (SIGNATURE_TLS_1_2 | SIGNATURE_TLS_1_3)

/* Every pairing of a key and a scheme that there is; what a key does not have
 * here, it refuses. */
static const struct pairing pairings[] = {
	{KEY_RSA, 0x0804, BOTH},
	{KEY_RSA, 0x0805, BOTH},
	{KEY_RSA, 0x0806, BOTH},
	{KEY_RSA, 0x0401, SIGNATURE_TLS_1_2},
	{KEY_RSA, 0x0501, SIGNATURE_TLS_1_2},
	{KEY_RSA, 0x0601, SIGNATURE_TLS_1_2},
	{KEY_RSA, SIGNATURE_RSA_PKCS1_MD5_SHA1, SIGNATURE_TLS_LEGACY},
	{KEY_RSA_PSS, 0x0809, BOTH},
	{KEY_RSA_PSS, 0x080a, BOTH},
	{KEY_RSA_PSS, 0x080b, BOTH},
	{KEY_P256, 0x0403, BOTH},
	{KEY_P256, 0x0503, SIGNATURE_TLS_1_2},
	{KEY_P256, 0x0603, SIGNATURE_TLS_1_2},
	{KEY_P256, 0x0203, SIGNATURE_TLS_LEGACY},
	{KEY_P384, 0x0403, SIGNATURE_TLS_1_2},
	{KEY_P384, 0x0503, BOTH},
	{KEY_P384, 0x0603, SIGNATURE_TLS_1_2},
	{KEY_P384, 0x0203, SIGNATURE_TLS_LEGACY},
	{KEY_P521, 0x0403, SIGNATURE_TLS_1_2},
	{KEY_P521, 0x0503, SIGNATURE_TLS_1_2},
	{KEY_P521, 0x0603, BOTH},
	{KEY_P521, 0x0203, SIGNATURE_TLS_LEGACY},
	{KEY_ED25519, 0x0807, BOTH},
	{KEY_ED448, 0x0808, BOTH},
};

static unsigned int
allowed_versions(enum key_index key, uint16_t scheme)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairings); i++)
		if (pairings[i].key == key && pairings[i].scheme == scheme)
			return pairings[i].versions;
	return 0;
}

/* A message of these versions with every key and every scheme. */
static void
check_all(unsigned int versions, unsigned int uses,
	  const struct sign_text *text)
{
	for (enum key_index key = 0; key < KEY_COUNT; key++) {
		for (unsigned int i = 0; i < SIGNATURE_SCHEME_COUNT; i++) {
			uint16_t scheme = signature_scheme_at(i)->code;

			if (allowed_versions(key, scheme) & versions)
				check_signed(key, uses, scheme, text);
			else
				check_refused(key, uses, scheme, text,
					      "scheme");
		}
	}
}

static void
test_tls13(void)
{
	struct sign_text text;

	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	check_all(SIGNATURE_TLS_1_3, SERVER, &text);
	sign_text_verify(&text, SIGN_TEXT_SERVER, 48);
	check_all(SIGNATURE_TLS_1_3, SERVER | KEY_USE_LEGACY, &text);
	sign_text_verify(&text, SIGN_TEXT_CLIENT, 32);
	check_all(SIGNATURE_TLS_1_3, CLIENT, &text);
	sign_text_verify(&text, SIGN_TEXT_CLIENT, 48);
	check_all(SIGNATURE_TLS_1_3, CLIENT | SERVER, &text);
}

static void
test_tls12_server(void)
{
	struct sign_text text;

	sign_text_ecdhe(&text, 23, 65, 0x04);
	check_all(SIGNATURE_TLS_1_2, KEY_USE_SERVER, &text);
	sign_text_ecdhe(&text, 29, 32, 0x00);
	check_all(SIGNATURE_TLS_1_2, KEY_USE_SERVER, &text);
	sign_text_dhe(&text, 256, 2, 0x33, 256);
	check_all(SIGNATURE_TLS_1_2, SERVER, &text);
}

static void
test_tls12_client(void)
{
	struct sign_text text;

	sign_text_transcript(&text, 0x0303);
	check_all(SIGNATURE_TLS_1_2, CLIENT, &text);
}

/* TLS 1.0 and 1.1: for the keys that are configured so, with the parameters
 * of TLS 1.2, and in nothing of TLS 1.3. */
static void
test_legacy(void)
{
	struct sign_text text;

	sign_text_ecdhe(&text, 23, 65, 0x04);
	check_all(SIGNATURE_TLS_1_2 | SIGNATURE_TLS_LEGACY,
		  KEY_USE_SERVER | KEY_USE_LEGACY, &text);
	sign_text_transcript(&text, 0x0301);
	check_all(SIGNATURE_TLS_LEGACY, CLIENT | KEY_USE_LEGACY, &text);
	sign_text_transcript(&text, 0x0302);
	check_all(SIGNATURE_TLS_LEGACY, CLIENT | KEY_USE_LEGACY, &text);
	check_all(0, CLIENT, &text);
	/* A client that negotiated TLS 1.2 has no business with SHA-1. */
	sign_text_transcript(&text, 0x0303);
	check_refused(KEY_P256, CLIENT | KEY_USE_LEGACY, 0x0203, &text,
		      "not for this version");
}

static void
test_uses(void)
{
	struct sign_text text;

	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	check_refused(KEY_P256, CLIENT, 0x0403, &text, "server's signatures");
	check_refused(KEY_P256, 0, 0x0403, &text, "server's signatures");
	sign_text_verify(&text, SIGN_TEXT_CLIENT, 32);
	check_refused(KEY_P256, SERVER, 0x0403, &text, "client's signatures");
	check_refused(KEY_P256, 0, 0x0403, &text, "client's signatures");
	sign_text_ecdhe(&text, 23, 65, 4);
	check_refused(KEY_P256, CLIENT, 0x0403, &text, "server's signatures");
	sign_text_transcript(&text, 0x0303);
	check_refused(KEY_P256, SERVER, 0x0403, &text, "client's signatures");
	check_refused(KEY_P256, SERVER | KEY_USE_LEGACY, 0x0403, &text,
		      "client's signatures");
	check_signed(KEY_P256, SERVER | CLIENT, 0x0403, &text);
	sign_text_dhe(&text, 256, 2, 0x33, 256);
	check_signed(KEY_P256, SERVER, 0x0403, &text);
	check_refused(KEY_P256, KEY_USE_SERVER, 0x0403, &text, "not for DHE");
	check_refused(KEY_P256, KEY_USE_DHE, 0x0403, &text,
		      "server's signatures");
	check_refused(KEY_P256, CLIENT | KEY_USE_DHE, 0x0403, &text,
		      "server's signatures");
}

/* Digests, and other things that people sign. */
static void
test_no_form(void)
{
	/* What would ask an ACME server to revoke the certificate. */
	static const char jws[] =
		"eyJhbGciOiJFUzI1NiJ9.eyJyZXNvdXJjZSI6InJldm9rZS1jZXJ0IiwiY2Vy"
		"dGlmaWNhdGUiOiJNSUlGIn0uLi4uLi4uLi4uLi4uLi4uLi4uLi4uLi4uLi4u";
	static const char *const texts[] = {
		jws,
		"\x30\x82\x01\x01\x02\x01\x00\x30\x0d\x31\x0b",
		"\x00\x00\x00\x20SSH session identifier of thirty-two",
		"GET / HTTP/1.1\r\n\r\n",
		" ",
	};
	static const size_t sizes[] = {0, 1, 16, 20, 28, 32, 36, 48, 51, 64};
	unsigned char digest[64];

	memset(digest, 0xd1, sizeof(digest));
	for (enum key_index key = 0; key < KEY_COUNT; key++) {
		for (unsigned int i = 0; i < SIGNATURE_SCHEME_COUNT; i++) {
			uint16_t scheme = signature_scheme_at(i)->code;

			for (size_t j = 0; j < ARRAY_SIZE(sizes); j++)
				check_refused_bytes(key, ~0U, scheme, digest,
						    sizes[j], "too short");
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check_refused_bytes(KEY_P256, ~0U, 0x0403, texts[i],
				    strlen(texts[i]), "");
	/* DigestInfo of SHA-256, as PKCS#1 would sign it. */
	check_refused_bytes(KEY_RSA, ~0U, 0x0401,
			    "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03"
			    "\x04\x02\x01\x05\x00\x04\x20"
			    "0123456789abcdef0123456789abcdef",
			    51, "too short");
}

static void
test_schemes(void)
{
	static const uint16_t never[] = {
		0x0000, 0x0101, 0x0102, 0x0201, 0x0202, 0x0301, 0x0302,
		0x0303, 0x0402, 0x0502, 0x0602, 0x0708, 0x081a, 0x081b,
		0x0904, 0x0905, 0x0906, 0xfe00, 0xffff,
	};
	struct sign_text text;

	sign_text_ecdhe(&text, 23, 65, 4);
	for (enum key_index key = 0; key < KEY_COUNT; key++)
		for (size_t i = 0; i < ARRAY_SIZE(never); i++)
			check_refused(key, ~0U, never[i], &text,
				      "not one to sign with");
	/* PKCS#1 in TLS 1.3, another curve's scheme, another type's. */
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	check_refused(KEY_RSA, ~0U, 0x0401, &text, "version of TLS");
	check_refused(KEY_RSA, ~0U, SIGNATURE_RSA_PKCS1_MD5_SHA1, &text,
		      "version of TLS");
	check_refused(KEY_P256, ~0U, 0x0203, &text, "version of TLS");
	check_refused(KEY_P256, ~0U, 0x0503, &text, "another curve");
	check_refused(KEY_P384, ~0U, 0x0403, &text, "another curve");
	check_refused(KEY_RSA, ~0U, 0x0809, &text, "type of key");
	check_refused(KEY_RSA_PSS, ~0U, 0x0804, &text, "type of key");
	check_refused(KEY_ED25519, ~0U, 0x0808, &text, "type of key");
	check_refused(KEY_ED448, ~0U, 0x0403, &text, "type of key");
}

static void
test_room(void)
{
	unsigned char signature[SIGNATURE_MAX];
	struct error error = {0};
	struct sign_text text;
	struct sign_request request;
	size_t length;

	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	request = (struct sign_request){0x0804, text.bytes, text.writer.length};
	length = 255;
	CU_ASSERT_EQUAL(signer_sign(signer(KEY_RSA), SERVER, &request,
				    signature, &length, &error),
			-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "room"));
	length = 256;
	CU_ASSERT_EQUAL(signer_sign(signer(KEY_RSA), SERVER, &request,
				    signature, &length, &error),
			0);
	CU_ASSERT_EQUAL(length, 256);
	/* Longer than anything; the bytes are not even looked at. */
	request.length = SIGN_MESSAGE_MAX + 1;
	length = 256;
	CU_ASSERT_EQUAL(signer_sign(signer(KEY_RSA), SERVER, &request,
				    signature, &length, &error),
			-1);
}

static void
test_keys(void)
{
	static const char *const groups[] = {"P-224", "secp256k1",
					     "brainpoolP256r1"};
	struct error error = {0};
	EVP_PKEY *key;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[i]);
		CU_ASSERT_PTR_NOT_NULL(key);
		CU_ASSERT_PTR_NULL(signer_key_new(key, &error));
		CU_ASSERT_NOT_EQUAL(error.text[0], '\0');
		EVP_PKEY_free(key);
	}
	key = EVP_RSA_gen(1024);
	CU_ASSERT_PTR_NULL(signer_key_new(key, &error));
	EVP_PKEY_free(key);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	CU_ASSERT_PTR_NULL(signer_key_new(key, &error));
	EVP_PKEY_free(key);
	signer_key_free(NULL);
}

/* Many threads, one key that none of them has used. */
static struct signer_key *shared;

static void *
sign_often(void *argument)
{
	unsigned char signature[SIGNATURE_MAX];
	struct sign_text text;
	size_t *failed = argument;

	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	for (int i = 0; i < 100; i++) {
		struct sign_request request = {0x0403, text.bytes,
					       text.writer.length};
		size_t length = sizeof(signature);
		struct error error = {0};

		if (signer_sign(shared, SERVER, &request, signature, &length,
				&error) != 0 ||
		    !is_valid(KEY_P256, 0x0403, &text, signature, length))
			++*failed;
	}
	return NULL;
}

static void
test_threads(void)
{
	pthread_t threads[4];
	size_t failed[ARRAY_SIZE(threads)] = {0};
	struct error error = {0};

	signer(KEY_P256);
	shared = signer_key_new(keys[KEY_P256], &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shared);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, sign_often,
					       &failed[i]),
				0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(failed[i], 0);
	}
	signer_key_free(shared);
}

static void
test_request(void)
{
	unsigned char id[KEY_ID_SIZE], bytes[256];
	const unsigned char *found;
	struct sign_request request = {0x0807, (const unsigned char *)"abc", 3};
	struct sign_request got;
	struct buf_writer writer;
	struct buf_reader reader;

	memset(id, 7, sizeof(id));
	buf_write_init(&writer, bytes, sizeof(bytes));
	sign_request_write(&writer, id, &request);
	CU_ASSERT_FALSE(writer.failed);
	CU_ASSERT_EQUAL(writer.length, SIGN_REQUEST_OVERHEAD + 3);
	buf_read_init(&reader, bytes, writer.length);
	CU_ASSERT_EQUAL(sign_request_read(&reader, &found, &got), 0);
	CU_ASSERT_EQUAL(memcmp(found, id, sizeof(id)), 0);
	CU_ASSERT_EQUAL(got.scheme, 0x0807);
	CU_ASSERT_EQUAL(got.length, 3);
	CU_ASSERT_EQUAL(memcmp(got.message, "abc", 3), 0);
	CU_ASSERT_EQUAL(reader.length, 0);
	for (size_t i = 0; i < writer.length; i++) {
		buf_read_init(&reader, bytes, i);
		CU_ASSERT_EQUAL(sign_request_read(&reader, &found, &got), -1);
	}
	/* A length that is beyond all. */
	bytes[KEY_ID_SIZE + 2] = 0xff;
	buf_read_init(&reader, bytes, writer.length);
	CU_ASSERT_EQUAL(sign_request_read(&reader, &found, &got), -1);
}

static void
test_scheme_table(void)
{
	enum signature_digest digest;

	for (unsigned int i = 0; i < SIGNATURE_SCHEME_COUNT; i++) {
		const struct signature_scheme *scheme = signature_scheme_at(i);

		CU_ASSERT_PTR_EQUAL(signature_scheme_by_code(scheme->code),
				    scheme);
		CU_ASSERT_PTR_EQUAL(signature_scheme_find(scheme->key_type,
							  scheme->padding,
							  scheme->digest),
				    scheme);
		CU_ASSERT_EQUAL(signature_scheme_index(scheme), i);
		CU_ASSERT_EQUAL(
			signature_digest_parse(
				signature_digest_name(scheme->digest), &digest),
			0);
		CU_ASSERT_EQUAL(digest, scheme->digest);
	}
	CU_ASSERT_EQUAL(signature_digest_parse("sha2-384", &digest), 0);
	CU_ASSERT_EQUAL(digest, SIGNATURE_DIGEST_SHA384);
	CU_ASSERT_EQUAL(signature_digest_parse("", &digest), 0);
	CU_ASSERT_EQUAL(digest, SIGNATURE_DIGEST_NONE);
	CU_ASSERT_EQUAL(signature_digest_parse("SHA2-224", &digest), -1);
	CU_ASSERT_EQUAL(signature_digest_parse("MD5", &digest), -1);
	CU_ASSERT_EQUAL(signature_digest_parse("SHA3-256", &digest), -1);
	CU_ASSERT_PTR_NULL(signature_scheme_find(CERTIFICATE_RSA,
						 SIGNATURE_PADDING_PKCS1,
						 SIGNATURE_DIGEST_SHA1));
}

UNIT_SUITE(signer, {"tls13", test_tls13}, {"tls12_server", test_tls12_server},
	   {"tls12_client", test_tls12_client}, {"legacy", test_legacy},
	   {"uses", test_uses}, {"no_form", test_no_form},
	   {"schemes", test_schemes}, {"room", test_room}, {"keys", test_keys},
	   {"threads", test_threads}, {"request", test_request},
	   {"scheme_table", test_scheme_table});
