/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that want to be taken for others: NULs, dots, addresses, A-labels,
 * public suffixes; and the sentences that refusals come with.
 */
#include "common/verify/verify_name.h"

#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/net/hostname_idn.h"
#include "common/verify/peer_names.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_scheme.h"
#include "tests/lib/named_certificate.h"
#include "tests/lib/verify_case.h"
#include "tests/unit/unit.h"

static void
test_tricks(void)
{
	static const char syntax[] =
		"RFC 5280 4.2.1.6: names are in the preferred name syntax";
	const struct verify_case cases[] = {
		NO("default", "a.org", "d:a.org%00.evil.org", syntax),
		NO("default", "a.org", "d:a.org%00", syntax),
		NO("default", "a.org", "d:%00a.org", syntax),
		NO("default", "a.org", "d:a%00.org", syntax),
		NO("default", "a.org", "c:a.org%00.evil.org", syntax),
		NO("default", "a.org", "c:a.org%00", syntax),
		NO("default", "a.org", "c:%00a.org", syntax),
		NO("default", "a.org", "e:a.org", "RFC 2818 3.1: dNSName"),
		NO("default", "a.org", "e:a@a.org%00", "RFC 2818 3.1: dNSName"),
		NO("default", "a.org", "u:a.org", "RFC 2818 3.1: dNSName"),
		NO("default", "a.org", "u:https://a.org",
		   "RFC 2818 3.1: dNSName"),
		NO("default", "a.org", "o:a.org", "RFC 2818 3.1: dNSName"),
		NO("default", "a.org", "i:a.org", "RFC 2818 3.1: dNSName"),
		NO("default", "a.org", "d:a.org.", syntax),
		NO("default", "a.org", "c:a.org.", syntax),
		NO("default", "a.org.", "d:a.org.",
		   "RFC 6066 3: a host name is without a trailing dot"),
		NO("default", "a.org.", "d:a.org",
		   "RFC 6066 3: a host name is without a trailing dot"),
		NO("default", "a.org", "d:.a.org", syntax),
		NO("default", "a.b.org", "d:.b.org", syntax),
		NO("default", "a.b.org", "c:.b.org", syntax),
		NO("default", "a.org", "d:a..org", syntax),
		NO("default", "a..org", "d:a..org", syntax),
		NO("default", ".a.org", "d:.a.org", syntax),
		NO("default", "a.org", "d:%20a.org", syntax),
		NO("default", "a.org", "d:a.org%20", syntax),
		NO("default", "a.org", "d:a.org%0a", syntax),
		NO("default", "a.org", "d:a.org%0d%0a", syntax),
		NO("default", "a.org", "c:%20a.org", syntax),
		NO("default", "a.org", "c:a.org%20", syntax),
		NO("default", "a.org", "c:a.org,CN=b.org", syntax),
		NO("default", "a.org", "c:a.org/b", syntax),
		NO("default", "a.org", "d:a.org:443", syntax),
		NO("default", "a.org:443", "d:a.org:443", syntax),
		NO("default", "a.org", "d:https://a.org", syntax),
		NO("default", "a.org", "d:user@a.org", syntax),
		NO("default", "a.org", "d:", syntax),
		NO("default", "", "d:", syntax),
		NO("default", "", "c:", syntax),
		NO("default", "a.org", "", "RFC 2818 3.1: no name, no match"),
		NO("default", "", "", "RFC 2818 3.1: no name, no match"),
		NO("default", ".", "d:.", syntax),
		NO("default", "..", "d:..", syntax),
		NO("default", "a.org", "d:%61%ef%bc%8e%6frg", syntax),
		NO("default", "a.org", "d:a%e3%80%82org", syntax),
		NO("default", "a.org", "d:%d0%b0.org", syntax),
		NO("default", "a b", "d:a%20b", syntax),
		YES("default", "A.ORG", "d:a.org", "RFC 4343 2: capitals"),
		YES("default", "a.org", "c:A.oRG", "RFC 4343 2: capitals"),
		NO("default", "[a.org", "d:{a.org", "RFC 4343 2: ASCII alone"),
		YES("default", "host", "d:host", "RFC 6125 6.4.1: exactly"),
		YES("default", "_a.b.org", "d:_a.b.org", "RFC 6125 6.4.1"),
		NO("default", "a.org", "d:aa.org",
		   "RFC 6125 6.4.1: all "
		   "labels"),
		NO("default", "a.org", "d:b.a.org", "RFC 6125 6.4.1"),
		NO("default", "b.a.org", "d:a.org", "RFC 6125 6.4.1"),
		NO("default", "a.org", "d:a.org.evil.org", "RFC 6125 6.4.1"),
		NO("default", "a.org", "d:a", "RFC 6125 6.4.1"),
		/* The most specific one. */
		YES("default", "b.org", "c:a.org c:b.org",
		    "RFC 2818 3.1: the (most specific) Common Name"),
		NO("default", "a.org", "c:a.org c:b.org",
		   "RFC 2818 3.1: the (most specific) Common Name"),
	};

	verify_cases_run(cases, ARRAY_SIZE(cases));
}

