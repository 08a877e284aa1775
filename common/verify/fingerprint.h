/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: digests of a certificate, or of the public key in it, as IO::Socket::
 * SSL takes them (SSL_fingerprint) and as `verify.fingerprints` does.
 *
 *	sha256$5F:2C:...        of the certificate, all of its DER
 *	sha256$pub$5f2c...      of its public key: it outlives a renewal
 *	5f2c...                 of the certificate; its length tells the digest
 *
 * The public key is what X509_pubkey_digest(3) hashes, the bits of the key
 * without the algorithm in front of them: not the SubjectPublicKeyInfo that
 * HPKP and curl hash.
 */
#ifndef SEALOCK_VERIFY_FINGERPRINT_H
#define SEALOCK_VERIFY_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

struct error;

#define FINGERPRINT_DIGEST_MAX 31
#define FINGERPRINT_BYTES_MAX  64 /* EVP_MAX_MD_SIZE */

/* Enough for fingerprint_format(): digest, "$pub$", hexadecimal, NUL. */
#define FINGERPRINT_TEXT_SIZE \
	(FINGERPRINT_DIGEST_MAX + 5 + 2 * FINGERPRINT_BYTES_MAX + 1)

struct fingerprint {
	char digest[FINGERPRINT_DIGEST_MAX + 1]; /* "sha256", lower case */
	bool is_of_key;
	size_t length;
	unsigned char bytes[FINGERPRINT_BYTES_MAX];
};

/* Does OpenSSL have a digest of that name, with a length of its own? */
bool
fingerprint_is_digest(const char *name);

/* Colons and the case of letters do not count. Any digest that OpenSSL knows
 * by name, but for those without a length of their own (SHAKE). -1: the error
 * is a sentence about the text. */
int
fingerprint_parse(const char *text, struct fingerprint *fingerprint,
		  struct error *error) __attribute__((warn_unused_result));

/* The first two spellings above, in lower case without colons; returns
 * buffer. */
const char *
fingerprint_format(const struct fingerprint *fingerprint, char *buffer,
		   size_t size);

/* The fingerprint of a certificate or of its key. -1: there is no such digest,
 * or the certificate cannot be encoded. */
int
fingerprint_make(const X509 *certificate, const char *digest, bool is_of_key,
		 struct fingerprint *fingerprint, struct error *error)
	__attribute__((warn_unused_result));

/* Pins to be looked for again and again: read-only once made, so that several
 * threads may do it. */
struct fingerprint_set;

/* Copies. NULL: a digest has gone since fingerprint_parse() saw it. */
struct fingerprint_set *
fingerprint_set_new(const struct fingerprint *list, size_t count,
		    struct error *error);

/* NULL is legal. */
void
fingerprint_set_free(struct fingerprint_set *set);

/* The index in the list of a pin that this certificate has, or -1. The caller
 * gives the leaf, as the manual says. Every pin is compared in full, whether
 * an earlier one was the right one or not; a digest is computed once however
 * many pins are of it. */
int
fingerprint_set_find(const struct fingerprint_set *set,
		     const X509 *certificate);

#endif
