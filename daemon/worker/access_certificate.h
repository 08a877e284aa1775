/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the access record says of a peer's certificate: a few lines' worth,
 * whatever the certificate holds.
 */
#ifndef SEALOCK_WORKER_ACCESS_CERTIFICATE_H
#define SEALOCK_WORKER_ACCESS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/verify/fingerprint.h"

struct peer_verdict;

/* Of the names in a certificate the first so many are told, and how many there
 * are. */
#define ACCESS_NAMES_MAX 8

/* Texts are escaped, and cut where they are too long. */
struct access_certificate {
	bool is_known;
	char subject[192];
	char names[ACCESS_NAMES_MAX][80]; /* "dns:web.example.org" */
	size_t name_count;
	size_t name_total;
	char fingerprint[FINGERPRINT_TEXT_SIZE];
	char verify[128]; /* "ok", "pinned ...", "none": not verified */
	const char *ocsp; /* "good", "revoked" ...; NULL: not asked */
};

/* What is to be said of this certificate; a verdict of NULL, or one that says
 * no: it was not verified. */
void
access_certificate_read(const X509 *leaf, const struct peer_verdict *verdict,
			struct access_certificate *certificate);

/* The certificate of a peer whose handshake is complete; is_known is false
 * when it has shown none. */
void
access_certificate_learn(SSL *ssl, struct access_certificate *certificate);

#endif
