/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on the admin socket, as they are written and as they must not be.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/process/admin_protocol.h"

static int
parse_request(const char *line, struct admin_request *request,
	      struct error *error)
{
	return admin_request_parse(line, strlen(line), request, error);
}

static void
test_requests(void)
{
	struct admin_request request;

	CU_ASSERT_EQUAL(
		parse_request("{\"command\":\"reload\"}", &request, NULL), 0);
	CU_ASSERT_EQUAL(request.command, ADMIN_RELOAD);
	CU_ASSERT_FALSE(request.is_now);
	CU_ASSERT_EQUAL(parse_request("{\"command\":\"stop\"}", &request, NULL),
			0);
	CU_ASSERT_EQUAL(request.command, ADMIN_STOP);
	CU_ASSERT_FALSE(request.is_now);
	CU_ASSERT_EQUAL(parse_request(" { \"now\" : true ,\t\"command\" "
				      ":\"\\u0073top\" } \r",
				      &request, NULL),
			0);
	CU_ASSERT_EQUAL(request.command, ADMIN_STOP);
	CU_ASSERT_TRUE(request.is_now);
}

static void
test_requests_written(void)
{
	static const struct admin_request requests[] = {
		{.command = ADMIN_RELOAD},
		{.command = ADMIN_STOP},
		{.command = ADMIN_STOP, .is_now = true},
		{.command = ADMIN_TICKETS_SHOW},
		{.command = ADMIN_TICKETS_ROTATE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		char line[ADMIN_REQUEST_MAX];
		size_t length = admin_request_format(&requests[i], line);
		struct admin_request read;

		CU_ASSERT_EQUAL(length, strlen(line));
		CU_ASSERT_EQUAL(line[length - 1], '\n');
		CU_ASSERT_EQUAL(admin_request_parse(line, length, &read, NULL),
				0);
		CU_ASSERT_EQUAL(read.command, requests[i].command);
		CU_ASSERT_EQUAL(read.is_now, requests[i].is_now);
	}
}

static void
test_requests_refused(void)
{
	static const char *const lines[] = {
		"",
		" ",
		"reload",
		"\"reload\"",
		"[]",
		"{",
		"{}",
		"{}}",
		"{\"command\"}",
		"{\"command\":}",
		"{\"command\":reload}",
		"{\"command\":\"reload\"",
		"{\"command\":\"reload\",}",
		"{\"command\":\"reload\"} x",
		"{\"command\":\"reload\"}{}",
		"{\"command\":\"reload\",\"command\":\"stop\"}",
		"{\"command\":\"reload\" \"now\":true}",
		"{\"command\":\"reload\",\"now\":true}",
		"{\"command\":\"stop\",\"now\":1}",
		"{\"command\":\"stop\",\"now\":\"true\"}",
		"{\"command\":\"stop\",\"now\":tru}",
		"{\"command\":\"stop\",\"more\":true}",
		"{\"command\":\"upgrade\"}",
		"{\"command\":\"tickets\"}",
		"{\"command\":\"tickets  show\"}",
		"{\"command\":\"tickets show\",\"now\":true}",
		"{\"command\":true}",
		"{\"command\":null}",
		"{\"command\":{\"command\":\"stop\"}}",
		"{command:\"stop\"}",
		"{'command':'stop'}",
		"{\"command\":\"st\top\"}",
		"{\"command\":\"stop",
		"{\"command\":\"stop\\",
		"{\"command\":\"stop\\\"}",
		"{\"command\":\"sto\\p\"}",
		"{\"command\":\"\\u00\"}",
		"{\"command\":\"\\u007\"}",
		"{\"command\":\"\\u0000\"}",
		"{\"command\":\"\\uD800\"}",
		"{\"command\":\"\\uD800\\u0041\"}",
		"{\"command\":\"\\uDC00\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct admin_request request;
		struct error error = {0};

		if (parse_request(lines[i], &request, &error) == 0)
			fprintf(stderr, "taken: %s\n", lines[i]);
		CU_ASSERT_EQUAL(parse_request(lines[i], &request, &error), -1);
		CU_ASSERT_STRING_NOT_EQUAL(error.text, "");
	}
}

/* No prefix of a good line is one. */
static void
test_requests_cut(void)
{
	static const char line[] = "{\"command\":\"stop\",\"now\":false}";

	for (size_t length = 0; length < sizeof(line) - 1; length++) {
		AUTO_FREE char *exact = mem_dup(line, length);
		struct admin_request request;

		CU_ASSERT_EQUAL(
			admin_request_parse(exact, length, &request, NULL), -1);
	}
}

static void
round_trip(const struct admin_answer *answer)
{
	size_t length = 0;
	AUTO_FREE char *line = admin_answer_format(answer, &length);
	struct admin_answer read;
	struct error error = {0};

	CU_ASSERT_EQUAL(length, strlen(line));
	CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + length - 1);
	CU_ASSERT_EQUAL_FATAL(admin_answer_parse(line, length, &read, &error),
			      0);
	CU_ASSERT_EQUAL(read.is_ok, answer->is_ok);
	CU_ASSERT_EQUAL(read.generation, answer->generation);
	CU_ASSERT_EQUAL(read.exit, answer->exit);
	CU_ASSERT_STRING_EQUAL(read.error, answer->error ? answer->error : "");
	CU_ASSERT_STRING_EQUAL(read.warnings,
			       answer->warnings ? answer->warnings : "");
	CU_ASSERT_STRING_EQUAL(read.text, answer->text ? answer->text : "");
	admin_answer_clear(&read);
}

