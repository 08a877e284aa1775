/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to the helper about certificates. What several ask is asked once.
 * So many questions are with it at most, the others wait here, where one that
 * is given up leaves no trace; when the helper dies, its successor is asked.
 */
#ifndef SEALOCK_WORKER_OCSP_CLIENT_H
#define SEALOCK_WORKER_OCSP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/verify/ocsp_talk.h"

struct channel;
struct message;
struct ocsp_batch;
struct ocsp_client;

/* Embedded by whoever asks, who sets the first three. */
struct ocsp_question {
	struct ocsp_ask ask; /* the owner's, until the answer has come */

	/* Once, from the event loop: the outcome of each certificate. */
	void (*answered)(struct ocsp_question *question,
			 const struct ocsp_told *told, size_t count);
	void *argument;

	struct ocsp_client *client; /* NULL: it is not under way */
	struct ocsp_batch *batch;
	TAILQ_ENTRY(ocsp_question) entries;
};

struct ocsp_client *
ocsp_client_new(void);

/* Nobody may be waiting. NULL is legal. */
void
ocsp_client_free(struct ocsp_client *client);

/* The channel to the (new) helper, borrowed; NULL: none is there. */
void
ocsp_client_attach(struct ocsp_client *client, struct channel *channel);

/* The helper has told something. A sentence on what is wrong with that, NULL:
 * nothing. */
const char *
ocsp_client_told(struct ocsp_client *client, const struct message *message);

/* Ask. -1: there is too much of it for a message, and nothing is asked. */
int
ocsp_client_ask(struct ocsp_client *client, struct ocsp_question *question)
	__attribute__((warn_unused_result));

/* The answer is not wanted any more. Legal on one that is not under way. */
void
ocsp_client_cancel(struct ocsp_question *question);

#endif
