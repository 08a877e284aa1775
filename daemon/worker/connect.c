/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONNECT: reach a backend. The addresses are tried in order with the timing
 * of RFC 8305 5: the next one starts when one has failed or has not answered
 * within the attempt delay, and the first to answer wins. Then, if the gate
 * says so, TLS as a client; a backend that fails there is passed over for the
 * next one.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/tls_engine.h"
#include "common/tls/tls_policy.h"
#include "daemon/worker/builtin.h"
#include "daemon/worker/candidates.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/names.h"
#include "daemon/worker/worker.h"

/* RFC 8305 8: the recommended connection attempt delay. */
#define ATTEMPT_DELAY_MS 250

/* What does not even begin is tried again after this time: there are no
 * descriptors, or a UNIX backend's queue is full. */
#define RETRY_MS 20

#define ATTEMPTS_MAX 8

struct attempt {
	struct connecting *connecting; /* NULL: not in use */
	size_t candidate;
	int descriptor;
	struct event event;
};

struct connecting {
	struct connection *connection;
	struct candidates candidates;
	size_t next; /* the candidate to try next */
	struct attempt attempts[ATTEMPTS_MAX];
	size_t active;
	unsigned int busy_ms; /* the candidate's queue has been full */
	struct event delay;
	struct names_waiter waiter;
	/* Why the last attempt failed. */
	enum reason reason;
	char detail[300];
};

static void
try_next(struct connecting *connecting);

