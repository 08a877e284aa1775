/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL can complete a chain by itself, from a store and at each handshake;
 * here it is done once, at load, so that what is sent is known and can be
 * shown.
 */
#include "common/tls/certificate_chain.h"

#include <time.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"

/* No chain of use is longer; it bounds the walk to so many passes. */
#define CHAIN_MAX 16

static bool
is_self_signed(X509 *certificate)
{
	return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
}

static bool
is_valid_now(const X509 *certificate)
{
	time_t now = (time_t)clock_real_s();

	return X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0;
}

/* The name is compared first: it is the cheapest and mostly decides. */
static bool
has_issued(X509 *issuer, X509 *certificate)
{
	EVP_PKEY *key;

	if (X509_NAME_cmp(X509_get_subject_name(issuer),
			  X509_get_issuer_name(certificate)) != 0 ||
	    X509_check_issued(issuer, certificate) != X509_V_OK)
		return false;
	key = X509_get0_pubkey(issuer);
	return key && X509_verify(certificate, key) == 1;
}

static bool
contains(const STACK_OF(X509) *certificates, const X509 *wanted)
{
	for (int i = 0; i < sk_X509_num(certificates); i++)
		if (X509_cmp(sk_X509_value(certificates, i), wanted) == 0)
			return true;
	return false;
}

static int
rank(X509 *issuer)
{
	return (is_valid_now(issuer) ? 2 : 0) +
	       (is_self_signed(issuer) ? 0 : 1);
}

/* The best issuer of a certificate that is not in the chain yet. */
static X509 *
find_issuer(X509 *certificate, X509 *leaf, const STACK_OF(X509) *chain,
	    const STACK_OF(X509) *found)
{
	X509 *best = NULL;

	for (int i = 0; i < sk_X509_num(found); i++) {
		X509 *candidate = sk_X509_value(found, i);

		if (!has_issued(candidate, certificate) ||
		    X509_cmp(candidate, leaf) == 0 ||
		    contains(chain, candidate))
			continue;
		if (!best || rank(candidate) > rank(best))
			best = candidate;
	}
	return best;
}

/* Was it found as it is sent? A root at the end is as good as none. */
static bool
is_as_found(const X509 *leaf, const STACK_OF(X509) *chain, const X509 *root,
	    const STACK_OF(X509) *found)
{
	int length = sk_X509_num(chain), count = sk_X509_num(found);

	if (count != length + 1 && (!root || count != length + 2))
		return false;
	if (sk_X509_value(found, 0) != leaf)
		return false;
	for (int i = 0; i < length; i++)
		if (sk_X509_value(found, i + 1) != sk_X509_value(chain, i))
			return false;
	return count == length + 1 || sk_X509_value(found, count - 1) == root;
}

STACK_OF(X509) *
certificate_chain_build(X509 *leaf, const STACK_OF(X509) *found, X509 **root,
			bool *is_repaired)
{
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *last = leaf, *end = NULL;

	while (chain && !end && !is_self_signed(last) &&
	       sk_X509_num(chain) < CHAIN_MAX) {
		X509 *issuer = find_issuer(last, leaf, chain, found);

		if (!issuer)
			break;
		if (is_self_signed(issuer)) {
			end = issuer;
		} else if (X509_add_cert(chain, issuer, X509_ADD_FLAG_UP_REF)) {
			last = issuer;
		} else {
			ERR_clear_error();
			return NULL;
		}
	}
	ERR_clear_error();
	if (chain)
		*is_repaired = !is_as_found(leaf, chain, end, found);
	if (root)
		*root = end;
	return TAKE(chain);
}
