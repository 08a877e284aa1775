/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connect gate's end of resumption: which session a handshake with a
 * backend offers, and which of those that a backend gives us are kept. What a
 * session remembers of the backend (peer_session.h) is in it before it is.
 */
#ifndef SEALOCK_TLS_SESSION_CLIENT_H
#define SEALOCK_TLS_SESSION_CLIENT_H

#include <openssl/types.h>

struct session_backend;

/* Have connections of a context keep sessions. -1 when OpenSSL refuses. */
int
session_client_install(SSL_CTX *context) __attribute__((warn_unused_result));

/* Before the handshake, and after everything else is set: resume a session with
 * this backend, if there is one that its policy is content with. The SSL holds
 * a reference of the backend from now on. */
void
session_client_offer(SSL *ssl, struct session_backend *backend);

/* The backend is the one that we want, by everything that was asked: keep its
 * sessions, those that come later, too. Without an offer before nothing is. */
void
session_client_keep(SSL *ssl);

/* The handshake has failed: should that be for the session which it offered,
 * the next one will be a full one. */
void
session_client_failed(SSL *ssl);

#endif
