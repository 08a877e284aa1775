/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock cert verify-name: is a certificate for a name?
 */
#ifndef SEALOCK_CLI_CMD_CERT_VERIFY_NAME_H
#define SEALOCK_CLI_CMD_CERT_VERIFY_NAME_H

/* argv[0] is the command's name. Returns the exit status: 0 when it is for all
 * of the names, 1 when it is not. */
int
cmd_cert_verify_name(int argc, char **argv);

#endif
