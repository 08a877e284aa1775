/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of fixed size with linear probing: when it is half full, it stays
 * as it is.
 */
#include "common/tls/certificate_cache.h"

#include <string.h>
#include <openssl/x509.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

#define SLOTS       512 /* a power of two */
#define ENTRIES_MAX 256

struct cached {
	X509 *certificate; /* NULL: free */
	unsigned char *bytes;
	long length;
};

struct certificate_cache {
	struct cached slots[SLOTS];
	size_t count;
};

struct certificate_cache *
certificate_cache_new(void)
{
	return mem_alloc(sizeof(struct certificate_cache));
}

void
certificate_cache_free(struct certificate_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		X509_free(cache->slots[i].certificate);
		mem_free(cache->slots[i].bytes);
	}
	mem_free(cache);
}

static X509 *
decode(const unsigned char *bytes, long length)
{
	const unsigned char *at = bytes;
	X509 *certificate = d2i_X509(NULL, &at, length);

	if (certificate && at != bytes + length) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

X509 *
certificate_cache_decode(struct certificate_cache *cache,
			 const unsigned char *bytes, long length)
{
	size_t at = (size_t)hash_bytes(bytes, (size_t)length) % SLOTS;
	struct cached *slot;

	while ((slot = &cache->slots[at])->certificate &&
	       (slot->length != length ||
		memcmp(slot->bytes, bytes, (size_t)length) != 0))
		at = (at + 1) % SLOTS;
	if (!slot->certificate) {
		X509 *certificate = decode(bytes, length);

		if (!certificate || cache->count == ENTRIES_MAX)
			return certificate;
		*slot = (struct cached){certificate,
					mem_dup(bytes, (size_t)length), length};
		cache->count++;
	}
	return X509_up_ref(slot->certificate) ? slot->certificate : NULL;
}
