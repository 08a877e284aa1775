/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONNECT: reach a backend. Its names are looked up, its addresses tried
 * (connect_attempts.c), and then, if the gate says so, there is TLS as a
 * client; a backend that fails there is passed over for the next one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/session_client.h"
#include "common/tls/tls_engine.h"
#include "common/tls/tls_policy.h"
#include "daemon/worker/backend_sessions.h"
#include "daemon/worker/candidates.h"
#include "daemon/worker/connecting.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/names.h"
#include "daemon/worker/worker.h"

void
connecting_note(struct connecting *connecting, enum reason reason,
		const char *format, ...)
{
	va_list arguments;

	connecting->reason = reason;
	va_start(arguments, format);
	vsnprintf(connecting->detail, sizeof(connecting->detail), format,
		  arguments);
	va_end(arguments);
}

void
connect_cancel(struct connection *connection)
{
	struct connecting *connecting = TAKE(connection->connecting);
	const struct gate *gate = &connection->connect;

	if (!connecting)
		return;
	/* Who does not answer may be at a loss with the session. */
	if (gate->engine && gate->stream != &stream_tls)
		session_client_failed(tls_engine_ssl(gate->engine));
	connecting_cancel(connecting);
	names_cancel(&connecting->waiter);
	candidates_clear(&connecting->candidates);
	mem_free(connecting);
}

void
connect_finish(struct connection *connection)
{
	struct gate *gate = &connection->connect;

	if (gate->engine)
		session_client_keep(tls_engine_ssl(gate->engine));
	connection->connect_ms =
		(int32_t)(connection->now_ms - connection->state_ms);
	connect_cancel(connection);
	relay_start(connection);
}

/* This backend will not do: the next one, if there is one. */
static void
pass_over(struct connecting *connecting)
{
	struct connection *connection = connecting->connection;
	struct gate *gate = &connection->connect;

	if (gate->engine)
		session_client_failed(tls_engine_ssl(gate->engine));
	if (gate->stream == &stream_tls)
		connection->refused = TAKE(gate->engine);
	gate_close(gate);
	gate_init(gate, connection);
	connecting_try_next(connecting);
}

static enum reason
reason_of(enum tls_fault fault)
{
	switch (fault) {
	case TLS_FAULT_CERTIFICATE:
		return REASON_BACKEND_CERT_REJECTED;
	case TLS_FAULT_NAME:
		return REASON_BACKEND_NAME_MISMATCH;
	case TLS_FAULT_REVOKED:
		return REASON_BACKEND_REVOKED;
	case TLS_FAULT_KEY:
		return REASON_KEY_UNAVAILABLE;
	case TLS_FAULT_INTERNAL:
		return REASON_ERROR;
	case TLS_FAULT_NONE:
	case TLS_FAULT_PROTOCOL:
	case TLS_FAULT_PLAINTEXT:
	case TLS_FAULT_NO_SHARED_CIPHER:
	case TLS_FAULT_ALERT:
	case TLS_FAULT_UNKNOWN_NAME:
	case TLS_FAULT_NO_CERTIFICATE:
	case TLS_FAULT_EOF:
		break;
	}
	return REASON_BACKEND_HANDSHAKE_FAILED;
}

/* Whom we want to talk to; NULL: nobody by name. */
static const char *
verify_name(const struct connection *connection,
	    const struct address *configured)
{
	const struct tls_settings *tls = connection->service->conf->connect.tls;

	return tls->verify.name ? tls->verify.name : configured->host;
}

static void
tls_finished(struct connecting *connecting, const struct tls_input *rest)
{
	struct connection *connection = connecting->connection;
	struct gate *gate = &connection->connect;
	struct error error = {.text = ""};

	if (tls_policy_confirm_client(connection->service->connect->policy,
				      tls_engine_ssl(gate->engine),
				      &error) != 0) {
		connecting_note(connecting, REASON_BACKEND_CERT_REJECTED,
				"%s: %s", connection->backend, error.text);
		pass_over(connecting);
		return;
	}
	held_append(&gate->in, rest->bytes, rest->length);
	gate->stream = &stream_tls;
	authorize_backend(connection,
			  verify_name(connection, connecting->reached));
}

void
connect_refused(struct connection *connection, enum reason reason,
		const char *detail)
{
	struct connecting *connecting = connection->connecting;

	connecting_note(connecting, reason, "%s: %s", connection->backend,
			detail);
	pass_over(connecting);
}

void
connect_continue(struct connection *connection, const struct span *wire)
{
	struct connecting *connecting = connection->connecting;
	struct worker *worker = connection->worker;
	struct gate *gate = &connection->connect;
	struct tls_input input = {wire->bytes, wire->length};
	const struct tls_failure *failure;
	enum tls_result result;
	enum io_result written;

	result = tls_engine_handshake(gate->engine, &input, &worker->wire);
	written = gate_write_output(gate, &worker->wire);
	switch (result) {
	case TLS_DONE:
		if (written == IO_DONE) {
			tls_finished(connecting, &input);
			return;
		}
		break;
	case TLS_WANT_INPUT:
		if (written == IO_DONE)
			return;
		break;
	case TLS_WANT_KEY:
		held_append(&gate->in, input.bytes, input.length);
		if (written == IO_DONE)
			return;
		break;
	case TLS_FAILED:
	case TLS_CLOSED:
		failure = tls_engine_failure(gate->engine);
		connecting_note(connecting, reason_of(failure->fault), "%s: %s",
				connection->backend, failure->text);
		pass_over(connecting);
		return;
	}
	connecting_note(connecting, REASON_BACKEND_HANDSHAKE_FAILED,
			"%s: reset during the handshake", connection->backend);
	pass_over(connecting);
}

