/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks of addresses.
 */
#include "common/net/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

static void
test_parse(void)
{
	static const struct {
		const char *text;
		const char *formatted;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1/32", "192.0.2.1"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"192.0.2.128/25", "192.0.2.128/25"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"::/0", "::/0"},
		{"::1", "::1"},
		{"2001:DB8::/32", "2001:db8::/32"},
		{"2001:db8:0:0::/33", "2001:db8::/33"},
		{"2001:db8::1/128", "2001:db8::1"},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[NETWORK_TEXT_SIZE];
		struct network network;

		CU_ASSERT(network_parse(cases[i].text, &network, NULL) == 0);
		network_format(&network, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(text, cases[i].formatted);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *said;
	} cases[] = {
		{"", "neither"},
		{"/", "neither"},
		{"/24", "neither"},
		{"example.org", "neither"},
		{"192.0.2", "neither"},
		{"192.0.2.01", "neither"},
		{"192.0.2.1.", "neither"},
		{"192.0.2.1 ", "neither"},
		{" 192.0.2.1", "neither"},
		{"0x7f.1", "neither"},
		{"[::1]", "neither"},
		{"fe80::1%eth0", "neither"},
		{"1111:1111:1111:1111:1111:1111:111.111.111.1111", "neither"},
		{"192.0.2.0/", "from 0 to 32"},
		{"192.0.2.0/33", "from 0 to 32"},
		{"192.0.2.0/-1", "from 0 to 32"},
		{"192.0.2.0/ 8", "from 0 to 32"},
		{"192.0.2.0/24/8", "from 0 to 32"},
		{"192.0.2.0/255.255.255.0", "from 0 to 32"},
		{"192.0.2.0/4294967320", "from 0 to 32"},
		{"::/129", "from 0 to 128"},
		{"192.0.2.1/24", "the network is 192.0.2.0/24"},
		{"192.0.2.1/0", "the network is 0.0.0.0/0"},
		{"2001:db8::1/64", "the network is 2001:db8::/64"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct network network = {.length = 99};
		struct error error = {0};

		CU_ASSERT(network_parse(cases[i].text, &network, &error) == -1);
		CU_ASSERT(network.length == 99);
		if (!strstr(error.text, cases[i].said)) {
			CU_FAIL("another sentence");
			printf("%s: %s\n", cases[i].text, error.text);
		}
	}
}

static bool
contains(const char *text, const char *address)
{
	bool is_inet6 = strchr(address, ':') != NULL;
	unsigned char bytes[16];
	struct network network;

	CU_ASSERT_FATAL(network_parse(text, &network, NULL) == 0);
	CU_ASSERT_FATAL(
		inet_pton(is_inet6 ? AF_INET6 : AF_INET, address, bytes) == 1);
	return network_contains(&network, bytes, is_inet6 ? 16 : 4);
}

static void
test_contains(void)
{
	struct network network;

	CU_ASSERT(contains("192.0.2.1", "192.0.2.1"));
	CU_ASSERT(!contains("192.0.2.1", "192.0.2.2"));
	CU_ASSERT(contains("192.0.2.0/24", "192.0.2.255"));
	CU_ASSERT(!contains("192.0.2.0/24", "192.0.3.0"));
	CU_ASSERT(contains("192.0.2.128/25", "192.0.2.128"));
	CU_ASSERT(!contains("192.0.2.128/25", "192.0.2.127"));
	CU_ASSERT(contains("0.0.0.0/0", "255.255.255.255"));
	CU_ASSERT(contains("2001:db8::/33", "2001:db8:7fff::1"));
	CU_ASSERT(!contains("2001:db8::/33", "2001:db8:8000::1"));
	CU_ASSERT(contains("::/0", "2001:db8::1"));
	/* One family is not in the other, whatever the prefix. */
	CU_ASSERT(!contains("::/0", "192.0.2.1"));
	CU_ASSERT(!contains("0.0.0.0/0", "::"));
	CU_ASSERT(!contains("192.0.2.1", "::ffff:192.0.2.1"));
	CU_ASSERT_FATAL(network_parse("0.0.0.0/0", &network, NULL) == 0);
	CU_ASSERT(!network_contains(&network, "", 0));
	CU_ASSERT(!network_contains(&network, "12345", 5));
	CU_ASSERT(network_contains(&network, "1234", 4));
}

UNIT_SUITE(network, {"parse", test_parse}, {"refused", test_refused},
	   {"contains", test_contains});
