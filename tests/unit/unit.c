/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runner of all unit suites: unit [NAME...] [-NAME...], where NAME is a
 * part of "suite/test", and with a hyphen of those that are left out. Its last
 * line is "N passed, N failed". With --role it is a child of one of its tests.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdbool.h>
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

/* Is it one of those that these words ask for? Of words with a hyphen in front
 * none may be in its name, of the others one must be, if there are any. */
static bool
is_wanted(const char *name, char *const *words)
{
	bool is_one_needed = false, is_one_there = false;

	for (; *words; words++) {
		if (**words == '-') {
			if (strstr(name, *words + 1))
				return false;
			continue;
		}
		is_one_needed = true;
		is_one_there |= strstr(name, *words) != NULL;
	}
	return is_one_there || !is_one_needed;
}

static unsigned int
add_tests(const struct unit_suite *suite, char *const *words)
{
	CU_pSuite to = NULL;
	unsigned int added = 0;

	for (size_t i = 0; i < suite->count; i++) {
		char name[256];

		snprintf(name, sizeof(name), "%s/%s", suite->name,
			 suite->tests[i].name);
		if (!is_wanted(name, words))
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
	char *const *words = argv + (argc > 0);
	unsigned int added = 0, failed, run;

	if (*words && strcmp(*words, "--role") == 0)
		return stub_role_main(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	for (const struct unit_suite *suite = suites; suite;
	     suite = suite->next)
		added += add_tests(suite, words);
	if (added == 0) {
		fprintf(stderr, "unit: no test is called that\n");
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
