/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the keeper and a worker do in two processes, in one.
 */
#include "common/route/route_own.h"

#include "common/base/error.h"
#include "common/route/certificate_gather.h"
#include "common/route/certificate_index.h"
#include "common/route/route.h"
#include "common/route/route_findings.h"
#include "common/tls/local_keys.h"

/* Keys where they sign, certificates where they are found. NULL with a
 * sentence. */
static struct certificate_index *
serve(struct route_own *own, struct error *error)
{
	own->keys = local_keys_own(error);
	if (!own->keys)
		return NULL;
	certificate_gather_add_keys(own->gathering, own->keys);
	return certificate_index_open(certificate_gather_index(own->gathering),
				      error);
}

int
route_own_init(struct route_own *own, const struct conf *conf,
	       const struct file_set *files, const struct route_own *previous,
	       const struct route_findings *findings)
{
	struct error_list problems = {0}, quarantined = {0}, warnings = {0};
	const struct route_findings found = {&problems, &quarantined,
					     &warnings};
	struct certificate_index *index = NULL;
	struct error error = {0};

	*own = (struct route_own){0};
	own->gathering = certificate_gather_new(
		conf, files, previous ? previous->gathering : NULL, &found);
	if (own->gathering) {
		index = serve(own, &error);
		if (!index)
			error_list_add(&problems, &error);
	}
	own->routes = route_table_new(conf, files, index, &found);
	certificate_index_unref(index);
	route_findings_add(findings, &found);
	error_list_clear(&problems);
	error_list_clear(&quarantined);
	error_list_clear(&warnings);
	return own->routes ? 0 : -1;
}

void
route_own_clear(struct route_own *own)
{
	route_table_free(own->routes);
	if (own->keys)
		certificate_gather_remove_keys(own->gathering, own->keys);
	certificate_gather_free(own->gathering);
	*own = (struct route_own){0};
}
