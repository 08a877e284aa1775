/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one generation of the configuration lets workers connect to by way of
 * the broker: its backends and authorizers on UNIX sockets, and nothing else.
 */
#ifndef SEALOCK_BROKER_TARGETS_H
#define SEALOCK_BROKER_TARGETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct conf;
struct socket_address;
struct target;

struct targets {
	TAILQ_ENTRY(targets) entries; /* the owner's */
	uint64_t generation;
	struct target *list; /* in the configuration's order */
	size_t count;
};

TAILQ_HEAD(targets_list, targets);

/* Copies what it needs of the configuration. */
struct targets *
targets_new(uint64_t generation, const struct conf *conf);

/* NULL is legal. */
void
targets_free(struct targets *targets);

/* The address with that index in connect.addresses of the service with that
 * index, or with IPC_AUTHORIZER its authorizer's; NULL: there is none, or it is
 * on no UNIX socket. Borrowed. */
const struct socket_address *
targets_find(const struct targets *targets, uint32_t service, uint32_t address);

#endif
