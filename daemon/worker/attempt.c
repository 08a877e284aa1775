/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A UNIX backend whose queue is full cannot be waited for by the kernel's
 * means: it is tried again and again, as long as nobody else answers.
 */
#include "daemon/worker/attempt.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"
#include "daemon/worker/broker_renew.h"
#include "daemon/worker/builtin.h"
#include "daemon/worker/connecting.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/worker.h"

static const struct timeval pause_time = {0, CONNECTING_RETRY_MS * 1000};

static void
on_pause(evutil_socket_t descriptor, short what, void *argument);

static void
note_failure(struct connecting *connecting, size_t candidate, const char *why)
{
	char text[256];

	connecting_note(
		connecting, REASON_CONNECT_FAILED, "%s: %s",
		candidate_format(&connecting->candidates.list[candidate], text,
				 sizeof(text)),
		why);
}

/* What we lack ourselves is no fault of the candidate's. */
static bool
is_lack(int error_number)
{
	return error_number == EMFILE || error_number == ENFILE ||
	       error_number == ENOBUFS || error_number == ENOMEM;
}

/* Begin, end. */

static struct attempt *
attempt_new(struct connecting *connecting, size_t candidate)
{
	struct attempt *attempt = connecting->attempts;

	while (attempt->connecting)
		attempt++;
	assert(attempt < connecting->attempts + ATTEMPTS_MAX);
	attempt->connecting = connecting;
	attempt->candidate = candidate;
	attempt->descriptor = -1;
	event_assign(&attempt->event, connecting->connection->worker->base, -1,
		     0, on_pause, attempt);
	connecting->active++;
	return attempt;
}

/* The descriptor is the caller's from then on; -1: there was none. */
static int
attempt_end(struct attempt *attempt)
{
	int descriptor = attempt->descriptor;

	event_del(&attempt->event);
	broker_client_cancel(&attempt->request);
	attempt->connecting->active--;
	attempt->connecting = NULL;
	return descriptor;
}

void
attempt_cancel(struct attempt *attempt)
{
	int descriptor;

	if (!attempt->connecting)
		return;
	descriptor = attempt_end(attempt);
	if (descriptor >= 0)
		close(descriptor);
}

/* Again after a pause. */

static enum attempt_result
wait_a_moment(struct connecting *connecting, size_t candidate)
{
	event_add(&attempt_new(connecting, candidate)->event, &pause_time);
	return ATTEMPT_WAITS;
}

static void
on_pause(evutil_socket_t descriptor, short what, void *argument)
{
	struct attempt *attempt = argument;
	struct connecting *connecting = attempt->connecting;
	struct connection *connection = connecting->connection;
	size_t candidate = attempt->candidate;

	(void)descriptor;
	(void)what;
	connection->now_ms = clock_monotonic_ms();
	attempt_cancel(attempt);
	switch (attempt_start(connecting, candidate)) {
	case ATTEMPT_WAITS:
	case ATTEMPT_WON:
		break;
	case ATTEMPT_LATER:
		(void)wait_a_moment(connecting, candidate);
		break;
	case ATTEMPT_FAILED:
		connecting_try_next(connecting);
		break;
	}
	connection_update_events(connection);
}

/* By a socket of our own. */

static void
on_connected(evutil_socket_t descriptor, short what, void *argument)
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
	if (failure == 0) {
		connecting_won(connecting, candidate, attempt_end(attempt));
	} else {
		note_failure(connecting, candidate, strerror(failure));
		attempt_cancel(attempt);
		connecting_try_next(connecting);
	}
	connection_update_events(connection);
}

static enum attempt_result
attempt_watch(struct connecting *connecting, size_t candidate, int descriptor)
{
	struct attempt *attempt = attempt_new(connecting, candidate);

	attempt->descriptor = descriptor;
	event_assign(&attempt->event, connecting->connection->worker->base,
		     descriptor, EV_WRITE, on_connected, attempt);
	event_add(&attempt->event, NULL);
	return ATTEMPT_WAITS;
}

