/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What commands that ask the daemon have in common: where it is, and what
 * becomes of its answer.
 */
#ifndef SEALOCK_CLI_ADMIN_COMMAND_H
#define SEALOCK_CLI_ADMIN_COMMAND_H

struct admin_request;

#define ADMIN_COMMAND_FILE   "/etc/sealock/sealock.yaml"
#define ADMIN_COMMAND_SOCKET "/run/sealock/admin.sock"

/* For usage: -c and --admin. */
#define ADMIN_COMMAND_OPTIONS                                               \
	"  -c, --config FILE  the daemon's configuration, which names the " \
	"admin socket;\n"                                                   \
	"                     instead of " ADMIN_COMMAND_FILE "\n"          \
	"  --admin PATH       the admin socket itself\n"

/* The path of the admin socket: admin, as given, or what the configuration
 * names; the caller's (mem_free()). NULL when that is not fit for a daemon,
 * whose problems are shown then. */
char *
admin_command_path(const char *config, const char *admin);

/* The same for a command that has no other way: says so when there is none. */
char *
admin_command_require_path(const char *name, const char *config,
			   const char *admin);

/* Ask, and show what is answered; the exit status. The command's name is for
 * messages. With STOP it returns when the daemon is gone. */
int
admin_command_ask(const char *name, const char *path,
		  const struct admin_request *request);

#endif
