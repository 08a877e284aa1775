/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock run: the daemon.
 */
#ifndef SEALOCK_CLI_CMD_RUN_H
#define SEALOCK_CLI_CMD_RUN_H

/* argv[0] is the command's name. Returns the exit status. */
int
cmd_run(int argc, char **argv);

#endif
