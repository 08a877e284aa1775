/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/tls/ticket_make.h"

#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/unit.h"

#define START INT64_C(1800000000)

static const unsigned char id[TICKET_RING_ID_SIZE] = "ring";
static const struct ticket_pace pace = {.rotate = 100, .keep = 3};

static bool
knows(const struct ticket_ring *ring, const struct ticket_key *key, int64_t now)
{
	const struct ticket_key *found = ticket_ring_find(ring, key->name, now);

	return found && memcmp(found->aes, key->aes, sizeof(key->aes)) == 0 &&
	       memcmp(found->hmac, key->hmac, sizeof(key->hmac)) == 0;
}

static void
test_start(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);

	CU_ASSERT(ticket_make_next(ring, &pace, START));
	CU_ASSERT_EQUAL(ring->count, 2);
	CU_ASSERT_EQUAL(ring->keys[0].from, START);
	CU_ASSERT_EQUAL(ring->keys[0].until, START + 400);
	CU_ASSERT_EQUAL(ring->keys[1].from, START + 100);
	CU_ASSERT(memcmp(ring->keys[0].name, ring->keys[1].name, 16) != 0);
	CU_ASSERT(memcmp(ring->keys[0].aes, ring->keys[1].aes, 32) != 0);
	CU_ASSERT(memcmp(ring->keys[0].aes, ring->keys[0].hmac, 32) != 0);
	CU_ASSERT_FALSE(ticket_make_next(ring, &pace, START));
	CU_ASSERT_FALSE(ticket_make_next(ring, &pace, START + 99));
	CU_ASSERT_EQUAL(ring->count, 2);
	ticket_ring_free(ring);
}

/* Second by second: the next key is there a whole rotation before it is used,
 * and a key decrypts for `keep` rotations after it was current. */
static void
test_by_the_clock(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	struct ticket_key first;
	size_t wrong = 0, changes = 0;

	ticket_make_next(ring, &pace, START);
	first = ring->keys[0];
	for (int64_t now = START; now < START + 1000; now++) {
		const struct ticket_key *current, *next;

		if (ticket_make_next(ring, &pace, now))
			changes++;
		current = ticket_ring_current(ring, now);
		next = ticket_ring_next(ring, now);
		if (!current || current->from != now - (now - START) % 100)
			wrong++;
		if (!next || next->from != current->from + 100)
			wrong++;
		if (knows(ring, &first, now) != (now < START + 400))
			wrong++;
		if (ring->count > pace.keep + 2)
			wrong++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	/* Each rotation once; the oldest goes in the same moment. */
	CU_ASSERT_EQUAL(changes, 9);
	ticket_ring_free(ring);
}

/* The keeper was not there for a while. */
static void
test_late(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	struct ticket_key first, second;

	ticket_make_next(ring, &pace, START);
	first = ring->keys[0];
	second = ring->keys[1];
	CU_ASSERT(ticket_make_next(ring, &pace, START + 350));
	CU_ASSERT(knows(ring, &first, START + 350));
	CU_ASSERT(knows(ring, &second, START + 350));
	CU_ASSERT_EQUAL(ticket_ring_current(ring, START + 350)->from,
			START + 350);
	CU_ASSERT_EQUAL(ticket_ring_next(ring, START + 350)->from, START + 450);
	/* A year later nothing of it is left. */
	CU_ASSERT(ticket_make_next(ring, &pace, START + 31536000));
	CU_ASSERT_EQUAL(ring->count, 2);
	CU_ASSERT_EQUAL(ring->keys[0].from, START + 31536000);
	ticket_ring_free(ring);
}

static void
test_clock_set_back(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	struct ticket_key first;

	ticket_make_next(ring, &pace, START);
	first = ring->keys[0];
	/* A little: the same keys. */
	(void)ticket_make_next(ring, &pace, START - 50);
	CU_ASSERT(knows(ring, &first, START - 50));
	CU_ASSERT_PTR_EQUAL(ticket_ring_current(ring, START - 50),
			    &ring->keys[0]);
	/* A clock that was years ahead does not stop rotation for years. */
	CU_ASSERT(ticket_make_next(ring, &pace, START - 100000000));
	CU_ASSERT_FALSE(knows(ring, &first, START - 100000000));
	CU_ASSERT_EQUAL(ticket_ring_current(ring, START - 100000000)->from,
			START - 100000000);
	ticket_ring_free(ring);
}

static void
test_rotate(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	struct ticket_key first, next;

	ticket_make_next(ring, &pace, START);
	first = ring->keys[0];
	for (unsigned int turn = 1; turn <= pace.keep; turn++) {
		next = *ticket_ring_next(ring, START + turn);
		ticket_make_rotate(ring, &pace, START + turn);
		/* The one that everybody had already. */
		CU_ASSERT(memcmp(ticket_ring_current(ring, START + turn)->name,
				 next.name, sizeof(next.name)) == 0);
		CU_ASSERT_EQUAL(ticket_ring_next(ring, START + turn)->from,
				START + turn + 100);
		CU_ASSERT(knows(ring, &first, START + turn));
	}
	ticket_make_rotate(ring, &pace, START + 10);
	CU_ASSERT_FALSE(knows(ring, &first, START + 10));
	/* Often within a second. */
	for (size_t i = 0; i < 100; i++)
		ticket_make_rotate(ring, &pace, START + 10);
	CU_ASSERT_EQUAL(ring->count, pace.keep + 2);
	ticket_make_rotate(ring, &pace, START - 20);
	CU_ASSERT_EQUAL(ticket_ring_current(ring, START - 20)->from,
			START - 20);
	CU_ASSERT_EQUAL(ticket_ring_next(ring, START - 20)->from, START + 80);
	ticket_ring_free(ring);
}

static void
test_rotate_nothing(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);

	ticket_make_rotate(ring, &pace, START);
	CU_ASSERT_PTR_NOT_NULL(ticket_ring_current(ring, START));
	CU_ASSERT_PTR_NOT_NULL(ticket_ring_next(ring, START));
	ticket_ring_free(ring);
}

