/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What children inherit of the environment. Pass-phrases may stand in it
 * (env:NAME), so it is what libraries and tools look for, and nothing else.
 */
#ifndef SEALOCK_MONITOR_SPAWN_ENVIRONMENT_H
#define SEALOCK_MONITOR_SPAWN_ENVIRONMENT_H

#include "common/ipc/msgtable.h"

/* The variables of an environment that are passed on to a role: an array that
 * ends with NULL, the caller's (mem_free()); the strings are borrowed. The
 * keeper's C library is told to wipe what is freed. */
char **
spawn_environment(char *const *environment, enum ipc_role role);

#endif
