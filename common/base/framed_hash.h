/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 over a list of values, each with its length in front, so that no two
 * lists look the same: what settings and files come to, to be compared.
 */
#ifndef SEALOCK_BASE_FRAMED_HASH_H
#define SEALOCK_BASE_FRAMED_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#define FRAMED_HASH_SIZE 32

/* None of these fails: only the end of memory, or an OpenSSL without SHA-256,
 * could make them, and that aborts. EVP_MD_CTX_free(). */
EVP_MD_CTX *
framed_hash_new(void) __attribute__((returns_nonnull));

void
framed_hash_add(EVP_MD_CTX *hash, const void *bytes, size_t length);

/* NULL is another text than "". */
void
framed_hash_add_text(EVP_MD_CTX *hash, const char *text);

void
framed_hash_add_number(EVP_MD_CTX *hash, uint64_t number);

/* Nothing can be added any more. */
void
framed_hash_end(EVP_MD_CTX *hash, unsigned char digest[FRAMED_HASH_SIZE]);

#endif
