/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of the keeper about ticket keys. It answers in the order in
 * which it is asked, so that a count tells which question an answer is to;
 * what a keeper that has died was asked is answered by nobody.
 */
#include "daemon/monitor/child_entry.h"

#include <assert.h>
#include <string.h>
#include <event2/event.h>

#include "common/base/mem.h"
#include "daemon/process/channel.h"

/* For all that is under way: it is a matter of milliseconds. */
#define LIMIT_S 10

static void
tell(struct children *children, bool is_done, const char *text)
{
	children->tickets_told++;
	children->events.tickets(children->tickets_told, is_done, text,
				 children->argument);
}

static void
on_limit(evutil_socket_t descriptor, short what, void *argument)
{
	struct children *children = argument;

	(void)descriptor;
	(void)what;
	/* The answers may come yet, and are not those to later questions. */
	children->tickets_late +=
		children->tickets_asked - children->tickets_told;
	while (children->tickets_told < children->tickets_asked)
		tell(children, false, NULL);
}

void
child_tickets_init(struct children *children)
{
	children->tickets_limit =
		event_new(children->base, -1, 0, on_limit, children);
	assert(children->tickets_limit);
}

void
child_tickets_clear(struct children *children)
{
	event_free(children->tickets_limit);
}

static struct child_entry *
find_keeper(struct children *children)
{
	struct child_entry *entry;

	TAILQ_FOREACH (entry, &children->entries, entries)
		if (entry->role == IPC_KEEPER && entry->channel &&
		    entry->has_answered && !entry->is_retired)
			return entry;
	return NULL;
}

uint64_t
children_ask_tickets(struct children *children, enum ipc_tickets command)
{
	static const struct timeval limit = {.tv_sec = LIMIT_S};
	struct child_entry *keeper = find_keeper(children);
	struct message *message;

	if (!keeper)
		return 0;
	message = message_new(MESSAGE_TICKETS_ASK);
	buf_write_u8(&message->body, (uint8_t)command);
	channel_send(keeper->channel, message);
	event_add(children->tickets_limit, &limit);
	return ++children->tickets_asked;
}

/* It is for a terminal, and no more to be believed than its sender. */
static void
tidy(char *text)
{
	for (char *at = text; *at; at++)
		if (*at != '\n' && (*at < ' ' || *at > '~'))
			*at = '?';
}

void
child_tickets_told(struct child_entry *entry, struct buf_reader *reader)
{
	struct children *children = entry->children;
	bool is_done = buf_read_u8(reader) != 0;
	AUTO_FREE char *text = buf_read_string(reader);

	if (children->tickets_late > 0) {
		children->tickets_late--;
		return;
	}
	/* Nobody has asked. */
	if (children->tickets_told == children->tickets_asked)
		return;
	if (text)
		tidy(text);
	tell(children, is_done, text);
	if (children->tickets_told == children->tickets_asked)
		event_del(children->tickets_limit);
}

void
child_tickets_lost(struct child_entry *entry)
{
	struct children *children = entry->children;

	if (entry->role != IPC_KEEPER)
		return;
	event_del(children->tickets_limit);
	children->tickets_late = 0;
	while (children->tickets_told < children->tickets_asked)
		tell(children, false, NULL);
}
