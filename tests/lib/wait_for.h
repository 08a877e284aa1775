/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turning an event loop until something has come about.
 */
#ifndef SEALOCK_TESTS_WAIT_FOR_H
#define SEALOCK_TESTS_WAIT_FOR_H

#include <stdbool.h>
#include <event2/event.h>

#include "tests/unit/unit.h"

/* A deadline on a loop, 20 s from its beginning on. */
struct wait {
	struct event *timer;
	bool is_over;
};

void
wait_begin(struct wait *wait, struct event_base *base);
void
wait_end(struct wait *wait);

/* scene has the loop, as its `base`. The test ends when the deadline comes
 * first. */
#define WAIT_FOR(scene, condition)                                   \
	do {                                                         \
		struct wait wait_;                                   \
		wait_begin(&wait_, (scene)->base);                   \
		while (!(condition) && !wait_.is_over)               \
			event_base_loop((scene)->base, EVLOOP_ONCE); \
		wait_end(&wait_);                                    \
		CU_ASSERT_FATAL(condition);                          \
	} while (0)

#endif
