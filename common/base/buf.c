/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over bytes with a sticky error. Every access goes through take()
 * or claim(), the two places that check a length.
 */
#include "common/base/buf.h"

#include <string.h>

#include "common/base/mem.h"

static const unsigned char *
take(struct buf_reader *reader, size_t length)
{
	const unsigned char *bytes = reader->bytes;

	if (reader->failed || length > reader->length) {
		reader->failed = true;
		reader->length = 0;
		return NULL;
	}
	reader->bytes += length;
	reader->length -= length;
	return bytes;
}

static uint64_t
read_integer(struct buf_reader *reader, size_t width)
{
	const unsigned char *bytes = take(reader, width);
	uint64_t value = 0;

	if (!bytes)
		return 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | bytes[i];
	return value;
}

void
buf_read_init(struct buf_reader *reader, const void *bytes, size_t length)
{
	/* NULL plus 0 is no address to compute with. */
	reader->bytes = bytes ? bytes : (const unsigned char *)"";
	reader->length = bytes ? length : 0;
	reader->failed = !bytes && length > 0;
}

uint8_t
buf_read_u8(struct buf_reader *reader)
{
	return (uint8_t)read_integer(reader, 1);
}

uint16_t
buf_read_u16(struct buf_reader *reader)
{
	return (uint16_t)read_integer(reader, 2);
}

uint32_t
buf_read_u24(struct buf_reader *reader)
{
	return (uint32_t)read_integer(reader, 3);
}

uint32_t
buf_read_u32(struct buf_reader *reader)
{
	return (uint32_t)read_integer(reader, 4);
}

uint64_t
buf_read_u64(struct buf_reader *reader)
{
	return read_integer(reader, 8);
}

const unsigned char *
buf_read_bytes(struct buf_reader *reader, size_t length)
{
	return take(reader, length);
}

struct buf_reader
buf_read_sub(struct buf_reader *reader, size_t length)
{
	const unsigned char *bytes = take(reader, length);
	struct buf_reader sub;

	buf_read_init(&sub, bytes, bytes ? length : 0);
	sub.failed = !bytes;
	return sub;
}

char *
buf_read_string(struct buf_reader *reader)
{
	size_t length = buf_read_u32(reader);
	const unsigned char *bytes = take(reader, length);

	if (!bytes)
		return NULL;
	if (memchr(bytes, 0, length)) {
		reader->failed = true;
		reader->length = 0;
		return NULL;
	}
	return mem_strndup((const char *)bytes, length);
}

static unsigned char *
claim(struct buf_writer *writer, size_t length)
{
	unsigned char *bytes;

	if (writer->failed || length > writer->capacity - writer->length) {
		writer->failed = true;
		return NULL;
	}
	bytes = writer->bytes + writer->length;
	writer->length += length;
	return bytes;
}

static void
write_integer(struct buf_writer *writer, uint64_t value, size_t width)
{
	unsigned char *bytes = claim(writer, width);

	if (!bytes)
		return;
	for (size_t i = width; i > 0; i--) {
		bytes[i - 1] = (unsigned char)value;
		value >>= 8;
	}
}

void
buf_write_init(struct buf_writer *writer, void *bytes, size_t capacity)
{
	writer->bytes = bytes;
	writer->capacity = capacity;
	writer->length = 0;
	writer->failed = false;
}

void
buf_write_u8(struct buf_writer *writer, uint8_t value)
{
	write_integer(writer, value, 1);
}

void
buf_write_u16(struct buf_writer *writer, uint16_t value)
{
	write_integer(writer, value, 2);
}

void
buf_write_u32(struct buf_writer *writer, uint32_t value)
{
	write_integer(writer, value, 4);
}

void
buf_write_u64(struct buf_writer *writer, uint64_t value)
{
	write_integer(writer, value, 8);
}

void
buf_write_bytes(struct buf_writer *writer, const void *bytes, size_t length)
{
	unsigned char *place;

	if (length == 0)
		return;
	place = claim(writer, length);
	if (place)
		memcpy(place, bytes, length);
}

void
buf_write_string(struct buf_writer *writer, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length > UINT32_MAX) {
		writer->failed = true;
		return;
	}
	buf_write_u32(writer, (uint32_t)length);
	buf_write_bytes(writer, text, length);
}
