/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer that wakes the loop for the last time.
 */
#include "tests/lib/wait_for.h"

#define DEADLINE_S 20

static void
on_over(evutil_socket_t descriptor, short what, void *argument)
{
	struct wait *wait = argument;

	(void)descriptor;
	(void)what;
	wait->is_over = true;
}

void
wait_begin(struct wait *wait, struct event_base *base)
{
	static const struct timeval deadline = {.tv_sec = DEADLINE_S};

	wait->is_over = false;
	wait->timer = evtimer_new(base, on_over, wait);
	CU_ASSERT_PTR_NOT_NULL_FATAL(wait->timer);
	event_add(wait->timer, &deadline);
}

void
wait_end(struct wait *wait)
{
	event_free(wait->timer);
}
