/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A c-ares channel on a libevent loop: its sockets and its timeouts.
 */
#ifndef SEALOCK_FETCH_ARES_LOOP_H
#define SEALOCK_FETCH_ARES_LOOP_H

#include <stdint.h>
#include <ares.h>

struct ares_loop;
struct error;
struct event_base;
struct resolution;

/* servers is a list with commas of addresses with ports, "": the system's.
 * timeout_ms is what c-ares waits for the answer to its first datagram. NULL
 * with a sentence when the servers, or the system's settings, are no good. */
struct ares_loop *
ares_loop_new(struct event_base *base, const char *servers, int64_t timeout_ms,
	      struct error *error);

/* Every question still open is answered with ARES_EDESTRUCTION first. NULL is
 * legal. */
void
ares_loop_free(struct ares_loop *loop);

/* ares_getaddrinfo(): answer may be called before this returns. */
void
ares_loop_ask(struct ares_loop *loop, const char *host, int family,
	      ares_addrinfo_callback answer, void *argument);

/* Add the addresses of an answer to a resolution, each once, as many as it has
 * room for. */
void
ares_loop_addresses(const struct ares_addrinfo *found,
		    struct resolution *answer);

#endif
