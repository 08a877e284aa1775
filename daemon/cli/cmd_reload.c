/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two commands that are little more than a request.
 */
#include "daemon/cli/cmd_reload.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "daemon/cli/admin_command.h"
#include "daemon/process/admin_protocol.h"

struct request_options {
	const char *name; /* of the command */
	const char *config;
	const char *admin;
	struct admin_request request;
	bool is_help;
};

static void
usage(FILE *to, const struct request_options *options)
{
	bool is_stop = options->request.command == ADMIN_STOP;

	fprintf(to,
		"usage: %s [-c FILE | --admin PATH]%s\n"
		"%s\n" ADMIN_COMMAND_OPTIONS "%s",
		options->name, is_stop ? " [--now]" : "",
		is_stop ? "Stop the daemon and wait until it is gone."
			: "Apply the changed configuration. A bad one changes "
			  "nothing.",
		is_stop ? "  --now              end open connections at once\n"
			: "");
}

static int
parse(int argc, char **argv, struct request_options *options)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"admin", required_argument, NULL, 'a'},
		{"now", no_argument, NULL, 'n'},
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
		case 'n':
			if (options->request.command != ADMIN_STOP) {
				fprintf(stderr, "%s: --now goes with stop\n",
					options->name);
				return -1;
			}
			options->request.is_now = true;
			break;
		case 'h':
			options->is_help = true;
			return 0;
		default:
			return -1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "%s: unexpected argument \"%s\"\n", options->name,
		argv[optind]);
	return -1;
}

static int
run(int argc, char **argv, struct request_options *options)
{
	AUTO_FREE char *path = NULL;

	if (parse(argc, argv, options) != 0) {
		usage(stderr, options);
		return 2;
	}
	if (options->is_help) {
		usage(stdout, options);
		return 0;
	}
	/* The daemon runs with what the file was before. Which one that is, is
	 * known of the default file alone: another's would be some other
	 * daemon. */
	if (options->request.command == ADMIN_STOP &&
	    strcmp(options->config, ADMIN_COMMAND_FILE) == 0) {
		path = admin_command_path(options->config, options->admin);
		if (!path) {
			fprintf(stderr,
				"%s: %s does not tell the admin socket; "
				"trying " ADMIN_COMMAND_SOCKET "\n",
				options->name, options->config);
			path = mem_strdup(ADMIN_COMMAND_SOCKET);
		}
	} else {
		path = admin_command_require_path(
			options->name, options->config, options->admin);
	}
	return path ? admin_command_ask(options->name, path, &options->request)
		    : 2;
}

int
cmd_reload(int argc, char **argv)
{
	struct request_options options = {
		.name = argv[0],
		.config = ADMIN_COMMAND_FILE,
		.request = {.command = ADMIN_RELOAD},
	};

	return run(argc, argv, &options);
}

int
cmd_stop(int argc, char **argv)
{
	struct request_options options = {
		.name = argv[0],
		.config = ADMIN_COMMAND_FILE,
		.request = {.command = ADMIN_STOP},
	};

	return run(argc, argv, &options);
}
