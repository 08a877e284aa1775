/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An inner epoll descriptor holds the listening sockets with EPOLLEXCLUSIVE,
 * so that a new client wakes one worker and not all; libevent watches that
 * descriptor. A worker without room takes its sockets out of it, or wake-ups
 * meant for others would end here.
 */
#include "daemon/worker/accept.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/address.h"
#include "common/route/route.h"
#include "daemon/process/generation.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/worker.h"

/* Clients taken from one socket in one turn: the others want some, too. */
#define ACCEPTS_A_TURN 8

#define READY_A_TURN 64

/* After a failure that would only come again there is no use in trying at
 * once. */
#define PAUSE_MS 500

/* It is over when there was none for so long... */
#define RECOVERED_MS 2000

/* ...and told again while it lasts. */
#define REMIND_MS 60000

struct listening {
	size_t service;
	int descriptor;
};

struct acceptor {
	struct worker *worker;
	struct listening *listening;
	size_t count;
	int epoll;
	bool is_listening; /* the sockets are in the inner epoll */
	struct event *ready;
	/* accept(2) cannot go on. */
	bool is_paused;
	bool is_in_trouble; /* since it was told, until it is over */
	int64_t told_ms;
	struct event *pause; /* pending: while in trouble */
};

static void
listening_watch(struct acceptor *acceptor, size_t index, int operation)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLEXCLUSIVE,
		.data.u64 = index,
	};

	if (epoll_ctl(acceptor->epoll, operation,
		      acceptor->listening[index].descriptor, &event) != 0)
		log_error("cannot watch a listening socket", "error=\"%s\"",
			  strerror(errno));
}

static void
set_listening(struct acceptor *acceptor, bool is_listening)
{
	if (acceptor->is_listening == is_listening)
		return;
	acceptor->is_listening = is_listening;
	for (size_t i = 0; i < acceptor->count; i++)
		listening_watch(acceptor, i,
				is_listening ? EPOLL_CTL_ADD : EPOLL_CTL_DEL);
}

static bool
has_room(const struct acceptor *acceptor)
{
	const struct worker *worker = acceptor->worker;

	return worker->connection_count < worker->connection_max &&
	       !acceptor->is_paused;
}

void
acceptor_resume(struct acceptor *acceptor)
{
	if (acceptor && has_room(acceptor))
		set_listening(acceptor, true);
}

static void
set_pause(struct acceptor *acceptor, int milliseconds)
{
	struct timeval pause = {milliseconds / 1000,
				milliseconds % 1000 * 1000};

	evtimer_add(acceptor->pause, &pause);
}

static void
on_pause_over(evutil_socket_t descriptor, short what, void *argument)
{
	struct acceptor *acceptor = argument;

	(void)descriptor;
	(void)what;
	if (acceptor->is_paused) {
		acceptor->is_paused = false;
		set_pause(acceptor, RECOVERED_MS);
		acceptor_resume(acceptor);
		return;
	}
	acceptor->is_in_trouble = false;
	log_info("accepting again", "connections=%zu",
		 acceptor->worker->connection_count);
}

static void
pause_accepting(struct acceptor *acceptor, int error_number)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!acceptor->is_in_trouble ||
	    now_ms - acceptor->told_ms >= REMIND_MS) {
		log_error("cannot accept, pausing",
			  "error=\"%s\" connections=%zu",
			  strerror(error_number),
			  acceptor->worker->connection_count);
		acceptor->told_ms = now_ms;
	}
	acceptor->is_in_trouble = true;
	acceptor->is_paused = true;
	set_pause(acceptor, PAUSE_MS);
	set_listening(acceptor, false);
}

/* False: no more can be taken now. */
static bool
accept_one(struct acceptor *acceptor, const struct listening *from)
{
	struct worker *worker = acceptor->worker;
	struct socket_address client = {.length = sizeof(client.storage)};
	int descriptor;

	descriptor =
		accept4(from->descriptor, (struct sockaddr *)&client.storage,
			&client.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (descriptor >= 0) {
		connection_new(
			worker,
			&worker->current->routes->services[from->service],
			descriptor, &client);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	/* The client went away, or its network is in trouble: accept(2). */
	case ECONNABORTED:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EINTR:
	case ENETDOWN:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EPERM:
	case EPROTO:
	case ETIMEDOUT:
		return true;
	default:
		/* No descriptors, or a socket that somebody has shut down. */
		pause_accepting(acceptor, errno);
		return false;
	}
}

static void
accept_from(struct acceptor *acceptor, const struct listening *from)
{
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		if (!has_room(acceptor)) {
			set_listening(acceptor, false);
			return;
		}
		if (!accept_one(acceptor, from))
			return;
	}
}

static void
on_ready(evutil_socket_t descriptor, short what, void *argument)
{
	struct acceptor *acceptor = argument;
	struct epoll_event ready[READY_A_TURN];
	int count;

	(void)what;
	count = epoll_wait((int)descriptor, ready, READY_A_TURN, 0);
	for (int i = 0; i < count; i++)
		accept_from(acceptor, &acceptor->listening[ready[i].data.u64]);
}

struct acceptor *
acceptor_new(struct worker *worker)
{
	struct acceptor *acceptor = mem_alloc(sizeof(*acceptor));

	acceptor->worker = worker;
	acceptor->epoll = epoll_create1(EPOLL_CLOEXEC);
	assert(acceptor->epoll >= 0);
	acceptor->ready = event_new(worker->base, acceptor->epoll,
				    EV_READ | EV_PERSIST, on_ready, acceptor);
	acceptor->pause = evtimer_new(worker->base, on_pause_over, acceptor);
	assert(acceptor->ready && acceptor->pause);
	event_add(acceptor->ready, NULL);
	return acceptor;
}

static void
close_all(struct acceptor *acceptor)
{
	for (size_t i = 0; i < acceptor->count; i++)
		close(acceptor->listening[i].descriptor);
	mem_free(acceptor->listening);
	acceptor->listening = NULL;
	acceptor->count = 0;
}

void
acceptor_free(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	set_listening(acceptor, false);
	close_all(acceptor);
	event_free(acceptor->ready);
	event_free(acceptor->pause);
	close(acceptor->epoll);
	mem_free(acceptor);
}

void
acceptor_update(struct acceptor *acceptor, struct generation *generation)
{
	const struct route_table *routes = acceptor->worker->current->routes;
	struct listening *listening =
		mem_array(generation->listener_count, sizeof(*listening));
	size_t count = 0;

	for (size_t i = 0; i < generation->listener_count; i++) {
		struct generation_listener *from = &generation->listeners[i];

		if (routes->services[from->service].is_down) {
			/* The monitor closes its own: nobody listens. */
			close(from->descriptor);
			from->descriptor = -1;
			continue;
		}
		listening[count].service = from->service;
		listening[count].descriptor = from->descriptor;
		from->descriptor = -1;
		count++;
	}
	set_listening(acceptor, false);
	close_all(acceptor);
	acceptor->listening = listening;
	acceptor->count = count;
	acceptor_resume(acceptor);
}
