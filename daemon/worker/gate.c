/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls of a gate, and nothing above them.
 */
#include "daemon/worker/gate.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* Answers of TLS itself that may wait for a peer that sends but does not
 * read. */
#define REPLIES_MAX ((size_t)16 * 1024)

void
held_append(struct held *held, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	if (held->start > 0) {
		memmove(held->bytes, held->bytes + held->start, held->length);
		held->start = 0;
	}
	held->bytes = mem_resize(held->bytes, held->length + length, 1);
	memcpy(held->bytes + held->length, bytes, length);
	held->length += length;
}

void
held_clear(struct held *held)
{
	mem_free(held->bytes);
	*held = (struct held){0};
}

void
gate_init(struct gate *gate, struct connection *connection)
{
	*gate = (struct gate){
		.connection = connection,
		.descriptor = -1,
		.stream = &stream_plain,
	};
}

void
gate_open(struct gate *gate, int descriptor, bool is_tcp)
{
	assert(gate->descriptor == -1);
	gate->descriptor = descriptor;
	gate->is_tcp = is_tcp;
}

void
gate_close(struct gate *gate)
{
	gate_arm(gate, 0);
	if (gate->descriptor >= 0)
		close(gate->descriptor);
	gate->descriptor = -1;
	held_clear(&gate->in);
	held_clear(&gate->out);
	tls_engine_free(TAKE(gate->engine));
}

/* What close(2) tells a TCP peer: an end or a reset. */
static void
set_reset(struct gate *gate, bool is_reset)
{
	const struct linger linger = {.l_onoff = is_reset, .l_linger = 0};

	(void)setsockopt(gate->descriptor, SOL_SOCKET, SO_LINGER, &linger,
			 sizeof(linger));
}

void
gate_guard(struct gate *gate)
{
	if (!gate->is_tcp)
		return;
	gate->is_guarded = true;
	set_reset(gate, true);
}

void
gate_send_end(struct gate *gate)
{
	(void)shutdown(gate->descriptor, SHUT_WR);
	if (gate->is_guarded)
		set_reset(gate, false);
}

void
gate_reset(struct gate *gate)
{
	if (gate->descriptor >= 0 && gate->is_guarded)
		set_reset(gate, true);
	gate_close(gate);
}

static bool
is_reset(int error_number)
{
	return error_number == ECONNRESET || error_number == EPIPE ||
	       error_number == ETIMEDOUT || error_number == EHOSTUNREACH ||
	       error_number == ENETUNREACH || error_number == ENOTCONN;
}

