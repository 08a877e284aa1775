/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, replaceable in tests.
 */
#ifndef SEALOCK_BASE_CLOCK_H
#define SEALOCK_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some start, never going back (CLOCK_MONOTONIC). */
int64_t
clock_monotonic_ms(void);

/* Milliseconds since 1970 (CLOCK_REALTIME). */
int64_t
clock_real_ms(void);

/* Seconds since 1970, of the same clock. */
int64_t
clock_real_s(void);

/* For tests: answers of both clocks are shifted by this much from now on. */
void
clock_shift(int64_t milliseconds);

/* 2026-11-22T05:55:23.123Z into a buffer of at least 25 bytes. */
const char *
clock_format(int64_t real_ms, char *buffer);

#endif
