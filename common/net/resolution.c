/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of MESSAGE_ADDRESSES: the host and the error as strings, u8 count,
 * and for each address u8 family (4 or 6) and its 4 or 16 bytes.
 */
#include "common/net/resolution.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#define WIRE_INET  4
#define WIRE_INET6 6

static size_t
address_size(sa_family_t family)
{
	return family == AF_INET ? 4 : 16;
}

void
resolution_encode(const struct resolution *resolution,
		  struct buf_writer *writer)
{
	assert(resolution->count <= RESOLUTION_MAX);
	assert((resolution->count == 0) == (resolution->error[0] != '\0'));
	buf_write_string(writer, resolution->host);
	buf_write_string(writer, resolution->error);
	buf_write_u8(writer, (uint8_t)resolution->count);
	for (size_t i = 0; i < resolution->count; i++) {
		sa_family_t family = resolution->addresses[i].family;

		assert(family == AF_INET || family == AF_INET6);
		buf_write_u8(writer,
			     family == AF_INET ? WIRE_INET : WIRE_INET6);
		buf_write_bytes(writer, resolution->addresses[i].bytes,
				address_size(family));
	}
}

/* A string into an array; -1 when it does not fit or has a NUL in it. */
static int
read_text(struct buf_reader *reader, char *out, size_t size)
{
	size_t length = buf_read_u32(reader);
	const unsigned char *bytes;

	if (length >= size)
		return -1;
	bytes = buf_read_bytes(reader, length);
	if (!bytes || memchr(bytes, 0, length))
		return -1;
	memcpy(out, bytes, length);
	out[length] = '\0';
	return 0;
}

static int
read_address(struct buf_reader *reader, struct resolution *resolution,
	     size_t index)
{
	uint8_t family = buf_read_u8(reader);
	const unsigned char *bytes;
	size_t size;

	if (family != WIRE_INET && family != WIRE_INET6)
		return -1;
	resolution->addresses[index].family =
		family == WIRE_INET ? AF_INET : AF_INET6;
	size = address_size(resolution->addresses[index].family);
	bytes = buf_read_bytes(reader, size);
	if (!bytes)
		return -1;
	memcpy(resolution->addresses[index].bytes, bytes, size);
	return 0;
}

int
resolution_decode(struct buf_reader *reader, struct resolution *resolution)
{
	char normalized[HOSTNAME_MAX + 1];

	memset(resolution, 0, sizeof(*resolution));
	if (read_text(reader, resolution->host, sizeof(resolution->host)) ||
	    read_text(reader, resolution->error, sizeof(resolution->error)))
		return -1;
	/* Whoever looks the name up later compares bytes. */
	if (hostname_normalize(resolution->host, strlen(resolution->host),
			       normalized) != 0 ||
	    strcmp(normalized, resolution->host) != 0)
		return -1;
	resolution->count = buf_read_u8(reader);
	if (resolution->count > RESOLUTION_MAX ||
	    (resolution->count == 0) != (resolution->error[0] != '\0'))
		return -1;
	for (size_t i = 0; i < resolution->count; i++)
		if (read_address(reader, resolution, i) != 0)
			return -1;
	return reader->failed || reader->length > 0 ? -1 : 0;
}

void
resolution_socket(const struct resolution *resolution, size_t index,
		  uint16_t port, struct socket_address *socket)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_port = htons(port)};

	assert(index < resolution->count);
	memset(socket, 0, sizeof(*socket));
	if (resolution->addresses[index].family == AF_INET) {
		memcpy(&in.sin_addr, resolution->addresses[index].bytes, 4);
		memcpy(&socket->storage, &in, sizeof(in));
		socket->length = sizeof(in);
		return;
	}
	memcpy(&in6.sin6_addr, resolution->addresses[index].bytes, 16);
	memcpy(&socket->storage, &in6, sizeof(in6));
	socket->length = sizeof(in6);
}
