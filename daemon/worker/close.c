/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CLOSE: what a connection still has to say before its descriptors go. A
 * peer gets what we hold for it; then
 *
 *	after a proper end		the descriptor is closed;
 *	when the end was not proper	a plain TCP peer gets a reset once its
 *					kernel has taken all bytes, so that a
 *					truncation never looks like an end; a
 *					TLS peer sees that close_notify is
 *					missing;
 *	after a refused handshake	we wait for the peer to close, so that
 *					a reset cannot overtake the alert.
 *
 * UNIX sockets cannot carry a reset: there the access record alone tells.
 */
#include <assert.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/route/route.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* How long a farewell may take without progress. */
#define FAREWELL_MS 2000

/* How often we look whether a socket's queue has left. */
#define QUEUE_LOOK_MS 100

/* Is the gate a TLS one, whether its handshake has begun or not? */
static bool
has_tls(const struct gate *gate)
{
	const struct route_service *service = gate->connection->service;

	return connection_is_accept(gate) ? service->accept != NULL
					  : service->connect != NULL;
}

static bool
wants_reset(const struct gate *gate)
{
	return gate->is_tcp && !has_tls(gate);
}

/* Bytes that the peer's kernel has not acknowledged yet. */
static bool
has_queue(const struct gate *gate)
{
	int queued = 0;

	return ioctl(gate->descriptor, SIOCOUTQ, &queued) == 0 && queued > 0;
}

static void
rearm(struct connection *connection, int64_t wait_ms)
{
	timer_set(&connection->worker->wheel, &connection->timer,
		  connection->now_ms + wait_ms);
	worker_need_tick(connection->worker);
}

void
close_finish(struct connection *connection)
{
	gate_close(&connection->accept);
	gate_close(&connection->connect);
	timer_clear(&connection->worker->wheel, &connection->timer);
	worker_connection_ended(connection->worker, connection);
}

/* Read and forget until the peer closes. True: it did. */
static bool
discard(struct gate *gate)
{
	struct span wire;
	enum io_result result;

	for (int turn = 0; turn < 4; turn++) {
		result = gate_recv(gate, 65536, &wire);
		if (result == IO_AGAIN)
			return false;
		if (result != IO_DONE)
			return true;
	}
	return false;
}

/* One gate's next step. Afterwards it is closed, or armed, or the timer will
 * come back to it. */
static void
farewell(struct gate *gate)
{
	enum io_result flushed;

	if (gate->descriptor < 0)
		return;
	flushed = gate_flush(gate);
	if (flushed == IO_AGAIN) {
		gate_arm(gate, EV_WRITE);
		return;
	}
	if (flushed != IO_DONE || gate->is_broken) {
		gate_close(gate);
		return;
	}
	if (wants_reset(gate)) {
		gate_arm(gate, 0);
		if (has_queue(gate))
			rearm(gate->connection, QUEUE_LOOK_MS);
		else
			gate_reset(gate);
		return;
	}
	if (!gate->has_finished) {
		gate->has_finished = true;
		(void)shutdown(gate->descriptor, SHUT_WR);
	}
	if (discard(gate))
		gate_close(gate);
	else
		gate_arm(gate, EV_READ);
}

static void
step(struct connection *connection)
{
	farewell(&connection->accept);
	farewell(&connection->connect);
	if (connection->accept.descriptor < 0 &&
	    connection->connect.descriptor < 0)
		close_finish(connection);
}

void
close_start(struct connection *connection, enum connection_state from)
{
	bool is_relaying = from == CONNECTION_RELAY || from == CONNECTION_DRAIN;

	if (connection->reason == REASON_DONE ||
	    (!is_relaying && connection->reason == REASON_CLIENT_CLOSED)) {
		close_finish(connection);
		return;
	}
	/* A backend that has not been given a byte needs no farewell. */
	if (!is_relaying)
		gate_close(&connection->connect);
	connection->activity_ms = connection->now_ms;
	rearm(connection, FAREWELL_MS);
	step(connection);
}

void
close_event(struct connection *connection, struct gate *gate, short what)
{
	(void)gate;
	if (what & EV_WRITE) {
		connection->activity_ms = connection->now_ms;
		rearm(connection, FAREWELL_MS);
	}
	step(connection);
}

void
close_expired(struct connection *connection)
{
	struct gate *gates[] = {&connection->accept, &connection->connect};

	if (connection->now_ms - connection->activity_ms < FAREWELL_MS) {
		rearm(connection, FAREWELL_MS);
		step(connection);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(gates); i++) {
		if (wants_reset(gates[i]))
			gate_reset(gates[i]);
	}
	close_finish(connection);
}
