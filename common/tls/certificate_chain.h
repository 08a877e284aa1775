/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chain to send with a leaf, from certificates in any order.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_CHAIN_H
#define SEALOCK_TLS_CERTIFICATE_CHAIN_H

#include <stdbool.h>
#include <openssl/types.h>
#include <openssl/x509.h>

/* The issuers of leaf among found (which may hold the leaf too), the leaf's
 * own first, up to and without a self-signed root; what belongs to another
 * chain and doubles are left out. An issuer is one by name, authority key
 * identifier and signature; where several are, the one that is valid now comes
 * before one that is not, and one with an issuer of its own before a root.
 *
 * *is_repaired: found was not the leaf, then this chain, then its root or
 * nothing. *root (may be NULL): the self-signed one that ends the chain, of
 * those found; NULL: there is none. The caller frees the stack with its
 * elements; NULL when OpenSSL is out of memory. */
STACK_OF(X509) *
certificate_chain_build(X509 *leaf, const STACK_OF(X509) *found, X509 **root,
			bool *is_repaired);

#endif
