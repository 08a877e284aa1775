/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process leaves of staples to its successor, and what that one makes of
 * any other bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/tls/staple_table.h"
#include "daemon/helper/staple_store.h"
#include "tests/unit/unit.h"

#define NOW  INT64_C(1800000000000)
#define HOUR INT64_C(3600000)
#define MOST ((size_t)1 << 20)

/* Of a store and of a staple without its answer. */
#define HEAD 13
#define BARE 80

static void
leaf_of(unsigned int number, unsigned char *leaf)
{
	memset(leaf, 0, STAPLE_LEAF_SIZE);
	memcpy(leaf + 8, &number, sizeof(number));
}

static struct stored_staple *
get(struct staple_store *store, unsigned int number)
{
	unsigned char leaf[STAPLE_LEAF_SIZE];

	leaf_of(number, leaf);
	return staple_store_get(store, leaf);
}

static void
fill(struct staple_store *store, unsigned int count)
{
	staple_store_init(store);
	for (unsigned int i = 0; i < count; i++) {
		struct stored_staple *staple = get(store, i);
		AUTO_FREE char *text = mem_format("answer %u", i);

		CU_ASSERT_PTR_NULL(staple->bytes);
		staple->schedule = (struct staple_schedule){
			.asked_ms = NOW - HOUR + i,
			.due_ms = NOW + HOUR + i,
			.failures = i,
		};
		staple->asked_whom = 77 + i;
		if (i % 3 != 2)
			stored_staple_set(staple, text, strlen(text),
					  NOW - 2 * HOUR, NOW + 2 * HOUR + i);
	}
	CU_ASSERT_EQUAL(store->count, count);
}

static bool
is_filled(struct staple_store *store, unsigned int number)
{
	const struct stored_staple *staple = get(store, number);
	AUTO_FREE char *text = mem_format("answer %u", number);

	if (staple->schedule.asked_ms != NOW - HOUR + number ||
	    staple->schedule.due_ms != NOW + HOUR + number ||
	    staple->schedule.failures != number ||
	    staple->asked_whom != 77 + number || staple->is_judged)
		return false;
	if (number % 3 == 2)
		return !staple->bytes && staple->end_ms == 0;
	return staple->bytes && staple->length == strlen(text) &&
	       memcmp(staple->bytes, text, staple->length) == 0 &&
	       staple->begin_ms == NOW - 2 * HOUR &&
	       staple->end_ms == NOW + 2 * HOUR + number;
}

