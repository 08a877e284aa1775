/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket that never blocks, poll(), and a deadline for each step.
 */
#include "daemon/cli/probe_link.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/net/address.h"
#include "common/net/hostname.h"
#include "common/tls/tls_engine.h"
#include "daemon/cli/probe_plaintext.h"

/* What is to come after the handshake without our asking: tickets, or in TLS
 * 1.3 the refusal of our certificate. Some round trips, within bounds. */
#define AFTER_MIN_MS 300
#define AFTER_MAX_MS 2000

/* The rest of a line in plaintext. */
#define PLAINTEXT_MS 200

#define UNIX_RETRY_MS 20

struct channel {
	struct probe_link *link;
	int socket;
	int64_t deadline_ms;
	struct tls_output wire;
	unsigned char bytes[16384];
	struct tls_input input; /* of these bytes */
};

/* poll() to the deadline: false when it has come, whatever else there is: a
 * server that never stops sending gets no more time than one that is silent. */
static bool
wait_for(int socket, short events, int64_t deadline_ms)
{
	int64_t left_ms;

	while ((left_ms = deadline_ms - clock_monotonic_ms()) > 0) {
		struct pollfd entry = {.fd = socket, .events = events};
		int count = poll(&entry, 1, (int)left_ms);

		if (count > 0)
			return true;
		if (count < 0 && errno != EINTR)
			return false;
	}
	return false;
}

__attribute__((format(printf, 3, 4))) static void
end_link(struct probe_link *link, enum probe_end end, const char *format, ...)
{
	va_list arguments;

	link->end = end;
	va_start(arguments, format);
	vsnprintf(link->text, sizeof(link->text), format, arguments);
	va_end(arguments);
}

/* The errno of connect(), 0 when it is done. A UNIX socket whose queue is full
 * is tried again. */
static int
connect_to(int socket, const struct socket_address *address,
	   int64_t deadline_ms)
{
	const struct sockaddr *name = (const void *)&address->storage;
	int problem = 0;
	socklen_t size = sizeof(problem);

	while (connect(socket, name, address->length) != 0) {
		if (errno == EAGAIN) {
			if (clock_monotonic_ms() >= deadline_ms)
				return ETIMEDOUT;
			(void)poll(NULL, 0, UNIX_RETRY_MS);
			continue;
		}
		if (errno == EISCONN)
			return 0;
		if (errno != EINPROGRESS && errno != EINTR)
			return errno;
		if (!wait_for(socket, POLLOUT, deadline_ms))
			return ETIMEDOUT;
		if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &problem, &size) !=
		    0)
			return errno;
		return problem;
	}
	return 0;
}

