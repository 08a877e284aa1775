/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that sign for workers. Each takes one request off any worker's
 * socket, signs, and answers on the same socket, so that a request passes
 * through one thread only, nothing waits in the keeper, and a worker that
 * asks for much has its turn no more often than others.
 *
 * A worker that sends what it must not, or does not take its answers, is cut
 * off. A request that is one but asks for what is not to be signed is
 * answered by a refusal.
 */
#ifndef SEALOCK_KEEPER_SIGNERS_H
#define SEALOCK_KEEPER_SIGNERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/tls/certificate.h"

struct event_base;
struct key_store;
struct message;
struct signers;

/* What threads have to tell, called on the event loop. */
struct signers_events {
	/* A signature was refused. */
	void (*refused)(uint32_t worker,
			const unsigned char key_id[KEY_ID_SIZE],
			const char *why, void *argument);

	/* So many refusals more than could be kept. */
	void (*refusals_lost)(size_t count, void *argument);

	/* A worker is served no more: it was cut off for this reason, or has
	 * left (NULL). */
	void (*ended)(uint32_t worker, const char *why, void *argument);
};

/* Without threads as yet. events is copied, keys is borrowed. NULL with errno
 * when the system has no descriptor left. */
struct signers *
signers_new(struct event_base *base, struct key_store *keys,
	    const struct signers_events *events, void *argument);

/* Ends the threads, then every worker, without a word. NULL is legal. */
void
signers_free(struct signers *signers);

/* Start that many threads, once. Returns how many there are; if fewer, errno
 * tells why. */
unsigned int
signers_start(struct signers *signers, unsigned int count);

/* Serve a worker; takes the socket (SEQPACKET). One that was there under this
 * number is dead, and does not end with a reason any more. */
void
signers_add(struct signers *signers, uint32_t worker, int socket);

/* Send a message to that worker, or to all (SIGNERS_ALL), beside what threads
 * send them. The number of those who have no room for it now. */
#define SIGNERS_ALL UINT32_MAX

size_t
signers_tell(struct signers *signers, uint32_t worker,
	     const struct message *message);

/* How many are served. */
size_t
signers_worker_count(const struct signers *signers);

#endif
