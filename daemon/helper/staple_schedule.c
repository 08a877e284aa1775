/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic.
 */
#include "daemon/helper/staple_schedule.h"

/* Of a span of time, a random part up to its hundredths. */
static int64_t
part(int64_t span_ms, int64_t hundredths, uint32_t randomness)
{
	return span_ms / 100 * hundredths * (randomness & 0xffff) / 0x10000;
}

static void
set_due(struct staple_schedule *schedule, int64_t due_ms)
{
	int64_t least = schedule->asked_ms + STAPLE_SCHEDULE_LEAST_MS;

	schedule->due_ms = due_ms > least ? due_ms : least;
}

void
staple_schedule_asked(struct staple_schedule *schedule, int64_t now_ms)
{
	schedule->asked_ms = now_ms;
	set_due(schedule, 0);
}

/* Where an answer is past its half when it comes, half of what is left. */
void
staple_schedule_answered(struct staple_schedule *schedule, int64_t now_ms,
			 int64_t begin_ms, int64_t end_ms, uint32_t randomness)
{
	int64_t half = begin_ms + (end_ms - begin_ms) / 2;

	if (half < now_ms)
		half = now_ms + (end_ms - now_ms) / 2;
	schedule->failures = 0;
	set_due(schedule, half + part(end_ms - half, 25, randomness));
}

void
staple_schedule_failed(struct staple_schedule *schedule, int64_t now_ms,
		       uint32_t randomness)
{
	int64_t wait = STAPLE_SCHEDULE_LEAST_MS;

	for (uint32_t i = 0;
	     i < schedule->failures && wait < STAPLE_SCHEDULE_MOST_MS; i++)
		wait *= 2;
	if (wait > STAPLE_SCHEDULE_MOST_MS)
		wait = STAPLE_SCHEDULE_MOST_MS;
	if (schedule->failures < UINT32_MAX)
		schedule->failures++;
	set_due(schedule, now_ms + wait + part(wait, 25, randomness));
}

void
staple_schedule_hurry(struct staple_schedule *schedule)
{
	schedule->failures = 0;
	if (schedule->asked_ms == 0)
		schedule->due_ms = 0;
	else
		set_due(schedule, 0);
}

void
staple_schedule_settle(struct staple_schedule *schedule, int64_t now_ms)
{
	if (schedule->asked_ms > now_ms)
		staple_schedule_asked(schedule, now_ms);
}
