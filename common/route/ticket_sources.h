/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the keys of a configuration's rings come from: what its files and
 * secrets hold, read once for a generation.
 */
#ifndef SEALOCK_ROUTE_TICKET_SOURCES_H
#define SEALOCK_ROUTE_TICKET_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tls/ticket_make.h"
#include "common/tls/ticket_ring.h"
#include "common/tls/tls_settings.h"

struct conf;
struct error_list;
struct file_set;

/* A secret, and the one that it takes the place of. */
#define TICKET_SECRETS_MAX 2

struct ticket_source {
	unsigned char id[TICKET_RING_ID_SIZE];
	enum tls_ticket_mode mode;
	struct ticket_pace pace; /* not FILES */
	/* DERIVED, in memory for secrets. */
	unsigned char (*secrets)[TICKET_SECRET_SIZE];
	size_t secret_count;
	struct ticket_ring *fixed; /* FILES */
};

/* Each ring once, in the order of the configuration. */
struct ticket_sources {
	struct ticket_source *sources;
	size_t count;
};

/* Read them all. -1 with problems; sources are to be cleared in any case.
 * Warnings, which may be NULL, are of files that others may read. */
int
ticket_sources_read(struct ticket_sources *sources, const struct conf *conf,
		    const struct file_set *files, struct error_list *problems,
		    struct error_list *warnings)
	__attribute__((warn_unused_result));

/* Wipes them; zeroed ones are legal. */
void
ticket_sources_clear(struct ticket_sources *sources);

const struct ticket_source *
ticket_sources_find(const struct ticket_sources *sources,
		    const unsigned char id[TICKET_RING_ID_SIZE]);

/* Bring a ring to what it is now: one made by chance goes on from what is in
 * it. True when that is something else than it was. */
bool
ticket_source_update(const struct ticket_source *source,
		     struct ticket_ring *ring, int64_t now);

#endif
