/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "tests/unit/unit.h"

static void
test_parse_unsigned(void)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{"0", 0},
		{"7", 7},
		{"007", 7},
		{"4294967296", 4294967296},
		{"18446744073709551615", UINT64_MAX},
	};
	static const char *const bad[] = {
		"",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1.0",
		"0x1",
		"one",
		"1\n",
		"18446744073709551616",
		"1e3",
		"1_0",
		"99999999999999999999999",
	};
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CU_ASSERT_EQUAL(text_parse_unsigned(good[i].text, &value), 0);
		CU_ASSERT_EQUAL(value, good[i].value);
	}
	value = 42;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_EQUAL(text_parse_unsigned(bad[i], &value), -1);
	CU_ASSERT_EQUAL(value, 42);
}

static void
test_parse_boolean(void)
{
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
					  "YES",  "on",   "On",   "ON"};
	static const char *const no[] = {"false", "False", "FALSE", "no", "No",
					 "NO",    "off",   "Off",   "OFF"};
	static const char *const bad[] = {
		"",      "y",     "n",  "1",       "0",     "t",   "tRUE",
		"true ", " true", "oN", "enabled", "truee", "none"};
	bool value = false;

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		value = false;
		CU_ASSERT_EQUAL(text_parse_boolean(yes[i], &value), 0);
		CU_ASSERT_TRUE(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		value = true;
		CU_ASSERT_EQUAL(text_parse_boolean(no[i], &value), 0);
		CU_ASSERT_FALSE(value);
	}
	value = true;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_EQUAL(text_parse_boolean(bad[i], &value), -1);
	CU_ASSERT_TRUE(value);
}

static void
test_parse_duration(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{"0", 0},
		{"00", 0},
		{"0s", 0},
		{"500ms", 500},
		{"30s", 30000},
		{"5m", 300000},
		{"12h", 43200000},
		{"7d", 604800000},
		{"1ms", 1},
		{"90s", 90000},
		{"9223372036854775807ms", INT64_MAX},
	};
	static const char *const bad[] = {
		"",
		"1",
		"30",
		"s",
		"-1s",
		"+1s",
		"1 s",
		" 1s",
		"1s ",
		"1S",
		"1sec",
		"1.5s",
		"1m30s",
		"1ms5",
		"1w",
		"1y",
		"0x1s",
		"1us",
		"1 ms",
		"9223372036854775808ms",
		"106751991168d",
		"99999999999999999999s",
	};
	int64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CU_ASSERT_EQUAL(text_parse_duration(good[i].text, &value), 0);
		CU_ASSERT_EQUAL(value, good[i].value);
	}
	value = 42;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_EQUAL(text_parse_duration(bad[i], &value), -1);
	CU_ASSERT_EQUAL(value, 42);
}

static void
test_parse_size(void)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{"0", 0},
		{"4096", 4096},
		{"4096B", 4096},
		{"64k", 65536},
		{"64K", 65536},
		{"64kB", 65536},
		{"64KiB", 65536},
		{"16M", 16777216},
		{"16m", 16777216},
		{"16MB", 16777216},
		{"1G", 1073741824},
		{"1GiB", 1073741824},
		{"17179869183G", 17179869183 * UINT64_C(1073741824)},
		{"18446744073709551615", UINT64_MAX},
	};
	static const char *const bad[] = {
		"",
		"k",
		"-1k",
		"+1",
		"1 k",
		"1k ",
		" 1k",
		"1T",
		"1kk",
		"1ki",
		"1i",
		"1iB",
		"1Bk",
		"1kb",
		"1.5k",
		"0x10",
		"1BB",
		"1kBB",
		"1kIB",
		"17179869184G",
		"18446744073709551616",
		"18014398509481984k",
	};
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CU_ASSERT_EQUAL(text_parse_size(good[i].text, &value), 0);
		CU_ASSERT_EQUAL(value, good[i].value);
	}
	value = 42;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_EQUAL(text_parse_size(bad[i], &value), -1);
	CU_ASSERT_EQUAL(value, 42);
}

