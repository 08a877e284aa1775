/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that come into force by themselves when they change: revocation lists,
 * staples, ticket keys and their secrets, and what is in directories of
 * certificates. Files are replaced in many ways (written in place, renamed
 * over, links turned round as Kubernetes does), so what is watched are the
 * directories that names and links are in.
 *
 * Where the kernel gives us no watch (inotify(7) has limits), the files are
 * looked at every 30 seconds.
 */
#ifndef SEALOCK_MONITOR_WATCH_H
#define SEALOCK_MONITOR_WATCH_H

#include <stdint.h>

struct event_base;
struct generation;
struct watch;

/* Something has changed, and then nothing more for a second (or there was no
 * such second in ten); path is one of the places. */
typedef void
watch_changed(const char *path, void *argument);

struct watch *
watch_new(struct event_base *base, watch_changed *changed, void *argument);

/* NULL is legal. */
void
watch_free(struct watch *watch);

/* Watch what this generation names and nothing else; with its conf. since_ns:
 * when its files began to be read, in nanoseconds since 1970; what has changed
 * from then on counts as a change. */
void
watch_set(struct watch *watch, const struct generation *generation,
	  int64_t since_ns);

#endif
