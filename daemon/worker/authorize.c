/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AUTHORIZE: somebody outside is asked whether the client may go on. Nobody
 * touches the backend before the answer, and what is no clear yes in time is a
 * no. Meanwhile the client is listened to, as far as a few bytes go, so that
 * one that goes away takes its question along.
 */
#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/authorize_question.h"
#include "daemon/worker/authorizer.h"
#include "daemon/worker/connection.h"

/* What a client may say before it is let in. */
#define EARLY_MAX ((size_t)16 * 1024)

struct authorizing {
	struct authorizer_question *question;
	bool is_client_silent; /* its end came: reading again tells nothing */
};

__attribute__((cold)) static void
log_failed(const struct connection *connection, const char *detail)
{
	static struct log_limit limit;

	log_event_limited(&limit, LOG_LEVEL_WARN, "authorizer failed",
			  "service=%s reason=\"%s\"",
			  connection->service->conf->name, detail);
}

static bool
is_late(const struct connection *connection)
{
	return connection->now_ms - connection->state_ms >
	       connection->service->conf->authorize.timeout_ms;
}

static void
on_decided(void *argument, enum authorizer_decision decision,
	   const char *detail)
{
	struct connection *connection = argument;

	/* It goes by itself. */
	connection->authorizing->question = NULL;
	connection->now_ms = clock_monotonic_ms();
	if (decision == AUTHORIZER_FAILED)
		log_failed(connection, detail);
	if (decision != AUTHORIZER_ALLOWS) {
		connection_close(connection, REASON_AUTHORIZE_DENIED, "%s",
				 detail);
	} else if (is_late(connection)) {
		connection_close(connection, REASON_AUTHORIZE_DENIED,
				 "the authorizer allowed it too late");
	} else {
		authorize_cancel(connection);
		connect_start(connection);
	}
	connection_update_events(connection);
}

static char *
write_question(const struct connection *connection)
{
	const struct gate *gate = &connection->accept;
	char client[128], local[128];
	const struct authorize_facts facts = {
		.service = connection->service->conf->name,
		.gate = "accept",
		.client = peer_address_format(&connection->client, client,
					      sizeof(client)),
		.local = peer_address_format(&connection->local, local,
					     sizeof(local)),
		.server_name = connection->server_name,
		.ssl = gate->engine ? tls_engine_ssl(gate->engine) : NULL,
	};

	return authorize_question_write(&facts);
}

void
authorize_start(struct connection *connection)
{
	struct authorizing *authorizing;
	char *line;

	if (!connection->service->conf->authorize.socket.host) {
		connect_start(connection);
		return;
	}
	connection_enter(connection, CONNECTION_AUTHORIZE);
	line = write_question(connection);
	if (!line) {
		connection_close(connection, REASON_AUTHORIZE_DENIED,
				 "this sealock was built without jansson");
		return;
	}
	authorizing = mem_alloc(sizeof(*authorizing));
	authorizing->question = authorizer_question_new(connection, line,
							on_decided, connection);
	connection->authorizing = authorizing;
	authorizer_question_start(authorizing->question);
}

void
authorize_cancel(struct connection *connection)
{
	struct authorizing *authorizing = TAKE(connection->authorizing);

	if (!authorizing)
		return;
	authorizer_question_free(authorizing->question);
	mem_free(authorizing);
}

const char *
authorize_lacks(const struct connection *connection)
{
	return authorizer_question_lacks(connection->authorizing->question);
}

short
authorize_wants(const struct connection *connection)
{
	const struct gate *gate = &connection->accept;
	short wanted = 0;

	if (!connection->authorizing->is_client_silent &&
	    gate->in.length < EARLY_MAX)
		wanted |= EV_READ;
	if (gate->out.length > 0)
		wanted |= EV_WRITE;
	return wanted;
}

/* A client that has ended may still want its answer: a request and its end are
 * a legal way to ask. Only where TLS has said nothing at all since the
 * handshake, not even that this is the end, nobody is there any more. */
static void
ended(struct connection *connection)
{
	const struct gate *gate = &connection->accept;

	if (gate->engine && gate->in.length == 0)
		connection_close(connection, REASON_CLIENT_CLOSED,
				 "before it was authorized");
	else
		connection->authorizing->is_client_silent = true;
}

void
authorize_event(struct connection *connection, short what)
{
	struct gate *gate = &connection->accept;
	enum io_result result = IO_DONE;
	struct span wire;

	if (what & EV_WRITE)
		result = gate_flush(gate);
	if ((result == IO_DONE || result == IO_AGAIN) && (what & EV_READ)) {
		result = gate_recv(gate, EARLY_MAX - gate->in.length, &wire);
		if (result == IO_DONE)
			held_append(&gate->in, wire.bytes, wire.length);
	}
	switch (result) {
	case IO_DONE:
	case IO_AGAIN:
		return;
	case IO_END:
		ended(connection);
		return;
	case IO_TRUNCATED:
	case IO_RESET:
	case IO_FAILED:
		connection_close(connection, REASON_RESET, "by the client");
		return;
	}
}