/* Send some; how much went is added to sent. */
static enum io_result
send_some(struct gate *gate, const unsigned char *bytes, size_t length,
	  size_t *sent)
{
	while (*sent < length) {
		ssize_t n = send(gate->descriptor, bytes + *sent,
				 length - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			*sent += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return IO_AGAIN;
		/* Out of socket memory passes; the write event tells when. */
		if (errno == ENOBUFS || errno == ENOMEM)
			return IO_AGAIN;
		gate->is_broken = true;
		return is_reset(errno) ? IO_RESET : IO_FAILED;
	}
	return IO_DONE;
}

enum io_result
gate_write(struct gate *gate, const void *bytes, size_t length)
{
	enum io_result result = IO_AGAIN;
	size_t sent = 0;

	if (gate->is_broken)
		return IO_RESET;
	if (gate->out.length == 0)
		result = send_some(gate, bytes, length, &sent);
	if (result == IO_AGAIN) {
		if (gate->out.length == 0)
			gate->stalled_ms = gate->connection->now_ms;
		held_append(&gate->out, (const unsigned char *)bytes + sent,
			    length - sent);
		return IO_DONE;
	}
	return result;
}

enum io_result
gate_write_output(struct gate *gate, struct tls_output *output)
{
	enum io_result result = IO_DONE;

	if (output->length > 0)
		result = gate_write(gate, output->bytes, output->length);
	output->length = 0;
	return result;
}

enum io_result
gate_flush(struct gate *gate)
{
	enum io_result result;
	size_t sent = 0;

	if (gate->out.length == 0)
		return IO_DONE;
	if (gate->is_broken)
		return IO_RESET;
	result = send_some(gate, gate->out.bytes + gate->out.start,
			   gate->out.length, &sent);
	if (sent > 0)
		gate->stalled_ms = gate->connection->now_ms;
	gate->out.start += sent;
	gate->out.length -= sent;
	if (gate->out.length > 0)
		return result;
	held_clear(&gate->out);
	gate->replies = 0;
	/* Our end was waiting behind these bytes. */
	if (gate->has_finished)
		gate_send_end(gate);
	return IO_DONE;
}

static bool
is_holding(const struct gate *gate)
{
	return gate->engine && tls_engine_is_holding(gate->engine);
}

bool
gate_is_stuck(const struct gate *gate)
{
	return gate->out.length > 0 || is_holding(gate);
}

bool
gate_may_read(const struct gate *gate, const struct gate *other)
{
	if (gate->has_ended || gate->replies >= REPLIES_MAX)
		return false;
	/* What TLS holds leaves only when its peer is read, and then two that
	 * both hold must not wait for one another. */
	return other->out.length == 0 &&
	       (!is_holding(other) || is_holding(gate));
}

enum io_result
gate_recv(struct gate *gate, size_t limit, struct span *wire)
{
	struct tls_output *raw = &gate->connection->worker->raw;
	ssize_t n;

	if (gate->is_broken)
		return IO_RESET;
	raw->length = 0;
	tls_output_reserve(raw, limit);
	do {
		n = recv(gate->descriptor, raw->bytes, limit, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		wire->bytes = raw->bytes;
		wire->length = (size_t)n;
		return IO_DONE;
	}
	if (n == 0)
		return IO_END;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return IO_AGAIN;
	gate->is_broken = true;
	return is_reset(errno) ? IO_RESET : IO_FAILED;
}

static void
on_event(evutil_socket_t descriptor, short what, void *argument)
{
	struct gate *gate = argument;

	(void)descriptor;
	connection_event(gate->connection, gate, what);
}

void
gate_arm(struct gate *gate, short wanted)
{
	if (gate->armed == wanted)
		return;
	if (gate->armed)
		event_del(&gate->event);
	gate->armed = wanted;
	if (!wanted)
		return;
	event_assign(&gate->event, gate->connection->worker->base,
		     gate->descriptor, (short)(wanted | EV_PERSIST), on_event,
		     gate);
	event_add(&gate->event, NULL);
}

void
gate_acknowledge(struct gate *gate)
{
	static const int on = 1;

	if (gate->is_tcp)
		(void)setsockopt(gate->descriptor, IPPROTO_TCP, TCP_QUICKACK,
				 &on, sizeof(on));
}

void
gate_tune(struct gate *gate, const struct conf_keepalive *keepalive)
{
	static const int on = 1;
	int idle, interval, count;

	if (!gate->is_tcp)
		return;
	(void)setsockopt(gate->descriptor, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on));
	if (!keepalive || keepalive->idle_ms == 0)
		return;
	idle = (int)((keepalive->idle_ms + 999) / 1000);
	interval = (int)((keepalive->interval_ms + 999) / 1000);
	count = (int)keepalive->count;
	(void)setsockopt(gate->descriptor, SOL_SOCKET, SO_KEEPALIVE, &on,
			 sizeof(on));
	(void)setsockopt(gate->descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle,
			 sizeof(idle));
	(void)setsockopt(gate->descriptor, IPPROTO_TCP, TCP_KEEPINTVL,
			 &interval, sizeof(interval));
	(void)setsockopt(gate->descriptor, IPPROTO_TCP, TCP_KEEPCNT, &count,
			 sizeof(count));
}
