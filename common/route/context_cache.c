/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table with a list through it in the order of use. Keys are digests,
 * so their own bytes serve as the hash.
 */
#include "common/route/context_cache.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/ssl.h>

#include "common/base/mem.h"
#include "common/route/certificate_index.h"
#include "common/tls/tls_policy.h"

#define DIGEST_SIZE 32

struct cached {
	TAILQ_ENTRY(cached) by_use;
	LIST_ENTRY(cached) by_hash;
	/* The policy's digest for contexts, then one for each type of
	 * certificate (zeros where there is none), then the set of those that
	 * are stapled. */
	unsigned char key[DIGEST_SIZE * (2 + CERTIFICATE_TYPE_COUNT)];
	SSL_CTX *context;
};

TAILQ_HEAD(cached_by_use, cached);
LIST_HEAD(cached_by_hash, cached);

struct context_cache {
	struct cached_by_use by_use; /* the one used last is first */
	struct cached_by_hash *slots;
	size_t slot_mask;
	size_t count;
	size_t capacity;
};

struct context_cache *
context_cache_new(size_t capacity)
{
	struct context_cache *cache = mem_alloc(sizeof(*cache));
	size_t slots = 16;

	assert(capacity > 0);
	while (slots < capacity)
		slots *= 2;
	cache->slots = mem_array(slots, sizeof(*cache->slots));
	cache->slot_mask = slots - 1;
	cache->capacity = capacity;
	TAILQ_INIT(&cache->by_use);
	return cache;
}

static void
drop(struct context_cache *cache, struct cached *cached)
{
	TAILQ_REMOVE(&cache->by_use, cached, by_use);
	LIST_REMOVE(cached, by_hash);
	SSL_CTX_free(cached->context);
	mem_free(cached);
	cache->count--;
}

void
context_cache_free(struct context_cache *cache)
{
	struct cached *cached;

	if (!cache)
		return;
	while ((cached = TAILQ_FIRST(&cache->by_use)))
		drop(cache, cached);
	mem_free(cache->slots);
	mem_free(cache);
}

static struct cached_by_hash *
slot_of(struct context_cache *cache, const unsigned char *key, size_t size)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < size; i += DIGEST_SIZE) {
		uint64_t word;

		memcpy(&word, key + i, sizeof(word));
		hash = hash * 31 + word;
	}
	return &cache->slots[hash & cache->slot_mask];
}

/* Certificates are decoded for it, and kept by it alone. */
SSL_CTX *
context_make(const struct tls_policy *policy,
	     const struct certificate_index *index,
	     const struct indexed_certificate *const *certificates,
	     size_t count, unsigned int stapled, struct error *error)
{
	struct certificate_list decoded = {0};
	SSL_CTX *context = NULL;

	while (decoded.count < count) {
		struct certificate *one = certificate_index_decode(
			index, certificates[decoded.count], error);

		if (!one)
			break;
		one->is_stapled = (stapled >> one->type) & 1;
		certificate_list_add(&decoded, one);
	}
	if (decoded.count == count)
		context = tls_policy_context(policy, decoded.certificates,
					     count, error);
	certificate_list_clear(&decoded);
	return context;
}

SSL_CTX *
context_cache_get(struct context_cache *cache, const struct tls_policy *policy,
		  const struct certificate_index *index,
		  const struct indexed_certificate *const *certificates,
		  size_t count, unsigned int stapled, struct error *error)
{
	unsigned char key[sizeof(((struct cached *)NULL)->key)] = {0};
	struct cached_by_hash *slot;
	struct cached *cached;
	SSL_CTX *context;

	memcpy(key, tls_policy_context_digest(policy), DIGEST_SIZE);
	for (size_t i = 0; i < count; i++)
		memcpy(key + DIGEST_SIZE * (1 + certificates[i]->type),
		       certificates[i]->digest, DIGEST_SIZE);
	key[DIGEST_SIZE * (1 + CERTIFICATE_TYPE_COUNT)] =
		(unsigned char)stapled;
	slot = slot_of(cache, key, sizeof(key));
	LIST_FOREACH (cached, slot, by_hash) {
		if (memcmp(cached->key, key, sizeof(key)) == 0)
			break;
	}
	if (cached) {
		TAILQ_REMOVE(&cache->by_use, cached, by_use);
		TAILQ_INSERT_HEAD(&cache->by_use, cached, by_use);
		return cached->context;
	}
	context = context_make(policy, index, certificates, count, stapled,
			       error);
	if (!context)
		return NULL;
	if (cache->count == cache->capacity)
		drop(cache, TAILQ_LAST(&cache->by_use, cached_by_use));
	cached = mem_alloc(sizeof(*cached));
	memcpy(cached->key, key, sizeof(key));
	cached->context = context;
	TAILQ_INSERT_HEAD(&cache->by_use, cached, by_use);
	LIST_INSERT_HEAD(slot, cached, by_hash);
	cache->count++;
	return context;
}

size_t
context_cache_count(const struct context_cache *cache)
{
	return cache->count;
}
