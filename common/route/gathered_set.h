/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificates of one set while they are gathered: what each entry of
 * `certificates` gave, or what it gave the last time.
 */
#ifndef SEALOCK_ROUTE_GATHERED_SET_H
#define SEALOCK_ROUTE_GATHERED_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tls/certificate_record.h"

struct certificate_cache;
struct certificate_units;
struct error_list;
struct file_set;
struct name_index;
struct tls_settings;

/* What one entry gave: a part of its set's certificates. */
struct gathered_entry {
	const struct gathered_set *set;
	char *text; /* tells it from others */
	size_t first;
	size_t count;
};

struct gathered_set {
	struct record_list records;
	uint32_t *record_entries; /* of each record its entry's number */
	struct gathered_entry *entries;
	size_t entry_count;
};

/* What loading draws on. */
struct gathered_sources {
	const struct file_set *files;
	struct certificate_cache *cache;
	struct certificate_units *units;        /* to be filled */
	const struct certificate_units *before; /* NULL: there are none */
	/* Struct gathered_entry by their texts, of accept gates; or NULL. */
	const struct name_index *past;
};

/* Load every entry of a service's settings->certificates. What cannot be loaded
 * is added to broken; if the past has a copy from the same entry, that is
 * served on and the sentence says so. Warnings: what certificate_doubts knows,
 * two certificates of one type for one name. */
void
gathered_set_load(struct gathered_set *set, const char *service,
		  const struct tls_settings *settings, bool is_server,
		  const struct gathered_sources *sources,
		  struct error_list *broken, struct error_list *warnings);
void
gathered_set_clear(struct gathered_set *set);

#endif
