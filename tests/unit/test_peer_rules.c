/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `verify.allow`: what may be written, and what it admits.
 */
#include "common/verify/peer_rules.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "tests/unit/unit.h"

#define TEXT(literal) literal, sizeof(literal) - 1

/* One name as a certificate would have it: of the subject, or alternative. */
static struct peer_names *
names_of(enum peer_name_kind kind, const char *bytes, size_t length)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *alternatives = GENERAL_NAMES_new();
	AUTO_OPENSSL(x509) X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *string = ASN1_STRING_type_new(
		kind == PEER_NAME_IP ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

	CU_ASSERT_FATAL(ASN1_STRING_set(string, bytes, (int)length) == 1);
	switch (kind) {
	case PEER_NAME_DNS:
		GENERAL_NAME_set0_value(name, GEN_DNS, string);
		break;
	case PEER_NAME_IP:
		GENERAL_NAME_set0_value(name, GEN_IPADD, string);
		break;
	case PEER_NAME_EMAIL:
		GENERAL_NAME_set0_value(name, GEN_EMAIL, string);
		break;
	case PEER_NAME_URI:
		GENERAL_NAME_set0_value(name, GEN_URI, string);
		break;
	case PEER_NAME_CN:
	case PEER_NAME_OU:
	case PEER_NAME_OTHER:
	case PEER_NAME_UNREADABLE:
	case PEER_NAME_KIND_COUNT:
		ASN1_STRING_free(string);
		GENERAL_NAME_free(name);
		X509_NAME_add_entry_by_txt(
			subject, kind == PEER_NAME_CN ? "CN" : "OU",
			V_ASN1_UTF8STRING, (const unsigned char *)bytes,
			(int)length, -1, 0);
		return peer_names_new(certificate);
	}
	CU_ASSERT_FATAL(sk_GENERAL_NAME_push(alternatives, name) == 1);
	return peer_names_of_alternatives(alternatives);
}

static void
add_rule(struct peer_rules *rules, const char *word, const char *text)
{
	struct error error = {0};
	enum peer_name_kind kind;
	struct peer_rule rule;

	CU_ASSERT_FATAL(peer_rule_kind_find(word, &kind) == 0);
	if (peer_rule_parse(kind, text, &rule, &error) != 0) {
		CU_FAIL("refused");
		printf("%s %s: %s\n", word, text, error.text);
		return;
	}
	rules->lists[kind].rules =
		mem_resize(rules->lists[kind].rules,
			   rules->lists[kind].count + 1, sizeof(rule));
	rules->lists[kind].rules[rules->lists[kind].count++] = rule;
}

struct match {
	const char *word;
	const char *rule;
	const char *name;
	size_t length;
};

static bool
is_admitted(const struct match *match)
{
	struct peer_rules rules = {0};
	enum peer_name_kind kind, found = PEER_NAME_OTHER;
	const struct peer_rule *rule;
	struct peer_names *names;
	bool is_good;

	add_rule(&rules, match->word, match->rule);
	CU_ASSERT_FATAL(peer_rule_kind_find(match->word, &kind) == 0);
	names = names_of(kind, match->name, match->length);
	rule = peer_rules_find(&rules, names, &found);
	CU_ASSERT(!rule || (found == kind && rule == rules.lists[kind].rules));
	is_good = rule != NULL;
	peer_names_free(names);
	peer_rules_clear(&rules);
	return is_good;
}

