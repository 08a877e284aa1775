/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of names on the C library's balanced tree.
 */
#include "common/conf/name_set.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct name {
	char *text;
	struct position at;
};

static int
compare_names(const void *one, const void *other)
{
	return strcmp(((const struct name *)one)->text,
		      ((const struct name *)other)->text);
}

static void
name_free(void *memory)
{
	struct name *name = memory;

	mem_free(name->text);
	mem_free(name);
}

const struct position *
name_set_add(struct name_set *set, const char *text, const struct position *at)
{
	struct name *name = mem_alloc(sizeof(*name));
	struct name **found;

	name->text = mem_strdup(text);
	name->at = *at;
	found = tsearch(name, &set->root, compare_names);
	if (!found)
		abort();
	if (*found == name)
		return NULL;
	name_free(name);
	return &(*found)->at;
}

void
name_set_clear(struct name_set *set)
{
	tdestroy(set->root, name_free);
	set->root = NULL;
}
