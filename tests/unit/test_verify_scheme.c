/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of schemes, and schemes of one's own. What they mean is tested
 * with verify_name.
 */
#include "common/verify/verify_scheme.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

/* Every name of the newest manual, verify_hostname: those of one line are one
 * scheme. */
static const char *const manual[][10] = {
	{"rfc2818", "xmpp", "rfc3920", "ftp", "rfc4217"},
	{"http", "www"},
	{"smtp", "rfc2595", "imap", "pop3", "acap", "rfc4642", "netconf",
	 "rfc5538", "syslog", "rfc5425"},
	{"smtp", "snmp", "rfc5953", "nntp"},
	{"ldap", "rfc4513"},
	{"sip", "rfc5922"},
	{"gist", "rfc5971"},
	{"default"},
	{"none"},
};

static void
test_names(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(manual); i++) {
		const struct verify_scheme *first =
			verify_scheme_find(manual[i][0]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(first);
		for (size_t k = 1; k < 10 && manual[i][k]; k++) {
			const struct verify_scheme *other =
				verify_scheme_find(manual[i][k]);

			CU_ASSERT_PTR_NOT_NULL_FATAL(other);
			CU_ASSERT_TRUE(verify_scheme_equals(first, other));
		}
	}
	CU_ASSERT_PTR_EQUAL(verify_scheme_find("HTTP"),
			    verify_scheme_find("http"));
	CU_ASSERT_PTR_NULL(verify_scheme_find(""));
	CU_ASSERT_PTR_NULL(verify_scheme_find("rfc2995"));
	CU_ASSERT_PTR_NULL(verify_scheme_find("http "));
	CU_ASSERT_PTR_NULL(verify_scheme_find("none\n"));
}

/* Only `none` asks for nothing. */
static void
test_none(void)
{
	const char *name;
	size_t count = 0;

	for (; (name = verify_scheme_name(count)) != NULL; count++)
		CU_ASSERT_EQUAL(verify_scheme_find(name)->is_none,
				strcmp(name, "none") == 0);
	CU_ASSERT_EQUAL(count, 28);
}

static void
expect_parse(const char *text, const struct verify_scheme *expected)
{
	struct verify_scheme scheme;
	struct error error = {0};

	CU_ASSERT_EQUAL(verify_scheme_parse(text, &scheme, &error), 0);
	CU_ASSERT_TRUE(verify_scheme_equals(&scheme, expected));
}

static void
expect_refusal(const char *text, const char *sentence)
{
	struct verify_scheme scheme;
	struct error error = {0};

	CU_ASSERT_EQUAL(verify_scheme_parse(text, &scheme, &error), -1);
	CU_ASSERT_STRING_EQUAL(error.text, sentence);
}

static void
test_own(void)
{
	static const struct verify_scheme full = {
		.check_cn = VERIFY_CN_WHEN_ONLY,
		.wildcards_in_alt = VERIFY_WILDCARDS_ANYWHERE,
		.wildcards_in_cn = VERIFY_WILDCARDS_FULL_LABEL,
		.ip_in_cn = VERIFY_IP_IN_CN_IPV6,
	};
	static const struct verify_scheme any = {
		.check_cn = VERIFY_CN_ALWAYS,
		.ip_in_cn = VERIFY_IP_IN_CN_ANY,
	};
	static const struct verify_scheme nothing = {0};

	expect_parse("check_cn=when_only,wildcards_in_alt=anywhere,"
		     "wildcards_in_cn=leftmost,ip_in_cn=6",
		     &full);
	expect_parse("ip_in_cn=1,check_cn=always", &any);
	expect_parse("ip_in_cn=true,check_cn=Always", &any);
	expect_parse("check_cn=0", &nothing);
	expect_parse("check_cn=never,wildcards_in_alt=0,wildcards_in_cn=none,"
		     "ip_in_cn=off",
		     &nothing);
	expect_parse("check_cn=always,check_cn=no", &nothing);
	expect_parse("Rfc2818", verify_scheme_find("ftp"));
}

static void
test_refusals(void)
{
	expect_refusal("htpt", "there is no scheme \"htpt\": did you mean "
			       "http?");
	expect_refusal("gopher",
		       "there is no scheme \"gopher\": there are http, "
		       "rfc2818, xmpp, ftp, smtp, imap, pop3, acap, nntp, "
		       "netconf, syslog, snmp, ldap, sip, gist, default and "
		       "none");
	expect_refusal("check_cn=sometimes",
		       "`check_cn` must be one of never, when_only, always, "
		       "not \"sometimes\"");
	expect_refusal("wildcards_in_alt=",
		       "`wildcards_in_alt` must be one of none, full_label, "
		       "anywhere, not \"\"");
	expect_refusal("ip_in_cn=5",
		       "`ip_in_cn` must be one of none, any, 4, 6, not \"5\"");
	expect_refusal("callback=1",
		       "a scheme has no `callback`: there are check_cn, "
		       "wildcards_in_alt, wildcards_in_cn and ip_in_cn");
	expect_refusal("check_cn=always,", "\"\" is no MEMBER=VALUE");
	expect_refusal("http,check_cn=always", "\"http\" is no MEMBER=VALUE");
}

UNIT_SUITE(verify_scheme, {"names", test_names}, {"none", test_none},
	   {"own", test_own}, {"refusals", test_refusals});
