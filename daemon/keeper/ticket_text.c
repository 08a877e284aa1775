/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in hex, times in UTC; a key of a file that has no times has dashes.
 */
#include "daemon/keeper/ticket_text.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/base/clock.h"

#define HEX_SIZE  (2 * TICKET_KEY_NAME_SIZE + 1)
#define TIME_SIZE 32

_Static_assert(TICKET_RING_ID_SIZE == TICKET_KEY_NAME_SIZE,
	       "ids and names are as long");

static const char *
mode_word(enum tls_ticket_mode mode)
{
	switch (mode) {
	case TLS_TICKETS_AUTO:
		return "auto";
	case TLS_TICKETS_FILES:
		return "files";
	case TLS_TICKETS_DERIVED:
		return "derived";
	case TLS_TICKETS_OFF:
		break;
	}
	return "off";
}

static const char *
format_hex(const unsigned char bytes[TICKET_KEY_NAME_SIZE],
	   char buffer[HEX_SIZE])
{
	for (size_t i = 0; i < TICKET_KEY_NAME_SIZE; i++)
		snprintf(buffer + 2 * i, 3, "%02x", bytes[i]);
	return buffer;
}

static const char *
format_name(const struct ticket_key *key, char buffer[HEX_SIZE])
{
	return key ? format_hex(key->name, buffer) : "-";
}

/* Neither the beginning of all time nor its end. */
static const char *
format_time(int64_t seconds, char buffer[TIME_SIZE])
{
	return seconds <= 0 || seconds > INT64_MAX / 1000000
		       ? "-"
		       : clock_format(seconds * 1000, buffer);
}

static bool
is_older(const struct ticket_key *key, const struct ticket_key *current,
	 int64_t now)
{
	return key != current && !key->is_reserve && key->from <= now &&
	       key->until > now;
}

static size_t
count_reserve(const struct ticket_ring *ring, int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < ring->count; i++)
		if (ring->keys[i].is_reserve && ring->keys[i].until > now)
			count++;
	return count;
}

static size_t
count_older(const struct ticket_ring *ring, const struct ticket_key *current,
	    int64_t now)
{
	size_t count = 0;

	for (size_t i = 0; i < ring->count; i++)
		if (is_older(&ring->keys[i], current, now))
			count++;
	return count;
}

const char *
ticket_text_ring(const struct ticket_ring *ring, char buffer[TICKET_TEXT_SIZE])
{
	return format_hex(ring->id, buffer);
}

const char *
ticket_text_fields(const struct ticket_ring *ring, enum tls_ticket_mode mode,
		   int64_t now, char buffer[TICKET_TEXT_SIZE])
{
	const struct ticket_key *current = ticket_ring_current(ring, now);
	const struct ticket_key *next = ticket_ring_next(ring, now);
	char names[3][HEX_SIZE], times[2][TIME_SIZE];

	snprintf(buffer, TICKET_TEXT_SIZE,
		 "ring=%s mode=%s current=%s since=%s next=%s at=%s older=%zu "
		 "reserve=%zu",
		 format_hex(ring->id, names[0]), mode_word(mode),
		 format_name(current, names[1]),
		 format_time(current ? current->from : 0, times[0]),
		 format_name(next, names[2]),
		 format_time(next ? next->from : 0, times[1]),
		 count_older(ring, current, now), count_reserve(ring, now));
	return buffer;
}

static const char *
state_word(const struct ticket_key *key, const struct ticket_key *current,
	   const struct ticket_key *next, int64_t now)
{
	if (key == current)
		return "current";
	if (key == next)
		return "next";
	if (key->until <= now)
		return "over";
	if (key->is_reserve)
		return "reserve";
	return is_older(key, current, now) ? "older" : "later";
}

void
ticket_text_lines(const struct ticket_ring *ring, enum tls_ticket_mode mode,
		  int64_t now, FILE *out)
{
	const struct ticket_key *current = ticket_ring_current(ring, now);
	const struct ticket_key *next = ticket_ring_next(ring, now);
	char name[HEX_SIZE], times[2][TIME_SIZE];

	fprintf(out, "ring %s mode %s\n", format_hex(ring->id, name),
		mode_word(mode));
	for (size_t i = 0; i < ring->count; i++) {
		const struct ticket_key *key = &ring->keys[i];

		fprintf(out, "  %s %-7s from %s until %s\n",
			format_hex(key->name, name),
			state_word(key, current, next, now),
			format_time(key->from, times[0]),
			format_time(key->until, times[1]));
	}
}
