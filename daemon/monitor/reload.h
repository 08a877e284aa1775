/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new configuration for all processes, or for none: it is read, what it
 * asks of the monitor is opened, the children build theirs beside what runs,
 * and only when all of them are ready it comes into force. The first
 * configuration takes the same way.
 *
 * One run is under way at a time; whoever asks meanwhile is served by the one
 * behind it, as the files may have changed since.
 */
#ifndef SEALOCK_MONITOR_RELOAD_H
#define SEALOCK_MONITOR_RELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct admin;
struct children;
struct error_list;
struct event_base;
struct listeners;
struct monitor_options;
struct plan;
struct reload;

struct reload_result {
	uint64_t run;
	uint64_t generation; /* that is in force now; 0: nothing has changed */
	bool is_renewal;
	int64_t begun_ns; /* when its files began to be read, since 1970 */
	int status;       /* of a failure, see plan_new() */
	const struct error_list *problems;
	const struct error_list *warnings;
};

/* What it works on; all of it outlives the reload. */
struct reload_parts {
	struct event_base *base;
	const struct monitor_options *options;
	struct listeners *listeners;
	struct children *children;
	struct admin *admin;
	/* The first configuration is read, and children come next. */
	void (*starting)(void *argument);
	/* A run is over; told from the loop. */
	void (*done)(const struct reload_result *result, void *argument);
	void *argument;
};

struct reload *
reload_new(const struct reload_parts *parts);

/* Everything that the plan in force holds goes; the children must be gone. */
void
reload_free(struct reload *reload);

/* Ask for a run; returns the number of the one that serves it. */
uint64_t
reload_request(struct reload *reload);

/* Ask for what the documents in force name to be opened and read anew, without
 * the documents' own files, somebody may be editing them. Served by a run of
 * its own, or by one that is asked for anyhow. */
void
reload_renew(struct reload *reload);

/* Give up what is under way, and refuse what comes. */
void
reload_stop(struct reload *reload);

/* In force; NULL before the first one is. */
const struct plan *
reload_current(const struct reload *reload);

/* Listen no more, the admin socket apart. */
void
reload_close_sockets(struct reload *reload);

/* Open the log's outputs anew, for everybody. */
void
reload_reopen_logs(struct reload *reload);

/* What became of the offer to the children, see children.h. */
void
reload_children_ready(struct reload *reload, const struct error_list *warnings);
void
reload_children_failed(struct reload *reload, int status,
		       const struct error_list *problems);

/* Was that a process of ours, which has ended? */
bool
reload_reaped(struct reload *reload, pid_t pid);

#endif
