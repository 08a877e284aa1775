/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both outputs come from the table of keys (common/conf/schema).
 */
#include "daemon/cli/cmd_schema.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/conf/conf.h"

static void
usage(FILE *to)
{
	fputs("usage: sealock schema [--manual]\n"
	      "Print the JSON Schema of the configuration file, or with\n"
	      "--manual the reference part of sealock.yaml(5).\n",
	      to);
}

int
cmd_schema(int argc, char **argv)
{
	static const struct option options[] = {
		{"manual", no_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool is_manual = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			is_manual = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sealock schema: unexpected argument %s\n",
			argv[optind]);
		return 2;
	}
	if (is_manual)
		conf_print_manual(stdout);
	else
		conf_print_schema(stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	perror("sealock schema: standard output");
	return 1;
}
