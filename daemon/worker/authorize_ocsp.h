/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a gate has responders asked about its peer's certificates
 * (`verify.ocsp.check`), through the helper, and what that comes to.
 */
#ifndef SEALOCK_WORKER_AUTHORIZE_OCSP_H
#define SEALOCK_WORKER_AUTHORIZE_OCSP_H

#include <stdbool.h>
#include <openssl/types.h>

#include "common/verify/ocsp_answer.h"

struct authorize_ocsp;
struct ocsp_client;

/* What is to be asked about the peer of an SSL whose handshake is over. NULL:
 * nothing. */
struct authorize_ocsp *
authorize_ocsp_new(struct ocsp_client *client, SSL *ssl);

/* Ask: answered will be called once, from the loop, when the verdict on the
 * peer has been completed. -1: it cannot be asked. */
int
authorize_ocsp_ask(struct authorize_ocsp *ocsp,
		   void (*answered)(void *argument, bool is_admitted),
		   void *argument) __attribute__((warn_unused_result));

/* Go on without answers, as if each had been this, for the reason that the
 * sentence gives. Is the peer admitted? */
bool
authorize_ocsp_conclude(struct authorize_ocsp *ocsp, enum ocsp_status status,
			const char *why);

/* NULL is legal. */
void
authorize_ocsp_free(struct authorize_ocsp *ocsp);

#endif
