/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every role but the monitor does alike: start from a channel on
 * descriptor 3, say hello, take logs and generations, and end. The role itself
 * is a handful of functions.
 */
#ifndef SEALOCK_PROCESS_CHILD_H
#define SEALOCK_PROCESS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/message.h"
#include "common/ipc/msgtable.h"

struct channel;
struct child;
struct error_list;
struct event_base;
struct generation;
struct state_pair;

/* What prepare() returns when child_prepared() will tell what came of it. */
#define CHILD_LATER 1

/* An exit status: nothing has failed, but only another process can go on. The
 * monitor starts one. */
#define CHILD_REPLACE 75

struct child_role {
	enum ipc_role role;

	/* Once, before the first generation. argument is what the other
	 * functions get. */
	void *(*start)(struct child *child, struct event_base *base);

	/* What the role keeps for its successor, and finds of its
	 * predecessor's; once, before the first generation, and the role's
	 * from now on. NULL: it keeps nothing. */
	void (*state)(void *argument, struct state_pair *pair);

	/* Build what this generation needs beside what is running; nothing
	 * may change for connections yet. The generation is the role's from
	 * now on (generation_free()), also when this returns -1 with
	 * problems. CHILD_LATER: child_prepared() will tell. */
	int (*prepare)(void *argument, struct generation *generation,
		       struct error_list *problems,
		       struct error_list *warnings);

	/* The generation that was prepared last is in force, or to be
	 * dropped, which may be before its outcome is known. */
	void (*commit)(void *argument, uint64_t number);
	void (*abort)(void *argument, uint64_t number);

	/* No worker uses a generation below this one any more. NULL: the
	 * monitor does not tell this role. */
	void (*release)(void *argument, uint64_t number);

	/* enum ipc_tickets: tell by child_tell_tickets(). NULL: this role has
	 * no ticket keys. */
	void (*tickets)(void *argument, unsigned int command);

	/* Finish what is open within so many milliseconds, then call
	 * child_exit(). */
	void (*drain)(void *argument, int64_t grace_ms);

	/* A channel to a process of another role; the descriptor is the
	 * role's. NULL: this role has no peers. */
	void (*peer)(void *argument, enum ipc_role role, uint32_t number,
		     int descriptor);

	/* Once, at the end, while the event base is still there: free all that
	 * start() and what came after it made. */
	void (*stop)(void *argument);
};

/* Run a role until child_exit() or until the monitor is gone (then the role
 * ends at once); returns the exit status. number is the worker's index, 0 for
 * the others. */
int
child_run(const struct child_role *role, uint32_t number);

uint32_t
child_number(const struct child *child);

/* Does the broker connect to UNIX backends for this process? Known from the
 * sandbox on, which is before anything else. */
bool
child_needs_broker(const struct child *child);

/* Tell the monitor which is the oldest generation still in use. */
void
child_report_live(struct child *child, uint64_t number);

/* Tell the monitor of services of the generation that is being prepared that
 * do not start, so that nobody listens for them. */
void
child_report_down(struct child *child, uint64_t number,
		  const uint32_t *services, size_t count);

/* What a prepare() that was to answer later has come to: 0 and warnings, or -1
 * and problems. To be called from the event loop, not from within prepare(). A
 * generation that was aborted meanwhile is passed over. */
void
child_prepared(struct child *child, uint64_t number, int status,
	       const struct error_list *problems,
	       const struct error_list *warnings);

/* Give the monitor the certificate index of the generation that is being
 * prepared; takes the descriptor. */
void
child_report_index(struct child *child, uint64_t number, int descriptor);

/* Tell the monitor that the certificate index of a generation in force has
 * something in it that another gathering would leave out. */
void
child_report_stale(struct child *child, uint64_t number);

/* What was asked about ticket keys; or why what was asked for is not done. */
void
child_tell_tickets(struct child *child, bool is_done, const char *text);

/* Tell the monitor that a peer has broken the rules, and how. */
void
child_accuse(struct child *child, enum ipc_role role, uint32_t number,
	     const char *why);

/* Leave child_run() after the current event. */
void
child_exit(struct child *child, int status);

#endif
