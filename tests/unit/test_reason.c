/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/reason.h"
#include "tests/unit/unit.h"

static void
test_table(void)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *name = reason_name((enum reason)i);
		const char *help = reason_help((enum reason)i);

		CU_ASSERT_PTR_NOT_NULL_FATAL(name);
		CU_ASSERT_PTR_NOT_NULL_FATAL(help);
		CU_ASSERT_EQUAL(
			name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")],
			'\0');
		CU_ASSERT_EQUAL(help[strlen(help) - 1], '.');
		for (int k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(name,
						   reason_name((enum reason)k));
	}
	CU_ASSERT_STRING_EQUAL(reason_name(REASON_IDLE_TIMEOUT),
			       "idle_timeout");
}

UNIT_SUITE(reason, {"table", test_table});
