/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct error_list problems;

static struct yaml_tree *
parse(const char *text)
{
	error_list_clear(&problems);
	return yaml_tree_parse("f", text, strlen(text), &problems);
}

static bool
is_at(const struct yaml_node *node, unsigned int line, unsigned int column)
{
	return node->at.line == line && node->at.column == column;
}

static void
test_tree(void)
{
	struct yaml_tree *tree = parse("a: 1\n"
				       "b:\n"
				       "  - x\n"
				       "  - {c: 'y z'}\n"
				       "\"d e\": |\n"
				       "  two\n"
				       "  lines\n");
	const struct yaml_node *root = tree->root, *list;

	CU_ASSERT_EQUAL(problems.count, 0);
	CU_ASSERT_EQUAL(root->kind, YAML_TREE_MAP);
	CU_ASSERT_EQUAL(root->pair_count, 3);
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(root, "a")->value->text, "1");
	CU_ASSERT(is_at(yaml_tree_find(root, "a")->key, 1, 1));
	CU_ASSERT(is_at(yaml_tree_find(root, "a")->value, 1, 4));
	list = yaml_tree_find(root, "b")->value;
	CU_ASSERT_EQUAL(list->kind, YAML_TREE_LIST);
	CU_ASSERT_EQUAL(list->item_count, 2);
	CU_ASSERT(is_at(list->items[0], 3, 5));
	CU_ASSERT(is_at(list->items[1], 4, 5));
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(list->items[1], "c")->value->text,
			       "y z");
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(root, "d e")->value->text,
			       "two\nlines\n");
	CU_ASSERT_PTR_NULL(yaml_tree_find(root, "c"));
	CU_ASSERT_PTR_NULL(yaml_tree_find(list, "c"));
	CU_ASSERT_EQUAL(root->height, 4);
	yaml_tree_free(tree);
}

static void
test_null(void)
{
	static const struct {
		const char *text;
		bool is_null;
	} cases[] = {
		{"a:\n", true},         {"a: ~\n", true},
		{"a: null\n", true},    {"a: Null\n", true},
		{"a: NULL\n", true},    {"a: ''\n", false},
		{"a: \"~\"\n", false},  {"a: 'null'\n", false},
		{"a: nULL\n", false},   {"a: !!str null\n", false},
		{"a: ! null\n", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct yaml_tree *tree = parse(cases[i].text);

		CU_ASSERT_EQUAL(problems.count, 0);
		CU_ASSERT_EQUAL(tree->root->pairs[0].value->is_null,
				cases[i].is_null);
		yaml_tree_free(tree);
	}
}

static void
test_empty(void)
{
	static const char *const texts[] = {"", "\n", "# nothing\n", "---\n",
					    "\xef\xbb\xbf"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct yaml_tree *tree = parse(texts[i]);

		CU_ASSERT_EQUAL(problems.count, 0);
		CU_ASSERT(!tree->root || tree->root->is_null);
		yaml_tree_free(tree);
	}
}

static void
test_aliases(void)
{
	struct yaml_tree *tree = parse("a: &x {k: 1}\n"
				       "b: *x\n"
				       "c: [*x, *x]\n"
				       "d: &x two\n"
				       "e: *x\n");
	const struct yaml_node *root = tree->root;

	CU_ASSERT_EQUAL(problems.count, 0);
	CU_ASSERT_PTR_EQUAL(yaml_tree_find(root, "a")->value,
			    yaml_tree_find(root, "b")->value);
	CU_ASSERT_PTR_EQUAL(yaml_tree_find(root, "a")->value,
			    yaml_tree_find(root, "c")->value->items[1]);
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(root, "e")->value->text, "two");
	yaml_tree_free(tree);
}

static void
test_merge(void)
{
	struct yaml_tree *tree = parse("one: &one {a: 1, b: 1}\n"
				       "two: &two {b: 2, c: 2}\n"
				       "map:\n"
				       "  <<: *one\n"
				       "  b: 0\n"
				       "list: {<<: [*two, *one], d: 0}\n"
				       "quoted: {\"<<\": {a: 3}}\n");
	const struct yaml_node *map, *list;

	CU_ASSERT_EQUAL(problems.count, 0);
	map = yaml_tree_find(tree->root, "map")->value;
	CU_ASSERT_EQUAL(map->pair_count, 2);
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(map, "a")->value->text, "1");
	CU_ASSERT(is_at(yaml_tree_find(map, "a")->value, 1, 15));
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(map, "b")->value->text, "0");
	list = yaml_tree_find(tree->root, "list")->value;
	CU_ASSERT_EQUAL(list->pair_count, 4);
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(list, "b")->value->text, "2");
	CU_ASSERT_STRING_EQUAL(yaml_tree_find(list, "a")->value->text, "1");
	yaml_tree_free(tree);
}

