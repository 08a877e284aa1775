/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Birth, states, limits and end of a connection.
 */
#include "daemon/worker/connection.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/ssl.h>

#include "config.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/worker.h"

static void
note_addresses(struct connection *connection, int descriptor,
	       const struct socket_address *client)
{
	struct socket_address local = {.length = sizeof(local.storage)};

	if (client->length <= sizeof(connection->client))
		memcpy(&connection->client, &client->storage, client->length);
	if (client->storage.ss_family != AF_INET &&
	    client->storage.ss_family != AF_INET6) {
		connection->client.any.sa_family = AF_UNIX;
		connection->local.any.sa_family = AF_UNIX;
		return;
	}
	if (getsockname(descriptor, (struct sockaddr *)&local.storage,
			&local.length) == 0 &&
	    local.length <= sizeof(connection->local))
		memcpy(&connection->local, &local.storage, local.length);
}

const char *
peer_address_format(const union peer_address *peer, char *buffer, size_t size)
{
	struct socket_address socket = {.length = sizeof(*peer)};

	if (peer->any.sa_family == AF_UNIX) {
		snprintf(buffer, size, "unix:");
		return buffer;
	}
	memcpy(&socket.storage, peer, sizeof(*peer));
	socket.length = peer->any.sa_family == AF_INET6
				? sizeof(struct sockaddr_in6)
				: sizeof(struct sockaddr_in);
	return socket_address_format(&socket, buffer, size);
}

void
connection_new(struct worker *worker, const struct route_service *service,
	       int descriptor, const struct socket_address *client)
{
	struct connection *connection = mem_alloc(sizeof(*connection));
	bool is_tcp = client->storage.ss_family == AF_INET ||
		      client->storage.ss_family == AF_INET6;

	connection->worker = worker;
	connection->snapshot = snapshot_ref(worker->current);
	connection->service = service;
	connection->now_ms = clock_monotonic_ms();
	connection->started_ms = connection->now_ms;
	connection->handshake_ms = -1;
	connection->connect_ms = -1;
	note_addresses(connection, descriptor, client);
	gate_init(&connection->accept, connection);
	gate_init(&connection->connect, connection);
	gate_open(&connection->accept, descriptor, is_tcp);
	gate_tune(&connection->accept, &service->conf->accept.keepalive);
	if (!service->accept)
		gate_guard(&connection->accept);

	connection->state = CONNECTION_HELLO;
	connection->state_ms = connection->now_ms;
	TAILQ_INSERT_TAIL(&worker->lists[CONNECTION_HELLO], connection,
			  entries);
	worker->connection_count++;
	if (service->accept) {
		connection_update_timer(connection);
		hello_read(connection);
	} else
		authorize_start(connection);
	connection_update_events(connection);
}

void
connection_enter(struct connection *connection, enum connection_state state)
{
	struct worker *worker = connection->worker;

	TAILQ_REMOVE(&worker->lists[connection->state], connection, entries);
	connection->state = state;
	connection->state_ms = connection->now_ms;
	TAILQ_INSERT_TAIL(&worker->lists[state], connection, entries);
	connection_update_timer(connection);
}

/* What may end a connection for want of time. */
struct limit {
	int64_t deadline_ms;
	enum reason reason;
	const char *detail;
};

static void
tighten(struct limit *limit, int64_t since_ms, int64_t allowed_ms,
	enum reason reason, const char *detail)
{
	if (allowed_ms == 0 || (limit->deadline_ms != 0 &&
				limit->deadline_ms <= since_ms + allowed_ms))
		return;
	limit->deadline_ms = since_ms + allowed_ms;
	limit->reason = reason;
	limit->detail = detail;
}

static bool
is_paused(const struct gate *gate)
{
	return gate->engine && tls_engine_is_paused(gate->engine);
}

