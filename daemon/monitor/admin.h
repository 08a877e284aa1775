/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The admin socket: requests of the sealock command (see admin_protocol.h).
 * Who may ask is a matter of the socket's owner and mode.
 */
#ifndef SEALOCK_MONITOR_ADMIN_H
#define SEALOCK_MONITOR_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/process/admin_protocol.h"

struct admin;
struct event_base;

struct admin_events {
	/* A reload is asked for; the number of the run that serves it. Its
	 * result is told by admin_answer_run(). */
	uint64_t (*reload)(void *argument);
	void (*stop)(bool is_now, void *argument);
	/* TICKETS_SHOW or TICKETS_ROTATE: the number of the question, whose
	 * answer is told by admin_answer_tickets(); 0: nobody can answer. */
	uint64_t (*tickets)(enum admin_command command, void *argument);
};

struct admin *
admin_new(struct event_base *base, const struct admin_events *events,
	  void *argument);

/* Answers that are under way are written as far as that goes at once; then
 * all clients are closed. NULL is legal. */
void
admin_free(struct admin *admin);

/* Take clients from this listening socket, which is borrowed; -1: from none.
 * Those who are there stay. */
void
admin_listen(struct admin *admin, int descriptor);

/* A run of reload is over: answer to all who waited for it. */
void
admin_answer_run(struct admin *admin, uint64_t run,
		 const struct admin_answer *answer);

/* The answer to one of the questions above. */
void
admin_answer_tickets(struct admin *admin, uint64_t number,
		     const struct admin_answer *answer);

#endif