static void
test_answers(void)
{
	char sentence[] = "a.yaml:3:9: unknown key \"x\\y\"\nand\t\x01 more "
			  "\xc3\xa9 \xf0\x9f\x94\x92";
	char warnings[] = "b";

	round_trip(&(struct admin_answer){.is_ok = true});
	round_trip(&(struct admin_answer){.is_ok = true,
					  .generation = UINT64_MAX});
	round_trip(&(struct admin_answer){.error = sentence, .exit = 2});
	round_trip(&(struct admin_answer){
		.is_ok = true, .generation = 3, .warnings = warnings});
	round_trip(&(struct admin_answer){.is_ok = true, .text = sentence});
}

static void
test_answer_text(void)
{
	char sentence[] = "a.yaml:1:2: no";
	const struct admin_answer answer = {.error = sentence, .exit = 2};
	size_t length = 0;
	AUTO_FREE char *line = admin_answer_format(&answer, &length);

	CU_ASSERT_STRING_EQUAL(
		line,
		"{\"ok\":false,\"error\":\"a.yaml:1:2: no\",\"exit\":2}\n");
}

static void
test_escapes(void)
{
	static const char line[] =
		"{\"ok\":false,\"error\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t"
		"\\u00e9\\u20AC\\ud83d\\udd12\"}";
	struct admin_answer answer;

	CU_ASSERT_EQUAL_FATAL(
		admin_answer_parse(line, strlen(line), &answer, NULL), 0);
	CU_ASSERT_STRING_EQUAL(answer.error, "\"\\/\b\f\n\r\t\xc3\xa9"
					     "\xe2\x82\xac\xf0\x9f\x94\x92");
	admin_answer_clear(&answer);
}

static void
test_answers_refused(void)
{
	static const char *const lines[] = {
		"{}",
		"{\"generation\":1}",
		"{\"ok\":1}",
		"{\"ok\":true,\"generation\":-1}",
		"{\"ok\":true,\"generation\":1.5}",
		"{\"ok\":true,\"generation\":01}",
		"{\"ok\":true,\"generation\":18446744073709551616}",
		"{\"ok\":true,\"generation\":99999999999999999999999999}",
		"{\"ok\":true,\"generation\":}",
		"{\"ok\":false,\"exit\":256}",
		"{\"ok\":false,\"error\":\"a\",\"error\":\"b\"}",
		"{\"ok\":false,\"error\":\"a\",\"warnings\":3}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct admin_answer answer;

		CU_ASSERT_EQUAL(admin_answer_parse(lines[i], strlen(lines[i]),
						   &answer, NULL),
				-1);
		CU_ASSERT_PTR_NULL(answer.error);
	}
}

static void
test_sentences(void)
{
	struct position at = {.file = "a.yaml", .line = 3, .column = 9};
	struct error_list list = {0};
	AUTO_FREE char *none = admin_sentences(&list);
	AUTO_FREE char *two = NULL;
	AUTO_FREE char *many = NULL;
	unsigned int lines = 0, more = 0;
	struct admin_answer answer = {0};
	size_t length;

	CU_ASSERT_STRING_EQUAL(none, "");
	error_list_addf(&list, &at, "one");
	error_list_addf(&list, &at, "two");
	two = admin_sentences(&list);
	CU_ASSERT_STRING_EQUAL(two, "a.yaml:3:9: one\na.yaml:3:9: two");
	for (unsigned int i = 2; i < 5000; i++)
		error_list_addf(&list, &at, "\xc3\xa9 %u", i);
	many = admin_sentences(&list);
	for (const char *end = many; (end = strchr(end, '\n')); end++)
		lines++;
	CU_ASSERT_PTR_NOT_NULL_FATAL(strrchr(many, '\n'));
	CU_ASSERT_EQUAL(sscanf(strrchr(many, '\n'), "\n... and %u more", &more),
			1);
	CU_ASSERT_EQUAL(lines + more, 5000);

	/* An answer with the longest texts, at their worst. */
	memset(many, '\x01', strlen(many));
	answer.error = answer.warnings = many;
	{
		AUTO_FREE char *line = admin_answer_format(&answer, &length);

		CU_ASSERT_TRUE(length < ADMIN_ANSWER_MAX);
		CU_ASSERT_PTR_NOT_NULL(line);
	}
	error_list_clear(&list);
}

UNIT_SUITE(admin_protocol, {"requests", test_requests},
	   {"requests_written", test_requests_written},
	   {"requests_refused", test_requests_refused},
	   {"requests_cut", test_requests_cut}, {"answers", test_answers},
	   {"answer_text", test_answer_text}, {"escapes", test_escapes},
	   {"answers_refused", test_answers_refused},
	   {"sentences", test_sentences});
