/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was agreed upon in a handshake, as far as it came.
 */
#ifndef SEALOCK_CLI_PROBE_SESSION_H
#define SEALOCK_CLI_PROBE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/x509.h>

struct probe_link;

struct probe_session {
	const char *version; /* "" : not agreed upon */
	const char *cipher;
	const char *group;      /* "": no key exchange that has one */
	char key_exchange[64];  /* "X25519, 253 bits", "DH, 1024 bits" */
	const char *signature;  /* of the handshake, by the server's key */
	char alpn[4 * 255 + 1]; /* escaped; "": none chosen */
	bool has_extended_master_secret;        /* always, from TLS 1.3 on */
	bool has_safe_renegotiation;            /* the same */
	STACK_OF(X509) *chain;                  /* lent; NULL: none came */
	const STACK_OF(X509_NAME) *authorities; /* the server's, lent */
};

/* The link keeps what is lent. */
void
probe_session_read(struct probe_session *session,
		   const struct probe_link *link);

#endif
