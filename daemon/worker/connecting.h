/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CONNECT knows of one connection, shared by its three parts: connect.c
 * (names, the backend's TLS, the verdict), connect_attempts.c (which address is
 * tried when) and attempt.c (how one is tried).
 */
#ifndef SEALOCK_WORKER_CONNECTING_H
#define SEALOCK_WORKER_CONNECTING_H

#include <stdbool.h>
#include <stddef.h>
#include <event2/event_struct.h>

#include "common/base/reason.h"
#include "daemon/worker/attempt.h"
#include "daemon/worker/candidates.h"
#include "daemon/worker/names.h"

struct connection;

/* Attempts under way at once. */
#define ATTEMPTS_MAX 8

/* What does not even begin is tried again after this time: there are no
 * descriptors, or a UNIX backend's queue is full. */
#define CONNECTING_RETRY_MS 20

struct connecting {
	struct connection *connection;
	struct candidates candidates;
	size_t next;                   /* the candidate to try next */
	const struct address *reached; /* while the backend's TLS is set up */
	struct attempt attempts[ATTEMPTS_MAX];
	size_t active;
	struct event delay;
	struct names_waiter waiter;
	/* Why the last attempt failed. */
	enum reason reason;
	char detail[800];
};

/* connection is set; to be called once, before anything else here. */
void
connecting_init(struct connecting *connecting);

/* Start the next candidate, and those behind it while they fail at once. When
 * there is none left and none under way, the connection is closed. */
void
connecting_try_next(struct connecting *connecting);

/* None is under way or due any more. */
void
connecting_cancel(struct connecting *connecting);

/* A socket is connected: connect.c takes it and goes on. */
void
connecting_won(struct connecting *connecting, size_t index, int descriptor);

/* Why it failed so far; the last one is the connection's reason. */
void
connecting_note(struct connecting *connecting, enum reason reason,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