/* Problems beside which the tree goes on. */
static void
test_problems(void)
{
	static const struct {
		const char *text;
		const char *where;
		const char *part;
	} cases[] = {
		{"a: 1\nb: 2\na: 3\n", "3:1",
		 "duplicate key `a`: it stands in line 1 already"},
		{"x: {b: 1,\n    b: 2}\n", "2:5", "in line 1"},
		{"a: !foo 1\n", "1:4", "unknown tag `!foo`"},
		{"a: !!binary aGk=\n", "1:4", "unknown tag"},
		{"a: !!map x\n", "1:4", "unknown tag"},
		{"a: !!seq {}\n", "1:4", "unknown tag"},
		{"a: \"x\\0y\"\n", "1:4", "NUL"},
		{"? [a]\n: 1\n", "1:3", "a key must be one word"},
		{"? {a: b}\n: 1\n", "1:3", "a key must be one word"},
		{"~: 1\n", "1:1", "a key is missing"},
		{"a: {<<: x}\n", "1:9", "`<<` merges a map"},
		{"a: {<<: [{b: 1}, x]}\n", "1:18", "`<<` merges maps"},
		{"a: {<<: {b: 1}, <<: {c: 1}}\n", "1:17", "duplicate key `<<`"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct yaml_tree *tree = parse(cases[i].text);

		CU_ASSERT_PTR_NOT_NULL(tree);
		CU_ASSERT_EQUAL(problems.count, 1);
		CU_ASSERT(conf_fixture_has(&problems, cases[i].where,
					   cases[i].part));
		yaml_tree_free(tree);
	}
	error_list_clear(&problems);
}

/* Problems after which there is none. */
static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *where;
		const char *part;
	} cases[] = {
		{"a: b: c\n", "1:5", "bad YAML: mapping values"},
		{"a:\n\t- x\n", "2:1", "bad YAML: found character"},
		{"ä:\n  b: ö\n\t- x\n", "3:1",
		 "(a tab: YAML is indented with spaces)"},
		{"a: @\n", "1:4",
		 "any token while scanning for the next token"},
		{"a: [1, 2\nb: 3\n", "2:2", "bad YAML"},
		{"a: 'x\n", "2:1",
		 "while scanning a quoted scalar that began in line 1"},
		{"a: *b\n", "1:4", "no anchor `&b`"},
		{"a: &a [*a]\n", "1:8",
		 "`*a` stands inside its own anchor (line 1)"},
		{"a: &a {b: {c: *a}}\n", "1:15", "inside its own anchor"},
		{"a: 1\n---\nb: 2\n", "2:1", "a second document"},
		{"a: 1\n...\n---\n", "3:1", "a second document"},
		{"%YAML 3.0\n---\na: 1\n", "1:1", "bad YAML"},
		{"a: \xff\n", "1:4", "byte 0xff"},
		{"a: 1\nbö: \xc3\n", "2:5", "byte 0xc3"},
		{"a: \xc0\xaf\n", "1:4", "byte 0xc0"},
		{"a: \xed\xa0\x80\n", "1:4", "byte 0xed"},
		{"a: \xf4\x90\x80\x80\n", "1:4", "byte 0xf4"},
		{"a: \xef\xbb\xbf\n", "1:4", "byte 0xef"},
		{"\xff\xfe"
		 "a\n",
		 "1:1", "byte 0xff"},
		{"a: \x01\n", "1:4", "byte 0x01"},
		{"a: \x7f\n", "1:4", "byte 0x7f"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CU_ASSERT_PTR_NULL(parse(cases[i].text));
		CU_ASSERT_EQUAL(problems.count, 1);
		CU_ASSERT(conf_fixture_has(&problems, cases[i].where,
					   cases[i].part));
	}
	error_list_clear(&problems);
	CU_ASSERT_PTR_NULL(yaml_tree_parse("f", "a: x\0y\n", 7, &problems));
	CU_ASSERT(conf_fixture_has(&problems, "1:5", "byte 0x00"));
	error_list_clear(&problems);
}

