/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long generations live: workers tell the oldest one they use, and what
 * served only older ones may go.
 */
#include "daemon/monitor/child_entry.h"

#include <inttypes.h>
#include <event2/event.h>

#include "common/base/log.h"
#include "daemon/monitor/plan.h"
#include "daemon/process/generation.h"

/* The lowest generation that a worker uses, or may come to use. */
static uint64_t
lowest_in_use(const struct children *children)
{
	uint64_t lowest = children->current->generation->number;
	const struct child_entry *entry;

	TAILQ_FOREACH (entry, &children->entries, entries)
		if (entry->role == IPC_WORKER && entry->pid > 0 &&
		    entry->live > 0 && entry->live < lowest)
			lowest = entry->live;
	return lowest;
}

/* Told once, when the last worker has let go of what was before. */
static void
tell_ended(struct children *children, uint64_t lowest)
{
	const struct child_entry *entry;
	uint64_t current = children->current->generation->number;

	if (lowest < current || children->told_live == current)
		return;
	TAILQ_FOREACH (entry, &children->entries, entries)
		if (entry->role == IPC_WORKER && entry->pid > 0 &&
		    entry->live != current)
			return;
	if (children->told_live > 0)
		log_info("older generations have ended", "generation=%" PRIu64,
			 current);
	children->told_live = current;
}

/* One that the configuration in force does without serves those that do not,
 * until they have ended. */
static bool
is_needed(const struct child_entry *entry, uint64_t lowest)
{
	const struct children *children = entry->children;

	return child_entry_is_in(entry, children->current) ||
	       child_entry_is_in(entry, children->pending) ||
	       lowest < children->current->generation->number;
}

void
children_release(struct children *children)
{
	struct child_entry *entry, *next;
	uint64_t lowest;

	if (!children->current || children->is_stopping)
		return;
	lowest = lowest_in_use(children);
	tell_ended(children, lowest);
	for (entry = TAILQ_FIRST(&children->entries); entry; entry = next) {
		next = TAILQ_NEXT(entry, entries);
		if ((entry->role != IPC_KEEPER && entry->role != IPC_BROKER) ||
		    entry->is_retired)
			continue;
		if (!is_needed(entry, lowest)) {
			child_entry_send_number(entry, MESSAGE_DRAIN, 0);
			child_entry_retire(entry);
		} else if (lowest > entry->released &&
			   entry->in_force >= lowest) {
			child_entry_send_number(entry, MESSAGE_RELEASE, lowest);
			entry->released = lowest;
		}
	}
}
