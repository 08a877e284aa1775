/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remote keys that sign in the call: in real handshakes against a peer that
 * is plain OpenSSL, and what they are to whoever else looks at them.
 */
#include "common/tls/remote_key.h"

#include <stdio.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_create.h"
#include "common/tls/signer.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define SERVER (KEY_USE_SERVER | KEY_USE_DHE)
#define CLIENT KEY_USE_CLIENT

struct handshake {
	const char *kind;       /* of the key */
	const char *signatures; /* that the peer accepts; NULL: OpenSSL's */
	int version;
	uint16_t scheme; /* that must come out */
};

/* Every key with every scheme that it has. */
static const struct handshake handshakes[] = {
	{"rsa2048", "rsa_pss_rsae_sha256", TLS1_3_VERSION, 0x0804},
	{"rsa2048", "rsa_pss_rsae_sha384", TLS1_3_VERSION, 0x0805},
	{"rsa2048", "rsa_pss_rsae_sha512", TLS1_3_VERSION, 0x0806},
	{"rsa2048", "rsa_pss_rsae_sha256", TLS1_2_VERSION, 0x0804},
	{"rsa2048", "rsa_pss_rsae_sha384", TLS1_2_VERSION, 0x0805},
	{"rsa2048", "rsa_pss_rsae_sha512", TLS1_2_VERSION, 0x0806},
	{"rsa2048", "RSA+SHA256", TLS1_2_VERSION, 0x0401},
	{"rsa2048", "RSA+SHA384", TLS1_2_VERSION, 0x0501},
	{"rsa2048", "RSA+SHA512", TLS1_2_VERSION, 0x0601},
	{"rsa-pss2048", "rsa_pss_pss_sha256", TLS1_3_VERSION, 0x0809},
	{"rsa-pss2048", "rsa_pss_pss_sha384", TLS1_3_VERSION, 0x080a},
	{"rsa-pss2048", "rsa_pss_pss_sha512", TLS1_3_VERSION, 0x080b},
	{"rsa-pss2048", "rsa_pss_pss_sha256", TLS1_2_VERSION, 0x0809},
	{"rsa-pss2048", "rsa_pss_pss_sha384", TLS1_2_VERSION, 0x080a},
	{"rsa-pss2048", "rsa_pss_pss_sha512", TLS1_2_VERSION, 0x080b},
	{"p256", NULL, TLS1_3_VERSION, 0x0403},
	{"p384", NULL, TLS1_3_VERSION, 0x0503},
	{"p521", NULL, TLS1_3_VERSION, 0x0603},
	{"p256", "ECDSA+SHA256", TLS1_2_VERSION, 0x0403},
	{"p256", "ECDSA+SHA384", TLS1_2_VERSION, 0x0503},
	{"p256", "ECDSA+SHA512", TLS1_2_VERSION, 0x0603},
	{"p384", "ECDSA+SHA256", TLS1_2_VERSION, 0x0403},
	{"p384", "ECDSA+SHA384", TLS1_2_VERSION, 0x0503},
	{"p521", "ECDSA+SHA512", TLS1_2_VERSION, 0x0603},
	{"ed25519", NULL, TLS1_3_VERSION, 0x0807},
	{"ed25519", NULL, TLS1_2_VERSION, 0x0807},
	{"ed448", NULL, TLS1_3_VERSION, 0x0808},
	{"ed448", NULL, TLS1_2_VERSION, 0x0808},
	/* What a peer prefers and we never sign with is passed over. */
	{"rsa2048", "RSA+SHA1:RSA+SHA224:RSA+SHA384", TLS1_2_VERSION, 0x0501},
	{"p256", "ECDSA+SHA1:ECDSA+SHA224:ECDSA+SHA256", TLS1_2_VERSION,
	 0x0403},
};

/* One handshake, with the remote key at one end and nothing of ours at the
 * other. The trusted end demands the other's certificate. */
