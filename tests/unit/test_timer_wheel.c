/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/timer_wheel.h"
#include "tests/unit/unit.h"

#define START_MS INT64_C(1000000)
#define TURN_MS  ((int64_t)TIMER_WHEEL_SLOTS * TIMER_WHEEL_TICK_MS)

struct tally {
	struct timer_wheel *wheel;
	size_t fired;
	struct timer *last;
};

static void
count_fired(struct timer *timer, void *argument)
{
	struct tally *tally = argument;

	tally->fired++;
	tally->last = timer;
}

static struct timer_wheel *
wheel_new(void)
{
	struct timer_wheel *wheel = mem_alloc(sizeof(*wheel));

	timer_wheel_init(wheel, START_MS);
	return wheel;
}

static size_t
advance(struct timer_wheel *wheel, int64_t now_ms)
{
	struct tally tally = {.wheel = wheel};

	timer_wheel_advance(wheel, now_ms, count_fired, &tally);
	return tally.fired;
}

/* Whoever turns the wheel only when it says so misses nothing. */
static void
test_due(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	struct timer soon = {0}, late = {0};
	int64_t now_ms = START_MS, due_ms;
	size_t turns = 0, fired = 0;

	CU_ASSERT_EQUAL(timer_wheel_due(wheel), -1);
	timer_set(wheel, &late, START_MS + 3 * TURN_MS + 1);
	timer_set(wheel, &soon, START_MS + 5 * TIMER_WHEEL_TICK_MS + 1);
	CU_ASSERT_EQUAL(timer_wheel_due_for(soon.deadline_ms),
			START_MS + 6 * TIMER_WHEEL_TICK_MS);
	CU_ASSERT_EQUAL(timer_wheel_due_for(START_MS), START_MS);
	while ((due_ms = timer_wheel_due(wheel)) >= 0 && turns < 100) {
		CU_ASSERT_TRUE(due_ms > now_ms);
		CU_ASSERT_EQUAL(advance(wheel, due_ms - 1), 0);
		now_ms = due_ms;
		fired += advance(wheel, now_ms);
		turns++;
	}
	CU_ASSERT_EQUAL(fired, 2);
	CU_ASSERT_EQUAL(now_ms, START_MS + 3 * TURN_MS + TIMER_WHEEL_TICK_MS);
	/* One for the first, one a turn for the other. */
	CU_ASSERT_EQUAL(turns, 5);
}

static void
test_fires_once(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	struct timer timer = {0};
	struct tally tally = {.wheel = wheel};

	timer_set(wheel, &timer, START_MS + 250);
	CU_ASSERT_EQUAL(wheel->count, 1);
	timer_wheel_advance(wheel, START_MS + 249, count_fired, &tally);
	CU_ASSERT_EQUAL(tally.fired, 0);
	timer_wheel_advance(wheel, START_MS + 450, count_fired, &tally);
	CU_ASSERT_EQUAL(tally.fired, 1);
	CU_ASSERT_PTR_EQUAL(tally.last, &timer);
	CU_ASSERT_EQUAL(timer.deadline_ms, 0);
	CU_ASSERT_FALSE(timer.is_linked);
	CU_ASSERT_EQUAL(wheel->count, 0);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 10 * TURN_MS), 0);
}

static void
test_moves(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	struct timer timer = {0};

	/* Later: it does not fire at the first deadline. */
	timer_set(wheel, &timer, START_MS + 500);
	timer_set(wheel, &timer, START_MS + 2000);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 1999), 0);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 2200), 1);
	/* Earlier: it does not wait for it. */
	timer_set(wheel, &timer, START_MS + 9000);
	timer_set(wheel, &timer, START_MS + 3000);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 3200), 1);
	CU_ASSERT_EQUAL(wheel->count, 0);
	/* Later, then earlier, but after the first. */
	timer_set(wheel, &timer, START_MS + 4000);
	timer_set(wheel, &timer, START_MS + 8000);
	timer_set(wheel, &timer, START_MS + 6000);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 5999), 0);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 6200), 1);
	/* Over already: with the next tick. */
	timer_set(wheel, &timer, START_MS);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 6400), 1);
}

static void
test_clear(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	struct timer timer = {0};

	timer_clear(wheel, &timer);
	timer_set(wheel, &timer, START_MS + 100);
	timer_clear(wheel, &timer);
	timer_clear(wheel, &timer);
	CU_ASSERT_EQUAL(wheel->count, 0);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 1000), 0);
	timer_set(wheel, &timer, START_MS + 1100);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 1300), 1);
}

