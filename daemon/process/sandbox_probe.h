/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a captured role would try first, tried: proof that the sandbox is
 * there and shut, whatever the kernel, the container and other filters make of
 * it.
 */
#ifndef SEALOCK_PROCESS_SANDBOX_PROBE_H
#define SEALOCK_PROCESS_SANDBOX_PROBE_H

#include <stddef.h>

#include "daemon/process/sandbox_seccomp.h"

struct error;

/* In a forked child, where landlock is in force as here, load the role's
 * filter (with SANDBOX_REFUSE as its answer, as a process that is killed
 * could not tell) and try each action. 0: all were refused; -1 with a sentence
 * that names those that were not.
 *
 * To be called with as many rights as the role will have, without threads,
 * before the filter that stays. No harm is done if an action is possible. */
int
sandbox_probe(const struct sandbox_filter *filter, struct error *error)
	__attribute__((warn_unused_result));

/* How many actions that is. */
size_t
sandbox_probe_count(const struct sandbox_filter *filter);

#endif
