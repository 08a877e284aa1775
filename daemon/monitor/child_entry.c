/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child's process: how it is started, what it is told first, and when it is
 * started again.
 */
#include "daemon/monitor/child_entry.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/monitor/confinement.h"
#include "daemon/monitor/log_outputs.h"
#include "daemon/monitor/plan.h"
#include "daemon/monitor/spawn.h"
#include "daemon/monitor/state_files.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"

/* A child that dies sooner after its start than this waits before the next
 * start: 100 ms, then twice as long each time, up to 5 s; but no longer than
 * after three such deaths when it has served, as somebody may be killing it. */
#define QUICK_DEATH_MS   10000
#define RESTART_MIN_MS   100
#define RESTART_MAX_MS   5000
#define DEATHS_IF_SERVED 3

/* How long a child that has closed its channel may take to end. */
#define OVERDUE_S 5

const char *
child_entry_name(const struct child_entry *entry, char *buffer, size_t size)
{
	if (entry->role == IPC_WORKER)
		snprintf(buffer, size, "worker %u", entry->number);
	else
		snprintf(buffer, size, "%s", ipc_role_name(entry->role));
	return buffer;
}

bool
child_entry_needs_broker(const struct children *children,
			 const struct plan *plan)
{
	return plan_connects_unix(plan) &&
	       confinement_hides_sockets(children->confinement);
}

bool
child_entry_is_in(const struct child_entry *entry, const struct plan *plan)
{
	if (!plan)
		return false;
	switch ((int)entry->role) {
	case IPC_WORKER:
		return entry->number < plan->workers;
	case IPC_KEEPER:
		return plan_needs_keeper(plan);
	case IPC_BROKER:
		return child_entry_needs_broker(entry->children, plan);
	default:
		return true;
	}
}

void
child_entry_kill(struct child_entry *entry)
{
	if (entry->pid > 0)
		kill(entry->pid, SIGKILL);
}

void
child_entry_retire(struct child_entry *entry)
{
	entry->is_retired = true;
	event_del(entry->restart);
	if (entry->pid == 0)
		child_entry_free(entry);
}

static void
on_overdue(evutil_socket_t descriptor, short what, void *argument)
{
	struct child_entry *entry = argument;

	(void)descriptor;
	(void)what;
	log_warn("child does not end", "role=%s number=%u pid=%d",
		 ipc_role_name(entry->role), entry->number, (int)entry->pid);
	child_entry_kill(entry);
}

/* Its end is told by waitpid(2); this is only when its channel ended. */
static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	static const struct timeval limit = {.tv_sec = OVERDUE_S};
	struct child_entry *entry = argument;

	(void)why;
	generation_sender_free(TAKE(entry->sender));
	channel_free(channel);
	entry->channel = NULL;
	child_tickets_lost(entry);
	event_add(entry->overdue, &limit);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	(void)channel;
	child_offer_message(argument, message);
}

void
child_entry_send_number(struct child_entry *entry, enum message_type type,
			uint64_t number)
{
	struct message *message;

	if (!entry->channel)
		return;
	message = message_new(type);
	buf_write_u64(&message->body, number);
	channel_send(entry->channel, message);
}

void
child_entry_send_logs(struct child_entry *entry)
{
	const struct log_outputs *logs = entry->children->logs;
	struct message *message;

	if (!entry->channel)
		return;
	message = log_message_new(logs->sinks, logs->count);
	if (message)
		channel_send(entry->channel, message);
	else
		log_error("cannot pass on the logs", "error=\"%s\"",
			  strerror(errno));
}

