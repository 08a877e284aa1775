/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authorizer may say. There is one way to say yes, and many that are
 * none.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "daemon/worker/authorize_answer.h"
#include "tests/unit/unit.h"

#define SAYS(decision, bytes, part) \
	expect((decision), (bytes), sizeof(bytes) - 1, (part))

static void
expect(enum authorizer_decision decision, const char *bytes, size_t length,
       const char *part)
{
	AUTO_FREE char *exact = mem_dup(bytes, length);
	char detail[AUTHORIZE_DETAIL_MAX];
	enum authorizer_decision got =
		authorize_answer_read(exact, length, detail);

	if (got != decision || !strstr(detail, part))
		printf("\n%.60s: %d, \"%s\"\n", bytes, got, detail);
	CU_ASSERT_EQUAL(got, decision);
	CU_ASSERT_PTR_NOT_NULL(strstr(detail, part));
	CU_ASSERT_EQUAL(got == AUTHORIZER_ALLOWS, detail[0] == '\0');
}

static void
test_no_line(void)
{
	SAYS(AUTHORIZER_FAILED, "", "is no line");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":true}", "is no line");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":true}\n\n", "more than one line");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":true}\n{\"allow\":true}\n",
	     "more than one line");
	SAYS(AUTHORIZER_FAILED, "\n{\"allow\":true}\n", "more than one line");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":\ntrue}\n", "more than one line");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":true}\n ", "more than one line");
}

static void
test_length(void)
{
	AUTO_FREE char *bytes = mem_alloc(AUTHORIZE_ANSWER_MAX + 1);
	static const char yes[] = "{\"allow\":true}";

	memset(bytes, ' ', AUTHORIZE_ANSWER_MAX + 1);
	memcpy(bytes, yes, sizeof(yes) - 1);
	bytes[AUTHORIZE_ANSWER_MAX] = '\n';
	expect(AUTHORIZER_FAILED, bytes, AUTHORIZE_ANSWER_MAX + 1, "too long");
	expect(AUTHORIZER_FAILED, bytes, AUTHORIZE_ANSWER_MAX, "is no line");
#ifdef HAVE_JANSSON
	bytes[AUTHORIZE_ANSWER_MAX - 1] = '\n';
	expect(AUTHORIZER_ALLOWS, bytes, AUTHORIZE_ANSWER_MAX, "");
#endif
}

#ifdef HAVE_JANSSON

static void
test_yes(void)
{
	SAYS(AUTHORIZER_ALLOWS, "{\"allow\":true}\n", "");
	SAYS(AUTHORIZER_ALLOWS, "  {  \"allow\" : true } \r\n", "");
	SAYS(AUTHORIZER_ALLOWS, "{\"allow\":true,\"reason\":\"why not\"}\n",
	     "");
	SAYS(AUTHORIZER_ALLOWS,
	     "{\"other\":[1,{\"allow\":false}],\"\\u0061llow\":true}\n", "");
	SAYS(AUTHORIZER_ALLOWS, "{\"allow\":true,\"x\":\"\\u0000\"}\n", "");
}

static void
test_no(void)
{
	SAYS(AUTHORIZER_DENIES, "{\"allow\":false}\n",
	     "the authorizer said no");
	SAYS(AUTHORIZER_DENIES, "{\"allow\":false,\"reason\":\"\"}\n",
	     "the authorizer said no");
	SAYS(AUTHORIZER_DENIES, "{\"allow\":false,\"reason\":7}\n",
	     "the authorizer said no");
	SAYS(AUTHORIZER_DENIES,
	     "{\"reason\":\"no such tenant\",\"allow\":false}\n",
	     "the authorizer said no: no such tenant");
}