static const struct match admitted[] = {
	{"dns", "web.example.org", TEXT("web.example.org")},
	{"dns", "Web.Example.Org", TEXT("wEB.example.ORG")},
	{"dns", "*.example.org", TEXT("web.example.org")},
	{"dns", "*.example.org", TEXT("xn--bcher-kva.example.org")},
	{"dns", "*.Example.org", TEXT("WEB.EXAMPLE.ORG")},
	{"dns", "localhost", TEXT("localhost")},
	{"dns", "web_1.example.org", TEXT("web_1.example.org")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/web")},
	{"uri", "urn:uuid:12345678", TEXT("urn:uuid:12345678")},
	{"uri", "https://example.org/?a=%20b#c",
	 TEXT("https://example.org/?a=%20b#c")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/web")},
	{"uri", "spiffe://example.org/*",
	 TEXT("spiffe://example.org/ns/prod/sa/web")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/prod/sa/web")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a.b-c_d~e...")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/...")},
	{"email", "Jane.Doe@example.org", TEXT("Jane.Doe@EXAMPLE.org")},
	{"email", "jane+tls@Example.Org", TEXT("jane+tls@example.org")},
	{"email", "\"a@b\"@example.org", TEXT("\"a@b\"@example.org")},
	{"ip", "192.0.2.1", TEXT("\xc0\x00\x02\x01")},
	{"ip", "192.0.2.0/24", TEXT("\xc0\x00\x02\xff")},
	{"ip", "0.0.0.0/0", TEXT("\x00\x00\x00\x00")},
	{"ip", "10.0.0.0/8", TEXT("\x0a\x0a\x0a\x0a")},
	{"ip", "::/0", TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")},
	{"ip", "2001:db8::/32",
	 TEXT("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1")},
	{"cn", "Jane Doe", TEXT("Jane Doe")},
	{"cn", "J\xc3\xbcrgen", TEXT("J\xc3\xbcrgen")},
	{"cn", "*.example.org", TEXT("*.example.org")},
	{"cn", " padded ", TEXT(" padded ")},
	{"ou", "Locks, canals & more", TEXT("Locks, canals & more")},
};

static void
test_admitted(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(admitted); i++) {
		if (is_admitted(&admitted[i]))
			continue;
		CU_FAIL("not admitted");
		printf("%s %s\n", admitted[i].word, admitted[i].rule);
	}
}

static const struct match refused[] = {
	{"dns", "web.example.org", TEXT("www.example.org")},
	{"dns", "web.example.org", TEXT("")},
	{"dns", "web.example.org", TEXT("web.example.org.")},
	{"dns", "web.example.org", TEXT("web.example.org\0.evil.example")},
	{"dns", "web.example.org", TEXT("web.example.org\0")},
	{"dns", "web.example.org", TEXT("web.example.org ")},
	{"dns", "web.example.org", TEXT("web.example.org\n")},
	{"dns", "web.example.org", TEXT(".web.example.org")},
	{"dns", "web.example.org", TEXT("a.web.example.org")},
	{"dns", "web.example.org", TEXT("web.example.or")},
	/* A certificate's wildcard is nobody's name. */
	{"dns", "web.example.org", TEXT("*.example.org")},
	{"dns", "*.example.org", TEXT("*.example.org")},
	/* One label, and a whole one. */
	{"dns", "*.example.org", TEXT("example.org")},
	{"dns", "*.example.org", TEXT(".example.org")},
	{"dns", "*.example.org", TEXT("a.b.example.org")},
	{"dns", "*.example.org", TEXT("webexample.org")},
	{"dns", "*.example.org", TEXT("web.example.org.")},
	{"dns", "*.example.org", TEXT("web\0.example.org")},
	{"dns", "*.example.org", TEXT("we b.example.org")},
	{"dns", "*.example.org", TEXT("w\xc3\xbc.example.org")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/we")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/web/")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/web\0")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/web\n")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/Web")},
	{"uri", "spiffe://example.org/web", TEXT("SPIFFE://example.org/web")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://Example.org/web")},
	{"uri", "spiffe://example.org/web", TEXT("spiffe://example.org/%77eb")},
	{"uri", "spiffe://example.org/web", TEXT("")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org//web")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/web/")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/a//b")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/a/./b")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/.")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org/..")},
	{"uri", "spiffe://example.org/*",
	 TEXT("spiffe://example.org.evil.example/web")},
	{"uri", "spiffe://example.org/*",
	 TEXT("spiffe://example.org@evil.example/web")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://example.org:80/web")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe://evil.example/web")},
	{"uri", "spiffe://example.org/*", TEXT("spiffe:/example.org/web")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/../admin")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a/../../admin")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/%2e%2e/admin")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/%2E./admin")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a%2fb")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a\\b")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a?b")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a#b")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a;b")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/a\0b")},
	{"uri", "spiffe://example.org/ns/*", TEXT("spiffe://example.org/ns/*")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/ns/w\xc3\xbc")},
	{"uri", "spiffe://example.org/ns/*",
	 TEXT("spiffe://example.org/nsx/web")},
	{"email", "jane@example.org", TEXT("Jane@example.org")},
	{"email", "jane@example.org", TEXT("jane@example.org.")},
	{"email", "jane@example.org", TEXT("jane@sub.example.org")},
	{"email", "jane@example.org", TEXT("xjane@example.org")},
	{"email", "jane@example.org", TEXT("jane@example.or")},
	{"email", "jane@example.org", TEXT("example.org")},
	{"email", "jane@example.org", TEXT("@example.org")},
	{"email", "jane@example.org", TEXT("jane@")},
	{"email", "jane@example.org", TEXT("jan@example.org")},
	{"email", "jane@example.org", TEXT("jane\0@example.org")},
	{"email", "jane@example.org", TEXT("jane@example.org\0")},
	{"email", "jane@example.org", TEXT("jane@example.org\r\n")},
	{"email", "jane@example.org", TEXT("<jane@example.org>")},
	{"email", "jane@example.org", TEXT("jane@example.org,x@example.org")},
	{"email", "jane@example.org", TEXT("x@y@jane@example.org")},
	{"email", "\"a@b\"@example.org", TEXT("\"a@b\"")},
	{"ip", "192.0.2.1", TEXT("\xc0\x00\x02\x02")},
	{"ip", "192.0.2.0/24", TEXT("\xc0\x00\x03\x01")},
	{"ip", "192.0.2.1", TEXT("192.0.2.1")},
	{"ip", "192.0.2.1", TEXT("\xc0\x00\x02")},
	{"ip", "192.0.2.1", TEXT("\xc0\x00\x02\x01\x00")},
	{"ip", "0.0.0.0/0", TEXT("")},
	/* RFC 5280's form for name constraints: address and mask. */
	{"ip", "192.0.2.0/24", TEXT("\xc0\x00\x02\x00\xff\xff\xff\x00")},
	{"ip", "192.0.2.1",
	 TEXT("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01")},
	{"ip", "::ffff:192.0.2.1", TEXT("\xc0\x00\x02\x01")},
	{"ip", "::/0", TEXT("\xc0\x00\x02\x01")},
	{"cn", "Jane Doe", TEXT("jane doe")},
	{"cn", "Jane Doe", TEXT("Jane Doe ")},
	{"cn", "Jane Doe", TEXT("Jane Doe\0")},
	{"cn", "Jane Doe", TEXT("Jane Doe\0, the second")},
	{"cn", "Jane Doe", TEXT("Jane Doe\n")},
	{"cn", "Jane Doe", TEXT("Jane")},
	{"cn", "Jane Doe", TEXT("")},
	{"cn", "*.example.org", TEXT("web.example.org")},
	{"cn", "J\xc3\xbcrgen", TEXT("Ju\xcc\x88rgen")},
	{"ou", "Locks", TEXT("Lock")},
	{"ou", "Locks", TEXT("Locks\x7f")},
};

