/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UNIX sockets that are listened on: a path is left behind by a process that
 * was killed, and must not be taken from one that lives.
 */
#ifndef SEALOCK_MONITOR_LISTEN_UNIX_H
#define SEALOCK_MONITOR_LISTEN_UNIX_H

#include <sys/types.h>

struct error;
struct socket_address;

/* The file of a bound socket, to be removed with it. Zeroed: there is none. */
struct listen_path {
	char *path;
	dev_t device;
	ino_t inode;
};

/* Bind to a path with that mode. A socket that is there and answers nobody is
 * removed first. -1 with a sentence. */
int
listen_path_bind(int descriptor, const struct socket_address *address,
		 const char *path, mode_t mode, struct listen_path *bound,
		 struct error *error) __attribute__((warn_unused_result));

/* Remove the path, if it still leads to our socket. */
void
listen_path_remove(struct listen_path *bound);

#endif