static void
secrets_of(const char *one, const char *other,
	   unsigned char secrets[2][TICKET_SECRET_SIZE])
{
	ticket_secret_extract(one, strlen(one), secrets[0]);
	ticket_secret_extract(other, strlen(other), secrets[1]);
}

/* Made by another implementation of RFC 5869. */
static void
test_derived_value(void)
{
	static const unsigned char name[] = {0x61, 0x2e, 0x16, 0xbd,
					     0x85, 0xc0, 0xbf, 0x94};
	static const unsigned char aes[] = {0xb1, 0xd7, 0x58, 0x14,
					    0x34, 0xe4, 0x39, 0xa5};
	struct ticket_ring *ring = ticket_ring_new(id);
	unsigned char secrets[2][TICKET_SECRET_SIZE];
	const struct ticket_key *key;

	secrets_of("0123456789abcdef0123456789abcdef", "x", secrets);
	ticket_make_derived(ring, &pace, secrets[0], 1, START);
	key = ticket_ring_current(ring, START);
	CU_ASSERT(memcmp(key->name, name, sizeof(name)) == 0);
	CU_ASSERT(memcmp(key->aes, aes, sizeof(aes)) == 0);
	ticket_ring_free(ring);
}

/* Two machines whose clocks are 40 seconds apart, over many rotations: each
 * decrypts what the other has encrypted. */
