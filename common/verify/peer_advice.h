/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A refused certificate in words that help: the likely cause, and what to do
 * about it. OpenSSL's own words name the check that failed; what an operator
 * needs is in the certificates beside it.
 */
#ifndef SEALOCK_VERIFY_PEER_ADVICE_H
#define SEALOCK_VERIFY_PEER_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <openssl/x509_vfy.h>

/* All that the advice is made of, lent for the call. */
struct peer_case {
	int error; /* X509_V_ERR_*, not X509_V_OK */
	int depth; /* of the certificate it is about; the leaf's is 0 */
	X509 *leaf;
	X509 *about;           /* the certificate at depth; NULL: find it */
	STACK_OF(X509) *chain; /* as it came, with or without the leaf, in any
				* order; NULL: nothing else came */
	X509_STORE *store;     /* the CAs; NULL or empty: there are none */
	const char *name;      /* that the leaf was to have; NULL: any */
	bool is_client;        /* a client's certificate, else a server's */
	time_t now;
};

#define PEER_ADVICE_MAX 512

/* One sentence without a full stop, in one line, whatever the certificates
 * hold; at most size bytes with the NUL. "" when there is nothing to add to
 * OpenSSL's words. Takes no time that grows with the certificates' names but
 * for looking through them once. Returns buffer. */
const char *
peer_advice(const struct peer_case *peer, char *buffer, size_t size);

#endif