static void
check_handshake(const struct handshake *wanted, bool is_server_remote)
{
	unsigned int uses = is_server_remote ? SERVER : CLIENT;
	const struct test_identity *remote =
		remote_fixture_identity(wanted->kind, uses);
	const struct test_identity *other = remote_fixture_plain();
	SSL_CTX *server, *client;
	struct remote_pair pair;
	unsigned int before = remote_fixture_log.count;

	server = remote_fixture_context(
		true, wanted->version, is_server_remote ? remote : other,
		is_server_remote, uses, is_server_remote ? NULL : remote);
	client = remote_fixture_context(false, wanted->version,
					is_server_remote ? NULL : remote, true,
					uses, is_server_remote ? remote : NULL);
	if (wanted->signatures) {
		AUTO_FREE char *list = mem_strdup(wanted->signatures);

		CU_ASSERT_EQUAL(
			is_server_remote
				? SSL_CTX_set1_sigalgs_list(client, list)
				: SSL_CTX_set1_client_sigalgs_list(server,
								   list),
			1);
	}
	remote_pair_init(&pair, client, server);
	if (!remote_pair_handshake(&pair) ||
	    remote_fixture_log.scheme != wanted->scheme) {
		printf("%s %s %x: scheme %04x %s\n", wanted->kind,
		       wanted->signatures ? wanted->signatures : "",
		       (unsigned int)wanted->version, remote_fixture_log.scheme,
		       remote_fixture_log.error);
		CU_FAIL("no handshake, or another scheme");
	}
	CU_ASSERT_EQUAL(remote_fixture_log.count, before + 1);
	remote_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

static void
test_server(void)
{
	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(handshakes); i++)
		check_handshake(&handshakes[i], true);
}

static void
test_client(void)
{
	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(handshakes); i++)
		check_handshake(&handshakes[i], false);
}

/* Both ends in one process, each with a remote key. */
static void
test_both(void)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		const struct test_identity *of_server =
			remote_fixture_identity("rsa2048", SERVER);
		const struct test_identity *of_client =
			remote_fixture_identity("p384", CLIENT);
		SSL_CTX *server = remote_fixture_context(
			true, versions[i], of_server, true, SERVER, of_client);
		SSL_CTX *client = remote_fixture_context(
			false, versions[i], of_client, true, CLIENT, of_server);
		unsigned int before = remote_fixture_log.count;
		struct remote_pair pair;

		remote_pair_init(&pair, client, server);
		CU_ASSERT(remote_pair_handshake(&pair));
		CU_ASSERT_EQUAL(remote_fixture_log.count, before + 2);
		remote_pair_clear(&pair);
		SSL_CTX_free(client);
		SSL_CTX_free(server);
	}
}

/* A handshake with a server's remote key; suites NULL: all. */
static bool
try_server(const struct test_identity *identity, unsigned int uses, int version,
	   const char *suites)
{
	SSL_CTX *server = remote_fixture_context(true, version, identity, true,
						 uses, NULL);
	SSL_CTX *client = remote_fixture_context(false, version, NULL, false, 0,
						 identity);
	struct remote_pair pair;
	bool is_established;

	if (suites)
		CU_ASSERT_EQUAL(SSL_CTX_set_cipher_list(client, suites), 1);
	remote_pair_init(&pair, client, server);
	is_established = remote_pair_handshake(&pair);
	CU_ASSERT_EQUAL(pair.server.is_failed, !is_established);
	remote_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	return is_established;
}

static void
test_dhe(void)
{
	remote_fixture_install(false);
	CU_ASSERT(try_server(remote_fixture_identity("rsa2048", SERVER), SERVER,
			     TLS1_2_VERSION, "DHE"));
	CU_ASSERT_FALSE(
		try_server(remote_fixture_identity("rsa2048", KEY_USE_SERVER),
			   KEY_USE_SERVER, TLS1_2_VERSION, "DHE"));
	CU_ASSERT_PTR_NOT_NULL(strstr(remote_fixture_log.error, "DHE"));
	/* Without forward secrecy there is nothing that decrypts. */
	CU_ASSERT_FALSE(try_server(remote_fixture_identity("rsa2048", SERVER),
				   SERVER, TLS1_2_VERSION, "kRSA"));
}

static void
test_legacy(void)
{
	static const char *const kinds[] = {"rsa2048", "p256"};
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
	const unsigned int uses = SERVER | KEY_USE_LEGACY;

	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(versions); j++) {
			CU_ASSERT(try_server(
				remote_fixture_identity(kinds[i], uses), uses,
				versions[j], "ALL:@SECLEVEL=0"));
			CU_ASSERT_FALSE(try_server(
				remote_fixture_identity(kinds[i], SERVER),
				SERVER, versions[j], "ALL:@SECLEVEL=0"));
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct handshake wanted = {"rsa2048", NULL, versions[i],
					   0xff01};
		unsigned int client_uses = CLIENT | KEY_USE_LEGACY;
		const struct test_identity *identity =
			remote_fixture_identity("rsa2048", client_uses);
		SSL_CTX *server = remote_fixture_context(true, wanted.version,
							 remote_fixture_plain(),
							 false, 0, identity);
		SSL_CTX *client =
			remote_fixture_context(false, wanted.version, identity,
					       true, client_uses, NULL);
		struct remote_pair pair;

		remote_pair_init(&pair, client, server);
		CU_ASSERT(remote_pair_handshake(&pair));
		CU_ASSERT_EQUAL(remote_fixture_log.scheme, 0xff01);
		remote_pair_clear(&pair);
		SSL_CTX_free(client);
		SSL_CTX_free(server);
	}
}

