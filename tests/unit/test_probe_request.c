/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A probe's command line: what follows from what, and what makes no sense.
 */
#include "daemon/cli/probe_request.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/verify/fingerprint.h"
#include "tests/unit/unit.h"

#define WORDS_MAX 10

/* getopt moves words about: they are in an array of their own. */
static int
parse(const char *const *words, struct probe_request *request,
      struct error *error)
{
	static char copies[WORDS_MAX][200];
	static char *argv[WORDS_MAX + 1];
	int argc = 0;

	*error = (struct error){0};
	for (; words[argc]; argc++) {
		strcpy(copies[argc], words[argc]);
		argv[argc] = copies[argc];
	}
	argv[argc] = NULL;
	return probe_request_parse(argc, argv, request, error);
}

#define PARSE(...)                                                         \
	parse((const char *const[]){"probe", __VA_ARGS__, NULL}, &request, \
	      &error)

static void
test_names(void)
{
	struct probe_request request;
	struct error error;

	CU_ASSERT_EQUAL(PARSE("WWW.example.org:443"), 0);
	CU_ASSERT_TRUE(request.has_server_name);
	CU_ASSERT_STRING_EQUAL(request.server_name, "www.example.org");
	CU_ASSERT_STRING_EQUAL(request.verify_name, "www.example.org");
	CU_ASSERT_STRING_EQUAL(request.target, "WWW.example.org:443");
	CU_ASSERT_TRUE(request.has_versions);
	CU_ASSERT_EQUAL(request.timeout_ms, 5000);
	probe_request_clear(&request);

	/* An address is looked for, and not sent (RFC 6066 3). */
	CU_ASSERT_EQUAL(PARSE("192.0.2.1:443"), 0);
	CU_ASSERT_FALSE(request.has_server_name);
	CU_ASSERT_STRING_EQUAL(request.verify_name, "192.0.2.1");
	probe_request_clear(&request);

	CU_ASSERT_EQUAL(PARSE("[::1]:443", "--server-name", "a.example"), 0);
	CU_ASSERT_STRING_EQUAL(request.server_name, "a.example");
	CU_ASSERT_STRING_EQUAL(request.verify_name, "a.example");
	probe_request_clear(&request);

	CU_ASSERT_EQUAL(PARSE("--server-name", "", "--verify-name", "::1",
			      "a.example:443"),
			0);
	CU_ASSERT_FALSE(request.has_server_name);
	CU_ASSERT_STRING_EQUAL(request.verify_name, "::1");
	probe_request_clear(&request);

	CU_ASSERT_EQUAL(PARSE("unix:/run/x.sock"), 0);
	CU_ASSERT_FALSE(request.has_server_name);
	CU_ASSERT_STRING_EQUAL(request.verify_name, "");
	probe_request_clear(&request);
}

static void
test_lists(void)
{
	struct probe_request request;
	struct error error;

	CU_ASSERT_EQUAL(PARSE("a.example:1", "--alpn", "h2,http/1.1", "--alpn",
			      "x", "--ca", "a.pem", "--ca", "b.pem"),
			0);
	CU_ASSERT_EQUAL_FATAL(request.alpn_count, 3);
	CU_ASSERT_STRING_EQUAL(request.alpn[0], "h2");
	CU_ASSERT_STRING_EQUAL(request.alpn[1], "http/1.1");
	CU_ASSERT_STRING_EQUAL(request.alpn[2], "x");
	CU_ASSERT_EQUAL_FATAL(request.ca_count, 2);
	CU_ASSERT_STRING_EQUAL(request.cas[1], "b.pem");
	probe_request_clear(&request);

	CU_ASSERT_EQUAL(PARSE("a.example:1", "--fingerprint",
			      "sha1$pub$00112233445566778899aabbccddeeff00112"
			      "233",
			      "--timeout", "10m", "--no-versions", "--json"),
			0);
	CU_ASSERT_EQUAL_FATAL(request.pin_count, 1);
	CU_ASSERT_TRUE(request.pins[0].is_of_key);
	CU_ASSERT_EQUAL(request.timeout_ms, 600000);
	CU_ASSERT_FALSE(request.has_versions);
	CU_ASSERT_TRUE(request.is_json);
	probe_request_clear(&request);
}

static void
test_refused(void)
{
	static const struct {
		const char *words[5];
		const char *problem;
	} cases[] = {
		{{"--json"}, "HOST:PORT is missing"},
		{{"a.example:1", "b.example:1"}, "one server at a time"},
		{{"a.example"}, "a.example"},
		{{"a.example:0"}, "0"},
		{{":443"}, ""},
		{{"builtin:echo"}, "nothing to connect to"},
		{{"fd:3"}, ""},
		{{"a.example:1", "--nonsense"}, "unknown option --nonsense"},
		{{"a.example:1", "--ca"}, "--ca needs a value"},
		{{"a.example:1", "--alpn", ",h2"}, "--alpn: "},
		{{"a.example:1", "--alpn", ""}, "--alpn: "},
		{{"a.example:1", "--timeout", "5"}, "--timeout: "},
		{{"a.example:1", "--timeout", "0"}, "--timeout: "},
		{{"a.example:1", "--timeout", "11m"}, "--timeout: "},
		{{"a.example:1", "--server-name", "::1"}, "--server-name: "},
		{{"a.example:1", "--verify-name", "no name"},
		 "--verify-name: "},
		{{"a.example:1", "--scheme", "nonsense"}, "--scheme: "},
		{{"a.example:1", "--fingerprint", "00"}, "--fingerprint: "},
		{{"a.example:1", "--key", "k.pem"}, "--key needs --cert"},
		{{"a.example:1", "--passphrase-file", "p"},
		 "--passphrase-file needs --cert"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words[] = {"probe",           cases[i].words[0],
				       cases[i].words[1], cases[i].words[2],
				       cases[i].words[3], NULL};
		struct probe_request request;
		struct error error;

		CU_ASSERT_EQUAL(parse(words, &request, &error), -1);
		CU_ASSERT_TRUE(error.text[0] != '\0');
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].problem));
		probe_request_clear(&request);
	}
}

UNIT_SUITE(probe_request, {"names", test_names}, {"lists", test_lists},
	   {"refused", test_refused});
