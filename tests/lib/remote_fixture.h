/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of remote keys share: identities whose private keys are in a
 * table, contexts with remote keys, two plain SSL objects over a pair of BIOs,
 * and a keeper that answers when it is told to.
 */
#ifndef SEALOCK_TESTS_REMOTE_FIXTURE_H
#define SEALOCK_TESTS_REMOTE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/tls/certificate.h"
#include "common/tls/key_operation.h"

struct local_keys;
struct sign_request;
struct test_identity;

/* The fibres of asynchronous jobs confuse AddressSanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define REMOTE_FIXTURE_IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REMOTE_FIXTURE_IS_SANITIZED true
#endif
#endif
#ifndef REMOTE_FIXTURE_IS_SANITIZED
#define REMOTE_FIXTURE_IS_SANITIZED false
#endif

/* Have remote keys sign with the fixture's table, at once or by its keeper;
 * contexts made from then on have SSL_MODE_ASYNC or not. */
void
remote_fixture_install(bool is_asynchronous);

/* What was asked for last, how often, and why it was refused last ("": it was
 * not). */
struct remote_fixture_log {
	uint16_t scheme;
	unsigned int count;
	char error[512];
};
extern struct remote_fixture_log remote_fixture_log;

/* A self-signed identity for localhost with a key of that kind, made once and
 * kept until the program ends; its private key is in the table for these
 * uses, which are those of the last call. */
const struct test_identity *
remote_fixture_identity(const char *kind, unsigned int uses);

/* One whose key is in no table. */
const struct test_identity *
remote_fixture_plain(void);

/* Put another identity's key into the table. */
void
remote_fixture_add(const struct test_identity *identity, unsigned int uses);
void
remote_fixture_key_id(EVP_PKEY *key, unsigned char key_id[KEY_ID_SIZE]);

/* The remote key of an identity; the caller's reference. */
EVP_PKEY *
remote_fixture_key(const struct test_identity *identity, unsigned int uses);

/* A context for one version of TLS (0: whatever there is) at security level
 * 0, with an identity's certificate and its key, remote or not; identity NULL:
 * none. It trusts `trusted` and demands its certificate; NULL: verifies
 * nothing. */
SSL_CTX *
remote_fixture_context(bool is_server, int version,
		       const struct test_identity *identity, bool is_remote,
		       unsigned int uses, const struct test_identity *trusted);

struct remote_end {
	SSL *ssl;
	struct key_operation operation;
	bool is_ready; /* the operation was ended: its handshake may go on */
	bool is_done;
	bool is_failed;
	bool is_waiting; /* for a signature */
};

struct remote_pair {
	struct remote_end client;
	struct remote_end server;
};

/* The contexts stay the caller's. */
void
remote_pair_init(struct remote_pair *pair, SSL_CTX *client, SSL_CTX *server);

/* Abandons what is pending. */
void
remote_pair_clear(struct remote_pair *pair);

/* Go on as far as possible without an answer of the keeper. */
void
remote_pair_run(struct remote_pair *pair);

/* To the end, with all answers. True when both ends are established and have
 * passed a few bytes. */
bool
remote_pair_handshake(struct remote_pair *pair);

/* One SSL_do_handshake(). */
void
remote_end_step(struct remote_end *end);

/* The keeper: what it was asked and has not answered. */
struct remote_question {
	uint64_t number;
	unsigned char key_id[KEY_ID_SIZE];
	uint16_t scheme;
	unsigned char *message;
	size_t length;
};
extern struct remote_question *remote_questions;
extern size_t remote_question_count;

/* What it does when it is asked. */
enum remote_keeper_mood {
	REMOTE_KEEPER_WAITS,  /* until remote_keeper_answer() */
	REMOTE_KEEPER_PROMPT, /* answers at once */
	REMOTE_KEEPER_GONE,   /* cannot be asked */
};
extern enum remote_keeper_mood remote_keeper_mood;

/* Answer the oldest question, as it ought to be. False when there is none;
 * is_taken: did anybody wait for it? */
bool
remote_keeper_answer(bool *is_taken);

/* Forget all questions. */
void
remote_keeper_forget(void);

#endif