/* The first limit that the connection will run into as it stands. */
static struct limit
first_limit(const struct connection *connection)
{
	const struct conf_timeouts *timeouts =
		&connection->service->conf->timeouts;
	struct limit limit = {0};

	tighten(&limit, connection->started_ms, timeouts->total_ms,
		REASON_IDLE_TIMEOUT, "limit: total");
	switch (connection->state) {
	case CONNECTION_HELLO:
	case CONNECTION_HANDSHAKE:
		/* From accept on, whatever progress is made. */
		if (is_paused(&connection->accept))
			tighten(&limit, connection->started_ms,
				timeouts->handshake_ms, REASON_KEY_UNAVAILABLE,
				"the keeper did not sign in time");
		tighten(&limit, connection->started_ms, timeouts->handshake_ms,
			REASON_HANDSHAKE_TIMEOUT,
			connection->state == CONNECTION_HELLO
				? "no whole ClientHello came"
				: "the client did not finish");
		break;
	case CONNECTION_AUTHORIZE:
		break;
	case CONNECTION_CONNECT:
		if (authorize_has_own_time(connection))
			break;
		if (is_paused(&connection->connect))
			tighten(&limit, connection->state_ms,
				timeouts->connect_ms, REASON_KEY_UNAVAILABLE,
				"the keeper did not sign in time");
		tighten(&limit, connection->state_ms, timeouts->connect_ms,
			REASON_CONNECT_TIMEOUT,
			connection->connect.descriptor >= 0
				? "in the backend's TLS handshake"
				: "no backend answered");
		break;
	case CONNECTION_RELAY:
		tighten(&limit, connection->activity_ms, timeouts->idle_ms,
			REASON_IDLE_TIMEOUT, "limit: idle");
		break;
	case CONNECTION_DRAIN:
		tighten(&limit, connection->activity_ms,
			timeouts->half_close_ms, REASON_IDLE_TIMEOUT,
			"limit: half_close");
		break;
	case CONNECTION_CLOSE:
	case CONNECTION_STATE_COUNT:
		break;
	}
	if (connection->authorizing)
		tighten(&limit, 0, authorize_deadline(connection),
			REASON_AUTHORIZE_DENIED, authorize_lacks(connection));
	if (gate_is_stuck(&connection->accept))
		tighten(&limit, connection->accept.stalled_ms,
			timeouts->write_stall_ms, REASON_IDLE_TIMEOUT,
			"limit: write_stall, the client does not read");
	if (gate_is_stuck(&connection->connect))
		tighten(&limit, connection->connect.stalled_ms,
			timeouts->write_stall_ms, REASON_IDLE_TIMEOUT,
			"limit: write_stall, the backend does not read");
	return limit;
}

void
connection_update_timer(struct connection *connection)
{
	struct worker *worker = connection->worker;
	struct limit limit;

	if (connection->state == CONNECTION_CLOSE)
		return;
	limit = first_limit(connection);
	if (limit.deadline_ms == 0) {
		timer_clear(&worker->wheel, &connection->timer);
		return;
	}
	timer_set(&worker->wheel, &connection->timer, limit.deadline_ms);
	worker_need_tick(worker, limit.deadline_ms);
}

void
connection_expired(struct connection *connection)
{
	struct limit limit;

	connection->now_ms = clock_monotonic_ms();
	if (connection->state == CONNECTION_CLOSE) {
		close_expired(connection);
		return;
	}
	limit = first_limit(connection);
	if (limit.deadline_ms == 0 || limit.deadline_ms > connection->now_ms) {
		connection_update_timer(connection);
		return;
	}
	if (limit.reason != REASON_AUTHORIZE_DENIED ||
	    !authorize_expired(connection))
		connection_close(connection, limit.reason, "%s", limit.detail);
	connection_update_events(connection);
}

static short
wanted_by_relay(const struct gate *gate, const struct gate *other)
{
	short wanted = 0;

	if (gate->descriptor < 0)
		return 0;
	if (gate_may_read(gate, other))
		wanted |= EV_READ;
	if (gate->out.length > 0)
		wanted |= EV_WRITE;
	return wanted;
}

static short
wanted_by_handshake(const struct gate *gate)
{
	short wanted = EV_READ;

	/* While a signature is made, a peer that goes away is noticed; one that
	 * goes on talking is not listened to. */
	if (is_paused(gate) && gate->in.length > 0)
		wanted = 0;
	if (gate->out.length > 0)
		wanted |= EV_WRITE;
	return wanted;
}

static short
wanted_in_connect(const struct connection *connection)
{
	if (connection->authorizing)
		return authorize_wants(connection);
	return connection->connect.descriptor >= 0
		       ? wanted_by_handshake(&connection->connect)
		       : 0;
}

