/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One child, as the files behind children.h see it: child_entry.c starts the
 * process and starts it again, child_offer.c gives it generations,
 * child_peers.c makes it known to others, child_live.c sees which generations
 * are in use, child_pulse.c that it is alive, child_tickets.c asks the keeper,
 * children.c does what concerns all
 * of them.
 */
#ifndef SEALOCK_MONITOR_CHILD_ENTRY_H
#define SEALOCK_MONITOR_CHILD_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/ipc/message.h"
#include "daemon/monitor/children.h"

struct channel;
struct child_entry;
struct event;
struct generation_sender;

TAILQ_HEAD(child_list, child_entry);

struct children {
	struct event_base *base;
	int executable;
	bool has_stderr;
	struct children_events events;
	void *argument;
	struct child_list entries;
	const struct log_outputs *logs;
	const struct confinement *confinement;
	const struct state_files *state;
	const struct plan *current; /* in force; NULL: none yet */
	struct plan *pending;       /* offered; NULL: none */
	bool is_spread; /* what is pending, to more than the keeper */
	bool is_failed; /* the same */
	int status;
	struct error_list problems;
	struct error_list warnings;
	uint32_t *down; /* services that a worker reported so */
	size_t down_count;
	struct event *verdict;  /* tells what became of it */
	uint64_t told_live;     /* the last one of which all others had ended */
	uint64_t tickets_asked; /* questions to the keeper */
	uint64_t tickets_told;  /* how many of them are answered */
	uint64_t tickets_late;  /* answers that nobody waits for any more */
	struct event *tickets_limit;
	bool is_stopping;
	struct event *gone;
};

struct child_entry {
	TAILQ_ENTRY(child_entry) entries;
	struct children *children;
	enum ipc_role role;
	uint32_t number;
	pid_t pid; /* 0: waiting to be started again */
	struct channel *channel;
	int64_t started_ms;
	unsigned int quick_deaths;
	struct event *restart;
	struct event *overdue;   /* its channel is closed and it still lives */
	struct event *pulse;     /* it is asked for a sign of life */
	uint64_t pulses;         /* how often it was */
	unsigned int unanswered; /* the last ones */
	bool is_retired;         /* it finishes, and nobody comes after it */

	const struct plan *offered; /* PREPARE was sent, and nothing since */
	struct generation_sender *sender;
	bool is_ready;     /* for the plan that is pending */
	bool has_answered; /* it was ready for some plan */
	uint64_t in_force; /* the last generation it was told to use */
	uint64_t live;     /* the oldest generation it still uses */
	uint64_t released; /* what it was told of others' oldest */
	unsigned int accusations;
	int64_t accusations_since_ms;
};

/* "worker 0", "helper"; 32 bytes suffice. */
const char *
child_entry_name(const struct child_entry *entry, char *buffer, size_t size);

/* Must UNIX sockets be connected to for the workers? */
bool
child_entry_needs_broker(const struct children *children,
			 const struct plan *plan);

/* Does a plan (or NULL) have a place for it? */
bool
child_entry_is_in(const struct child_entry *entry, const struct plan *plan);

/* A new entry and its process, logs and peers included. When the process
 * cannot be started, the entry is without one. -1 with a sentence then. */
int
child_entry_new(struct children *children, enum ipc_role role, uint32_t number,
		struct error *error) __attribute__((warn_unused_result));

/* Its process is gone, or must not be one of ours any more. */
void
child_entry_free(struct child_entry *entry);

/* Start its process again: at once, or later when it keeps dying. */
void
child_entry_restart(struct child_entry *entry);

void
child_entry_kill(struct child_entry *entry);

/* No plan has a place for it any more: nobody comes after it. Frees it when
 * its process is gone. */
void
child_entry_retire(struct child_entry *entry);

/* Dropped when the channel is closed already. */
void
child_entry_send_number(struct child_entry *entry, enum message_type type,
			uint64_t number);
void
child_entry_send_logs(struct child_entry *entry);

/* Offers: to one, and what became of that which is pending. */

void
child_offer(struct child_entry *entry, const struct plan *plan);
void
child_offer_commit(struct child_entry *entry);

/* Take it back, if there is one. */
void
child_offer_withdraw(struct child_entry *entry);

/* The child cannot answer any more. */
void
child_offer_forget(struct child_entry *entry);

/* What the channel brings. */
void
child_offer_message(struct child_entry *entry, struct message *message);

/* Offer what is pending to whom it can be offered now: first to the keeper,
 * whose certificate index the others need, then to them. */
void
children_spread(struct children *children);

/* The pending offer has failed for this reason, which is no fault of the
 * configuration's. */
void
children_fail(struct children *children, const struct error *error);

/* Look whether all have answered. */
void
children_tally(struct children *children);

/* The event behind it, which tells the owner. */
void
children_on_verdict(int descriptor, short what, void *children);

/* Let it know those whom its role talks to, as far as they can be known by
 * now. */
void
child_peers_make(struct child_entry *entry);

/* It was ready for a plan. */
void
child_peers_answered(struct child_entry *entry);

/* It says that another one has broken the rules. */
void
child_peers_accused(struct child_entry *entry, struct buf_reader *reader);

/* Signs of life, of a role that has to give them: ask from now on, an answer
 * has come, ask no more. */
void
child_pulse_new(struct child_entry *entry);
void
child_pulse_start(struct child_entry *entry);
void
child_pulse_answered(struct child_entry *entry, struct buf_reader *reader);
void
child_pulse_stop(struct child_entry *entry);
void
child_pulse_free(struct child_entry *entry);

/* Questions to the keeper: what it has said, and that it is gone. */
void
child_tickets_init(struct children *children);
void
child_tickets_clear(struct children *children);
void
child_tickets_told(struct child_entry *entry, struct buf_reader *reader);
void
child_tickets_lost(struct child_entry *entry);

/* Look which generations are still in use, and tell those who hold something
 * for them. */
void
children_release(struct children *children);

#endif
