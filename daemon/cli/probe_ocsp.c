/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers are judged by a chain that has been verified, as a connect gate does;
 * without one nobody knows whose word would count.
 */
#include "daemon/cli/probe_ocsp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/tls/ca_store.h"
#include "common/tls/tls_engine.h"
#include "common/verify/peer_words.h"
#include "daemon/cli/probe_authorities.h"
#include "daemon/cli/probe_link.h"
#include "daemon/cli/probe_request.h"
#include "daemon/fetch/ocsp_transport.h"

#define RESOLVE_MS 2000

/* The caller's, or NULL when nothing is verified. */
static STACK_OF(X509) *
verified_chain(const struct probe_authorities *authorities,
	       STACK_OF(X509) *sent)
{
	X509_STORE_CTX *verification = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = NULL;

	if (verification && authorities->store && sk_X509_num(sent) > 0 &&
	    X509_STORE_CTX_init(verification, ca_store_x509(authorities->store),
				sk_X509_value(sent, 0), sent) &&
	    X509_verify_cert(verification) == 1)
		chain = X509_STORE_CTX_get1_chain(verification);
	X509_STORE_CTX_free(verification);
	ERR_clear_error();
	return chain;
}

static struct ocsp_pair
pair_at(const STACK_OF(X509) *chain, int depth)
{
	return (struct ocsp_pair){
		.certificate = sk_X509_value(chain, depth),
		.issuer = sk_X509_value(chain, depth + 1),
	};
}

/* What a judgement means for a probe; unusable is bad where an answer was
 * sent or asked for. */
static void
tell(struct probe_verdict *verdict, const struct ocsp_judgement *judgement)
{
	char begin[32], end[32];

	if (judgement->status != OCSP_GOOD) {
		probe_judge(verdict, PROBE_BAD, "%s: %s",
			    ocsp_status_word(judgement->status),
			    judgement->sentence);
		return;
	}
	probe_judge(verdict, PROBE_GOOD, "not revoked, as of %s",
		    clock_format(judgement->this_update * 1000, begin));
	if (judgement->next_update != 0)
		probe_judge(verdict, PROBE_GOOD,
			    "not revoked, as of %s, until %s", begin,
			    clock_format(judgement->next_update * 1000, end));
}

static void
judge_staple(struct probe_ocsp *ocsp, const struct probe_request *request,
	     const struct probe_link *link, const STACK_OF(X509) *chain)
{
	const unsigned char *der = NULL;
	struct ocsp_judgement judgement;
	struct ocsp_pair pair;
	long length = -1;

	if (link && link->engine)
		length = SSL_get_tlsext_status_ocsp_resp(
			tls_engine_ssl(link->engine), &der);
	if (!der || length <= 0) {
		if (request->has_ocsp)
			probe_judge(&ocsp->staple, PROBE_NOT_JUDGED,
				    "the server sends none along");
		return;
	}
	if (sk_X509_num(chain) < 2) {
		probe_judge(
			&ocsp->staple, PROBE_NOT_JUDGED,
			"one came, of %ld bytes; whose word would count is not "
			"known without a chain that is good",
			length);
		return;
	}
	pair = pair_at(chain, 0);
	(void)ocsp_answer_judge(der, (size_t)length, &pair, NULL,
				clock_real_s(), &judgement);
	tell(&ocsp->staple, &judgement);
}

/* One question to a responder. */
struct inquiry {
	struct event_base *base;
	struct ocsp_pair pair;
	struct probe_responder *responder;
	int64_t started_ms;
	bool is_over;
};

static void
on_told(void *argument, const struct ocsp_reply *reply)
{
	struct inquiry *inquiry = argument;
	struct probe_responder *responder = inquiry->responder;
	struct ocsp_judgement judgement;

	inquiry->is_over = true;
	event_base_loopbreak(inquiry->base);
	if (reply->failure) {
		probe_judge(&responder->verdict, PROBE_BAD, "no answer: %s",
			    reply->failure);
		return;
	}
	responder->ms = clock_monotonic_ms() - inquiry->started_ms;
	responder->length = reply->length;
	responder->status =
		ocsp_answer_judge(reply->bytes, reply->length, &inquiry->pair,
				  NULL, clock_real_s(), &judgement);
	responder->this_update = judgement.this_update;
	responder->next_update = judgement.next_update;
	tell(&responder->verdict, &judgement);
}

