/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom certificates are asked about, and when. Each responder has a queue, and
 * a few requests on their way; as soon as one has ended, as many certificates
 * as fit go in the next one together. Who is slow or silent keeps nobody
 * waiting but those who ask him.
 */
#ifndef SEALOCK_HELPER_OCSP_QUEUE_H
#define SEALOCK_HELPER_OCSP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "common/verify/ocsp_answer.h"

struct ocsp_queue;
struct ocsp_queues;
struct ocsp_transport;

/* How a responder is asked: what is alike in this has one queue. Lent. */
struct ocsp_way {
	const char *responder;
	const char *proxy; /* "": none */
	bool is_nonce;
};

/* A certificate in a queue. Embedded by whoever wants to know, who sets the
 * first two. */
struct ocsp_turn {
	struct ocsp_pair pair; /* references, the owner's */
	void *argument;

	bool is_begun;                  /* it is asked about, or has been */
	bool is_alone;                  /* not together with others */
	struct ocsp_queue *queue;       /* NULL: it is in none */
	TAILQ_ENTRY(ocsp_turn) entries; /* while it waits */
};

/* The turn is over, from the loop; it may be freed. judgement: what an answer
 * has proved; NULL: none has, failure is the reason, and was that of others
 * unless the turn has begun. Both are lent. Turns may be added and given up
 * from within. */
typedef void
ocsp_turn_told(struct ocsp_turn *turn, const struct ocsp_judgement *judgement,
	       const char *failure);

/* transport is borrowed. */
struct ocsp_queues *
ocsp_queues_new(struct ocsp_transport *transport, ocsp_turn_told *told);

/* Nobody is told anything. NULL is legal. */
void
ocsp_queues_free(struct ocsp_queues *queues);

/* So many certificates are in one queue at most. */
#define OCSP_QUEUE_MAX 1024

/* Put it into the queue of its responder. Else the reason, and it is in none;
 * lent, for now. */
const char *
ocsp_queue_add(struct ocsp_queues *queues, const struct ocsp_way *way,
	       struct ocsp_turn *turn) __attribute__((warn_unused_result));

/* Let those of its queue go who may: when all have been added that may go
 * together. */
void
ocsp_queue_begin(struct ocsp_turn *turn);

/* Take one out that has not begun. False: it has, or is over. */
bool
ocsp_queue_remove(struct ocsp_turn *turn);

#endif
