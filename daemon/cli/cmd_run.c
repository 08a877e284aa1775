/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options for the monitor.
 */
#include "daemon/cli/cmd_run.h"

#include <getopt.h>
#include <stdio.h>

#include "daemon/monitor/monitor.h"

#define DEFAULT_FILE "/etc/sealock/sealock.yaml"

static void
usage(FILE *to)
{
	fputs("usage: sealock run [-c FILE] [--daemonize]\n"
	      "Run the daemon.\n"
	      "  -c, --config FILE  instead of " DEFAULT_FILE "\n"
	      "  -d, --daemonize    go to the background and return when it is "
	      "ready; from then\n"
	      "                     on a log to standard error leads nowhere\n"
	      "Exit status: 0 stopped as asked, 1 it failed while running, 2 "
	      "the configuration\nis refused.\n",
	      to);
}

int
cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"daemonize", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct monitor_options monitor = {.path = DEFAULT_FILE};
	int option;

	while ((option = getopt_long(argc, argv, "c:dh", options, NULL)) !=
	       -1) {
		switch (option) {
		case 'c':
			monitor.path = optarg;
			break;
		case 'd':
			monitor.is_daemon = true;
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
		fprintf(stderr,
			"sealock run: unexpected argument \"%s\": a file is "
			"given with -c\n",
			argv[optind]);
		usage(stderr);
		return 2;
	}
	return monitor_main(&monitor);
}
