/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients of the admin socket. They are few and slow ones are dropped; what
 * is asked takes effect elsewhere.
 */
#include "daemon/monitor/admin.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/process/admin_protocol.h"

#define CLIENTS_MAX 32

/* To send a request, or to read an answer. */
#define CLIENT_LIMIT_S 10

/* A pause after accept(2) found no room. */
#define PAUSE_S 1

/* What a client waits for. */
enum wait {
	WAIT_NONE,
	WAIT_RUN,     /* of reload, with that number */
	WAIT_TICKETS, /* the answer to the question with that number */
	WAIT_END,     /* of the daemon */
};

struct client {
	LIST_ENTRY(client) entries;
	struct admin *admin;
	struct bufferevent *stream;
	enum wait waits_for;
	uint64_t number;
	bool is_ended;   /* it says no more, but may still be answered */
	bool is_refused; /* what it says is passed over until it ends */
};

LIST_HEAD(client_list, client);

struct admin {
	struct event_base *base;
	struct admin_events events;
	void *argument;
	int descriptor; /* -1: none */
	struct event *acceptable;
	struct event *resume;
	struct client_list clients;
	unsigned int client_count;
};

static void
client_free(struct client *client)
{
	LIST_REMOVE(client, entries);
	client->admin->client_count--;
	bufferevent_free(client->stream);
	mem_free(client);
}

/* Whoever waits for us has no deadline. */
static void
set_limit(struct client *client)
{
	static const struct timeval limit = {.tv_sec = CLIENT_LIMIT_S};

	bufferevent_set_timeouts(client->stream,
				 client->waits_for ? NULL : &limit, &limit);
}

static void
answer(struct client *client, const struct admin_answer *said)
{
	size_t length;
	AUTO_FREE char *line = admin_answer_format(said, &length);

	bufferevent_write(client->stream, line, length);
}

__attribute__((cold)) static void
refuse(struct client *client, char *sentence)
{
	const struct admin_answer said = {.error = sentence, .exit = 2};

	log_warn("admin request refused", "reason=\"%s\"", sentence);
	answer(client, &said);
}

static void
log_request(struct client *client, const char *command)
{
	struct ucred peer = {0};
	socklen_t length = sizeof(peer);

	getsockopt(bufferevent_getfd(client->stream), SOL_SOCKET, SO_PEERCRED,
		   &peer, &length);
	log_info("admin request", "command=\"%s\" pid=%d uid=%u", command,
		 (int)peer.pid, peer.uid);
}

static void
ask_tickets(struct client *client, enum admin_command command)
{
	static char why[] = "there is no keeper: it makes ticket keys where a "
			    "gate serves TLS";
	static const struct admin_answer nobody = {.error = why, .exit = 1};
	struct admin *admin = client->admin;

	client->number = admin->events.tickets(command, admin->argument);
	if (client->number > 0)
		client->waits_for = WAIT_TICKETS;
	else
		answer(client, &nobody);
}

static void
take_line(struct client *client, const char *line, size_t length)
{
	static const struct admin_answer done = {.is_ok = true};
	struct admin *admin = client->admin;
	struct admin_request request;
	struct error error = {0};

	if (admin_request_parse(line, length, &request, &error) != 0) {
		refuse(client, error.text);
		return;
	}
	log_request(client, request.is_now
				    ? "stop now"
				    : admin_command_name(request.command));
	switch (request.command) {
	case ADMIN_RELOAD:
		client->waits_for = WAIT_RUN;
		client->number = admin->events.reload(admin->argument);
		break;
	case ADMIN_TICKETS_SHOW:
	case ADMIN_TICKETS_ROTATE:
		ask_tickets(client, request.command);
		break;
	case ADMIN_STOP:
		client->waits_for = WAIT_END;
		answer(client, &done);
		admin->events.stop(request.is_now, admin->argument);
		break;
	}
	set_limit(client);
}

static void
close_when_idle(struct client *client)
{
	struct evbuffer *output = bufferevent_get_output(client->stream);

	if (client->is_ended && !client->waits_for &&
	    evbuffer_get_length(output) == 0)
		client_free(client);
}

static void
take_lines(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	size_t length;

	if (client->is_refused)
		evbuffer_drain(input, evbuffer_get_length(input));
	while (!client->waits_for) {
		char *line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF);

		if (!line)
			break;
		take_line(client, line, length);
		free(line);
	}
	if (!client->waits_for &&
	    evbuffer_get_length(input) >= ADMIN_REQUEST_MAX) {
		char sentence[] = "the line is too long";

		/* To hang up now would take the answer back as well. */
		refuse(client, sentence);
		client->is_refused = true;
		evbuffer_drain(input, evbuffer_get_length(input));
	}
	close_when_idle(client);
}

