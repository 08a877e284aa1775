/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a responder is asked for a certificate's staple: again when half of the
 * answer's life is over, later and later while there is none, and never twice
 * within a minute, whatever happens. Times are milliseconds since 1970, as they
 * outlive the process; no clock is looked at in here.
 */
#ifndef SEALOCK_HELPER_STAPLE_SCHEDULE_H
#define SEALOCK_HELPER_STAPLE_SCHEDULE_H

#include <stdint.h>

/* Between two requests for one certificate. */
#define STAPLE_SCHEDULE_LEAST_MS 60000

/* After failures: twice as long each time, up to this. */
#define STAPLE_SCHEDULE_MOST_MS 3600000

struct staple_schedule {
	int64_t asked_ms;  /* when the last request left; 0: none has */
	int64_t due_ms;    /* when the next one may leave; 0: at once */
	uint32_t failures; /* in a row */
};

/* A request leaves now. */
void
staple_schedule_asked(struct staple_schedule *schedule, int64_t now_ms);

/* It has come to an answer of this life. Randomness spreads those that were
 * asked together; any number. */
void
staple_schedule_answered(struct staple_schedule *schedule, int64_t now_ms,
			 int64_t begin_ms, int64_t end_ms, uint32_t randomness);

/* It has come to nothing that could be used. */
void
staple_schedule_failed(struct staple_schedule *schedule, int64_t now_ms,
		       uint32_t randomness);

/* Others are to be asked, or about something else: as soon as may be. */
void
staple_schedule_hurry(struct staple_schedule *schedule);

/* The clock has been turned back behind what was noted: wait a minute from now,
 * not until then. */
void
staple_schedule_settle(struct staple_schedule *schedule, int64_t now_ms);

#endif
