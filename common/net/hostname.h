/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names as they stand in SNI, certificates and the configuration.
 */
#ifndef SEALOCK_NET_HOSTNAME_H
#define SEALOCK_NET_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

#define HOSTNAME_MAX 253

/* Check a name of 1 to 253 bytes (letters, digits, hyphens, underscores;
 * labels of 1 to 63; no trailing dot, not an IP address: RFC 6066 3, RFC 1123
 * 2.1) and write it in lower case with a NUL into out, HOSTNAME_MAX + 1 bytes.
 * -1: it is no such name, and out is "". */
int
hostname_normalize(const void *bytes, size_t length, char *out)
	__attribute__((warn_unused_result));

/* The same for a name that may be a wildcard: "*." and then a name. */
int
hostname_pattern_normalize(const void *bytes, size_t length, char *out)
	__attribute__((warn_unused_result));

bool
hostname_is_wildcard(const char *pattern);

/* The wildcard that matches a normalized name, its first label replaced by
 * "*" (RFC 9525 6.3: it stands for one label), HOSTNAME_MAX + 1 bytes. -1: none
 * does. */
int
hostname_wildcard_for(const char *name, char *pattern)
	__attribute__((warn_unused_result));

/* Is it an IPv4 or IPv6 address literal? */
bool
hostname_is_ip(const char *text);

#endif