static void
test_to_and_fro(void)
{
	enum {
		MANY = 500
	};
	struct staple_store store, other;
	AUTO_FREE unsigned char *bytes = NULL;
	int64_t asking_ms = 0;
	size_t length;

	fill(&store, MANY);
	bytes = staple_store_encode(&store, NOW - 1, MOST, &length);
	staple_store_init(&other);
	CU_ASSERT_EQUAL(
		staple_store_decode(&other, bytes, length, NOW, &asking_ms), 0);
	CU_ASSERT_EQUAL(asking_ms, NOW - 1);
	CU_ASSERT_EQUAL(other.count, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		CU_ASSERT_FATAL(is_filled(&other, i));
	staple_store_clear(&other);
	staple_store_clear(&store);
}

/* Answers go first, then staples. */
static void
test_bounded(void)
{
	struct staple_store store;

	fill(&store, 9);
	for (size_t most = HEAD; most < HEAD + 9 * (BARE + 9); most++) {
		size_t length;
		AUTO_FREE unsigned char *bytes =
			staple_store_encode(&store, 0, most, &length);
		struct staple_store other;
		int64_t asking_ms;

		CU_ASSERT(length <= most);
		staple_store_init(&other);
		CU_ASSERT_EQUAL(staple_store_decode(&other, bytes, length, NOW,
						    &asking_ms),
				0);
		CU_ASSERT_EQUAL(other.count, most - HEAD < 9 * BARE
						     ? (most - HEAD) / BARE
						     : 9);
		staple_store_clear(&other);
	}
	staple_store_clear(&store);
}

/* Whoever was due when it ended without a word may have been asked. */
static void
test_a_sudden_end(void)
{
	static const struct {
		int64_t asking_ms, due_ms, now_ms, asked_ms;
	} cases[] = {
		/* It was not due yet. */
		{NOW + 5000, NOW + 5001, NOW, 0},
		{NOW + 5000, NOW + 5000, NOW, 0},
		/* It was, and may have been asked until now ... */
		{NOW + 5000, NOW, NOW, NOW},
		{NOW + 5000, NOW - HOUR, NOW, NOW},
		/* ... or until the end of what was noted. */
		{NOW + 5000, NOW, NOW + HOUR, NOW + 5000},
		/* Nobody was asked. */
		{0, NOW - HOUR, NOW, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct staple_store store, other;
		AUTO_FREE unsigned char *bytes = NULL;
		int64_t asking_ms;
		size_t length;

		staple_store_init(&store);
		get(&store, 1)->schedule.due_ms = cases[i].due_ms;
		bytes = staple_store_encode(&store, cases[i].asking_ms, MOST,
					    &length);
		staple_store_init(&other);
		CU_ASSERT_EQUAL(staple_store_decode(&other, bytes, length,
						    cases[i].now_ms,
						    &asking_ms),
				0);
		CU_ASSERT_EQUAL(get(&other, 1)->schedule.asked_ms,
				cases[i].asked_ms);
		if (cases[i].asked_ms != 0)
			CU_ASSERT_EQUAL(get(&other, 1)->schedule.due_ms,
					cases[i].asked_ms + 60000);
		staple_store_clear(&other);
		staple_store_clear(&store);
	}
}

static bool
is_refused(const unsigned char *bytes, size_t length)
{
	AUTO_FREE unsigned char *exact = mem_dup(bytes, length);
	struct staple_store store;
	int64_t asking_ms;
	bool is_refused;

	staple_store_init(&store);
	is_refused = staple_store_decode(&store, exact, length, NOW,
					 &asking_ms) == -1;
	CU_ASSERT_EQUAL(is_refused && store.count > 0, false);
	staple_store_clear(&store);
	return is_refused;
}

static void
test_refused(void)
{
	struct staple_store store;
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO_FREE unsigned char *broken = NULL;
	size_t length;

	fill(&store, 4);
	bytes = staple_store_encode(&store, NOW, MOST, &length);
	staple_store_clear(&store);
	CU_ASSERT_FALSE(is_refused(bytes, length));
	for (size_t i = 0; i < length; i++)
		CU_ASSERT(is_refused(bytes, i));
	broken = mem_alloc(length + 1);
	memcpy(broken, bytes, length);
	CU_ASSERT(is_refused(broken, length + 1));
#define BROKEN(at, value)                              \
	do {                                           \
		memcpy(broken, bytes, length);         \
		broken[at] = (value);                  \
		CU_ASSERT(is_refused(broken, length)); \
	} while (0)
	BROKEN(0, 0);
	BROKEN(0, 2);
	BROKEN(1, 0x80);         /* a time beyond all */
	BROKEN(HEAD - 1, 3);     /* fewer than there are */
	BROKEN(HEAD - 1, 5);     /* and more */
	BROKEN(HEAD - 4, 0xff);  /* many more */
	BROKEN(HEAD + 32, 0xff); /* times of the first one */
	BROKEN(HEAD + 40, 0xff);
	BROKEN(HEAD + 60, 0xff);
	BROKEN(HEAD + 68, 0xff);
	BROKEN(HEAD + 76, 0x01); /* an answer that is too long */
	BROKEN(HEAD + 78, 0x40);
#undef BROKEN
}

static void
test_noise(void)
{
	unsigned int seed = 11;
	struct staple_store store;
	AUTO_FREE unsigned char *bytes = NULL;
	AUTO_FREE unsigned char *noisy = NULL;
	size_t length;

	fill(&store, 6);
	bytes = staple_store_encode(&store, NOW, MOST, &length);
	staple_store_clear(&store);
	noisy = mem_alloc(length);
	for (int i = 0; i < 20000; i++) {
		memcpy(noisy, bytes, length);
		for (int n = rand_r(&seed) % 4; n >= 0; n--)
			noisy[(size_t)rand_r(&seed) % length] =
				(unsigned char)rand_r(&seed);
		is_refused(noisy, length);
	}
}

static void
test_tidied(void)
{
	struct staple_store store;
	static const struct staple_want *const wanted = (const void *)"wanted";

	staple_store_init(&store);
	get(&store, 1)->want = wanted;
	stored_staple_set(get(&store, 2), "good", 4, NOW, NOW + 1);
	get(&store, 3)->schedule.asked_ms = NOW - HOUR + 1;
	stored_staple_set(get(&store, 4), "old", 3, NOW - 2, NOW);
	get(&store, 5)->schedule.asked_ms = NOW - HOUR;
	staple_store_tidy(&store, NOW);
	CU_ASSERT_EQUAL(store.count, 3);
	CU_ASSERT_PTR_EQUAL(get(&store, 1)->want, wanted);
	CU_ASSERT_PTR_NOT_NULL(get(&store, 2)->bytes);
	CU_ASSERT_EQUAL(get(&store, 3)->schedule.asked_ms, NOW - HOUR + 1);
	CU_ASSERT_EQUAL(store.count, 3);
	staple_store_clear(&store);
}

/* What is told after a number, as a text. */
static const char *
told_after(const struct staple_store *store, uint64_t number)
{
	static char text[100];
	const struct stored_staple *staple =
		staple_store_told_after(store, number);
	size_t length = 0;

	text[0] = '\0';
	for (; staple; staple = TAILQ_NEXT(staple, told_entries))
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%u ", staple->leaf[8]);
	return text;
}

static void
test_order_of_telling(void)
{
	struct staple_store store;
	uint64_t second;

	staple_store_init(&store);
	for (unsigned int i = 1; i <= 200; i++)
		(void)get(&store, i);
	CU_ASSERT_STRING_EQUAL(told_after(&store, 0), "");
	for (unsigned int i = 1; i <= 5; i++)
		staple_store_tell(&store, get(&store, i));
	CU_ASSERT_STRING_EQUAL(told_after(&store, 0), "1 2 3 4 5 ");
	second = get(&store, 2)->told;
	CU_ASSERT_STRING_EQUAL(told_after(&store, second), "3 4 5 ");
	/* What changes again is told once more, and only as it is then. */
	staple_store_tell(&store, get(&store, 4));
	staple_store_tell(&store, get(&store, 1));
	CU_ASSERT_STRING_EQUAL(told_after(&store, second), "3 5 4 1 ");
	CU_ASSERT_STRING_EQUAL(told_after(&store, get(&store, 4)->told), "1 ");
	CU_ASSERT_STRING_EQUAL(told_after(&store, get(&store, 1)->told), "");
	staple_store_drop(&store, get(&store, 5));
	staple_store_drop(&store, get(&store, 6));
	CU_ASSERT_STRING_EQUAL(told_after(&store, second), "3 4 1 ");
	staple_store_clear(&store);
}

UNIT_SUITE(staple_store, {"order_of_telling", test_order_of_telling},
	   {"to_and_fro", test_to_and_fro}, {"bounded", test_bounded},
	   {"a_sudden_end", test_a_sudden_end}, {"refused", test_refused},
	   {"noise", test_noise}, {"tidied", test_tidied});
