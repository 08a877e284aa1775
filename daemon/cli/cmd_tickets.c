/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and times of ticket keys, and the next one at once. The keys themselves
 * are never told.
 */
#include "daemon/cli/cmd_tickets.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "daemon/cli/admin_command.h"
#include "daemon/process/admin_protocol.h"

struct tickets_options {
	const char *config;
	const char *admin;
	struct admin_request request;
	bool is_help;
};

static void
usage(FILE *to)
{
	fputs("usage: sealock tickets show|rotate [-c FILE | --admin PATH]\n"
	      "The keys of session tickets, by name and time: one current, one "
	      "to come, older\nones that are still taken.\n"
	      "  show               tell them\n"
	      "  rotate             make the next one current now "
	      "(tickets.mode "
	      "auto alone), and\n"
	      "                     tell them\n" ADMIN_COMMAND_OPTIONS,
	      to);
}

/* "show" or "rotate", before or after the options. */
static int
take_word(int argc, char **argv, struct admin_request *request)
{
	if (optind == argc) {
		fputs("sealock tickets: show or rotate?\n", stderr);
		return -1;
	}
	if (strcmp(argv[optind], "rotate") == 0) {
		request->command = ADMIN_TICKETS_ROTATE;
	} else if (strcmp(argv[optind], "show") != 0) {
		fprintf(stderr, "sealock tickets: unexpected argument \"%s\"\n",
			argv[optind]);
		return -1;
	}
	if (++optind == argc)
		return 0;
	fprintf(stderr, "sealock tickets: unexpected argument \"%s\"\n",
		argv[optind]);
	return -1;
}

static int
parse(int argc, char **argv, struct tickets_options *options)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"admin", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'a':
			options->admin = optarg;
			break;
		case 'h':
			options->is_help = true;
			return 0;
		default:
			return -1;
		}
	}
	return take_word(argc, argv, &options->request);
}

int
cmd_tickets(int argc, char **argv)
{
	struct tickets_options options = {
		.config = ADMIN_COMMAND_FILE,
		.request = {.command = ADMIN_TICKETS_SHOW},
	};
	AUTO_FREE char *path = NULL;

	if (parse(argc, argv, &options) != 0) {
		usage(stderr);
		return 2;
	}
	if (options.is_help) {
		usage(stdout);
		return 0;
	}
	path = admin_command_require_path(argv[0], options.config,
					  options.admin);
	return path ? admin_command_ask(argv[0], path, &options.request) : 2;
}