static void
test_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (!is_admitted(&refused[i]))
			continue;
		CU_FAIL("admitted");
		printf("%s %s\n", refused[i].word, refused[i].rule);
	}
}

static void
test_no_rule(void)
{
	static const struct {
		const char *word;
		const char *text;
	} cases[] = {
		{"dns", ""},
		{"dns", "*"},
		{"dns", "*."},
		{"dns", "web.*.org"},
		{"dns", "w*.example.org"},
		{"dns", "*.*.example.org"},
		{"dns", ".example.org"},
		{"dns", "example.org."},
		{"dns", "192.0.2.1"},
		{"dns", "b\xc3\xbc"
			"cher.example"},
		{"dns", "https://example.org"},
		{"dns", "example.org:443"},
		{"uri", ""},
		{"uri", "*"},
		{"uri", "spiffe:"},
		{"uri", "example.org/web"},
		{"uri", "://example.org/web"},
		{"uri", "1a://example.org/web"},
		{"uri", "spiffe://example.org/a b"},
		{"uri", "spiffe://example.org/w\xc3\xbc"},
		{"uri", "spiffe://example.org/a\n"},
		{"uri", "spiffe://*"},
		{"uri", "spiffe://*/web"},
		{"uri", "spiffe://*.example.org/web"},
		{"uri", "spiffe://example.org*"},
		{"uri", "spiffe:///*"},
		{"uri", "spiffe:/*"},
		{"uri", "urn:*"},
		{"uri", "urn:x/*"},
		{"uri", "spiffe://example.org/a*"},
		{"uri", "spiffe://example.org/*/b"},
		{"uri", "spiffe://example.org/*/*"},
		{"uri", "spiffe://example.org/**"},
		{"uri", "spiffe://example.org/../*"},
		{"uri", "spiffe://example.org/a/./*"},
		{"uri", "spiffe://example.org//*"},
		{"uri", "spiffe://example.org/a?b=/*"},
		{"uri", "spiffe://example.org?/*"},
		{"uri", "spiffe://example.org/%61/*"},
		{"email", ""},
		{"email", "example.org"},
		{"email", "@example.org"},
		{"email", "jane@"},
		{"email", "jane@localhost."},
		{"email", "*@example.org"},
		{"email", "jane doe@example.org"},
		{"email", "jane@*.example.org"},
		{"email", "jane@192.0.2.1"},
		{"ip", ""},
		{"ip", "192.0.2.1/24"},
		{"ip", "192.0.2.0/33"},
		{"ip", "example.org"},
		{"cn", ""},
		{"cn", "Jane\tDoe"},
		{"ou", ""},
		{"ou", "a\nb"},
	};
	enum peer_name_kind kind;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer_rule rule = {0};
		struct error error = {0};

		CU_ASSERT_FATAL(peer_rule_kind_find(cases[i].word, &kind) == 0);
		if (peer_rule_parse(kind, cases[i].text, &rule, &error) == 0) {
			CU_FAIL("taken");
			printf("%s %s\n", cases[i].word, cases[i].text);
		}
		CU_ASSERT(rule.text == NULL);
		CU_ASSERT(error.text[0] != '\0');
	}
	CU_ASSERT(peer_rule_kind_find("other", &kind) == -1);
	CU_ASSERT(peer_rule_kind_find("DNS", &kind) == -1);
	CU_ASSERT(peer_rule_kind_find("", &kind) == -1);
}

