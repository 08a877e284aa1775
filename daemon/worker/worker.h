/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker: one libevent loop that accepts, shakes hands and relays. What
 * all connections of it share stands here.
 */
#ifndef SEALOCK_WORKER_WORKER_H
#define SEALOCK_WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/error.h"
#include "common/base/timer_wheel.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"

struct acceptor;
struct broker_client;
struct builtin;
struct channel;
struct child;
struct event;
struct event_base;
struct key_client;
struct names;
struct ocsp_client;
struct staple_table;
struct snapshot;
struct ticket_wait;

struct worker {
	struct child *child;
	struct event_base *base;
	struct acceptor *acceptor;
	struct channel *helper; /* NULL: none is there */
	struct names *names;
	struct ocsp_client *ocsp;
	struct staple_table *staples;
	struct broker_client *broker;
	struct key_client *keys;
	struct ticket_wait *ticket_wait; /* of the prepared one */
	struct error_list warnings;      /* the same one's, meanwhile */

	struct snapshot *current;  /* what new connections get; NULL: none */
	struct snapshot *prepared; /* built, not in force yet */
	struct snapshot_list *snapshots; /* every living one, oldest first */
	uint64_t reported_live;

	/* A connection is on exactly one of these: the list is the state. */
	struct connection_list lists[CONNECTION_STATE_COUNT];
	struct connection_list ended; /* freed at the end of the turn */
	struct event *reaper;
	size_t connection_count;
	size_t connection_max;
	size_t descriptors_at_start;

	struct timer_wheel wheel;
	struct event *tick;  /* pending while a timer is set */
	int64_t tick_due_ms; /* when it comes; 0: it is not pending */

	/* Scratch, empty between events. */
	struct tls_output raw;   /* as received */
	struct tls_output plain; /* decrypted */
	struct tls_output wire;  /* encrypted */

	LIST_HEAD(, builtin) builtins; /* backends that live in here */

	bool is_draining;
	bool is_grace_over;
	struct event *drain_limit;
	struct event *generation_limit; /* reload_grace */
};

/* The role's main function, see child.h. */
int
worker_main(uint32_t number);

/* Make sure that the wheel turns in time for this deadline; called after a
 * timer was set. */
void
worker_need_tick(struct worker *worker, int64_t deadline_ms);

/* A connection has ended: give back its place, look whether its generation or
 * a drain is over, and let it go at the end of this turn. */
void
worker_connection_ended(struct worker *worker, struct connection *connection);

#endif
