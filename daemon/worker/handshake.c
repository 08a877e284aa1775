/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HANDSHAKE: TLS with the client, from the ClientHello that hello.c has read
 * to the last message. What comes right behind it is kept for the relay.
 */
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/route/route.h"
#include "common/tls/session_ids.h"
#include "common/tls/staple_table.h"
#include "common/tls/tls_engine.h"
#include "common/verify/peer_check.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

static enum reason
reason_of(enum tls_fault fault)
{
	switch (fault) {
	case TLS_FAULT_NO_SHARED_CIPHER:
		return REASON_NO_SHARED_CIPHER;
	case TLS_FAULT_PLAINTEXT:
		return REASON_PLAINTEXT;
	case TLS_FAULT_CERTIFICATE:
	case TLS_FAULT_NAME:
	case TLS_FAULT_REVOKED:
		return REASON_CLIENT_CERT_REJECTED;
	case TLS_FAULT_NO_CERTIFICATE:
		return REASON_CLIENT_CERT_REQUIRED;
	case TLS_FAULT_UNKNOWN_NAME:
	case TLS_FAULT_NONE:
	case TLS_FAULT_PROTOCOL:
	case TLS_FAULT_ALERT:
	case TLS_FAULT_EOF:
		return REASON_HANDSHAKE_FAILED;
	case TLS_FAULT_KEY:
		return REASON_KEY_UNAVAILABLE;
	case TLS_FAULT_INTERNAL:
		return REASON_ERROR;
	}
	return REASON_ERROR;
}

/* The policy was chosen by our reading of the hello: OpenSSL must have read
 * the same name, or one of the two is wrong. */
static bool
has_same_name(const struct connection *connection)
{
	SSL *ssl = tls_engine_ssl(connection->accept.engine);
	const char *seen = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (!seen || !connection->server_name)
		return !seen && !connection->server_name;
	/* An escaped name is one that we did not choose by. */
	return strchr(connection->server_name, '\\') ||
	       strcasecmp(seen, connection->server_name) == 0;
}

static void
finished(struct connection *connection, const struct tls_input *rest)
{
	struct gate *gate = &connection->accept;
	struct error error = {.text = ""};

	staple_table_release(tls_engine_ssl(gate->engine));
	session_ids_forget(tls_engine_ssl(gate->engine));
	if (peer_check_confirm(tls_engine_ssl(gate->engine), &error) != 0) {
		connection_close(connection, REASON_CLIENT_CERT_REJECTED, "%s",
				 error.text);
		return;
	}
	if (!has_same_name(connection)) {
		connection_close(connection, REASON_ERROR,
				 "two readings of the server name differ");
		return;
	}
	/* Nothing of ours follows its last message, and a client without
	 * TCP_NODELAY keeps its first words until that is acknowledged. */
	if (rest->length == 0)
		gate_acknowledge(gate);
	held_append(&gate->in, rest->bytes, rest->length);
	gate->stream = &stream_tls;
	connection->handshake_ms =
		(int32_t)(connection->now_ms - connection->started_ms);
	authorize_start(connection);
}

void
handshake_continue(struct connection *connection, const struct span *wire)
{
	struct worker *worker = connection->worker;
	struct gate *gate = &connection->accept;
	struct tls_input input = {wire->bytes, wire->length};
	const struct tls_failure *failure;
	enum tls_result result;
	enum io_result written;

	result = tls_engine_handshake(gate->engine, &input, &worker->wire);
	written = gate_write_output(gate, &worker->wire);
	switch (result) {
	case TLS_DONE:
		if (written == IO_DONE) {
			finished(connection, &input);
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
		connection_close(connection, reason_of(failure->fault), "%s",
				 failure->text);
		return;
	}
	connection_close(connection, REASON_RESET, "during the handshake");
}

void
handshake_start(struct connection *connection,
		const struct route_choice *choice, const struct span *input)
{
	struct gate *gate = &connection->accept;

	gate->engine = tls_engine_new_server(choice->context);
	if (!gate->engine ||
	    !SSL_set_session_id_context(tls_engine_ssl(gate->engine),
					choice->session_context,
					sizeof(choice->session_context))) {
		connection_close(connection, REASON_ERROR, "no memory for TLS");
		return;
	}
	session_ids_expect(tls_engine_ssl(gate->engine),
			   choice->session_context);
	connection_await_keys(gate);
	connection_enter(connection, CONNECTION_HANDSHAKE);
	handshake_continue(connection, input);
}

void
handshake_event(struct connection *connection, short what)
{
	struct gate *gate = &connection->accept;
	struct span wire;

	if (what & EV_WRITE) {
		enum io_result flushed = gate_flush(gate);

		if (flushed == IO_RESET || flushed == IO_FAILED) {
			connection_close(connection, REASON_RESET,
					 "during the handshake");
			return;
		}
	}
	if (!(what & EV_READ))
		return;
	switch (gate_recv(gate, 65536, &wire)) {
	case IO_AGAIN:
		return;
	case IO_DONE:
		if (tls_engine_is_paused(gate->engine))
			held_append(&gate->in, wire.bytes, wire.length);
		else
			handshake_continue(connection, &wire);
		return;
	case IO_END:
		connection_close(connection, REASON_HANDSHAKE_FAILED,
				 "the client closed during the handshake");
		return;
	case IO_TRUNCATED:
	case IO_RESET:
	case IO_FAILED:
		connection_close(connection, REASON_RESET,
				 "during the handshake");
		return;
	}
}
