/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schedule of staples, by a clock that the tests turn.
 */
#include <stdlib.h>

#include "daemon/helper/staple_schedule.h"
#include "tests/unit/unit.h"

#define NOW    INT64_C(1800000000000)
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define MOST   UINT32_MAX
#define BETWEEN(value, least, most) \
	CU_ASSERT((value) >= (least) && (value) <= (most))

static void
test_at_once(void)
{
	struct staple_schedule schedule = {0};

	CU_ASSERT_EQUAL(schedule.due_ms, 0);
	staple_schedule_hurry(&schedule);
	CU_ASSERT_EQUAL(schedule.due_ms, 0);
	staple_schedule_asked(&schedule, NOW);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + MINUTE);
}

static void
test_half_of_its_life(void)
{
	for (uint32_t randomness = 0; randomness < 0x10000; randomness += 99) {
		struct staple_schedule schedule = {.failures = 5};

		staple_schedule_asked(&schedule, NOW);
		staple_schedule_answered(&schedule, NOW, NOW - HOUR,
					 NOW - HOUR + 8 * DAY, randomness);
		BETWEEN(schedule.due_ms, NOW - HOUR + 4 * DAY,
			NOW - HOUR + 5 * DAY);
		CU_ASSERT_EQUAL(schedule.failures, 0);
	}
}

/* Those that were asked together are not asked together again. */
static void
test_jitter(void)
{
	struct staple_schedule least = {0}, most = {0};

	staple_schedule_answered(&least, NOW, NOW, NOW + 8 * DAY, 0);
	staple_schedule_answered(&most, NOW, NOW, NOW + 8 * DAY, MOST);
	CU_ASSERT(most.due_ms - least.due_ms > DAY - HOUR);
	staple_schedule_failed(&least, NOW, 0);
	staple_schedule_failed(&most, NOW, MOST);
	CU_ASSERT(most.due_ms > least.due_ms);
}

static void
test_past_its_half(void)
{
	struct staple_schedule schedule = {0};

	staple_schedule_asked(&schedule, NOW);
	staple_schedule_answered(&schedule, NOW, NOW - 6 * DAY, NOW + 2 * DAY,
				 0);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + DAY);
	/* At its very end, or behind it: a minute later. */
	staple_schedule_answered(&schedule, NOW, NOW - DAY, NOW + 1000, MOST);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + MINUTE);
	staple_schedule_answered(&schedule, NOW, NOW - DAY, NOW - 1000, MOST);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + MINUTE);
}

static void
test_failures(void)
{
	static const int64_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct staple_schedule schedule = {0};

	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		const int64_t wait = minutes[i] * MINUTE;
		struct staple_schedule most;

		staple_schedule_asked(&schedule, NOW);
		most = schedule;
		staple_schedule_failed(&most, NOW, MOST);
		staple_schedule_failed(&schedule, NOW, 0);
		CU_ASSERT_EQUAL(schedule.due_ms, NOW + wait);
		BETWEEN(most.due_ms, NOW + wait, NOW + wait + wait / 4);
		CU_ASSERT_EQUAL(schedule.failures, i + 1);
	}
	schedule.failures = UINT32_MAX;
	staple_schedule_failed(&schedule, NOW, 0);
	CU_ASSERT_EQUAL(schedule.failures, UINT32_MAX);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + HOUR);
}

/* Whatever happens, in any order, a request is due a minute after the one
 * before at the earliest. */
static void
test_never_twice_a_minute(void)
{
	struct staple_schedule schedule = {0};
	unsigned int seed = 7;
	int64_t now = NOW, last = 0;

	for (int i = 0; i < 200000; i++) {
		const uint32_t randomness = (uint32_t)rand_r(&seed);
		const int64_t life = rand_r(&seed) % (i % 2 ? DAY : MINUTE);

		now += rand_r(&seed) % (i % 7 ? 5000 : HOUR);
		if (now >= schedule.due_ms) {
			CU_ASSERT_FATAL(last == 0 || now - last >= MINUTE);
			staple_schedule_asked(&schedule, now);
			last = now;
		}
		switch (rand_r(&seed) % 5) {
		case 0:
			staple_schedule_answered(&schedule, now, now - life,
						 now + life, randomness);
			break;
		case 1:
			staple_schedule_failed(&schedule, now, randomness);
			break;
		case 2:
			staple_schedule_hurry(&schedule);
			break;
		case 3:
			staple_schedule_settle(&schedule, now);
			break;
		default:
			break;
		}
	}
}

static void
test_clock_turned_back(void)
{
	struct staple_schedule schedule = {0};

	staple_schedule_asked(&schedule, NOW + 400 * DAY);
	staple_schedule_answered(&schedule, NOW + 400 * DAY, NOW + 400 * DAY,
				 NOW + 407 * DAY, 0);
	staple_schedule_settle(&schedule, NOW);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + MINUTE);
	/* And what is right stays as it is. */
	staple_schedule_answered(&schedule, NOW, NOW, NOW + 8 * DAY, 0);
	staple_schedule_settle(&schedule, NOW + 1);
	CU_ASSERT_EQUAL(schedule.due_ms, NOW + 4 * DAY);
}

UNIT_SUITE(staple_schedule, {"at_once", test_at_once},
	   {"half_of_its_life", test_half_of_its_life}, {"jitter", test_jitter},
	   {"past_its_half", test_past_its_half}, {"failures", test_failures},
	   {"never_twice_a_minute", test_never_twice_a_minute},
	   {"clock_turned_back", test_clock_turned_back});
