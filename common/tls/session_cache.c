/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is to be known of each place, and behind it the contents, each in a page
 * of its own. How many there are is told by the memory's size, which is sealed:
 * nothing that is written into it can keep another process from using it.
 */
#include "common/tls/session_cache.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"

#define SET_SLOTS 8
#define KEY_SETS  2
#define PAGE      4096

struct session_cache {
	void *memory;
	size_t size;
	size_t set_count;
	struct session_slot *slots;
	struct session_slot_content *contents;
	struct session_entry entry; /* scratch: what is read, what is written */
};

static size_t
slots_size(size_t set_count)
{
	size_t size = set_count * SET_SLOTS * sizeof(struct session_slot);

	return (size + PAGE - 1) / PAGE * PAGE;
}

static size_t
size_of(size_t set_count)
{
	return slots_size(set_count) +
	       set_count * SET_SLOTS * SESSION_SLOT_SIZE;
}

int
session_cache_create(size_t size, struct error *error)
{
	size_t set_count = (size + SET_SLOTS - 1) / SET_SLOTS;
	int descriptor;

	assert(size > 0 && size <= SESSION_CACHE_SIZE_MAX);
	descriptor = memfd_create("sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (descriptor >= 0 &&
	    ftruncate(descriptor, (off_t)size_of(set_count)) == 0 &&
	    /* Nobody may take away what others have mapped. */
	    fcntl(descriptor, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return descriptor;
	error_set(error, "no memory for %zu sessions: %s", size,
		  strerror(errno));
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

/* How many sets there are in memory that session_cache_create() has made; 0:
 * it is something else. */
static size_t
set_count_of(int descriptor)
{
	struct stat status;
	size_t count;

	if (fcntl(descriptor, F_GET_SEALS) !=
		    (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ||
	    fstat(descriptor, &status) != 0)
		return 0;
	/* What rounds it up is less than a set. */
	count = (size_t)status.st_size /
		(SET_SLOTS * (sizeof(struct session_slot) + SESSION_SLOT_SIZE));
	return (size_t)status.st_size == size_of(count) ? count : 0;
}

struct session_cache *
session_cache_open(int descriptor, struct error *error)
{
	size_t set_count = set_count_of(descriptor);
	size_t size = size_of(set_count);
	struct session_cache *cache;
	void *memory;

	if (set_count == 0) {
		error_set(error, "this is no cache of sessions");
		return NULL;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      descriptor, 0);
	if (memory == MAP_FAILED) {
		error_set(error, "a cache of sessions cannot be mapped: %s",
			  strerror(errno));
		return NULL;
	}
	/* Who has a session's secret can read what was sent under it. */
	(void)madvise(memory, size, MADV_DONTDUMP);
	cache = mem_alloc(sizeof(*cache));
	cache->memory = memory;
	cache->size = size;
	cache->set_count = set_count;
	cache->slots = memory;
	cache->contents = (void *)((char *)memory + slots_size(set_count));
	return cache;
}

void
session_cache_free(struct session_cache *cache)
{
	if (!cache)
		return;
	munmap(cache->memory, cache->size);
	mem_wipe(&cache->entry, sizeof(cache->entry));
	mem_free(cache);
}

size_t
session_cache_capacity(const struct session_cache *cache)
{
	return cache->set_count * SET_SLOTS;
}

/* The first place of one of a key's sets. */
static size_t
first_of(const struct session_cache *cache,
	 const uint64_t key[SESSION_SLOT_KEY_WORDS], size_t set)
{
	return (size_t)(key[set] % cache->set_count) * SET_SLOTS;
}

/* The index of one of the places that a key may have. */
static size_t
index_of(const struct session_cache *cache,
	 const uint64_t key[SESSION_SLOT_KEY_WORDS], size_t i)
{
	return first_of(cache, key, i / SET_SLOTS) + i % SET_SLOTS;
}

static struct session_place
place_at(const struct session_cache *cache, size_t index)
{
	return (struct session_place){&cache->slots[index],
				      &cache->contents[index], 0};
}

static uint64_t
word_of(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void
note_use(struct session_slot *slot, int64_t now_ms)
{
	atomic_store_explicit(&slot->used_ms, (uint64_t)now_ms,
			      memory_order_relaxed);
}

/* What a place is worth: the less, the rather it gives way to another key. */
#define WORTH_SAME    0 /* it is this key's */
#define WORTH_NOTHING 1
#define WORTH_USED    2 /* and more: when that was */
#define WORTH_HELD    UINT64_MAX

static uint64_t
worth_of(const struct session_slot *slot, const uint64_t *key, int64_t now_ms,
	 uint64_t now)
{
	uint64_t used_ms;

	if (session_slot_has_key(slot, key))
		return WORTH_SAME;
	switch (session_slot_state(slot, now_ms)) {
	case SESSION_SLOT_FREE:
	case SESSION_SLOT_ABANDONED:
		return WORTH_NOTHING;
	case SESSION_SLOT_TAKEN:
		if (word_of(&slot->expires) <= now)
			return WORTH_NOTHING;
		used_ms = word_of(&slot->used_ms);
		return used_ms < WORTH_USED ? WORTH_USED : used_ms;
	case SESSION_SLOT_WRITTEN:
		break;
	}
	return WORTH_HELD;
}

/* A set as a place for a key. */
struct set_look {
	uint64_t worth; /* of the place that gives way most easily */
	size_t index;   /* of that one */
	size_t free_count;
};

static struct set_look
look_at_set(const struct session_cache *cache, size_t first,
	    const uint64_t *key, int64_t now_ms)
{
	struct set_look look = {.worth = WORTH_HELD, .index = first};
	uint64_t now = (uint64_t)clock_real_s();

	for (size_t i = first; i < first + SET_SLOTS; i++) {
		uint64_t worth = worth_of(&cache->slots[i], key, now_ms, now);

		look.free_count += worth == WORTH_NOTHING;
		if (worth >= look.worth)
			continue;
		look.worth = worth;
		look.index = i;
	}
	return look;
}

/* Of two sets the emptier one; of two full ones that of the older place. */
static bool
is_better(const struct set_look *a, const struct set_look *b)
{
	if (a->worth == WORTH_SAME || b->worth == WORTH_SAME)
		return a->worth == WORTH_SAME;
	if (a->free_count != b->free_count)
		return a->free_count > b->free_count;
	return a->worth < b->worth;
}

/* Claim the place that gives way most easily. */
static bool
claim_place(const struct session_cache *cache, const uint64_t *key,
	    struct session_place *place)
{
	int64_t now_ms = clock_monotonic_ms();

	for (int attempt = 0; attempt < SET_SLOTS; attempt++) {
		struct set_look best = look_at_set(
			cache, first_of(cache, key, 0), key, now_ms);

		for (size_t i = 1; i < KEY_SETS; i++) {
			struct set_look look = look_at_set(
				cache, first_of(cache, key, i), key, now_ms);

			if (is_better(&look, &best))
				best = look;
		}
		if (best.worth == WORTH_HELD)
			return false;
		*place = place_at(cache, best.index);
		if (session_slot_claim(place, now_ms)) {
			note_use(place->slot, now_ms);
			return true;
		}
	}
	return false;
}

bool
session_cache_put(struct session_cache *cache,
		  const unsigned char key[SESSION_CACHE_KEY_SIZE],
		  const void *bytes, size_t length, int64_t expires)
{
	struct session_entry *entry = &cache->entry;
	struct session_place place;

	if (length == 0 || length > SESSION_SLOT_MAX || expires <= 0)
		return false;
	memcpy(entry->key, key, sizeof(entry->key));
	if (!claim_place(cache, entry->key, &place))
		return false;
	entry->expires = (uint64_t)expires;
	entry->length = length;
	/* The last word is copied as a whole. */
	entry->bytes[(length - 1) / sizeof(uint64_t)] = 0;
	memcpy(entry->bytes, bytes, length);
	session_slot_write(&place, entry);
	return session_slot_publish(&place);
}

const unsigned char *
session_cache_get(struct session_cache *cache,
		  const unsigned char key[SESSION_CACHE_KEY_SIZE],
		  size_t *length)
{
	uint64_t words[SESSION_SLOT_KEY_WORDS];
	uint64_t now = (uint64_t)clock_real_s();
	struct session_entry *entry = &cache->entry;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < KEY_SETS * SET_SLOTS; i++) {
		const struct session_place place =
			place_at(cache, index_of(cache, words, i));

		if (!session_slot_has_key(place.slot, words) ||
		    !session_slot_read(&place, entry) ||
		    memcmp(entry->key, words, sizeof(words)) != 0 ||
		    entry->expires <= now)
			continue;
		note_use(place.slot, clock_monotonic_ms());
		*length = entry->length;
		return (const unsigned char *)entry->bytes;
	}
	return NULL;
}

void
session_cache_remove(struct session_cache *cache,
		     const unsigned char key[SESSION_CACHE_KEY_SIZE])
{
	static const struct session_entry nothing;
	uint64_t words[SESSION_SLOT_KEY_WORDS];

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < KEY_SETS * SET_SLOTS; i++) {
		struct session_place place =
			place_at(cache, index_of(cache, words, i));

		if (!session_slot_has_key(place.slot, words) ||
		    !session_slot_claim(&place, clock_monotonic_ms()))
			continue;
		/* Between the two it may have become another's: that one is
		 * lost, and costs a full handshake. */
		session_slot_write(&place, &nothing);
		(void)session_slot_publish(&place);
	}
}
