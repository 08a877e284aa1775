/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock cert create|show|fingerprint|verify-name: keys, a small CA and
 * certificates for tests and tunnels, and what stands in certificates.
 */
#ifndef SEALOCK_CLI_CMD_CERT_H
#define SEALOCK_CLI_CMD_CERT_H

/* argv[0] is the command's name. Returns the exit status: 0, 1 when it
 * failed, 2 on wrong usage. */
int
cmd_cert(int argc, char **argv);

#endif
