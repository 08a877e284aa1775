/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks of IP addresses, as operators write them: 192.0.2.0/24,
 * 2001:db8::/32, or one address.
 */
#ifndef SEALOCK_NET_NETWORK_H
#define SEALOCK_NET_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Enough for network_format(). */
#define NETWORK_TEXT_SIZE 64

struct network {
	unsigned char bytes[16]; /* as in a packet; none beyond the prefix */
	size_t length;           /* 4 or 16 */
	unsigned int prefix;     /* bits that count */
};

/* An address without a prefix is a network of one. Bits behind the prefix are
 * refused, with a sentence that says what was probably meant; names, zones
 * (%eth0) and odd spellings of IPv4 addresses too. */
int
network_parse(const char *text, struct network *network, struct error *error)
	__attribute__((warn_unused_result));

/* The shortest text that network_parse() reads as the same; returns buffer. */
const char *
network_format(const struct network *network, char *buffer, size_t size);

/* Is the address, 4 or 16 octets, in it? One family is never in the other, and
 * bytes of another length are in none. */
bool
network_contains(const struct network *network, const void *address,
		 size_t length);

#endif