static enum attempt_result
attempt_impossible(struct connecting *connecting, size_t candidate,
		   int error_number)
{
	note_failure(connecting, candidate, strerror(error_number));
	return is_lack(error_number) ? ATTEMPT_LATER : ATTEMPT_FAILED;
}

static enum attempt_result
attempt_socket(struct connecting *connecting, size_t index)
{
	const struct candidate *candidate = &connecting->candidates.list[index];
	const struct sockaddr *address =
		(const struct sockaddr *)&candidate->socket.storage;
	int descriptor, failure;

	descriptor = socket(address->sa_family,
			    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return attempt_impossible(connecting, index, errno);
	if (connect(descriptor, address, candidate->socket.length) == 0) {
		connecting_won(connecting, index, descriptor);
		return ATTEMPT_WON;
	}
	if (errno == EINPROGRESS)
		return attempt_watch(connecting, index, descriptor);
	failure = errno;
	close(descriptor);
	note_failure(connecting, index, strerror(failure));
	if (failure == EAGAIN && address->sa_family == AF_UNIX)
		return wait_a_moment(connecting, index);
	return ATTEMPT_FAILED;
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
	connecting_won(connecting, index, descriptor);
	return ATTEMPT_WON;
}

/* By way of the broker. */

static const char *
broker_failure(int error_number)
{
	if (error_number == ESTALE)
		return "it is not configured any more";
	return strerror(error_number);
}

static void
on_brokered(struct broker_request *request, int descriptor, int error_number)
{
	struct attempt *attempt =
		(struct attempt *)(void *)((char *)request -
					   offsetof(struct attempt, request));
	struct connecting *connecting = attempt->connecting;
	struct connection *connection = connecting->connection;
	size_t candidate = attempt->candidate;

	connection->now_ms = clock_monotonic_ms();
	if (error_number == ESTALE &&
	    broker_renew(request,
			 connecting->candidates.list[candidate].configured,
			 connection->worker->current)) {
		error_number =
			broker_client_ask(connection->worker->broker, request);
		if (error_number == 0)
			return;
	}
	if (descriptor >= 0) {
		attempt_cancel(attempt);
		connecting_won(connecting, candidate, descriptor);
	} else {
		note_failure(connecting, candidate,
			     broker_failure(error_number));
		if (error_number == EAGAIN || is_lack(error_number)) {
			event_add(&attempt->event, &pause_time);
			return;
		}
		attempt_cancel(attempt);
		connecting_try_next(connecting);
	}
	connection_update_events(connection);
}

static enum attempt_result
attempt_brokered(struct connecting *connecting, size_t index)
{
	const struct connection *connection = connecting->connection;
	const struct conf *conf = connection->snapshot->generation->conf;
	struct attempt *attempt = attempt_new(connecting, index);
	int failure;

	attempt->request = (struct broker_request){
		.generation = connection->snapshot->number,
		.service =
			(uint32_t)(connection->service->conf - conf->services),
		.address = (uint32_t)connecting->candidates.list[index].index,
		.answered = on_brokered,
	};
	failure = broker_client_ask(connection->worker->broker,
				    &attempt->request);
	if (failure == 0)
		return ATTEMPT_WAITS;
	attempt_cancel(attempt);
	return attempt_impossible(connecting, index, failure);
}

enum attempt_result
attempt_start(struct connecting *connecting, size_t index)
{
	const struct candidate *candidate = &connecting->candidates.list[index];
	const struct worker *worker = connecting->connection->worker;

	if (candidate->configured->kind == ADDRESS_BUILTIN)
		return attempt_builtin(connecting, index);
	if (candidate->socket.storage.ss_family == AF_UNIX &&
	    child_needs_broker(worker->child))
		return attempt_brokered(connecting, index);
	return attempt_socket(connecting, index);
}
