/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process of a role: this program's own image, executed anew, with nothing
 * but its channel and a few variables of the environment.
 */
#ifndef SEALOCK_MONITOR_SPAWN_H
#define SEALOCK_MONITOR_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/ipc/msgtable.h"

struct error;

/* A descriptor of the running program, for spawn_role(): a package that is
 * upgraded in between makes no child of another version. -1 with a sentence. */
int
spawn_open_executable(struct error *error);

/* The new process and our end of its channel; -1 with a sentence. Without
 * has_stderr nothing of ours is left to it. */
pid_t
spawn_role(int executable, enum ipc_role role, uint32_t number, bool has_stderr,
	   int *channel, struct error *error);

#endif
