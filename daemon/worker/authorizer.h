/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question to an authorizer: a connection to its UNIX socket, one line
 * there and one line back. Whatever else happens is a failure, with a sentence
 * on what it was. How long it may take is the owner's business.
 */
#ifndef SEALOCK_WORKER_AUTHORIZER_H
#define SEALOCK_WORKER_AUTHORIZER_H

#include <stddef.h>

struct authorizer_question;
struct connection;

enum authorizer_decision {
	AUTHORIZER_ALLOWS,
	AUTHORIZER_DENIES, /* it said so */
	AUTHORIZER_FAILED, /* there is no answer, or none that can be used */
};

/* The end of a question, unless it is cancelled. detail: why not, fit for a
 * log, "" when nothing is known. The question is freed afterwards. */
typedef void
authorizer_decided(void *argument, enum authorizer_decision decision,
		   const char *detail);

/* A question of that connection's, to the authorizer of its service. line ends
 * with a newline; takes it. */
struct authorizer_question *
authorizer_question_new(const struct connection *connection, char *line,
			authorizer_decided *decided, void *argument);

/* Begin. It may be decided, and freed, in the call. */
void
authorizer_question_start(struct authorizer_question *question);

/* The answer is not wanted any more. NULL is legal. */
void
authorizer_question_free(struct authorizer_question *question);

/* What it waits for, in words: "no answer came". */
const char *
authorizer_question_lacks(const struct authorizer_question *question);

#endif
