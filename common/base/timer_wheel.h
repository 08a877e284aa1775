/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines of many connections at the price of a list insertion: a hashed
 * wheel of ticks. A deadline that moves away is not moved in the wheel; the
 * entry is looked at when its slot comes round and put where it belongs then,
 * so refreshing an idle timer on every read costs one store.
 *
 * Precision is one tick (100 ms): a timer fires at or up to two ticks after
 * its deadline, never before.
 */
#ifndef SEALOCK_BASE_TIMER_WHEEL_H
#define SEALOCK_BASE_TIMER_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define TIMER_WHEEL_TICK_MS 100
#define TIMER_WHEEL_SLOTS   1024

/* Embedded in its owner and dies with it. Zeroed is valid and not set. */
struct timer {
	LIST_ENTRY(timer) entries;
	int64_t deadline_ms; /* monotonic; 0: not set */
	bool is_linked;
};

LIST_HEAD(timer_list, timer);

struct timer_wheel {
	struct timer_list slots[TIMER_WHEEL_SLOTS];
	int64_t tick; /* the last one that was worked off */
	size_t count; /* linked timers */
};

typedef void
timer_fired(struct timer *timer, void *argument);

void
timer_wheel_init(struct timer_wheel *wheel, int64_t now_ms);

/* Set or move a deadline. Moving it later is one store; moving it earlier
 * relinks. */
void
timer_set(struct timer_wheel *wheel, struct timer *timer, int64_t deadline_ms);

/* Forget it; must be called before the owner's memory goes. */
void
timer_clear(struct timer_wheel *wheel, struct timer *timer);

/* Work off all ticks up to now, calling fired for each timer whose deadline
 * is over; it is cleared before the call and may be set again, or its owner
 * freed, in it; so may any other timer of the wheel. */
void
timer_wheel_advance(struct timer_wheel *wheel, int64_t now_ms,
		    timer_fired *fired, void *argument);

/* When the next timer is to be looked at, if nothing is set or moved until
 * then: advancing before that does nothing. -1: none is set. */
int64_t
timer_wheel_due(const struct timer_wheel *wheel);

/* When a timer with this deadline is to be looked at, at the latest. */
int64_t
timer_wheel_due_for(int64_t deadline_ms);

#endif
