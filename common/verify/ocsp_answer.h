/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an OCSP answer says of a certificate (RFC 6960 4.2), whoever brought
 * it: a server with its certificate, a responder, a file. The answer comes from
 * strangers and proves itself or counts for nothing.
 */
#ifndef SEALOCK_VERIFY_OCSP_ANSWER_H
#define SEALOCK_VERIFY_OCSP_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/verify/ocsp_request.h"

/* A longer answer is not looked at. */
#define OCSP_ANSWER_MAX ((size_t)64 * 1024)

/* How far clocks may be apart, in seconds. */
#define OCSP_SKEW 300

/* How long an answer counts that does not say how long. */
#define OCSP_LIFE_UNSAID INT64_C(86400)

/* In this order: of several statements about a certificate the last counts, and
 * of equal ones that which ends first. */
enum ocsp_status {
	OCSP_UNUSABLE, /* nothing that has been proved */
	OCSP_GOOD,
	OCSP_UNKNOWN, /* the responder knows nothing of it */
	OCSP_REVOKED,
};

struct ocsp_judgement {
	enum ocsp_status status;
	/* Seconds since 1970; 0 when unusable. */
	int64_t this_update;
	int64_t next_update; /* 0: the answer does not say */
	int64_t valid_until; /* the end of its use: nextUpdate, or what stands
			      * for it, or the responder's own end if that is
			      * sooner. May have passed, by OCSP_SKEW, or by
			      * any time when revoked */
	int64_t revoked_at;  /* REVOKED */
	char sentence[256];  /* what is wrong, in words that are fit to be
			      * shown; "" when good */
};

/* Judge an answer, which was found good, revoked ... for this certificate by
 * one who may say so: its issuer, or somebody to whom the issuer has given a
 * certificate for that very purpose (id-kp-OCSPSigning).
 *
 * The issuer is believed: its certificate must be part of a chain that has
 * been verified. nonce NULL: an answer is as good as another; else it must be
 * in it. now: seconds since 1970.
 *
 * What is too weak to let somebody in is not too weak to keep somebody out: an
 * answer that has expired, is signed over a SHA-1 digest or lacks the nonce is
 * unusable, unless it says revoked.
 *
 * OpenSSL's error queue is left as it was. */
enum ocsp_status
ocsp_answer_judge(const void *der, size_t length, const struct ocsp_pair *pair,
		  const struct ocsp_nonce *nonce, int64_t now,
		  struct ocsp_judgement *judgement);

/* good, revoked, unknown, unusable: for logs and records. */
const char *
ocsp_status_word(enum ocsp_status status);

#endif
