/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/route/name_index.h"
#include "tests/unit/unit.h"

static int values[64];

static size_t
count_values(const struct name_value *value)
{
	size_t count = 0;

	for (; value; value = value->next)
		count++;
	return count;
}

static void
test_exact(void)
{
	struct name_index *index = name_index_new();
	const struct name_value *found;

	CU_ASSERT_EQUAL(name_index_count(index), 0);
	CU_ASSERT_PTR_NULL(name_index_exact(index, "a.example"));
	name_index_add(index, "a.example", &values[0]);
	name_index_add(index, "b.example", &values[1]);
	name_index_add(index, "a.example", &values[2]);
	name_index_add(index, "a.example", &values[0]);
	CU_ASSERT_EQUAL(name_index_count(index), 2);
	found = name_index_exact(index, "a.example");
	CU_ASSERT_EQUAL_FATAL(count_values(found), 2);
	CU_ASSERT_PTR_EQUAL(found->value, &values[0]);
	CU_ASSERT_PTR_EQUAL(found->next->value, &values[2]);
	CU_ASSERT_EQUAL(count_values(name_index_exact(index, "b.example")), 1);
	CU_ASSERT_PTR_NULL(name_index_exact(index, "A.example"));
	CU_ASSERT_PTR_NULL(name_index_exact(index, "a.exampl"));
	CU_ASSERT_PTR_NULL(name_index_exact(index, "a.example."));
	CU_ASSERT_PTR_NULL(name_index_exact(index, "c.example"));
	CU_ASSERT_PTR_NULL(name_index_exact(index, "*.example"));
	CU_ASSERT_PTR_NULL(name_index_exact(index, ""));
	name_index_free(index);
	name_index_free(NULL);
}

static void
test_wildcard(void)
{
	struct name_index *index = name_index_new();
	char name[300];

	name_index_add(index, "*.example.org", &values[0]);
	name_index_add(index, "www.example.org", &values[1]);
	CU_ASSERT_PTR_EQUAL(
		name_index_wildcard(index, "www.example.org")->value,
		&values[0]);
	CU_ASSERT_PTR_EQUAL(name_index_wildcard(index, "x.example.org")->value,
			    &values[0]);
	CU_ASSERT_PTR_EQUAL(name_index_exact(index, "*.example.org")->value,
			    &values[0]);
	/* One label, no less, no more, and not none. */
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, "example.org"));
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, "a.b.example.org"));
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, ".example.org"));
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, "xexample.org"));
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, "x.example.net"));
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, "x"));
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, ""));
	CU_ASSERT_PTR_NULL(name_index_exact(index, "x.example.org"));
	/* Longer than a name can be. */
	memset(name, 'x', sizeof(name) - 1);
	name[1] = '.';
	name[sizeof(name) - 1] = '\0';
	CU_ASSERT_PTR_NULL(name_index_wildcard(index, name));
	name_index_free(index);
}

static void
test_many(void)
{
	struct name_index *index = name_index_new();
	char name[64];
	bool is_good = true;

	for (size_t i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "%s%zu.example.org",
			 i % 2 ? "*." : "", i / 2);
		name_index_add(index, name, values + i % 64);
	}
	CU_ASSERT_EQUAL(name_index_count(index), 50000);
	for (size_t i = 0; i < 50000; i++) {
		const struct name_value *found;

		snprintf(name, sizeof(name), "%s%zu.example.org",
			 i % 2 ? "any." : "", i / 2);
		found = i % 2 ? name_index_wildcard(index, name)
			      : name_index_exact(index, name);
		is_good &= found && found->value == values + i % 64 &&
			   !found->next;
	}
	CU_ASSERT_TRUE(is_good);
	name_index_free(index);
}

/* The slow and simple model: a list of pairs. */
struct pair {
	char pattern[16];
	int *value;
};

static size_t
model_find(const struct pair *pairs, size_t count, const char *name,
	   int **found)
{
	size_t matches = 0;

	for (size_t i = 0; i < count; i++)
		if (strcmp(pairs[i].pattern, name) == 0)
			found[matches++] = pairs[i].value;
	return matches;
}

static void
model_add(struct pair *pairs, size_t *count, const char *pattern, int *value)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(pairs[i].pattern, pattern) == 0 &&
		    pairs[i].value == value)
			return;
	strcpy(pairs[*count].pattern, pattern);
	pairs[(*count)++].value = value;
}

static bool
is_same(const struct name_value *value, int *const *expected, size_t count)
{
	for (size_t i = 0; i < count; i++, value = value->next)
		if (!value || value->value != expected[i])
			return false;
	return !value;
}

static void
random_name(unsigned int *seed, bool is_pattern, char *name)
{
	int labels = 1 + rand_r(seed) % 3;

	*name = '\0';
	for (int i = 0; i < labels; i++) {
		char label[4] = {(char)('a' + rand_r(seed) % 4), '.', '\0'};

		if (is_pattern && i == 0 && labels > 1 && rand_r(seed) % 2)
			label[0] = '*';
		if (i == labels - 1)
			label[1] = '\0';
		strcat(name, label);
	}
}

static void
test_model(void)
{
	unsigned int seed = 11;
	bool is_good = true;

	for (int round = 0; round < 200; round++) {
		struct name_index *index = name_index_new();
		struct pair pairs[200];
		int *expected[200];
		size_t count = 0;

		for (int i = 0; i < 200; i++) {
			char name[16], pattern[16] = "";
			int *value = values + rand_r(&seed) % 8;
			const char *dot;

			random_name(&seed, true, name);
			model_add(pairs, &count, name, value);
			name_index_add(index, name, value);

			random_name(&seed, false, name);
			dot = strchr(name, '.');
			if (dot)
				snprintf(pattern, sizeof(pattern), "*%s", dot);
			is_good &= is_same(
				name_index_exact(index, name), expected,
				model_find(pairs, count, name, expected));
			is_good &= is_same(
				name_index_wildcard(index, name), expected,
				model_find(pairs, count, pattern, expected));
		}
		name_index_free(index);
	}
	CU_ASSERT_TRUE(is_good);
}

UNIT_SUITE(name_index, {"exact", test_exact}, {"wildcard", test_wildcard},
	   {"many", test_many}, {"model", test_model});
