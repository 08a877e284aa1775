/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gate without TLS: what is on the wire is the data.
 */
#include "daemon/worker/gate.h"

static enum io_result
plain_receive(struct gate *gate, size_t limit, struct received *received)
{
	enum io_result result = gate_recv(gate, limit, &received->plain);

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
