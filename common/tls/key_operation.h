/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signature that a handshake waits for while its process serves others: the
 * meeting point of the provider (remote_key), which runs on the fibre of an
 * asynchronous job and sees no SSL, the TLS engine, which owns the SSL, and
 * whoever gets the answer.
 *
 *	engine		key_operation_enter(); SSL_do_handshake()
 *	provider	  key_operation_begin(), remote_key's start function,
 *			  pauses the job
 *	engine		SSL_do_handshake() returns WANT_ASYNC;
 *			key_operation_leave()
 *	...		other connections
 *	receiver	key_operation_answer(number, ...): calls ready()
 *	engine		the same SSL_do_handshake() again: the job goes on
 *
 * Nothing else may be called on an SSL whose job is paused, neither
 * SSL_shutdown() nor SSL_free(): a job that does not come to its end is
 * leaked, and the pool of jobs with it. key_operation_abandon() brings it
 * there. SSL_MODE_ASYNC is needed for the handshake only and should be cleared
 * after it, so that reading and writing need no fibre.
 *
 * All of it belongs to the one thread of a process that runs SSL objects.
 */
#ifndef SEALOCK_TLS_KEY_OPERATION_H
#define SEALOCK_TLS_KEY_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <openssl/types.h>

struct sign_request;

enum key_operation_state {
	KEY_OPERATION_IDLE,
	KEY_OPERATION_PENDING,
	KEY_OPERATION_ANSWERED,
	KEY_OPERATION_REFUSED,   /* the keeper would not sign */
	KEY_OPERATION_LOST,      /* there is no keeper to ask, or no longer */
	KEY_OPERATION_CANCELLED, /* by us, for good */
};

/* One for each SSL; zeroed is valid. It must stay where it is from the first
 * SSL_do_handshake() until the handshake is complete, or after SSL_free(). */
struct key_operation {
	enum key_operation_state state;
	uint64_t number; /* while PENDING: unique in this process */

	/* The owner's, may be NULL: the paused handshake can go on. Called by
	 * whatever ends a pending operation, but for abandoning it. May resume
	 * the handshake, end and free this very connection, or others. */
	void (*ready)(struct key_operation *operation, void *argument);
	void *argument;

	/* For the one who asks the keeper, while it cannot be asked yet: how to
	 * stand in a queue without memory of one's own. cancel() is called
	 * once if the operation ends meanwhile, also while an SSL is at
	 * work; NULL: it does not stand there. */
	void (*cancel)(struct key_operation *operation);
	TAILQ_ENTRY(key_operation) waiters;
	const unsigned char *key_id;
	const struct sign_request *request;

	/* The module's. */
	unsigned char *signature;
	size_t capacity; /* while PENDING: the room for the signature */
	size_t length;
	uint64_t entries;
	bool is_paused;
};

/* Around every SSL_do_handshake(): signatures asked for meanwhile are this
 * operation's. NULL, or no call at all: they block. */
void
key_operation_enter(struct key_operation *operation);
void
key_operation_leave(void);

/* When this returns, ssl may be freed. If its job is paused, the operation is
 * cancelled and the job is run into its failure, which may write an alert to
 * the SSL's BIO. */
void
key_operation_abandon(struct key_operation *operation, SSL *ssl);

/* For the one who asks the keeper: how a pending operation ends. Never another
 * one's from within remote_key's start(), where an SSL is at work. A number
 * that is not pending (its connection is gone, or it was answered before)
 * returns false and nothing happens; so does a signature that is too long,
 * which is refused. signature is copied. */
bool
key_operation_answer(uint64_t number, const unsigned char *signature,
		     size_t length);
bool
key_operation_refuse(uint64_t number);
bool
key_operation_lose(uint64_t number);

/* Every pending operation is lost. */
void
key_operation_lose_all(void);

/* How many are pending. */
size_t
key_operation_count(void);

/* For the provider, inside a job. The current operation, NULL when signing has
 * to block. */
struct key_operation *
key_operation_current(void);

/* Make it PENDING under a new number; the answer goes to signature, which has
 * room for capacity bytes. False when it was cancelled. */
bool
key_operation_begin(struct key_operation *operation, unsigned char *signature,
		    size_t capacity);

/* Pause the job until the operation is no longer pending; one that cannot be
 * paused is lost. Returns true with the signature's length when it was
 * answered. */
bool
key_operation_wait(struct key_operation *operation, size_t *length);

/* "answered", "refused" ...; for logs. */
const char *
key_operation_state_name(enum key_operation_state state);

#endif
