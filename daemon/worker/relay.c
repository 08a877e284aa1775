/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RELAY and DRAIN: the pump. Both directions run the same code, which knows
 * nothing of client or server, plain or TLS.
 *
 * A flow takes a bounded span from its source and sends it on at once. What
 * the destination does not take is held, and the source is not read again
 * until it is gone: that is all the back-pressure there is.
 */
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* What a flow may take at once at first, and after it has stalled. */
#define ALLOWANCE_MIN ((size_t)64 * 1024)

/* The same when that was so many times the work of as large a transfer. */
#define ALLOWANCE_TINY ((size_t)16 * 1024)
#define TINY_FACTOR    8

/* After so much work for one direction the others have their turn. */
#define TURN_BUDGET ((size_t)2 * 1024 * 1024)

static struct gate *
opposite(struct gate *gate)
{
	struct connection *connection = gate->connection;

	return connection_is_accept(gate) ? &connection->connect
					  : &connection->accept;
}

static struct flow *
flow_from(struct gate *source)
{
	struct connection *connection = source->connection;

	return connection_is_accept(source) ? &connection->up
					    : &connection->down;
}

static const char *
side(const struct gate *gate)
{
	return connection_is_accept(gate) ? "client" : "backend";
}

/* A gate can go no further. When the other side had said its proper end
 * before, this is merely how this one closes. */
static void
broken(struct gate *gate, enum io_result result)
{
	struct connection *connection = gate->connection;
	enum reason closed = connection_is_accept(gate) ? REASON_CLIENT_CLOSED
							: REASON_BACKEND_CLOSED;
	const struct tls_failure *failure;

	switch (result) {
	case IO_TRUNCATED:
		if (gate->has_finished &&
		    connection_shutdown(gate) != TLS_SHUTDOWN_FULL) {
			connection_close(connection, closed,
					 "the %s answered our end with a bare "
					 "FIN",
					 side(gate));
			return;
		}
		connection_close(connection, REASON_TRUNCATED,
				 "the %s sent no close_notify", side(gate));
		return;
	case IO_RESET:
		if (gate->has_finished || gate->has_ended) {
			connection_close(connection, closed,
					 "the %s reset after its end or ours",
					 side(gate));
			return;
		}
		connection_close(connection, REASON_RESET, "by the %s",
				 side(gate));
		return;
	case IO_FAILED:
	case IO_DONE:
	case IO_AGAIN:
	case IO_END:
		break;
	}
	failure = gate->engine ? tls_engine_failure(gate->engine) : NULL;
	if (failure && failure->fault != TLS_FAULT_NONE)
		connection_close(connection,
				 failure->fault == TLS_FAULT_ALERT
					 ? REASON_RESET
					 : REASON_ERROR,
				 "%s: %s", side(gate), failure->text);
	else
		connection_close(connection, REASON_ERROR, "%s: I/O failed",
				 side(gate));
}

/* Pass the source's end on once everything before it has left. */
static bool
pass_end(struct gate *source, struct gate *destination)
{
	enum io_result result;

	if (!source->has_ended || destination->has_finished ||
	    gate_is_stuck(destination))
		return true;
	result = destination->stream->finish(destination);
	if (result == IO_DONE || result == IO_AGAIN)
		return true;
	broken(destination, result);
	return false;
}

static void
adapt(struct flow *flow, const struct gate *destination,
      const struct received *received, size_t max)
{
	if (gate_is_stuck(destination))
		flow->allowance = ALLOWANCE_MIN;
	else if (received->work > TINY_FACTOR * flow->allowance)
		flow->allowance = ALLOWANCE_TINY;
	else if (received->plain.length >= flow->allowance / 2 &&
		 flow->allowance < max)
		flow->allowance *= 2;
	if (flow->allowance > max)
		flow->allowance = max;
}

/* Move what can be moved from one gate to the other. False: the connection
 * is closed. */
static bool
flow_pump(struct gate *source)
{
	struct connection *connection = source->connection;
	struct gate *destination = opposite(source);
	struct flow *flow = flow_from(source);
	size_t budget = TURN_BUDGET;

	while (gate_may_read(source, destination) && budget > 0) {
		struct received received = {.work = 0};
		enum io_result sent = IO_DONE, result;

		result = source->stream->receive(source, flow->allowance,
						 &received);
		if (received.plain.length > 0) {
			flow->bytes += received.plain.length;
			connection->activity_ms = connection->now_ms;
			sent = destination->stream->send(destination,
							 &received.plain);
			adapt(flow, destination, &received,
			      connection->service->conf->buffers.max);
		}
		if (sent != IO_DONE) {
			broken(destination, sent);
			return false;
		}
		if (result == IO_AGAIN)
			break;
		if (result == IO_END)
			source->has_ended = true;
		else if (result != IO_DONE) {
			broken(source, result);
			return false;
		}
		if (received.is_drained)
			break;
		budget -= received.work < budget ? received.work : budget;
	}
	/* TLS that has read may have got rid of what it held, behind which
	 * the other side's end was waiting. */
	return pass_end(source, destination) && pass_end(destination, source);
}

/* After every turn: is it over, or half over? */
static void
look(struct connection *connection)
{
	const struct gate *accept = &connection->accept;
	const struct gate *backend = &connection->connect;

	if (accept->has_finished && backend->has_finished &&
	    accept->out.length == 0 && backend->out.length == 0) {
		connection_close(connection, REASON_DONE, NULL);
		return;
	}
	if (connection->state == CONNECTION_RELAY &&
	    (accept->has_ended || backend->has_ended))
		connection_enter(connection, CONNECTION_DRAIN);
	if (gate_is_stuck(accept) || gate_is_stuck(backend))
		connection_update_timer(connection);
}

void
relay_start(struct connection *connection)
{
	connection->up.allowance = ALLOWANCE_MIN;
	connection->down.allowance = ALLOWANCE_MIN;
	connection->activity_ms = connection->now_ms;
	connection_enter(connection, CONNECTION_RELAY);
	if (connection->accept.engine)
		tls_engine_allow_tickets(connection->accept.engine);
	/* Bytes that came behind a handshake are shown by no event. */
	if (connection->accept.in.length > 0 && !flow_pump(&connection->accept))
		return;
	if (connection->connect.in.length > 0 &&
	    !flow_pump(&connection->connect))
		return;
	look(connection);
}

void
relay_event(struct connection *connection, struct gate *gate, short what)
{
	if (what & EV_WRITE) {
		enum io_result flushed = gate_flush(gate);

		if (flushed == IO_RESET || flushed == IO_FAILED) {
			broken(gate, flushed);
			return;
		}
		connection->activity_ms = connection->now_ms;
		/* There is room again: whatever the source had to keep back,
		 * its end included, moves on. */
		if (flushed == IO_DONE && !flow_pump(opposite(gate)))
			return;
	}
	if ((what & EV_READ) && !flow_pump(gate))
		return;
	look(connection);
}
