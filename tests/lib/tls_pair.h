/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two TLS engines that talk to each other through memory.
 */
#ifndef SEALOCK_TESTS_TLS_PAIR_H
#define SEALOCK_TESTS_TLS_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/tls/tls_engine.h"

struct tls_pair_end {
	struct tls_engine *engine;
	struct tls_output wire;  /* what it wants to send */
	struct tls_output plain; /* what it has decrypted */
	enum tls_result result;  /* of its last call */
	bool is_established;
};

struct tls_pair {
	struct tls_pair_end client;
	struct tls_pair_end server;
};

/* The contexts stay the caller's. */
void
tls_pair_init(struct tls_pair *pair, SSL_CTX *client, SSL_CTX *server);
void
tls_pair_clear(struct tls_pair *pair);

/* Give at most length bytes of what one end wants to send to the other end's
 * engine, which goes on with its handshake or decrypts; what a handshake
 * leaves behind is decrypted at once. A dead engine takes and drops them.
 * Returns the result of the receiving end. */
enum tls_result
tls_pair_feed(struct tls_pair_end *from, struct tls_pair_end *to,
	      size_t length);

/* Bytes that nobody's engine has written. */
enum tls_result
tls_pair_feed_bytes(struct tls_pair_end *to, const void *bytes, size_t length);

/* Carry bytes to and fro until both are quiet. */
void
tls_pair_settle(struct tls_pair *pair);

/* Shake hands, in pieces of at most step bytes (0: whole flights). True when
 * both ends are established. */
bool
tls_pair_handshake(struct tls_pair *pair, size_t step);

/* Encrypt into the end's wire. */
void
tls_pair_send(struct tls_pair_end *from, const void *bytes, size_t length);

#endif
