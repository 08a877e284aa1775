/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One generation of the configuration as a worker uses it. Connections hold a
 * reference: the last one to end takes the generation with it.
 */
#ifndef SEALOCK_WORKER_SNAPSHOT_H
#define SEALOCK_WORKER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/route/route_own.h"

struct backend_sessions;
struct error_list;
struct generation;
struct route_table;
struct session_cache;

struct snapshot {
	TAILQ_ENTRY(snapshot) entries;
	unsigned int references;
	uint64_t number;
	int64_t expires_ms; /* superseded, and its connections may live on
			     * until then; 0: as long as they like */
	struct generation *generation;
	struct route_table *routes;
	struct backend_sessions *sessions; /* those to be resumed */
	struct session_cache *cache;       /* sessions of clients; NULL: none */
	struct route_own own; /* where this process keeps its own keys: the
			       * routes are in it then */
};

TAILQ_HEAD(snapshot_list, snapshot);

/* Takes the generation, also on failure (NULL). Without an index of
 * certificates in it, they are gathered here, and previous (may be NULL) has
 * the last good copies; it has the sessions with backends, too. The snapshot is
 * on the list until its last reference is returned. */
struct snapshot *
snapshot_new(struct snapshot_list *list, struct generation *generation,
	     const struct snapshot *previous, struct error_list *problems,
	     struct error_list *warnings);

/* Are its private keys the keeper's? */
bool
snapshot_is_isolated(const struct snapshot *snapshot);

struct snapshot *
snapshot_ref(struct snapshot *snapshot);

/* True when that was the last one and the snapshot is gone. NULL is legal. */
bool
snapshot_unref(struct snapshot_list *list, struct snapshot *snapshot);

#endif
