/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two clocks.
 */
#include "common/base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

/* "2026-11-22T05:55:23.123Z" and its NUL. */
#define FORMAT_SIZE 25

/* The last millisecond of the year 9999: more does not fit the format. */
#define FORMAT_LAST_MS INT64_C(253402300799999)

static int64_t shift_ms;

static int64_t
read_clock(clockid_t which)
{
	struct timespec now;
	int result = clock_gettime(which, &now);

	assert(result == 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + shift_ms;
}

int64_t
clock_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_real_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_real_s(void)
{
	return clock_real_ms() / 1000;
}

void
clock_shift(int64_t milliseconds)
{
	shift_ms = milliseconds;
}

const char *
clock_format(int64_t real_ms, char *buffer)
{
	struct tm parts;
	time_t seconds;
	size_t length;

	if (real_ms < 0)
		real_ms = 0;
	if (real_ms > FORMAT_LAST_MS)
		real_ms = FORMAT_LAST_MS;
	seconds = (time_t)(real_ms / 1000);
	gmtime_r(&seconds, &parts);
	length = strftime(buffer, FORMAT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(buffer + length, FORMAT_SIZE - length, ".%03dZ",
		 (int)(real_ms % 1000));
	return buffer;
}
