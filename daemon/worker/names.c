/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table that the helper fills. Answers stay when the helper
 * dies: its successor sends them anew.
 */
#include "daemon/worker/names.h"

#include <stdbool.h>

#include "common/base/mem.h"
#include "common/ipc/message.h"
#include "common/net/resolution.h"
#include "common/route/name_index.h"

LIST_HEAD(waiters, names_waiter);

struct entry {
	LIST_ENTRY(entry) entries;
	bool is_answered;
	struct resolution resolution;
	struct waiters waiters;
};

struct names {
	struct name_index *by_host;
	LIST_HEAD(, entry) all;
};

struct names *
names_new(void)
{
	struct names *names = mem_alloc(sizeof(*names));

	names->by_host = name_index_new();
	LIST_INIT(&names->all);
	return names;
}

void
names_free(struct names *names)
{
	struct entry *entry;

	if (!names)
		return;
	name_index_free(names->by_host);
	while ((entry = LIST_FIRST(&names->all))) {
		LIST_REMOVE(entry, entries);
		mem_free(entry);
	}
	mem_free(names);
}

static struct entry *
entry_get(struct names *names, const char *host)
{
	const struct name_value *value = name_index_exact(names->by_host, host);
	struct entry *entry;

	if (value)
		return value->value;
	entry = mem_alloc(sizeof(*entry));
	LIST_INIT(&entry->waiters);
	LIST_INSERT_HEAD(&names->all, entry, entries);
	name_index_add(names->by_host, host, entry);
	return entry;
}

static void
wake(struct entry *entry)
{
	struct waiters waiters = entry->waiters;
	struct names_waiter *waiter;

	/* Who is woken may wait again: work on a list of our own. */
	if (LIST_FIRST(&waiters))
		LIST_FIRST(&waiters)->entries.le_prev = &waiters.lh_first;
	LIST_INIT(&entry->waiters);
	while ((waiter = LIST_FIRST(&waiters))) {
		names_cancel(waiter);
		waiter->resolved(waiter->argument);
	}
}

int
names_told(struct names *names, const struct message *message)
{
	struct buf_reader reader = message_reader(message);
	struct resolution resolution;
	struct entry *entry;

	if (resolution_decode(&reader, &resolution) != 0)
		return -1;
	entry = entry_get(names, resolution.host);
	entry->resolution = resolution;
	entry->is_answered = true;
	wake(entry);
	return 0;
}

const struct resolution *
names_find(struct names *names, const char *host)
{
	struct entry *entry = entry_get(names, host);

	return entry->is_answered ? &entry->resolution : NULL;
}

void
names_wait(struct names *names, const char *host, struct names_waiter *waiter)
{
	struct entry *entry = entry_get(names, host);

	names_cancel(waiter);
	LIST_INSERT_HEAD(&entry->waiters, waiter, entries);
	waiter->is_waiting = true;
}

void
names_cancel(struct names_waiter *waiter)
{
	if (!waiter->is_waiting)
		return;
	LIST_REMOVE(waiter, entries);
	waiter->is_waiting = false;
}
