/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONNECT, which address when: they are tried in order with the timing of RFC
 * 8305 5, so that the next one starts when one has failed or has not answered
 * within the attempt delay, and the first to answer wins.
 */
#include "daemon/worker/connecting.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "daemon/worker/builtin.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* RFC 8305 8: the recommended connection attempt delay. */
#define ATTEMPT_DELAY_MS 250

/* What does not even begin is tried again after this time: there are no
 * descriptors, or a UNIX backend's queue is full. */
#define RETRY_MS 20

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

void
connecting_cancel(struct connecting *connecting)
{
	for (size_t i = 0; i < ATTEMPTS_MAX; i++)
		attempt_end(&connecting->attempts[i], false);
	event_del(&connecting->delay);
}

static void
attempt_failed(struct connecting *connecting, size_t index, int error_number)
{
	char text[256];

	connecting_note(connecting, REASON_CONNECT_FAILED, "%s: %s",
			candidate_format(&connecting->candidates.list[index],
					 text, sizeof(text)),
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
		connecting_won(connecting, candidate, descriptor);
	else {
		attempt_failed(connecting, candidate, failure);
		connecting_try_next(connecting);
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
	connecting_try_next(connecting);
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
	connecting_won(connecting, index, descriptor);
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
		connecting_won(connecting, index, descriptor);
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
void
connecting_try_next(struct connecting *connecting)
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

void
connecting_init(struct connecting *connecting)
{
	event_assign(&connecting->delay, connecting->connection->worker->base,
		     -1, 0, on_delay, connecting);
}
