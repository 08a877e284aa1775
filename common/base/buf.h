/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cursor over bytes with a sticky error, for everything that is packed or
 * unpacked: messages between roles, the ClientHello, headers. Reading past
 * the end or writing past the capacity sets failed and yields zeros; the
 * caller checks once, at the end. Integers are big-endian. The cursor borrows
 * its memory.
 */
#ifndef SEALOCK_BASE_BUF_H
#define SEALOCK_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf_reader {
	const unsigned char *bytes;
	size_t length; /* what is left */
	bool failed;
};

struct buf_writer {
	unsigned char *bytes;
	size_t capacity;
	size_t length; /* what is written */
	bool failed;
};

void
buf_read_init(struct buf_reader *reader, const void *bytes, size_t length);
uint8_t
buf_read_u8(struct buf_reader *reader);
uint16_t
buf_read_u16(struct buf_reader *reader);
uint32_t
buf_read_u24(struct buf_reader *reader);
uint32_t
buf_read_u32(struct buf_reader *reader);
uint64_t
buf_read_u64(struct buf_reader *reader);

/* length bytes in place, valid as long as the memory below; NULL and failed
 * when there are fewer. */
const unsigned char *
buf_read_bytes(struct buf_reader *reader, size_t length);

/* A sub-cursor over the next length bytes, which are passed over here. */
struct buf_reader
buf_read_sub(struct buf_reader *reader, size_t length);

/* A string written by buf_write_string(), as an own copy (mem_free()); fails
 * on an embedded NUL and then returns NULL. */
char *
buf_read_string(struct buf_reader *reader);

void
buf_write_init(struct buf_writer *writer, void *bytes, size_t capacity);
void
buf_write_u8(struct buf_writer *writer, uint8_t value);
void
buf_write_u16(struct buf_writer *writer, uint16_t value);
void
buf_write_u32(struct buf_writer *writer, uint32_t value);
void
buf_write_u64(struct buf_writer *writer, uint64_t value);
void
buf_write_bytes(struct buf_writer *writer, const void *bytes, size_t length);

/* A 32-bit length and the bytes without their NUL; NULL is written as "". */
void
buf_write_string(struct buf_writer *writer, const char *text);

#endif
