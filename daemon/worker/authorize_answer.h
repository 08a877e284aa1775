/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authorizer has answered. Only one thing lets a client in: one line
 * with one JSON object whose "allow" is true.
 */
#ifndef SEALOCK_WORKER_AUTHORIZE_ANSWER_H
#define SEALOCK_WORKER_AUTHORIZE_ANSWER_H

#include <stddef.h>

#include "daemon/worker/authorizer.h"

/* The longest line, its newline included. */
#define AUTHORIZE_ANSWER_MAX ((size_t)64 * 1024)

/* For a sentence of ours with a reason of the authorizer's in it. */
#define AUTHORIZE_DETAIL_MAX 256

/* Judge all bytes that came up to and with the first newline. detail takes
 * AUTHORIZE_DETAIL_MAX bytes: why not, escaped; "" when allowed. */
enum authorizer_decision
authorize_answer_read(const char *bytes, size_t length, char *detail);

#endif