/* What to ask the backend for (SNI); NULL: nothing. */
static const char *
server_name(const struct connection *connection,
	    const struct address *configured)
{
	const struct tls_settings *tls = connection->service->conf->connect.tls;

	switch (tls->server_name_kind) {
	case TLS_SERVER_NAME_BACKEND:
		return configured->kind == ADDRESS_HOST ? configured->host
							: NULL;
	case TLS_SERVER_NAME_GIVEN:
		return tls->server_name;
	case TLS_SERVER_NAME_PASS:
		return connection->accept.engine
			       ? SSL_get_servername(
					 tls_engine_ssl(
						 connection->accept.engine),
					 TLSEXT_NAMETYPE_host_name)
			       : NULL;
	case TLS_SERVER_NAME_NONE:
		break;
	}
	return NULL;
}

static void
tls_start(struct connecting *connecting, const struct address *configured)
{
	static const struct span nothing = {(const unsigned char *)"", 0};
	struct connection *connection = connecting->connection;
	const struct route_connect *route = connection->service->connect;
	struct gate *gate = &connection->connect;
	const char *sent = server_name(connection, configured);
	const char *wanted = verify_name(connection, configured);
	struct error error = {.text = ""};

	gate->engine = tls_engine_new_client(route->context);
	if (!gate->engine ||
	    tls_policy_prepare_client(route->policy,
				      tls_engine_ssl(gate->engine), sent,
				      wanted, &error) != 0) {
		connection_close(connection, REASON_ERROR, "%s",
				 gate->engine ? error.text
					      : "no memory for TLS");
		return;
	}
	backend_sessions_offer(connection, sent, wanted);
	connection_await_keys(gate);
	connect_continue(connection, &nothing);
}

/* A socket is connected; the others are not needed any more. */
void
connecting_won(struct connecting *connecting, size_t index, int descriptor)
{
	struct connection *connection = connecting->connection;
	const struct candidate *candidate = &connecting->candidates.list[index];
	sa_family_t family = candidate->socket.storage.ss_family;
	char text[256];

	connecting_cancel(connecting);
	/* Should its TLS fail, the next one is tried, never this one again. */
	if (connecting->next <= index)
		connecting->next = index + 1;
	gate_open(&connection->connect, descriptor,
		  family == AF_INET || family == AF_INET6);
	gate_tune(&connection->connect,
		  &connection->service->conf->accept.keepalive);
	tls_engine_free(TAKE(connection->refused));
	mem_free(connection->backend);
	connection->backend =
		mem_strdup(candidate_format(candidate, text, sizeof(text)));
	connecting->reached = candidate->configured;
	if (connection->service->connect)
		tls_start(connecting, candidate->configured);
	else {
		gate_guard(&connection->connect);
		connect_finish(connection);
	}
}

static void
collect(struct connecting *connecting);

static void
on_resolved(void *argument)
{
	struct connecting *connecting = argument;
	struct connection *connection = connecting->connection;

	connection->now_ms = clock_monotonic_ms();
	candidates_clear(&connecting->candidates);
	collect(connecting);
	connection_update_events(connection);
}

/* A name without an answer yet is waited for only when there is nothing else
 * to try. */
static void
collect(struct connecting *connecting)
{
	struct connection *connection = connecting->connection;
	struct names *names = connection->worker->names;

	candidates_collect(&connection->service->conf->connect, names,
			   &connecting->candidates);
	if (connecting->candidates.count > 0)
		connecting_try_next(connecting);
	else if (connecting->candidates.pending)
		names_wait(names, connecting->candidates.pending,
			   &connecting->waiter);
	else
		connection_close(connection, REASON_NO_BACKEND, "%s",
				 connecting->candidates.error);
}

void
connect_start(struct connection *connection)
{
	struct connecting *connecting = mem_alloc(sizeof(*connecting));

	connecting->connection = connection;
	connecting->waiter.resolved = on_resolved;
	connecting->waiter.argument = connecting;
	connecting_init(connecting);
	connection->connecting = connecting;
	connection_enter(connection, CONNECTION_CONNECT);
	collect(connecting);
}

void
connect_event(struct connection *connection, short what)
{
	struct connecting *connecting = connection->connecting;
	struct gate *gate = &connection->connect;
	enum io_result result = IO_DONE;
	struct span wire;

	if (what & EV_WRITE)
		result = gate_flush(gate);
	if ((result == IO_DONE || result == IO_AGAIN) && (what & EV_READ)) {
		result = gate_recv(gate, 65536, &wire);
		if (result == IO_DONE) {
			if (tls_engine_is_paused(gate->engine))
				held_append(&gate->in, wire.bytes, wire.length);
			else
				connect_continue(connection, &wire);
			return;
		}
	}
	if (result == IO_DONE || result == IO_AGAIN)
		return;
	connecting_note(connecting, REASON_BACKEND_HANDSHAKE_FAILED, "%s: %s",
			connection->backend,
			result == IO_END ? "closed during the handshake"
					 : "reset during the handshake");
	pass_over(connecting);
}