/* A reason stays on its line, in its bounds. */
static void
test_reason(void)
{
	AUTO_FREE char *answer = NULL;
	char detail[AUTHORIZE_DETAIL_MAX];
	char reason[5001];

	SAYS(AUTHORIZER_DENIES,
	     "{\"allow\":false,\"reason\":\"a\\nb\\u0000c\\u001b[2J\"}\n",
	     "said no: a\\x0ab\\x00c\\x1b[2J");
	SAYS(AUTHORIZER_DENIES,
	     "{\"allow\":false,\"reason\":\"Schl\xc3\xbcssel\"}\n",
	     "said no: Schl\xc3\xbcssel");
	memset(reason, '\x7f', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	answer = mem_format("{\"allow\":false,\"reason\":\"%s\"}\n", reason);
	CU_ASSERT_EQUAL(authorize_answer_read(answer, strlen(answer), detail),
			AUTHORIZER_DENIES);
	CU_ASSERT(strlen(detail) < sizeof(detail));
	CU_ASSERT_PTR_NOT_NULL(strstr(detail, "..."));
}

static void
test_neither(void)
{
	SAYS(AUTHORIZER_FAILED, "{}\n", "has no `allow`");
	SAYS(AUTHORIZER_FAILED, "{\"Allow\":true}\n", "has no `allow`");
	SAYS(AUTHORIZER_FAILED, "{\"allow\\u0000\":true}\n", "JSON object");
	SAYS(AUTHORIZER_FAILED, "{\"x\":{\"allow\":true}}\n", "has no `allow`");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":\"true\"}\n", "neither");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":1}\n", "neither");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":null}\n", "neither");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":[true]}\n", "neither");
	SAYS(AUTHORIZER_FAILED, "[{\"allow\":true}]\n", "is no object");
}

static void
test_no_json(void)
{
	static const char *const lines[] = {
		"\n",
		"true\n",
		"\"allow\"\n",
		"allow\n",
		"{\"allow\":tru}\n",
		"{\"allow\":True}\n",
		"{\"allow\":true\n",
		"{\"allow\":true}}\n",
		"{\"allow\":true}{}\n",
		"{\"allow\":true};\n",
		"{'allow':true}\n",
		"{allow:true}\n",
		"{\"allow\":true,}\n",
		"{\"allow\":true,\"allow\":true}\n",
		"{\"allow\":false,\"allow\":true}\n",
		"{\"allow\":true,\"x\":\"\xff\"}\n",
		"{\"allow\":true,\"x\":\"\xed\xa0\x80\"}\n",
		"{\"allow\":true,\"x\":1e999}\n",
		"\xef\xbb\xbf{\"allow\":true}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		expect(AUTHORIZER_FAILED, lines[i], strlen(lines[i]),
		       "is no JSON object (column ");
	SAYS(AUTHORIZER_FAILED, "\0{\"allow\":true}\n", "is no JSON object");
	SAYS(AUTHORIZER_FAILED, "{\"allow\":true}\0\n", "is no JSON object");
}

/* Deeper than anybody writes. */
static void
test_depth(void)
{
	AUTO_FREE char *bytes = mem_alloc(AUTHORIZE_ANSWER_MAX);

	memset(bytes, '[', AUTHORIZE_ANSWER_MAX);
	bytes[AUTHORIZE_ANSWER_MAX - 1] = '\n';
	expect(AUTHORIZER_FAILED, bytes, AUTHORIZE_ANSWER_MAX,
	       "is no JSON object");
}

UNIT_SUITE(authorize_answer, {"no_line", test_no_line}, {"length", test_length},
	   {"yes", test_yes}, {"no", test_no}, {"reason", test_reason},
	   {"neither", test_neither}, {"no_json", test_no_json},
	   {"depth", test_depth});

#else

static void
test_without_jansson(void)
{
	SAYS(AUTHORIZER_FAILED, "{\"allow\":true}\n", "without jansson");
}

UNIT_SUITE(authorize_answer, {"no_line", test_no_line}, {"length", test_length},
	   {"without_jansson", test_without_jansson});

#endif
