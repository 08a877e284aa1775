/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of a MESSAGE_ADDRESSES: what is accepted is written back as the
 * same bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/net/resolution.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct resolution resolution;
	struct buf_reader reader;
	struct buf_writer writer;
	unsigned char memory[2048];

	buf_read_init(&reader, bytes, length);
	if (resolution_decode(&reader, &resolution) != 0)
		return 0;
	for (size_t i = 0; i < resolution.count; i++) {
		struct socket_address socket;
		char text[64];

		resolution_socket(&resolution, i, 443, &socket);
		socket_address_format(&socket, text, sizeof(text));
		assert(strcmp(text, "unknown") != 0);
	}
	buf_write_init(&writer, memory, sizeof(memory));
	resolution_encode(&resolution, &writer);
	assert(!writer.failed && writer.length == length);
	assert(memcmp(memory, bytes, length) == 0);
	return 0;
}
