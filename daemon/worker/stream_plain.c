/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gate without TLS: what is on the wire is the data.
 */
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/gate.h"
#include "daemon/worker/worker.h"

/* What came before there was anybody to send it to. */
static enum io_result
take_early(struct gate *gate, struct received *received)
{
	struct tls_output *raw = &gate->connection->worker->raw;

	raw->length = 0;
	tls_output_append(raw, gate->in.bytes + gate->in.start,
			  gate->in.length);
	received->plain.bytes = raw->bytes;
	received->plain.length = received->work = raw->length;
	raw->length = 0;
	held_clear(&gate->in);
	return IO_DONE;
}

static enum io_result
plain_receive(struct gate *gate, size_t limit, struct received *received)
{
	enum io_result result;

	if (gate->in.length > 0)
		return take_early(gate, received);
	result = gate_recv(gate, limit, &received->plain);

	received->work = received->plain.length;
	received->is_drained = received->plain.length < limit;
	return result;
}

static enum io_result
plain_send(struct gate *gate, const struct span *plain)
{
	return gate_write(gate, plain->bytes, plain->length);
}

static enum io_result
plain_finish(struct gate *gate)
{
	gate->has_finished = true;
	if (gate->out.length == 0)
		gate_send_end(gate);
	return IO_DONE;
}

const struct stream stream_plain = {plain_receive, plain_send, plain_finish};
