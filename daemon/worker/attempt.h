/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONNECT, one attempt to reach one candidate: a socket that connects, an
 * answer of the broker's, or a pause before the same is tried again. What
 * comes of it is told by connecting_won(), or by connecting_try_next() after
 * connecting_note() when it has failed.
 */
#ifndef SEALOCK_WORKER_ATTEMPT_H
#define SEALOCK_WORKER_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "daemon/worker/broker_client.h"

struct connecting;

struct attempt {
	struct connecting *connecting; /* NULL: not in use */
	size_t candidate;
	int descriptor;                /* -1: it has none (yet) */
	struct event event;            /* of the descriptor, or the pause */
	struct broker_request request; /* a UNIX backend, in a sandbox */
};

enum attempt_result {
	ATTEMPT_WAITS,
	ATTEMPT_WON, /* or the connection is closed: do not touch it */
	ATTEMPT_FAILED,
	ATTEMPT_LATER, /* we lack something: the same again in a moment */
};

/* Begin one; fewer than ATTEMPTS_MAX are under way. Only when it waits is it
 * one of connecting's attempts. */
enum attempt_result
attempt_start(struct connecting *connecting, size_t candidate);

/* Give it up; legal on one that is not in use. */
void
attempt_cancel(struct attempt *attempt);

#endif