static void
test_addresses(void)
{
	static const char octets[] =
		"RFC 2818 3.1: an iPAddress exactly; RFC 5280 4.2.1.6: octets";
	const struct verify_case cases[] = {
		YES("sip", "192.0.2.1", "i:192.0.2.1", octets),
		NO("sip", "192.0.2.1", "i:192.0.2.2", octets),
		YES("sip", "192.0.2.1", "i:192.0.2.2 i:192.0.2.1", octets),
		YES("sip", "2001:db8::1", "i:2001:db8::1", octets),
		YES("sip", "2001:DB8:0:0::1", "i:2001:db8::1", octets),
		NO("sip", "2001:db8::2", "i:2001:db8::1", octets),
		NO("http", "::ffff:192.0.2.1", "i:192.0.2.1", octets),
		NO("http", "192.0.2.1", "i:::ffff:192.0.2.1", octets),
		YES("http", "::ffff:192.0.2.1", "i:::ffff:192.0.2.1", octets),
		YES("http", "::ffff:c000:201", "i:::ffff:192.0.2.1", octets),
		NO("http", "::192.0.2.1", "i:192.0.2.1", octets),
		NO("http", "0.0.0.0", "i:", octets),
		NO("http", "192.0.2.1", "i:%c0%00%02", octets),
		NO("http", "192.0.2.1", "i:%c0%00%02%01%ff%ff%ff%ff", octets),
		NO("http", "192.0.2.1", "d:192.0.2.1", octets),
		NO("http", "192.0.2.1", "u:https://192.0.2.1/", octets),
		NO("http", "192.0.2.1", "d:*.0.2.1", octets),
		NO("http", "192.0.2.1", "d:*", octets),
		NO("http", "192.0.2.1", "d:192.0.2.*", octets),
		NO("http", "192.0.2.1", "i:192.0.2.1%00", octets),
		NO("http", "127.1", "i:127.0.0.1",
		   "RFC 6943 3.1.1: no "
		   "loose addresses"),
		NO("http", "0x7f000001", "i:127.0.0.1", "RFC 6943 3.1.1"),
		NO("http", "2130706433", "d:2130706433", "RFC 6943 3.1.1"),
		NO("http", "127.1", "d:127.1", "RFC 6943 3.1.1"),
		NO("http", "[2001:db8::1]", "i:2001:db8::1",
		   "RFC 3986 3.2.2: brackets are a URI's"),
		YES("http", "fe80::1%eth0", "i:fe80::1",
		    "RFC 6874 1: a zone is local"),
		NO("http", "fe80::1%", "i:fe80::1", "RFC 6874 1"),
		YES("http", "192.0.2.1", "c:192.0.2.1", "manual: http"),
		NO("http", "192.0.2.1", "e:a@b.org c:192.0.2.1",
		   "manual: as long as no subjectAltNames are defined"),
		NO("http", "192.0.2.1", "u:http://b.org/ c:192.0.2.1",
		   "manual: as long as no subjectAltNames are defined"),
		NO("http", "192.0.2.1", "x: c:192.0.2.1",
		   "manual: as long as no subjectAltNames are defined"),
		NO("http", "192.0.2.1", "i:%01 c:192.0.2.1",
		   "manual: as long as no subjectAltNames are defined"),
		NO("http", "192.0.2.1", "c:192.0.2.1%00", "manual: ip_in_cn"),
		NO("http", "192.0.2.1", "c:%20192.0.2.1", "manual: ip_in_cn"),
		NO("http", "192.0.2.1", "c:192.0.2.01", "manual: ip_in_cn"),
		NO("http", "192.0.2.1", "c:192.0.2.1:443", "manual: ip_in_cn"),
		YES("http", "2001:db8::1", "c:2001:DB8:0::1",
		    "manual: ip_in_cn; RFC 5952 1: one address"),
		NO("http", "a.org", "i:192.0.2.1", "RFC 2818 3.1"),
	};

	verify_cases_run(cases, ARRAY_SIZE(cases));
}

