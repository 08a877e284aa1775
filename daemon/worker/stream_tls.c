/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gate with TLS: the engine stands between the wire and the data. It takes
 * all input it is given, so nothing is ever hidden inside TLS between events.
 */
#include <sys/socket.h>

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

/* Decrypt one span; replies (to a KeyUpdate, say) leave at once. */
static enum io_result
decrypt(struct gate *gate, const struct span *wire, struct span *plain)
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
	plain->bytes = worker->plain.bytes;
	plain->length = worker->plain.length;
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
tls_receive(struct gate *gate, size_t limit, struct span *plain,
	    bool *is_drained)
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
		result = decrypt(gate, &wire, plain);
		held_clear(&early);
		*is_drained = false;
		return result;
	}
	result = gate_recv(gate, limit, &wire);
	*is_drained = result != IO_DONE || wire.length < limit;
	if (result == IO_END)
		return end_without_notify(gate);
	if (result != IO_DONE)
		return result;
	return decrypt(gate, &wire, plain);
}

static enum io_result
tls_send(struct gate *gate, const struct span *plain)
{
	struct worker *worker = gate->connection->worker;

	if (tls_engine_encrypt(gate->engine, plain->bytes, plain->length,
			       &worker->wire) != TLS_DONE) {
		worker->wire.length = 0;
		gate->is_broken = true;
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
		tls_engine_close(gate->engine, &worker->wire);
		result = gate_write_output(gate, &worker->wire);
	}
	gate->has_finished = true;
	if (gate->out.length == 0 && result == IO_DONE)
		(void)shutdown(gate->descriptor, SHUT_WR);
	return result;
}

const struct stream stream_tls = {tls_receive, tls_send, tls_finish};