/* Refused where the keys are: the handshake fails, nothing else. */
static void
test_refused(void)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		CU_ASSERT_FALSE(
			try_server(remote_fixture_identity("p256", CLIENT),
				   CLIENT, versions[i], NULL));
		CU_ASSERT_PTR_NOT_NULL(strstr(remote_fixture_log.error,
					      "server's signatures"));
		CU_ASSERT(try_server(remote_fixture_identity("p256", SERVER),
				     SERVER, versions[i], NULL));
	}
}

/* An RSA-PSS key that is bound to a digest, and its certificate. */
static struct test_identity
make_bound(const EVP_MD *digest)
{
	static const char *const names[] = {"localhost"};
	const struct certificate_request request = {
		.names = names,
		.name_count = 1,
		.days = 1,
		.purpose = CERTIFICATE_FOR_BOTH,
	};
	AUTO_OPENSSL(evp_pkey_ctx)
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	const struct test_identity *issuer = remote_fixture_plain();
	struct test_identity made = {0};
	struct error error = {0};

	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_keygen_init(maker), 1);
	EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 2048);
	EVP_PKEY_CTX_set_rsa_pss_keygen_md(maker, digest);
	EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(maker, digest);
	EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(maker, EVP_MD_get_size(digest));
	CU_ASSERT_EQUAL_FATAL(EVP_PKEY_generate(maker, &made.key), 1);
	made.certificate = certificate_create(
		&request, made.key, issuer->certificate, issuer->key, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(made.certificate);
	remote_fixture_add(&made, SERVER);
	return made;
}

static void
test_bound_digest(void)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct test_identity bound, useless;

	remote_fixture_install(false);
	bound = make_bound(EVP_sha384());
	useless = make_bound(EVP_sha224());
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		CU_ASSERT(try_server(&bound, SERVER, versions[i], NULL));
		CU_ASSERT_EQUAL(remote_fixture_log.scheme, 0x080a);
		CU_ASSERT_FALSE(
			try_server(&useless, SERVER, versions[i], NULL));
	}
	X509_free(bound.certificate);
	EVP_PKEY_free(bound.key);
	X509_free(useless.certificate);
	EVP_PKEY_free(useless.key);
}

static const char *const kinds[] = {
	"rsa2048", "rsa-pss2048", "p256", "p384", "p521", "ed25519", "ed448",
};

/* What libssl and others ask of a key, is answered as by its public key. */
static void
test_questions(void)
{
	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct test_identity *identity =
			remote_fixture_identity(kinds[i], SERVER);
		EVP_PKEY *public_key = X509_get0_pubkey(identity->certificate);
		AUTO_OPENSSL(evp_pkey)
		EVP_PKEY *key = remote_fixture_key(identity, SERVER);
		AUTO_OPENSSL(evp_pkey) EVP_PKEY *copy = EVP_PKEY_dup(key);
		char name[64] = "", other[64] = "";

		CU_ASSERT_STRING_EQUAL(EVP_PKEY_get0_type_name(key),
				       EVP_PKEY_get0_type_name(public_key));
		CU_ASSERT_STRING_EQUAL(
			OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
			"sealock");
		CU_ASSERT_EQUAL(EVP_PKEY_get_bits(key),
				EVP_PKEY_get_bits(public_key));
		CU_ASSERT_EQUAL(EVP_PKEY_get_size(key),
				EVP_PKEY_get_size(public_key));
		CU_ASSERT_EQUAL(EVP_PKEY_get_security_bits(key),
				EVP_PKEY_get_security_bits(public_key));
		CU_ASSERT_EQUAL(EVP_PKEY_get_default_digest_name(key, name,
								 sizeof(name)),
				EVP_PKEY_get_default_digest_name(
					public_key, other, sizeof(other)));
		CU_ASSERT_STRING_EQUAL(name, other);
		CU_ASSERT_EQUAL(
			EVP_PKEY_get_group_name(key, name, sizeof(name), NULL),
			EVP_PKEY_get_group_name(public_key, other,
						sizeof(other), NULL));
		CU_ASSERT_STRING_EQUAL(name, other);
		CU_ASSERT_EQUAL(EVP_PKEY_can_sign(key), 1);
		CU_ASSERT_EQUAL(EVP_PKEY_missing_parameters(key), 0);
		CU_ASSERT_EQUAL(EVP_PKEY_eq(key, public_key), 1);
		CU_ASSERT_EQUAL(EVP_PKEY_eq(public_key, key), 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
		CU_ASSERT_EQUAL(EVP_PKEY_eq(copy, key), 1);
		CU_ASSERT_EQUAL(EVP_PKEY_parameters_eq(copy, key), 1);
		CU_ASSERT_EQUAL(EVP_PKEY_parameters_eq(public_key, key),
				EVP_PKEY_parameters_eq(public_key, public_key));
		CU_ASSERT_PTR_NOT_NULL(
			OSSL_PARAM_locate_const(EVP_PKEY_gettable_params(key),
						OSSL_PKEY_PARAM_MAX_SIZE));
		CU_ASSERT_EQUAL(
			X509_check_private_key(identity->certificate, copy), 1);
	}
}

