/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the schemes mean: every scheme in every situation, schemes of one's
 * own, wildcards. "manual" is IO::Socket::SSL's, verify_hostname.
 */
#include "common/verify/verify_name.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/lib/verify_case.h"
#include "tests/unit/unit.h"

/* What a certificate may hold. A scheme's row has a letter for each. */
static const struct {
	const char *host;
	const char *names;
} situations[] = {
	/* names of type DNS: the one; another one; wildcards that are a label,
	 * its end, its beginning, and stand for two labels */
	{"www.example.org", "d:www.example.org"},
	{"www.example.org", "d:other.example.org"},
	{"www.example.org", "d:*.example.org"},
	{"www.example.org", "d:w*.example.org"},
	{"www.example.org", "d:*w.example.org"},
	{"a.www.example.org", "d:*.example.org"},
	/* the common name: alone, beside a name of type DNS, beside others, as
	 * a wildcard that is a label and that is a part of one */
	{"www.example.org", "c:www.example.org"},
	{"www.example.org", "d:other.example.org c:www.example.org"},
	{"www.example.org", "e:a@example.org c:www.example.org"},
	{"www.example.org", "i:192.0.2.1 c:www.example.org"},
	{"www.example.org", "c:*.example.org"},
	{"www.example.org", "c:w*.example.org"},
	/* addresses: as such, in the common name alone and beside alternative
	 * names, in a name of type DNS */
	{"192.0.2.1", "i:192.0.2.1"},
	{"2001:db8::1", "i:2001:db8::1"},
	{"192.0.2.1", "c:192.0.2.1"},
	{"2001:db8::1", "c:2001:db8::1"},
	{"192.0.2.1", "d:other.example.org c:192.0.2.1"},
	{"192.0.2.1", "i:192.0.2.2 c:192.0.2.1"},
	{"192.0.2.1", "d:192.0.2.1"},
	/* wildcards for everybody */
	{"www.com", "d:*.com"},
	{"www.org", "c:*.org"},
	{"www.example.org", "d:* c:*"},
};

static const struct {
	const char *schemes;
	const char *answers;
	const char *clause;
} rows[] = {
	{"rfc2818 xmpp rfc3920 ftp rfc4217", "YNYYYN YNYYYY YYNNNNN NNN",
	 "manual: extended wildcards, common name without names of type DNS; "
	 "RFC 2818 3.1"},
	{"http www", "YNYYYN YNYYYY YYYYNNN NNN",
	 "manual: as rfc2818, and an address in the common name without "
	 "alternative names"},
	{"smtp rfc2595 imap pop3 acap nntp rfc4642 netconf rfc5538 syslog "
	 "rfc5425 snmp rfc5953",
	 "YNYNNN YYYYYN YYNNNNN NNN",
	 "manual: simple wildcards, common name always; RFC 2595 2.4"},
	{"ldap rfc4513", "YNYNNN YYYYNN YYNNNNN NNN",
	 "manual: simple wildcards but in the common name, which counts "
	 "always; RFC 4513 3.1.3"},
	{"sip rfc5922", "YNNNNN YYYYNN YYNNNNN NNN",
	 "manual: no wildcards, common name always; RFC 5922 7.2"},
	{"gist rfc5971", "YNYNNN YNYYYN YYNNNNN NNN",
	 "manual: simple wildcards, common name without names of type DNS; "
	 "RFC 5971 5.7.3.1"},
	{"default", "YNYYYN YYYYYY YYYYYYN NNN",
	 "manual: extended wildcards, common name always, a superset"},
	{"none", "YYYYYY YYYYYY YYYYYYY YYY", "manual: no verification"},
};

static void
run_row(const char *scheme, const char *answers, const char *clause)
{
	size_t situation = 0;

	for (; *answers; answers++) {
		struct verify_case one = {.scheme = scheme, .clause = clause};

		if (*answers == ' ')
			continue;
		CU_ASSERT_TRUE_FATAL(situation < ARRAY_SIZE(situations));
		one.host = situations[situation].host;
		one.names = situations[situation++].names;
		one.is_for = *answers == 'Y';
		verify_cases_run(&one, 1);
	}
	CU_ASSERT_EQUAL(situation, ARRAY_SIZE(situations));
}

static void
test_schemes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_FREE char *copy = mem_strdup(rows[i].schemes);
		char *rest = copy, *scheme;

		while ((scheme = strsep(&rest, " ")) != NULL)
			run_row(scheme, rows[i].answers, rows[i].clause);
	}
	CU_ASSERT_TRUE(verify_cases_count() >= 600);
}

