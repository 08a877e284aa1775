/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock tunnel: one service from the command line. The options become a
 * configuration, which is run like any other, or printed.
 */
#ifndef SEALOCK_CLI_CMD_TUNNEL_H
#define SEALOCK_CLI_CMD_TUNNEL_H

/* argv[0] is the command's name. Returns the exit status. */
int
cmd_tunnel(int argc, char **argv);

#endif
