/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by key id. Ids are hashes themselves, but of what may come from
 * outside: they are hashed again with the process's key.
 */
#include "common/tls/local_keys.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/tls/key_operation.h"
#include "common/tls/remote_key.h"
#include "common/tls/signer.h"

/* As many as enum key_use has. */
#define USE_COUNT 4

#define BUCKETS_MIN 16

struct entry {
	struct entry *next; /* of the same bucket */
	unsigned char key_id[KEY_ID_SIZE];
	struct signer_key *key;
	unsigned int references;
	unsigned int use_references[USE_COUNT]; /* for each bit */
};

struct local_keys {
	struct entry **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
};

/* What local_keys_install() was given last. */
static const struct local_keys *installed;

/* NULL until it is first asked for; and who signs with other keys. */
static struct local_keys *own;
static struct remote_key_functions elsewhere;

struct local_keys *
local_keys_new(void)
{
	struct local_keys *keys = mem_alloc(sizeof(*keys));

	keys->bucket_count = BUCKETS_MIN;
	keys->buckets = mem_array(BUCKETS_MIN, sizeof(*keys->buckets));
	return keys;
}

static void
entry_free(struct entry *entry)
{
	signer_key_free(entry->key);
	mem_free(entry);
}

void
local_keys_free(struct local_keys *keys)
{
	if (!keys)
		return;
	if (installed == keys)
		installed = NULL;
	for (size_t i = 0; i < keys->bucket_count; i++) {
		while (keys->buckets[i]) {
			struct entry *entry = keys->buckets[i];

			keys->buckets[i] = entry->next;
			entry_free(entry);
		}
	}
	mem_free(keys->buckets);
	mem_free(keys);
}

/* The pointer to the entry with that id, or to the end of its bucket. */
static struct entry **
find(const struct local_keys *keys, const unsigned char key_id[KEY_ID_SIZE])
{
	uint64_t hash = hash_bytes(key_id, KEY_ID_SIZE);
	struct entry **at = &keys->buckets[hash & (keys->bucket_count - 1)];

	while (*at && memcmp((*at)->key_id, key_id, KEY_ID_SIZE) != 0)
		at = &(*at)->next;
	return at;
}

static void
grow(struct local_keys *keys)
{
	struct entry **old = keys->buckets;
	size_t old_count = keys->bucket_count;

	keys->bucket_count *= 2;
	keys->buckets = mem_array(keys->bucket_count, sizeof(*keys->buckets));
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct entry *entry = old[i];
			struct entry **at;

			old[i] = entry->next;
			entry->next = NULL;
			at = find(keys, entry->key_id);
			*at = entry;
		}
	}
	mem_free(old);
}

/* Takes the signer; at is the end of its bucket. */
static struct entry *
insert(struct local_keys *keys, struct entry **at,
       const unsigned char key_id[KEY_ID_SIZE], struct signer_key *signer)
{
	struct entry *entry = mem_alloc(sizeof(*entry));

	memcpy(entry->key_id, key_id, KEY_ID_SIZE);
	entry->key = signer;
	*at = entry;
	if (++keys->count > keys->bucket_count)
		grow(keys);
	return entry;
}

static void
count_in(struct entry *entry, unsigned int uses)
{
	entry->references++;
	for (unsigned int i = 0; i < USE_COUNT; i++)
		entry->use_references[i] += uses >> i & 1;
}

int
local_keys_add(struct local_keys *keys, const unsigned char key_id[KEY_ID_SIZE],
	       EVP_PKEY *key, unsigned int uses, struct error *error)
{
	struct entry **at = find(keys, key_id);
	struct signer_key *signer;

	if (*at) {
		count_in(*at, uses);
		return 0;
	}
	signer = signer_key_new(key, error);
	if (!signer)
		return -1;
	count_in(insert(keys, at, key_id, signer), uses);
	return 0;
}

void
local_keys_add_late(struct local_keys *keys,
		    const unsigned char key_id[KEY_ID_SIZE],
		    struct private_key *key, unsigned int uses)
{
	struct entry **at = find(keys, key_id);

