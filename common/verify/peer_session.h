/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TLS session remembers of the handshake that it began with: when that
 * was, and the verdict on the peer. It travels inside the session (its ticket
 * application data: in tickets, in caches), and whoever resumes it makes of it
 * what a full handshake would have found out.
 */
#ifndef SEALOCK_VERIFY_PEER_SESSION_H
#define SEALOCK_VERIFY_PEER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

#include "common/verify/peer_verdict.h"

struct peer_policy;

/* The longest that is ever written or read. */
#define PEER_SESSION_MAX 1024

struct peer_session {
	int64_t first_at; /* when the full handshake was, in seconds since
			   * 1970: resuming never moves it */
	bool has_certificate;
	/* Then: of one that is admitted; without `advice` and
	 * `ocsp_sentence`. */
	struct peer_verdict verdict;
};

/* Write it to bytes of PEER_SESSION_MAX, of which the length is returned; 0: it
 * is too long. The verdict must have admitted the peer. */
size_t
peer_session_encode(const struct peer_session *known, unsigned char *bytes);

/* Read what was written, byte for byte, else -1. `known` needs no
 * initialization, and peer_session_clear() only after 0. */
int
peer_session_parse(const unsigned char *bytes, size_t length,
		   struct peer_session *known)
	__attribute__((warn_unused_result));

void
peer_session_clear(struct peer_session *known);

/* Have a session remember: verdict is that of its peer (NULL: no certificate
 * was checked). -1 when the peer was not admitted, or there is too much to
 * remember, or no memory; such a session must not be resumed. Sessions that
 * come of a resumed one have it in them already. */
int
peer_session_remember(SSL_SESSION *session, int64_t first_at,
		      const struct peer_verdict *verdict)
	__attribute__((warn_unused_result));

/* -1: the session remembers nothing, or nothing that can be read, or that it
 * began in the future, by more than what machines' clocks are apart. */
int
peer_session_recall(SSL_SESSION *session, struct peer_session *known)
	__attribute__((warn_unused_result));

/* At which second it ends when sessions live for so many seconds: something
 * that the verdict rests on may end before. */
int64_t
peer_session_end(const struct peer_session *known, int64_t lifetime);

/* Has the peer of this verdict (NULL: there is none) been judged by all that
 * the policy (NULL: peers are not checked) asks? Responders' answers come
 * behind the handshake, and where a policy lets in who has none he is asked
 * about again the next time. */
bool
peer_session_is_settled(const struct peer_verdict *verdict,
			const struct peer_policy *policy);

/* Until which second may a session be resumed under this policy (NULL: peers
 * are not checked), when sessions live for so many seconds? 0: not at all.
 * Under which settings it was made is a matter of the session's identity, and
 * not asked here. */
int64_t
peer_session_until(SSL_SESSION *session, const struct peer_policy *policy,
		   int64_t lifetime);

#endif