static void
note_failure(struct connecting *connecting, enum reason reason,
	     const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
note_failure(struct connecting *connecting, enum reason reason,
	     const char *format, ...)
{
	va_list arguments;

	connecting->reason = reason;
	va_start(arguments, format);
	vsnprintf(connecting->detail, sizeof(connecting->detail), format,
		  arguments);
	va_end(arguments);
}

static const char *
candidate_format(const struct candidate *candidate, char *buffer, size_t size)
{
	if (candidate->configured->kind == ADDRESS_BUILTIN)
		return address_format(candidate->configured, buffer, size);
	return socket_address_format(&candidate->socket, buffer, size);
}

static void
attempt_end(struct attempt *attempt, bool is_kept)
{
	if (!attempt->connecting)
		return;
	event_del(&attempt->event);
	if (!is_kept)
		close(attempt->descriptor);
	attempt->connecting->active--;
	attempt->connecting = NULL;
}

static void
attempts_cancel(struct connecting *connecting)
{
	for (size_t i = 0; i < ATTEMPTS_MAX; i++)
		attempt_end(&connecting->attempts[i], false);
	event_del(&connecting->delay);
}

void
connect_cancel(struct connection *connection)
{
	struct connecting *connecting = TAKE(connection->connecting);

	if (!connecting)
		return;
	attempts_cancel(connecting);
	names_cancel(&connecting->waiter);
	candidates_clear(&connecting->candidates);
	mem_free(connecting);
}

/* The backend is reached, its TLS done where it has one. */
static void
reached(struct connection *connection)
{
	connection->connect_ms =
		(int32_t)(connection->now_ms - connection->state_ms);
	connect_cancel(connection);
	relay_start(connection);
}

/* This backend will not do: the next one, if there is one. */
static void
pass_over(struct connecting *connecting)
{
	gate_close(&connecting->connection->connect);
	gate_init(&connecting->connection->connect, connecting->connection);
	try_next(connecting);
}

static enum reason
reason_of(enum tls_fault fault)
{
	switch (fault) {
	case TLS_FAULT_CERTIFICATE:
		return REASON_BACKEND_CERT_REJECTED;
	case TLS_FAULT_NAME:
		return REASON_BACKEND_NAME_MISMATCH;
	case TLS_FAULT_INTERNAL:
		return REASON_ERROR;
	case TLS_FAULT_NONE:
	case TLS_FAULT_PROTOCOL:
	case TLS_FAULT_PLAINTEXT:
	case TLS_FAULT_NO_SHARED_CIPHER:
	case TLS_FAULT_ALERT:
	case TLS_FAULT_UNKNOWN_NAME:
	case TLS_FAULT_EOF:
		break;
	}
	return REASON_BACKEND_HANDSHAKE_FAILED;
}

static void
tls_finished(struct connecting *connecting, const struct tls_input *rest)
{
	struct connection *connection = connecting->connection;
	struct gate *gate = &connection->connect;
	struct error error = {.text = ""};

	if (tls_policy_confirm_client(connection->service->connect->policy,
				      tls_engine_ssl(gate->engine),
				      &error) != 0) {
		note_failure(connecting, REASON_BACKEND_CERT_REJECTED, "%s: %s",
			     connection->backend, error.text);
		pass_over(connecting);
		return;
	}
	held_append(&gate->in, rest->bytes, rest->length);
	gate->stream = &stream_tls;
	reached(connection);
}

static void
tls_go_on(struct connecting *connecting, const struct span *wire)
{
	struct connection *connection = connecting->connection;
	struct worker *worker = connection->worker;
	struct gate *gate = &connection->connect;
	struct tls_input input = {wire->bytes, wire->length};
	const struct tls_failure *failure;
	enum tls_result result;
	enum io_result written;

	result = tls_engine_handshake(gate->engine, &input, &worker->wire);
	written = gate_write_output(gate, &worker->wire);
	switch (result) {
	case TLS_DONE:
		if (written == IO_DONE) {
			tls_finished(connecting, &input);
			return;
		}
		break;
	case TLS_WANT_INPUT:
		if (written == IO_DONE)
			return;
		break;
	case TLS_FAILED:
	case TLS_CLOSED:
	case TLS_WANT_KEY:
		failure = tls_engine_failure(gate->engine);
		note_failure(connecting, reason_of(failure->fault), "%s: %s",
			     connection->backend, failure->text);
		pass_over(connecting);
		return;
	}
	note_failure(connecting, REASON_BACKEND_HANDSHAKE_FAILED,
		     "%s: reset during the handshake", connection->backend);
	pass_over(connecting);
}

/* What to ask the backend for (SNI); NULL: nothing. */
static const char *
server_name(const struct connection *connection,
	    const struct address *configured)
{
	const struct tls_settings *tls = connection->service->conf->connect.tls;

	switch (tls->server_name_kind) {
	case TLS_SERVER_NAME_BACKEND:
		return configured->kind == ADDRESS_HOST ? configured->host
							: NULL;
	case TLS_SERVER_NAME_GIVEN:
		return tls->server_name;
	case TLS_SERVER_NAME_PASS:
		return connection->accept.engine
			       ? SSL_get_servername(
					 tls_engine_ssl(
						 connection->accept.engine),
					 TLSEXT_NAMETYPE_host_name)
			       : NULL;
	case TLS_SERVER_NAME_NONE:
		break;
	}
	return NULL;
}

static void
tls_start(struct connecting *connecting, const struct address *configured)
{
	static const struct span nothing = {(const unsigned char *)"", 0};
	struct connection *connection = connecting->connection;
	const struct route_connect *route = connection->service->connect;
	const struct tls_settings *tls = connection->service->conf->connect.tls;
	struct gate *gate = &connection->connect;
	struct error error = {.text = ""};
	const char *verify_name =
		tls->verify.name ? tls->verify.name : configured->host;

	gate->engine = tls_engine_new_client(route->context);
	if (!gate->engine ||
	    tls_policy_prepare_client(route->policy,
				      tls_engine_ssl(gate->engine),
				      server_name(connection, configured),
				      verify_name, &error) != 0) {
		connection_close(connection, REASON_ERROR, "%s",
				 gate->engine ? error.text
					      : "no memory for TLS");
		return;
	}
	tls_go_on(connecting, &nothing);
}

/* A socket is connected; the others are not needed any more. */
static void
won(struct connecting *connecting, size_t index, int descriptor)
{
	struct connection *connection = connecting->connection;
	const struct candidate *candidate = &connecting->candidates.list[index];
	sa_family_t family = candidate->socket.storage.ss_family;
	char text[256];

	attempts_cancel(connecting);
	/* Should its TLS fail, the next one is tried, never this one again. */
	if (connecting->next <= index)
		connecting->next = index + 1;
	gate_open(&connection->connect, descriptor,
		  family == AF_INET || family == AF_INET6);
	gate_tune(&connection->connect,
		  &connection->service->conf->accept.keepalive);
	mem_free(connection->backend);
	connection->backend =
		mem_strdup(candidate_format(candidate, text, sizeof(text)));
	if (connection->service->connect)
		tls_start(connecting, candidate->configured);
	else {
		gate_guard(&connection->connect);
		reached(connection);
	}
}

static void
attempt_failed(struct connecting *connecting, size_t index, int error_number)
{
	char text[256];

	note_failure(connecting, REASON_CONNECT_FAILED, "%s: %s",
		     candidate_format(&connecting->candidates.list[index], text,
				      sizeof(text)),
		     strerror(error_number));
}

static void
on_attempt(evutil_socket_t descriptor, short what, void *argument)
{
	struct attempt *attempt = argument;
	struct connecting *connecting = attempt->connecting;
	struct connection *connection = connecting->connection;
	size_t candidate = attempt->candidate;
	socklen_t length = sizeof(int);
	int failure = 0;

	(void)what;
	connection->now_ms = clock_monotonic_ms();
	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length))
		failure = errno;
	attempt_end(attempt, failure == 0);
	if (failure == 0)
		won(connecting, candidate, descriptor);
	else {
		attempt_failed(connecting, candidate, failure);
		try_next(connecting);
	}
	connection_update_events(connection);
}

