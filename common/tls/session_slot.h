/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One place of the shared cache of sessions. Several processes read and write
 * it at the same time, and any of them may die, or be stopped, at any moment:
 * nobody ever waits for another.
 *
 * A version guards the place: even, it is whole; odd, somebody writes. Who
 * wants to write claims it by compare-and-swap, and gives it back with the next
 * even version. The version has the time of the claim in it, so that a place
 * whose writer has died is taken over after a second. One that was only asleep
 * for that long may go on and write over its successor's content: the checksum
 * tells.
 */
#ifndef SEALOCK_TLS_SESSION_SLOT_H
#define SEALOCK_TLS_SESSION_SLOT_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_SLOT_KEY_WORDS 4
#define SESSION_SLOT_SIZE      4096

/* The content's first word is the checksum. */
#define SESSION_SLOT_WORDS (SESSION_SLOT_SIZE / sizeof(uint64_t))
#define SESSION_SLOT_MAX   (SESSION_SLOT_SIZE - sizeof(uint64_t))

/* After this long whoever has claimed a place is dead. */
#define SESSION_SLOT_CLAIM_MS 1000

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(long long) == 8,
	      "a lock in shared memory could be held by a dead process");

/* What is looked at to find a place; a cache line. */
struct session_slot {
	_Atomic uint64_t version;
	_Atomic uint64_t used_ms; /* when it last was of use; a hint */
	_Atomic uint64_t key[SESSION_SLOT_KEY_WORDS];
	_Atomic uint64_t expires; /* seconds since 1970 */
	_Atomic uint64_t length;  /* 0: the place is free */
};

/* What is in it, apart, so that a look does not touch its page. */
struct session_slot_content {
	_Atomic uint64_t words[SESSION_SLOT_WORDS];
};

/* A place and its content, at the same time the claim of whoever writes. */
struct session_place {
	struct session_slot *slot;
	struct session_slot_content *content;
	uint64_t claim;
};

/* What a place holds. */
struct session_entry {
	uint64_t key[SESSION_SLOT_KEY_WORDS];
	uint64_t expires;
	size_t length;
	/* Zeros up to the end of the last word. */
	uint64_t bytes[SESSION_SLOT_WORDS - 1];
};

enum session_slot_state {
	SESSION_SLOT_FREE,
	SESSION_SLOT_TAKEN,
	SESSION_SLOT_WRITTEN,   /* somebody writes, and is alive */
	SESSION_SLOT_ABANDONED, /* somebody has begun to write, and died */
};

/* Times are clock_monotonic_ms(), the same for all processes of a machine. */

enum session_slot_state
session_slot_state(const struct session_slot *slot, int64_t now_ms);

/* At a glance, it may change any time: is it whole and under this key? */
bool
session_slot_has_key(const struct session_slot *slot,
		     const uint64_t key[SESSION_SLOT_KEY_WORDS]);

/* Copy what is in it. False: nothing is, somebody writes, or has written
 * meanwhile, or it is damaged. */
bool
session_slot_read(const struct session_place *place,
		  struct session_entry *entry);

/* The three steps of writing. False: somebody else was faster. */
bool
session_slot_claim(struct session_place *place, int64_t now_ms);

void
session_slot_write(const struct session_place *place,
		   const struct session_entry *entry);

/* False: it took so long that the place is another's. */
bool
session_slot_publish(const struct session_place *place);

#endif
