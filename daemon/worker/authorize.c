/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AUTHORIZE: responders are asked whether the client's certificates have been
 * revoked, and then somebody outside whether it may go on. Nobody touches the
 * backend before the answers, and what is no clear yes in time is a no. In
 * CONNECT the same may be asked about the backend, before it is given a byte.
 *
 * Meanwhile whoever is asked about is listened to, as far as a few bytes go,
 * so that one that goes away takes its question along.
 */
#include <stdbool.h>

#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/tls_engine.h"
#include "common/verify/peer_check.h"
#include "daemon/worker/authorize_ocsp.h"
#include "daemon/worker/authorize_question.h"
#include "daemon/worker/authorizer.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* What a peer may say before it is let in. */
#define EARLY_MAX ((size_t)16 * 1024)

/* Where a gate has no limit of its own. */
#define RESPONDERS_MS 10000

/* First one is asked, then the other, each where it is wanted. */
struct authorizing {
	struct gate *gate;    /* whose peer it is about */
	const char *name;     /* that a backend has to have */
	bool is_second_asked; /* is there an authorizer for this gate? */
	struct authorize_ocsp *ocsp;
	struct authorizer_question *question;
	int64_t asked_ms;
	bool is_peer_silent; /* its end came: reading again tells nothing */
};

__attribute__((cold)) static void
log_failed(const struct connection *connection, const char *detail)
{
	static struct log_limit limit;

	log_event_limited(&limit, LOG_LEVEL_WARN, "authorizer failed",
			  "service=%s reason=\"%s\"",
			  connection->service->conf->name, detail);
}

/* The outcome. */

static void
allowed(struct connection *connection, const struct gate *gate)
{
	if (connection_is_accept(gate))
		connect_start(connection);
	else
		connect_finish(connection);
}

static void
refused(struct connection *connection, const struct gate *gate,
	const char *detail)
{
	if (connection_is_accept(gate))
		connection_close(connection, REASON_AUTHORIZE_DENIED, "%s",
				 detail);
	else
		connect_refused(connection, REASON_AUTHORIZE_DENIED, detail);
}

static void
on_decided(void *argument, enum authorizer_decision decision,
	   const char *detail)
{
	struct connection *connection = argument;
	struct authorizing *authorizing = connection->authorizing;
	const struct gate *gate = authorizing->gate;
	int64_t timeout_ms = connection->service->conf->authorize.timeout_ms;
	bool is_late;

	connection->now_ms = clock_monotonic_ms();
	is_late = connection->now_ms - authorizing->asked_ms > timeout_ms;
	/* It goes by itself. */
	authorizing->question = NULL;
	authorize_cancel(connection);
	if (decision == AUTHORIZER_FAILED)
		log_failed(connection, detail);
	if (decision != AUTHORIZER_ALLOWS)
		refused(connection, gate, detail);
	else if (is_late)
		refused(connection, gate, "the authorizer allowed it too late");
	else
		allowed(connection, gate);
	connection_update_events(connection);
}

/* The question. */

static char *
write_question(const struct connection *connection, const struct gate *gate,
	       const char *name)
{
	bool is_accept = connection_is_accept(gate);
	SSL *ssl = gate->engine ? tls_engine_ssl(gate->engine) : NULL;
	char client[128], local[128];
	const struct authorize_facts facts = {
		.service = connection->service->conf->name,
		.gate = is_accept ? "accept" : "connect",
		.client = peer_address_format(&connection->client, client,
					      sizeof(client)),
		.local = peer_address_format(&connection->local, local,
					     sizeof(local)),
		.backend = is_accept ? NULL : connection->backend,
		.name = name,
		.server_name =
			is_accept ? connection->server_name
				  : SSL_get_servername(
					    ssl, TLSEXT_NAMETYPE_host_name),
		.ssl = ssl,
	};

	return authorize_question_write(&facts);
}

