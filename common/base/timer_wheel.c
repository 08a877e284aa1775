/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hashed wheel. A timer stands in the slot of a tick at which it is looked
 * at; that tick never comes after the one at which it is due. Whoever is
 * looked at too early (the deadline moved, or is more than a turn away) is
 * put into the slot of its deadline.
 */
#include "common/base/timer_wheel.h"

#include <assert.h>

/* Rounded up: at that tick the deadline is over. */
static int64_t
tick_of(int64_t deadline_ms)
{
	return deadline_ms / TIMER_WHEEL_TICK_MS +
	       (deadline_ms % TIMER_WHEEL_TICK_MS != 0);
}

static void
link_timer(struct timer_wheel *wheel, struct timer *timer)
{
	int64_t tick = tick_of(timer->deadline_ms);

	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	LIST_INSERT_HEAD(&wheel->slots[tick % TIMER_WHEEL_SLOTS], timer,
			 entries);
	timer->is_linked = true;
	wheel->count++;
}

static void
unlink_timer(struct timer_wheel *wheel, struct timer *timer)
{
	LIST_REMOVE(timer, entries);
	timer->is_linked = false;
	wheel->count--;
}

void
timer_wheel_init(struct timer_wheel *wheel, int64_t now_ms)
{
	assert(now_ms >= 0);
	for (size_t i = 0; i < TIMER_WHEEL_SLOTS; i++)
		LIST_INIT(&wheel->slots[i]);
	wheel->tick = now_ms / TIMER_WHEEL_TICK_MS;
	wheel->count = 0;
}

void
timer_set(struct timer_wheel *wheel, struct timer *timer, int64_t deadline_ms)
{
	assert(deadline_ms > 0);
	if (timer->is_linked && deadline_ms < timer->deadline_ms)
		unlink_timer(wheel, timer);
	timer->deadline_ms = deadline_ms;
	if (!timer->is_linked)
		link_timer(wheel, timer);
}

void
timer_clear(struct timer_wheel *wheel, struct timer *timer)
{
	if (timer->is_linked)
		unlink_timer(wheel, timer);
	timer->deadline_ms = 0;
}

static void
work_off_slot(struct timer_wheel *wheel, struct timer_list *slot,
	      int64_t now_ms, timer_fired *fired, void *argument)
{
	/* Off the wheel first: what is put back, here or by the callee, may
	 * go to this very slot and is not for this turn. Timers that the
	 * callee clears leave this list as they would leave the slot. */
	struct timer_list due = *slot;
	struct timer *timer;

	LIST_INIT(slot);
	if (LIST_FIRST(&due))
		LIST_FIRST(&due)->entries.le_prev = &LIST_FIRST(&due);
	while ((timer = LIST_FIRST(&due))) {
		unlink_timer(wheel, timer);
		if (timer->deadline_ms > now_ms) {
			link_timer(wheel, timer);
			continue;
		}
		timer->deadline_ms = 0;
		fired(timer, argument);
	}
}

void
timer_wheel_advance(struct timer_wheel *wheel, int64_t now_ms,
		    timer_fired *fired, void *argument)
{
	int64_t last = now_ms / TIMER_WHEEL_TICK_MS;

	/* After a long sleep one turn of the wheel sees every slot. */
	if (last - wheel->tick > TIMER_WHEEL_SLOTS)
		wheel->tick = last - TIMER_WHEEL_SLOTS;
	while (wheel->tick < last) {
		wheel->tick++;
		work_off_slot(wheel,
			      &wheel->slots[wheel->tick % TIMER_WHEEL_SLOTS],
			      now_ms, fired, argument);
	}
}

int64_t
timer_wheel_due(const struct timer_wheel *wheel)
{
	int64_t tick = wheel->tick + 1;

	if (wheel->count == 0)
		return -1;
	while (LIST_EMPTY(&wheel->slots[tick % TIMER_WHEEL_SLOTS]))
		tick++;
	return tick * TIMER_WHEEL_TICK_MS;
}

int64_t
timer_wheel_due_for(int64_t deadline_ms)
{
	return tick_of(deadline_ms) * TIMER_WHEEL_TICK_MS;
}
