/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PEM as nearly everybody writes it: blocks of base64 between two lines, and
 * nothing else. It is read here in a tenth of OpenSSL's time; whatever is not
 * exactly so is left to OpenSSL, which has the last word on what is PEM.
 */
#ifndef SEALOCK_TLS_PEM_BLOCK_H
#define SEALOCK_TLS_PEM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct pem_block {
	const char *label; /* "CERTIFICATE", not terminated */
	size_t label_length;
	const char *body; /* base64 with its line ends */
	size_t body_length;
};

enum pem_result {
	PEM_END,
	PEM_BLOCK,
	PEM_ODD, /* something else */
};

/* The next block from *at on, which moves behind it. */
enum pem_result
pem_block_next(const char **at, const char *end, struct pem_block *block);

bool
pem_block_is(const struct pem_block *block, const char *label);

/* Its bytes, in memory of OpenSSL's, for OPENSSL_secure_clear_free(): if they
 * are secret, of the secure heap where there is one with room. What the base64
 * was copied to is wiped. NULL: it is odd. */
unsigned char *
pem_block_decode(const struct pem_block *block, bool is_secret, size_t *length);

#endif
