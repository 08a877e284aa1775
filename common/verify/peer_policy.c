/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a policy.
 */
#include "common/verify/peer_policy.h"

#include <assert.h>
#include <stddef.h>
#include <openssl/x509_vfy.h>

#include "common/base/mem.h"
#include "common/verify/fingerprint.h"
#include "common/verify/public_suffix.h"

struct peer_policy *
peer_policy_new(enum peer_role role)
{
	struct peer_policy *policy = mem_alloc(sizeof(*policy));

	policy->references = 1;
	policy->role = role;
	policy->authorities = X509_STORE_new();
	assert(policy->authorities);
	return policy;
}

struct peer_policy *
peer_policy_ref(struct peer_policy *policy)
{
	policy->references++;
	return policy;
}

void
peer_policy_unref(struct peer_policy *policy)
{
	if (!policy || --policy->references > 0)
		return;
	X509_STORE_free(policy->authorities);
	crl_rules_clear(&policy->crl);
	ocsp_rules_clear(&policy->ocsp);
	fingerprint_set_free(policy->pins);
	public_suffixes_unref(policy->suffixes);
	peer_rules_clear(&policy->allow);
	mem_free(policy);
}

bool
peer_policy_wants_name(const struct peer_policy *policy)
{
	return policy->role == PEER_SERVER && !policy->is_pin_only &&
	       !policy->scheme.is_none;
}

void
peer_policy_set_authorities(struct peer_policy *policy, X509_STORE *store)
{
	int is_taken = X509_STORE_up_ref(store);

	assert(is_taken);
	X509_STORE_free(policy->authorities);
	policy->authorities = store;
}