static void
test_international(void)
{
	static const char labels[] =
		"RFC 6125 6.4.2: A-labels are compared as ASCII";
	static const char inside[] =
		"RFC 6125 6.4.3 3: not within an A-label or U-label";
	const struct verify_case cases[] = {
		YES("http", "xn--bcher-kva.org", "d:xn--bcher-kva.org", labels),
		YES("http", "XN--BCHER-KVA.org", "d:xn--bcher-kva.ORG", labels),
		NO("http", "xn--bcher-kva.org", "d:bucher.org", labels),
		NO("http", "xn--bcher-kva.org", "d:b%c3%bccher.org", labels),
		NO("http", "xn--bcher-kva.org", "d:b%fccher.org", labels),
		NO("http", "xn--bcher-kva.org", "c:b%c3%bccher.org", labels),
		NO("http",
		   "b\xc3\xbc"
		   "cher.org",
		   "d:b%c3%bccher.org", labels),
		YES("http", "xn--bcher-kva.b.org", "d:*.b.org",
		    "RFC 6125 7.2: a whole label may be one"),
		YES("ldap", "xn--bcher-kva.b.org", "d:*.b.org",
		    "RFC 6125 7.2: a whole label may be one"),
		YES("http", "a.xn--bcher-kva.org", "d:*.xn--bcher-kva.org",
		    labels),
		YES("http", "ab.xn--bcher-kva.org", "d:a*.xn--bcher-kva.org",
		    labels),
		NO("http", "xn--bcher-kva.b.org", "d:xn--*.b.org", inside),
		NO("http", "xn--bcher-kva.b.org", "d:xn--b*.b.org", inside),
		NO("http", "xn--bcher-kva.b.org", "d:x*.b.org", inside),
		NO("http", "xn--bcher-kva.b.org", "d:*a.b.org", inside),
		NO("http", "xn--bcher-kva.b.org", "d:*-kva.b.org", inside),
		NO("http", "xn--bcher-kva.b.org", "d:xn*-kva.b.org", inside),
		NO("http", "XN--bcher-kva.b.org", "d:X*.b.org", inside),
		NO("http", "xn--bcher-kva.b.org", "c:xn--*.b.org", inside),
		YES("http", "xn-bcher.b.org", "d:xn-*.b.org",
		    "RFC 5890 2.3.2.1: no A-label"),
		YES("http", "axn--b.b.org", "d:a*.b.org",
		    "RFC 5890 2.3.2.1: no A-label"),
	};

	verify_cases_run(cases, ARRAY_SIZE(cases));
}

