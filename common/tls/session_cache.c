/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A header, what is to be known of each place, and the contents, each in a page
 * of its own.
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
#define PAGE      4096

/* Of which every process makes the same. */
#define MAGIC UINT64_C(0x73636163686531)

struct header {
	uint64_t magic;
	uint64_t set_count;
};

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
	return PAGE + slots_size(set_count) +
	       set_count * SET_SLOTS * SESSION_SLOT_SIZE;
}

int
session_cache_create(size_t size, struct error *error)
{
	struct header header = {
		MAGIC,
		(size + SET_SLOTS - 1) / SET_SLOTS,
	};
	int descriptor;

	assert(size > 0 && size <= SESSION_CACHE_SIZE_MAX);
	descriptor = memfd_create("sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (descriptor >= 0 &&
	    pwrite(descriptor, &header, sizeof(header), 0) ==
		    (ssize_t)sizeof(header) &&
	    ftruncate(descriptor, (off_t)size_of(header.set_count)) == 0 &&
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

static bool
is_cache(int descriptor, struct header *header)
{
	struct stat status;

	return pread(descriptor, header, sizeof(*header), 0) ==
		       (ssize_t)sizeof(*header) &&
	       header->magic == MAGIC && header->set_count > 0 &&
	       header->set_count <= SESSION_CACHE_SIZE_MAX &&
	       fstat(descriptor, &status) == 0 &&
	       status.st_size == (off_t)size_of(header->set_count) &&
	       fcntl(descriptor, F_GET_SEALS) ==
		       (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

struct session_cache *
session_cache_open(int descriptor, struct error *error)
{
	struct session_cache *cache;
	struct header header;
	size_t size;
	void *memory;

	if (!is_cache(descriptor, &header)) {
		error_set(error, "this is no cache of sessions");
		return NULL;
	}
	size = size_of(header.set_count);
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
	cache->set_count = header.set_count;
	cache->slots = (void *)((char *)memory + PAGE);
	cache->contents =
		(void *)((char *)cache->slots + slots_size(cache->set_count));
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

/* The first place of the set of a key. */
static size_t
first_of(const struct session_cache *cache,
	 const uint64_t key[SESSION_SLOT_KEY_WORDS])
{
	return (size_t)(key[0] % cache->set_count) * SET_SLOTS;
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

/* The less, the rather it gives way to another key; UINT64_MAX: never. */
static uint64_t
worth_of(const struct session_slot *slot, const uint64_t *key, int64_t now_ms,
	 uint64_t now)
{
	uint64_t used_ms;

	if (session_slot_has_key(slot, key))
		return 0;
	switch (session_slot_state(slot, now_ms)) {
	case SESSION_SLOT_FREE:
		return 1;
	case SESSION_SLOT_ABANDONED:
		return 2;
	case SESSION_SLOT_TAKEN:
		if (word_of(&slot->expires) <= now)
			return 1;
		used_ms = word_of(&slot->used_ms);
		return used_ms < 3 ? 3 : used_ms;
	case SESSION_SLOT_WRITTEN:
		break;
	}
	return UINT64_MAX;
}

/* Claim the place that gives way most easily. */
static bool
claim_place(const struct session_cache *cache, const uint64_t *key,
	    struct session_place *place)
{
	size_t first = first_of(cache, key);
	uint64_t now = (uint64_t)clock_real_s();
	int64_t now_ms = clock_monotonic_ms();

	for (int attempt = 0; attempt < SET_SLOTS; attempt++) {
		uint64_t least = UINT64_MAX;
		size_t best = first;

		for (size_t i = first; i < first + SET_SLOTS; i++) {
			uint64_t worth =
				worth_of(&cache->slots[i], key, now_ms, now);

			if (worth >= least)
				continue;
			least = worth;
			best = i;
		}
		if (least == UINT64_MAX)
			return false;
		*place = place_at(cache, best);
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
	size_t first;

	memcpy(words, key, sizeof(words));
	first = first_of(cache, words);
	for (size_t i = first; i < first + SET_SLOTS; i++) {
		const struct session_place place = place_at(cache, i);

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
	size_t first;

	memcpy(words, key, sizeof(words));
	first = first_of(cache, words);
	for (size_t i = first; i < first + SET_SLOTS; i++) {
		struct session_place place = place_at(cache, i);

		if (!session_slot_has_key(place.slot, words) ||
		    !session_slot_claim(&place, clock_monotonic_ms()))
			continue;
		/* Between the two it may have become another's: that one is
		 * lost, and costs a full handshake. */
		session_slot_write(&place, &nothing);
		(void)session_slot_publish(&place);
	}
}