static void
test_not_equal(void)
{
	const struct test_identity *plain = remote_fixture_plain();

	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct test_identity *identity =
			remote_fixture_identity(kinds[i], SERVER);
		AUTO_OPENSSL(evp_pkey)
		EVP_PKEY *key = remote_fixture_key(identity, SERVER);
		SSL_CTX *context = SSL_CTX_new(TLS_server_method());

		CU_ASSERT_NOT_EQUAL(
			EVP_PKEY_eq(key, X509_get0_pubkey(plain->certificate)),
			1);
		CU_ASSERT_NOT_EQUAL(
			EVP_PKEY_eq(X509_get0_pubkey(plain->certificate), key),
			1);
		CU_ASSERT_EQUAL(
			SSL_CTX_use_certificate(context, plain->certificate),
			1);
		/* Of another type it is another slot's, else refused. */
		SSL_CTX_use_PrivateKey(context, key);
		CU_ASSERT_NOT_EQUAL(SSL_CTX_check_private_key(context), 1);
		SSL_CTX_free(context);
	}
	ERR_clear_error();
}

static int
count_export(const OSSL_PARAM parameters[], void *argument)
{
	unsigned int *count = argument;

	for (; parameters->key; parameters++)
		++*count;
	return 1;
}

/* There is nothing private to be had, also when a private key was given. */
static void
test_export(void)
{
	static const char *const private_names[] = {
		OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D,
		OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_EXPONENT1};

	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct test_identity *identity =
			remote_fixture_identity(kinds[i], SERVER);
		unsigned char key_id[KEY_ID_SIZE], *der = NULL;
		AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = NULL;
		AUTO_OPENSSL(bio) BIO *bio = BIO_new(BIO_s_mem());
		OSSL_PARAM *parameters = NULL;
		unsigned int count = 0;

		remote_fixture_key_id(identity->key, key_id);
		key = remote_key_new(identity->key, key_id, SERVER, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(key);
		CU_ASSERT(i2d_PrivateKey(key, &der) <= 0);
		CU_ASSERT_PTR_NULL(der);
		CU_ASSERT_NOT_EQUAL(PEM_write_bio_PrivateKey(bio, key, NULL,
							     NULL, 0, NULL,
							     NULL),
				    1);
		CU_ASSERT_NOT_EQUAL(
			EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &parameters), 1);
		CU_ASSERT_PTR_NULL(parameters);
		CU_ASSERT_NOT_EQUAL(EVP_PKEY_export(key, EVP_PKEY_KEYPAIR,
						    count_export, &count),
				    1);
		CU_ASSERT_EQUAL(count, 0);
		for (size_t j = 0; j < ARRAY_SIZE(private_names); j++) {
			BIGNUM *number = NULL;
			unsigned char bytes[1024];
			size_t size;

			CU_ASSERT_NOT_EQUAL(
				EVP_PKEY_get_bn_param(key, private_names[j],
						      &number),
				1);
			CU_ASSERT_NOT_EQUAL(EVP_PKEY_get_octet_string_param(
						    key, private_names[j],
						    bytes, sizeof(bytes),
						    &size),
					    1);
		}
		CU_ASSERT_EQUAL(EVP_PKEY_export(key, EVP_PKEY_PUBLIC_KEY,
						count_export, &count),
				1);
		CU_ASSERT(count > 0);
		ERR_clear_error();
	}
}

