/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock tickets: the keys that the daemon encrypts session tickets with.
 */
#ifndef SEALOCK_CLI_CMD_TICKETS_H
#define SEALOCK_CLI_CMD_TICKETS_H

int
cmd_tickets(int argc, char **argv);

#endif
