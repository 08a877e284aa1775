/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "tests/unit/unit.h"

#define LABEL_63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"
#define NAME_253                                                               \
	LABEL_63 "." LABEL_63 "." LABEL_63 "."                                 \
		 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456" \
		 "78"

static const struct {
	const char *name;
	const char *normalized;
} good[] = {
	{"example.org", "example.org"},
	{"EXAMPLE.Org", "example.org"},
	{"localhost", "localhost"},
	{"a", "a"},
	{"_sip._tcp.example.org", "_sip._tcp.example.org"},
	{"xn--bcher-kva.example", "xn--bcher-kva.example"},
	{"1.example", "1.example"},
	{"1.2.3.4.example", "1.2.3.4.example"},
	{"4a", "4a"},
	{"0xg", "0xg"},
	{"-a-", "-a-"},
	{LABEL_63, LABEL_63},
	{NAME_253, NAME_253},
};

static const char *const bad[] = {
	"",
	".",
	"a.",
	".a",
	"a..b",
	"a b",
	" a",
	"a\n",
	"a/b",
	"a:1",
	"a\\b",
	"a\"b",
	"*.example.org",
	"w*.example.org",
	"b\xc3\xbc"
	"cher.example",
	"a@b",
	"127.0.0.1",
	"127.1",
	"1.2.3.4.5",
	"0x7f000001",
	"0x7F.0x1",
	"2130706433",
	"10.0x",
	"999.999.999.999",
	"::1",
	"[::1]",
	"fe80::1%eth0",
	LABEL_63 "x",
	LABEL_63 "x.example",
	"example." LABEL_63 "x",
	NAME_253 "x",
	"a%00b",
};

static void
test_normalize(void)
{
	char out[HOSTNAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CU_ASSERT_EQUAL(hostname_normalize(good[i].name,
						   strlen(good[i].name), out),
				0);
		CU_ASSERT_STRING_EQUAL(out, good[i].normalized);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(out, "stale");
		CU_ASSERT_EQUAL(hostname_normalize(bad[i], strlen(bad[i]), out),
				-1);
		CU_ASSERT_STRING_EQUAL(out, "");
	}
	CU_ASSERT_EQUAL(hostname_normalize("a\0b", 3, out), -1);
	CU_ASSERT_EQUAL(hostname_normalize("a.b", 1, out), 0);
	CU_ASSERT_STRING_EQUAL(out, "a");
}

static void
test_pattern_normalize(void)
{
	static const char *const bad_patterns[] = {
		"*",
		"*.",
		"*.*",
		"*.*.example.org",
		"**.example.org",
		"*example.org",
		"a.*.org",
		"*..org",
		"*.127.0.0.1",
		"*.1",
		"*." NAME_253,
		".*.org",
		"*.a b",
	};
	char out[HOSTNAME_MAX + 1];

	CU_ASSERT_EQUAL(hostname_pattern_normalize("*.Example.ORG", 13, out),
			0);
	CU_ASSERT_STRING_EQUAL(out, "*.example.org");
	CU_ASSERT_TRUE(hostname_is_wildcard(out));
	CU_ASSERT_EQUAL(hostname_pattern_normalize("*.org", 5, out), 0);
	CU_ASSERT_STRING_EQUAL(out, "*.org");
	CU_ASSERT_EQUAL(hostname_pattern_normalize("Example.org", 11, out), 0);
	CU_ASSERT_STRING_EQUAL(out, "example.org");
	CU_ASSERT_FALSE(hostname_is_wildcard(out));
	CU_ASSERT_FALSE(hostname_is_wildcard("*"));
	CU_ASSERT_FALSE(hostname_is_wildcard(""));
	for (size_t i = 0; i < ARRAY_SIZE(bad_patterns); i++) {
		strcpy(out, "stale");
		CU_ASSERT_EQUAL(
			hostname_pattern_normalize(
				bad_patterns[i], strlen(bad_patterns[i]), out),
			-1);
		CU_ASSERT_STRING_EQUAL(out, "");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CU_ASSERT_EQUAL(hostname_pattern_normalize(good[i].name,
							   strlen(good[i].name),
							   out),
				0);
}

static void
test_is_ip(void)
{
	static const char *const ips[] = {
		"127.0.0.1",    "0.0.0.0",     "255.255.255.255",  "::",
		"::1",          "2001:db8::1", "::ffff:192.0.2.1", "FE80::1",
		"fe80::1%eth0", "fe80::1%2",
	};
	static const char *const others[] = {
		"",
		"localhost",
		"127.1",
		"127.0.0.1.",
		"127.0.0.256",
		"1.2.3",
		"01.2.3.4",
		"[::1]",
		":::",
		"::g",
		"fe80::1%",
		"127.0.0.1%eth0",
		"%eth0",
		"fe80::1%an-interface-too-long",
		" ::1",
		"1:2:3:4:5:6:7:8:9",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb%eth0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ips); i++)
		CU_ASSERT_TRUE(hostname_is_ip(ips[i]));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CU_ASSERT_FALSE(hostname_is_ip(others[i]));
}

static void
test_random(void)
{
	static const char letters[] = "aZ0-_.*x1 \n:";
	unsigned int seed = 3;
	bool is_good = true;

	for (int round = 0; round < 100000; round++) {
		char bytes[300], out[HOSTNAME_MAX + 1];
		char again[HOSTNAME_MAX + 1];
		size_t length = (size_t)rand_r(&seed) % 12;

		if (round % 100 == 0)
			length = 240 + (size_t)rand_r(&seed) % 20;
		for (size_t i = 0; i < length; i++)
			bytes[i] = letters[(size_t)rand_r(&seed) %
					   (round % 100 == 0 ? 6 : 12)];
		if (hostname_pattern_normalize(bytes, length, out) != 0) {
			is_good &= out[0] == '\0';
			continue;
		}
		/* What comes out is normal. */
		is_good &=
			strlen(out) == length &&
			hostname_pattern_normalize(out, length, again) == 0 &&
			strcmp(out, again) == 0 && !hostname_is_ip(out);
	}
	CU_ASSERT_TRUE(is_good);
}

UNIT_SUITE(hostname, {"normalize", test_normalize},
	   {"pattern_normalize", test_pattern_normalize}, {"is_ip", test_is_ip},
	   {"random", test_random});
