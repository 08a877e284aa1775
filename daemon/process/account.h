/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of users and groups, as the operator writes them, to ids. It reads
 * the system's files and is for the monitor alone.
 */
#ifndef SEALOCK_PROCESS_ACCOUNT_H
#define SEALOCK_PROCESS_ACCOUNT_H

#include <sys/types.h>

struct error;

/* Who is meant by a user's name, or number, and by a group's (NULL: the user's
 * own; for a number that no user has, the group must be named). -1 with a
 * sentence: there is no such user or group, or it is root. */
int
account_find(const char *user, const char *group, uid_t *uid, gid_t *gid,
	     struct error *error) __attribute__((warn_unused_result));

#endif