static void
test_suffixes(void)
{
	static const char manual[] =
		"manual: SSL_verifycn_publicsuffix: no *.com or *.co.uk";
	static const char fine[] =
		"manual: SSL_verifycn_publicsuffix: *.example.com is ok";
	static const char list[] = "publicsuffix.org/list: the algorithm";
	static const char off[] = "manual: to disable verification";
	const struct verify_case cases[] = {
		NO("http", "a.com", "d:*.com", manual),
		NO("http", "a.org", "d:*.org", manual),
		NO("http", "a.co.uk", "d:*.co.uk", manual),
		NO("http", "co.uk", "d:*.uk", manual),
		NO("http", "abc.co.uk", "d:a*.co.uk", manual),
		NO("http", "abc.co.uk", "c:a*.co.uk", manual),
		NO("http", "A.CO.UK", "d:*.CO.UK", manual),
		YES("http", "a.co.uk", "d:a.co.uk", manual),
		YES("http", "a.b.com", "d:*.b.com", fine),
		YES("http", "a.b.co.uk", "d:*.b.co.uk", fine),
		YES("http", "abc.b.co.uk", "d:a*.b.co.uk", fine),
		YES("http", "a.b.co.uk", "c:*.b.co.uk", fine),
		NO("http", "host.lan", "d:*.lan",
		   "publicsuffix.org/list: the "
		   "prevailing rule is *"),
		YES("http", "a.host.lan", "d:*.host.lan", list),
		YES("http", "a.github.io", "d:*.github.io",
		    "publicsuffix.org/list: private domains are no registries"),
		YES("http", "a.b.github.io", "d:*.b.github.io", list),
		NO("http", "foo.ck", "d:*.ck", list),
		NO("http", "a.foo.ck", "d:*.foo.ck", list),
		YES("http", "a.b.foo.ck", "d:*.b.foo.ck", list),
		NO("http", "www.ck", "d:*.ck", list),
		YES("http", "a.www.ck", "d:*.www.ck", list),
		NO("http", "foo.kawasaki.jp", "d:*.kawasaki.jp", list),
		NO("http", "city.kobe.jp", "d:*.kobe.jp", list),
		YES("http", "a.city.kobe.jp", "d:*.city.kobe.jp", list),
		NO("http", "a.xn--55qx5d.cn", "d:*.xn--55qx5d.cn", list),
		YES("http", "b.a.xn--55qx5d.cn", "d:*.a.xn--55qx5d.cn", list),
		NO("http", "a.xn--p1ai", "d:*.xn--p1ai", list),
		YES_OFF("http", "a.com", "d:*.com", off),
		YES_OFF("http", "a.co.uk", "d:*.co.uk", off),
		YES_OFF("http", "abc.co.uk", "d:a*.co.uk", off),
		YES_OFF("http", "host.lan", "d:*.lan", off),
		YES_OFF("http", "a.b.com", "d:*.b.com", off),
		NO_OFF("sip", "a.com", "d:*.com", "RFC 5922 7.2"),
		NO_OFF("http", "com", "d:*", off),
		YES_OWN("http", "a.co.uk", "d:*.co.uk", list),
		NO_OWN("http", "a.uk", "d:*.uk", list),
		NO_OWN("http", "a.org", "d:*.org", list),
		NO_OWN("http", "host.lan", "d:*.lan", list),
		YES_OWN("http", "a.example.org", "d:*.example.org", list),
		NO_OWN("http", "corp.example.org", "d:*.example.org", list),
		NO_OWN("http", "a.corp.example.org", "d:*.corp.example.org",
		       list),
		YES_OWN("http", "b.a.corp.example.org",
			"d:*.a.corp.example.org", list),
		NO_OWN("http", "a.cloud.org", "d:*.cloud.org", list),
		NO_OWN("http", "b.a.cloud.org", "d:*.a.cloud.org", list),
		YES_OWN("http", "b.open.cloud.org", "d:*.open.cloud.org", list),
	};

	if (public_suffixes_are_known())
		verify_cases_run(cases, ARRAY_SIZE(cases));
}

/* Without libpsl: two labels behind the wildcard. */
static void
test_plain_rule(void)
{
	const struct verify_case cases[] = {
		NO("http", "a.com", "d:*.com", "two labels"),
		YES("http", "a.co.uk", "d:*.co.uk", "two labels"),
		YES("http", "a.b.com", "d:*.b.com", "two labels"),
		YES_OFF("http", "a.com", "d:*.com", "two labels"),
	};
	struct error error = {0};

	if (public_suffixes_are_known())
		return;
	verify_cases_run(cases, ARRAY_SIZE(cases));
	CU_ASSERT_PTR_NULL(public_suffixes_parse("com\n", 4, &error));
	CU_ASSERT_TRUE(error.text[0] != '\0');
}

