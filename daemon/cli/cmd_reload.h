/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock reload and sealock stop: ask the running daemon, by its admin
 * socket.
 */
#ifndef SEALOCK_CLI_CMD_RELOAD_H
#define SEALOCK_CLI_CMD_RELOAD_H

/* argv[0] is the command's name. Both return the exit status. */
int
cmd_reload(int argc, char **argv);
int
cmd_stop(int argc, char **argv);

#endif