static void
on_read(struct bufferevent *stream, void *argument)
{
	(void)stream;
	take_lines(argument);
}

static void
on_written(struct bufferevent *stream, void *argument)
{
	(void)stream;
	close_when_idle(argument);
}

static void
on_event(struct bufferevent *stream, short what, void *argument)
{
	struct client *client = argument;

	(void)stream;
	if (!(what & BEV_EVENT_EOF)) {
		client_free(client);
		return;
	}
	client->is_ended = true;
	close_when_idle(client);
}

static void
client_new(struct admin *admin, int descriptor)
{
	struct client *client = mem_alloc(sizeof(*client));

	client->admin = admin;
	client->stream = bufferevent_socket_new(admin->base, descriptor,
						BEV_OPT_CLOSE_ON_FREE);
	assert(client->stream);
	LIST_INSERT_HEAD(&admin->clients, client, entries);
	admin->client_count++;
	bufferevent_setcb(client->stream, on_read, on_written, on_event,
			  client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, ADMIN_REQUEST_MAX);
	set_limit(client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

static void
on_acceptable(evutil_socket_t listening, short what, void *argument)
{
	static const struct timeval pause = {.tv_sec = PAUSE_S};
	struct admin *admin = argument;
	int descriptor = accept4((int)listening, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (descriptor < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		log_error("cannot accept on the admin socket", "error=\"%s\"",
			  strerror(errno));
		event_del(admin->acceptable);
		event_add(admin->resume, &pause);
		return;
	}
	if (admin->client_count == CLIENTS_MAX) {
		log_warn("too many admin clients", NULL);
		close(descriptor);
		return;
	}
	client_new(admin, descriptor);
}

static void
on_resume(evutil_socket_t descriptor, short what, void *argument)
{
	struct admin *admin = argument;

	(void)descriptor;
	(void)what;
	if (admin->acceptable)
		event_add(admin->acceptable, NULL);
}

struct admin *
admin_new(struct event_base *base, const struct admin_events *events,
	  void *argument)
{
	struct admin *admin = mem_alloc(sizeof(*admin));

	admin->base = base;
	admin->events = *events;
	admin->argument = argument;
	admin->descriptor = -1;
	admin->resume = event_new(base, -1, 0, on_resume, admin);
	assert(admin->resume);
	LIST_INIT(&admin->clients);
	return admin;
}

void
admin_listen(struct admin *admin, int descriptor)
{
	if (descriptor == admin->descriptor)
		return;
	event_del(admin->resume);
	if (admin->acceptable)
		event_free(TAKE(admin->acceptable));
	admin->descriptor = descriptor;
	if (descriptor < 0)
		return;
	admin->acceptable =
		event_new(admin->base, descriptor, EV_READ | EV_PERSIST,
			  on_acceptable, admin);
	assert(admin->acceptable);
	event_add(admin->acceptable, NULL);
}

static void
answer_all(struct admin *admin, enum wait what, uint64_t number,
	   const struct admin_answer *said)
{
	struct client *client, *next;

	for (client = LIST_FIRST(&admin->clients); client; client = next) {
		next = LIST_NEXT(client, entries);
		if (client->waits_for != what || client->number != number)
			continue;
		client->waits_for = WAIT_NONE;
		answer(client, said);
		set_limit(client);
		take_lines(client);
	}
}

void
admin_answer_run(struct admin *admin, uint64_t run,
		 const struct admin_answer *said)
{
	answer_all(admin, WAIT_RUN, run, said);
}

void
admin_answer_tickets(struct admin *admin, uint64_t number,
		     const struct admin_answer *said)
{
	answer_all(admin, WAIT_TICKETS, number, said);
}

void
admin_free(struct admin *admin)
{
	struct client *client;

	if (!admin)
		return;
	admin_listen(admin, -1);
	while ((client = LIST_FIRST(&admin->clients))) {
		struct evbuffer *output =
			bufferevent_get_output(client->stream);

		/* Its front is the stream's alone until then. */
		evbuffer_unfreeze(output, 1);
		if (evbuffer_get_length(output) > 0)
			evbuffer_write(output,
				       bufferevent_getfd(client->stream));
		client_free(client);
	}
	event_free(admin->resume);
	mem_free(admin);
}