/* 253 bytes are a name, 254 are none; 63 are a label. */
static void
test_lengths(void)
{
	char name[300] = "", wildcard[300], label[65];
	struct peer_name names[2] = {{PEER_NAME_DNS, name, 0},
				     {PEER_NAME_DNS, wildcard, 0}};

	memset(label, 'a', sizeof(label) - 1);
	label[64] = '\0';
	for (size_t length = 248; length <= 260; length++) {
		X509 *certificate;
		struct peer_names *taken;
		bool is_name = length <= HOSTNAME_MAX;

		/* Labels of 49 and their dots, and what is left. */
		for (size_t i = 0; i < length; i++)
			name[i] = i % 50 == 49 ? '.' : 'a';
		if (name[length - 1] == '.')
			continue;
		name[length] = '\0';
		snprintf(wildcard, sizeof(wildcard), "*%s", name + 49);
		names[0].length = length;
		names[1].length = strlen(wildcard);
		certificate = named_certificate(names, 1);
		taken = peer_names_new(certificate);
		CU_ASSERT_EQUAL(verify_name_check(verify_scheme_find("http"),
						  NULL, taken, name, NULL),
				is_name);
		peer_names_free(taken);
		X509_free(certificate);
		certificate = named_certificate(names + 1, 1);
		taken = peer_names_new(certificate);
		CU_ASSERT_EQUAL(verify_name_check(verify_scheme_find("http"),
						  NULL, taken, name, NULL),
				is_name);
		peer_names_free(taken);
		X509_free(certificate);
	}
	{
		char text[160];
		struct verify_case one = NO("http", text, text + 80,
					    "RFC "
					    "1034 3.1: 63 octets");

		snprintf(text, 80, "%s.org", label);
		snprintf(text + 80, 80, "d:%s.org", label);
		verify_cases_run(&one, 1);
		snprintf(text, 80, "%s.org", label + 1);
		snprintf(text + 80, 80, "d:%s.org", label + 1);
		one.is_for = true;
		verify_cases_run(&one, 1);
	}
}

/* What cannot be read may have been a name: the common name is not asked
 * instead. */
static void
test_unreadable(void)
{
	const struct peer_name common = {PEER_NAME_CN, "a.org", 5};
	X509 *certificate = named_certificate(&common, 1);
	ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;
	struct peer_names *names;

	ASN1_STRING_set(bytes, "\x30\x05\x82", 3);
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0,
						 bytes);
	X509_add_ext(certificate, extension, -1);
	names = peer_names_new(certificate);
	CU_ASSERT_FALSE(verify_name_check(verify_scheme_find("http"), NULL,
					  names, "a.org", NULL));
	CU_ASSERT_TRUE(verify_name_check(verify_scheme_find("smtp"), NULL,
					 names, "a.org", NULL));
	peer_names_free(names);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(bytes);
	X509_free(certificate);
}

static void
expect_why(const char *scheme, const char *host, const struct peer_name *given,
	   size_t count, const char *expected)
{
	struct public_suffixes *suffixes = public_suffixes_builtin();
	X509 *certificate = named_certificate(given, count);
	struct peer_names *names = peer_names_new(certificate);
	char why[256];

	CU_ASSERT_STRING_EQUAL(verify_name_explain(verify_scheme_find(scheme),
						   suffixes, names, host, why,
						   sizeof(why)),
			       expected);
	peer_names_free(names);
	X509_free(certificate);
	public_suffixes_unref(suffixes);
}

#define NAME(kind, text)                                 \
	{                                                \
		PEER_NAME_##kind, text, sizeof(text) - 1 \
	}

