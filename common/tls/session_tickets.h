/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tickets of the accept gate: sessions that clients keep for us, encrypted
 * with keys of this process' rings (ticket_keys.h). What they remember of the
 * client is in them (peer_session.h), and looked at before one is resumed: a
 * session that is over is a full handshake and never an error.
 *
 * TLS 1.2 has its ticket in the handshake, and none where a responder is asked
 * about its certificate, who answers too late for that. Those of TLS 1.3 are
 * made when they are asked for, so that nobody has one before he has been let
 * in.
 */
#ifndef SEALOCK_TLS_SESSION_TICKETS_H
#define SEALOCK_TLS_SESSION_TICKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/tls/ticket_ring.h"

struct session_tickets {
	unsigned char ring[TICKET_RING_ID_SIZE];
	int64_t lifetime; /* of sessions, in seconds from the full handshake */
	unsigned int number; /* after a full handshake of TLS 1.3 */
};

/* Have a server's context issue tickets and take them; false when OpenSSL
 * refuses. */
bool
session_tickets_install(SSL_CTX *context, const struct session_tickets *tickets)
	__attribute__((warn_unused_result));

/* To a client that has been let in: how many tickets of TLS 1.3 to make now
 * (SSL_new_session_ticket()). handshake_at is when its handshake ended, in
 * seconds since 1970. 0: none, as this is no such connection, there is no key
 * to encrypt with, or its session is too large or over. */
unsigned int
session_tickets_due(SSL *ssl, int64_t handshake_at);

#endif