static int
start(struct child_entry *entry, struct error *error)
{
	static const struct channel_events events = {on_message, on_closed};
	struct children *children = entry->children;
	struct ipc_side side = {.self = IPC_MONITOR, .other = entry->role};
	bool has_state = state_files_are_for(entry->role);
	struct message *sandbox =
		confinement_message(children->confinement, entry->role, error);
	struct message *state = NULL;
	int descriptor;
	pid_t pid;

	if (sandbox && has_state)
		state = state_files_message(children->state, entry->role,
					    error);
	if (!sandbox || (has_state && !state)) {
		message_free(sandbox);
		return -1;
	}
	entry->started_ms = clock_monotonic_ms();
	pid = spawn_role(children->executable, entry->role, entry->number,
			 children->has_stderr, &descriptor, error);
	if (pid < 0) {
		message_free(sandbox);
		message_free(state);
		return -1;
	}
	entry->pid = pid;
	entry->has_answered = false;
	entry->in_force = 0;
	entry->live = 0;
	entry->released = 0;
	entry->accusations = 0;
	entry->channel =
		channel_new(children->base, descriptor, side, &events, entry);
	child_entry_send_logs(entry);
	channel_send(entry->channel, sandbox);
	if (state)
		channel_send(entry->channel, state);
	child_pulse_start(entry);
	child_peers_make(entry);
	return 0;
}

/* What it is given first. A keeper that keeps dying may do so of the
 * configuration in force, and is helped by another one only. */
static const struct plan *
plan_for_restart(const struct child_entry *entry)
{
	const struct children *children = entry->children;

	if (entry->role == IPC_KEEPER && entry->quick_deaths > 1 &&
	    !children->is_spread && child_entry_is_in(entry, children->pending))
		return children->pending;
	return child_entry_is_in(entry, children->current) ? children->current
							   : NULL;
}

static void
on_restart(evutil_socket_t descriptor, short what, void *argument)
{
	struct child_entry *entry = argument;
	const struct plan *plan;
	struct error error = {0};
	char name[32];

	(void)descriptor;
	(void)what;
	child_entry_name(entry, name, sizeof(name));
	if (start(entry, &error) != 0) {
		log_error("child cannot be started",
			  "child=\"%s\" reason=\"%s\"", name, error.text);
		child_entry_restart(entry);
		return;
	}
	log_info("child started", "child=\"%s\" pid=%d", name, (int)entry->pid);
	plan = plan_for_restart(entry);
	if (plan)
		child_offer(entry, plan);
	else
		children_spread(entry->children);
}

void
child_entry_restart(struct child_entry *entry)
{
	int64_t lifetime = clock_monotonic_ms() - entry->started_ms;
	struct timeval delay = {0};
	int64_t delay_ms = 0;

	if (lifetime >= QUICK_DEATH_MS)
		entry->quick_deaths = 0;
	else if (entry->has_answered && entry->quick_deaths > DEATHS_IF_SERVED)
		entry->quick_deaths = DEATHS_IF_SERVED;
	if (entry->quick_deaths > 0)
		delay_ms = RESTART_MIN_MS;
	for (unsigned int i = 1;
	     i < entry->quick_deaths && delay_ms < RESTART_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > RESTART_MAX_MS)
		delay_ms = RESTART_MAX_MS;
	entry->quick_deaths++;
	delay.tv_sec = delay_ms / 1000;
	delay.tv_usec = delay_ms % 1000 * 1000;
	event_add(entry->restart, &delay);
}

int
child_entry_new(struct children *children, enum ipc_role role, uint32_t number,
		struct error *error)
{
	struct child_entry *entry = mem_alloc(sizeof(*entry));
	char name[32];

	entry->children = children;
	entry->role = role;
	entry->number = number;
	entry->restart = event_new(children->base, -1, 0, on_restart, entry);
	entry->overdue = event_new(children->base, -1, 0, on_overdue, entry);
	assert(entry->restart && entry->overdue);
	child_pulse_new(entry);
	TAILQ_INSERT_TAIL(&children->entries, entry, entries);
	if (start(entry, error) == 0)
		return 0;
	error_prefix(error,
		     "%s: ", child_entry_name(entry, name, sizeof(name)));
	return -1;
}

void
child_entry_free(struct child_entry *entry)
{
	TAILQ_REMOVE(&entry->children->entries, entry, entries);
	generation_sender_free(entry->sender);
	channel_free(entry->channel);
	event_free(entry->restart);
	event_free(entry->overdue);
	child_pulse_free(entry);
	mem_free(entry);
}
