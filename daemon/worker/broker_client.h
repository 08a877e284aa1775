/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connected sockets of UNIX backends, asked of the broker: in a sandbox a
 * worker cannot make them itself. A request waits for its answer as a TCP
 * address does for its handshake; when the broker dies, for its successor.
 */
#ifndef SEALOCK_WORKER_BROKER_CLIENT_H
#define SEALOCK_WORKER_BROKER_CLIENT_H

#include <stdint.h>
#include <sys/queue.h>

struct broker_client;
struct event_base;

/* What is asked for: an address by its indexes in a generation. Embedded by
 * whoever asks, who sets all but the last two. */
struct broker_request {
	uint64_t generation;
	uint32_t service;
	uint32_t address; /* of its connect.addresses */

	/* Once, from the event loop: the socket, which is the callee's, or -1
	 * and an error number. The request may be made again in it. */
	void (*answered)(struct broker_request *request, int descriptor,
			 int error_number);

	struct broker_client *client; /* NULL: it is not under way */
	TAILQ_ENTRY(broker_request) entries;
};

/* accuse is called when the broker has broken the rules, with a sentence; it
 * is not talked to any more then. */
struct broker_client *
broker_client_new(struct event_base *base,
		  void (*accuse)(const char *why, void *argument),
		  void *argument);

/* Nobody may be waiting. NULL is legal. */
void
broker_client_free(struct broker_client *client);

/* A channel to the (new) broker; takes the descriptor. Whatever was under way
 * is asked anew. */
void
broker_client_attach(struct broker_client *client, int descriptor);

/* Ask. 0: it is under way; else an error number: there is no descriptor left
 * for the answer (EMFILE), and nothing was asked. */
int
broker_client_ask(struct broker_client *client, struct broker_request *request)
	__attribute__((warn_unused_result));

/* The answer is not wanted any more: a socket that comes is closed. Legal on
 * one that is not under way. */
void
broker_client_cancel(struct broker_request *request);

#endif
