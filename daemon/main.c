/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sealock COMMAND: the table of commands, and of the roles that the monitor
 * starts this program in.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "daemon/broker/broker.h"
#include "daemon/cli/cmd_cert.h"
#include "daemon/cli/cmd_check.h"
#include "daemon/cli/cmd_probe.h"
#include "daemon/cli/cmd_reload.h"
#include "daemon/cli/cmd_run.h"
#include "daemon/cli/cmd_schema.h"
#include "daemon/cli/cmd_tickets.h"
#include "daemon/cli/cmd_tunnel.h"
#include "daemon/cli/cmd_version.h"
#include "daemon/helper/helper.h"
#include "daemon/keeper/keeper.h"
#include "daemon/process/title.h"
#include "daemon/worker/worker.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

struct role {
	enum ipc_role role;
	int (*run)(uint32_t number);
};

static const struct command commands[] = {
	{"run", cmd_run, "the daemon"},
	{"tunnel", cmd_tunnel, "one service from the command line"},
	{"check", cmd_check, "everything that run would find wrong"},
	{"reload", cmd_reload, "apply a changed configuration"},
	{"stop", cmd_stop, "stop the daemon gracefully"},
	{"tickets", cmd_tickets, "the keys of session tickets"},
	{"probe", cmd_probe, "everything about a TLS server"},
	{"cert", cmd_cert, "certificates for tests and tunnels"},
	{"schema", cmd_schema, "the JSON Schema of the configuration"},
};

static const struct role roles[] = {
	{IPC_WORKER, worker_main},
	{IPC_HELPER, helper_main},
	{IPC_KEEPER, keeper_main},
	{IPC_BROKER, broker_main},
};

static void
usage(FILE *to)
{
	fputs("usage: sealock COMMAND [OPTIONS]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n"
	      "  --version [--json]  this program, its libraries, what they "
	      "can do\n"
	      "  --help              this; sealock COMMAND --help for a "
	      "command's options\n"
	      "\n"
	      "Exit status: 0 done, 1 it failed while running, 2 bad usage or "
	      "configuration.\n"
	      "See sealock(8) and sealock.yaml(5).\n",
	      to);
}

/* --role NAME NUMBER, from the monitor. */
static int
run_role(int argc, char **argv)
{
	uint64_t number;

	if (argc != 4 || text_parse_unsigned(argv[3], &number) != 0 ||
	    number > UINT32_MAX) {
		fputs("sealock: --role is for sealock itself, which starts its "
		      "processes with it\n",
		      stderr);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (strcmp(argv[2], ipc_role_name(roles[i].role)) != 0)
			continue;
		title_set(argc, argv, roles[i].role, (uint32_t)number);
		return roles[i].run((uint32_t)number);
	}
	fprintf(stderr, "sealock: there is no role %s\n", argv[2]);
	return 2;
}

static int
refuse_command(const char *word)
{
	static const char *const others[] = {"--version", "--help"};
	const char *names[ARRAY_SIZE(commands) + ARRAY_SIZE(others)];
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[count++] = commands[i].name;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		names[count++] = others[i];
	if (strcmp(word, "version") == 0 || strcasecmp(word, "-V") == 0)
		nearest = "--version";
	else
		nearest = text_nearest(word, names, count);
	if (nearest)
		fprintf(stderr,
			"sealock: there is no command \"%s\": did you mean "
			"%s?\n",
			word, nearest);
	else
		fprintf(stderr,
			"sealock: there is no command \"%s\": see sealock "
			"--help\n",
			word);
	return 2;
}

static int
run_command(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		AUTO_FREE char *name = NULL;

		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		/* The name under which getopt complains. */
		name = mem_format("sealock %s", commands[i].name);
		argv[0] = name;
		return commands[i].run(argc, argv);
	}
	return refuse_command(argv[0]);
}

static int
run_version(int argc, char **argv)
{
	char name[] = "sealock --version";

	argv[0] = name;
	return cmd_version(argc, argv);
}

/* help, or help COMMAND, which is COMMAND --help. */
static int
run_help(int argc, char **argv)
{
	char help[] = "--help";
	char *words[] = {argv[1], help, NULL};

	if (argc > 1 && argv[1][0] != '-')
		return run_command(2, words);
	usage(stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--role") == 0)
		return run_role(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return run_help(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0)
		return run_version(argc - 1, argv + 1);
	return run_command(argc - 1, argv + 1);
}
