/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets. One is opened when the first generation names its
 * address and closed when the last one that does is gone; in between it stays
 * what it is, so that a reload loses no connection that waits in its queue.
 */
#ifndef SEALOCK_MONITOR_LISTENERS_H
#define SEALOCK_MONITOR_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct address;
struct error;
struct listener;
struct listeners;

struct listener_options {
	const struct address *address;
	unsigned int backlog;
	/* Seconds that the kernel may wait for the client's first bytes before
	 * it shows the connection; 0: it does not wait. TCP only. */
	unsigned int defer_accept;
	/* Several sockets of one address (SO_REUSEPORT): which one is meant,
	 * from 0 on. The first one is also the one that is not shared out. */
	bool is_port_reused;
	unsigned int slot;
	mode_t mode; /* of a UNIX socket's path */
};

/* To be made before this process opens anything itself: it notes which
 * descriptors were handed to it, as fd:N may name those and no others. */
struct listeners *
listeners_new(void);

/* There must be no listener left in use. NULL is legal. */
void
listeners_free(struct listeners *listeners);

/* A new configuration names sockets: begin, then name all of them, then open
 * them. What is open but was not named goes with the configuration before, and
 * so it does not matter that a new socket overlaps with it (0.0.0.0:443 becomes
 * :443). */
void
listeners_begin(struct listeners *listeners);
void
listener_name(struct listeners *listeners,
	      const struct listener_options *options);

/* The listening socket of that address and slot, opened if there is none yet.
 * One that is there is not changed: see listener_apply(). A reference is the
 * caller's. NULL with a sentence when it cannot be opened. */
struct listener *
listener_open(struct listeners *listeners,
	      const struct listener_options *options, struct error *error);

/* Give back a reference; with the last one the socket is closed and its path
 * removed, if it still is ours. NULL is legal. */
void
listener_release(struct listeners *listeners, struct listener *listener);

/* The configuration that these options stand in is in force, now or still. */
void
listener_apply(struct listener *listener,
	       const struct listener_options *options);

int
listener_descriptor(const struct listener *listener);

/* The same socket has the same id in every generation, and no other has it. */
uint64_t
listener_id(const struct listener *listener);

#endif
