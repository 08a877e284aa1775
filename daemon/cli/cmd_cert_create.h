/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock cert create: a key and a certificate.
 */
#ifndef SEALOCK_CLI_CMD_CERT_CREATE_H
#define SEALOCK_CLI_CMD_CERT_CREATE_H

/* argv[0] is "create"; returns the exit status. */
int
cmd_cert_create(int argc, char **argv);

#endif
