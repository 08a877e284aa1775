/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All children together. What becomes of an offer, and that the last of them
 * is gone, is told from the loop, never from within a call: whoever hears it
 * may commit, abort or end everything.
 */
#include "daemon/monitor/children.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/monitor/child_entry.h"
#include "daemon/monitor/plan.h"
#include "daemon/process/channel.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"

/* For "as long as they like": ten years. */
#define NO_LIMIT_MS ((int64_t)10 * 365 * 24 * 3600 * 1000)

/* The end. */

/* The helper serves the workers until the last of them is gone. */
static void
continue_drain(struct children *children)
{
	struct child_entry *entry;

	TAILQ_FOREACH (entry, &children->entries, entries)
		if (entry->role == IPC_WORKER)
			return;
	TAILQ_FOREACH (entry, &children->entries, entries)
		child_entry_send_number(entry, MESSAGE_DRAIN, 0);
	if (TAILQ_EMPTY(&children->entries))
		event_active(children->gone, EV_TIMEOUT, 0);
}

static void
on_gone(evutil_socket_t descriptor, short what, void *argument)
{
	struct children *children = argument;

	(void)descriptor;
	(void)what;
	children->events.gone(children->argument);
}

void
children_drain(struct children *children, int64_t grace_ms)
{
	struct child_entry *entry, *next;

	children->is_stopping = true;
	for (entry = TAILQ_FIRST(&children->entries); entry; entry = next) {
		next = TAILQ_NEXT(entry, entries);
		event_del(entry->restart);
		if (entry->pid == 0)
			child_entry_free(entry);
		else if (entry->role == IPC_WORKER)
			child_entry_send_number(entry, MESSAGE_DRAIN,
						(uint64_t)grace_ms);
	}
	continue_drain(children);
}

void
children_kill(struct children *children)
{
	struct child_entry *entry;

	TAILQ_FOREACH (entry, &children->entries, entries)
		child_entry_kill(entry);
}

static const char *
describe_end(int status, char *buffer, size_t size)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(buffer, size,
			 "signal=%d (sandbox: a system call that is not "
			 "permitted; the kernel's log (audit) has its number)",
			 SIGSYS);
	else if (WIFSIGNALED(status))
		snprintf(buffer, size, "signal=%d (%s)%s", WTERMSIG(status),
			 strsignal(WTERMSIG(status)),
			 WCOREDUMP(status) ? " core dumped" : "");
	else
		snprintf(buffer, size, "status=%d", WEXITSTATUS(status));
	return buffer;
}

static bool
is_replacement_wanted(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_REPLACE;
}

static void
on_death(struct child_entry *entry, pid_t pid, bool is_wanted, const char *how)
{
	struct children *children = entry->children;
	bool was_preparing = entry->offered &&
			     entry->offered == children->pending &&
			     !entry->is_ready;
	struct error error = {0};
	char name[32];

	child_entry_name(entry, name, sizeof(name));
	if (is_wanted)
		log_info("child is replaced", "child=\"%s\" pid=%d", name,
			 (int)pid);
	else
		log_error("child died", "child=\"%s\" pid=%d %s", name,
			  (int)pid, how);
	child_offer_forget(entry);
	/* One that was ready is as good as its successor; one that was not may
	 * have died of the configuration. */
	if (was_preparing) {
		error_set(&error,
			  "%s (pid %d) died while it prepared the "
			  "configuration: %s",
			  name, (int)pid, how);
		children_fail(children, &error);
	}
	/* Without a generation there is nothing to come back to, and one that
	 * only served what is superseded is not worth it. */
	if (child_entry_is_in(entry, children->current) ||
	    (children->current && child_entry_is_in(entry, children->pending)))
		child_entry_restart(entry);
	else if (children->current)
		child_entry_retire(entry);
	children_release(children);
	children_tally(children);
}

bool
children_reaped(struct children *children, pid_t pid, int status)
{
	struct child_entry *entry;
	char how[160];

	TAILQ_FOREACH (entry, &children->entries, entries)
		if (entry->pid == pid)
			break;
	if (!entry)
		return false;
	entry->pid = 0;
	event_del(entry->overdue);
	child_pulse_stop(entry);
	channel_free(TAKE(entry->channel));
	child_tickets_lost(entry);
	describe_end(status, how, sizeof(how));
	if (!children->is_stopping && !entry->is_retired) {
		on_death(entry, pid, is_replacement_wanted(status), how);
		return true;
	}
	log_debug("child ended", "role=%s number=%u pid=%d %s",
		  ipc_role_name(entry->role), entry->number, (int)pid, how);
	child_entry_free(entry);
	if (children->is_stopping)
		continue_drain(children);
	else
		children_release(children);
	return true;
}

/* All of them. */

struct children *
children_new(struct event_base *base, int executable, bool has_stderr,
	     const struct children_events *events, void *argument)
{
	struct children *children = mem_alloc(sizeof(*children));

	children->base = base;
	children->executable = executable;
	children->has_stderr = has_stderr;
	children->events = *events;
	children->argument = argument;
	TAILQ_INIT(&children->entries);
	children->verdict =
		event_new(base, -1, 0, children_on_verdict, children);
	children->gone = event_new(base, -1, 0, on_gone, children);
	assert(children->verdict && children->gone);
	child_tickets_init(children);
	return children;
}

