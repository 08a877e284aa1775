/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For people: one fact a line, the verdicts last, where the eye rests.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/tls/tls_version.h"
#include "common/verify/peer_words.h"
#include "daemon/cli/certificate_facts.h"
#include "daemon/cli/certificate_issuers.h"
#include "daemon/cli/probe_report.h"
#include "daemon/cli/probe_request.h"
#include "daemon/cli/probe_session.h"

#define LABEL_WIDTH       12
#define AUTHORITIES_SHOWN 20

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

struct page {
	FILE *out;
	bool has_colours;
};

__attribute__((format(printf, 3, 4))) static void
print_line(const struct page *page, const char *label, const char *format, ...)
{
	va_list arguments;

	fprintf(page->out, "%-*s ", LABEL_WIDTH, label);
	va_start(arguments, format);
	vfprintf(page->out, format, arguments);
	va_end(arguments);
	fputc('\n', page->out);
}

static const char *
colour(const struct page *page, const char *sequence)
{
	return page->has_colours ? sequence : "";
}

static void
print_connection(const struct page *page, const struct probe_report *report)
{
	const struct probe_attempts *attempts = report->attempts;
	char text[256];

	for (size_t i = 0; i < attempts->unreached_count; i++) {
		const struct probe_unreached *unreached =
			&attempts->unreached[i];

		print_line(page, "no answer", "%s: %s",
			   socket_address_format(&unreached->address, text,
						 sizeof(text)),
			   unreached->text);
	}
	if (!attempts->is_reached)
		return;
	print_line(
		page, "address", "%s, connected in %" PRId64 " ms",
		socket_address_format(&attempts->address, text, sizeof(text)),
		attempts->link->connect_ms);
}

static void
print_attempts(const struct page *page, const struct probe_report *report)
{
	const struct probe_attempts *attempts = report->attempts;
	const char *meaning = probe_attempts_meaning(
		attempts, report->request->certificate != NULL);

	for (size_t i = 0; i < attempts->count; i++) {
		const struct probe_attempt *attempt = &attempts->attempts[i];
		const char *label = i == 0 ? "handshake" : "retry";
		const char *manner = i == 0 ? "" : attempt->manner;
		const char *colon = i == 0 ? "" : ": ";

		if (attempt->end == PROBE_DONE)
			print_line(page, label, "%s%sdone in %" PRId64 " ms",
				   manner, colon, attempts->link->handshake_ms);
		else
			print_line(page, label, "%s%s%s%s%s", manner, colon,
				   colour(page, RED), attempt->text,
				   colour(page, PLAIN));
	}
	if (meaning)
		print_line(page, "which means", "%s", meaning);
}

static void
print_alpn(const struct page *page, const struct probe_report *report,
	   const struct probe_session *session)
{
	const struct probe_request *request = report->request;

	if (request->alpn_count == 0)
		print_line(page, "ALPN", "not offered (--alpn h2,http/1.1)");
	else if (session->alpn[0])
		print_line(page, "ALPN", "%s", session->alpn);
	else
		print_line(page, "ALPN", "none chosen of what was offered");
}

static void
print_tickets(const struct page *page, const struct probe_link *link)
{
	char lifetime[32] = "";

	if (link->tickets == 0) {
		print_line(page, "tickets", "none");
		return;
	}
	if (link->ticket_lifetime_s > 0)
		text_format_duration((int64_t)link->ticket_lifetime_s * 1000,
				     lifetime, sizeof(lifetime));
	print_line(page, "tickets", "sent%s%s",
		   lifetime[0] ? ", good for " : "", lifetime);
}

static void
print_client_certificate(const struct page *page,
			 const struct probe_report *report,
			 const struct probe_session *session)
{
	const struct probe_link *link = report->attempts->link;
	int count = sk_X509_NAME_num(session->authorities);
	char text[256];

	if (!link->is_certificate_asked) {
		print_line(page, "client cert", "not asked for");
		return;
	}
	print_line(page, "client cert", "asked for: %s",
		   report->request->certificate ? "it was sent"
						: "we have none (--cert FILE)");
	if (count <= 0)
		print_line(page, "", "the server does not say of which CAs");
	for (int i = 0; i < count && i < AUTHORITIES_SHOWN; i++)
		print_line(page, i == 0 ? "issued by" : "or by", "%s",
			   peer_words_name(
				   sk_X509_NAME_value(session->authorities, i),
				   text, sizeof(text)));
	if (count > AUTHORITIES_SHOWN)
		print_line(page, "or by", "%d more", count - AUTHORITIES_SHOWN);
}