/* Only TLS's messages, only whole ones, and never to decrypt. */
static void
test_other_operations(void)
{
	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct test_identity *identity =
			remote_fixture_identity(kinds[i], SERVER);
		AUTO_OPENSSL(evp_pkey)
		EVP_PKEY *key = remote_fixture_key(identity, SERVER);
		AUTO_OPENSSL(evp_pkey_ctx)
		EVP_PKEY_CTX *operation =
			EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
		AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *context = EVP_MD_CTX_new();
		AUTO_OPENSSL(x509)
		X509 *certificate = X509_dup(identity->certificate);
		const char *digest =
			strncmp(kinds[i], "ed", 2) == 0 ? NULL : "SHA256";
		unsigned char signature[SIGNATURE_MAX];
		size_t length = sizeof(signature);
		unsigned int before = remote_fixture_log.count;

		CU_ASSERT_NOT_EQUAL(EVP_PKEY_sign_init(operation), 1);
		CU_ASSERT_NOT_EQUAL(EVP_PKEY_decrypt_init(operation), 1);
		CU_ASSERT_NOT_EQUAL(EVP_PKEY_derive_init(operation), 1);
		CU_ASSERT_EQUAL(X509_sign(certificate, key,
					  digest ? EVP_sha256() : NULL),
				0);
		CU_ASSERT_EQUAL(EVP_DigestSignInit_ex(context, NULL, digest,
						      NULL, NULL, key, NULL),
				1);
		CU_ASSERT_NOT_EQUAL(EVP_DigestSignUpdate(context, "x", 1), 1);
		CU_ASSERT_EQUAL(remote_fixture_log.count, before);
		CU_ASSERT_NOT_EQUAL(EVP_DigestSign(context, signature, &length,
						   signature, 64),
				    1);
		CU_ASSERT_EQUAL(remote_fixture_log.count, before + 1);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(remote_fixture_log.error, "too short"));
		ERR_clear_error();
	}
}

struct setting {
	const char *digest;
	OSSL_PARAM parameters[3];
	bool is_good;
};

/* Parameters as libssl and others write them. */
static void
test_parameters(void)
{
	static char pss[] = "pss", pkcs1[] = "pkcs1", x931[] = "x931",
		    none[] = "none", digest_text[] = "digest", max[] = "max",
		    thirty_two[] = "32", minus[] = "-3", sha256[] = "SHA2-256",
		    sha224[] = "SHA224";
	static int pss_number = RSA_PKCS1_PSS_PADDING, oaep_number = 4,
		   tls_number = 7, digest_number = -1, size_number = 32,
		   max_number = -3;
#define PADDING_TEXT(text)                                          \
	OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, text, \
			       sizeof(text) - 1)
#define PADDING_NUMBER(number) \
	OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &(number))
#define SALT_TEXT(text)                                                \
	OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, text, \
			       sizeof(text) - 1)
#define SALT_NUMBER(number) \
	OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &(number))
#define MGF1(text)                                                     \
	OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, text, \
			       sizeof(text) - 1)
#define DIGEST(text)                                              \
	OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, text, \
			       sizeof(text) - 1)
