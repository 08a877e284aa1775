/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of a worker, in two halves: it is taken off the socket and
 * judged, then signed and answered. Between them the socket can be given to
 * another thread. Each thread has a turn of its own.
 */
#ifndef SEALOCK_KEEPER_SIGN_TURN_H
#define SEALOCK_KEEPER_SIGN_TURN_H

#include <stdbool.h>

#include "common/tls/certificate.h"

struct key_store;
struct sign_turn;

/* keys is borrowed. */
struct sign_turn *
sign_turn_new(struct key_store *keys);

/* NULL is legal. */
void
sign_turn_free(struct sign_turn *turn);

enum sign_turn_taken {
	SIGN_TURN_REQUEST, /* to be answered */
	SIGN_TURN_NOTHING, /* for now, or a greeting */
	SIGN_TURN_END,     /* the worker is gone */
	SIGN_TURN_LIE,     /* it has said what it must not */
};

/* Take one packet. is_greeted is the socket's: false at first. why is set for a
 * lie: bytes that are no request. What they ask for is not judged here. */
enum sign_turn_taken
sign_turn_take(struct sign_turn *turn, int socket, bool *is_greeted,
	       const char **why);

enum sign_turn_answered {
	SIGN_TURN_SIGNED,
	SIGN_TURN_REFUSED,
	SIGN_TURN_GONE,  /* nobody is there to take it */
	SIGN_TURN_STUCK, /* it cannot be sent without waiting */
};

/* Sign what was taken, or refuse to, and say so without waiting. */
enum sign_turn_answered
sign_turn_answer(struct sign_turn *turn, int socket);

/* After a refusal: which key was meant, and why it did not sign. Valid until
 * the next packet is taken. */
const unsigned char *
sign_turn_key_id(const struct sign_turn *turn);
const char *
sign_turn_why(const struct sign_turn *turn);

#endif
