/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The children: they are started, given generations, replaced when they die,
 * and ended. A generation is offered to all and then committed or aborted for
 * all; who comes late gets the one in force.
 */
#ifndef SEALOCK_MONITOR_CHILDREN_H
#define SEALOCK_MONITOR_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/ipc/msgtable.h"

struct children;
struct confinement;
struct error_list;
struct event_base;
struct log_outputs;
struct plan;
struct state_files;

struct children_events {
	/* All who were offered the plan are ready for it. */
	void (*ready)(const struct error_list *warnings, void *argument);
	/* One is not, because of the configuration (status 2) or of something
	 * else (1). */
	void (*failed)(const struct error_list *problems, int status,
		       void *argument);
	/* The certificates of the plan in force are not what a keeper makes of
	 * its files by now, and a reload would help. */
	void (*outdated)(const char *why, void *argument);
	/* The keeper's answer to the question with that number, or why it has
	 * not done what it was asked for; NULL: there will be none. */
	void (*tickets)(uint64_t number, bool is_done, const char *text,
			void *argument);
	/* The last one is gone, after children_drain(). */
	void (*gone)(void *argument);
};

/* Processes are made of that descriptor, see spawn.h. */
struct children *
children_new(struct event_base *base, int executable, bool has_stderr,
	     const struct children_events *events, void *argument);

/* Those who live are killed. NULL is legal. */
void
children_free(struct children *children);

/* Where all of them write their logs; borrowed. To be told before the first
 * offer. */
void
children_set_logs(struct children *children, const struct log_outputs *logs);

/* What all of them are told to give up when they start; borrowed. To be told
 * once, before the first offer. */
void
children_set_confinement(struct children *children,
			 const struct confinement *confinement);

/* What some of them keep for their successors; borrowed, and to be told once
 * before the first offer, too. */
void
children_set_state(struct children *children, const struct state_files *state);

/* Offer a plan, which is borrowed; the answer comes as ready() or failed()
 * from the loop, and is to be followed by one of the two below, as must be an
 * offer that is given up. Processes that the plan needs more of are started.
 * Where there is a keeper, it is asked first, and what it makes of the
 * files, the certificate index, becomes part of the plan. */
void
children_offer(struct children *children, struct plan *plan);
void
children_commit(struct children *children);
void
children_abort(struct children *children);

/* The services of the offered plan that do not start, as the workers found:
 * indexes, some of them several times. Valid until the offer's end. */
const uint32_t *
children_down(const struct children *children, size_t *count);

/* Ask the keeper about ticket keys: the number of the question, to which
 * tickets() will tell the answer from the loop; 0: there is no keeper. */
uint64_t
children_ask_tickets(struct children *children, enum ipc_tickets command);

/* Who has not answered the offer yet, "worker 0, helper", for a message. */
const char *
children_unready(const struct children *children, char *buffer, size_t size);

/* The end: finish within so many milliseconds; nobody is replaced any more. */
void
children_drain(struct children *children, int64_t grace_ms);
void
children_kill(struct children *children);

/* A process has ended, as waitpid(2) told. False: it is none of these. */
bool
children_reaped(struct children *children, pid_t pid, int status);

#endif
