/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header. What cannot be made ends the test program.
 */
#include "tests/lib/remote_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/local_keys.h"
#include "common/tls/remote_key.h"
#include "common/tls/signer.h"
#include "tests/lib/test_certificates.h"

#define IDENTITY_MAX 16

struct known_identity {
	char *kind;
	struct test_identity *identity;
	unsigned int uses;
};

static struct known_identity known[IDENTITY_MAX];
static size_t known_count;
static struct local_keys *keys;
static bool has_keeper;

struct remote_fixture_log remote_fixture_log;
struct remote_question *remote_questions;
size_t remote_question_count;
enum remote_keeper_mood remote_keeper_mood;

#define NEED(condition)                                                      \
	do {                                                                 \
		if (!(condition)) {                                          \
			fprintf(stderr, "remote_fixture: %s\n", #condition); \
			ERR_print_errors_fp(stderr);                         \
			abort();                                             \
		}                                                            \
	} while (0)

static int
sign(const unsigned char key_id[KEY_ID_SIZE],
     const struct sign_request *request, unsigned char *signature,
     size_t *length)
{
	struct error error = {0};
	int result = local_keys_sign(keys, key_id, request, signature, length,
				     &error);

	remote_fixture_log.scheme = request->scheme;
	remote_fixture_log.count++;
	strcpy(remote_fixture_log.error, error.text);
	return result;
}

static void
ask(struct key_operation *operation, const unsigned char key_id[KEY_ID_SIZE],
    const struct sign_request *request)
{
	struct remote_question *question;

	remote_questions =
		mem_resize(remote_questions, remote_question_count + 1,
			   sizeof(*remote_questions));
	question = &remote_questions[remote_question_count++];
	question->number = operation->number;
	memcpy(question->key_id, key_id, KEY_ID_SIZE);
	question->scheme = request->scheme;
	question->message = mem_dup(request->message, request->length);
	question->length = request->length;
}

static int
start(struct key_operation *operation, const unsigned char key_id[KEY_ID_SIZE],
      const struct sign_request *request)
{
	if (remote_keeper_mood == REMOTE_KEEPER_GONE)
		return -1;
	ask(operation, key_id, request);
	if (remote_keeper_mood == REMOTE_KEEPER_PROMPT)
		NEED(remote_keeper_answer(NULL));
	return 0;
}

static void
drop_question(size_t index)
{
	mem_free(remote_questions[index].message);
	remote_question_count--;
	memmove(&remote_questions[index], &remote_questions[index + 1],
		(remote_question_count - index) * sizeof(*remote_questions));
}

bool
remote_keeper_answer(bool *is_taken)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t length = sizeof(signature);
	struct remote_question question;
	struct sign_request request;
	bool was_taken;

	if (remote_question_count == 0)
		return false;
	question = remote_questions[0];
	question.message = mem_dup(question.message, question.length);
	drop_question(0);
	request = (struct sign_request){question.scheme, question.message,
					question.length};
	was_taken = sign(question.key_id, &request, signature, &length) == 0
			    ? key_operation_answer(question.number, signature,
						   length)
			    : key_operation_refuse(question.number);
	mem_free(question.message);
	if (is_taken)
		*is_taken = was_taken;
	return true;
}

void
remote_keeper_forget(void)
{
	while (remote_question_count > 0)
		drop_question(remote_question_count - 1);
	mem_free(remote_questions);
	remote_questions = NULL;
}

void
remote_fixture_install(bool is_asynchronous)
{
	const struct remote_key_functions functions = {
		.sign = sign,
		.start = is_asynchronous ? start : NULL,
	};
	struct error error = {0};

	has_keeper = is_asynchronous;
	if (!keys)
		keys = local_keys_new();
	NEED(remote_key_install(&functions, &error) == 0);
	remote_keeper_mood = REMOTE_KEEPER_WAITS;
	remote_keeper_forget();
}

void
remote_fixture_key_id(EVP_PKEY *key, unsigned char key_id[KEY_ID_SIZE])
{
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(key, &der);

	NEED(length > 0);
	NEED(EVP_Digest(der, (size_t)length, key_id, NULL, EVP_sha256(),
			NULL) == 1);
	OPENSSL_free(der);
}

static void
set_uses(const struct test_identity *identity, unsigned int before,
	 unsigned int uses)
{
	unsigned char key_id[KEY_ID_SIZE];
	struct error error = {0};

	remote_fixture_key_id(identity->key, key_id);
	if (local_keys_add(keys, key_id, identity->key, uses, &error) != 0) {
		fprintf(stderr, "remote_fixture: %s\n", error.text);
		abort();
	}
	if (before)
		local_keys_remove(keys, key_id, before);
}

void
remote_fixture_add(const struct test_identity *identity, unsigned int uses)
{
	set_uses(identity, 0, uses);
}

const struct test_identity *
remote_fixture_identity(const char *kind, unsigned int uses)
{
	struct known_identity *found = NULL;

	for (size_t i = 0; i < known_count; i++)
		if (strcmp(known[i].kind, kind) == 0)
			found = &known[i];
	if (!found) {
		NEED(known_count < IDENTITY_MAX);
		found = &known[known_count++];
		found->kind = mem_strdup(kind);
		found->identity = test_leaf(kind, "localhost", NULL);
	}
	set_uses(found->identity, found->uses, uses);
	found->uses = uses;
	return found->identity;
}