static void
wait_then_next(struct connecting *connecting, int milliseconds)
{
	struct timeval delay = {milliseconds / 1000,
				milliseconds % 1000 * 1000};

	event_add(&connecting->delay, &delay);
}

static void
on_delay(evutil_socket_t descriptor, short what, void *argument)
{
	struct connecting *connecting = argument;
	struct connection *connection = connecting->connection;

	(void)descriptor;
	(void)what;
	connection->now_ms = clock_monotonic_ms();
	try_next(connecting);
	connection_update_events(connection);
}

static void
attempt_watch(struct connecting *connecting, size_t candidate, int descriptor)
{
	struct attempt *attempt = connecting->attempts;

	while (attempt->connecting)
		attempt++;
	assert(attempt < connecting->attempts + ATTEMPTS_MAX);
	attempt->connecting = connecting;
	attempt->candidate = candidate;
	attempt->descriptor = descriptor;
	connecting->active++;
	event_assign(&attempt->event, connecting->connection->worker->base,
		     descriptor, EV_WRITE, on_attempt, attempt);
	event_add(&attempt->event, NULL);
}

enum attempt_result {
	ATTEMPT_WAITS,
	ATTEMPT_WON, /* or the connection is closed: do not touch it */
	ATTEMPT_FAILED,
	ATTEMPT_LATER, /* the same candidate again in a moment */
	ATTEMPT_BUSY,  /* the same, but others may do better */
};

/* What we lack ourselves is no fault of the candidate's. */
static enum attempt_result
attempt_impossible(struct connecting *connecting, size_t index,
		   int error_number)
{
	attempt_failed(connecting, index, error_number);
	switch (error_number) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return ATTEMPT_LATER;
	default:
		return ATTEMPT_FAILED;
	}
}

static enum attempt_result
attempt_builtin(struct connecting *connecting, size_t index)
{
	struct connection *connection = connecting->connection;
	int descriptor = builtin_open(
		connection,
		connecting->candidates.list[index].configured->host);

	if (descriptor < 0)
		return attempt_impossible(connecting, index, errno);
	won(connecting, index, descriptor);
	return ATTEMPT_WON;
}

static enum attempt_result
attempt_start(struct connecting *connecting, size_t index)
{
	const struct candidate *candidate = &connecting->candidates.list[index];
	int descriptor, failure;

	if (candidate->configured->kind == ADDRESS_BUILTIN)
		return attempt_builtin(connecting, index);
	descriptor = socket(candidate->socket.storage.ss_family,
			    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return attempt_impossible(connecting, index, errno);
	if (connect(descriptor,
		    (const struct sockaddr *)&candidate->socket.storage,
		    candidate->socket.length) == 0) {
		won(connecting, index, descriptor);
		return ATTEMPT_WON;
	}
	if (errno == EINPROGRESS) {
		attempt_watch(connecting, index, descriptor);
		return ATTEMPT_WAITS;
	}
	failure = errno;
	close(descriptor);
	attempt_failed(connecting, index, failure);
	return failure == EAGAIN &&
			       candidate->socket.storage.ss_family == AF_UNIX
		       ? ATTEMPT_BUSY
		       : ATTEMPT_FAILED;
}

/* One that is busy is waited for as one that does not answer, but for ever when
 * it is the last. */
static bool
is_waited_for(struct connecting *connecting)
{
	connecting->busy_ms += RETRY_MS;
	return connecting->busy_ms <= ATTEMPT_DELAY_MS ||
	       connecting->next + 1 == connecting->candidates.count;
}

/* For the next attempt the one that has not answered for the longest time gives
 * its place, or its descriptor. False: there is none. */
static bool
give_up_oldest(struct connecting *connecting)
{
	struct attempt *oldest = NULL;

	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		struct attempt *attempt = &connecting->attempts[i];

		if (attempt->connecting &&
		    (!oldest || attempt->candidate < oldest->candidate))
			oldest = attempt;
	}
	if (!oldest)
		return false;
	attempt_end(oldest, false);
	return true;
}