static void
test_own_schemes(void)
{
	static const char check[] = "manual: check_cn";
	static const char alt[] = "manual: wildcards_in_alt";
	static const char cn[] = "manual: wildcards_in_cn";
	static const char ip[] = "manual: ip_in_cn";
	const struct verify_case cases[] = {
		YES("check_cn=never", "a.org", "d:a.org c:b.org", check),
		NO("check_cn=never", "b.org", "d:a.org c:b.org", check),
		NO("check_cn=never", "b.org", "c:b.org", check),
		NO("check_cn=0", "b.org", "c:b.org", check),
		YES("check_cn=when_only", "b.org", "c:b.org", check),
		NO("check_cn=when_only", "b.org", "d:a.org c:b.org", check),
		YES("check_cn=when_only", "b.org", "u:http://a/ c:b.org",
		    check),
		YES("check_cn=when_only", "b.org", "x: c:b.org", check),
		YES("check_cn=always", "b.org", "d:a.org c:b.org", check),
		NO("check_cn=always", "b.org", "d:a.org c:a.org", check),
		NO("wildcards_in_alt=none", "a.b.org", "d:*.b.org", alt),
		NO("wildcards_in_alt=0", "a.b.org", "d:*.b.org", alt),
		YES("wildcards_in_alt=full_label", "a.b.org", "d:*.b.org", alt),
		YES("wildcards_in_alt=leftmost", "a.b.org", "d:*.b.org", alt),
		NO("wildcards_in_alt=full_label", "ab.b.org", "d:a*.b.org",
		   alt),
		NO("wildcards_in_alt=full_label", "ab.b.org", "d:*b.b.org",
		   alt),
		YES("wildcards_in_alt=anywhere", "ab.b.org", "d:a*.b.org", alt),
		YES("wildcards_in_alt=anywhere", "ab.b.org", "d:*b.b.org", alt),
		YES("wildcards_in_alt=anywhere", "a.b.org", "d:*.b.org", alt),
		NO("wildcards_in_alt=anywhere,check_cn=always", "a.b.org",
		   "c:*.b.org", cn),
		NO("wildcards_in_cn=anywhere", "a.b.org", "c:*.b.org", check),
		NO("wildcards_in_cn=anywhere,check_cn=always", "a.b.org",
		   "d:*.b.org", alt),
		YES("wildcards_in_cn=full_label,check_cn=always", "a.b.org",
		    "c:*.b.org", cn),
		NO("wildcards_in_cn=full_label,check_cn=always", "ab.b.org",
		   "c:a*.b.org", cn),
		YES("wildcards_in_cn=anywhere,check_cn=when_only", "ab.b.org",
		    "c:a*.b.org", cn),
		NO("wildcards_in_cn=anywhere,check_cn=when_only", "ab.b.org",
		   "d:x.org c:a*.b.org", check),
		NO("ip_in_cn=any", "192.0.2.1", "c:192.0.2.1", check),
		YES("ip_in_cn=any,check_cn=always", "192.0.2.1", "c:192.0.2.1",
		    ip),
		YES("ip_in_cn=1,check_cn=always", "2001:db8::1",
		    "c:2001:db8::1", ip),
		YES("ip_in_cn=4,check_cn=always", "192.0.2.1", "c:192.0.2.1",
		    ip),
		NO("ip_in_cn=4,check_cn=always", "2001:db8::1", "c:2001:db8::1",
		   ip),
		YES("ip_in_cn=6,check_cn=always", "2001:db8::1",
		    "c:2001:db8::1", ip),
		NO("ip_in_cn=6,check_cn=always", "192.0.2.1", "c:192.0.2.1",
		   ip),
		NO("ip_in_cn=0,check_cn=always", "192.0.2.1", "c:192.0.2.1",
		   ip),
		NO("ip_in_cn=any,check_cn=always,wildcards_in_cn=anywhere",
		   "192.0.2.1", "c:*.0.2.1", ip),
		YES("ip_in_cn=any,check_cn=always", "192.0.2.1",
		    "i:192.0.2.2 c:192.0.2.1", ip),
		NO("ip_in_cn=any,check_cn=when_only", "192.0.2.1",
		   "i:192.0.2.2 c:192.0.2.1", check),
	};

	verify_cases_run(cases, ARRAY_SIZE(cases));
}