#define END OSSL_PARAM_END
	static const struct setting settings[] = {
		{"SHA256", {END}, true},
		{"sha2-384", {END}, true},
		{"SHA512", {PADDING_TEXT(pkcs1), END}, true},
		{"SHA256",
		 {PADDING_TEXT(pss), SALT_TEXT(digest_text), END},
		 true},
		{"SHA256",
		 {PADDING_NUMBER(pss_number), SALT_NUMBER(digest_number), END},
		 true},
		{"SHA256",
		 {PADDING_TEXT(pss), SALT_NUMBER(size_number), END},
		 true},
		{"SHA256",
		 {PADDING_TEXT(pss), SALT_TEXT(thirty_two), END},
		 true},
		{"SHA256", {PADDING_TEXT(pss), MGF1(sha256), END}, true},
		{"SHA512", {DIGEST(sha256), END}, true},
		{"SHA512", {DIGEST(sha224), END}, false},
		{"SHA256", {PADDING_TEXT(pss), SALT_TEXT(max), END}, false},
		{"SHA256", {PADDING_TEXT(pss), SALT_TEXT(minus), END}, false},
		{"SHA256",
		 {PADDING_TEXT(pss), SALT_NUMBER(max_number), END},
		 false},
		{"SHA256", {PADDING_TEXT(pss), MGF1(sha224), END}, false},
		{"SHA384", {PADDING_TEXT(pss), MGF1(sha256), END}, false},
		{"SHA256", {PADDING_TEXT(x931), END}, false},
		{"SHA256", {PADDING_TEXT(none), END}, false},
		{"SHA256", {PADDING_NUMBER(oaep_number), END}, false},
		{"SHA256", {PADDING_NUMBER(tls_number), END}, false},
		{"SHA1", {END}, false},
		{"SHA224", {END}, false},
		{"MD5", {END}, false},
		{"MD5-SHA1", {END}, false},
		{"SHA3-256", {END}, false},
	};
	const struct test_identity *identity =
		remote_fixture_identity("rsa2048", SERVER);
	AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = NULL;

	remote_fixture_install(false);
	key = remote_fixture_key(identity, SERVER);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *context = EVP_MD_CTX_new();
		int result = EVP_DigestSignInit_ex(
			context, NULL, settings[i].digest, NULL, NULL, key,
			settings[i].parameters);
		size_t length = 0;

		if ((result == 1) != settings[i].is_good)
			printf("setting %zu: %d\n", i, result);
		CU_ASSERT_EQUAL(result == 1, settings[i].is_good);
		if (result == 1) {
			CU_ASSERT_EQUAL(
				EVP_DigestSign(context, NULL, &length, NULL, 0),
				1);
			CU_ASSERT_EQUAL(length, 256);
		}
	}
	ERR_clear_error();
}

/* A salt that is none of TLS's, and too little room. */
static void
test_sign_refused(void)
{
	const struct test_identity *identity =
		remote_fixture_identity("rsa2048", SERVER);
	AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = NULL;
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *settings;
	unsigned char signature[SIGNATURE_MAX] = {0};
	size_t length = 255;
	unsigned int before = remote_fixture_log.count;

	remote_fixture_install(false);
	key = remote_fixture_key(identity, SERVER);
	CU_ASSERT_EQUAL(EVP_DigestSignInit_ex(context, &settings, "SHA256",
					      NULL, NULL, key, NULL),
			1);
	CU_ASSERT_NOT_EQUAL(
		EVP_DigestSign(context, signature, &length, signature, 100), 1);
	EVP_MD_CTX_reset(context);
	CU_ASSERT_EQUAL(EVP_DigestSignInit_ex(context, &settings, "SHA256",
					      NULL, NULL, key, NULL),
			1);
	CU_ASSERT_EQUAL(
		EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING),
		1);
	CU_ASSERT_EQUAL(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, 20), 1);
	length = sizeof(signature);
	CU_ASSERT_NOT_EQUAL(
		EVP_DigestSign(context, signature, &length, signature, 100), 1);
	CU_ASSERT_EQUAL(remote_fixture_log.count, before);
	ERR_clear_error();
}

/* Everything else is still what it was. */
static void
test_others_first(void)
{
	static const char *const types[] = {"RSA", "RSA-PSS", "EC", "ED25519",
					    "ED448"};

	remote_fixture_install(false);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		EVP_KEYMGMT *manager = EVP_KEYMGMT_fetch(NULL, types[i], NULL);

		CU_ASSERT_PTR_NOT_NULL_FATAL(manager);
		CU_ASSERT_STRING_EQUAL(
			OSSL_PROVIDER_get0_name(
				EVP_KEYMGMT_get0_provider(manager)),
			"default");
		EVP_KEYMGMT_free(manager);
	}
}

static void
test_new(void)
{
	const unsigned char key_id[KEY_ID_SIZE] = {0};
	struct error error = {0};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	remote_fixture_install(false);
	CU_ASSERT_PTR_NULL(remote_key_new(key, key_id, SERVER, &error));
	CU_ASSERT_NOT_EQUAL(error.text[0], '\0');
	EVP_PKEY_free(key);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224");
	CU_ASSERT_PTR_NULL(remote_key_new(key, key_id, SERVER, &error));
	EVP_PKEY_free(key);
}

UNIT_SUITE(remote_key, {"server", test_server}, {"client", test_client},
	   {"both", test_both}, {"dhe", test_dhe}, {"legacy", test_legacy},
	   {"refused", test_refused}, {"bound_digest", test_bound_digest},
	   {"questions", test_questions}, {"not_equal", test_not_equal},
	   {"export", test_export}, {"other_operations", test_other_operations},
	   {"parameters", test_parameters}, {"sign_refused", test_sign_refused},
	   {"others_first", test_others_first}, {"new", test_new});
