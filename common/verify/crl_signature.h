/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signature over a revocation list, in two steps: who reads the list hashes
 * it, and who meets a certificate's issuer verifies what that came to. So forty
 * megabytes are hashed once on a machine, and a verification takes
 * microseconds.
 */
#ifndef SEALOCK_VERIFY_CRL_SIGNATURE_H
#define SEALOCK_VERIFY_CRL_SIGNATURE_H

#include <stdbool.h>
#include <openssl/evp.h>

#include "common/base/der.h"

struct error;

struct crl_method {
	const EVP_MD *digest; /* NULL: there is no hashing apart from signing
			       * (EdDSA, ML-DSA), and what is verified is the
			       * list itself */
	int key_type;         /* a NID */
	bool is_pss;
	const EVP_MD *mask_digest; /* PSS: of MGF1 */
	int salt_length;
};

/* What an algorithm identifier asks for. -1 with a sentence when it is unknown,
 * or too weak to prove anything. */
int
crl_method_find(const struct der_span *algorithm, struct crl_method *method,
		struct error *error) __attribute__((warn_unused_result));

/* Does that key's owner say so? message: the digest, or the list itself. */
bool
crl_signature_verify(const struct crl_method *method,
		     const struct der_span *message,
		     const struct der_span *signature, EVP_PKEY *key);

#endif
