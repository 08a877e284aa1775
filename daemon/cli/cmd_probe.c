/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The request, the attempts, the verdicts, the report; each has a file of its
 * own.
 */
#include "daemon/cli/cmd_probe.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/error.h"
#include "daemon/cli/probe_attempts.h"
#include "daemon/cli/probe_authorities.h"
#include "daemon/cli/probe_context.h"
#include "daemon/cli/probe_ocsp.h"
#include "daemon/cli/probe_report.h"
#include "daemon/cli/probe_request.h"
#include "daemon/cli/probe_resume.h"
#include "daemon/cli/probe_session.h"
#include "daemon/cli/probe_verdicts.h"

static void
usage(FILE *to)
{
	fputs("usage: sealock probe [options] HOST:PORT|unix:/PATH\n"
	      "Connect as a TLS client and tell all that is to be known of the "
	      "server: what is\n"
	      "agreed upon, its certificates, whether they are valid here, the "
	      "versions that it\n"
	      "speaks. Nothing is sent to it but handshakes.\n"
	      "  --verify-name NAME      the name that its certificate must "
	      "have; default: HOST\n"
	      "  --scheme SCHEME         the rules for that, as verify.scheme "
	      "has them;\n"
	      "                          default: http\n"
	      "  --server-name NAME      the name to send (SNI); default: "
	      "HOST; \"\": none\n"
	      "  --fingerprint F         of the certificate, or the key in it, "
	      "as cert fingerprint\n"
	      "                          prints it; any number, of which one "
	      "must match\n"
	      "  --ca PATH               a CA, or a directory of them, instead "
	      "of the system's;\n"
	      "                          any number of them\n"
	      "  --alpn NAME[,NAME]      protocols to offer\n"
	      "  --cert FILE             a client certificate, if the server "
	      "asks for one\n"
	      "  --key FILE              its key, when it is not in the same "
	      "file\n"
	      "  --passphrase-file FILE  the key's pass-phrase\n"
	      "  --no-versions           do not ask for each version on its "
	      "own\n"
	      "  --ocsp                  ask the responders that its "
	      "certificates "
	      "name whether\n"
	      "                          they are revoked\n"
	      "  --http-proxy HOST:PORT  the way to them\n"
	      "  --resume                connect again with what it gave us to "
	      "resume by\n"
	      "  --timeout TIME          for each step; default: 5s\n"
	      "  --json                  one JSON object, for programs\n"
	      "Exit status: 0 all is well, 1 something is not, 2 bad usage.\n",
	      to);
}

static int
fail(const struct error *error)
{
	fprintf(stderr, "sealock probe: %s (see --help)\n", error->text);
	return 2;
}

/* Colours are for the eyes of those who want them (no-color.org). */
static bool
has_colours(void)
{
	const char *refusal = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(refusal && refusal[0]);
}

/* Would a connect gate connect? And nothing is wrong beside that. */
static bool
is_good(const struct probe_attempts *attempts,
	const struct probe_verdicts *verdicts, const struct probe_ocsp *ocsp)
{
	if (attempts->count != 1 || attempts->attempts[0].end != PROBE_DONE)
		return false;
	if (verdicts->pin.judgement != PROBE_NOT_JUDGED)
		return verdicts->pin.judgement == PROBE_GOOD;
	return verdicts->order.judgement != PROBE_BAD &&
	       verdicts->chain.judgement == PROBE_GOOD &&
	       verdicts->name.judgement != PROBE_BAD &&
	       probe_ocsp_is_good(ocsp);
}

static int
report(const struct probe_request *request,
       const struct probe_attempts *attempts,
       const struct probe_authorities *authorities,
       const struct probe_identity *identity)
{
	struct probe_resume resume;
	struct probe_verdicts verdicts;
	struct probe_session session;
	struct probe_ocsp ocsp;
	struct probe_report whole = {
		.request = request,
		.attempts = attempts,
		.verdicts = &verdicts,
		.ocsp = &ocsp,
		.resume = &resume,
	};

	probe_session_read(&session, attempts->link);
	probe_verdicts_make(&verdicts, request, authorities, session.chain);
	probe_ocsp_run(&ocsp, request, authorities, attempts->link,
		       session.chain);
	probe_resume_run(&resume, request, identity, attempts);
	whole.is_good = is_good(attempts, &verdicts, &ocsp);
	if (request->is_json)
		probe_report_print_json(&whole, stdout);
	else
		probe_report_print(&whole, has_colours(), stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("sealock probe: standard output");
		return 1;
	}
	return whole.is_good ? 0 : 1;
}

static int
probe(const struct probe_request *request)
{
	struct error error = {0};
	struct probe_authorities *authorities =
		probe_authorities_new(request, &error);
	struct probe_identity *identity =
		authorities ? probe_identity_new(request, &error) : NULL;
	struct probe_attempts attempts;
	int status;

	if (identity) {
		probe_attempts_run(&attempts, request, identity);
		status = report(request, &attempts, authorities, identity);
		probe_attempts_clear(&attempts);
	} else {
		status = fail(&error);
	}
	probe_identity_free(identity);
	probe_authorities_free(authorities);
	return status;
}

int
cmd_probe(int argc, char **argv)
{
	struct probe_request request;
	struct error error = {0};
	int status = 0;

	if (probe_request_parse(argc, argv, &request, &error) != 0)
		status = fail(&error);
	else if (request.is_help)
		usage(stdout);
	else
		status = probe(&request);
	probe_request_clear(&request);
	return status;
}
