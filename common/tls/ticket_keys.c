/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list: there are as many rings as ways to configure them, most often one.
 */
#include "common/tls/ticket_keys.h"

#include <stddef.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

struct held_ring {
	SLIST_ENTRY(held_ring) entries;
	struct ticket_ring *ring;
};

static SLIST_HEAD(, held_ring) rings = SLIST_HEAD_INITIALIZER(rings);

static struct held_ring *
find(const unsigned char id[TICKET_RING_ID_SIZE])
{
	struct held_ring *held;

	SLIST_FOREACH(held, &rings, entries)
	if (memcmp(held->ring->id, id, TICKET_RING_ID_SIZE) == 0)
		return held;
	return NULL;
}

void
ticket_keys_put(struct ticket_ring *ring)
{
	struct held_ring *held = find(ring->id);

	if (held) {
		ticket_ring_free(held->ring);
	} else {
		held = mem_alloc(sizeof(*held));
		SLIST_INSERT_HEAD(&rings, held, entries);
	}
	held->ring = ring;
}

bool
ticket_keys_have(const unsigned char ring[TICKET_RING_ID_SIZE])
{
	return find(ring) != NULL;
}

const struct ticket_key *
ticket_keys_current(const unsigned char ring[TICKET_RING_ID_SIZE])
{
	const struct held_ring *held = find(ring);

	return held ? ticket_ring_current(held->ring, clock_real_s()) : NULL;
}

enum ticket_use
ticket_keys_find(const unsigned char ring[TICKET_RING_ID_SIZE],
		 const unsigned char name[TICKET_KEY_NAME_SIZE],
		 const struct ticket_key **key)
{
	const struct held_ring *held = find(ring);
	const struct ticket_key *current;
	int64_t now = clock_real_s();

	*key = held ? ticket_ring_find(held->ring, name, now) : NULL;
	if (!*key)
		return TICKET_UNKNOWN;
	current = ticket_ring_current(held->ring, now);
	/* One that is newer is another machine's, whose clock is ahead. */
	return *key == current || ((*key)->from > now && !(*key)->is_reserve)
		       ? TICKET_GOOD
		       : TICKET_OLD;
}

static void
drop(struct held_ring *held)
{
	SLIST_REMOVE(&rings, held, held_ring, entries);
	ticket_ring_free(held->ring);
	mem_free(held);
}

void
ticket_keys_drop(const unsigned char ring[TICKET_RING_ID_SIZE])
{
	struct held_ring *held = find(ring);

	if (held)
		drop(held);
}

void
ticket_keys_drop_all(void)
{
	while (SLIST_FIRST(&rings))
		drop(SLIST_FIRST(&rings));
}
