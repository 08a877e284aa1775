/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock probe: connect as a client, and tell all that is to be known of a
 * TLS server.
 */
#ifndef SEALOCK_CLI_CMD_PROBE_H
#define SEALOCK_CLI_CMD_PROBE_H

/* Returns the exit status. */
int
cmd_probe(int argc, char **argv);

#endif
