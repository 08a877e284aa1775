/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same code that the daemon's roles run, over files opened here: the
 * documents, the rules, then every policy and every certificate.
 */
#include "daemon/cli/cmd_check.h"

#include <getopt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "common/conf/conf_crls.h"
#include "common/route/certificate_gather.h"
#include "common/route/route_findings.h"
#include "common/route/route_own.h"
#include "common/route/ticket_sources.h"
#include "daemon/cli/check_staples.h"
#include "daemon/monitor/monitor.h"

#define DEFAULT_FILE "/etc/sealock/sealock.yaml"

struct findings {
	struct error_list problems;
	struct error_list quarantined;
	struct error_list warnings;
};

static void
usage(FILE *to)
{
	fputs("usage: sealock check [-c FILE] [--print]\n"
	      "Say everything that is wrong with a configuration: syntax, "
	      "files, keys against\ncertificates, TLS settings.\n"
	      "  -c, --config FILE  instead of " DEFAULT_FILE "\n"
	      "  --print            print the effective configuration, each "
	      "value with its origin\n"
	      "Exit status: 0 nothing is wrong, 2 something is.\n",
	      to);
}

/* The findings are the answer, not what is made of it. Of thousands of
 * certificates most were taken at a glance: look at all of them, and have words
 * found for those that are wrong. */
static void
check_routes(const struct conf *conf, const struct file_set *files,
	     const struct route_findings *findings)
{
	static const atomic_bool never;
	struct route_own own, again = {0};

	if (route_own_init(&own, conf, files, NULL, findings) == 0) {
		if (certificate_gather_check_pairs(own.gathering, &never) > 0)
			(void)!route_own_init(&again, conf, files, &own,
					      findings);
		check_staples(conf, files,
			      certificate_gather_index(own.gathering),
			      findings);
	}
	route_own_clear(&again);
	route_own_clear(&own);
}

/* The keeper reads them. */
static void
check_tickets(const struct conf *conf, const struct file_set *files,
	      struct findings *findings)
{
	struct ticket_sources sources;

	(void)!ticket_sources_read(&sources, conf, files, &findings->problems,
				   &findings->warnings);
	ticket_sources_clear(&sources);
}

static void
check_files(const struct conf *conf, struct findings *findings)
{
	struct route_findings route = {&findings->problems,
				       &findings->quarantined,
				       &findings->warnings};
	struct file_set *files = file_set_new();

	if (conf_files_open(conf, files, &findings->problems) == 0 &&
	    conf_key_logs_open(conf, true, files, &findings->problems) == 0 &&
	    conf_crls_make(conf, files, &findings->problems) == 0) {
		check_tickets(conf, files, findings);
		check_routes(conf, files, &route);
	}
	file_set_free(files);
}

static int
report(const char *path, const struct conf *conf,
       const struct findings *findings)
{
	size_t wrong = findings->problems.count + findings->quarantined.count;

	error_list_show(&findings->problems, "");
	error_list_show(&findings->quarantined, "");
	error_list_show(&findings->warnings, "warning: ");
	if (wrong > 0) {
		fprintf(stderr, "%s: %zu %s\n", path, wrong,
			wrong == 1 ? "problem" : "problems");
		return 2;
	}
	fprintf(stderr, "%s: ok, %zu %s\n", path, conf->service_count,
		conf->service_count == 1 ? "service" : "services");
	return 0;
}

static int
check(const char *path, bool is_printed)
{
	struct conf_documents documents = {0};
	struct findings findings = {0};
	struct conf *conf = NULL;
	int status;

	if (conf_documents_read(path, &documents, &findings.problems) == 0)
		conf = conf_load(&documents, &findings.problems,
				 &findings.warnings);
	if (conf) {
		/* Users and the directory to be shut in; defaults that this
		 * machine does not have are what the daemon logs. */
		log_configure(NULL, 0);
		monitor_check(conf, &findings.problems);
		check_files(conf, &findings);
		if (is_printed)
			conf_print(conf, stdout);
	}
	status = report(path, conf, &findings);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("sealock check: standard output");
		status = 1;
	}
	conf_free(conf);
	conf_documents_clear(&documents);
	error_list_clear(&findings.problems);
	error_list_clear(&findings.quarantined);
	error_list_clear(&findings.warnings);
	return status;
}

int
cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"print", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = DEFAULT_FILE;
	bool is_printed = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'p':
			is_printed = true;
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
			"sealock check: unexpected argument %s (the file goes "
			"behind -c)\n",
			argv[optind]);
		return 2;
	}
	return check(path, is_printed);
}
