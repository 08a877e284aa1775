/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept is open, what is not is closed.
 */
#include "daemon/process/descriptor_keep.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/lib/in_child.h"
#include "tests/unit/unit.h"

static int
keep_two(const void *nothing)
{
	int all[8], kept[3];

	(void)nothing;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	kept[0] = all[6];
	kept[1] = -1;
	kept[2] = all[2];
	descriptor_keep(all[0], kept, ARRAY_SIZE(kept));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		bool is_open = fcntl(all[i], F_GETFD) >= 0;

		if (is_open != (i == 0 || i == 2 || i == 6))
			return 1;
	}
	return 0;
}

static int
keep_none(const void *nothing)
{
	int one = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)nothing;
	descriptor_keep(one, NULL, 0);
	return fcntl(one, F_GETFD) < 0 || fcntl(other, F_GETFD) >= 0;
}

static void
test_keep(void)
{
	CU_ASSERT_EQUAL(in_child(keep_two, NULL), 0);
	CU_ASSERT_EQUAL(in_child(keep_none, NULL), 0);
}

UNIT_SUITE(descriptor_keep, {"keep", test_keep});