/* All there is to say about a file, up to a hundred. */
static void
test_many(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct yaml_tree *tree;

	for (int i = 0; i < 1000; i++)
		fputs("a: !x 1\n", out);
	fclose(out);
	tree = parse(text);
	CU_ASSERT_PTR_NOT_NULL(tree);
	CU_ASSERT_EQUAL(problems.count, 100);
	yaml_tree_free(tree);
	error_list_clear(&problems);
	free(text);
}

/* Each line stands for ten of the line before it. */
static char *
make_laughs(bool is_map, int levels)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	fputs(is_map ? "l0: &l0 {lol: lol}\n" : "l0: &l0 [lol, lol]\n", out);
	for (int i = 1; i <= levels; i++) {
		fprintf(out, "l%d: &l%d %c", i, i, is_map ? '{' : '[');
		for (int k = 0; k < 10; k++)
			if (is_map)
				fprintf(out, "k%d: *l%d,", k, i - 1);
			else
				fprintf(out, "*l%d,", i - 1);
		fputs(is_map ? "}\n" : "]\n", out);
	}
	fclose(out);
	return text;
}

static void
test_laughs(void)
{
	char *texts[] = {make_laughs(false, 9), make_laughs(true, 9),
			 make_laughs(false, 20)};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int64_t start = clock_monotonic_ms();

		CU_ASSERT_PTR_NULL(parse(texts[i]));
		CU_ASSERT(clock_monotonic_ms() - start < 1000);
		CU_ASSERT_EQUAL(problems.count, 1);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(problems.errors[0].text,
			       "aliases expand to more than 100000 nodes"));
		free(texts[i]);
	}
	/* Less is no joke. */
	texts[0] = make_laughs(false, 3);
	yaml_tree_free(parse(texts[0]));
	CU_ASSERT_EQUAL(problems.count, 0);
	free(texts[0]);
}

/* Maps merged into maps count as well. */
static void
test_merge_laughs(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	fputs("m: &m\n", out);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "  k%d: v\n", i);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "n%d: {<<: *m}\n", i);
	fclose(out);
	CU_ASSERT_PTR_NULL(parse(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(problems.errors[0].text, "100000"));
	error_list_clear(&problems);
	free(text);
}

static void
test_depth(void)
{
	char text[256] = "";

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	yaml_tree_free(parse(text));
	CU_ASSERT_EQUAL(problems.count, 0);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	CU_ASSERT_PTR_NULL(parse(text));
	CU_ASSERT(conf_fixture_has(&problems, "1:65",
				   "nested deeper than 64 levels"));
	/* Through an alias, too. */
	CU_ASSERT_PTR_NULL(
		parse("a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"
		      "]]]]]]]]]]]]]]]]\n"
		      "b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]"
		      "]]]]]]]]]]]]]]]]\n"));
	CU_ASSERT(conf_fixture_has(&problems, "2:36", "nested deeper"));
	error_list_clear(&problems);
}

static void
test_size(void)
{
	size_t length = (size_t)17 << 20;
	char *text = mem_alloc(length);

	memset(text, ' ', length);
	CU_ASSERT_PTR_NULL(yaml_tree_parse("f", text, length, &problems));
	CU_ASSERT(conf_fixture_has(&problems, "1:1", "larger than 16 MiB"));
	error_list_clear(&problems);
	mem_free(text);
}

static void
test_events(void)
{
	const size_t count = 1000001;
	char *text = mem_alloc(2 * count + 3);

	text[0] = '[';
	for (size_t i = 0; i < count; i++)
		memcpy(text + 1 + 2 * i, "1,", 2);
	text[2 * count + 1] = ']';
	CU_ASSERT_PTR_NULL(parse(text));
	CU_ASSERT_EQUAL(problems.count, 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(problems.errors[0].text, "more than 1000000"));
	error_list_clear(&problems);
	mem_free(text);
}

UNIT_SUITE(yaml_tree, {"tree", test_tree}, {"null", test_null},
	   {"empty", test_empty}, {"aliases", test_aliases},
	   {"merge", test_merge}, {"problems", test_problems},
	   {"refused", test_refused}, {"many", test_many},
	   {"laughs", test_laughs}, {"merge_laughs", test_merge_laughs},
	   {"depth", test_depth}, {"size", test_size}, {"events", test_events});
