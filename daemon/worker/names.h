/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the backends' names resolve to, as the helper tells it. A worker never
 * resolves a name: it looks here, or waits for the helper's first answer.
 */
#ifndef SEALOCK_WORKER_NAMES_H
#define SEALOCK_WORKER_NAMES_H

#include <stdbool.h>
#include <sys/queue.h>

struct message;
struct names;
struct resolution;

struct names *
names_new(void);
void
names_free(struct names *names);

/* The helper has told something. -1: it cannot be read. */
int
names_told(struct names *names, const struct message *message)
	__attribute__((warn_unused_result));

/* The latest answer for a host, which may be a failure (count 0); NULL: none
 * has come yet. Borrowed until the next event. */
const struct resolution *
names_find(struct names *names, const char *host);

/* Somebody who wants to know of the first answer for a host; embedded. */
struct names_waiter {
	LIST_ENTRY(names_waiter) entries;
	void (*resolved)(void *argument);
	void *argument;
	bool is_waiting;
};

/* Call resolved once when the next answer for that host is there. */
void
names_wait(struct names *names, const char *host, struct names_waiter *waiter);

/* Legal on one that does not wait. */
void
names_cancel(struct names_waiter *waiter);

#endif
