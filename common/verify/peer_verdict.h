/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the check of a peer's certificate came to: for the end of its handshake,
 * for logs, and for whoever decides further by it.
 */
#ifndef SEALOCK_VERIFY_PEER_VERDICT_H
#define SEALOCK_VERIFY_PEER_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

/* The checks, in their order. */
enum peer_step {
	PEER_STEP_NONE,
	PEER_STEP_CHAIN, /* signatures, dates, purpose, authorities */
	PEER_STEP_REVOKED,
	PEER_STEP_NAME,
	PEER_STEP_RULES, /* `allow` */
	PEER_STEP_OCSP,  /* is there an answer where one is demanded */
};

/* What is known of the peer's certificate by OCSP, from a staple or from its
 * issuer's responder; in this order: of two that are about a chain the last
 * counts. */
enum peer_ocsp {
	PEER_OCSP_UNCHECKED, /* nobody has asked */
	PEER_OCSP_GOOD,
	PEER_OCSP_NONE,     /* asked, and no answer came */
	PEER_OCSP_UNUSABLE, /* one came that proves nothing */
	PEER_OCSP_UNKNOWN,  /* the responder knows nothing of it */
	PEER_OCSP_REVOKED,
};

/* No end of validity. */
#define PEER_FOREVER INT64_MAX

struct peer_verdict {
	bool is_admitted;
	bool is_pinned; /* by a fingerprint, which outranks everything else */
	/* Of one that is admitted: the first of the dates, in seconds since
	 * 1970, at which something ends that it rests on: certificates of the
	 * chain, revocation lists, OCSP answers. PEER_FOREVER for a pin. */
	int64_t valid_until;
	/* Which check did not pass, NONE when all did; pinned peers are
	 * admitted all the same. */
	enum peer_step step;
	int error;      /* X509_V_ERR_*, of that check; X509_V_OK for NONE */
	int depth;      /* of the certificate that it is about, 0 the peer's */
	char *subject;  /* of that certificate, escaped; NULL for NONE */
	char *sentence; /* what is wrong, escaped; NULL for NONE */
	char *advice;   /* likely cause and remedy; NULL: there is none */
	enum peer_ocsp ocsp;
	char *ocsp_sentence; /* why it is not good; NULL: nothing to say */
};

/* Note what a check found wrong with a certificate (NULL: with none of them).
 * sentence NULL stands for OpenSSL's words for the error. To be called once. */
void
peer_verdict_note(struct peer_verdict *verdict, enum peer_step step, int error,
		  int depth, const X509 *certificate, const char *sentence);

/* What is wrong, with the advice: "certificate has expired (depth 1, subject
 * CN=Inner CA): ...", "" for NONE; returns buffer. */
const char *
peer_verdict_format(const struct peer_verdict *verdict, char *buffer,
		    size_t size);

/* Of a peer that is admitted, for the access record: "ok", "pinned", "pinned,
 * despite: certificate has expired"; returns buffer. */
const char *
peer_verdict_format_admission(const struct peer_verdict *verdict, char *buffer,
			      size_t size);

/* good, revoked ... for logs and records; NULL: unchecked. */
const char *
peer_verdict_ocsp(const struct peer_verdict *verdict);

/* Free what is in it; zeroed ones are legal. */
void
peer_verdict_clear(struct peer_verdict *verdict);

#endif
