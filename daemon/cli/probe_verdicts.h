/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be held of the certificates that a server has sent, after the
 * handshake and whatever came of that.
 */
#ifndef SEALOCK_CLI_PROBE_VERDICTS_H
#define SEALOCK_CLI_PROBE_VERDICTS_H

#include <stdbool.h>
#include <openssl/x509.h>

#include "common/verify/peer_advice.h"

struct probe_request;
struct probe_authorities;

enum probe_judgement {
	PROBE_NOT_JUDGED, /* nothing to judge, or not asked for */
	PROBE_GOOD,
	PROBE_BAD,
};

struct probe_verdict {
	enum probe_judgement judgement;
	char text[640];               /* escaped */
	char advice[PEER_ADVICE_MAX]; /* "" when there is nothing to add */
};

struct probe_verdicts {
	struct probe_verdict order; /* is what was sent all and no more? */
	struct probe_verdict chain; /* is it valid and trusted? */
	struct probe_verdict name;
	struct probe_verdict pin; /* a match outranks all the others */
};

/* Set judgement and text. */
void
probe_judge(struct probe_verdict *verdict, enum probe_judgement judgement,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* chain is what the server has sent, with its leaf first; NULL: nothing. */
void
probe_verdicts_make(struct probe_verdicts *verdicts,
		    const struct probe_request *request,
		    const struct probe_authorities *authorities,
		    STACK_OF(X509) *chain);

#endif
