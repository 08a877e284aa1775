/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list that thousands of certificates may be on: what is there already is
 * looked up.
 */
#include "common/route/route_findings.h"

#include "common/base/error.h"
#include "common/route/name_index.h"

static const char *
format(const struct error *error, char text[1024])
{
	return error_format(error, text, 1024);
}

static void
add_once(struct error_list *list, const struct error_list *found)
{
	struct name_index *told = name_index_new();
	char text[1024];

	for (size_t i = 0; i < list->count; i++)
		name_index_add(told, format(&list->errors[i], text), list);
	for (size_t i = 0; i < found->count; i++) {
		const struct error *error = &found->errors[i];

		if (name_index_exact(told, format(error, text)))
			continue;
		name_index_add(told, text, list);
		error_list_add(list, error);
	}
	name_index_free(told);
}

void
route_findings_add(const struct route_findings *to,
		   const struct route_findings *found)
{
	add_once(found->problems->count == 0 ? to->quarantined : to->problems,
		 found->quarantined);
	add_once(to->problems, found->problems);
	add_once(to->warnings, found->warnings);
}
