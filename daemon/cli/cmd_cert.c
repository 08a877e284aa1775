/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands stand in files of their own; here is the choice.
 */
#include "daemon/cli/cmd_cert.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "daemon/cli/cmd_cert_create.h"
#include "daemon/cli/cmd_cert_show.h"
#include "daemon/cli/cmd_cert_verify_name.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"create", cmd_cert_create},
	{"show", cmd_cert_show},
	{"fingerprint", cmd_cert_fingerprint},
	{"verify-name", cmd_cert_verify_name},
};

static void
usage(FILE *to)
{
	fputs("usage: sealock cert create|show|fingerprint|verify-name ...\n"
	      "  create       make a key and a certificate: of a CA, by a CA, "
	      "or self-signed\n"
	      "  show         what stands in certificates: PEM, DER or "
	      "PKCS#12\n"
	      "  fingerprint  the fingerprint of a certificate or of its key\n"
	      "  verify-name  is a certificate for a name?\n"
	      "Each of them has its own --help.\n",
	      to);
}

int
cmd_cert(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr,
		"sealock cert: there is no %s; there are create, show, "
		"fingerprint and verify-name\n",
		argv[1]);
	return 2;
}