const struct test_identity *
remote_fixture_plain(void)
{
	static const struct test_identity *plain;

	if (!plain)
		plain = test_leaf("p256", "localhost", NULL);
	return plain;
}

EVP_PKEY *
remote_fixture_key(const struct test_identity *identity, unsigned int uses)
{
	unsigned char key_id[KEY_ID_SIZE];
	struct error error = {0};
	EVP_PKEY *key;

	remote_fixture_key_id(identity->key, key_id);
	key = remote_key_new(X509_get0_pubkey(identity->certificate), key_id,
			     uses, &error);
	if (!key)
		fprintf(stderr, "remote_fixture: %s\n", error.text);
	NEED(key);
	return key;
}

SSL_CTX *
remote_fixture_context(bool is_server, int version,
		       const struct test_identity *identity, bool is_remote,
		       unsigned int uses, const struct test_identity *trusted)
{
	SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method()
						 : TLS_client_method());

	NEED(context);
	SSL_CTX_set_security_level(context, 0);
	NEED(SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1);
	NEED(SSL_CTX_set_min_proto_version(context, version) == 1);
	NEED(SSL_CTX_set_max_proto_version(context, version) == 1);
	SSL_CTX_set_dh_auto(context, 1);
	if (has_keeper)
		SSL_CTX_set_mode(context, SSL_MODE_ASYNC);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	if (identity) {
		EVP_PKEY *key = is_remote ? remote_fixture_key(identity, uses)
					  : identity->key;

		NEED(SSL_CTX_use_certificate(context, identity->certificate) ==
		     1);
		NEED(SSL_CTX_use_PrivateKey(context, key) == 1);
		NEED(SSL_CTX_check_private_key(context) == 1);
		if (is_remote)
			EVP_PKEY_free(key);
	}
	if (trusted) {
		X509_STORE_set_flags(SSL_CTX_get_cert_store(context),
				     X509_V_FLAG_PARTIAL_CHAIN);
		NEED(X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
					 trusted->certificate) == 1);
		SSL_CTX_set_verify(context,
				   SSL_VERIFY_PEER |
					   SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	return context;
}

static void
set_ready(struct key_operation *operation, void *argument)
{
	struct remote_end *end = argument;

	NEED(operation == &end->operation);
	end->is_ready = true;
}

static void
init_end(struct remote_end *end, SSL_CTX *context, BIO *bio)
{
	end->ssl = SSL_new(context);
	NEED(end->ssl);
	SSL_set_bio(end->ssl, bio, bio);
	end->operation.ready = set_ready;
	end->operation.argument = end;
}

void
remote_pair_init(struct remote_pair *pair, SSL_CTX *client, SSL_CTX *server)
{
	BIO *near, *far;

	*pair = (struct remote_pair){0};
	NEED(BIO_new_bio_pair(&near, 65536, &far, 65536) == 1);
	init_end(&pair->client, client, near);
	init_end(&pair->server, server, far);
	SSL_set_connect_state(pair->client.ssl);
	SSL_set_accept_state(pair->server.ssl);
}

static void
clear_end(struct remote_end *end)
{
	key_operation_abandon(&end->operation, end->ssl);
	SSL_free(end->ssl);
}

void
remote_pair_clear(struct remote_pair *pair)
{
	clear_end(&pair->client);
	clear_end(&pair->server);
}

void
remote_end_step(struct remote_end *end)
{
	int result;

	ERR_clear_error();
	end->is_ready = false;
	key_operation_enter(&end->operation);
	result = SSL_do_handshake(end->ssl);
	key_operation_leave();
	end->is_done = result == 1;
	end->is_waiting = false;
	if (result == 1)
		return;
	switch (SSL_get_error(end->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_WANT_ASYNC:
		end->is_waiting = true;
		break;
	default:
		end->is_failed = true;
		ERR_clear_error();
	}
}

static bool
is_stuck(const struct remote_end *end)
{
	return end->is_done || end->is_failed ||
	       (end->is_waiting && !end->is_ready);
}

void
remote_pair_run(struct remote_pair *pair)
{
	/* Some flights, with a few steps to spare: an end that only waits for
	 * input is stepped in vain. */
	for (int i = 0; i < 8; i++) {
		if (!is_stuck(&pair->client))
			remote_end_step(&pair->client);
		if (!is_stuck(&pair->server))
			remote_end_step(&pair->server);
	}
}

bool
remote_pair_handshake(struct remote_pair *pair)
{
	char text[6] = "";

	do
		remote_pair_run(pair);
	while (remote_keeper_answer(NULL));
	if (!pair->client.is_done || !pair->server.is_done)
		return false;
	return SSL_write(pair->client.ssl, "hello", 5) == 5 &&
	       SSL_read(pair->server.ssl, text, 5) == 5 &&
	       strcmp(text, "hello") == 0 &&
	       SSL_write(pair->server.ssl, "again", 5) == 5 &&
	       SSL_read(pair->client.ssl, text, 5) == 5 &&
	       strcmp(text, "again") == 0;
}
