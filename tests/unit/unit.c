/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner of all unit suites: unit [NAME], where NAME is a part of
 * "suite/test". Its last line is "N passed, N failed". With --role it is a
 * child of one of its tests.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <CUnit/Basic.h>

#include "tests/lib/stub_role.h"

static struct unit_suite *suites;

void
unit_register(struct unit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

static unsigned int
add_tests(const struct unit_suite *suite, const char *filter)
{
	CU_pSuite to = NULL;
	unsigned int added = 0;

	for (size_t i = 0; i < suite->count; i++) {
		char name[256];

		snprintf(name, sizeof(name), "%s/%s", suite->name,
			 suite->tests[i].name);
		if (filter && !strstr(name, filter))
			continue;
		if (!to)
			to = CU_add_suite(suite->name, NULL, NULL);
		if (!to || !CU_add_test(to, suite->tests[i].name,
					suite->tests[i].run)) {
			fprintf(stderr, "unit: cannot add %s: %s\n", name,
				CU_get_error_msg());
			exit(1);
		}
		added++;
	}
	return added;
}

int
main(int argc, char **argv)
{
	const char *filter = argc > 1 ? argv[1] : NULL;
	unsigned int added = 0, failed, run;

	if (filter && strcmp(filter, "--role") == 0)
		return stub_role_main(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	for (const struct unit_suite *suite = suites; suite;
	     suite = suite->next)
		added += add_tests(suite, filter);
	if (added == 0) {
		fprintf(stderr, "unit: no test is called %s\n", filter);
		return 1;
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_tests_failed();
	run = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	printf("\n%u passed, %u failed\n", run - failed, failed);
	return failed || run != added ? 1 : 0;
}