static void
test_derived_skew(void)
{
	struct ticket_ring *one = ticket_ring_new(id);
	struct ticket_ring *other = ticket_ring_new(id);
	unsigned char secrets[2][TICKET_SECRET_SIZE];
	size_t wrong = 0;

	secrets_of("one secret", "another one", secrets);
	for (int64_t now = START; now < START + 1000; now++) {
		int64_t ahead = now + 40;

		ticket_make_derived(one, &pace, secrets[0], 1, now);
		ticket_make_derived(other, &pace, secrets[0], 1, ahead);
		if (!knows(other, ticket_ring_current(one, now), ahead) ||
		    !knows(one, ticket_ring_current(other, ahead), now))
			wrong++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	ticket_ring_free(one);
	ticket_ring_free(other);
}

static void
test_derived_keep(void)
{
	struct ticket_ring *ring = ticket_ring_new(id);
	unsigned char secrets[2][TICKET_SECRET_SIZE];
	struct ticket_key key;

	secrets_of("one secret", "another one", secrets);
	ticket_make_derived(ring, &pace, secrets[0], 1, START);
	CU_ASSERT_EQUAL(ring->count, pace.keep + 2);
	key = *ticket_ring_current(ring, START);
	CU_ASSERT_EQUAL(key.from, START);
	for (int64_t now = START; now < START + 600; now += 7) {
		ticket_make_derived(ring, &pace, secrets[0], 1, now);
		CU_ASSERT_EQUAL(knows(ring, &key, now), now < START + 400);
	}
	/* Soon after 1970 there are no older ones. */
	ticket_make_derived(ring, &pace, secrets[0], 1, 120);
	CU_ASSERT_EQUAL(ring->count, 3);
	ticket_ring_free(ring);
}

/* A change in three steps on two machines: old; new and old; new. */
static void
test_two_secrets(void)
{
	struct ticket_ring *before = ticket_ring_new(id);
	struct ticket_ring *between = ticket_ring_new(id);
	struct ticket_ring *after = ticket_ring_new(id);
	unsigned char secrets[2][TICKET_SECRET_SIZE];
	const struct ticket_key *key;

	secrets_of("the new secret", "the old secret", secrets);
	ticket_make_derived(before, &pace, secrets[1], 1, START);
	ticket_make_derived(between, &pace, secrets[0], 2, START);
	ticket_make_derived(after, &pace, secrets[0], 1, START);
	CU_ASSERT_EQUAL(between->count, 2 * (pace.keep + 2));
	key = ticket_ring_current(before, START);
	CU_ASSERT(knows(between, key, START));
	CU_ASSERT_FALSE(knows(after, key, START));
	key = ticket_ring_current(between, START);
	CU_ASSERT_FALSE(knows(before, key, START));
	CU_ASSERT(knows(after, key, START));
	key = ticket_ring_next(between, START);
	CU_ASSERT_FALSE(key->is_reserve);
	ticket_ring_free(before);
	ticket_ring_free(between);
	ticket_ring_free(after);
}

/* Another secret, another pace, another period: nothing in common. */
static void
test_derived_apart(void)
{
	struct ticket_ring *one = ticket_ring_new(id);
	struct ticket_ring *other = ticket_ring_new(id);
	unsigned char secrets[2][TICKET_SECRET_SIZE];
	const struct ticket_pace slower = {.rotate = 200, .keep = 3};

	secrets_of("one secret", "one secret.", secrets);
	ticket_make_derived(one, &pace, secrets[0], 1, START);
	ticket_make_derived(other, &pace, secrets[1], 1, START);
	CU_ASSERT_FALSE(knows(other, ticket_ring_current(one, START), START));
	ticket_make_derived(other, &slower, secrets[0], 1, START);
	CU_ASSERT_FALSE(knows(other, ticket_ring_current(one, START), START));
	ticket_ring_free(one);
	ticket_ring_free(other);
}

UNIT_SUITE(ticket_make, {"start", test_start},
	   {"by_the_clock", test_by_the_clock}, {"late", test_late},
	   {"clock_set_back", test_clock_set_back}, {"rotate", test_rotate},
	   {"rotate_nothing", test_rotate_nothing},
	   {"derived_value", test_derived_value},
	   {"derived_skew", test_derived_skew},
	   {"derived_keep", test_derived_keep},
	   {"two_secrets", test_two_secrets},
	   {"derived_apart", test_derived_apart});
