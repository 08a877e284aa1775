/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Built aside in PREPARE, in force from COMMIT on, gone with its last
 * connection.
 */
#include "daemon/worker/snapshot.h"

#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/route/certificate_index.h"
#include "common/route/route.h"
#include "common/route/route_findings.h"
#include "common/tls/session_cache.h"
#include "daemon/process/generation.h"
#include "daemon/worker/backend_sessions.h"

/* Over the index that came with the generation. */
static struct route_table *
build_routes(const struct generation *generation,
	     const struct route_findings *findings)
{
	struct error error = {0};
	struct certificate_index *index =
		certificate_index_open(generation->index, &error);
	struct route_table *routes;

	if (!index)
		error_list_add(findings->problems, &error);
	routes = route_table_new(generation->conf, generation->files, index,
				 findings);
	certificate_index_unref(index);
	return routes;
}

static int
open_cache(struct snapshot *snapshot, struct error_list *problems)
{
	struct generation *generation = snapshot->generation;
	struct error error = {0};

	if (generation->sessions < 0)
		return 0;
	snapshot->cache = session_cache_open(generation->sessions, &error);
	close(generation->sessions);
	generation->sessions = -1;
	if (snapshot->cache)
		return 0;
	error_list_add(problems, &error);
	return -1;
}

struct snapshot *
snapshot_new(struct snapshot_list *list, struct generation *generation,
	     const struct snapshot *previous, struct error_list *problems,
	     struct error_list *warnings)
{
	struct route_findings findings = {problems, warnings, warnings};
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));

	snapshot->references = 1;
	snapshot->number = generation->number;
	snapshot->generation = generation;
	TAILQ_INSERT_TAIL(list, snapshot, entries);
	if (snapshot_is_isolated(snapshot))
		snapshot->routes = build_routes(generation, &findings);
	else if (route_own_init(
			 &snapshot->own, generation->conf, generation->files,
			 previous ? &previous->own : NULL, &findings) == 0)
		snapshot->routes = snapshot->own.routes;
	if (!snapshot->routes) {
		snapshot_unref(list, snapshot);
		return NULL;
	}
	if (open_cache(snapshot, problems) != 0) {
		snapshot_unref(list, snapshot);
		return NULL;
	}
	snapshot->sessions = backend_sessions_new(
		snapshot->routes, previous ? previous->sessions : NULL);
	/* What the files said is in the table now: give the descriptors back.
	 */
	file_set_free(TAKE(generation->files));
	return snapshot;
}

bool
snapshot_is_isolated(const struct snapshot *snapshot)
{
	return snapshot->generation->index >= 0;
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
	backend_sessions_free(snapshot->sessions);
	session_cache_free(snapshot->cache);
	if (snapshot->routes != snapshot->own.routes)
		route_table_free(snapshot->routes);
	route_own_clear(&snapshot->own);
	generation_free(snapshot->generation);
	mem_free(snapshot);
	return true;
}
