/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How `sealock probe` presents itself: as a connect gate does by default, and
 * in the manners in which servers and boxes on the way that choke on that can
 * still be talked to.
 */
#ifndef SEALOCK_CLI_PROBE_CONTEXT_H
#define SEALOCK_CLI_PROBE_CONTEXT_H

#include <openssl/types.h>

struct error;
struct probe_request;

/* What differs from a connect gate's defaults. */
enum probe_manner {
	PROBE_CLASSIC_GROUPS = 1 << 0, /* no post-quantum group */
	PROBE_NO_TLS13 = 1 << 1,
	PROBE_NO_NAME = 1 << 2, /* for probe_link_open()'s caller */
	PROBE_FEW_EXTENSIONS = 1 << 3,
	PROBE_ANYTHING = 1 << 4, /* all versions, all ciphers, weak keys */
};

/* What a person has given for the client's side, loaded. */
struct probe_identity;

/* The client's certificate; NULL with a sentence when it cannot be had. One
 * without a certificate is legal. */
struct probe_identity *
probe_identity_new(const struct probe_request *request, struct error *error);
void
probe_identity_free(struct probe_identity *identity);

/* A new context in this manner (enum probe_manner, combined); of one version
 * alone when version is not 0 (TLS1_2_VERSION). It takes any certificate of
 * the server's: that is judged afterwards. The caller's, SSL_CTX_free(). */
SSL_CTX *
probe_context_new(const struct probe_request *request,
		  const struct probe_identity *identity, unsigned int manner,
		  int version, struct error *error);

#endif
