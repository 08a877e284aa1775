/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is anything in a chain revoked?
 */
#ifndef SEALOCK_VERIFY_CRL_CHECK_H
#define SEALOCK_VERIFY_CRL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

struct crl_index;

/* `verify.crl` of a gate; zeroed: nothing is asked. */
struct crl_rules {
	struct crl_index **indexes; /* a reference of each */
	size_t count;
	bool is_chain;        /* every certificate but the anchor, else the
			       * leaf alone */
	bool is_expired_good; /* a list counts after its end, too */
};

void
crl_rules_clear(struct crl_rules *rules);

/* Why a chain does not pass. */
struct crl_refusal {
	int error; /* X509_V_ERR_* */
	int depth; /* whose it is, 0 the leaf */
	char sentence[256];
};

/* Ask for the certificates of a chain that has been verified, leaf first,
 * trust anchor last; what is trusted by itself cannot be revoked. now: seconds
 * since 1970. True: nothing stands against it; a list that has expired and
 * counts all the same is told to the log, once. *valid_until becomes less when
 * that holds for less long, as a list that was asked ends before it. */
bool
crl_check_chain(const struct crl_rules *rules, const STACK_OF(X509) *chain,
		int64_t now, int64_t *valid_until, struct crl_refusal *refusal);

#endif
