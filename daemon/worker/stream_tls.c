/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gate with TLS: the engine stands between the wire and the data. It takes
 * all input it is given, so nothing is ever hidden inside TLS between events.
 */
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/gate.h"
#include "daemon/worker/worker.h"

/* More than this off the wire at once does not make decryption cheaper. */
#define RECEIVE_MAX (256 * 1024)

static enum io_result
end_without_notify(struct gate *gate)
{
	return tls_engine_is_closed(gate->engine) ? IO_END : IO_TRUNCATED;
}

/* What a record adds to its data is about 22 bytes, and taking it off costs as
 * much as decrypting some kilobytes: a flood of tiny records is many times
 * the work of a transfer with as many bytes on the wire. */
static size_t
work_of(size_t wire, size_t plain)
{
	return wire > plain ? wire + (wire - plain) * 128 : wire;
}

/* Before more is sent, or the end: from when on does the peer take nothing? */
static void
note_stall(struct gate *gate)
{
	if (!gate_is_stuck(gate))
		gate->stalled_ms = gate->connection->now_ms;
}

/* Decrypt one span; replies (to a KeyUpdate, say) leave at once. */
static enum io_result
decrypt(struct gate *gate, const struct span *wire, struct received *received)
{
	struct worker *worker = gate->connection->worker;
	struct tls_input input = {wire->bytes, wire->length};
	enum tls_result result;
	enum io_result written;

	worker->plain.length = 0;
	result = tls_engine_decrypt(gate->engine, &input, &worker->plain,
				    &worker->wire);
	if (gate->out.length > 0)
		gate->replies += worker->wire.length;
	written = gate_write_output(gate, &worker->wire);
	received->plain.bytes = worker->plain.bytes;
	received->plain.length = worker->plain.length;
	received->work = work_of(wire->length, worker->plain.length);
	worker->plain.length = 0;
	switch (result) {
	case TLS_CLOSED:
		return IO_END;
	case TLS_DONE:
	case TLS_WANT_INPUT:
		return written;
	case TLS_WANT_KEY:
	case TLS_FAILED:
		break;
	}
	return IO_FAILED;
}

static enum io_result
tls_receive(struct gate *gate, size_t limit, struct received *received)
{
	enum io_result result;
	struct span wire;

	if (limit > RECEIVE_MAX)
		limit = RECEIVE_MAX;
	if (gate->in.length > 0) {
		struct held early = gate->in;

		gate->in = (struct held){0};
		wire.bytes = early.bytes + early.start;
		wire.length = early.length;
		result = decrypt(gate, &wire, received);
		held_clear(&early);
		return result;
	}
	result = gate_recv(gate, limit, &wire);
	received->is_drained = result != IO_DONE || wire.length < limit;
	if (result == IO_END)
		return end_without_notify(gate);
	if (result != IO_DONE)
		return result;
	return decrypt(gate, &wire, received);
}

static enum io_result
tls_send(struct gate *gate, const struct span *plain)
{
	struct worker *worker = gate->connection->worker;

	note_stall(gate);
	if (tls_engine_encrypt(gate->engine, plain->bytes, plain->length,
			       &worker->wire) != TLS_DONE) {
		worker->wire.length = 0;
		return IO_FAILED;
	}
	return gate_write_output(gate, &worker->wire);
}

static enum io_result
tls_finish(struct gate *gate)
{
	struct worker *worker = gate->connection->worker;
	enum io_result result = IO_DONE;

	if (connection_shutdown(gate) != TLS_SHUTDOWN_NONE) {
		note_stall(gate);
		tls_engine_close(gate->engine, &worker->wire);
		result = gate_write_output(gate, &worker->wire);
		if (result == IO_DONE && tls_engine_is_holding(gate->engine))
			return IO_AGAIN;
	}
	gate->has_finished = true;
	if (gate->out.length == 0 && result == IO_DONE)
		gate_send_end(gate);
	return result;
}

const struct stream stream_tls = {tls_receive, tls_send, tls_finish};
