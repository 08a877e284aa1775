/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether certificates have been revoked, as their issuers' responders say:
 * what is known is told at once, what somebody else is waiting for is waited
 * for together, what is asked is remembered; and what has failed is not asked
 * again for a minute.
 */
#ifndef SEALOCK_HELPER_OCSP_FETCH_H
#define SEALOCK_HELPER_OCSP_FETCH_H

#include <stddef.h>

#include "common/verify/ocsp_talk.h"

struct ocsp_fetch;
struct ocsp_inquiry;
struct ocsp_transport;

/* transport is borrowed; NULL: this program cannot ask anybody, and what is
 * asked is unusable. */
struct ocsp_fetch *
ocsp_fetch_new(struct ocsp_transport *transport);

/* Nobody is waiting any more. NULL is legal. */
void
ocsp_fetch_free(struct ocsp_fetch *fetch);

/* How many answers are kept. */
void
ocsp_fetch_set_size(struct ocsp_fetch *fetch, size_t size);

/* What has become of each certificate, in the order of the chain; lent. The
 * inquiry is gone afterwards. */
typedef void
ocsp_inquiry_told(void *argument, const struct ocsp_told *told, size_t count);

/* Ask. ask is borrowed during the call. When everything is known already, it is
 * told from within, and NULL returned. */
struct ocsp_inquiry *
ocsp_fetch_ask(struct ocsp_fetch *fetch, const struct ocsp_ask *ask,
	       ocsp_inquiry_told *told, void *argument);

/* Whoever asked does not want to know any more. What has been sent to a
 * responder goes on all the same, as the next one will want to know; what has
 * not is not sent for his sake. NULL is legal. */
void
ocsp_inquiry_free(struct ocsp_inquiry *inquiry);

#endif
