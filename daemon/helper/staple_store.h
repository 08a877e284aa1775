/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of each certificate's staple, over reloads and restarts: the
 * answer, and when its responder was asked. In bytes it is what the process
 * leaves to its successor.
 */
#ifndef SEALOCK_HELPER_STAPLE_STORE_H
#define SEALOCK_HELPER_STAPLE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/helper/staple_schedule.h"

struct ocsp_exchange;
struct staple_want;
struct staples;

#define STAPLE_LEAF_SIZE 32

/* By its leaf's digest. */
struct stored_staple {
	LIST_ENTRY(stored_staple) entries;
	TAILQ_ENTRY(stored_staple) told_entries;
	uint64_t told; /* its place in the order of telling; 0: it was not */
	unsigned char leaf[STAPLE_LEAF_SIZE];
	struct staple_schedule schedule;
	uint64_t asked_whom; /* a hash of the responder; 0: of none */
	/* The answer: none, or one that was good, from then to then,
	 * milliseconds since 1970. */
	unsigned char *bytes;
	size_t length;
	int64_t begin_ms;
	int64_t end_ms;

	/* The rest is this process's alone. */
	bool is_judged;                 /* by us, not by a process before */
	bool is_failing;                /* and the log says so */
	bool is_revoked;                /* says its file */
	bool is_by_post;                /* is the next request */
	const struct staple_want *want; /* NULL: nobody wants it now */
	struct ocsp_exchange *exchange; /* NULL: nobody is being asked */
	struct staples *staples;        /* whose exchange it is */
};

LIST_HEAD(staple_list, stored_staple);
TAILQ_HEAD(staple_order, stored_staple);

struct staple_store {
	struct staple_list *slots;
	size_t slot_count; /* a power of two */
	size_t count;
	struct staple_order told; /* those that were, the last one last */
	uint64_t last_told;
};

void
staple_store_init(struct staple_store *store);
void
staple_store_clear(struct staple_store *store);

/* The one for that leaf, new when there was none. */
struct stored_staple *
staple_store_get(struct staple_store *store,
		 const unsigned char leaf[STAPLE_LEAF_SIZE]);
void
staple_store_drop(struct staple_store *store, struct stored_staple *staple);

/* It is news, and the last of all. */
void
staple_store_tell(struct staple_store *store, struct stored_staple *staple);

/* The first that was told after that number; NULL: there is none. Others
 * follow in told_entries. */
const struct stored_staple *
staple_store_told_after(const struct staple_store *store, uint64_t number);

/* Have a copy of these bytes as its answer; NULL: none. */
void
stored_staple_set(struct stored_staple *staple, const void *bytes,
		  size_t length, int64_t begin_ms, int64_t end_ms);

/* Drop those that nobody wants and nobody will miss: without an answer that is
 * good now, and not asked for within an hour. */
void
staple_store_tidy(struct staple_store *store, int64_t now_ms);

/* All of it as bytes (mem_free()), at most so many: what does not fit goes
 * without its answer, and then not at all. asking_ms: until when requests may
 * leave without being noted first. */
unsigned char *
staple_store_encode(const struct staple_store *store, int64_t asking_ms,
		    size_t most, size_t *length);

/* Fill an empty store with what an earlier process has left. Whoever was due
 * before that process had to note more may have been asked: they are taken for
 * asked at the last moment possible, *asking_ms, or now. -1: it is nothing of
 * ours, the store is empty. */
int
staple_store_decode(struct staple_store *store, const void *bytes,
		    size_t length, int64_t now_ms, int64_t *asking_ms)
	__attribute__((warn_unused_result));

#endif
