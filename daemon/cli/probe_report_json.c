/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For programs: the same members whatever was found, null where there is
 * nothing.
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/tls_version.h"
#include "common/verify/peer_words.h"
#include "daemon/cli/certificate_facts.h"
#include "daemon/cli/certificate_issuers.h"
#include "daemon/cli/json_line.h"
#include "daemon/cli/probe_report.h"
#include "daemon/cli/probe_request.h"
#include "daemon/cli/probe_session.h"

static void
put_text(struct json_line *line, const char *name, const char *text)
{
	json_line_text(line, name, text && text[0] ? text : NULL);
}

static void
put_time(struct json_line *line, const char *name, int64_t time_ms)
{
	if (time_ms < 0)
		json_line_null(line, name);
	else
		json_line_number(line, name, time_ms);
}

static void
put_connection(struct json_line *line, const struct probe_attempts *attempts)
{
	char text[256];

	put_text(line, "problem", attempts->problem);
	json_line_text(line, "address",
		       attempts->is_reached
			       ? socket_address_format(&attempts->address, text,
						       sizeof(text))
			       : NULL);
	json_line_open(line, "unreached", '[');
	for (size_t i = 0; i < attempts->unreached_count; i++) {
		json_line_open(line, NULL, '{');
		json_line_text(
			line, "address",
			socket_address_format(&attempts->unreached[i].address,
					      text, sizeof(text)));
		json_line_text(line, "problem", attempts->unreached[i].text);
		json_line_close(line, '}');
	}
	json_line_close(line, ']');
}

static void
put_attempts(struct json_line *line, const struct probe_report *report)
{
	const struct probe_attempts *attempts = report->attempts;

	json_line_open(line, "attempts", '[');
	for (size_t i = 0; i < attempts->count; i++) {
		const struct probe_attempt *attempt = &attempts->attempts[i];

		json_line_open(line, NULL, '{');
		json_line_text(line, "manner", attempt->word);
		json_line_text(line, "end", probe_end_word(attempt->end));
		put_text(line, "problem", attempt->text);
		json_line_close(line, '}');
	}
	json_line_close(line, ']');
	put_text(line, "meaning",
		 probe_attempts_meaning(attempts,
					report->request->certificate != NULL));
}

static void
put_session(struct json_line *line, const struct probe_report *report,
	    const struct probe_session *session)
{
	const struct probe_request *request = report->request;
	const struct probe_link *link = report->attempts->link;
	char text[256];

	put_time(line, "connect_ms", link ? link->connect_ms : -1);
	put_time(line, "handshake_ms", link ? link->handshake_ms : -1);
	put_text(line, "version", session->version);
	put_text(line, "cipher", session->cipher);
	put_text(line, "group", session->group);
	put_text(line, "key_exchange", session->key_exchange);
	put_text(line, "signature", session->signature);
	put_text(line, "server_name", request->server_name);
	put_text(line, "alpn", session->alpn);
	json_line_boolean(line, "extended_master_secret",
			  session->has_extended_master_secret);
	json_line_boolean(line, "safe_renegotiation",
			  session->has_safe_renegotiation);
	json_line_number(line, "tickets", link ? link->tickets : 0);
	json_line_number(line, "ticket_lifetime",
			 link ? (int64_t)link->ticket_lifetime_s : 0);
	json_line_boolean(line, "client_certificate_asked",
			  link && link->is_certificate_asked);
	json_line_boolean(line, "client_certificate_refused",
			  link && link->end == PROBE_REFUSED);
	json_line_open(line, "client_certificate_authorities", '[');
	for (int i = 0; i < sk_X509_NAME_num(session->authorities); i++)
		json_line_text(line, NULL,
			       peer_words_name(sk_X509_NAME_value(
						       session->authorities, i),
					       text, sizeof(text)));
	json_line_close(line, ']');
}