static void
test_reasons(void)
{
	static const struct peer_name names[] = {
		NAME(DNS, "*.example.org"), NAME(DNS, "*.org"),
		NAME(DNS, "a\0\"b"),        NAME(IP, "\xc0\x00\x02\x01"),
		NAME(EMAIL, "a@b.org"),     NAME(CN, "common.test"),
		NAME(CN, "192.0.2.1"),      NAME(CN, "*.common.test"),
	};
	struct peer_names *taken;
	X509 *certificate;
	char small[16];

	expect_why("http", "b.org", &names[1], 1,
		   "its wildcard *.org stands for a whole public suffix");
	expect_why("sip", "a.example.org", names, 1,
		   "its wildcard *.example.org is none that the scheme allows");
	expect_why("http", "common.test", names, 6,
		   "its common name common.test does not count beside "
		   "alternative names");
	expect_why("smtp", "192.0.2.1", &names[6], 1,
		   "its common name 192.0.2.1 is an address, which does not "
		   "count under the scheme");
	expect_why(
		"ldap", "a.common.test", &names[7], 1,
		"its common name *.common.test is a wildcard, which does not "
		"count under the scheme");
	expect_why("http", "x.net", names, 6,
		   "it is for *.example.org, *.org, a\\x00\\x22b and 2 more");
	expect_why("http", "x.net", names, 2, "it is for *.example.org, *.org");
	expect_why("http", "x.net", &names[4], 1,
		   "it holds no host name and no address");
	certificate = named_certificate(names, 6);
	taken = peer_names_new(certificate);
	CU_ASSERT_STRING_EQUAL(verify_name_explain(verify_scheme_find("http"),
						   NULL, taken, "x.net", small,
						   sizeof(small)),
			       "it is for *.exa");
	peer_names_free(taken);
	X509_free(certificate);
}

static void
expect_normalized(const char *text, const char *expected)
{
	char name[HOSTNAME_MAX + 1];
	struct error error = {0};

	CU_ASSERT_EQUAL(verify_name_normalize(text, name, &error),
			expected ? 0 : -1);
	CU_ASSERT_STRING_EQUAL(name, expected ? expected : "");
	CU_ASSERT_EQUAL(error.text[0] != '\0', !expected);
}

static void
test_normalize(void)
{
	char name[HOSTNAME_MAX + 1];
	bool has_idn = hostname_to_ascii("b\xc3\xbc", name, NULL) == 0;

	expect_normalized("WWW.Example.org", "www.example.org");
	expect_normalized("192.0.2.1", "192.0.2.1");
	expect_normalized("2001:DB8::1", "2001:DB8::1");
	expect_normalized("fe80::1%eth0", "fe80::1%eth0");
	expect_normalized("xn--bcher-kva.org", "xn--bcher-kva.org");
	expect_normalized("", NULL);
	expect_normalized("a.org.", NULL);
	expect_normalized("*.a.org", NULL);
	expect_normalized("a b", NULL);
	expect_normalized("127.1", NULL);
	expect_normalized("b\xfc"
			  "cher.org",
			  NULL);
	if (!has_idn)
		return;
	expect_normalized("b\xc3\xbc"
			  "cher.org",
			  "xn--bcher-kva.org");
	expect_normalized("B\xc3\x9c"
			  "CHER.Org",
			  "xn--bcher-kva.org");
	expect_normalized("bu\xcc\x88"
			  "cher.org",
			  "xn--bcher-kva.org");
	expect_normalized("stra\xc3\x9f"
			  "e.de",
			  "xn--strae-oqa.de");
	expect_normalized("\xe4\xbe\x8b\xe3\x80\x82jp", "xn--fsq.jp");
	expect_normalized("\xe4\xbe\x8b.", NULL);
	expect_normalized("a\xe2\x80\x8b..org", NULL);
}

UNIT_SUITE(verify_name_hostile, {"tricks", test_tricks},
	   {"addresses", test_addresses}, {"international", test_international},
	   {"suffixes", test_suffixes}, {"plain_rule", test_plain_rule},
	   {"lengths", test_lengths}, {"unreadable", test_unreadable},
	   {"reasons", test_reasons}, {"normalize", test_normalize});