static void
ask_authorizer(struct connection *connection)
{
	struct authorizing *authorizing = connection->authorizing;
	const struct gate *gate = authorizing->gate;
	char *line = write_question(connection, gate, authorizing->name);

	if (!line) {
		authorize_cancel(connection);
		refused(connection, gate,
			"this sealock was built without jansson");
		return;
	}
	authorizing->asked_ms = connection->now_ms;
	authorizing->question = authorizer_question_new(connection, line,
							on_decided, connection);
	connection_update_timer(connection);
	authorizer_question_start(authorizing->question);
}

/* Responders. */

static void
revoked(struct connection *connection, const struct gate *gate)
{
	SSL *ssl = tls_engine_ssl(gate->engine);
	const struct peer_verdict *verdict = peer_check_verdict(ssl);
	char text[1024];

	peer_verdict_format(verdict, text, sizeof(text));
	if (connection_is_accept(gate))
		connection_close(connection, REASON_CLIENT_CERT_REJECTED, "%s",
				 text);
	else
		connect_refused(connection,
				verdict->step == PEER_STEP_REVOKED
					? REASON_BACKEND_REVOKED
					: REASON_BACKEND_CERT_REJECTED,
				text);
}

static void
heard(struct connection *connection, bool is_admitted)
{
	struct authorizing *authorizing = connection->authorizing;
	const struct gate *gate = authorizing->gate;

	authorize_ocsp_free(TAKE(authorizing->ocsp));
	if (is_admitted && authorizing->is_second_asked) {
		ask_authorizer(connection);
		return;
	}
	authorize_cancel(connection);
	if (is_admitted)
		allowed(connection, gate);
	else
		revoked(connection, gate);
}

static void
on_heard(void *argument, bool is_admitted)
{
	struct connection *connection = argument;

	connection->now_ms = clock_monotonic_ms();
	heard(connection, is_admitted);
	connection_update_events(connection);
}

static void
conclude(struct connection *connection, enum ocsp_status status,
	 const char *why)
{
	heard(connection, authorize_ocsp_conclude(connection->authorizing->ocsp,
						  status, why));
}

static void
ask_responders(struct connection *connection)
{
	struct authorizing *authorizing = connection->authorizing;

	authorizing->asked_ms = connection->now_ms;
	/* It is the peer's own doing: nothing that `fail: soft` forgives. */
	if (authorize_ocsp_ask(authorizing->ocsp, on_heard, connection) != 0)
		conclude(connection, OCSP_UNKNOWN,
			 "its chain is too long to ask about");
	else
		connection_update_timer(connection);
}

bool
authorize_expired(struct connection *connection)
{
	if (!connection->authorizing || !connection->authorizing->ocsp)
		return false;
	conclude(connection, OCSP_UNUSABLE, "no answer came in time");
	return true;
}

/* The beginning. */

/* False: nobody is to be asked. */
static bool
begin(struct connection *connection, struct gate *gate, const char *name,
      bool is_authorizer_asked)
{
	struct authorize_ocsp *ocsp = NULL;

	if (gate->engine)
		ocsp = authorize_ocsp_new(connection->worker->ocsp,
					  tls_engine_ssl(gate->engine));
	if (!ocsp && !is_authorizer_asked)
		return false;
	connection->authorizing = mem_alloc(sizeof(*connection->authorizing));
	connection->authorizing->gate = gate;
	connection->authorizing->name = name;
	connection->authorizing->is_second_asked = is_authorizer_asked;
	connection->authorizing->ocsp = ocsp;
	connection->authorizing->asked_ms = connection->now_ms;
	return true;
}

static void
ask(struct connection *connection)
{
	if (connection->authorizing->ocsp)
		ask_responders(connection);
	else
		ask_authorizer(connection);
}

void
authorize_start(struct connection *connection)
{
	const struct conf_authorize *authorize =
		&connection->service->conf->authorize;

	if (!begin(connection, &connection->accept, NULL,
		   authorize->socket.host != NULL)) {
		connect_start(connection);
		return;
	}
	connection_enter(connection, CONNECTION_AUTHORIZE);
	ask(connection);
}

