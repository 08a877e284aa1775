/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor: starts the other roles, opens what they need, applies a new
 * configuration to all of them or to none, and ends them. It reads no key and
 * speaks to nobody but its children, systemd and the admin socket.
 */
#ifndef SEALOCK_MONITOR_MONITOR_H
#define SEALOCK_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct error_list;

struct monitor_options {
	const char *path; /* the configuration's file, or NULL: */

	/* a configuration that is there already, as if it stood in a file of
	 * that name. Pid file and admin socket are used only when it names
	 * them, as their defaults are the main daemon's. */
	const char *document;
	size_t document_length;
	const char *document_name;

	bool is_daemon; /* go to the background once all is ready */
};

/* Run until the daemon is stopped; the process's exit status: 0 stopped as
 * asked, 1 it failed while running, 2 the configuration is refused, with all
 * its problems on standard error. With is_daemon the caller comes back when
 * the daemon is ready (0) or has failed. */
int
monitor_main(const struct monitor_options *options);

/* What of a configuration this machine does not have, beside files: users,
 * groups, the directory of chroot. Changes nothing. */
void
monitor_check(const struct conf *conf, struct error_list *problems);

#endif
