/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation as the monitor holds it: beside what is sent to the children,
 * everything that it opened for it. What two generations have in common is
 * counted, so a plan that is dropped leaves nothing behind and takes nothing
 * away from the one in force.
 */
#ifndef SEALOCK_MONITOR_PLAN_H
#define SEALOCK_MONITOR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/monitor/log_outputs.h"

struct error_list;
struct generation;
struct generation_listener;
struct generation_parcel;
struct listener;
struct listeners;
struct pid_file;

/* One listening socket of one address of a service. */
struct plan_socket {
	struct listener *listener;
	size_t service;
	size_t address;
	unsigned int slot;
	bool is_shared; /* by all workers; else the worker with that number has
			 * it alone */
};

struct plan {
	struct generation *generation; /* with its conf */
	struct generation_parcel *parcel;
	unsigned int workers;
	struct plan_socket *sockets;
	size_t socket_count;
	struct log_outputs logs;
	struct pid_file *pid_file; /* NULL: none */
	struct listener *admin;    /* NULL: none */
	int index; /* the certificate index, when there is a keeper and it has
		    * made it; else -1 */
	int sessions; /* the memory for session_size sessions of clients
		       * without tickets; -1: none. One of the same size is
		       * taken over from the plan before */
	size_t session_size;
};

/* What stands between a generation and its plan. */
struct plan_sources {
	struct listeners *listeners;
	const struct plan *previous; /* in force; NULL at the start */
	bool has_defaults;           /* of pid file and admin socket */
};

/* Load the documents and open what the monitor itself needs. Takes the
 * generation. The log of the first one is in use from then on. NULL with all
 * problems found, and in status what a command ends
 * with: 2 when the configuration is to blame, 1 when this machine refuses what
 * it asks for. */
struct plan *
plan_new(struct generation *generation, const struct plan_sources *sources,
	 struct error_list *problems, struct error_list *warnings, int *status);
void
plan_free(struct plan *plan, struct listeners *listeners);

/* Are private keys in a process of their own? */
bool
plan_isolates_keys(const struct plan *plan);

/* Is there a keeper? Where keys are not isolated there is one all the same for
 * gates that serve TLS: it makes their certificate index and ticket keys, and
 * signs for nobody. */
bool
plan_needs_keeper(const struct plan *plan);

/* Is there a backend or an authorizer behind a UNIX socket? */
bool
plan_connects_unix(const struct plan *plan);

/* The sockets that a worker is lent; the array is the caller's (mem_free()),
 * the descriptors are not. */
struct generation_listener *
plan_listeners(const struct plan *plan, uint32_t worker, size_t *count);

/* The plan is in force, now or still: give its sockets their options. */
void
plan_apply(const struct plan *plan);

/* That service does not start: listen no more for it. */
void
plan_close_service(struct plan *plan, struct listeners *listeners,
		   size_t service);

/* Listen no more; the rest stays. */
void
plan_close_sockets(struct plan *plan, struct listeners *listeners);

#endif
