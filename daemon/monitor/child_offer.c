/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generations for children: PREPARE to BUILD on the way there, READY or FAILED
 * on the way back, COMMIT or ABORT in the end.
 */
#include "daemon/monitor/child_entry.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "daemon/monitor/plan.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"

static uint64_t
plan_number(const struct plan *plan)
{
	return plan->generation->number;
}

/* What became of that which is pending. */

/* All workers say the same. */
static void
merge(struct error_list *list, const struct error_list *others)
{
	for (size_t i = 0; i < others->count; i++) {
		bool is_there = false;

		for (size_t j = 0; j < list->count && !is_there; j++)
			is_there = strcmp(list->errors[j].text,
					  others->errors[i].text) == 0;
		if (!is_there)
			error_list_add(list, &others->errors[i]);
	}
}

void
children_tally(struct children *children)
{
	const struct child_entry *entry;

	if (!children->pending)
		return;
	if (!children->is_failed && !children->is_spread)
		return;
	if (!children->is_failed)
		TAILQ_FOREACH (entry, &children->entries, entries)
			if (entry->offered == children->pending &&
			    !entry->is_ready)
				return;
	event_active(children->verdict, EV_TIMEOUT, 0);
}

static void
fail_pending(struct children *children, int status,
	     const struct error_list *problems)
{
	/* The first one tells; others may fail for the same reason. */
	if (!children->is_failed) {
		children->is_failed = true;
		children->status = status;
		merge(&children->problems, problems);
	}
	children_tally(children);
}

void
children_fail(struct children *children, const struct error *error)
{
	struct error_list problems = {0};

	error_list_add(&problems, error);
	fail_pending(children, 1, &problems);
	error_list_clear(&problems);
}

void
children_on_verdict(int descriptor, short what, void *argument)
{
	struct children *children = argument;

	(void)descriptor;
	(void)what;
	if (!children->pending)
		return;
	if (children->is_failed)
		children->events.failed(&children->problems, children->status,
					children->argument);
	else
		children->events.ready(&children->warnings, children->argument);
}

/* Offers to one child. */

static struct generation_sender *
send_plan(struct child_entry *entry, const struct plan *plan)
{
	AUTO_FREE struct generation_listener *listeners = NULL;
	struct generation_share share = {.extent = GENERATION_TEXT};

	if (entry->role == IPC_KEEPER) {
		share.extent = GENERATION_SECRETS;
	} else if (entry->role == IPC_HELPER) {
		share.extent = GENERATION_STAPLES;
		share.has_index = plan_needs_keeper(plan);
	} else if (entry->role == IPC_WORKER) {
		listeners = plan_listeners(plan, entry->number,
					   &share.listener_count);
		share.listeners = listeners;
		share.has_index = plan_isolates_keys(plan);
		share.extent = share.has_index ? GENERATION_PUBLIC
					       : GENERATION_SECRETS;
	}
	share.index = plan->index;
	share.has_sessions = entry->role == IPC_WORKER && plan->sessions >= 0;
	share.sessions = plan->sessions;
	assert(!share.has_index || share.index >= 0);
	return generation_sender_new(entry->channel, plan->parcel, &share);
}

/* One that cannot have the generation in force is of no use. */
__attribute__((cold)) static void
offer_failed(struct child_entry *entry, int status, struct error *error)
{
	struct children *children = entry->children;
	struct error_list problems = {0};
	char name[32];

	child_entry_name(entry, name, sizeof(name));
	if (entry->offered == children->pending) {
		error_prefix(error, "%s: ", name);
		error_list_add(&problems, error);
		fail_pending(children, status, &problems);
		error_list_clear(&problems);
		return;
	}
	log_error("child cannot have the configuration",
		  "child=\"%s\" reason=\"%s\"", name, error->text);
	child_entry_kill(entry);
}

void
child_offer(struct child_entry *entry, const struct plan *plan)
{
	assert(!entry->offered && entry->channel);
	entry->offered = plan;
	entry->is_ready = false;
	entry->sender = send_plan(entry, plan);
}

void
children_spread(struct children *children)
{
	struct plan *plan = children->pending;
	struct child_entry *entry;
	bool is_for_keeper;

	if (!plan || children->is_failed || children->is_spread)
		return;
	is_for_keeper = plan_needs_keeper(plan) && plan->index < 0;
	/* Who is still given the generation before, after a restart, gets
	 * this one when it is in force; the keeper, as soon as it can. */
	TAILQ_FOREACH (entry, &children->entries, entries)
		if (entry->channel && !entry->offered && !entry->is_retired &&
		    (entry->role == IPC_KEEPER) == is_for_keeper &&
		    child_entry_is_in(entry, plan))
			child_offer(entry, plan);
	children->is_spread = !is_for_keeper;
	children_tally(children);
}

void
child_offer_forget(struct child_entry *entry)
{
	generation_sender_free(TAKE(entry->sender));
	entry->offered = NULL;
	entry->is_ready = false;
}

void
child_offer_withdraw(struct child_entry *entry)
{
	if (entry->offered)
		child_entry_send_number(entry, MESSAGE_ABORT,
					plan_number(entry->offered));
	child_offer_forget(entry);
}

void
child_offer_commit(struct child_entry *entry)
{
	entry->in_force = plan_number(entry->offered);
	child_entry_send_number(entry, MESSAGE_COMMIT, entry->in_force);
	child_offer_forget(entry);
}

/* Messages. */

