/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one connection of the relay oracle is going to do: how much goes each
 * way, in which pieces and with which pauses, and who ends it in which way.
 * Both ends work it out from the seed and the connection's number.
 */
#ifndef SEALOCK_TESTS_ORACLE_PLAN_H
#define SEALOCK_TESTS_ORACLE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum plan_ending {
	PLAN_CLIENT_FIRST, /* half-closes; the server goes on to its end */
	PLAN_SERVER_FIRST,
	PLAN_TOGETHER, /* each when it has sent everything */
	PLAN_QUIET,    /* the client first, once all bytes have arrived */
	PLAN_CLIENT_RESETS,
	PLAN_SERVER_RESETS,
	PLAN_CLIENT_TRUNCATES, /* TLS: FIN without close_notify */
	PLAN_SERVER_TRUNCATES,
};

struct plan_manners {
	uint64_t write_size; /* at most so many bytes in a piece */
	uint64_t read_size;
	bool is_steady;           /* every piece of that size, none smaller */
	unsigned int pause_every; /* one pause in so many pieces; 0: none */
	unsigned int pauses;      /* so many of them at most, each way */
	unsigned int pause_ms;    /* at most */
	int socket_buffer;        /* 0: the kernel's */
	unsigned int record_size; /* TLS */
	unsigned int key_updates; /* TLS 1.3: at most so many */
	bool is_tls12;
};

struct plan {
	uint64_t number;
	enum plan_ending ending;
	uint64_t to_server; /* bytes in all */
	uint64_t to_client;
	uint64_t cut; /* who resets or truncates does so after as many */
	struct plan_manners client;
	struct plan_manners server;
};

struct plan_limits {
	bool is_client_tls;
	bool is_server_tls;
	bool is_clean; /* no resets and truncations */
};

void
plan_make(struct plan *plan, const struct plan_limits *limits, uint64_t seed,
	  uint64_t number);

/* Does every byte arrive, and the end of both streams? */
bool
plan_is_clean(const struct plan *plan);

/* Is it this side that ends the connection in a bad way? */
bool
plan_is_culprit(const struct plan *plan, bool is_client);

const char *
plan_ending_name(enum plan_ending ending);

#endif
