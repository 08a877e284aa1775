/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom a gate believes: everything of `verify` in the form in which peers are
 * checked by it. It is made of settings and files by whoever has them; here
 * nobody knows either.
 */
#ifndef SEALOCK_VERIFY_PEER_POLICY_H
#define SEALOCK_VERIFY_PEER_POLICY_H

#include <stdbool.h>
#include <openssl/types.h>

#include "common/verify/crl_check.h"
#include "common/verify/ocsp_rules.h"
#include "common/verify/peer_rules.h"
#include "common/verify/verify_scheme.h"

struct fingerprint_set;
struct public_suffixes;

/* What the peer is. */
enum peer_role {
	PEER_CLIENT, /* of our accept gate */
	PEER_SERVER, /* a backend */
};

/* Filled by its maker, then never changed: any number of contexts share it. */
struct peer_policy {
	unsigned int references;
	enum peer_role role;
	bool is_required;        /* without a certificate there is no entry */
	X509_STORE *authorities; /* with none in it, for `ca: none` */
	unsigned int depth;      /* most intermediates */
	bool is_partial_chain;   /* any certificate of the store ends a chain */
	struct crl_rules crl;
	struct ocsp_rules ocsp;
	struct fingerprint_set *pins; /* NULL: none */
	bool is_pin_only; /* `ca: none`: nothing but a pin admits anybody */
	/* Of a backend: how its names are compared with the one wanted. */
	struct verify_scheme scheme;
	struct public_suffixes *suffixes; /* NULL: not asked for */
	struct peer_rules allow;          /* empty: everybody */
};

/* A policy with an empty store, for its maker to fill; one reference. */
struct peer_policy *
peer_policy_new(enum peer_role role);
struct peer_policy *
peer_policy_ref(struct peer_policy *policy);
void
peer_policy_unref(struct peer_policy *policy);

/* Does it say that the peer has to have a name? */
bool
peer_policy_wants_name(const struct peer_policy *policy);

/* Another store instead of the empty one; takes a reference of its own. */
void
peer_policy_set_authorities(struct peer_policy *policy, X509_STORE *store);

#endif