static void
print_session(const struct page *page, const struct probe_report *report,
	      const struct probe_session *session)
{
	const struct probe_request *request = report->request;
	const struct probe_attempts *attempts = report->attempts;

	if (!session->version[0])
		return;
	print_line(page, "version", "%s", session->version);
	print_line(page, "cipher", "%s", session->cipher);
	if (session->group[0])
		print_line(page, "group", "%s", session->group);
	else if (session->key_exchange[0])
		print_line(page, "key exchange", "%s", session->key_exchange);
	if (session->signature[0])
		print_line(page, "signed with", "%s", session->signature);
	print_line(page, "server name", "%s",
		   request->has_server_name ? request->server_name
					    : "none was sent");
	print_alpn(page, report, session);
	print_tickets(page, attempts->link);
	if (!session->has_extended_master_secret)
		print_line(page, "lacks",
			   "the extended master secret "
			   "(RFC 7627)");
	if (!session->has_safe_renegotiation)
		print_line(page, "lacks", "safe renegotiation (RFC 5746)");
	print_client_certificate(page, report, session);
}

static void
print_versions(const struct page *page, const struct probe_report *report)
{
	for (size_t i = 0; i < PROBE_VERSIONS; i++) {
		const struct probe_version *version =
			&report->attempts->versions[i];

		if (version->is_known)
			print_line(page, tls_version_name(version->version),
				   "%s%s",
				   version->is_spoken ? "yes, " : "no: ",
				   version->text);
	}
}

static void
print_resume(const struct page *page, const struct probe_resume *resume)
{
	for (size_t i = 0; i < resume->count; i++) {
		const struct probe_resumed *resumed = &resume->versions[i];

		print_line(page, i == 0 ? "resumption" : "", "%s %s, %s",
			   resumed->version, resumed->is_resumed ? "yes" : "no",
			   resumed->text);
	}
}

static void
print_chain(const struct page *page, STACK_OF(X509) *chain)
{
	struct certificate_issuers *issuers = certificate_issuers_new(chain);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		struct certificate_facts facts;

		fputc('\n', page->out);
		certificate_facts_read(&facts, sk_X509_value(chain, i));
		certificate_facts_print(&facts, (size_t)i + 1,
					certificate_issuers_find(issuers, i),
					"one that was not sent", page->out);
		certificate_facts_clear(&facts);
	}
	certificate_issuers_free(issuers);
}

static void
print_verdict(const struct page *page, const char *label,
	      const struct probe_verdict *verdict)
{
	static const struct {
		const char *word;
		const char *colour;
	} judgements[] = {
		[PROBE_NOT_JUDGED] = {"-", ""},
		[PROBE_GOOD] = {"good", GREEN},
		[PROBE_BAD] = {"BAD", RED},
	};

	if (!verdict->text[0])
		return;
	print_line(page, label, "%s%-4s%s %s",
		   colour(page, judgements[verdict->judgement].colour),
		   judgements[verdict->judgement].word,
		   colour(page, judgements[verdict->judgement].colour[0] ? PLAIN
									 : ""),
		   verdict->text);
	if (verdict->advice[0])
		print_line(page, "", "     %s", verdict->advice);
}

static void
print_ocsp(const struct page *page, const struct probe_ocsp *ocsp)
{
	print_verdict(page, "staple", &ocsp->staple);
	for (size_t i = 0; i < ocsp->count; i++) {
		const struct probe_responder *responder = &ocsp->responders[i];

		print_verdict(page, "OCSP", &responder->verdict);
		if (responder->ms >= 0)
			print_line(page, "",
				   "     of %s, says %s, %zu bytes in %" PRId64
				   " ms",
				   responder->subject, responder->uri,
				   responder->length, responder->ms);
		else
			print_line(page, "", "     of %s%s%s",
				   responder->subject,
				   responder->uri[0] ? ", asked " : "",
				   responder->uri);
	}
}

void
probe_report_print(const struct probe_report *report, bool has_colours,
		   FILE *out)
{
	const struct page page = {out, has_colours};
	struct probe_session session;

	print_line(&page, "server", "%s%s%s", colour(&page, BOLD),
		   report->request->target, colour(&page, PLAIN));
	print_connection(&page, report);
	if (report->attempts->problem[0])
		print_line(&page, "problem", "%s%s%s", colour(&page, RED),
			   report->attempts->problem, colour(&page, PLAIN));
	if (!report->attempts->is_reached)
		return;
	probe_session_read(&session, report->attempts->link);
	print_attempts(&page, report);
	print_session(&page, report, &session);
	print_versions(&page, report);
	print_resume(&page, report->resume);
	print_chain(&page, session.chain);
	if (session.chain)
		fputc('\n', out);
	print_verdict(&page, "sent chain", &report->verdicts->order);
	print_verdict(&page, "chain", &report->verdicts->chain);
	print_verdict(&page, "name", &report->verdicts->name);
	print_verdict(&page, "pin", &report->verdicts->pin);
	print_ocsp(&page, report->ocsp);
}
