/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock cert show and fingerprint: what stands in certificates.
 */
#ifndef SEALOCK_CLI_CMD_CERT_SHOW_H
#define SEALOCK_CLI_CMD_CERT_SHOW_H

/* argv[0] is the command's name; both return the exit status. */
int
cmd_cert_show(int argc, char **argv);
int
cmd_cert_fingerprint(int argc, char **argv);

#endif
