/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of a peer's certificate in its handshake. OpenSSL asks us instead
 * of checking by itself: the chain is left to X509_verify_cert(), and what
 * comes before and after it is ours. A peer that does not pass is told by the
 * alert of what is wrong, and its handshake ends.
 */
#ifndef SEALOCK_VERIFY_PEER_CHECK_H
#define SEALOCK_VERIFY_PEER_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/verify/peer_policy.h"
#include "common/verify/peer_verdict.h"

struct error;

/* Have every handshake of a context check its peer under this policy, of which
 * the context holds a reference. -1 when OpenSSL refuses. */
int
peer_check_install(SSL_CTX *context, struct peer_policy *policy)
	__attribute__((warn_unused_result));

/* Before a handshake with a backend: the host name or IP address that its
 * certificate must be for, as an operator writes it; NULL is none. -1 with a
 * sentence: the policy wants a name and this is none, or OpenSSL refuses. */
int
peer_check_expect(SSL *ssl, const char *name, struct error *error)
	__attribute__((warn_unused_result));

/* What the check of this connection's peer came to, valid as long as the SSL;
 * where a session was resumed, and since peer_check_confirm(), what its first
 * handshake came to. NULL: no certificate has been checked. */
const struct peer_verdict *
peer_check_verdict(const SSL *ssl);

/* What OCSP says of a certificate of the peer's chain, once the check has let
 * the peer in; all is lent. */
struct peer_statement {
	enum peer_ocsp ocsp;
	int depth;            /* of that certificate, 0 the peer's */
	int64_t valid_until;  /* how long that counts, seconds since 1970; 0:
			       * as long as the rest */
	const char *sentence; /* what is wrong, escaped; NULL when good */
	bool is_fatal;        /* it keeps the peer out, unless it is pinned */
};

/* Add to the verdict what was heard. Is the peer admitted? Never where no
 * certificate has been checked. */
bool
peer_check_hear(SSL *ssl, const struct peer_statement *statement);

/* The policy of this connection's context; NULL: its peer is not checked. */
const struct peer_policy *
peer_check_policy(const SSL *ssl);

/* After a handshake: 0 when the peer has passed everything that the policy of
 * its context demands, else -1 with a sentence. The verdict is asked, and
 * OpenSSL's own state anew: neither alone lets anybody in. */
int
peer_check_confirm(SSL *ssl, struct error *error)
	__attribute__((warn_unused_result));

#endif