static void
put_versions(struct json_line *line, const struct probe_attempts *attempts)
{
	json_line_open(line, "versions", '{');
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		const struct probe_version *version = &attempts->versions[i];

		if (!version->is_known)
			continue;
		json_line_open(line, tls_version_name(version->version), '{');
		json_line_boolean(line, "spoken", version->is_spoken);
		json_line_text(line, "cipher",
			       version->is_spoken ? version->text : NULL);
		json_line_text(line, "problem",
			       version->is_spoken ? NULL : version->text);
		json_line_close(line, '}');
	}
	json_line_close(line, '}');
}

static void
put_resume(struct json_line *line, const struct probe_resume *resume)
{
	json_line_open(line, "resumption", '{');
	for (size_t i = 0; i < resume->count; i++) {
		const struct probe_resumed *resumed = &resume->versions[i];

		json_line_open(line, resumed->version, '{');
		json_line_boolean(line, "resumed", resumed->is_resumed);
		json_line_text(line, "by", resumed->by);
		json_line_text(line, "text", resumed->text);
		json_line_close(line, '}');
	}
	json_line_close(line, '}');
}

static void
put_chain(struct json_line *line, STACK_OF(X509) *chain)
{
	struct certificate_issuers *issuers = certificate_issuers_new(chain);

	json_line_open(line, "chain", '[');
	for (int i = 0; i < sk_X509_num(chain); i++) {
		struct certificate_facts facts;

		certificate_facts_read(&facts, sk_X509_value(chain, i));
		certificate_facts_print_json(
			&facts, NULL, (size_t)i + 1,
			certificate_issuers_find(issuers, i), line);
		certificate_facts_clear(&facts);
	}
	json_line_close(line, ']');
	certificate_issuers_free(issuers);
}

static void
put_verdict(struct json_line *line, const char *name,
	    const struct probe_verdict *verdict)
{
	json_line_open(line, name, '{');
	if (verdict->judgement == PROBE_NOT_JUDGED)
		json_line_null(line, "good");
	else
		json_line_boolean(line, "good",
				  verdict->judgement == PROBE_GOOD);
	put_text(line, "text", verdict->text);
	put_text(line, "advice", verdict->advice);
	json_line_close(line, '}');
}

static void
put_date(struct json_line *line, const char *name, int64_t seconds)
{
	char text[32];

	if (seconds == 0)
		json_line_null(line, name);
	else
		json_line_text(line, name, clock_format(seconds * 1000, text));
}

static void
put_responders(struct json_line *line, const struct probe_ocsp *ocsp)
{
	json_line_open(line, "ocsp", '[');
	for (size_t i = 0; i < ocsp->count; i++) {
		const struct probe_responder *responder = &ocsp->responders[i];

		json_line_open(line, NULL, '{');
		json_line_text(line, "subject", responder->subject);
		put_text(line, "responder", responder->uri);
		put_text(line, "status",
			 responder->uri[0] ? ocsp_status_word(responder->status)
					   : "");
		put_date(line, "this_update", responder->this_update);
		put_date(line, "next_update", responder->next_update);
		put_verdict(line, "verdict", &responder->verdict);
		json_line_close(line, '}');
	}
	json_line_close(line, ']');
}

void
probe_report_print_json(const struct probe_report *report, FILE *out)
{
	struct json_line line = {.out = out};
	struct probe_session session;

	probe_session_read(&session, report->attempts->link);
	json_line_open(&line, NULL, '{');
	json_line_text(&line, "server", report->request->target);
	json_line_boolean(&line, "good", report->is_good);
	put_connection(&line, report->attempts);
	put_attempts(&line, report);
	put_session(&line, report, &session);
	put_versions(&line, report->attempts);
	put_resume(&line, report->resume);
	put_chain(&line, session.chain);
	put_text(&line, "verify_name", report->request->verify_name);
	json_line_text(&line, "scheme", report->request->scheme_text);
	json_line_open(&line, "verdicts", '{');
	put_verdict(&line, "complete", &report->verdicts->order);
	put_verdict(&line, "chain", &report->verdicts->chain);
	put_verdict(&line, "name", &report->verdicts->name);
	put_verdict(&line, "pin", &report->verdicts->pin);
	put_verdict(&line, "staple", &report->ocsp->staple);
	json_line_close(&line, '}');
	put_responders(&line, report->ocsp);
	json_line_close(&line, '}');
	fputc('\n', out);
}
