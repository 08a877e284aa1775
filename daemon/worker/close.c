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
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* How long a farewell may take without progress, and however slowly the peer
 * takes what is left. */
#define FAREWELL_MS     2000
#define FAREWELL_MAX_MS 10000

/* How often we look whether a socket's queue has left. */
#define QUEUE_LOOK_MS 100

/* Bytes that the peer's kernel has not acknowledged yet. */
static int
queued_bytes(const struct gate *gate)
{
	int queued = 0;

	return ioctl(gate->descriptor, SIOCOUTQ, &queued) == 0 ? queued : 0;
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

/* Reset as soon as the peer's kernel has everything. True: it has not, and no
 * event will tell when it has. */
static bool
reset_behind_queue(struct gate *gate)
{
	int queued = queued_bytes(gate);

	if (queued == 0) {
		gate_reset(gate);
		return false;
	}
	if (queued != gate->queued)
		gate->connection->activity_ms = gate->connection->now_ms;
	gate->queued = queued;
	gate_arm(gate, 0);
	return true;
}

/* One gate's next step. Afterwards it is closed, or armed, or wants to be
 * looked at again soon (true). */
static bool
farewell(struct gate *gate)
{
	enum io_result flushed;

	if (gate->descriptor < 0)
		return false;
	flushed = gate_flush(gate);
	if (flushed == IO_AGAIN) {
		gate_arm(gate, EV_WRITE);
		return false;
	}
	if (flushed != IO_DONE || gate->is_broken) {
		gate_close(gate);
		return false;
	}
	if (gate->is_guarded)
		return reset_behind_queue(gate);
	if (!gate->has_finished) {
		gate->has_finished = true;
		gate_send_end(gate);
	}
	if (discard(gate))
		gate_close(gate);
	else
		gate_arm(gate, EV_READ);
	return false;
}

/* When there has been no progress for so long, or the peer makes it last. */
static int64_t
deadline(const struct connection *connection)
{
	int64_t idle_ms = connection->activity_ms + FAREWELL_MS;
	int64_t last_ms = connection->state_ms + FAREWELL_MAX_MS;

	return idle_ms < last_ms ? idle_ms : last_ms;
}

/* What can be said now; the timer comes back for the rest. */
static void
step(struct connection *connection)
{
	int64_t limit_ms = deadline(connection);
	bool is_queue_left;

	if (connection->now_ms >= limit_ms) {
		gate_reset(&connection->accept);
		gate_reset(&connection->connect);
		close_finish(connection);
		return;
	}
	is_queue_left = farewell(&connection->accept);
	is_queue_left |= farewell(&connection->connect);
	if (connection->accept.descriptor < 0 &&
	    connection->connect.descriptor < 0) {
		close_finish(connection);
		return;
	}
	if (is_queue_left && connection->now_ms + QUEUE_LOOK_MS < limit_ms)
		limit_ms = connection->now_ms + QUEUE_LOOK_MS;
	timer_set(&connection->worker->wheel, &connection->timer, limit_ms);
	worker_need_tick(connection->worker, limit_ms);
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
	/* Nobody waits for a signature any more. */
	if (from == CONNECTION_HANDSHAKE)
		tls_engine_free(TAKE(connection->accept.engine));
	/* A backend that has not been given a byte needs no farewell. */
	if (!is_relaying)
		gate_close(&connection->connect);
	connection->activity_ms = connection->now_ms;
	step(connection);
}

void
close_event(struct connection *connection, struct gate *gate, short what)
{
	(void)gate;
	if (what & EV_WRITE)
		connection->activity_ms = connection->now_ms;
	step(connection);
}

void
close_expired(struct connection *connection)
{
	step(connection);
}
