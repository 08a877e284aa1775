/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process may do by its identity: ids, capabilities, the directory it
 * is shut in. All of it is given up for good, and it is checked that it is
 * gone; whether the kernel also watches each call is sandbox.h's business.
 *
 * Nothing here needs root: a process that was not started by root has no ids
 * to change and cannot be shut in, and gives up what it has.
 */
#ifndef SEALOCK_PROCESS_PRIVILEGES_H
#define SEALOCK_PROCESS_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

struct error;

/* For both ids: stay who we are. */
#define PRIVILEGES_SAME_USER  ((uid_t)-1)
#define PRIVILEGES_SAME_GROUP ((gid_t)-1)

/* Who a role is to be. Names become ids in the monitor (account.h): a role has
 * no files to look them up in. */
struct privileges {
	uid_t uid;
	gid_t gid;
	int root; /* a directory from privileges_open_root(); -1: none */
};

/* A directory that a role can be shut in: there, root's, writable for nobody
 * else, and empty. A descriptor of it, or -1 with a sentence. */
int
privileges_open_root(const char *path, struct error *error)
	__attribute__((warn_unused_result));

/* Become that user, shut in that directory (whose descriptor is closed in any
 * case), without groups, capabilities, and any way back: no execve(2) gives
 * new privileges (no_new_privs), and the bounding set is empty where we were
 * allowed to empty it. uid and gid 0 are refused, also when they are what we
 * have. A signal for the parent's death (PR_SET_PDEATHSIG), which the kernel
 * drops with the ids, is set again.
 *
 * -1 with a sentence: the process is half way and must end. To be called
 * before threads are made. */
int
privileges_drop(struct privileges *privileges, struct error *error)
	__attribute__((warn_unused_result));

/* The monitor's: keep of our capabilities those that its work and its
 * children's start need, and no_new_privs; after it ambient capabilities are
 * gone, so that nothing that is executed inherits any. With transparent,
 * CAP_NET_ADMIN is kept, too. Children that are running keep what they have.
 *
 * Kept, where we have them: NET_BIND_SERVICE to listen; DAC_OVERRIDE, CHOWN
 * and FOWNER for files, logs and UNIX sockets; KILL, SETUID, SETGID, SETPCAP
 * and SYS_CHROOT for children with ids of their own; SYS_RESOURCE for limits
 * (descriptors, locked memory). */
int
privileges_limit(bool is_transparent, struct error *error)
	__attribute__((warn_unused_result));

/* No core files, from now on and for children; and nobody but root's
 * CAP_SYS_PTRACE may look into this process: ptrace(2), /proc/PID/mem. A
 * change of ids and an execve(2) undo the latter, so this comes after both.
 * It also makes /proc/self root's: descriptors must be opened anew through it
 * before. Builds with AddressSanitizer stay dumpable, as its search for leaks
 * traces the process. */
int
privileges_hide(struct error *error) __attribute__((warn_unused_result));

#endif
