/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gaps between what is kept.
 */
#include "daemon/process/descriptor_keep.h"

#include <stdlib.h>
#include <unistd.h>

static int
compare(const void *one, const void *other)
{
	const int *a = one, *b = other;

	return *a < *b ? -1 : *a > *b;
}

void
descriptor_keep(int above, int *kept, size_t count)
{
	unsigned int from = (unsigned int)above + 1;

	if (count > 0)
		qsort(kept, count, sizeof(*kept), compare);
	for (size_t i = 0; i < count; i++) {
		unsigned int next;

		if (kept[i] <= above)
			continue;
		next = (unsigned int)kept[i];
		if (next > from)
			close_range(from, next - 1, 0);
		from = next + 1;
	}
	close_range(from, ~0U, 0);
}
