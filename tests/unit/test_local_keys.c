/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of private keys: counting, uses, and signing by id.
 */
#include "common/tls/local_keys.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_key.h"
#include "common/tls/private_key.h"
#include "common/tls/remote_key_parts.h"
#include "common/tls/signer.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/sign_text.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

static EVP_PKEY *
make_key(const char *kind)
{
	struct error error = {0};
	EVP_PKEY *key = certificate_create_key(kind, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	return key;
}

static void
make_id(unsigned char key_id[KEY_ID_SIZE], unsigned int number)
{
	memset(key_id, 0, KEY_ID_SIZE);
	key_id[0] = (unsigned char)(number >> 8);
	key_id[KEY_ID_SIZE - 1] = (unsigned char)number;
}

static void
add(struct local_keys *keys, const unsigned char key_id[KEY_ID_SIZE],
    EVP_PKEY *key, unsigned int uses)
{
	struct error error = {0};

	CU_ASSERT_EQUAL(local_keys_add(keys, key_id, key, uses, &error), 0);
}

static void
test_counting(void)
{
	struct local_keys *keys = local_keys_new();
	EVP_PKEY *key = make_key("ed25519");
	unsigned char id[KEY_ID_SIZE], other[KEY_ID_SIZE];
	unsigned int uses = 99;

	make_id(id, 1);
	make_id(other, 2);
	CU_ASSERT_PTR_NULL(local_keys_find(keys, id, &uses));
	CU_ASSERT_EQUAL(uses, 0);
	add(keys, id, key, KEY_USE_SERVER);
	add(keys, id, key, KEY_USE_SERVER | KEY_USE_DHE);
	add(keys, id, key, KEY_USE_CLIENT);
	CU_ASSERT_EQUAL(local_keys_count(keys), 1);
	CU_ASSERT_PTR_NOT_NULL(local_keys_find(keys, id, &uses));
	CU_ASSERT_EQUAL(uses, KEY_USE_SERVER | KEY_USE_DHE | KEY_USE_CLIENT);
	local_keys_remove(keys, id, KEY_USE_SERVER | KEY_USE_DHE);
	local_keys_find(keys, id, &uses);
	CU_ASSERT_EQUAL(uses, KEY_USE_SERVER | KEY_USE_CLIENT);
	local_keys_remove(keys, id, KEY_USE_SERVER);
	local_keys_remove(keys, other, KEY_USE_SERVER);
	local_keys_find(keys, id, &uses);
	CU_ASSERT_EQUAL(uses, KEY_USE_CLIENT);
	local_keys_remove(keys, id, KEY_USE_CLIENT);
	CU_ASSERT_EQUAL(local_keys_count(keys), 0);
	CU_ASSERT_PTR_NULL(local_keys_find(keys, id, &uses));
	EVP_PKEY_free(key);
	local_keys_free(keys);
	local_keys_free(NULL);
}

static void
test_many(void)
{
	enum {
		MANY = 3000
	};
	struct local_keys *keys = local_keys_new();
	EVP_PKEY *key = make_key("ed25519");
	unsigned char id[KEY_ID_SIZE];
	unsigned int uses, found = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		make_id(id, i);
		add(keys, id, key, i % 2 ? KEY_USE_SERVER : KEY_USE_CLIENT);
	}
	CU_ASSERT_EQUAL(local_keys_count(keys), MANY);
	for (unsigned int i = 0; i < MANY; i += 3) {
		make_id(id, i);
		local_keys_remove(keys, id,
				  i % 2 ? KEY_USE_SERVER : KEY_USE_CLIENT);
	}
	for (unsigned int i = 0; i < MANY; i++) {
		make_id(id, i);
		if (local_keys_find(keys, id, &uses)) {
			CU_ASSERT_EQUAL(uses, i % 2 ? KEY_USE_SERVER
						    : KEY_USE_CLIENT);
			CU_ASSERT_NOT_EQUAL(i % 3, 0);
			found++;
		}
	}
	CU_ASSERT_EQUAL(found, MANY - MANY / 3);
	CU_ASSERT_EQUAL(local_keys_count(keys), found);
	EVP_PKEY_free(key);
	local_keys_free(keys);
}

