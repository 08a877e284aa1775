/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of an OCSP responder (RFC 6960 4.1), and where it is.
 */
#ifndef SEALOCK_VERIFY_OCSP_REQUEST_H
#define SEALOCK_VERIFY_OCSP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#define OCSP_NONCE_SIZE 32
#define OCSP_KEY_SIZE   32

/* A responder's address, with its NUL. */
#define OCSP_URI_SIZE 1024

/* A certificate and that of its issuer, which has signed it; lent. */
struct ocsp_pair {
	X509 *certificate;
	X509 *issuer;
};

/* What comes back only in an answer that was made for the request. */
struct ocsp_nonce {
	unsigned char bytes[OCSP_NONCE_SIZE];
};

/* A new one; aborts without random numbers. */
void
ocsp_nonce_make(struct ocsp_nonce *nonce);

/* A request for these certificates, one or more, in DER (mem_free()). They are
 * named by SHA-1 digests, the only ones that every responder knows; it is no
 * signature, and the answer is compared with the certificate itself. nonce
 * NULL: none. */
unsigned char *
ocsp_request_new(const struct ocsp_pair *pairs, size_t count,
		 const struct ocsp_nonce *nonce, size_t *length);

/* The first responder with an http: address that the certificate names
 * (authorityInfoAccess), into a buffer of OCSP_URI_SIZE bytes. False, and "":
 * it names none; or its addresses are too long, or hold what no address may
 * hold. */
bool
ocsp_responder_find(X509 *certificate, char *uri);

/* Does the certificate demand that whoever shows it sends an answer along (TLS
 * feature status_request, RFC 7633)? */
bool
ocsp_is_staple_demanded(X509 *certificate);

/* A number for the certificate by which answers are kept: equal for the same
 * serial under the same issuer's name and key, OCSP_KEY_SIZE bytes. */
void
ocsp_key_make(const struct ocsp_pair *pair, unsigned char *key);

#endif
