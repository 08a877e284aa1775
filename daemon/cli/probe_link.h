/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of `sealock probe`: to one address, through the handshake,
 * and to its end. Everything that the server sent is believed to be hostile,
 * and nothing is ever sent but the handshake and a close_notify.
 */
#ifndef SEALOCK_CLI_PROBE_LINK_H
#define SEALOCK_CLI_PROBE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

struct socket_address;
struct tls_engine;

enum probe_end {
	PROBE_DONE,      /* the handshake is complete */
	PROBE_REFUSED,   /* for our certificate, or for having none */
	PROBE_UNREACHED, /* no connection */
	PROBE_PLAINTEXT, /* the answer is no TLS */
	PROBE_CLOSED,    /* closed or reset in the handshake */
	PROBE_SILENT,    /* it goes on for too long */
	PROBE_ALERT,     /* the server sent a fatal alert */
	PROBE_FAILED,    /* OpenSSL does not take what came */
};

struct probe_link {
	enum probe_end end;
	char text[512];       /* why, escaped; "" when DONE */
	int64_t connect_ms;   /* how long it took, or -1 */
	int64_t handshake_ms; /* the same */
	/* The rest is there as far as the handshake has come. */
	struct tls_engine *engine; /* NULL when UNREACHED */
	bool is_certificate_asked;
	unsigned int tickets; /* new sessions that the server offered */
	unsigned long ticket_lifetime_s;
	SSL_SESSION *session;        /* the newest of them; NULL: none came */
	unsigned char greeting[256]; /* the first bytes that came */
	size_t greeting_length;
};

/* Connect and shake hands, each within the timeout; server_name may be NULL, as
 * may a session to be resumed. The context must have been made by
 * probe_context_new(). */
struct probe_link *
probe_link_open(SSL_CTX *context, const char *server_name,
		const struct socket_address *address, SSL_SESSION *session,
		int64_t timeout_ms);

/* NULL is legal. */
void
probe_link_free(struct probe_link *link);

/* For the context's callbacks: the link that an SSL belongs to. */
struct probe_link *
probe_link_of(const SSL *ssl);

#endif
