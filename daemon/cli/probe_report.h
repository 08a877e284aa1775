/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a probe has found, in its two forms.
 */
#ifndef SEALOCK_CLI_PROBE_REPORT_H
#define SEALOCK_CLI_PROBE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "daemon/cli/probe_attempts.h"
#include "daemon/cli/probe_ocsp.h"
#include "daemon/cli/probe_resume.h"
#include "daemon/cli/probe_verdicts.h"

struct probe_request;

struct probe_report {
	const struct probe_request *request;
	const struct probe_attempts *attempts;
	const struct probe_verdicts *verdicts;
	const struct probe_ocsp *ocsp;
	const struct probe_resume *resume;
	bool is_good; /* all of it */
};

/* For people, with colours if so wanted. */
void
probe_report_print(const struct probe_report *report, bool has_colours,
		   FILE *out);

/* For programs: one JSON object and a newline. */
void
probe_report_print_json(const struct probe_report *report, FILE *out);

#endif