void
children_free(struct children *children)
{
	struct child_entry *entry;

	if (!children)
		return;
	children_kill(children);
	while ((entry = TAILQ_FIRST(&children->entries)))
		child_entry_free(entry);
	event_free(children->verdict);
	event_free(children->gone);
	child_tickets_clear(children);
	error_list_clear(&children->problems);
	error_list_clear(&children->warnings);
	mem_free(children->down);
	mem_free(children);
}

void
children_set_logs(struct children *children, const struct log_outputs *logs)
{
	struct child_entry *entry;

	children->logs = logs;
	TAILQ_FOREACH (entry, &children->entries, entries)
		child_entry_send_logs(entry);
}

void
children_set_confinement(struct children *children,
			 const struct confinement *confinement)
{
	children->confinement = confinement;
}

void
children_set_state(struct children *children, const struct state_files *state)
{
	children->state = state;
}

static bool
is_there(const struct children *children, enum ipc_role role, uint32_t number)
{
	const struct child_entry *entry;

	TAILQ_FOREACH (entry, &children->entries, entries)
		if (!entry->is_retired && entry->role == role &&
		    entry->number == number)
			return true;
	return false;
}

static void
ensure(struct children *children, enum ipc_role role, uint32_t number)
{
	struct error error = {0};

	if (!is_there(children, role, number) &&
	    child_entry_new(children, role, number, &error) != 0)
		children_fail(children, &error);
}

void
children_offer(struct children *children, struct plan *plan)
{
	assert(!children->pending && children->logs && children->confinement &&
	       children->state);
	children->pending = plan;
	if (plan_needs_keeper(plan))
		ensure(children, IPC_KEEPER, 0);
	if (child_entry_needs_broker(children, plan))
		ensure(children, IPC_BROKER, 0);
	ensure(children, IPC_HELPER, 0);
	for (uint32_t i = 0; i < plan->workers; i++)
		ensure(children, IPC_WORKER, i);
	children_spread(children);
}

static void
clear_pending(struct children *children)
{
	event_del(children->verdict);
	children->pending = NULL;
	children->is_spread = false;
	children->is_failed = false;
	error_list_clear(&children->problems);
	error_list_clear(&children->warnings);
	mem_free(TAKE(children->down));
	children->down_count = 0;
}

const uint32_t *
children_down(const struct children *children, size_t *count)
{
	*count = children->down_count;
	return children->down;
}

/* What was not ready for the plan that is in force now. */
static void
catch_up(struct child_entry *entry, const struct plan *plan, int64_t grace_ms)
{
	if (!child_entry_is_in(entry, plan)) {
		/* These two may still serve what is superseded. */
		if (entry->pid > 0 &&
		    (entry->role == IPC_KEEPER || entry->role == IPC_BROKER))
			return;
		child_entry_send_number(entry, MESSAGE_DRAIN,
					(uint64_t)grace_ms);
		child_entry_retire(entry);
	} else if (entry->channel) {
		child_offer(entry, plan);
	} else if (entry->pid == 0 &&
		   !event_pending(entry->restart, EV_TIMEOUT, NULL)) {
		/* It died before there was anything to come back to. */
		child_entry_restart(entry);
	}
}

void
children_commit(struct children *children)
{
	const struct plan *plan = children->pending;
	const struct conf_global *global = &plan->generation->conf->global;
	int64_t grace_ms = global->reload_grace_ms > 0 ? global->reload_grace_ms
						       : NO_LIMIT_MS;
	struct child_entry *entry, *next;

	children->current = plan;
	for (entry = TAILQ_FIRST(&children->entries); entry; entry = next) {
		next = TAILQ_NEXT(entry, entries);
		if (entry->offered == plan && entry->is_ready) {
			child_offer_commit(entry);
			continue;
		}
		child_offer_withdraw(entry);
		if (!entry->is_retired)
			catch_up(entry, plan, grace_ms);
	}
	clear_pending(children);
	children_release(children);
}

void
children_abort(struct children *children)
{
	const struct plan *plan = children->current;
	struct child_entry *entry, *next;

	for (entry = TAILQ_FIRST(&children->entries); entry; entry = next) {
		next = TAILQ_NEXT(entry, entries);
		if (entry->offered == children->pending)
			child_offer_withdraw(entry);
		if (entry->is_retired || entry->in_force > 0)
			continue;
		if (!child_entry_is_in(entry, plan)) {
			/* Started for this offer alone. */
			child_entry_kill(entry);
			child_entry_retire(entry);
		} else if (entry->channel && !entry->offered) {
			child_offer(entry, plan);
		}
	}
	clear_pending(children);
	children_release(children);
}

/* Until the keeper is ready, it alone is. */
static bool
is_awaited(const struct child_entry *entry)
{
	const struct children *children = entry->children;

	if (!children->is_spread)
		return entry->role == IPC_KEEPER && !entry->is_retired;
	return entry->offered == children->pending && !entry->is_ready;
}

const char *
children_unready(const struct children *children, char *buffer, size_t size)
{
	const struct child_entry *entry;
	size_t used = 0;
	char name[32];

	buffer[0] = '\0';
	TAILQ_FOREACH (entry, &children->entries, entries) {
		if (!is_awaited(entry) || used + sizeof(name) + 2 > size)
			continue;
		child_entry_name(entry, name, sizeof(name));
		used += (size_t)snprintf(buffer + used, size - used, "%s%s",
					 used > 0 ? ", " : "", name);
	}
	return buffer;
}
