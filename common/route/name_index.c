/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An open hash table of names with linear probing. The names that are looked
 * up come from clients: the hash has a key of the process.
 */
#include "common/route/name_index.h"

#include <stdint.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"

#define BUCKETS_MIN 16

struct node {
	uint64_t hash;
	struct name_value *first;
	struct name_value *last;
	char name[];
};

struct name_index {
	struct node **buckets;
	size_t bucket_count; /* a power of two, at most half of it used */
	size_t count;
};

struct name_index *
name_index_new(void)
{
	struct name_index *index = mem_alloc(sizeof(*index));

	index->bucket_count = BUCKETS_MIN;
	index->buckets = mem_array(BUCKETS_MIN, sizeof(struct node *));
	return index;
}

static void
node_free(struct node *node)
{
	struct name_value *value, *next;

	for (value = node->first; value; value = next) {
		next = value->next;
		mem_free(value);
	}
	mem_free(node);
}

void
name_index_free(struct name_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->bucket_count; i++)
		if (index->buckets[i])
			node_free(index->buckets[i]);
	mem_free(index->buckets);
	mem_free(index);
}

/* The bucket in which this name stands, or the free one where it would. */
static struct node **
find_bucket(const struct name_index *index, const char *name, uint64_t hash)
{
	size_t mask = index->bucket_count - 1;
	size_t at = (size_t)hash & mask;

	while (index->buckets[at] && (index->buckets[at]->hash != hash ||
				      strcmp(index->buckets[at]->name, name)))
		at = (at + 1) & mask;
	return &index->buckets[at];
}

static void
grow(struct name_index *index)
{
	struct node **before = index->buckets;
	size_t before_count = index->bucket_count;

	if (2 * (index->count + 1) <= index->bucket_count)
		return;
	index->bucket_count *= 2;
	index->buckets = mem_array(index->bucket_count, sizeof(struct node *));
	for (size_t i = 0; i < before_count; i++)
		if (before[i])
			*find_bucket(index, before[i]->name, before[i]->hash) =
				before[i];
	mem_free(before);
}

static struct node *
node_new(const char *name, uint64_t hash)
{
	size_t size = strlen(name) + 1;
	struct node *node = mem_alloc(sizeof(*node) + size);

	node->hash = hash;
	memcpy(node->name, name, size);
	return node;
}

void
name_index_add(struct name_index *index, const char *pattern, void *value)
{
	uint64_t hash = hash_bytes(pattern, strlen(pattern));
	struct name_value *added;
	struct node **bucket, *node;

	grow(index);
	bucket = find_bucket(index, pattern, hash);
	if (!*bucket) {
		*bucket = node_new(pattern, hash);
		index->count++;
	}
	node = *bucket;
	for (added = node->first; added; added = added->next)
		if (added->value == value)
			return;
	added = mem_alloc(sizeof(*added));
	added->value = value;
	if (node->last)
		node->last->next = added;
	else
		node->first = added;
	node->last = added;
}

const struct name_value *
name_index_exact(const struct name_index *index, const char *name)
{
	const struct node *node =
		*find_bucket(index, name, hash_bytes(name, strlen(name)));

	return node ? node->first : NULL;
}

const struct name_value *
name_index_wildcard(const struct name_index *index, const char *name)
{
	char pattern[HOSTNAME_MAX + 1];

	if (hostname_wildcard_for(name, pattern) != 0)
		return NULL;
	return name_index_exact(index, pattern);
}

size_t
name_index_count(const struct name_index *index)
{
	return index->count;
}
