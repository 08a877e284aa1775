/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of clients without tickets on the accept gate: the client keeps an
 * id, and the session is in the cache that all workers share. With TLS 1.3,
 * where a gate issues no tickets, ids are what its tickets are.
 *
 * What a session remembers of its client (peer_session.h) is in it, and looked
 * at before one is resumed: a session that is over is a full handshake and
 * never an error.
 */
#ifndef SEALOCK_TLS_SESSION_IDS_H
#define SEALOCK_TLS_SESSION_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/base/framed_hash.h"

struct session_cache;

struct session_ids {
	int64_t lifetime;    /* from the full handshake, in seconds */
	unsigned int number; /* of ids after a full handshake of TLS 1.3 */
	/* Something about the client is asked for after the handshake: with
	 * TLS 1.2 it would have its session by then. */
	bool is_judged_late;
};

/* The cache of this process from now on, borrowed; NULL: none. */
void
session_ids_use(struct session_cache *cache);

/* Have a server's context put sessions into the cache and find them there;
 * false when OpenSSL refuses. */
bool
session_ids_install(SSL_CTX *context, const struct session_ids *ids)
	__attribute__((warn_unused_result));

/* Before a handshake: the session id context under which its session is looked
 * for. Nothing where the SSL's context has no such sessions. */
void
session_ids_expect(SSL *ssl, const unsigned char context[FRAMED_HASH_SIZE]);

/* The handshake is over: no session is looked for any more. */
void
session_ids_forget(SSL *ssl);

/* To a client that has been let in: how many ids of TLS 1.3 to make now
 * (SSL_new_session_ticket()). handshake_at is when its handshake ended, in
 * seconds since 1970. */
unsigned int
session_ids_due(SSL *ssl, int64_t handshake_at);

#endif
