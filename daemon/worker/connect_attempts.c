/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONNECT, which address when: they are tried in order with the timing of RFC
 * 8305 5, so that the next one starts when one has failed or has not answered
 * within the attempt delay, and the first to answer wins.
 */
#include "daemon/worker/connecting.h"

#include "common/base/clock.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/worker.h"

/* RFC 8305 8: the recommended connection attempt delay. */
#define ATTEMPT_DELAY_MS 250

void
connecting_cancel(struct connecting *connecting)
{
	for (size_t i = 0; i < ATTEMPTS_MAX; i++)
		attempt_cancel(&connecting->attempts[i]);
	event_del(&connecting->delay);
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

/* For the next attempt the one that has not answered for the longest time gives
 * its place, or its descriptor. False: there is none. */
static bool
give_up_oldest(struct connecting *connecting, bool is_descriptor_wanted)
{
	struct attempt *oldest = NULL;

	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		struct attempt *attempt = &connecting->attempts[i];

		if (attempt->connecting &&
		    (attempt->descriptor >= 0 || !is_descriptor_wanted) &&
		    (!oldest || attempt->candidate < oldest->candidate))
			oldest = attempt;
	}
	if (!oldest)
		return false;
	attempt_cancel(oldest);
	return true;
}

/* Start the next candidate, and those behind it while they fail at once. When
 * there is none left and none under way, the connection is over. */
void
connecting_try_next(struct connecting *connecting)
{
	while (connecting->next < connecting->candidates.count) {
		if (connecting->active == ATTEMPTS_MAX)
			(void)give_up_oldest(connecting, false);
		switch (attempt_start(connecting, connecting->next)) {
		case ATTEMPT_WON:
			return;
		case ATTEMPT_WAITS:
			connecting->next++;
			if (connecting->next < connecting->candidates.count)
				wait_then_next(connecting, ATTEMPT_DELAY_MS);
			return;
		case ATTEMPT_LATER:
			if (give_up_oldest(connecting, true))
				continue;
			wait_then_next(connecting, CONNECTING_RETRY_MS);
			return;
		case ATTEMPT_FAILED:
			break;
		}
		connecting->next++;
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