void
connection_update_events(struct connection *connection)
{
	struct gate *accept = &connection->accept;
	struct gate *backend = &connection->connect;

	switch (connection->state) {
	case CONNECTION_HELLO:
	case CONNECTION_HANDSHAKE:
		gate_arm(accept, wanted_by_handshake(accept));
		break;
	case CONNECTION_AUTHORIZE:
		gate_arm(accept, authorize_wants(connection));
		break;
	case CONNECTION_CONNECT:
		gate_arm(accept, accept->out.length > 0 ? EV_WRITE : 0);
		gate_arm(backend, wanted_in_connect(connection));
		assert(connection->connecting);
		break;
	case CONNECTION_RELAY:
	case CONNECTION_DRAIN:
		gate_arm(accept, wanted_by_relay(accept, backend));
		gate_arm(backend, wanted_by_relay(backend, accept));
		assert(accept->armed || backend->armed);
		break;
	case CONNECTION_CLOSE:
	case CONNECTION_STATE_COUNT:
		break; /* close.c arms its own */
	}
}

void
connection_event(struct connection *connection, struct gate *gate, short what)
{
	connection->now_ms = clock_monotonic_ms();
	switch (connection->state) {
	case CONNECTION_HELLO:
		hello_read(connection);
		break;
	case CONNECTION_HANDSHAKE:
		handshake_event(connection, what);
		break;
	case CONNECTION_AUTHORIZE:
		authorize_event(connection, gate, what);
		break;
	case CONNECTION_CONNECT:
		if (!connection_is_accept(gate) && connection->authorizing)
			authorize_event(connection, gate, what);
		else if (!connection_is_accept(gate))
			connect_event(connection, what);
		else if (gate_flush(gate) == IO_RESET)
			connection_close(connection, REASON_RESET,
					 "by the client");
		break;
	case CONNECTION_RELAY:
	case CONNECTION_DRAIN:
		relay_event(connection, gate, what);
		break;
	case CONNECTION_CLOSE:
		close_event(connection, gate, what);
		break;
	case CONNECTION_STATE_COUNT:
		break;
	}
	connection_update_events(connection);
	assert(connection->worker->wire.length == 0);
	assert(connection->worker->plain.length == 0);
}

#if !defined(SEALOCK_SANITIZED)
/* What was waited for is there, or will not be: what came meanwhile is next. */
static void
on_key(struct key_operation *operation, void *argument)
{
	struct gate *gate = argument;
	struct connection *connection = gate->connection;
	struct held held = gate->in;
	struct span wire = {(const unsigned char *)"", 0};

	(void)operation;
	gate->in = (struct held){0};
	if (held.length > 0)
		wire = (struct span){held.bytes + held.start, held.length};
	connection->now_ms = clock_monotonic_ms();
	if (connection_is_accept(gate))
		handshake_continue(connection, &wire);
	else
		connect_continue(connection, &wire);
	held_clear(&held);
	connection_update_events(connection);
	assert(connection->worker->wire.length == 0);
}
#endif

void
connection_await_keys(struct gate *gate)
{
	/* AddressSanitizer does not follow the fibres of OpenSSL's jobs: there
	 * a signature is waited for in the call. */
#if !defined(SEALOCK_SANITIZED)
	if (snapshot_is_isolated(gate->connection->snapshot) &&
	    SSL_get_privatekey(tls_engine_ssl(gate->engine)))
		tls_engine_set_async(gate->engine, on_key, gate);
#else
	(void)gate;
#endif
}

void
connection_close(struct connection *connection, enum reason reason,
		 const char *detail, ...)
{
	enum connection_state from = connection->state;
	char text[1024] = "";
	va_list arguments;

	assert(from != CONNECTION_CLOSE && reason != REASON_NONE);
	if (detail) {
		va_start(arguments, detail);
		vsnprintf(text, sizeof(text), detail, arguments);
		va_end(arguments);
	}
	authorize_cancel(connection);
	connect_cancel(connection);
	connection->reason = reason;
	access_log_write(connection, text);
	connection_enter(connection, CONNECTION_CLOSE);
	close_start(connection, from);
}

void
connection_abandon(struct connection *connection)
{
	authorize_cancel(connection);
	connect_cancel(connection);
	close_finish(connection);
}

enum tls_shutdown
connection_shutdown(const struct gate *gate)
{
	const struct connection *connection = gate->connection;

	if (connection_is_accept(gate))
		return (enum tls_shutdown)connection->shutdown;
	return connection->service->conf->connect.tls->shutdown;
}