static int
open_socket(struct probe_link *link, const struct socket_address *address,
	    int64_t timeout_ms)
{
	int64_t start_ms = clock_monotonic_ms();
	int descriptor = socket(address->storage.ss_family,
				SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int problem = descriptor < 0 ? errno
				     : connect_to(descriptor, address,
						  start_ms + timeout_ms);

	if (problem == 0) {
		link->connect_ms = clock_monotonic_ms() - start_ms;
		return descriptor;
	}
	end_link(link, PROBE_UNREACHED, "%s", strerror(problem));
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

/* What the kernel does not take any more is of no use to a server that has
 * closed: its last words are read all the same. */
static void
send_wire(struct channel *channel)
{
	size_t sent = 0;

	while (sent < channel->wire.length) {
		ssize_t count =
			send(channel->socket, channel->wire.bytes + sent,
			     channel->wire.length - sent, MSG_NOSIGNAL);

		if (count > 0)
			sent += (size_t)count;
		else if (errno != EINTR &&
			 (errno != EAGAIN || !wait_for(channel->socket, POLLOUT,
						       channel->deadline_ms)))
			break;
	}
	channel->wire.length = 0;
}

static void
note_greeting(struct probe_link *link, const void *bytes, size_t length)
{
	size_t room = sizeof(link->greeting) - link->greeting_length;

	if (length > room)
		length = room;
	memcpy(link->greeting + link->greeting_length, bytes, length);
	link->greeting_length += length;
}

enum arrival {
	ARRIVAL_BYTES,
	ARRIVAL_END,
	ARRIVAL_RESET,
	ARRIVAL_NONE, /* in time */
};

static enum arrival
receive(struct channel *channel)
{
	for (;;) {
		ssize_t count;

		if (!wait_for(channel->socket, POLLIN, channel->deadline_ms))
			return ARRIVAL_NONE;
		count = recv(channel->socket, channel->bytes,
			     sizeof(channel->bytes), 0);
		if (count > 0) {
			note_greeting(channel->link, channel->bytes,
				      (size_t)count);
			channel->input = (struct tls_input){channel->bytes,
							    (size_t)count};
			return ARRIVAL_BYTES;
		}
		if (count == 0)
			return ARRIVAL_END;
		if (errno != EINTR && errno != EAGAIN)
			return ARRIVAL_RESET;
	}
}

/* What a server says in plaintext is worth its whole line. */
static void
read_plaintext(struct channel *channel)
{
	struct probe_link *link = channel->link;

	channel->deadline_ms = clock_monotonic_ms() + PLAINTEXT_MS;
	while (link->greeting_length < sizeof(link->greeting) &&
	       !memchr(link->greeting, '\n', link->greeting_length) &&
	       receive(channel) == ARRIVAL_BYTES)
		continue;
}

static bool
is_plaintext(const struct probe_link *link)
{
	return link->greeting_length > 0 &&
	       !probe_plaintext_is_tls(link->greeting, link->greeting_length);
}

static void
end_as_plaintext(struct channel *channel)
{
	struct probe_link *link = channel->link;
	char text[sizeof(link->text)];

	read_plaintext(channel);
	probe_plaintext_describe(link->greeting, link->greeting_length, text,
				 sizeof(text));
	end_link(link, PROBE_PLAINTEXT, "%s", text);
}

static void
end_without_bytes(struct channel *channel, enum arrival arrival,
		  int64_t timeout_ms)
{
	struct probe_link *link = channel->link;
	const char *where = link->greeting_length == 0
				    ? "at our first message"
				    : "in the middle of the handshake";
	enum probe_end refused =
		link->is_certificate_asked ? PROBE_REFUSED : PROBE_CLOSED;
	char limit[32];

	if (is_plaintext(link)) {
		end_as_plaintext(channel);
		return;
	}
	switch (arrival) {
	case ARRIVAL_END:
		end_link(link, refused, "the server closed %s", where);
		break;
	case ARRIVAL_RESET:
		end_link(link, refused, "the server reset %s", where);
		break;
	case ARRIVAL_NONE:
	case ARRIVAL_BYTES:
		text_format_duration(timeout_ms, limit, sizeof(limit));
		end_link(link, PROBE_SILENT,
			 link->greeting_length == 0
				 ? "the server said nothing within %s"
				 : "the server did not complete the handshake "
				   "within %s",
			 limit);
		break;
	}
}

static void
end_with_failure(struct channel *channel)
{
	struct probe_link *link = channel->link;
	const struct tls_failure *failure = tls_engine_failure(link->engine);

	if (is_plaintext(link)) {
		end_as_plaintext(channel);
		return;
	}
	switch (failure->fault) {
	case TLS_FAULT_ALERT:
	case TLS_FAULT_UNKNOWN_NAME:
		/* It has asked, and does not like the answer. */
		end_link(link,
			 link->is_certificate_asked ? PROBE_REFUSED
						    : PROBE_ALERT,
			 "%s", failure->text);
		break;
	case TLS_FAULT_EOF:
		end_link(link, PROBE_CLOSED, "%s", failure->text);
		break;
	case TLS_FAULT_NONE:
	case TLS_FAULT_PROTOCOL:
	case TLS_FAULT_PLAINTEXT:
	case TLS_FAULT_NO_SHARED_CIPHER:
	case TLS_FAULT_CERTIFICATE:
	case TLS_FAULT_NAME:
	case TLS_FAULT_REVOKED:
	case TLS_FAULT_NO_CERTIFICATE:
	case TLS_FAULT_KEY:
	case TLS_FAULT_INTERNAL:
		end_link(link, PROBE_FAILED, "%s", failure->text);
		break;
	}
}

static bool
shake_hands(struct channel *channel, int64_t timeout_ms)
{
	struct probe_link *link = channel->link;
	int64_t start_ms = clock_monotonic_ms();

	channel->deadline_ms = start_ms + timeout_ms;
	for (;;) {
		enum tls_result result = tls_engine_handshake(
			link->engine, &channel->input, &channel->wire);
		enum arrival arrival;

		send_wire(channel);
		if (result == TLS_DONE)
			break;
		if (result == TLS_FAILED) {
			end_with_failure(channel);
			return false;
		}
		arrival = receive(channel);
		if (arrival != ARRIVAL_BYTES) {
			end_without_bytes(channel, arrival, timeout_ms);
			return false;
		}
	}
	link->handshake_ms = clock_monotonic_ms() - start_ms;
	return true;
}

/* Of our certificate, and of tickets, a TLS 1.3 server speaks when the
 * handshake is over for us. */
static void
listen_after(struct channel *channel)
{
	struct probe_link *link = channel->link;
	int64_t patience_ms = AFTER_MIN_MS + 5 * link->connect_ms;
	struct tls_output plain = {0};
	enum arrival arrival;

	if (SSL_version(tls_engine_ssl(link->engine)) < TLS1_3_VERSION)
		return;
	if (link->is_certificate_asked)
		patience_ms += AFTER_MIN_MS;
	if (patience_ms > AFTER_MAX_MS)
		patience_ms = AFTER_MAX_MS;
	channel->deadline_ms = clock_monotonic_ms() + patience_ms;
	for (;;) {
		enum tls_result result = tls_engine_decrypt(
			link->engine, &channel->input, &plain, &channel->wire);

		send_wire(channel);
		if (result == TLS_FAILED) {
			end_with_failure(channel);
			break;
		}
		/* It speaks: it has accepted us. */
		if (result == TLS_CLOSED || link->tickets > 0 ||
		    plain.length > 0)
			break;
		arrival = receive(channel);
		if (link->is_certificate_asked &&
		    (arrival == ARRIVAL_END || arrival == ARRIVAL_RESET))
			end_link(link, PROBE_REFUSED,
				 "the server closed when it had our "
				 "certificate, or learnt that we have none");
		if (arrival != ARRIVAL_BYTES)
			break;
	}
	mem_free(plain.bytes);
}

struct probe_link *
probe_link_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

struct probe_link *
probe_link_open(SSL_CTX *context, const char *server_name,
		const struct socket_address *address, SSL_SESSION *session,
		int64_t timeout_ms)
{
	struct probe_link *link = mem_alloc(sizeof(*link));
	struct channel *channel = mem_alloc(sizeof(*channel));
	char host[HOSTNAME_MAX + 1];
	SSL *ssl;

	link->connect_ms = link->handshake_ms = -1;
	channel->link = link;
	channel->socket = open_socket(link, address, timeout_ms);
	if (channel->socket >= 0) {
		link->engine = tls_engine_new_client(context);
		assert(link->engine);
		ssl = tls_engine_ssl(link->engine);
		SSL_set_app_data(ssl, link);
		if (server_name) {
			snprintf(host, sizeof(host), "%s", server_name);
			SSL_set_tlsext_host_name(ssl, host);
		}
		if (session)
			SSL_set_session(ssl, session);
		if (shake_hands(channel, timeout_ms)) {
			listen_after(channel);
			tls_engine_close(link->engine, &channel->wire);
			send_wire(channel);
		}
		close(channel->socket);
	}
	mem_free(channel->wire.bytes);
	mem_free(channel);
	return link;
}

void
probe_link_free(struct probe_link *link)
{
	if (!link)
		return;
	tls_engine_free(link->engine);
	SSL_SESSION_free(link->session);
	mem_free(link);
}
