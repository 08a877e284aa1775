/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared cache: what comes out is what went in, whole, or nothing, whoever
 * writes at the same time and whoever dies of it.
 */
#include "common/tls/session_cache.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "tests/unit/unit.h"

#define KEY_SIZE SESSION_CACHE_KEY_SIZE

static struct session_cache *
cache_of(size_t size)
{
	struct error error = {0};
	int descriptor = session_cache_create(size, &error);
	struct session_cache *cache = session_cache_open(descriptor, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
	close(descriptor);
	return cache;
}

static int64_t
in_seconds(int64_t seconds)
{
	return clock_real_ms() / 1000 + seconds;
}

/* As hashes are: all over the place. */
static const unsigned char *
key_of(uint64_t number)
{
	static unsigned char key[KEY_SIZE];

	for (size_t i = 0; i < KEY_SIZE / 8; i++) {
		uint64_t word = hash_siphash13(&number, sizeof(number), i, 7);

		memcpy(key + i * 8, &word, 8);
	}
	return key;
}

/* A key of these two sets, where there are so many. */
static const unsigned char *
key_in_sets(uint64_t one, uint64_t other, uint64_t number)
{
	static unsigned char key[KEY_SIZE];
	const uint64_t words[KEY_SIZE / 8] = {one, other, 0, number};

	memcpy(key, words, sizeof(key));
	return key;
}

/* Keys that are all of one set, in a cache of any size. */
static const unsigned char *
key_in_one_set(uint64_t number)
{
	return key_in_sets(0, 0, number);
}

static bool
put(struct session_cache *cache, const unsigned char *key, const char *text,
    int64_t seconds)
{
	return session_cache_put(cache, key, text, strlen(text),
				 in_seconds(seconds));
}

static bool
has(struct session_cache *cache, const unsigned char *key, const char *text)
{
	size_t length = 0;
	const unsigned char *found = session_cache_get(cache, key, &length);

	return found && length == strlen(text) &&
	       memcmp(found, text, length) == 0;
}

static bool
is_missing(struct session_cache *cache, const unsigned char *key)
{
	size_t length;

	return session_cache_get(cache, key, &length) == NULL;
}

static void
test_in_and_out(void)
{
	struct session_cache *cache = cache_of(1);
	char large[SESSION_SLOT_MAX + 2];

	CU_ASSERT_EQUAL(session_cache_capacity(cache), 8);
	CU_ASSERT(is_missing(cache, key_of(1)));
	CU_ASSERT(put(cache, key_of(1), "one", 100));
	CU_ASSERT(put(cache, key_of(2), "two, longer", 100));
	CU_ASSERT(has(cache, key_of(1), "one"));
	CU_ASSERT(has(cache, key_of(2), "two, longer"));
	CU_ASSERT(put(cache, key_of(2), "2", 100));
	CU_ASSERT(has(cache, key_of(2), "2"));
	session_cache_remove(cache, key_of(2));
	session_cache_remove(cache, key_of(3));
	CU_ASSERT(is_missing(cache, key_of(2)));
	CU_ASSERT(has(cache, key_of(1), "one"));
	memset(large, 'x', sizeof(large));
	large[SESSION_SLOT_MAX + 1] = '\0';
	CU_ASSERT_FALSE(put(cache, key_of(4), large, 100));
	CU_ASSERT(is_missing(cache, key_of(4)));
	large[SESSION_SLOT_MAX] = '\0';
	CU_ASSERT(put(cache, key_of(4), large, 100));
	CU_ASSERT(has(cache, key_of(4), large));
	CU_ASSERT_FALSE(put(cache, key_of(5), "", 100));
	session_cache_free(cache);
	session_cache_free(NULL);
}

static void
test_expiry(void)
{
	struct session_cache *cache = cache_of(8);

	CU_ASSERT(put(cache, key_of(1), "short", 10));
	CU_ASSERT(put(cache, key_of(2), "long", 100));
	clock_shift(11 * 1000);
	CU_ASSERT(is_missing(cache, key_of(1)));
	CU_ASSERT(has(cache, key_of(2), "long"));
	clock_shift(101 * 1000);
	CU_ASSERT(is_missing(cache, key_of(2)));
	CU_ASSERT_FALSE(
		session_cache_put(cache, key_of(3), "never", 5, INT64_MIN));
	clock_shift(0);
	session_cache_free(cache);
}

/* Of a full set the one that was of no use for the longest time gives way. */
static void
test_eviction(void)
{
	struct session_cache *cache = cache_of(64);

	CU_ASSERT_EQUAL(session_cache_capacity(cache), 64);
	for (uint64_t i = 0; i < 8; i++) {
		CU_ASSERT(put(cache, key_in_one_set(i), "kept", 1000));
		clock_shift(10 * (1 + (int64_t)i));
	}
	CU_ASSERT(has(cache, key_in_one_set(0), "kept"));
	CU_ASSERT(put(cache, key_in_one_set(8), "new", 1000));
	CU_ASSERT(is_missing(cache, key_in_one_set(1)));
	CU_ASSERT(has(cache, key_in_one_set(0), "kept"));
	for (uint64_t i = 2; i < 8; i++)
		CU_ASSERT(has(cache, key_in_one_set(i), "kept"));
	CU_ASSERT(has(cache, key_in_one_set(8), "new"));
	clock_shift(0);
	session_cache_free(cache);
}

static void
fill_set(struct session_cache *cache, uint64_t set, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		CU_ASSERT(put(cache, key_in_sets(set, set, i), "kept", 1000));
}

static size_t
count_in_set(struct session_cache *cache, uint64_t set, uint64_t count)
{
	size_t found = 0;

	for (uint64_t i = 0; i < count; i++)
		found += has(cache, key_in_sets(set, set, i), "kept");
	return found;
}

/* The emptier of a key's sets takes it, whichever comes first; of two that are
 * full that which has what was of no use for the longest time. */
static void
test_two_sets(void)
{
	for (uint64_t first = 1; first <= 2; first++) {
		const uint64_t second = 3 - first;
		struct session_cache *cache = cache_of(64);

		/* Room in one of them alone. */
		fill_set(cache, 1, 8);
		clock_shift(200 * 1000);
		for (uint64_t i = 0; i < 8; i++)
			CU_ASSERT(put(cache, key_in_sets(first, second, i),
				      "both", 1000));
		clock_shift(100 * 1000);
		CU_ASSERT_EQUAL(count_in_set(cache, 1, 8), 8);
		/* In none. The oldest is in set 1; then it is in set 2. */
		clock_shift(300 * 1000);
		for (uint64_t i = 1; i < 8; i++)
			CU_ASSERT(has(cache, key_in_sets(1, 1, i), "kept"));
		clock_shift(400 * 1000);
		CU_ASSERT(put(cache, key_in_sets(first, second, 8), "both",
			      1000));
		CU_ASSERT(is_missing(cache, key_in_sets(1, 1, 0)));
		CU_ASSERT(put(cache, key_in_sets(first, second, 9), "both",
			      1000));
		CU_ASSERT_EQUAL(count_in_set(cache, 1, 8), 7);
		CU_ASSERT(is_missing(cache, key_in_sets(first, second, 0)));
		for (uint64_t i = 1; i < 10; i++)
			CU_ASSERT(has(cache, key_in_sets(first, second, i),
				      "both"));
		clock_shift(0);
		session_cache_free(cache);
	}
}

/* A key has one place, also when its other set would be the better one by now,
 * and is found and removed in either. */
static void
test_one_place(void)
{
	for (uint64_t home = 1; home <= 2; home++) {
		for (uint64_t first = 1; first <= 2; first++) {
			const uint64_t second = 3 - first;
			unsigned char key[KEY_SIZE];
			struct session_cache *cache = cache_of(64);

			memcpy(key, key_in_sets(first, second, 100),
			       sizeof(key));
			fill_set(cache, 3 - home, 1);
			CU_ASSERT(put(cache, key, "old", 1000));
			fill_set(cache, home, 7);
			CU_ASSERT(put(cache, key, "new", 1000));
			CU_ASSERT(has(cache, key, "new"));
			/* The set is full with it. */
			CU_ASSERT_EQUAL(count_in_set(cache, home, 7), 7);
			CU_ASSERT_EQUAL(count_in_set(cache, 3 - home, 1), 1);
			session_cache_remove(cache, key);
			CU_ASSERT(is_missing(cache, key));
			session_cache_free(cache);
		}
	}
}

/* As long as there is room for all, none is lost to the places of its key. */
static void
test_balance(void)
{
	struct session_cache *cache = cache_of(2000);

	for (uint64_t i = 0; i < 1300; i++)
		CU_ASSERT(put(cache, key_of(i), "session", 1000));
	for (uint64_t i = 0; i < 1300; i++)
		CU_ASSERT(has(cache, key_of(i), "session"));
	/* Whatever has expired is room again. */
	clock_shift(1001 * 1000);
	for (uint64_t i = 2000; i < 3300; i++)
		CU_ASSERT(put(cache, key_of(i), "session", 1000));
	for (uint64_t i = 2000; i < 3300; i++)
		CU_ASSERT(has(cache, key_of(i), "session"));
	clock_shift(0);
	session_cache_free(cache);
}

/* However many come, no more are kept than there is room for, and the newest
 * are. */
static void
test_bound(void)
{
	struct session_cache *cache = cache_of(256);
	size_t found = 0;

	for (uint64_t i = 0; i < 10000; i++)
		CU_ASSERT(put(cache, key_of(i), "session", 1000));
	CU_ASSERT(has(cache, key_of(9999), "session"));
	for (uint64_t i = 0; i < 10000; i++)
		found += !is_missing(cache, key_of(i));
	CU_ASSERT(found <= 256 && found > 250);
	session_cache_free(cache);
}

static void
test_what_is_no_cache(void)
{
	struct error error = {0};
	int sealed = sealed_new("other", "some bytes that are others", 26);
	int cache = session_cache_create(9, &error);

	CU_ASSERT_FATAL(sealed >= 0 && cache >= 0);
	CU_ASSERT_PTR_NULL(session_cache_open(sealed, &error));
	CU_ASSERT_STRING_EQUAL(error.text, "this is no cache of sessions");
	CU_ASSERT_PTR_NULL(session_cache_open(-1, &error));
	/* Nobody pulls it away from under the others. */
	CU_ASSERT(ftruncate(cache, 0) != 0);
	CU_ASSERT(ftruncate(cache, 100 << 20) != 0);
	close(sealed);
	close(cache);
}

/* Of whatever size it was made, it is that large for everyone. */
static void
test_sizes(void)
{
	for (size_t size = 1; size < 3000; size += 7) {
		struct session_cache *cache = cache_of(size);

		CU_ASSERT_EQUAL(session_cache_capacity(cache),
				(size + 7) / 8 * 8);
		session_cache_free(cache);
	}
}

/* One of those who share it may write whatever it likes: the others find
 * nothing, and can go on. */
static void
test_overwritten(void)
{
	struct error error = {0};
	int descriptor = session_cache_create(64, &error);
	struct session_cache *cache = session_cache_open(descriptor, &error);
	unsigned char junk[4096];

	CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
	CU_ASSERT(put(cache, key_of(1), "session", 1000));
	for (unsigned char byte = 0; byte < 3; byte++) {
		memset(junk, byte == 2 ? 0xff : byte, sizeof(junk));
		for (off_t at = 0; at < 65 * 4096; at += 4096)
			CU_ASSERT(pwrite(descriptor, junk, sizeof(junk), at) ==
				  sizeof(junk));
		session_cache_free(cache);
		cache = session_cache_open(descriptor, &error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
		CU_ASSERT(is_missing(cache, key_of(1)));
		(void)put(cache, key_of(1), "session", 1000);
	}
	session_cache_free(cache);
	close(descriptor);
}

/* One place, seen by two writers. */
struct one_place {
	struct session_slot slot;
	struct session_slot_content content;
};

static struct session_place
place_in(struct one_place *place)
{
	return (struct session_place){&place->slot, &place->content, 0};
}

static struct session_entry *
entry_of(const char *text)
{
	struct session_entry *entry = mem_alloc(sizeof(*entry));

	memcpy(entry->key, key_of(1), KEY_SIZE);
	entry->expires = 1000;
	entry->length = strlen(text);
	memcpy(entry->bytes, text, entry->length);
	return entry;
}

static bool
reads(struct one_place *place, const char *text)
{
	AUTO_FREE struct session_entry *entry = mem_alloc(sizeof(*entry));
	struct session_place at = place_in(place);

	return session_slot_read(&at, entry) && entry->length == strlen(text) &&
	       memcmp(entry->bytes, text, entry->length) == 0;
}

static bool
reads_nothing(struct one_place *place)
{
	AUTO_FREE struct session_entry *entry = mem_alloc(sizeof(*entry));
	struct session_place at = place_in(place);

	return !session_slot_read(&at, entry);
}

/* A writer that dies: after how many of its steps? */
static void
die_after(struct one_place *place, int steps)
{
	AUTO_FREE struct session_entry *entry = entry_of("of the dead");
	struct session_place at = place_in(place);

	CU_ASSERT(session_slot_claim(&at, 5000));
	if (steps == 1)
		return;
	session_slot_write(&at, entry);
	if (steps == 2)
		return;
	CU_ASSERT(session_slot_publish(&at));
}

static void
test_dead_writers(void)
{
	AUTO_FREE struct session_entry *entry = entry_of("of the living");

	for (int steps = 1; steps <= 3; steps++) {
		AUTO_FREE struct one_place *place = mem_alloc(sizeof(*place));
		struct session_place at = place_in(place);

		die_after(place, steps);
		if (steps == 3) {
			CU_ASSERT(reads(place, "of the dead"));
			CU_ASSERT(session_slot_claim(&at, 5001));
		} else {
			CU_ASSERT(reads_nothing(place));
			CU_ASSERT_EQUAL(session_slot_state(&place->slot, 6000),
					SESSION_SLOT_WRITTEN);
			CU_ASSERT_FALSE(session_slot_claim(&at, 6000));
			CU_ASSERT_EQUAL(session_slot_state(&place->slot, 6001),
					SESSION_SLOT_ABANDONED);
			CU_ASSERT(session_slot_claim(&at, 6001));
		}
		CU_ASSERT(reads_nothing(place));
		session_slot_write(&at, entry);
		CU_ASSERT(reads_nothing(place));
		CU_ASSERT(session_slot_publish(&at));
		CU_ASSERT(reads(place, "of the living"));
	}
}

/* A writer that was only asleep goes on with a place that is another's. */
static void
test_sleeping_writer(void)
{
	AUTO_FREE struct one_place *place = mem_alloc(sizeof(*place));
	AUTO_FREE struct session_entry *slow = entry_of("of the slow one");
	AUTO_FREE struct session_entry *quick = entry_of("of the quick one");
	struct session_place a = place_in(place), b = place_in(place);

	CU_ASSERT(session_slot_claim(&a, 5000));
	CU_ASSERT(session_slot_claim(&b, 7000));
	session_slot_write(&b, quick);
	CU_ASSERT_FALSE(session_slot_publish(&a));
	CU_ASSERT(session_slot_publish(&b));
	CU_ASSERT(reads(place, "of the quick one"));
	CU_ASSERT_FALSE(session_slot_publish(&a));
	/* What it writes now nobody takes for good: half of it, all of it. */
	place->content.words[1] = slow->bytes[0];
	place->content.words[2] = slow->bytes[1];
	CU_ASSERT(reads_nothing(place));
	session_slot_write(&a, slow);
	CU_ASSERT_FALSE(session_slot_publish(&a));
	CU_ASSERT(session_slot_claim(&b, 7001));
	session_slot_write(&b, quick);
	CU_ASSERT(session_slot_publish(&b));
	CU_ASSERT(reads(place, "of the quick one"));
}

/* Every byte that is not as it was written is noticed. */
static void
test_damage(void)
{
	AUTO_FREE struct one_place *place = mem_alloc(sizeof(*place));
	AUTO_FREE struct session_entry *entry = entry_of("what was written");
	struct session_place at = place_in(place);

	CU_ASSERT(session_slot_claim(&at, 5000));
	session_slot_write(&at, entry);
	CU_ASSERT(session_slot_publish(&at));
	for (size_t i = 0; i < 16; i++) {
		_Atomic uint64_t *word = &place->content.words[1 + i / 8];

		*word ^= UINT64_C(1) << i % 8 * 8;
		CU_ASSERT(reads_nothing(place));
		*word ^= UINT64_C(1) << i % 8 * 8;
	}
	place->slot.key[3] ^= 1;
	CU_ASSERT(reads_nothing(place));
	place->slot.key[3] ^= 1;
	place->slot.expires++;
	CU_ASSERT(reads_nothing(place));
	place->slot.expires--;
	place->slot.length--;
	CU_ASSERT(reads_nothing(place));
	place->slot.length = SESSION_SLOT_MAX + 1;
	CU_ASSERT(reads_nothing(place));
	place->slot.length = UINT64_MAX;
	CU_ASSERT(reads_nothing(place));
	place->slot.length = 16;
	CU_ASSERT(reads(place, "what was written"));
}

/* Places that somebody writes are passed by; where there is no other nothing is
 * kept, until they count as abandoned. */
static void
test_held_places(void)
{
	struct error error = {0};
	int descriptor = session_cache_create(8, &error);
	struct session_cache *cache = session_cache_open(descriptor, &error);
	struct session_slot *slots;
	struct session_place places[8];
	/* The longest to come. */
	int64_t claimed_ms = clock_monotonic_ms() + SESSION_SLOT_CLAIM_MS;

	CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
	slots = mmap(NULL, sizeof(*slots) * 8, PROT_READ | PROT_WRITE,
		     MAP_SHARED, descriptor, 0);
	CU_ASSERT_FATAL(slots != MAP_FAILED);
	for (size_t i = 0; i < 8; i++) {
		places[i] = (struct session_place){.slot = &slots[i]};
		if (i == 5)
			continue;
		CU_ASSERT(session_slot_claim(&places[i], claimed_ms));
	}
	for (uint64_t i = 0; i < 3; i++) {
		CU_ASSERT(put(cache, key_of(i), "one place", 1000));
		CU_ASSERT(has(cache, key_of(i), "one place"));
		CU_ASSERT(i == 0 || is_missing(cache, key_of(i - 1)));
	}
	CU_ASSERT(session_slot_claim(&places[5], claimed_ms));
	CU_ASSERT_FALSE(put(cache, key_of(3), "no place", 1000));
	CU_ASSERT(is_missing(cache, key_of(2)));
	CU_ASSERT(is_missing(cache, key_of(3)));
	clock_shift(2 * SESSION_SLOT_CLAIM_MS + 1);
	for (uint64_t i = 4; i < 12; i++)
		CU_ASSERT(put(cache, key_of(i), "again", 1000));
	for (uint64_t i = 4; i < 12; i++)
		CU_ASSERT(has(cache, key_of(i), "again"));
	for (size_t i = 0; i < 8; i++)
		CU_ASSERT_FALSE(session_slot_publish(&places[i]));
	clock_shift(0);
	munmap(slots, sizeof(*slots) * 8);
	session_cache_free(cache);
	close(descriptor);
}

/* Many processes at the same few places. Content is made of its key and of who
 * wrote it when, so that everyone can check what comes out. */
#define HAMMERED_KEYS 40
#define HAMMERERS     4
#define TURNS         15000

static size_t
make_content(uint64_t number, uint64_t salt, uint64_t *words)
{
	size_t count = 3 + salt % 500;

	words[0] = number;
	words[1] = salt;
	for (size_t i = 2; i < count; i++)
		words[i] = (number + 1) * 0x9e3779b97f4a7c15 ^ salt * i;
	return count * 8 - salt % 8;
}

static bool
is_content(uint64_t number, const unsigned char *bytes, size_t length)
{
	uint64_t expected[512] = {0}, salt;

	if (length < 16)
		return false;
	memcpy(&salt, bytes + 8, 8);
	return make_content(number, salt, expected) == length &&
	       memcmp(expected, bytes, length) == 0;
}

/* Returns how much came out, or does not return. */
static uint64_t
hammer(struct session_cache *cache, uint64_t seed, uint64_t turns)
{
	uint64_t words[512], found = 0;

	for (uint64_t turn = 0; turn < turns; turn++) {
		uint64_t random = hash_siphash13(&turn, 8, seed, 1);
		uint64_t number = random % HAMMERED_KEYS;
		const unsigned char *bytes;
		size_t length;

		switch (random >> 32 & 3) {
		case 0:
			length = make_content(number, random >> 40, words);
			(void)session_cache_put(cache, key_of(number), words,
						length, in_seconds(1000));
			break;
		case 1:
			if ((random >> 34 & 15) == 0)
				session_cache_remove(cache, key_of(number));
			break;
		default:
			bytes = session_cache_get(cache, key_of(number),
						  &length);
			if (!bytes)
				break;
			found++;
			if (!is_content(number, bytes, length))
				_exit(1);
		}
	}
	return found;
}

static pid_t
spawn_hammer(int descriptor, uint64_t seed, uint64_t turns)
{
	struct error error = {0};
	pid_t child = fork();
	struct session_cache *cache;
	uint64_t found;

	if (child != 0)
		return child;
	cache = session_cache_open(descriptor, &error);
	found = hammer(cache, seed, turns);
	session_cache_free(cache);
	_exit(found > 0 ? 0 : 2);
}

static bool
all_well(const pid_t *children, size_t count, int signal_number)
{
	bool is_well = true;

	for (size_t i = 0; i < count; i++) {
		int status = -1;

		is_well &= waitpid(children[i], &status, 0) == children[i] &&
			   ((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
			    (signal_number && WIFSIGNALED(status) &&
			     WTERMSIG(status) == signal_number));
	}
	return is_well;
}

static void
test_many_processes(void)
{
	struct error error = {0};
	int descriptor = session_cache_create(16, &error);
	pid_t children[HAMMERERS];

	CU_ASSERT_FATAL(descriptor >= 0);
	for (uint64_t i = 0; i < HAMMERERS; i++)
		children[i] = spawn_hammer(descriptor, i, TURNS);
	CU_ASSERT(all_well(children, HAMMERERS, 0));
	close(descriptor);
}

/* Those of them that are killed wherever they are leave no place behind that
 * nobody can use. */
static void
test_killed_processes(void)
{
	struct error error = {0};
	int descriptor = session_cache_create(16, &error);
	struct session_cache *cache = session_cache_open(descriptor, &error);
	pid_t children[2];

	CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
	for (uint64_t round = 0; round < 30; round++) {
		for (uint64_t i = 0; i < 2; i++)
			children[i] = spawn_hammer(descriptor, round * 2 + i,
						   UINT64_MAX);
		(void)hammer(cache, 1000 + round, 500);
		for (size_t i = 0; i < 2; i++)
			kill(children[i], SIGKILL);
		CU_ASSERT(all_well(children, 2, SIGKILL));
	}
	clock_shift(SESSION_SLOT_CLAIM_MS + 1);
	/* Both sets are full of what was written last. */
	for (uint64_t i = 0; i < 200; i++)
		CU_ASSERT(put(cache, key_of(1000 + i), "after", 1000));
	for (uint64_t i = 0; i < HAMMERED_KEYS; i++)
		CU_ASSERT(is_missing(cache, key_of(i)));
	clock_shift(0);
	session_cache_free(cache);
	close(descriptor);
}

UNIT_SUITE(session_cache, {"in and out", test_in_and_out},
	   {"expiry", test_expiry}, {"eviction", test_eviction},
	   {"two sets", test_two_sets}, {"one place", test_one_place},
	   {"balance", test_balance}, {"bound", test_bound},
	   {"what is no cache", test_what_is_no_cache}, {"sizes", test_sizes},
	   {"overwritten", test_overwritten},
	   {"dead writers", test_dead_writers},
	   {"sleeping writer", test_sleeping_writer}, {"damage", test_damage},
	   {"held places", test_held_places},
	   {"many processes", test_many_processes},
	   {"killed processes", test_killed_processes});
