/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A private key that may not have been decoded yet. Decoding one takes OpenSSL
 * half a millisecond, and of fifty thousand keys most are not needed for
 * hours: they stay as they stood in their files until somebody signs.
 */
#ifndef SEALOCK_TLS_PRIVATE_KEY_H
#define SEALOCK_TLS_PRIVATE_KEY_H

#include <openssl/types.h>

struct error;
struct key_block;
struct private_key;

/* Of a decoded key, which gets a reference more; or of a block that is not
 * encrypted, whose memory is taken (it is empty then). Counted, for any thread;
 * what goes last wipes what there is. */
struct private_key *
private_key_new(EVP_PKEY *key);
struct private_key *
private_key_new_late(struct key_block *block);
struct private_key *
private_key_ref(struct private_key *key);

/* NULL is legal. */
void
private_key_unref(struct private_key *key);

/* The key itself, decoded now if it was not before; borrowed. Any number of
 * threads may ask. NULL with a sentence about "its private key", at each
 * time. */
EVP_PKEY *
private_key_get(struct private_key *key, struct error *error);

/* The same for a look at it: if it has to be decoded, then for the caller
 * alone, who frees it with EVP_PKEY_free(). */
EVP_PKEY *
private_key_decode(struct private_key *key, struct error *error);

#endif
