/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An array and a hash table over it.
 */
#include "common/route/gathered_keys.h"

#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/tls/certificate_record.h"
#include "common/tls/local_keys.h"

/* The slot of that key, or the free one where it would stand. */
static size_t *
find(const struct gathered_keys *keys, const unsigned char *key_id)
{
	size_t mask = keys->slot_count - 1;
	size_t at = (size_t)hash_bytes(key_id, KEY_ID_SIZE) & mask;

	while (keys->slots[at] &&
	       memcmp(keys->keys[keys->slots[at] - 1].certificate->key_id,
		      key_id, KEY_ID_SIZE) != 0)
		at = (at + 1) & mask;
	return &keys->slots[at];
}

static void
grow(struct gathered_keys *keys)
{
	keys->slot_count = keys->slot_count ? 2 * keys->slot_count : 16;
	mem_free(keys->slots);
	keys->slots = mem_array(keys->slot_count, sizeof(*keys->slots));
	keys->keys = mem_resize(keys->keys, keys->slot_count / 2,
				sizeof(*keys->keys));
	for (size_t i = 0; i < keys->count; i++)
		*find(keys, keys->keys[i].certificate->key_id) = i + 1;
}

void
gathered_keys_add(struct gathered_keys *keys,
		  const struct certificate_record *certificate,
		  unsigned int uses)
{
	size_t *slot;

	if (2 * keys->count >= keys->slot_count)
		grow(keys);
	slot = find(keys, certificate->key_id);
	if (*slot) {
		keys->keys[*slot - 1].uses |= uses;
		return;
	}
	keys->keys[keys->count++] = (struct gathered_key){certificate, uses};
	*slot = keys->count;
}

void
gathered_keys_clear(struct gathered_keys *keys)
{
	mem_free(keys->keys);
	mem_free(keys->slots);
	*keys = (struct gathered_keys){0};
}

void
gathered_keys_give(const struct gathered_keys *keys, struct local_keys *to)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct gathered_key *key = &keys->keys[i];

		local_keys_add_late(to, key->certificate->key_id,
				    key->certificate->key, key->uses);
	}
}

void
gathered_keys_take(const struct gathered_keys *keys, struct local_keys *from)
{
	for (size_t i = 0; i < keys->count; i++)
		local_keys_remove(from, keys->keys[i].certificate->key_id,
				  keys->keys[i].uses);
}
