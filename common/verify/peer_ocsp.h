/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP in the check of a peer: the answer that a backend sends along with its
 * certificate (a staple, RFC 6066 8), and what follows from any answer.
 */
#ifndef SEALOCK_VERIFY_PEER_OCSP_H
#define SEALOCK_VERIFY_PEER_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/verify/ocsp_answer.h"

struct peer_policy;

/* Have every handshake of a context ask for a staple and judge it, before
 * anything of ours is sent that a backend could use. For contexts with
 * peer_check_install() of the same policy; -1 when OpenSSL refuses. */
int
peer_ocsp_install(SSL_CTX *context, const struct peer_policy *policy)
	__attribute__((warn_unused_result));

/* After a handshake: the certificates that a responder is to be asked about,
 * by `check` and by what is known already, at most max; their issuers have been
 * verified. depths: of each one, 0 the peer's. Lent, as long as the SSL. */
size_t
peer_ocsp_questions(SSL *ssl, struct ocsp_pair *pairs, int *depths, size_t max);

/* What a responder's answer for one of them, or none (UNUSABLE with a
 * sentence), comes to. Is the peer still admitted? */
bool
peer_ocsp_answered(SSL *ssl, int depth, const struct ocsp_judgement *judgement);

#endif
