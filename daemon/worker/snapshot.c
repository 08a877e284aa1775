/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Built aside in PREPARE, in force from COMMIT on, gone with its last
 * connection.
 */
#include "daemon/worker/snapshot.h"

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/route/route.h"
#include "daemon/process/generation.h"

struct snapshot *
snapshot_new(struct snapshot_list *list, struct generation *generation,
	     const struct snapshot *previous, struct error_list *problems,
	     struct error_list *warnings)
{
	struct route_findings findings = {problems, warnings, warnings};
	struct snapshot *snapshot;
	struct route_table *routes;

	routes = route_table_new(generation->conf, generation->files,
				 previous ? previous->routes : NULL, &findings);
	if (!routes) {
		generation_free(generation);
		return NULL;
	}
	/* What the files said is in the table now: give the descriptors back.
	 */
	file_set_free(TAKE(generation->files));
	snapshot = mem_alloc(sizeof(*snapshot));
	snapshot->references = 1;
	snapshot->number = generation->number;
	snapshot->generation = generation;
	snapshot->routes = routes;
	TAILQ_INSERT_TAIL(list, snapshot, entries);
	return snapshot;
}

struct snapshot *
snapshot_ref(struct snapshot *snapshot)
{
	snapshot->references++;
	return snapshot;
}

bool
snapshot_unref(struct snapshot_list *list, struct snapshot *snapshot)
{
	if (!snapshot || --snapshot->references > 0)
		return false;
	TAILQ_REMOVE(list, snapshot, entries);
	route_table_free(snapshot->routes);
	generation_free(snapshot->generation);
	mem_free(snapshot);
	return true;
}
