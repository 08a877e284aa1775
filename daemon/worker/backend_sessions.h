/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which store has the sessions of which service's connect gate: one a service,
 * and one for all services that name the same `session.key`. A new generation
 * takes the stores of the one before it over.
 */
#ifndef SEALOCK_WORKER_BACKEND_SESSIONS_H
#define SEALOCK_WORKER_BACKEND_SESSIONS_H

#include <stddef.h>

struct backend_sessions;
struct connection;
struct route_table;
struct snapshot_list;

/* For a table of routes; previous may be NULL. */
struct backend_sessions *
backend_sessions_new(const struct route_table *routes,
		     const struct backend_sessions *previous);

/* NULL is legal. */
void
backend_sessions_free(struct backend_sessions *sessions);

/* They are those in force: their limits count from now on. */
void
backend_sessions_enforce(const struct backend_sessions *sessions);

/* Snapshots have come or gone: the sessions of policies that none of them has
 * any more go. */
void
backend_sessions_sweep(const struct backend_sessions *sessions,
		       const struct snapshot_list *living);

/* Before the handshake with a connection's backend, which it is connected to:
 * offer it a session, if there is one with the same address or `session.key`,
 * server name to be sent and name to be verified (NULL: none), settings and
 * client certificates. */
void
backend_sessions_offer(const struct connection *connection,
		       const char *server_name, const char *verify_name);

#endif
