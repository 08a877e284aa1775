/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of sealock cert create.
 */
#ifndef SEALOCK_CLI_CERT_CREATE_OPTIONS_H
#define SEALOCK_CLI_CERT_CREATE_OPTIONS_H

#include <stdbool.h>

#include "common/tls/certificate_create.h"

/* What the command line says; strings are argv's, NULL: not given. */
struct cert_create_options {
	struct certificate_request certificate; /* with defaults filled in,
						 * but no name for a CA */
	const char *kind;
	const char **names; /* those of the certificate */
	char *ca;
	char *ca_key;
	char *ca_passphrase;
	bool is_self_signed;
	bool is_forced;
	const char *out;
	const char *key_out;
	const char *bundle;
	const char *pkcs12;
	const char *passphrase;
};

/* Fill zeroed options, which must be cleared afterwards in any case. Returns
 * -1 to go on, or the exit status when help was asked for (0) or something is
 * wrong and was said (2): then nothing is missing, contradictory or no name. */
int
cert_create_options_parse(int argc, char **argv,
			  struct cert_create_options *options);
void
cert_create_options_clear(struct cert_create_options *options);

#endif
