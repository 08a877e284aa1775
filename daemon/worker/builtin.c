/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small servers on bufferevents: they are not on anybody's data path.
 */
#include "daemon/worker/builtin.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

#define ECHO_BUFFER_MAX    (256 * 1024)
#define REQUEST_HEADER_MAX 16384

struct builtin {
	LIST_ENTRY(builtin) entries; /* of the worker's */
	struct bufferevent *stream;
	char *answer;         /* whoami */
	bool is_answered;     /* whoami: nothing more comes from us */
	bool has_input_ended; /* nothing more comes from the client */
};

static void
builtin_free(struct builtin *builtin)
{
	LIST_REMOVE(builtin, entries);
	bufferevent_free(builtin->stream);
	mem_free(builtin->answer);
	mem_free(builtin);
}

/* Everything we wrote has left. */
static void
on_written(struct bufferevent *stream, void *argument)
{
	struct builtin *builtin = argument;

	if (builtin->has_input_ended)
		builtin_free(builtin);
	else if (builtin->is_answered)
		(void)shutdown(bufferevent_getfd(stream), SHUT_WR);
	else
		bufferevent_enable(stream, EV_READ);
}

static void
on_event(struct bufferevent *stream, short what, void *argument)
{
	struct builtin *builtin = argument;
	struct evbuffer *output = bufferevent_get_output(stream);

	builtin->has_input_ended = true;
	if ((what & BEV_EVENT_ERROR) || evbuffer_get_length(output) == 0)
		builtin_free(builtin);
}

static void
on_echo(struct bufferevent *stream, void *argument)
{
	struct evbuffer *output = bufferevent_get_output(stream);

	(void)argument;
	evbuffer_add_buffer(output, bufferevent_get_input(stream));
	if (evbuffer_get_length(output) > ECHO_BUFFER_MAX)
		bufferevent_disable(stream, EV_READ);
}

static void
respond(struct builtin *builtin, const char *status, const char *body)
{
	evbuffer_add_printf(bufferevent_get_output(builtin->stream),
			    "HTTP/1.1 %s\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Length: %zu\r\n"
			    "Cache-Control: no-store\r\n"
			    "Connection: close\r\n\r\n%s",
			    status, strlen(body), body);
	builtin->is_answered = true;
}

static void
on_request(struct bufferevent *stream, void *argument)
{
	struct evbuffer *input = bufferevent_get_input(stream);
	struct builtin *builtin = argument;
	size_t length = evbuffer_get_length(input);

	if (builtin->is_answered)
		evbuffer_drain(input, length);
	else if (evbuffer_search(input, "\r\n\r\n", 4, NULL).pos >= 0 ||
		 evbuffer_search(input, "\n\n", 2, NULL).pos >= 0)
		respond(builtin, "200 OK", builtin->answer);
	else if (length > REQUEST_HEADER_MAX)
		respond(builtin, "431 Request Header Fields Too Large",
			"the request's header is too large\n");
}

int
builtin_open(const struct connection *connection, const char *word)
{
	bool is_echo = strcmp(word, "echo") == 0;
	struct builtin *builtin;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       pair) != 0)
		return -1;
	builtin = mem_alloc(sizeof(*builtin));
	LIST_INSERT_HEAD(&connection->worker->builtins, builtin, entries);
	builtin->stream = bufferevent_socket_new(
		connection->worker->base, pair[1], BEV_OPT_CLOSE_ON_FREE);
	assert(builtin->stream);
	if (!is_echo)
		builtin->answer = access_log_describe(connection);
	bufferevent_setcb(builtin->stream, is_echo ? on_echo : on_request,
			  on_written, on_event, builtin);
	bufferevent_enable(builtin->stream, EV_READ | EV_WRITE);
	return pair[0];
}

void
builtin_free_all(struct worker *worker)
{
	struct builtin *builtin;

	while ((builtin = LIST_FIRST(&worker->builtins)))
		builtin_free(builtin);
}
