/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of clients without tickets, shared by all workers of the machine:
 * memory of a fixed size in which several processes find, write and evict
 * without a lock, so that one that dies holds nothing. Whoever is given it
 * could write anything into it, and is a worker: it terminates the same
 * connections itself.
 *
 * A session's place is one of the sixteen of two sets, chosen by its key; the
 * emptier set takes it. Where all are taken, the one that was of no use for the
 * longest time gives way: not before the cache is full to about three quarters
 * (Azar, Broder, Karlin and Upfal, "Balanced allocations").
 */
#ifndef SEALOCK_TLS_SESSION_CACHE_H
#define SEALOCK_TLS_SESSION_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tls/session_slot.h"

struct error;

#define SESSION_CACHE_KEY_SIZE (SESSION_SLOT_KEY_WORDS * sizeof(uint64_t))
#define SESSION_CACHE_SIZE_MAX 1048576

struct session_cache;

/* The memory for so many sessions, at most SESSION_CACHE_SIZE_MAX, rounded up
 * to whole sets: a descriptor of the caller's for all who share it. What is not
 * used yet takes no memory. -1 with a sentence. */
int
session_cache_create(size_t size, struct error *error)
	__attribute__((warn_unused_result));

/* Use it; the descriptor stays the caller's, who may close it. NULL with a
 * sentence: there is no memory to map it, or it is none. */
struct session_cache *
session_cache_open(int descriptor, struct error *error);

/* NULL is legal. What is in it stays for the others. */
void
session_cache_free(struct session_cache *cache);

/* How many sessions it has room for. */
size_t
session_cache_capacity(const struct session_cache *cache);

/* Keep bytes under a key until a time, in seconds since 1970. Keys come from a
 * hash: every bit of theirs is as good as another. False: it is too long
 * (SESSION_SLOT_MAX), or others were faster at every place; either way it is
 * not kept. */
bool
session_cache_put(struct session_cache *cache,
		  const unsigned char key[SESSION_CACHE_KEY_SIZE],
		  const void *bytes, size_t length, int64_t expires);

/* What is kept under a key, valid until the next call; NULL: nothing, or it has
 * expired. */
const unsigned char *
session_cache_get(struct session_cache *cache,
		  const unsigned char key[SESSION_CACHE_KEY_SIZE],
		  size_t *length);

void
session_cache_remove(struct session_cache *cache,
		     const unsigned char key[SESSION_CACHE_KEY_SIZE]);

#endif
