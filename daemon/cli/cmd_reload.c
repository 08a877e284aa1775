/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The admin socket is the one that the configuration names, or --admin.
 */
#include "daemon/cli/cmd_reload.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/cli/admin_client.h"
#include "daemon/process/admin_protocol.h"

#define DEFAULT_FILE  "/etc/sealock/sealock.yaml"
#define DEFAULT_ADMIN "/run/sealock/admin.sock"

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
		"%s\n"
		"  -c, --config FILE  the daemon's configuration, which names "
		"the admin socket;\n"
		"                     instead of " DEFAULT_FILE "\n"
		"  --admin PATH       the admin socket itself\n"
		"%s",
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

static void
print_problems(const struct error_list *problems)
{
	char text[1024];

	for (size_t i = 0; i < problems->count; i++)
		fprintf(stderr, "%s\n",
			error_format(&problems->errors[i], text, sizeof(text)));
}

/* The path that the configuration names; the caller's (mem_free()). NULL when
 * it is not fit for a daemon, whose problems are shown then. */
static char *
find_admin(const char *config)
{
	struct conf_documents documents = {0};
	struct error_list problems = {0};
	struct conf *conf = NULL;
	char *path = NULL;

	if (conf_documents_read(config, &documents, &problems) == 0)
		conf = conf_load(&documents, &problems, NULL);
	if (!conf)
		print_problems(&problems);
	else if (conf->global.admin.kind == ADDRESS_UNIX)
		path = mem_strdup(conf->global.admin.host);
	conf_free(conf);
	conf_documents_clear(&documents);
	error_list_clear(&problems);
	return path;
}

/* --admin PATH, which may be written as in the configuration. */
static char *
given_admin(const char *text)
{
	static const char prefix[] = "unix:";
	size_t length = sizeof(prefix) - 1;

	return mem_strdup(strncmp(text, prefix, length) == 0 ? text + length
							     : text);
}

static void
print_text(FILE *to, const char *prefix, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(to, "%s%.*s\n", prefix, (int)length, text);
		text += length;
		text += *text == '\n';
	}
}

static int
show_answer(const struct request_options *options,
	    const struct admin_answer *answer)
{
	print_text(stderr, "warning: ", answer->warnings);
	if (!answer->is_ok) {
		print_text(stderr, "", answer->error);
		fprintf(stderr, "%s: the daemon refused; nothing has changed\n",
			options->name);
		return answer->exit ? (int)answer->exit : 1;
	}
	if (answer->generation > 0)
		printf("generation %ju is in force\n",
		       (uintmax_t)answer->generation);
	return 0;
}

static int
ask(const struct request_options *options, const char *path)
{
	struct admin_answer answer;
	struct error error = {0};
	int descriptor = admin_client_open(path, &error);
	int status;

	if (descriptor < 0 || admin_client_ask(descriptor, &options->request,
					       &answer, &error) != 0) {
		fprintf(stderr, "%s: %s\n", options->name, error.text);
		if (descriptor >= 0)
			close(descriptor);
		return 1;
	}
	status = show_answer(options, &answer);
	if (status == 0 && options->request.command == ADMIN_STOP)
		admin_client_wait_gone(descriptor);
	admin_answer_clear(&answer);
	close(descriptor);
	return status;
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
	path = options->admin ? given_admin(options->admin)
			      : find_admin(options->config);
	if (path)
		return ask(options, path);
	/* The daemon runs with what the file was before. Which one that is, is
	 * known of the default file alone: another's would be some other
	 * daemon. */
	if (options->request.command == ADMIN_STOP &&
	    strcmp(options->config, DEFAULT_FILE) == 0) {
		fprintf(stderr,
			"%s: %s does not tell the admin socket; "
			"trying " DEFAULT_ADMIN "\n",
			options->name, options->config);
		return ask(options, DEFAULT_ADMIN);
	}
	fprintf(stderr,
		"%s: %s does not tell the admin socket (--admin does); the "
		"daemon was not asked\n",
		options->name, options->config);
	return 2;
}

int
cmd_reload(int argc, char **argv)
{
	struct request_options options = {
		.name = argv[0],
		.config = DEFAULT_FILE,
		.request = {.command = ADMIN_RELOAD},
	};

	return run(argc, argv, &options);
}

int
cmd_stop(int argc, char **argv)
{
	struct request_options options = {
		.name = argv[0],
		.config = DEFAULT_FILE,
		.request = {.command = ADMIN_STOP},
	};

	return run(argc, argv, &options);
}
