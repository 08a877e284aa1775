/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/error.h"
#include "tests/unit/unit.h"

static void
test_sentences(void)
{
	static const struct position at = {"sealock.yaml", 3, 5};
	struct error error = {0};
	struct error_list list = {0};
	char buffer[600], huge[2000];

	error_set(NULL, "nobody wants to know");
	error_set(&error, "no file");
	error_prefix(&error, "certificate %s: ", "a\nb");
	CU_ASSERT_STRING_EQUAL(error_format(&error, buffer, sizeof(buffer)),
			       "certificate a\\x0ab: no file");
	error_set_at(&error, &at, "unknown key \"%s\"", "tsl");
	CU_ASSERT_STRING_EQUAL(error_format(&error, buffer, sizeof(buffer)),
			       "sealock.yaml:3:5: unknown key \"tsl\"");
	/* A sentence may be made from itself. */
	error_set(&error, "it is: %s", error.text);
	CU_ASSERT_STRING_EQUAL(error.text, "it is: unknown key \"tsl\"");
	CU_ASSERT_EQUAL(error.at.line, 3);

	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	error_set(&error, "%s", huge);
	CU_ASSERT_EQUAL(strlen(error.text), sizeof(error.text) - 1);
	CU_ASSERT_STRING_EQUAL(error.text + sizeof(error.text) - 5, "x...");
	error_prefix(&error, "in front: ");
	CU_ASSERT_EQUAL(strncmp(error.text, "in front: xxx", 13), 0);

	for (unsigned int i = 0; i < 100; i++)
		error_list_addf(&list, &at, "number %u", i);
	error_list_add(&list, &error);
	CU_ASSERT_EQUAL(list.count, 101);
	CU_ASSERT_STRING_EQUAL(list.errors[99].text, "number 99");
	CU_ASSERT_EQUAL(list.errors[0].at.column, 5);
	error_list_clear(&list);
	CU_ASSERT_EQUAL(list.count, 0);
	error_list_add(&list, &error);
	error_list_clear(&list);
}

UNIT_SUITE(error, {"sentences", test_sentences});
