/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock --version: this program, the libraries that it runs with, and what
 * the two can do together.
 */
#ifndef SEALOCK_CLI_CMD_VERSION_H
#define SEALOCK_CLI_CMD_VERSION_H

/* argv[0] is the command's name; --json may follow. Returns the exit status. */
int
cmd_version(int argc, char **argv);

#endif
