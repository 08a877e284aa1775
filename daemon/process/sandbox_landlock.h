/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a role may reach of the file system, and of other processes: nothing.
 * The helper alone reads the files that a resolver needs.
 *
 * What was tried, on Linux 6.18 (ABI 7), and holds for all levels so far:
 * - Descriptors that are open, sent or received go on working; a rule is about
 *   opening. stat(2), access(2) and the resolution of paths are not covered.
 * - connect(2) to the path of a UNIX socket is not covered either: the broker
 *   reaches "unix:/path" backends under any level, and others have no sockets
 *   of that family (seccomp).
 * - connect(2) to an abstract UNIX socket fails with EPERM under its scope
 *   (ABI 6) when somebody outside has bound it: the broker has no such scope.
 *   A socket that was connected before (syslog, journald) goes on working.
 * - A rule for a file is about this file: when another is renamed to its path,
 *   that one cannot be opened. sandbox_landlock_is_outdated() tells.
 * - Signals from outside (the parent's death, kill(2)) arrive as before.
 */
#ifndef SEALOCK_PROCESS_SANDBOX_LANDLOCK_H
#define SEALOCK_PROCESS_SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/process/sandbox_seccomp.h"

struct error;

/* The level that the running kernel has, 1 or more; 0 when it has none or has
 * it switched off. */
int
sandbox_landlock_level(void);

/* What that level means here: "landlock 7 (files, abstract sockets, signals)",
 * "" for level 0. */
const char *
sandbox_landlock_describe(int level, char *buffer, size_t size);

/* Put this thread, and those it makes, under the rules of a role, for good.
 * Needs no_new_privs. -1 with a sentence, also when the kernel has no
 * landlock. */
int
sandbox_landlock_enter(enum sandbox_role role, struct error *error)
	__attribute__((warn_unused_result));

/* In the helper: was a file that it may read replaced since, or did one appear
 * that was not there? Only a new process can read that. */
bool
sandbox_landlock_is_outdated(void);

#endif
