/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock schema: the JSON Schema of the configuration for editors, or, with
 * --manual, the reference part of sealock.yaml(5).
 */
#ifndef SEALOCK_CLI_CMD_SCHEMA_H
#define SEALOCK_CLI_CMD_SCHEMA_H

/* argv[0] is the command's name. Returns the exit status. */
int
cmd_schema(int argc, char **argv);

#endif