void
authorize_backend(struct connection *connection, const char *name)
{
	const struct conf_authorize *authorize =
		&connection->service->conf->authorize;

	if (!begin(connection, &connection->connect, name,
		   authorize->socket.host && authorize->is_backend_asked)) {
		connect_finish(connection);
		return;
	}
	ask(connection);
}

void
authorize_cancel(struct connection *connection)
{
	struct authorizing *authorizing = TAKE(connection->authorizing);

	if (!authorizing)
		return;
	authorize_ocsp_free(authorizing->ocsp);
	authorizer_question_free(authorizing->question);
	mem_free(authorizing);
}

/* Responders have as long as a handshake may take, but with backends, where
 * another address may have to be tried, half of it. That is time of their own:
 * if what the peer has left over counted, a revoked one would get in by being
 * slow. */
static int64_t
responders_deadline(const struct connection *connection)
{
	const struct conf_timeouts *timeouts =
		&connection->service->conf->timeouts;
	int64_t allowed_ms = connection_is_accept(connection->authorizing->gate)
				     ? timeouts->handshake_ms
				     : timeouts->connect_ms / 2;

	return connection->authorizing->asked_ms +
	       (allowed_ms > 0 ? allowed_ms : RESPONDERS_MS);
}

bool
authorize_has_own_time(const struct connection *connection)
{
	return connection->authorizing && connection->authorizing->ocsp;
}

int64_t
authorize_deadline(const struct connection *connection)
{
	if (connection->authorizing->ocsp)
		return responders_deadline(connection);
	return connection->authorizing->asked_ms +
	       connection->service->conf->authorize.timeout_ms;
}

const char *
authorize_lacks(const struct connection *connection)
{
	if (connection->authorizing->ocsp)
		return "no OCSP answer came";
	if (connection->authorizing->question)
		return authorizer_question_lacks(
			connection->authorizing->question);
	return "no answer came";
}

/* The peer, meanwhile. */

short
authorize_wants(const struct connection *connection)
{
	const struct authorizing *authorizing = connection->authorizing;
	const struct gate *gate = authorizing->gate;
	short wanted = 0;

	if (!authorizing->is_peer_silent && gate->in.length < EARLY_MAX)
		wanted |= EV_READ;
	if (gate->out.length > 0)
		wanted |= EV_WRITE;
	return wanted;
}

static void
gone(struct connection *connection, const struct gate *gate, enum reason reason,
     const char *detail)
{
	if (connection_is_accept(gate)) {
		connection_close(connection, reason, "%s", detail);
		return;
	}
	authorize_cancel(connection);
	connect_refused(connection, REASON_BACKEND_HANDSHAKE_FAILED, detail);
}

/* A peer that has ended may still wait for an answer: a request and its end
 * are a legal way to ask. Only where TLS has said nothing at all since the
 * handshake, not even that this is the end, nobody is there any more. */
static void
ended(struct connection *connection, const struct gate *gate)
{
	if (gate->engine && gate->in.length == 0)
		gone(connection, gate, REASON_CLIENT_CLOSED,
		     "closed before it was authorized");
	else
		connection->authorizing->is_peer_silent = true;
}

void
authorize_event(struct connection *connection, struct gate *gate, short what)
{
	enum io_result result = IO_DONE;
	struct span wire;

	if (what & EV_WRITE)
		result = gate_flush(gate);
	if ((result == IO_DONE || result == IO_AGAIN) && (what & EV_READ)) {
		result = gate_recv(gate, EARLY_MAX - gate->in.length, &wire);
		if (result == IO_DONE)
			held_append(&gate->in, wire.bytes, wire.length);
	}
	switch (result) {
	case IO_DONE:
	case IO_AGAIN:
		return;
	case IO_END:
		ended(connection, gate);
		return;
	case IO_TRUNCATED:
	case IO_RESET:
	case IO_FAILED:
		gone(connection, gate, REASON_RESET,
		     "reset before it was authorized");
		return;
	}
}
