/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock check: everything that `run` would find wrong, without running.
 */
#ifndef SEALOCK_CLI_CMD_CHECK_H
#define SEALOCK_CLI_CMD_CHECK_H

/* argv[0] is the command's name. 0: the configuration can be run and nothing
 * is wrong with it; 2: something is, and all of it was said. */
int
cmd_check(int argc, char **argv);

#endif