/* Start the next candidate, and those behind it while they fail at once. When
 * there is none left and none under way, the connection is over. */
static void
try_next(struct connecting *connecting)
{
	while (connecting->next < connecting->candidates.count) {
		if (connecting->active == ATTEMPTS_MAX)
			(void)give_up_oldest(connecting);
		switch (attempt_start(connecting, connecting->next)) {
		case ATTEMPT_WON:
			return;
		case ATTEMPT_WAITS:
			connecting->next++;
			if (connecting->next < connecting->candidates.count)
				wait_then_next(connecting, ATTEMPT_DELAY_MS);
			return;
		case ATTEMPT_BUSY:
			if (!is_waited_for(connecting))
				break;
			wait_then_next(connecting, RETRY_MS);
			return;
		case ATTEMPT_LATER:
			if (give_up_oldest(connecting))
				continue;
			wait_then_next(connecting, RETRY_MS);
			return;
		case ATTEMPT_FAILED:
			break;
		}
		connecting->next++;
		connecting->busy_ms = 0;
	}
	if (connecting->active == 0)
		connection_close(connecting->connection, connecting->reason,
				 "%s", connecting->detail);
}

static void
collect(struct connecting *connecting);

static void
on_resolved(void *argument)
{
	struct connecting *connecting = argument;
	struct connection *connection = connecting->connection;

	connection->now_ms = clock_monotonic_ms();
	candidates_clear(&connecting->candidates);
	collect(connecting);
	connection_update_events(connection);
}

/* A name without an answer yet is waited for only when there is nothing else
 * to try. */
static void
collect(struct connecting *connecting)
{
	struct connection *connection = connecting->connection;
	struct names *names = connection->worker->names;

	candidates_collect(&connection->service->conf->connect, names,
			   &connecting->candidates);
	if (connecting->candidates.count > 0)
		try_next(connecting);
	else if (connecting->candidates.pending)
		names_wait(names, connecting->candidates.pending,
			   &connecting->waiter);
	else
		connection_close(connection, REASON_NO_BACKEND, "%s",
				 connecting->candidates.error);
}

void
connect_start(struct connection *connection)
{
	struct connecting *connecting = mem_alloc(sizeof(*connecting));

	connecting->connection = connection;
	connecting->waiter.resolved = on_resolved;
	connecting->waiter.argument = connecting;
	event_assign(&connecting->delay, connection->worker->base, -1, 0,
		     on_delay, connecting);
	connection->connecting = connecting;
	connection_enter(connection, CONNECTION_CONNECT);
	collect(connecting);
}

void
connect_event(struct connection *connection, short what)
{
	struct connecting *connecting = connection->connecting;
	struct gate *gate = &connection->connect;
	enum io_result result = IO_DONE;
	struct span wire;

	if (what & EV_WRITE)
		result = gate_flush(gate);
	if ((result == IO_DONE || result == IO_AGAIN) && (what & EV_READ)) {
		result = gate_recv(gate, 65536, &wire);
		if (result == IO_DONE) {
			tls_go_on(connecting, &wire);
			return;
		}
	}
	if (result == IO_DONE || result == IO_AGAIN)
		return;
	note_failure(connecting, REASON_BACKEND_HANDSHAKE_FAILED, "%s: %s",
		     connection->backend,
		     result == IO_END ? "closed during the handshake"
				      : "reset during the handshake");
	pass_over(connecting);
}