static void
test_sign(void)
{
	struct local_keys *keys = local_keys_new();
	EVP_PKEY *key = make_key("ed25519");
	unsigned char id[KEY_ID_SIZE], signature[SIGNATURE_MAX];
	struct error error = {0};
	struct sign_text text;
	struct sign_request request;
	size_t length = sizeof(signature);

	make_id(id, 1);
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	request = (struct sign_request){0x0807, text.bytes, text.writer.length};
	CU_ASSERT_EQUAL(
		local_keys_sign(keys, id, &request, signature, &length, &error),
		-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no such key"));
	add(keys, id, key, KEY_USE_CLIENT);
	CU_ASSERT_EQUAL(
		local_keys_sign(keys, id, &request, signature, &length, &error),
		-1);
	add(keys, id, key, KEY_USE_SERVER);
	CU_ASSERT_EQUAL(
		local_keys_sign(keys, id, &request, signature, &length, &error),
		0);
	CU_ASSERT_EQUAL(length, 64);
	EVP_PKEY_free(key);
	/* What cannot sign is not added. */
	key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	make_id(id, 2);
	CU_ASSERT_EQUAL(local_keys_add(keys, id, key, KEY_USE_SERVER, &error),
			-1);
	CU_ASSERT_EQUAL(local_keys_count(keys), 1);
	EVP_PKEY_free(key);
	local_keys_free(keys);
}

/* A server's handshake with the table behind its remote key. */
static bool
try_handshake(const struct test_identity *identity)
{
	SSL_CTX *server = remote_fixture_context(true, 0, identity, true,
						 KEY_USE_SERVER, NULL);
	SSL_CTX *client =
		remote_fixture_context(false, 0, NULL, false, 0, identity);
	struct remote_pair pair;
	bool is_established;

	remote_pair_init(&pair, client, server);
	is_established = remote_pair_handshake(&pair);
	remote_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	return is_established;
}

static void
test_install(void)
{
	struct local_keys *keys = local_keys_new();
	const struct test_identity *identity;
	struct log_sink sink = {.descriptor = memfd_create("log", 0),
				.level = LOG_LEVEL_INFO,
				.is_for_events = true};
	unsigned char id[KEY_ID_SIZE];
	char lines[1024] = "";
	struct error error = {0};

	remote_fixture_install(false);
	identity = remote_fixture_plain();
	remote_fixture_key_id(identity->key, id);
	CU_ASSERT_EQUAL(local_keys_install(keys, &error), 0);
	add(keys, id, identity->key, KEY_USE_SERVER);
	CU_ASSERT(try_handshake(identity));
	/* Taken out, and then the whole table: a line in the log each. */
	CU_ASSERT_FATAL(sink.descriptor >= 0);
	log_configure(&sink, 1);
	local_keys_remove(keys, id, KEY_USE_SERVER);
	CU_ASSERT_FALSE(try_handshake(identity));
	local_keys_free(keys);
	CU_ASSERT_FALSE(try_handshake(identity));
	CU_ASSERT(pread(sink.descriptor, lines, sizeof(lines) - 1, 0) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "signature refused"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "there is no such key"));
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "there are no keys"));
	log_configure(NULL, 0);
}

static unsigned int asked_elsewhere;

static int
sign_elsewhere(const unsigned char key_id[KEY_ID_SIZE],
	       const struct sign_request *request, unsigned char *signature,
	       size_t *length)
{
	(void)key_id;
	(void)request;
	(void)signature;
	(void)length;
	asked_elsewhere++;
	return -1;
}

static int
start_elsewhere(struct key_operation *operation,
		const unsigned char key_id[KEY_ID_SIZE],
		const struct sign_request *request)
{
	(void)operation;
	(void)key_id;
	(void)request;
	asked_elsewhere++;
	return -1;
}

/* What a job does, without one. */
static enum key_operation_state
start_for(const unsigned char key_id[KEY_ID_SIZE], unsigned int form_byte)
{
	unsigned char signature[SIGNATURE_MAX];
	struct key_operation operation = {0};
	unsigned char message[130];
	const struct sign_request request = {0x0403, message, sizeof(message)};

	memset(message, 0x20, sizeof(message));
	memcpy(message + 64, "TLS 1.3, server CertificateVerify", 34);
	message[0] = (unsigned char)form_byte;
	CU_ASSERT(
		key_operation_begin(&operation, signature, sizeof(signature)));
	if (remote_key_functions()->start(&operation, key_id, &request) != 0)
		key_operation_lose(operation.number);
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	return operation.state;
}

