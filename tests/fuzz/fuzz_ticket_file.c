/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with ticket keys, of any of the formats, and rings as they travel
 * between processes. What is taken can be written and read again; what is
 * refused has a sentence.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/route/ticket_file.h"
#include "common/tls/ticket_ring.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_ring(const struct ticket_ring *ring)
{
	AUTO_FREE unsigned char *wire = mem_alloc(TICKET_RING_WIRE_MAX);
	const struct ticket_key *current = ticket_ring_current(ring, 1);
	struct ticket_ring *copy;
	struct buf_writer writer;
	struct buf_reader reader;

	buf_write_init(&writer, wire, TICKET_RING_WIRE_MAX);
	ticket_ring_write(ring, &writer);
	buf_read_init(&reader, wire, writer.length);
	copy = ticket_ring_read(&reader);
	if (writer.failed || (copy && !ticket_ring_equal(ring, copy)) ||
	    (!copy && current))
		abort();
	ticket_ring_free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const unsigned char id[TICKET_RING_ID_SIZE] = "fuzz";
	/* An exact copy, so that a read past the end is seen. */
	unsigned char *copy = mem_dup(bytes, length);
	struct ticket_ring *ring = ticket_ring_new(id), *received;
	struct error error = {0};
	struct buf_reader reader;

	if (length <= TICKET_FILE_MAX &&
	    ticket_file_parse("/k", copy, length, true, ring, &error) != 0 &&
	    error.text[0] == '\0')
		abort();
	check_ring(ring);
	buf_read_init(&reader, copy, length);
	received = ticket_ring_read(&reader);
	if (received)
		check_ring(received);
	ticket_ring_free(received);
	ticket_ring_free(ring);
	mem_free(copy);
	return 0;
}
