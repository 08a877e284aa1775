/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's end of the way to the keeper: remote keys have their messages
 * signed over a channel. At most KEY_CLIENT_WINDOW requests are under way; the
 * others wait here in the order in which they came, and one that is abandoned
 * leaves at once. A request that is under way keeps its place until its answer
 * is there, whether or not somebody still waits for it: the keeper is never
 * asked for more than the window, however often clients come and go.
 *
 * When the keeper dies, what was under way is lost: it may be what the keeper
 * died of, so its successor is not asked for it again. What has not been sent
 * yet, and what begins now, waits for the successor, which is there within a
 * second; when there is none for too long, all of it is lost, and whatever
 * begins later at once, until there is one.
 */
#ifndef SEALOCK_WORKER_KEY_CLIENT_H
#define SEALOCK_WORKER_KEY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct event_base;

#define KEY_CLIENT_WINDOW 64

/* How long one that cannot wait in the event loop waits for its signature. */
#define KEY_CLIENT_BLOCK_MS 10000

struct key_client;

struct key_client_events {
	/* That keeper (the number it was attached with) has broken the rules;
	 * its channel is closed already. */
	void (*accuse)(uint32_t number, const char *why, void *argument);

	/* Keys of session tickets have come, or gone (ticket_keys.h). */
	void (*tickets)(void *argument);
};

/* patience_ms: how long a keeper is waited for. events is copied. */
struct key_client *
key_client_new(struct event_base *base, int64_t patience_ms,
	       const struct key_client_events *events, void *argument);

/* No operation may be pending any more, and no remote key be used afterwards
 * unless something else is installed. NULL is legal. */
void
key_client_free(struct key_client *client);

/* A channel to the (new) keeper; takes the descriptor. What was under way to
 * the one before is lost, what waits is sent. */
void
key_client_attach(struct key_client *client, uint32_t number, int descriptor);

/* Is there a keeper at the other end? */
bool
key_client_has_keeper(const struct key_client *client);

/* Have remote keys of this process sign this way, but for those in its own
 * table (local_keys_own_or()). */
int
key_client_install(struct key_client *client, struct error *error)
	__attribute__((warn_unused_result));

/* Requests under way, also those that nobody waits for any more, and those
 * that wait to be sent. */
size_t
key_client_under_way(const struct key_client *client);
size_t
key_client_waiting(const struct key_client *client);

#endif