/* Keys of this process and keys of another one, side by side. */
static void
test_own_or(void)
{
	static const struct remote_key_functions functions = {
		.sign = sign_elsewhere, .start = start_elsewhere};
	const struct test_identity *identity = remote_fixture_plain();
	struct local_keys *own;
	unsigned char id[KEY_ID_SIZE], other[KEY_ID_SIZE];
	struct error error = {0};

	log_configure(NULL, 0);
	asked_elsewhere = 0;
	remote_fixture_key_id(identity->key, id);
	make_id(other, 1);
	CU_ASSERT_EQUAL(local_keys_own_or(&functions, &error), 0);
	CU_ASSERT_FALSE(try_handshake(identity));
	CU_ASSERT_EQUAL(asked_elsewhere, 1);
	own = local_keys_own(&error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(own);
	add(own, id, identity->key, KEY_USE_SERVER);
	CU_ASSERT(try_handshake(identity));
	CU_ASSERT_EQUAL(asked_elsewhere, 1);
	/* In a job, too: signed, refused, or not ours. */
	CU_ASSERT_EQUAL(start_for(id, 0x20), KEY_OPERATION_ANSWERED);
	CU_ASSERT_EQUAL(start_for(id, 0x21), KEY_OPERATION_REFUSED);
	CU_ASSERT_EQUAL(asked_elsewhere, 1);
	CU_ASSERT_EQUAL(start_for(other, 0x20), KEY_OPERATION_LOST);
	CU_ASSERT_EQUAL(asked_elsewhere, 2);
	/* It goes, and comes back. */
	local_keys_remove(own, id, KEY_USE_SERVER);
	CU_ASSERT_FALSE(try_handshake(identity));
	CU_ASSERT_EQUAL(asked_elsewhere, 3);
	CU_ASSERT_EQUAL(local_keys_own_or(NULL, &error), 0);
	CU_ASSERT_PTR_NULL(remote_key_functions()->start);
	CU_ASSERT_FALSE(try_handshake(identity));
	CU_ASSERT_EQUAL(asked_elsewhere, 3);
	remote_fixture_install(false);
}

/* One that is decoded when it first signs, and one that cannot be. */
static void
test_late(void)
{
	static const unsigned char junk[] = "no key";
	const struct test_identity *identity = remote_fixture_plain();
	AUTO_OPENSSL(pkcs8)
	PKCS8_PRIV_KEY_INFO *pkcs8 = EVP_PKEY2PKCS8(identity->key);
	struct key_block good = {.label = OPENSSL_strdup("PRIVATE KEY"),
				 .header = OPENSSL_strdup("")};
	struct key_block bad = {
		.label = OPENSSL_strdup("PRIVATE KEY"),
		.header = OPENSSL_strdup(""),
		.bytes = OPENSSL_memdup(junk, sizeof(junk)),
		.length = sizeof(junk),
	};
	struct private_key *late, *junk_key;
	struct local_keys *keys = local_keys_new();
	unsigned char id[KEY_ID_SIZE], other[KEY_ID_SIZE];
	struct error error = {0};

	good.length = i2d_PKCS8_PRIV_KEY_INFO(pkcs8, &good.bytes);
	CU_ASSERT(good.length > 0);
	late = private_key_new_late(&good);
	junk_key = private_key_new_late(&bad);
	CU_ASSERT_PTR_NULL(good.bytes);
	remote_fixture_key_id(identity->key, id);
	make_id(other, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(local_keys_own(&error));
	CU_ASSERT_EQUAL(local_keys_install(keys, &error), 0);
	local_keys_add_late(keys, id, late, KEY_USE_SERVER);
	local_keys_add_late(keys, id, junk_key, KEY_USE_CLIENT);
	CU_ASSERT_EQUAL(local_keys_count(keys), 1);
	CU_ASSERT(try_handshake(identity));
	CU_ASSERT(try_handshake(identity));
	CU_ASSERT_EQUAL(
		EVP_PKEY_eq(private_key_get(late, &error), identity->key), 1);
	local_keys_remove(keys, id, KEY_USE_SERVER);
	local_keys_remove(keys, id, KEY_USE_CLIENT);
	CU_ASSERT_FALSE(try_handshake(identity));
	local_keys_add_late(keys, id, junk_key, KEY_USE_SERVER);
	CU_ASSERT_FALSE(try_handshake(identity));
	CU_ASSERT_FALSE(try_handshake(identity));
	CU_ASSERT_PTR_NULL(private_key_get(junk_key, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "its private key"));
	private_key_unref(late);
	private_key_unref(junk_key);
	private_key_unref(NULL);
	local_keys_free(keys);
	remote_fixture_install(false);
}

UNIT_SUITE(local_keys, {"counting", test_counting}, {"many", test_many},
	   {"sign", test_sign}, {"install", test_install},
	   {"own_or", test_own_or}, {"late", test_late});
