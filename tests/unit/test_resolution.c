/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/net/resolution.h"
#include "tests/unit/unit.h"

static void
add(struct resolution *resolution, int family, const char *text)
{
	size_t index = resolution->count++;

	resolution->addresses[index].family = (sa_family_t)family;
	CU_ASSERT_EQUAL_FATAL(
		inet_pton(family, text, resolution->addresses[index].bytes), 1);
}

static struct resolution *
resolution_new(const char *host, const char *error)
{
	struct resolution *resolution = mem_alloc(sizeof(*resolution));

	strcpy(resolution->host, host);
	strcpy(resolution->error, error);
	return resolution;
}

static int
decode(const void *bytes, size_t length, struct resolution *resolution)
{
	struct buf_reader reader;
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE void *exact = mem_dup(bytes, length);

	buf_read_init(&reader, exact, length);
	return resolution_decode(&reader, resolution);
}

static void
test_round_trip(void)
{
	AUTO_FREE struct resolution *one = resolution_new("db.example.org", "");
	AUTO_FREE struct resolution *other = mem_alloc(sizeof(*other));
	unsigned char memory[2048];
	struct buf_writer writer;
	struct socket_address socket;
	char text[64];

	add(one, AF_INET6, "2001:db8::1");
	add(one, AF_INET, "192.0.2.1");
	buf_write_init(&writer, memory, sizeof(memory));
	resolution_encode(one, &writer);
	CU_ASSERT_FALSE(writer.failed);
	CU_ASSERT_EQUAL(decode(memory, writer.length, other), 0);
	CU_ASSERT_EQUAL(memcmp(one, other, sizeof(*one)), 0);
	resolution_socket(other, 0, 5432, &socket);
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)),
		"[2001:db8::1]:5432");
	resolution_socket(other, 1, 80, &socket);
	CU_ASSERT_STRING_EQUAL(
		socket_address_format(&socket, text, sizeof(text)),
		"192.0.2.1:80");
	/* Whatever is cut off or added, it is no resolution any more. */
	for (size_t length = 0; length < writer.length; length++)
		CU_ASSERT_EQUAL(decode(memory, length, other), -1);
	memory[writer.length] = 0;
	CU_ASSERT_EQUAL(decode(memory, writer.length + 1, other), -1);
}

static void
test_limits(void)
{
	AUTO_FREE struct resolution *one = resolution_new("a", "");
	AUTO_FREE struct resolution *other = mem_alloc(sizeof(*other));
	unsigned char memory[2048];
	struct buf_writer writer;

	for (int i = 0; i < RESOLUTION_MAX; i++)
		add(one, AF_INET6, "::1");
	buf_write_init(&writer, memory, sizeof(memory));
	resolution_encode(one, &writer);
	CU_ASSERT_EQUAL(decode(memory, writer.length, other), 0);
	CU_ASSERT_EQUAL(other->count, RESOLUTION_MAX);
	/* One more than there is room for. */
	memory[4 + 1 + 4]++;
	CU_ASSERT_EQUAL(decode(memory, writer.length, other), -1);

	one->count = 0;
	memset(one->error, 'e', sizeof(one->error) - 1);
	buf_write_init(&writer, memory, sizeof(memory));
	resolution_encode(one, &writer);
	CU_ASSERT_EQUAL(decode(memory, writer.length, other), 0);
	CU_ASSERT_EQUAL(other->count, 0);
	CU_ASSERT_STRING_EQUAL(other->error, one->error);
}

static void
check_refused(const char *host, const char *error, uint8_t count,
	      uint8_t family)
{
	struct resolution resolution;
	unsigned char memory[1024];
	struct buf_writer writer;

	buf_write_init(&writer, memory, sizeof(memory));
	buf_write_string(&writer, host);
	buf_write_string(&writer, error);
	buf_write_u8(&writer, count);
	for (int i = 0; i < count; i++) {
		buf_write_u8(&writer, family);
		buf_write_bytes(&writer, "\177\0\0\1", 4);
	}
	CU_ASSERT_FALSE(writer.failed);
	CU_ASSERT_EQUAL(decode(memory, writer.length, &resolution), -1);
}

static void
test_refused(void)
{
	static const char long_name[] =
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz."
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz."
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz."
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz."
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz";
	struct resolution resolution;

	check_refused("", "", 1, 4);
	check_refused("UPPER", "", 1, 4);
	check_refused("a b", "", 1, 4);
	check_refused("127.0.0.1", "", 1, 4);
	check_refused("*.example.org", "", 1, 4);
	check_refused(long_name, "", 1, 4);
	check_refused("a", long_name, 0, 4);
	check_refused("a", "both", 1, 4);
	check_refused("a", "", 0, 4);
	check_refused("a", "", 1, 0);
	check_refused("a", "", 1, 6);
	check_refused("a", "", 1, 255);
	check_refused("a", "", 65, 4);
	CU_ASSERT_EQUAL(decode("\0\0\0\1a\0\0\0\3a\0b\0", 13, &resolution), -1);
	CU_ASSERT_EQUAL(decode("\0\0\0\3a\0b\0\0\0\1e\0", 13, &resolution), -1);
	CU_ASSERT_EQUAL(decode("\xff\xff\xff\xff", 4, &resolution), -1);
	/* A good one, to know that the others were refused for their sins. */
	CU_ASSERT_EQUAL(
		decode("\0\0\0\1a\0\0\0\0\1\4\177\0\0\1", 15, &resolution), 0);
}

UNIT_SUITE(resolution, {"round_trip", test_round_trip}, {"limits", test_limits},
	   {"refused", test_refused});
