/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HELLO: read the ClientHello before OpenSSL sees it and choose the policy by
 * it. The first read comes right after accept, when a deferred accept has the
 * hello there already, so most connections never wait here.
 */
#include <assert.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/route/route.h"
#include "common/tls/client_hello.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/worker.h"

/* RFC 8446 6.2 */
#define ALERT_INTERNAL_ERROR    80
#define ALERT_UNRECOGNIZED_NAME 112

static void
send_alert(struct gate *gate, uint8_t description)
{
	const unsigned char record[] = {21, 3, 3, 0, 2, 2, description};

	(void)gate_write(gate, record, sizeof(record));
}

static void
refuse(struct connection *connection, enum reason reason, uint8_t alert,
       const char *detail)
{
	send_alert(&connection->accept, alert);
	connection_close(connection, reason, "%s", detail);
}

/* The name as the log shows it. */
static void
note_server_name(struct connection *connection,
		 const struct client_hello *hello)
{
	char escaped[4 * sizeof(hello->raw_name) + 1];

	if (!hello->has_server_name)
		return;
	if (hello->is_server_name_valid) {
		connection->server_name = mem_strdup(hello->server_name);
		return;
	}
	text_escape(hello->raw_name, hello->raw_name_length, escaped,
		    sizeof(escaped));
	connection->server_name = mem_strdup(escaped);
}

static void
choose(struct connection *connection, const struct client_hello *hello,
       const struct span *input)
{
	struct error error = {0};
	struct route_choice choice;

	note_server_name(connection, hello);
	switch (route_choose(connection->snapshot->routes, connection->service,
			     hello, &choice, &error)) {
	case ROUTE_FOUND:
		break;
	case ROUTE_UNKNOWN_NAME:
		refuse(connection, REASON_UNKNOWN_NAME, ALERT_UNRECOGNIZED_NAME,
		       hello->has_server_name ? "no certificate for that name"
					      : "the client named no server");
		return;
	case ROUTE_FAILED:
		refuse(connection, REASON_ERROR, ALERT_INTERNAL_ERROR,
		       error.text);
		return;
	}
	connection->shutdown = (uint8_t)choice.shutdown;
	handshake_start(connection, &choice, input);
}

/* Look at all that has come. False: wait for more. */
static bool
examine(struct connection *connection, const struct span *input)
{
	struct client_hello hello;
	uint8_t alert = ALERT_INTERNAL_ERROR;

	switch (client_hello_parse(input->bytes, input->length, &hello,
				   &alert)) {
	case CLIENT_HELLO_MORE:
		return false;
	case CLIENT_HELLO_COMPLETE:
		choose(connection, &hello, input);
		break;
	case CLIENT_HELLO_PLAINTEXT:
		refuse(connection, REASON_PLAINTEXT, alert,
		       "the client does not speak TLS");
		break;
	case CLIENT_HELLO_TOO_LONG:
		refuse(connection, REASON_HANDSHAKE_FAILED, alert,
		       "the ClientHello is too long");
		break;
	case CLIENT_HELLO_MALFORMED:
		refuse(connection, REASON_HANDSHAKE_FAILED, alert,
		       "the ClientHello is malformed");
		break;
	}
	return true;
}

static void
ended_early(struct connection *connection, enum io_result result)
{
	if (connection->accept.in.length > 0)
		connection_close(connection, REASON_HANDSHAKE_FAILED,
				 "the client left in the middle of its "
				 "ClientHello");
	else if (result == IO_END)
		connection_close(connection, REASON_CLIENT_CLOSED,
				 "before the handshake");
	else
		connection_close(connection, REASON_RESET,
				 "before the handshake");
}

void
hello_read(struct connection *connection)
{
	struct gate *gate = &connection->accept;
	struct held held;
	struct span wire;
	enum io_result result;

	result = gate_recv(gate, CLIENT_HELLO_MAX, &wire);
	if (result == IO_AGAIN)
		return;
	if (result != IO_DONE) {
		ended_early(connection, result);
		return;
	}
	if (gate->in.length == 0) {
		if (!examine(connection, &wire))
			held_append(&gate->in, wire.bytes, wire.length);
		return;
	}
	held_append(&gate->in, wire.bytes, wire.length);
	held = gate->in;
	gate->in = (struct held){0};
	wire.bytes = held.bytes + held.start;
	wire.length = held.length;
	if (examine(connection, &wire)) {
		held_clear(&held);
		return;
	}
	assert(gate->in.length == 0);
	gate->in = held;
}
