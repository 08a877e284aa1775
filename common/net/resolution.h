/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host name resolves to, as the helper tells it to the workers (the
 * body of MESSAGE_ADDRESSES).
 */
#ifndef SEALOCK_NET_RESOLUTION_H
#define SEALOCK_NET_RESOLUTION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/buf.h"
#include "common/net/address.h"
#include "common/net/hostname.h"

#define RESOLUTION_MAX 64

struct resolution {
	char host[HOSTNAME_MAX + 1];
	char error[128]; /* why there are none; "" when there are some */
	size_t count;
	struct {
		sa_family_t family; /* AF_INET or AF_INET6 */
		unsigned char bytes[16];
	} addresses[RESOLUTION_MAX]; /* in the order to try: RFC 6724 */
};

void
resolution_encode(const struct resolution *resolution,
		  struct buf_writer *writer);

/* -1: the bytes are no resolution. */
int
resolution_decode(struct buf_reader *reader, struct resolution *resolution)
	__attribute__((warn_unused_result));

/* The socket address of one of them with this port. */
void
resolution_socket(const struct resolution *resolution, size_t index,
		  uint16_t port, struct socket_address *socket);

#endif
