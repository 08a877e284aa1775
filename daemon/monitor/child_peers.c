/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children among themselves: the channels between them, and what one says of
 * another who has broken the rules there.
 */
#include "daemon/monitor/child_entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "daemon/process/channel.h"

/* One that accuses more often than this is the one at fault. */
#define ACCUSATIONS_MAX       3
#define ACCUSATIONS_WITHIN_MS 60000

/* Who talks to whom beside the monitor: each worker to one of each other
 * role. */
static bool
are_peers(enum ipc_role one, enum ipc_role other)
{
	return (one == IPC_WORKER) != (other == IPC_WORKER);
}

/* A keeper without keys could only refuse, and a broker without a
 * configuration, too. */
static bool
is_met_late(const struct child_entry *entry)
{
	return entry->role == IPC_KEEPER || entry->role == IPC_BROKER;
}

static bool
can_be_met(const struct child_entry *entry)
{
	return entry->channel && !entry->is_retired &&
	       (entry->has_answered || !is_met_late(entry));
}

static void
send_peer(struct child_entry *entry, const struct child_entry *peer,
	  int descriptor)
{
	struct message *message = message_new(MESSAGE_PEER);

	buf_write_u8(&message->body, (uint8_t)peer->role);
	buf_write_u32(&message->body, peer->number);
	if (!message_add_fd(message, descriptor))
		abort();
	channel_send(entry->channel, message);
}

void
child_peers_make(struct child_entry *entry)
{
	struct child_entry *other;
	int ends[2];

	if (!can_be_met(entry))
		return;
	TAILQ_FOREACH (other, &entry->children->entries, entries) {
		if (!are_peers(entry->role, other->role) || !can_be_met(other))
			continue;
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       ends) != 0) {
			log_error("cannot make a channel", "error=\"%s\"",
				  strerror(errno));
			return;
		}
		send_peer(entry, other, ends[0]);
		send_peer(other, entry, ends[1]);
	}
}

void
child_peers_answered(struct child_entry *entry)
{
	bool is_first = !entry->has_answered;

	entry->has_answered = true;
	if (is_first && is_met_late(entry))
		child_peers_make(entry);
}

/* Accusations. */

static struct child_entry *
find_peer(const struct child_entry *entry, unsigned int role, uint32_t number)
{
	struct child_entry *other;

	TAILQ_FOREACH (other, &entry->children->entries, entries)
		if (other->role == role && other->number == number &&
		    are_peers(entry->role, other->role))
			return other;
	return NULL;
}

static bool
accuses_too_often(struct child_entry *entry)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms - entry->accusations_since_ms >= ACCUSATIONS_WITHIN_MS) {
		entry->accusations_since_ms = now_ms;
		entry->accusations = 0;
	}
	return ++entry->accusations > ACCUSATIONS_MAX;
}

void
child_peers_accused(struct child_entry *entry, struct buf_reader *reader)
{
	unsigned int role = buf_read_u8(reader);
	uint32_t number = buf_read_u32(reader);
	AUTO_FREE char *why = buf_read_string(reader);
	struct child_entry *accused = find_peer(entry, role, number);
	char names[2][32], reason[256];

	child_entry_name(entry, names[0], sizeof(names[0]));
	if (!why || !accused) {
		log_error("child accuses nobody, ending it", "child=\"%s\"",
			  names[0]);
		child_entry_kill(entry);
		return;
	}
	child_entry_name(accused, names[1], sizeof(names[1]));
	text_escape(why, strlen(why), reason, sizeof(reason));
	log_error("child broke the rules, ending it",
		  "child=\"%s\" pid=%d by=\"%s\" reason=\"%s\"", names[1],
		  (int)accused->pid, names[0], reason);
	child_entry_kill(accused);
	if (!accuses_too_often(entry))
		return;
	log_error("child accuses too often, ending it", "child=\"%s\" pid=%d",
		  names[0], (int)entry->pid);
	child_entry_kill(entry);
}
