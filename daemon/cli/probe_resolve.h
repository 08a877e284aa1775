/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket addresses behind the address that a person gave.
 */
#ifndef SEALOCK_CLI_PROBE_RESOLVE_H
#define SEALOCK_CLI_PROBE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

struct address;
struct error;
struct socket_address;

#define PROBE_ADDRESSES_MAX 16

/* Fill up to PROBE_ADDRESSES_MAX of them, in the order to try, and return how
 * many; 0 with a sentence when there are none, or the resolver takes longer
 * than that. */
size_t
probe_resolve(const struct address *address, int64_t timeout_ms,
	      struct socket_address *found, struct error *error);

#endif
