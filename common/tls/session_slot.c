/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sequence lock whose data are relaxed atomic words (Boehm, "Can seqlocks get
 * along with programming language memory models?"), without its spinning: a
 * reader that meets a writer has found nothing.
 */
#include "common/tls/session_slot.h"

#include <assert.h>
#include <string.h>

#include "common/base/hash.h"

/* A version: the time of its claim, and behind it a count that is odd while
 * somebody writes. */
#define COUNT_BITS 20
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

/* It finds what two writers have mixed; nothing needs to be kept from somebody
 * who could write into the cache. */
#define CHECKSUM_KEY0 UINT64_C(0x7365616c6f636b31)
#define CHECKSUM_KEY1 UINT64_C(0x73657373696f6e73)

static bool
is_written(uint64_t version)
{
	return version & 1;
}

static bool
is_abandoned(uint64_t version, int64_t now_ms)
{
	int64_t claimed_ms = (int64_t)(version >> COUNT_BITS);

	return now_ms - claimed_ms > SESSION_SLOT_CLAIM_MS ||
	       claimed_ms - now_ms > SESSION_SLOT_CLAIM_MS;
}

static size_t
word_count(size_t length)
{
	return (length + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

static uint64_t
load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void
store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static uint64_t
checksum(const struct session_entry *entry)
{
	uint64_t words[SESSION_SLOT_KEY_WORDS + 3];

	memcpy(words, entry->key, sizeof(entry->key));
	words[SESSION_SLOT_KEY_WORDS] = entry->expires;
	words[SESSION_SLOT_KEY_WORDS + 1] = entry->length;
	words[SESSION_SLOT_KEY_WORDS + 2] = hash_siphash13(
		entry->bytes, entry->length, CHECKSUM_KEY0, CHECKSUM_KEY1);
	return hash_siphash13(words, sizeof(words), CHECKSUM_KEY0,
			      CHECKSUM_KEY1);
}

enum session_slot_state
session_slot_state(const struct session_slot *slot, int64_t now_ms)
{
	uint64_t version =
		atomic_load_explicit(&slot->version, memory_order_acquire);

	if (is_written(version))
		return is_abandoned(version, now_ms) ? SESSION_SLOT_ABANDONED
						     : SESSION_SLOT_WRITTEN;
	return load(&slot->length) == 0 ? SESSION_SLOT_FREE
					: SESSION_SLOT_TAKEN;
}

bool
session_slot_has_key(const struct session_slot *slot,
		     const uint64_t key[SESSION_SLOT_KEY_WORDS])
{
	uint64_t version =
		atomic_load_explicit(&slot->version, memory_order_acquire);

	if (is_written(version) || load(&slot->length) == 0)
		return false;
	for (size_t i = 0; i < SESSION_SLOT_KEY_WORDS; i++)
		if (load(&slot->key[i]) != key[i])
			return false;
	return true;
}

bool
session_slot_read(const struct session_place *place,
		  struct session_entry *entry)
{
	const struct session_slot *slot = place->slot;
	const _Atomic uint64_t *words = place->content->words;
	uint64_t version =
		atomic_load_explicit(&slot->version, memory_order_acquire);
	uint64_t sum;

	entry->length = 0;
	if (is_written(version))
		return false;
	for (size_t i = 0; i < SESSION_SLOT_KEY_WORDS; i++)
		entry->key[i] = load(&slot->key[i]);
	entry->expires = load(&slot->expires);
	entry->length = load(&slot->length);
	if (entry->length == 0 || entry->length > SESSION_SLOT_MAX)
		return false;
	sum = load(&words[0]);
	for (size_t i = 0; i < word_count(entry->length); i++)
		entry->bytes[i] = load(&words[1 + i]);
	atomic_thread_fence(memory_order_acquire);
	return load(&slot->version) == version && checksum(entry) == sum;
}

bool
session_slot_claim(struct session_place *place, int64_t now_ms)
{
	struct session_slot *slot = place->slot;
	uint64_t version = load(&slot->version);
	uint64_t count = (version & COUNT_MASK) + 1;

	if (is_written(version)) {
		if (!is_abandoned(version, now_ms))
			return false;
		count++;
	}
	place->claim = (uint64_t)now_ms << COUNT_BITS | (count & COUNT_MASK);
	if (!atomic_compare_exchange_strong_explicit(
		    &slot->version, &version, place->claim,
		    memory_order_acquire, memory_order_relaxed))
		return false;
	/* Who sees a word of what follows sees that somebody writes. */
	atomic_thread_fence(memory_order_release);
	return true;
}

void
session_slot_write(const struct session_place *place,
		   const struct session_entry *entry)
{
	struct session_slot *slot = place->slot;
	_Atomic uint64_t *words = place->content->words;
	size_t count = word_count(entry->length);

	assert(entry->length <= SESSION_SLOT_MAX);
	for (size_t i = 0; i < SESSION_SLOT_KEY_WORDS; i++)
		store(&slot->key[i], entry->key[i]);
	store(&slot->expires, entry->expires);
	store(&slot->length, entry->length);
	store(&words[0], checksum(entry));
	/* Nothing stays of what stood there. */
	for (size_t i = 0; i < SESSION_SLOT_WORDS - 1; i++)
		store(&words[1 + i], i < count ? entry->bytes[i] : 0);
}

bool
session_slot_publish(const struct session_place *place)
{
	uint64_t version = place->claim;
	uint64_t next = (version & ~COUNT_MASK) | ((version + 1) & COUNT_MASK);

	return atomic_compare_exchange_strong_explicit(
		&place->slot->version, &version, next, memory_order_release,
		memory_order_relaxed);
}
