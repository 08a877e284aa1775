/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a gate wants to know by OCSP: `verify.ocsp`.
 */
#ifndef SEALOCK_VERIFY_OCSP_RULES_H
#define SEALOCK_VERIFY_OCSP_RULES_H

#include <stdbool.h>

enum ocsp_staple {
	OCSP_STAPLE_OFF,  /* the peer is not asked for one */
	OCSP_STAPLE_TRY,  /* what comes counts */
	OCSP_STAPLE_MUST, /* without a good one nobody is let in */
};

enum ocsp_check {
	OCSP_CHECK_OFF, /* no responder is asked */
	OCSP_CHECK_LEAF,
	OCSP_CHECK_CHAIN, /* every certificate but the anchor */
};

/* Zeroed: nothing is asked. */
struct ocsp_rules {
	enum ocsp_staple staple;
	enum ocsp_check check;
	bool is_hard;     /* of a responder: no usable answer refuses */
	bool is_nonce;    /* only what was made for the request is usable */
	char *http_proxy; /* NULL: none */
};

void
ocsp_rules_clear(struct ocsp_rules *rules);

#endif
