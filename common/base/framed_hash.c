/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An EVP_MD_CTX and frames.
 */
#include "common/base/framed_hash.h"

#include <assert.h>
#include <string.h>
#include <openssl/evp.h>

EVP_MD_CTX *
framed_hash_new(void)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	assert(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
	return hash;
}

void
framed_hash_add(EVP_MD_CTX *hash, const void *bytes, size_t length)
{
	const uint64_t frame = length;

	assert(EVP_DigestUpdate(hash, &frame, sizeof(frame)) == 1 &&
	       EVP_DigestUpdate(hash, bytes, length) == 1);
}

void
framed_hash_add_text(EVP_MD_CTX *hash, const char *text)
{
	framed_hash_add(hash, text ? text : "", text ? strlen(text) + 1 : 0);
}

void
framed_hash_add_number(EVP_MD_CTX *hash, uint64_t number)
{
	framed_hash_add(hash, &number, sizeof(number));
}

void
framed_hash_end(EVP_MD_CTX *hash, unsigned char digest[FRAMED_HASH_SIZE])
{
	assert(EVP_DigestFinal_ex(hash, digest, NULL) == 1);
}