static void
test_wildcards(void)
{
	static const char left[] = "RFC 6125 6.4.3: the left-most label alone";
	static const char one[] = "RFC 2818 3.1: one label or a part of one";
	static const char manual[] =
		"manual: www.*.org or even * will not be allowed";
	const struct verify_case cases[] = {
		YES("http", "a.b.org", "d:*.b.org", one),
		YES("http", "A.B.ORG", "d:*.b.org", "RFC 4343 2: capitals"),
		YES("http", "a.b.org", "d:*.B.Org", "RFC 4343 2: capitals"),
		YES("http", "Foo.b.org", "d:f*O.b.org", "RFC 4343 2: capitals"),
		YES("http", "a_b.b.org", "d:*.b.org", one),
		YES("http", "_dmarc.b.org", "d:_*.b.org", one),
		NO("http", "b.org", "d:*.b.org", one),
		NO("http", "a.a.b.org", "d:*.b.org", one),
		NO("http", "a.c.org", "d:*.b.org", one),
		NO("http", "a.xb.org", "d:*.b.org", one),
		NO("http", "a.b.orgx", "d:*.b.org", one),
		NO("http", "a.b.or", "d:*.b.org", one),
		YES("http", "foo.b.org", "d:f*.b.org", one),
		YES("http", "foo.b.org", "d:fo*.b.org", one),
		YES("http", "foo.b.org", "d:*o.b.org", one),
		YES("http", "foo.b.org", "d:f*o.b.org", one),
		YES("http", "foooo.b.org", "d:f*o.b.org", one),
		NO("http", "bar.b.org", "d:f*.b.org", one),
		NO("http", "foo.b.org", "d:foo*.b.org",
		   "RFC 6125 6.4.3: baz* stands for baz1; for something"),
		NO("http", "foo.b.org", "d:*foo.b.org",
		   "RFC 6125 6.4.3: for something"),
		NO("http", "fo.b.org", "d:f*o.b.org",
		   "RFC 6125 6.4.3: for something"),
		NO("http", "o.b.org", "d:o*o.b.org",
		   "RFC 6125 6.4.3: for something"),
		NO("http", "foo.b.org", "d:f**.b.org",
		   "RFC 6125 6.4.3: one wildcard"),
		NO("http", "foo.b.org", "d:*o*.b.org",
		   "RFC 6125 6.4.3: one wildcard"),
		NO("http", "foo.b.org", "d:**.b.org",
		   "RFC 6125 6.4.3: one wildcard"),
		NO("http", "a.b.org", "d:*.*.org", left),
		NO("http", "a.b.c.org", "d:*.*.c.org", left),
		NO("http", "a.b.org", "d:a.*.org", manual),
		NO("http", "www.b.org", "d:www.*.org", manual),
		NO("http", "a.b.org", "d:a.b*.org", left),
		NO("http", "a.b.org", "d:a.b.*", left),
		NO("http", "a.b.org", "d:*.b.*", left),
		NO("http", "a.b.org", "d:*", manual),
		NO("http", "host", "d:*", manual),
		NO_OFF("http", "host", "d:*", manual),
		NO_OFF("http", "host", "d:h*", manual),
		NO_OFF("http", "host", "d:h*t", manual),
		NO_OFF("http", "a.b.org", "d:*", manual),
		NO_OFF("http", "a.b.org", "d:a*", manual),
		NO("http", "a.b.org", "d:*b.org", one),
		NO("http", "a.b.org", "d:*.", one),
		NO("http", "a.b.org", "d:*..b.org", one),
		NO("http", "a.b.org", "d:*.b..org", one),
		NO("http", "a.b.org", "d:.*.b.org", left),
		NO("http", "a.b.org", "d:*.b.org.", "RFC 1034 3.5: no name"),
		NO("http", "a.b.org", "d:*%00.b.org",
		   "RFC 5280 4.2.1.6: "
		   "preferred name syntax"),
		YES("http", "a.b.org", "d:x.org d:y.org d:*.b.org",
		    "RFC 2818 3.1: a match in any one of the set"),
		YES("http", "y.org", "d:x.org d:y.org d:*.b.org",
		    "RFC 2818 3.1: a match in any one of the set"),
		NO("http", "*.b.org", "d:*.b.org",
		   "RFC 9525 6.2: a reference "
		   "is no wildcard"),
	};

	verify_cases_run(cases, ARRAY_SIZE(cases));
}

UNIT_SUITE(verify_name, {"schemes", test_schemes},
	   {"own_schemes", test_own_schemes}, {"wildcards", test_wildcards});