static void
test_beyond_a_turn(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	struct timer timer = {0};
	int64_t deadline = START_MS + 5 * TURN_MS / 2;

	timer_set(wheel, &timer, deadline);
	for (int64_t now = START_MS; now < deadline; now += 700)
		CU_ASSERT_EQUAL(advance(wheel, now), 0);
	CU_ASSERT_EQUAL(advance(wheel, deadline + 200), 1);
	/* The same after a sleep of many turns, with one to come. */
	timer_set(wheel, &timer, START_MS + 20 * TURN_MS);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 20 * TURN_MS - 1), 0);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 20 * TURN_MS + 200), 1);
	/* A clock that stands still or goes back does nothing. */
	timer_set(wheel, &timer, START_MS + 20 * TURN_MS + 300);
	CU_ASSERT_EQUAL(advance(wheel, START_MS + 20 * TURN_MS + 200), 0);
	CU_ASSERT_EQUAL(advance(wheel, START_MS), 0);
	timer_clear(wheel, &timer);
}

struct owner {
	struct timer timer;
	struct owner *victim; /* freed when this one fires */
	unsigned int again;   /* times to set itself anew */
};

static void
fire_owner(struct timer *timer, void *argument)
{
	struct tally *tally = argument;
	struct owner *owner = (struct owner *)timer;

	tally->fired++;
	if (owner->victim) {
		timer_clear(tally->wheel, &owner->victim->timer);
		mem_free(owner->victim);
		owner->victim = NULL;
	}
	if (owner->again > 0) {
		owner->again--;
		timer_set(tally->wheel, timer, START_MS + 100);
		return;
	}
	mem_free(owner);
}

static void
test_changes_while_firing(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	struct tally tally = {.wheel = wheel};
	struct owner *owners[6];

	/* All in one slot. The odd ones die with the even ones, from either
	 * side in the list; the third survivor comes back twice. */
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		owners[i] = mem_alloc(sizeof(struct owner));
		timer_set(wheel, &owners[i]->timer, START_MS + 50);
	}
	timer_clear(wheel, &owners[1]->timer);
	timer_clear(wheel, &owners[4]->timer);
	mem_free(owners[1]);
	mem_free(owners[4]);
	/* The list is 5 3 2 0: five fires, takes three with it. */
	owners[5]->victim = owners[3];
	owners[2]->again = 2;
	timer_wheel_advance(wheel, START_MS + 100, fire_owner, &tally);
	CU_ASSERT_EQUAL(tally.fired, 3);
	CU_ASSERT_EQUAL(wheel->count, 1);
	timer_wheel_advance(wheel, START_MS + 200, fire_owner, &tally);
	timer_wheel_advance(wheel, START_MS + 300, fire_owner, &tally);
	CU_ASSERT_EQUAL(tally.fired, 5);
	CU_ASSERT_EQUAL(wheel->count, 0);
}

/* Many timers that move at random, against their deadlines. */
#define MANY 500

struct model {
	struct timer timers[MANY];
	int64_t deadlines[MANY]; /* 0: not set */
	int64_t now_ms;
	size_t early;
	size_t late;
	size_t unexpected;
};

static void
fire_model(struct timer *timer, void *argument)
{
	struct model *model = argument;
	size_t index = (size_t)(timer - model->timers);
	int64_t deadline = model->deadlines[index];

	model->unexpected += deadline == 0;
	model->early += deadline > model->now_ms;
	model->deadlines[index] = 0;
}

static void
test_random(void)
{
	AUTO_FREE struct timer_wheel *wheel = wheel_new();
	AUTO_FREE struct model *model = mem_alloc(sizeof(*model));
	unsigned int seed = 7;
	size_t set = 0;

	model->now_ms = START_MS;
	for (int round = 0; round < 20000; round++) {
		size_t index = (size_t)rand_r(&seed) % MANY;
		int64_t deadline =
			model->now_ms + 1 + rand_r(&seed) % (2 * (int)TURN_MS);

		if (rand_r(&seed) % 4 == 0) {
			timer_clear(wheel, &model->timers[index]);
			model->deadlines[index] = 0;
		} else {
			timer_set(wheel, &model->timers[index], deadline);
			model->deadlines[index] = deadline;
		}
		/* Small steps and sometimes a long sleep. */
		model->now_ms +=
			round % 500 == 0 ? 2 * TURN_MS : rand_r(&seed) % 150;
		timer_wheel_advance(wheel, model->now_ms, fire_model, model);
		for (size_t i = 0; i < MANY; i++)
			model->late +=
				model->deadlines[i] != 0 &&
				model->deadlines[i] + 2 * TIMER_WHEEL_TICK_MS <
					model->now_ms;
	}
	CU_ASSERT_EQUAL(model->unexpected, 0);
	CU_ASSERT_EQUAL(model->early, 0);
	CU_ASSERT_EQUAL(model->late, 0);
	for (size_t i = 0; i < MANY; i++)
		set += model->deadlines[i] != 0;
	CU_ASSERT_EQUAL(wheel->count, set);
}

UNIT_SUITE(timer_wheel, {"due", test_due}, {"fires_once", test_fires_once},
	   {"moves", test_moves}, {"clear", test_clear},
	   {"beyond_a_turn", test_beyond_a_turn},
	   {"changes_while_firing", test_changes_while_firing},
	   {"random", test_random});
