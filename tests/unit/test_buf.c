/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

static void
test_round_trip(void)
{
	unsigned char memory[128];
	struct buf_writer writer;
	struct buf_reader reader;
	AUTO_FREE char *text = NULL;
	AUTO_FREE char *empty = NULL;

	buf_write_init(&writer, memory, sizeof(memory));
	buf_write_u8(&writer, 0xfe);
	buf_write_u16(&writer, 0xfedc);
	buf_write_u32(&writer, 0xfedcba98);
	buf_write_u64(&writer, UINT64_C(0xfedcba9876543210));
	buf_write_bytes(&writer, "\0\1\2", 3);
	buf_write_bytes(&writer, NULL, 0);
	buf_write_string(&writer, "gate");
	buf_write_string(&writer, NULL);
	CU_ASSERT_FALSE(writer.failed);
	CU_ASSERT_EQUAL(writer.length, 1 + 2 + 4 + 8 + 3 + 4 + 4 + 4);

	buf_read_init(&reader, memory, writer.length);
	CU_ASSERT_EQUAL(buf_read_u8(&reader), 0xfe);
	CU_ASSERT_EQUAL(buf_read_u16(&reader), 0xfedc);
	CU_ASSERT_EQUAL(buf_read_u32(&reader), 0xfedcba98);
	CU_ASSERT_EQUAL(buf_read_u64(&reader), UINT64_C(0xfedcba9876543210));
	CU_ASSERT_EQUAL(memcmp(buf_read_bytes(&reader, 3), "\0\1\2", 3), 0);
	text = buf_read_string(&reader);
	CU_ASSERT_STRING_EQUAL(text, "gate");
	empty = buf_read_string(&reader);
	CU_ASSERT_STRING_EQUAL(empty, "");
	CU_ASSERT_EQUAL(reader.length, 0);
	CU_ASSERT_FALSE(reader.failed);
}

static void
test_big_endian(void)
{
	unsigned char memory[7];
	struct buf_writer writer;
	struct buf_reader reader;

	buf_write_init(&writer, memory, sizeof(memory));
	buf_write_u16(&writer, 0x0102);
	buf_write_u32(&writer, 0x03040506);
	buf_write_u8(&writer, 7);
	CU_ASSERT_EQUAL(memcmp(memory, "\1\2\3\4\5\6\7", 7), 0);
	buf_read_init(&reader, memory, sizeof(memory));
	CU_ASSERT_EQUAL(buf_read_u24(&reader), 0x010203);
	CU_ASSERT_EQUAL(buf_read_u32(&reader), 0x04050607);
}

static void
test_read_past_end(void)
{
	struct buf_reader reader;

	buf_read_init(&reader, "\1\2\3", 3);
	CU_ASSERT_EQUAL(buf_read_u16(&reader), 0x0102);
	CU_ASSERT_EQUAL(buf_read_u16(&reader), 0);
	CU_ASSERT_TRUE(reader.failed);
	/* It sticks: what would still be there is not given out. */
	CU_ASSERT_EQUAL(buf_read_u8(&reader), 0);
	CU_ASSERT_PTR_NULL(buf_read_bytes(&reader, 0));
	CU_ASSERT_PTR_NULL(buf_read_string(&reader));
	CU_ASSERT_TRUE(buf_read_sub(&reader, 0).failed);

	buf_read_init(&reader, NULL, 0);
	CU_ASSERT_PTR_NOT_NULL(buf_read_bytes(&reader, 0));
	CU_ASSERT_FALSE(reader.failed);
	CU_ASSERT_EQUAL(buf_read_u64(&reader), 0);
	CU_ASSERT_TRUE(reader.failed);

	buf_read_init(&reader, "abc", 3);
	CU_ASSERT_PTR_NULL(buf_read_bytes(&reader, SIZE_MAX));
	CU_ASSERT_TRUE(reader.failed);
}

static void
test_read_sub(void)
{
	struct buf_reader reader, sub;

	buf_read_init(&reader, "\1\2\3\4", 4);
	sub = buf_read_sub(&reader, 2);
	CU_ASSERT_EQUAL(buf_read_u8(&reader), 3);
	CU_ASSERT_EQUAL(buf_read_u16(&sub), 0x0102);
	CU_ASSERT_FALSE(sub.failed);
	/* The end of the part is an end, and its failure its own. */
	CU_ASSERT_EQUAL(buf_read_u8(&sub), 0);
	CU_ASSERT_TRUE(sub.failed);
	CU_ASSERT_FALSE(reader.failed);
	sub = buf_read_sub(&reader, 2);
	CU_ASSERT_TRUE(sub.failed);
	CU_ASSERT_TRUE(reader.failed);
	CU_ASSERT_EQUAL(sub.length, 0);
}

static void
test_read_string_refused(void)
{
	static const struct {
		const char *bytes;
		size_t length;
	} bad[] = {
		{"", 0},
		{"\0\0\0", 3},
		{"\0\0\0\1", 4},
		{"\0\0\0\4abc", 7},
		{"\xff\xff\xff\xff"
		 "abc",
		 7},
		{"\0\0\0\3a\0c", 7},
		{"\0\0\0\1\0", 5},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct buf_reader reader;

		buf_read_init(&reader, bad[i].bytes, bad[i].length);
		CU_ASSERT_PTR_NULL(buf_read_string(&reader));
		CU_ASSERT_TRUE(reader.failed);
	}
}

static void
test_write_past_end(void)
{
	unsigned char memory[6] = "......";
	struct buf_writer writer;

	buf_write_init(&writer, memory, 5);
	buf_write_u32(&writer, 0x41424344);
	buf_write_u16(&writer, 0x4546);
	CU_ASSERT_TRUE(writer.failed);
	CU_ASSERT_EQUAL(writer.length, 4);
	/* It sticks, also for what would fit. */
	buf_write_u8(&writer, 0x45);
	CU_ASSERT_EQUAL(writer.length, 4);
	CU_ASSERT_EQUAL(memcmp(memory, "ABCD..", 6), 0);

	buf_write_init(&writer, memory, 5);
	buf_write_string(&writer, "ab");
	CU_ASSERT_TRUE(writer.failed);
	buf_write_init(&writer, NULL, 0);
	buf_write_bytes(&writer, NULL, 0);
	CU_ASSERT_FALSE(writer.failed);
	buf_write_u8(&writer, 0);
	CU_ASSERT_TRUE(writer.failed);
}

UNIT_SUITE(buf, {"round_trip", test_round_trip},
	   {"big_endian", test_big_endian},
	   {"read_past_end", test_read_past_end}, {"read_sub", test_read_sub},
	   {"read_string_refused", test_read_string_refused},
	   {"write_past_end", test_write_past_end});
