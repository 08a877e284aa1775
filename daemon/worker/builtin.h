/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backends that live in the worker, for trying things out and for tests: the
 * other end of a socket pair.
 *
 *	echo	sends back what it gets, and ends when the client ends
 *	whoami	an HTTP/1.1 answer that tells what the daemon knows of the
 *		connection
 */
#ifndef SEALOCK_WORKER_BUILTIN_H
#define SEALOCK_WORKER_BUILTIN_H

struct connection;
struct worker;

/* Start one and return our end of the pair, which is the caller's; -1 with
 * errno when the system has no more descriptors. The other end closes itself
 * when ours is closed. */
int
builtin_open(const struct connection *connection, const char *word);

/* The worker ends, and with it all that still serve. */
void
builtin_free_all(struct worker *worker);

#endif