static void
ask(struct event_base *base, struct ocsp_transport *transport,
    const struct probe_request *request, const struct ocsp_pair *pair,
    struct probe_responder *responder)
{
	struct inquiry inquiry = {
		.base = base,
		.pair = *pair,
		.responder = responder,
		.started_ms = clock_monotonic_ms(),
	};
	struct ocsp_question question = {
		.url = responder->uri,
		.proxy = request->http_proxy,
		.method = OCSP_BY_EITHER,
		.limit_ms = request->timeout_ms,
	};
	AUTO_FREE unsigned char *der =
		ocsp_request_new(pair, 1, NULL, &question.length);
	struct ocsp_exchange *exchange;

	question.request = der;
	exchange = ocsp_transport_ask(transport, &question, on_told, &inquiry);
	while (!inquiry.is_over && event_base_dispatch(base) == 0)
		;
	if (inquiry.is_over)
		return;
	ocsp_exchange_free(exchange);
	probe_judge(&responder->verdict, PROBE_BAD, "no answer");
}

static void
ask_all(struct probe_ocsp *ocsp, struct event_base *base,
	const struct probe_request *request, const STACK_OF(X509) *chain)
{
	const struct conf_resolver resolver = {.timeout_ms = RESOLVE_MS};
	struct error error = {0};
	struct ocsp_transport *transport = ocsp_transport_new(base, &error);

	if (transport &&
	    ocsp_transport_resolve_by(transport, &resolver, &error) != 0) {
		ocsp_transport_free(transport);
		transport = NULL;
	}
	for (size_t i = 0; i < ocsp->count; i++) {
		struct probe_responder *responder = &ocsp->responders[i];
		const struct ocsp_pair pair = pair_at(chain, (int)i);

		if (!responder->uri[0])
			probe_judge(&responder->verdict, PROBE_NOT_JUDGED,
				    "the certificate names no responder");
		else if (!transport)
			probe_judge(&responder->verdict, PROBE_BAD, "%s",
				    error.text);
		else
			ask(base, transport, request, &pair, responder);
	}
	ocsp_transport_free(transport);
}

static void
prepare(struct probe_ocsp *ocsp, const STACK_OF(X509) *chain)
{
	for (int i = 0;
	     i + 1 < sk_X509_num(chain) && ocsp->count < PROBE_OCSP_MAX; i++) {
		struct probe_responder *responder =
			&ocsp->responders[ocsp->count++];
		X509 *certificate = sk_X509_value(chain, i);

		responder->ms = -1;
		peer_words_name(X509_get_subject_name(certificate),
				responder->subject, sizeof(responder->subject));
		(void)ocsp_responder_find(certificate, responder->uri);
	}
}

void
probe_ocsp_run(struct probe_ocsp *ocsp, const struct probe_request *request,
	       const struct probe_authorities *authorities,
	       const struct probe_link *link, STACK_OF(X509) *chain)
{
	STACK_OF(X509) *verified = verified_chain(authorities, chain);
	struct event_base *base;

	*ocsp = (struct probe_ocsp){.count = 0};
	judge_staple(ocsp, request, link, verified);
	base = request->has_ocsp ? event_base_new() : NULL;
	if (base) {
		prepare(ocsp, verified);
		ask_all(ocsp, base, request, verified);
		event_base_free(base);
	}
	sk_X509_pop_free(verified, X509_free);
}

bool
probe_ocsp_is_good(const struct probe_ocsp *ocsp)
{
	if (ocsp->staple.judgement == PROBE_BAD)
		return false;
	for (size_t i = 0; i < ocsp->count; i++)
		if (ocsp->responders[i].verdict.judgement == PROBE_BAD)
			return false;
	return true;
}
