/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is TLS by its first bytes, and what the rest is called.
 */
#include "daemon/cli/probe_plaintext.h"

#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/unit.h"

static bool
is_tls(const char *bytes, size_t length)
{
	return probe_plaintext_is_tls((const unsigned char *)bytes, length);
}

static void
test_is_tls(void)
{
	CU_ASSERT_TRUE(is_tls("\x16\x03\x03\x00\x7a\x02", 6));
	CU_ASSERT_TRUE(is_tls("\x15\x03\x01\x00\x02\x02\x28", 7));
	CU_ASSERT_TRUE(is_tls("\x15\x03\x00", 3));
	/* As much as there is. */
	CU_ASSERT_TRUE(is_tls("\x16", 1));
	CU_ASSERT_TRUE(is_tls("\x16\x03", 2));
	CU_ASSERT_TRUE(is_tls("", 0));

	CU_ASSERT_FALSE(is_tls("SSH-2.0-x\r\n", 11));
	CU_ASSERT_FALSE(is_tls("\x14\x03\x03\x00\x01\x01", 6));
	CU_ASSERT_FALSE(is_tls("\x17\x03\x03\x00\x01\x01", 6));
	CU_ASSERT_FALSE(is_tls("\x16\x02", 2));
	CU_ASSERT_FALSE(is_tls("\x16\x03\x05", 3));
	CU_ASSERT_FALSE(is_tls("\x80\x43\x01\x03\x01", 5));
	CU_ASSERT_FALSE(is_tls("", 1));
}

static const char *
describe(const char *bytes, size_t length)
{
	static char text[300];

	probe_plaintext_describe((const unsigned char *)bytes, length, text,
				 sizeof(text));
	return text;
}

static void
test_describe(void)
{
	static const char nothing[] = "this is no TLS: it answered \"";
	char bytes[256];
	const char *text;

	text = describe("SSH-2.0-OpenSSH_9.2\r\nmore", 25);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"SSH-2.0-OpenSSH_9.2\": that "
					    "is SSH"));
	text = describe("220 mail\n", 9);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "STARTTLS"));
	text = describe("\r\n\r\n", 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\\x0d\\x0a"));
	text = describe("SSH", 3);
	CU_ASSERT_PTR_NULL(strstr(text, "that is"));
	/* Escaped, and bounded. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (size_t start = 0; start < sizeof(bytes); start += 5) {
		text = describe(bytes + start, sizeof(bytes) - start);
		CU_ASSERT_EQUAL(strncmp(text, nothing, sizeof(nothing) - 1), 0);
		CU_ASSERT_TRUE(strlen(text) < 300);
		for (; *text; text++)
			CU_ASSERT_TRUE(*text >= ' ' && *text <= '~');
	}
}

UNIT_SUITE(probe_plaintext, {"is_tls", test_is_tls},
	   {"describe", test_describe});
