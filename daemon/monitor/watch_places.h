/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a change of the files of a generation would show: pairs of a directory
 * and a name in it.
 */
#ifndef SEALOCK_MONITOR_WATCH_PLACES_H
#define SEALOCK_MONITOR_WATCH_PLACES_H

#include <stddef.h>
#include <stdint.h>

struct generation;

struct watch_place {
	char *directory; /* absolute, no link in it but above a link's own */
	char *name;      /* NULL: any */
};

/* In the order of their directories, each once. */
struct watch_places {
	struct watch_place *places;
	size_t count;
	size_t capacity;
};

/* All places of the files and directories that are watched, links followed.
 * places is zeroed before. */
void
watch_places_find(const struct generation *generation,
		  struct watch_places *places);
void
watch_places_clear(struct watch_places *places);

/* What is there: a value that is another one when anything has changed, and in
 * *newest when the last of it did (ctime, in seconds since 1970), as far as
 * that is not in the future. */
uint64_t
watch_places_state(const struct watch_places *places, int64_t *newest_ns);

#endif