static void
on_acknowledged(struct child_entry *entry, struct buf_reader *reader)
{
	struct error error = {0};

	/* Without a sender it speaks of an offer that was withdrawn. */
	if (entry->sender &&
	    generation_sender_acknowledged(entry->sender, buf_read_u64(reader),
					   &error) != 0)
		offer_failed(entry, 1, &error);
}

/* Is it about the offer that we know of? Others were withdrawn while the
 * answer was under way. */
static bool
is_current_offer(const struct child_entry *entry, struct buf_reader *reader)
{
	uint64_t number = buf_read_u64(reader);

	return entry->offered && number == plan_number(entry->offered);
}

/* Read, not mapped: nothing but read errors can come of it. */
static bool
have_same_content(int one, int other)
{
	static unsigned char bytes[2][65536];
	off_t at = 0;

	for (;;) {
		ssize_t got[2] = {
			pread(one, bytes[0], sizeof(bytes[0]), at),
			pread(other, bytes[1], sizeof(bytes[1]), at),
		};

		if (got[0] < 0 || got[0] != got[1] ||
		    memcmp(bytes[0], bytes[1], (size_t)got[0]) != 0)
			return false;
		if (got[0] == 0)
			return true;
		at += got[0];
	}
}

static void
on_index(struct child_entry *entry, struct message *message,
	 struct buf_reader *reader)
{
	struct children *children = entry->children;
	struct error error = {0};
	int descriptor;
	size_t length;

	if (!is_current_offer(entry, reader))
		return;
	/* An index that could change would be nobody's. */
	descriptor = message_take_fd(message, 0);
	if (descriptor < 0 || sealed_length(descriptor, &length) != 0) {
		error_set(&error, "a certificate index that is not sealed");
		offer_failed(entry, 1, &error);
	} else if (entry->offered != children->pending) {
		if (!have_same_content(descriptor, entry->offered->index))
			children->events.outdated(
				"the files have changed since the last reload",
				children->argument);
	} else if (children->pending->index < 0) {
		children->pending->index = descriptor;
		return;
	}
	if (descriptor >= 0)
		close(descriptor);
}

/* A private key turned out late to be another certificate's. Of a generation
 * that is not in force any more it is no news. */
static void
on_stale(struct child_entry *entry, struct buf_reader *reader)
{
	struct children *children = entry->children;

	if (children->current &&
	    buf_read_u64(reader) == plan_number(children->current))
		children->events.outdated(
			"private keys do not match their certificates",
			children->argument);
}

static void
on_ready(struct child_entry *entry, struct buf_reader *reader)
{
	struct children *children = entry->children;
	struct error_list warnings = {0};
	struct error error = {0};

	if (!is_current_offer(entry, reader))
		return;
	generation_sender_free(TAKE(entry->sender));
	if (entry->role == IPC_KEEPER && entry->offered->index < 0) {
		error_set(&error, "ready without a certificate index");
		offer_failed(entry, 1, &error);
		return;
	}
	child_peers_answered(entry);
	if (entry->offered == children->pending) {
		entry->is_ready = true;
		if (generation_problems_read(reader, &warnings) == 0)
			merge(&children->warnings, &warnings);
		error_list_clear(&warnings);
	} else {
		child_offer_commit(entry);
		children_release(children);
	}
	if (entry->role == IPC_KEEPER)
		children_spread(children);
	children_tally(children);
}

/* All workers find the same: what one has said is enough. */
static void
on_down(struct child_entry *entry, struct buf_reader *reader)
{
	struct children *children = entry->children;
	size_t services;

	if (!is_current_offer(entry, reader) ||
	    entry->offered != children->pending)
		return;
	services = children->pending->generation->conf->service_count;
	while (reader->length > 0 && !reader->failed) {
		uint32_t service = buf_read_u32(reader);

		if (reader->failed || service >= services)
			break;
		children->down =
			mem_resize(children->down, children->down_count + 1,
				   sizeof(*children->down));
		children->down[children->down_count++] = service;
	}
}

static void
on_failed(struct child_entry *entry, struct buf_reader *reader)
{
	struct children *children = entry->children;
	struct error_list problems = {0};
	struct error none = {.text = "no reason was given"};

	if (!is_current_offer(entry, reader))
		return;
	if (generation_problems_read(reader, &problems) != 0 ||
	    problems.count == 0)
		error_list_add(&problems, &none);
	if (entry->offered == children->pending)
		fail_pending(children, 2, &problems);
	else
		offer_failed(entry, 2, &problems.errors[0]);
	error_list_clear(&problems);
}

void
child_offer_message(struct child_entry *entry, struct message *message)
{
	struct buf_reader reader = message_reader(message);

	switch ((unsigned int)message->type) {
	case MESSAGE_ITEMS_ACK:
		on_acknowledged(entry, &reader);
		break;
	case MESSAGE_READY:
		on_ready(entry, &reader);
		break;
	case MESSAGE_FAILED:
		on_failed(entry, &reader);
		break;
	case MESSAGE_LIVE:
		entry->live = buf_read_u64(&reader);
		children_release(entry->children);
		break;
	case MESSAGE_DOWN:
		on_down(entry, &reader);
		break;
	case MESSAGE_INDEX:
		on_index(entry, message, &reader);
		break;
	case MESSAGE_STALE:
		on_stale(entry, &reader);
		break;
	case MESSAGE_PONG:
		child_pulse_answered(entry, &reader);
		break;
	case MESSAGE_TICKETS_TOLD:
		child_tickets_told(entry, &reader);
		break;
	case MESSAGE_ACCUSE:
		child_peers_accused(entry, &reader);
		break;
	}
}
