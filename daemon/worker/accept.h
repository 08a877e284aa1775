/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening sockets as one worker uses them: shared with the others,
 * woken one worker at a time, and left alone while there is no room.
 */
#ifndef SEALOCK_WORKER_ACCEPT_H
#define SEALOCK_WORKER_ACCEPT_H

struct acceptor;
struct generation;
struct worker;

struct acceptor *
acceptor_new(struct worker *worker);

/* Closes the worker's copies of the sockets; NULL is legal. */
void
acceptor_free(struct acceptor *acceptor);

/* Listen on exactly these from now on; takes the descriptors out of the
 * generation, but for those of services that are down. */
void
acceptor_update(struct acceptor *acceptor, struct generation *generation);

/* A connection has gone: there may be room again. */
void
acceptor_resume(struct acceptor *acceptor);

#endif
