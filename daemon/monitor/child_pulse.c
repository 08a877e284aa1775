/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signs of life. A process that ends is replaced, one that only hangs would
 * not be: the helper talks to strangers through libraries of others, and
 * nobody notices but those who wait for its answers. Workers and keeper are
 * noticed by their clients, and may rightly be busy for longer.
 *
 * It is turns that are counted, not time: a machine that was suspended, or a
 * monitor that was, has proven nothing.
 */
#include "daemon/monitor/child_entry.h"

#include <assert.h>
#include <event2/event.h>

#include "common/base/log.h"

#define INTERVAL_S 5

/* So many questions in a row without an answer are the end; more while it
 * prepares a configuration, which may be large. */
#define UNANSWERED_MAX 3
#define PREPARING_MAX  24

static bool
is_preparing(const struct child_entry *entry)
{
	return !entry->has_answered || (entry->offered && !entry->is_ready);
}

static void
on_turn(evutil_socket_t descriptor, short what, void *argument)
{
	struct child_entry *entry = argument;
	unsigned int most =
		is_preparing(entry) ? PREPARING_MAX : UNANSWERED_MAX;
	char name[32];

	(void)descriptor;
	(void)what;
	if (entry->unanswered < most) {
		/* Whoever waits for it should know for whom. */
		if (entry->unanswered == UNANSWERED_MAX)
			log_warn("child is slow to prepare a configuration",
				 "child=\"%s\" pid=%d seconds=%u",
				 child_entry_name(entry, name, sizeof(name)),
				 (int)entry->pid, UNANSWERED_MAX * INTERVAL_S);
		entry->unanswered++;
		child_entry_send_number(entry, MESSAGE_PING, ++entry->pulses);
		return;
	}
	log_error("child gives no sign of life, ending it",
		  "child=\"%s\" pid=%d seconds=%u",
		  child_entry_name(entry, name, sizeof(name)), (int)entry->pid,
		  most * INTERVAL_S);
	event_del(entry->pulse);
	child_entry_kill(entry);
}

void
child_pulse_new(struct child_entry *entry)
{
	entry->pulse = event_new(entry->children->base, -1, EV_PERSIST, on_turn,
				 entry);
	assert(entry->pulse);
}

void
child_pulse_start(struct child_entry *entry)
{
	static const struct timeval interval = {.tv_sec = INTERVAL_S};

	entry->unanswered = 0;
	if (entry->role == IPC_HELPER)
		event_add(entry->pulse, &interval);
}

void
child_pulse_answered(struct child_entry *entry, struct buf_reader *reader)
{
	/* A late answer to an earlier question is a sign, too, but one to a
	 * question that was never asked is none. */
	if (buf_read_u64(reader) <= entry->pulses)
		entry->unanswered = 0;
}

void
child_pulse_stop(struct child_entry *entry)
{
	event_del(entry->pulse);
}

void
child_pulse_free(struct child_entry *entry)
{
	event_free(entry->pulse);
}
