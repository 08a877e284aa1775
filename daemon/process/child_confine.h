/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child's way into its sandbox: what the monitor's message says, what
 * libraries must have read before, and what the log is told.
 */
#ifndef SEALOCK_PROCESS_CHILD_CONFINE_H
#define SEALOCK_PROCESS_CHILD_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/msgtable.h"

struct error;
struct message;

/* Enter it as MESSAGE_SANDBOX says. The first process of a role tells the log
 * at info what it reached, and at warn what is missing; the others, which are
 * its likes, at debug. needs_broker: see struct sandbox_options.
 *
 * -1 with a sentence: the message makes no sense, or the process must not do
 * any work, as it is half way. Called once, before threads are made and
 * before anything is read from a configuration or the network. */
int
child_confine(enum ipc_role role, uint32_t number, struct message *message,
	      bool *needs_broker, struct error *error)
	__attribute__((warn_unused_result));

#endif
