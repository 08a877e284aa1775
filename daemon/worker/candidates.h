/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses to try for one connection, in the order in which to try them:
 * the configured ones in their order, each name with what it resolves to now,
 * its families taking turns (RFC 8305 4).
 */
#ifndef SEALOCK_WORKER_CANDIDATES_H
#define SEALOCK_WORKER_CANDIDATES_H

#include <stddef.h>

#include "common/net/address.h"

struct conf_connect;
struct names;

struct candidate {
	const struct address *configured;
	size_t index;                 /* of that in connect.addresses */
	struct socket_address socket; /* nothing for a builtin */
};

struct candidates {
	struct candidate *list;
	size_t count;
	const char *pending; /* a name that has no answer yet; NULL: none */
	char error[160];     /* why there is none; "" when there are some */
};

void
candidates_collect(const struct conf_connect *connect, struct names *names,
		   struct candidates *candidates);
void
candidates_clear(struct candidates *candidates);

/* As the log shows it; returns buffer. */
const char *
candidate_format(const struct candidate *candidate, char *buffer, size_t size);

#endif