	count_in(*at ? *at : insert(keys, at, key_id, signer_key_new_late(key)),
		 uses);
}

void
local_keys_remove(struct local_keys *keys,
		  const unsigned char key_id[KEY_ID_SIZE], unsigned int uses)
{
	struct entry **at = find(keys, key_id);
	struct entry *entry = *at;

	if (!entry)
		return;
	for (unsigned int i = 0; i < USE_COUNT; i++)
		entry->use_references[i] -= uses >> i & 1;
	if (--entry->references > 0)
		return;
	*at = entry->next;
	entry_free(entry);
	keys->count--;
}

size_t
local_keys_count(const struct local_keys *keys)
{
	return keys->count;
}

struct signer_key *
local_keys_find(const struct local_keys *keys,
		const unsigned char key_id[KEY_ID_SIZE], unsigned int *uses)
{
	const struct entry *entry = *find(keys, key_id);

	*uses = 0;
	if (!entry)
		return NULL;
	for (unsigned int i = 0; i < USE_COUNT; i++)
		if (entry->use_references[i] > 0)
			*uses |= 1U << i;
	return entry->key;
}

int
local_keys_sign(const struct local_keys *keys,
		const unsigned char key_id[KEY_ID_SIZE],
		const struct sign_request *request, unsigned char *signature,
		size_t *length, struct error *error)
{
	unsigned int uses;
	struct signer_key *key = local_keys_find(keys, key_id, &uses);

	if (!key) {
		error_set(error, "there is no such key");
		return -1;
	}
	return signer_sign(key, uses, request, signature, length, error);
}

/* What is refused is logged. */
static int
sign_with(const struct local_keys *keys,
	  const unsigned char key_id[KEY_ID_SIZE],
	  const struct sign_request *request, unsigned char *signature,
	  size_t *length)
{
	static struct log_limit limit;
	struct error error = {0};

	if (keys && local_keys_sign(keys, key_id, request, signature, length,
				    &error) == 0)
		return 0;
	log_event_limited(&limit, LOG_LEVEL_ERROR, "signature refused",
			  "why=\"%s\"",
			  keys ? error.text : "there are no keys");
	return -1;
}

static int
sign(const unsigned char key_id[KEY_ID_SIZE],
     const struct sign_request *request, unsigned char *signature,
     size_t *length)
{
	return sign_with(installed, key_id, request, signature, length);
}

int
local_keys_install(struct local_keys *keys, struct error *error)
{
	static const struct remote_key_functions functions = {.sign = sign};

	installed = keys;
	return remote_key_install(&functions, error);
}

/* The process's own table, and what is beyond it. */

static bool
is_own(const unsigned char key_id[KEY_ID_SIZE])
{
	return !elsewhere.sign || *find(own, key_id);
}

static int
sign_own_or(const unsigned char key_id[KEY_ID_SIZE],
	    const struct sign_request *request, unsigned char *signature,
	    size_t *length)
{
	if (is_own(key_id))
		return sign_with(own, key_id, request, signature, length);
	return elsewhere.sign(key_id, request, signature, length);
}

static int
start_own_or(struct key_operation *operation,
	     const unsigned char key_id[KEY_ID_SIZE],
	     const struct sign_request *request)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t length = sizeof(signature);

	if (!is_own(key_id))
		return elsewhere.start(operation, key_id, request);
	if (sign_with(own, key_id, request, signature, &length) == 0)
		(void)key_operation_answer(operation->number, signature,
					   length);
	else
		(void)key_operation_refuse(operation->number);
	return 0;
}

static int
install_own(struct error *error)
{
	const struct remote_key_functions functions = {
		.sign = sign_own_or,
		.start = elsewhere.start ? start_own_or : NULL,
	};

	if (!own)
		own = local_keys_new();
	return remote_key_install(&functions, error);
}

struct local_keys *
local_keys_own(struct error *error)
{
	return install_own(error) == 0 ? own : NULL;
}

int
local_keys_own_or(const struct remote_key_functions *functions,
		  struct error *error)
{
	elsewhere = functions ? *functions : (struct remote_key_functions){0};
	return install_own(error);
}