/* A name of one kind is looked for among the rules of that kind alone. */
static void
test_kinds(void)
{
	struct peer_names *dns =
		names_of(PEER_NAME_DNS, TEXT("web.example.org"));
	struct peer_names *cn = names_of(PEER_NAME_CN, TEXT("web.example.org"));
	struct peer_rules rules = {0}, copy = {0};
	enum peer_name_kind kind;

	CU_ASSERT(peer_rules_is_empty(&rules));
	CU_ASSERT(peer_rules_find(&rules, dns, NULL) == NULL);
	add_rule(&rules, "dns", "other.example.org");
	add_rule(&rules, "ou", "web.example.org");
	add_rule(&rules, "uri", "spiffe://example.org/*");
	CU_ASSERT(!peer_rules_is_empty(&rules));
	CU_ASSERT(peer_rules_find(&rules, dns, &kind) == NULL);
	CU_ASSERT(peer_rules_find(&rules, cn, &kind) == NULL);
	add_rule(&rules, "cn", "web.example.org");
	CU_ASSERT(peer_rules_find(&rules, dns, &kind) == NULL);
	CU_ASSERT(peer_rules_find(&rules, cn, &kind) != NULL &&
		  kind == PEER_NAME_CN);
	add_rule(&rules, "dns", "web.example.org");
	peer_rules_copy(&copy, &rules);
	peer_rules_clear(&rules);
	CU_ASSERT(peer_rules_is_empty(&rules));
	CU_ASSERT(peer_rules_find(&copy, dns, &kind) ==
		  &copy.lists[PEER_NAME_DNS].rules[1]);
	peer_rules_clear(&copy);
	peer_names_free(dns);
	peer_names_free(cn);
}

/* Names that cannot be read may be anything: no other name counts then. */
static void
test_unreadable(void)
{
	static const unsigned char junk[] = {0x30, 0x03, 0x82, 0x05, 'a'};
	AUTO_OPENSSL(x509) X509 *certificate = X509_new();
	ASN1_OCTET_STRING *content = ASN1_OCTET_STRING_new();
	struct peer_names *names;
	struct peer_rules rules = {0};
	X509_EXTENSION *extension;

	add_rule(&rules, "cn", "Jane Doe");
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
		(const unsigned char *)"Jane Doe", -1, -1, 0);
	names = peer_names_new(certificate);
	CU_ASSERT(peer_rules_find(&rules, names, NULL) != NULL);
	peer_names_free(names);
	ASN1_OCTET_STRING_set(content, junk, sizeof(junk));
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0,
						 content);
	CU_ASSERT_FATAL(X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(content);
	names = peer_names_new(certificate);
	CU_ASSERT(peer_names_has(names, PEER_NAME_UNREADABLE));
	CU_ASSERT(peer_rules_find(&rules, names, NULL) == NULL);
	peer_names_free(names);
	peer_rules_clear(&rules);
}

static void
test_explain(void)
{
	struct peer_names *names =
		names_of(PEER_NAME_CN, TEXT("Jane\n\"Doe\""));
	struct peer_rules rules = {0};
	char text[512], small[24];

	add_rule(&rules, "cn", "John Doe");
	add_rule(&rules, "dns", "a.example.org");
	add_rule(&rules, "dns", "b.example.org");
	CU_ASSERT_STRING_EQUAL(
		peer_rules_explain(&rules, names, text, sizeof(text)),
		"dns must be \"a.example.org\" "
		"(or one of 1 more), and there is none; cn must be "
		"\"John Doe\", not \"Jane\\x0a\\x22Doe\\x22\"");
	CU_ASSERT_STRING_EQUAL(
		peer_rules_explain(&rules, names, small, sizeof(small)),
		"dns must be \"a.example.");
	peer_rules_clear(&rules);
	peer_names_free(names);
}

UNIT_SUITE(peer_rules, {"admitted", test_admitted}, {"refused", test_refused},
	   {"no_rule", test_no_rule}, {"kinds", test_kinds},
	   {"unreadable", test_unreadable}, {"explain", test_explain});
