/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table whose entries are in a list by their last use, too.
 */
#include "daemon/helper/ocsp_cache.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

#define BUCKETS_MIN 64

struct entry {
	LIST_ENTRY(entry) same;   /* bucket */
	TAILQ_ENTRY(entry) order; /* the last one used comes first */
	unsigned char key[OCSP_KEY_SIZE];
	int64_t since;
	int64_t until;
	enum ocsp_status status;
	int64_t valid_until;
	char *sentence; /* NULL: "" */
};

LIST_HEAD(bucket, entry);

struct ocsp_cache {
	struct bucket *buckets;
	size_t bucket_count; /* a power of two */
	TAILQ_HEAD(ocsp_cache_order, entry) order;
	size_t count;
	size_t size;
};

static struct bucket *
bucket_of(const struct ocsp_cache *cache, const unsigned char *key)
{
	return &cache->buckets[hash_bytes(key, OCSP_KEY_SIZE) &
			       (cache->bucket_count - 1)];
}

static struct bucket *
buckets_new(size_t count)
{
	struct bucket *buckets = mem_array(count, sizeof(*buckets));

	for (size_t i = 0; i < count; i++)
		LIST_INIT(&buckets[i]);
	return buckets;
}

struct ocsp_cache *
ocsp_cache_new(size_t size)
{
	struct ocsp_cache *cache = mem_alloc(sizeof(*cache));

	cache->size = size;
	cache->bucket_count = BUCKETS_MIN;
	cache->buckets = buckets_new(cache->bucket_count);
	TAILQ_INIT(&cache->order);
	return cache;
}

static void
entry_free(struct ocsp_cache *cache, struct entry *entry)
{
	LIST_REMOVE(entry, same);
	TAILQ_REMOVE(&cache->order, entry, order);
	cache->count--;
	mem_free(entry->sentence);
	mem_free(entry);
}

static void
shrink(struct ocsp_cache *cache, size_t count)
{
	while (cache->count > count)
		entry_free(cache, TAILQ_LAST(&cache->order, ocsp_cache_order));
}

void
ocsp_cache_free(struct ocsp_cache *cache)
{
	if (!cache)
		return;
	shrink(cache, 0);
	mem_free(cache->buckets);
	mem_free(cache);
}

void
ocsp_cache_set_size(struct ocsp_cache *cache, size_t size)
{
	cache->size = size;
	shrink(cache, size);
}

size_t
ocsp_cache_count(const struct ocsp_cache *cache)
{
	return cache->count;
}

static struct entry *
find(const struct ocsp_cache *cache, const unsigned char *key)
{
	struct entry *entry;

	LIST_FOREACH (entry, bucket_of(cache, key), same)
		if (memcmp(entry->key, key, OCSP_KEY_SIZE) == 0)
			return entry;
	return NULL;
}

bool
ocsp_cache_find(struct ocsp_cache *cache, const unsigned char *key, int64_t now,
		struct ocsp_told *told)
{
	struct entry *entry = find(cache, key);

	if (!entry)
		return false;
	/* A clock that has gone back proves nothing of how old it is. */
	if (now >= entry->until || now < entry->since) {
		entry_free(cache, entry);
		return false;
	}
	TAILQ_REMOVE(&cache->order, entry, order);
	TAILQ_INSERT_HEAD(&cache->order, entry, order);
	told->status = entry->status;
	told->valid_until = entry->valid_until;
	snprintf(told->sentence, sizeof(told->sentence), "%s",
		 entry->sentence ? entry->sentence : "");
	return true;
}

static void
grow(struct ocsp_cache *cache)
{
	struct entry *entry;

	mem_free(cache->buckets);
	cache->bucket_count *= 2;
	cache->buckets = buckets_new(cache->bucket_count);
	TAILQ_FOREACH (entry, &cache->order, order)
		LIST_INSERT_HEAD(bucket_of(cache, entry->key), entry, same);
}

void
ocsp_cache_put(struct ocsp_cache *cache, const unsigned char *key, int64_t now,
	       int64_t until, const struct ocsp_told *told)
{
	struct entry *entry = find(cache, key);

	if (entry)
		entry_free(cache, entry);
	if (cache->size == 0 || until <= now)
		return;
	shrink(cache, cache->size - 1);
	if (cache->count >= cache->bucket_count)
		grow(cache);
	entry = mem_alloc(sizeof(*entry));
	memcpy(entry->key, key, OCSP_KEY_SIZE);
	entry->since = now;
	entry->until = until;
	entry->status = told->status;
	entry->valid_until = told->valid_until;
	if (told->sentence[0] != '\0')
		entry->sentence = mem_strdup(told->sentence);
	LIST_INSERT_HEAD(bucket_of(cache, key), entry, same);
	TAILQ_INSERT_HEAD(&cache->order, entry, order);
	cache->count++;
}
