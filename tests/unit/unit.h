/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One suite a module: a test file defines its functions and ends with
 *
 *	UNIT_SUITE(text, {"parse_duration", test_parse_duration}, ...)
 */
#ifndef SEALOCK_TESTS_UNIT_H
#define SEALOCK_TESTS_UNIT_H

#include <CUnit/CUnit.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

struct unit_suite {
	const char *name;
	const struct unit_test *tests;
	size_t count;
	struct unit_suite *next;
};

void
unit_register(struct unit_suite *suite);

#define UNIT_SUITE(suite_name, ...)                                            \
	static const struct unit_test tests_of_##suite_name[] = {__VA_ARGS__}; \
	static struct unit_suite suite_of_##suite_name = {                     \
		#suite_name, tests_of_##suite_name,                            \
		sizeof(tests_of_##suite_name) / sizeof(struct unit_test),      \
		NULL};                                                         \
	__attribute__((constructor)) static void register_##suite_name(void)   \
	{                                                                      \
		unit_register(&suite_of_##suite_name);                         \
	}                                                                      \
	_Static_assert(1, "")

#endif
