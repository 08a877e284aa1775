/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation that is prepared waits until the keeper has sent the ticket keys
 * that its gates name, within bounds: it can do without them, only that clients
 * do a full handshake.
 */
#ifndef SEALOCK_WORKER_TICKET_WAIT_H
#define SEALOCK_WORKER_TICKET_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct event_base;
struct ticket_wait;

/* over is called when a wait ends that was not cancelled: with all the rings,
 * or when that took longer than limit_ms. */
struct ticket_wait *
ticket_wait_new(struct event_base *base, int64_t limit_ms,
		void (*over)(bool is_complete, void *argument), void *argument);
void
ticket_wait_free(struct ticket_wait *wait);

/* True when nothing is missing, and then nothing is told; else over will be
 * called. One at a time. */
bool
ticket_wait_begin(struct ticket_wait *wait, const struct conf *conf);
void
ticket_wait_cancel(struct ticket_wait *wait);

/* Rings have come. */
void
ticket_wait_look(struct ticket_wait *wait);

#endif