static void
test_format_units(void)
{
	static const struct {
		int64_t value;
		const char *text;
	} durations[] = {
		{0, "0"},
		{1, "1ms"},
		{999, "999ms"},
		{1000, "1s"},
		{1500, "1500ms"},
		{60000, "1m"},
		{90000, "90s"},
		{3600000, "1h"},
		{86400000, "1d"},
		{129600000, "36h"},
		{INT64_MAX, "9223372036854775807ms"},
	};
	static const struct {
		uint64_t value;
		const char *text;
	} sizes[] = {
		{0, "0"},           {1, "1"},
		{1023, "1023"},     {1024, "1k"},
		{1536, "1536"},     {65536, "64k"},
		{1048576, "1M"},    {1572864, "1536k"},
		{1073741824, "1G"}, {UINT64_MAX, "18446744073709551615"},
	};
	char buffer[32];

	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		int64_t back;

		CU_ASSERT_STRING_EQUAL(text_format_duration(durations[i].value,
							    buffer,
							    sizeof(buffer)),
				       durations[i].text);
		CU_ASSERT_EQUAL(text_parse_duration(buffer, &back), 0);
		CU_ASSERT_EQUAL(back, durations[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t back;

		CU_ASSERT_STRING_EQUAL(text_format_size(sizes[i].value, buffer,
							sizeof(buffer)),
				       sizes[i].text);
		CU_ASSERT_EQUAL(text_parse_size(buffer, &back), 0);
		CU_ASSERT_EQUAL(back, sizes[i].value);
	}
}

static void
test_hex(void)
{
	char buffer[7];

	text_hex("\x00\xab\x7f", 3, buffer);
	CU_ASSERT_STRING_EQUAL(buffer, "00ab7f");
	text_hex("", 0, buffer);
	CU_ASSERT_STRING_EQUAL(buffer, "");
}

static void
test_nearest(void)
{
	static const char *const keys[] = {
		"certificates", "ciphers",  "ciphersuites", "tls",
		"verify",       "versions", "alpn"};
	static const struct {
		const char *word;
		const char *nearest;
	} cases[] = {
		{"certificats", "certificates"},
		{"certificate", "certificates"},
		{"Certificates", "certificates"},
		{"CIPHERS", "ciphers"},
		{"cihpers", "ciphers"},
		{"ciphersuite", "ciphersuites"},
		{"cipher_suites", "ciphersuites"},
		{"tsl", "tls"},
		{"tlss", "tls"},
		{"verfy", "verify"},
		{"version", "versions"},
		{"apln", "alpn"},
		{"tls", "tls"},
		/* Too far, too short, too long. */
		{"", NULL},
		{"t", NULL},
		{"tl", NULL},
		{"ssl", NULL},
		{"passphrase", NULL},
		{"npln2x", NULL},
		{"certificatescertificatescertificatescertificatescertificates"
		 "certificates",
		 NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *nearest =
			text_nearest(cases[i].word, keys, ARRAY_SIZE(keys));

		if (cases[i].nearest)
			CU_ASSERT_PTR_NOT_NULL_FATAL(nearest);
		CU_ASSERT_TRUE(cases[i].nearest
				       ? strcmp(nearest, cases[i].nearest) == 0
				       : !nearest);
	}
	CU_ASSERT_PTR_NULL(text_nearest("tls", NULL, 0));
}

static void
check_escape(size_t (*escape)(const void *, size_t, char *, size_t),
	     const char *bytes, size_t length, const char *expected)
{
	char buffer[128];
	size_t written = escape(bytes, length, buffer, sizeof(buffer));

	CU_ASSERT_STRING_EQUAL(buffer, expected);
	CU_ASSERT_EQUAL(written, strlen(expected));
}

#define ESCAPES(escape, bytes, expected) \
	check_escape(escape, bytes, sizeof(bytes) - 1, expected)

static void
test_escape(void)
{
	ESCAPES(text_escape, "", "");
	ESCAPES(text_escape, "example.org", "example.org");
	ESCAPES(text_escape, "a b~", "a b~");
	ESCAPES(text_escape, "a\"b\\c", "a\\x22b\\x5cc");
	ESCAPES(text_escape, "a\nb\0c\x7f", "a\\x0ab\\x00c\\x7f");
	ESCAPES(text_escape, "\xc3\xa4", "\\xc3\\xa4");
}

static void
test_escape_line(void)
{
	ESCAPES(text_escape_line, "", "");
	ESCAPES(text_escape_line, "a\"b\\x0ac", "a\"b\\x0ac");
	ESCAPES(text_escape_line, "a\nb\tc\x1b[1m", "a\\x0ab\\x09c\\x1b[1m");
	ESCAPES(text_escape_line, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92",
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92");
	/* C1, a line separator, an override of the writing direction. */
	ESCAPES(text_escape_line, "\xc2\x85", "\\xc2\\x85");
	ESCAPES(text_escape_line, "\xe2\x80\xa8", "\\xe2\\x80\\xa8");
	ESCAPES(text_escape_line, "\xe2\x80\xae", "\\xe2\\x80\\xae");
	/* Alone, cut short, overlong, a surrogate, past the end. */
	ESCAPES(text_escape_line, "\x80", "\\x80");
	ESCAPES(text_escape_line, "\xc3", "\\xc3");
	ESCAPES(text_escape_line, "\xe2\x82", "\\xe2\\x82");
	ESCAPES(text_escape_line, "\xc0\xaf", "\\xc0\\xaf");
	ESCAPES(text_escape_line, "\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	ESCAPES(text_escape_line, "\xed\xa0\x80", "\\xed\\xa0\\x80");
	ESCAPES(text_escape_line, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	ESCAPES(text_escape_line, "\xff", "\\xff");
}

static void
test_escape_quoted(void)
{
	ESCAPES(text_escape_quoted, "", "");
	ESCAPES(text_escape_quoted, "a b=\xc3\xa4", "a b=\xc3\xa4");
	ESCAPES(text_escape_quoted, "say \"x\"", "say \\x22x\\x22");
	ESCAPES(text_escape_quoted, "a\nb\x1b", "a\\x0ab\\x1b");
	ESCAPES(text_escape_quoted, "\xff", "\\xff");
	/* What is escaped already stays as it is. */
	ESCAPES(text_escape_quoted, "\\x0a\\xff", "\\x0a\\xff");
	ESCAPES(text_escape_quoted, "\\\\x0a", "\\x5c\\x0a");
	ESCAPES(text_escape_quoted, "\\", "\\x5c");
	ESCAPES(text_escape_quoted, "\\x", "\\x5cx");
	ESCAPES(text_escape_quoted, "\\x0", "\\x5cx0");
	ESCAPES(text_escape_quoted, "\\xg0", "\\x5cxg0");
	ESCAPES(text_escape_quoted, "\\x0G", "\\x5cx0G");
	ESCAPES(text_escape_quoted, "\\n", "\\x5cn");
}

static void
test_escape_json(void)
{
	ESCAPES(text_escape_json, "", "");
	ESCAPES(text_escape_json, "a/b", "a/b");
	ESCAPES(text_escape_json, "\"\\\b\f\n\r\t", "\\\"\\\\\\b\\f\\n\\r\\t");
	ESCAPES(text_escape_json, "\0\x01\x1f\x7f",
		"\\u0000\\u0001\\u001f\\u007f");
	ESCAPES(text_escape_json, "\xc3\xa4\xe2\x82\xac",
		"\xc3\xa4\xe2\x82\xac");
	ESCAPES(text_escape_json, "\xc2\x85\xe2\x80\xa8", "\\u0085\\u2028");
	ESCAPES(text_escape_json, "a\xff\xc3", "a\\u00ff\\u00c3");
	ESCAPES(text_escape_json, "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080");
}

static void
test_escape_cut(void)
{
	char buffer[16];

	/* It fits to the byte, and it does not by one. */
	CU_ASSERT_EQUAL(text_escape("abcdefg", 7, buffer, 8), 7);
	CU_ASSERT_STRING_EQUAL(buffer, "abcdefg");
	CU_ASSERT_EQUAL(text_escape("abcdefgh", 8, buffer, 8), 7);
	CU_ASSERT_STRING_EQUAL(buffer, "abcd...");
	/* Never half an escape. */
	CU_ASSERT_EQUAL(text_escape("ab\ncdefg", 8, buffer, 8), 5);
	CU_ASSERT_STRING_EQUAL(buffer, "ab...");
	CU_ASSERT_EQUAL(
		text_escape_json("\xe2\x82\xac\xe2\x82\xac", 6, buffer, 6), 3);
	CU_ASSERT_STRING_EQUAL(buffer, "...");
	CU_ASSERT_EQUAL(
		text_escape_json("\xe2\x82\xac\xe2\x82\xac", 6, buffer, 7), 6);
	/* Hardly any room, and none. */
	CU_ASSERT_EQUAL(text_escape("abcdefgh", 8, buffer, 3), 2);
	CU_ASSERT_STRING_EQUAL(buffer, "..");
	CU_ASSERT_EQUAL(text_escape("abcdefgh", 8, buffer, 1), 0);
	CU_ASSERT_STRING_EQUAL(buffer, "");
	buffer[0] = 'x';
	CU_ASSERT_EQUAL(text_escape("abcdefgh", 8, buffer, 0), 0);
	CU_ASSERT_EQUAL(buffer[0], 'x');
}

/* The inside of a JSON string (RFC 8259 7) without a control character. */
static bool
is_json(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == '"' ||
		    *text == 0x7f)
			return false;
		if (*text != '\\')
			continue;
		text++;
		if (*text == 'u') {
			if (strspn(text + 1, "0123456789abcdef") < 4)
				return false;
			text += 4;
		} else if (!*text || !strchr("\"\\/bfnrt", *text)) {
			return false;
		}
	}
	return true;
}

static bool
is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool
is_ascii(const char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			return false;
	return true;
}

static void
test_escape_random(void)
{
	/* Bytes that make up UTF-8 come often, so that some is valid. */
	static const unsigned char frequent[] = {
		0xc2, 0xe2, 0x80, 0xa8, 0xf0, 0x9f, 0xed, 0xa0,
		'"',  '\\', '\n', 0,    0xff, 0x85, 'u',  'x',
	};
	unsigned int seed = 20;
	bool is_good = true;

	for (int round = 0; round < 100000; round++) {
		unsigned char bytes[40];
		char buffer[200], again[200];
		size_t length = (size_t)rand_r(&seed) % sizeof(bytes);
		size_t size = 1 + (size_t)rand_r(&seed) % sizeof(buffer);
		size_t written;

		for (size_t i = 0; i < length; i++)
			bytes[i] = rand_r(&seed) % 2
					   ? (unsigned char)rand_r(&seed)
					   : frequent[rand_r(&seed) % 16];
		written = text_escape(bytes, length, buffer, size);
		is_good &= written == strlen(buffer) && written < size &&
			   is_printable(buffer) && is_ascii(buffer) &&
			   !strchr(buffer, '"');
		written = text_escape_json(bytes, length, buffer, size);
		is_good &= written == strlen(buffer) && written < size &&
			   is_json(buffer);
		written = text_escape_line(bytes, length, buffer, size);
		is_good &= written == strlen(buffer) && written < size &&
			   is_printable(buffer);
		/* What was made fit stays as it is. */
		text_escape_line(buffer, written, again, sizeof(again));
		is_good &= strcmp(buffer, again) == 0;
	}
	CU_ASSERT_TRUE(is_good);
}

UNIT_SUITE(text, {"parse_unsigned", test_parse_unsigned},
	   {"parse_boolean", test_parse_boolean},
	   {"parse_duration", test_parse_duration},
	   {"parse_size", test_parse_size}, {"format_units", test_format_units},
	   {"hex", test_hex}, {"nearest", test_nearest},
	   {"escape", test_escape}, {"escape_line", test_escape_line},
	   {"escape_quoted", test_escape_quoted},
	   {"escape_json", test_escape_json}, {"escape_cut", test_escape_cut},
	   {"escape_random", test_escape_random});
