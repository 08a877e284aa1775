/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers, durations, sizes and booleans, and the nearest word.
 */
#include "common/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

/* Longer words have no neighbours: no key of ours is near that long. */
#define NEAREST_MAX 64

struct unit {
	const char *name;
	uint64_t factor;
};

/* The largest first, as formatting wants them. */
static const struct unit duration_units[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

static const struct unit size_units[] = {
	{"G", 1U << 30},
	{"M", 1U << 20},
	{"k", 1U << 10},
};

/* Digits at the start of text; returns what follows them, or NULL when there
 * are none or they are too many. */
static const char *
parse_digits(const char *text, uint64_t *value)
{
	uint64_t sum = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
			return NULL;
	*value = sum;
	return text;
}

int
text_parse_unsigned(const char *text, uint64_t *value)
{
	uint64_t number;
	const char *rest = parse_digits(text, &number);

	if (!rest || *rest != '\0')
		return -1;
	*value = number;
	return 0;
}

int
text_parse_boolean(const char *text, bool *value)
{
	static const struct {
		const char *spellings[3];
		bool value;
	} words[] = {
		{{"true", "TRUE", "True"}, true},
		{{"yes", "YES", "Yes"}, true},
		{{"on", "ON", "On"}, true},
		{{"false", "FALSE", "False"}, false},
		{{"no", "NO", "No"}, false},
		{{"off", "OFF", "Off"}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t k = 0; k < ARRAY_SIZE(words[i].spellings); k++)
			if (strcmp(text, words[i].spellings[k]) == 0) {
				*value = words[i].value;
				return 0;
			}
	return -1;
}

int
text_parse_duration(const char *text, int64_t *milliseconds)
{
	uint64_t number;
	const char *unit = parse_digits(text, &number);

	if (!unit)
		return -1;
	if (*unit == '\0' && number == 0) {
		*milliseconds = 0;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		if (strcmp(unit, duration_units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(number, duration_units[i].factor,
					   &number) ||
		    number > INT64_MAX)
			return -1;
		*milliseconds = (int64_t)number;
		return 0;
	}
	return -1;
}

int
text_parse_size(const char *text, uint64_t *bytes)
{
	uint64_t number, factor = 1;
	const char *unit = parse_digits(text, &number);

	if (!unit)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(size_units); i++)
		if (tolower((unsigned char)*unit) ==
		    tolower((unsigned char)*size_units[i].name)) {
			factor = size_units[i].factor;
			unit++;
			break;
		}
	if (factor > 1 && *unit == 'i' && unit[1] == 'B')
		unit++;
	if (*unit == 'B')
		unit++;
	if (*unit != '\0' || __builtin_mul_overflow(number, factor, &number))
		return -1;
	*bytes = number;
	return 0;
}

const char *
text_format_duration(int64_t milliseconds, char *buffer, size_t size)
{
	if (milliseconds == 0) {
		snprintf(buffer, size, "0");
		return buffer;
	}
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		int64_t factor = (int64_t)duration_units[i].factor;

		if (milliseconds % factor != 0)
			continue;
		snprintf(buffer, size, "%jd%s",
			 (intmax_t)(milliseconds / factor),
			 duration_units[i].name);
		break;
	}
	return buffer;
}

const char *
text_format_size(uint64_t bytes, char *buffer, size_t size)
{
	const char *unit = "";

	for (size_t i = 0; bytes > 0 && i < ARRAY_SIZE(size_units); i++)
		if (bytes % size_units[i].factor == 0) {
			bytes /= size_units[i].factor;
			unit = size_units[i].name;
			break;
		}
	snprintf(buffer, size, "%ju%s", (uintmax_t)bytes, unit);
	return buffer;
}

void
text_hex(const void *bytes, size_t length, char *buffer)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < length; i++) {
		*buffer++ = digits[byte[i] >> 4];
		*buffer++ = digits[byte[i] & 15];
	}
	*buffer = '\0';
}

static size_t
least(size_t one, size_t other)
{
	return one < other ? one : other;
}

static bool
is_same_letter(char one, char other)
{
	return tolower((unsigned char)one) == tolower((unsigned char)other);
}

/* Damerau and Levenshtein's distance, no part edited twice; capitals count as
 * small letters. Both words are at most NEAREST_MAX long. */
static size_t
edit_distance(const char *one, size_t one_length, const char *other,
	      size_t other_length)
{
	size_t memory[3][NEAREST_MAX + 1];
	size_t *before = memory[0], *above = memory[1], *row = memory[2];

	for (size_t k = 0; k <= other_length; k++)
		above[k] = k;
	for (size_t i = 1; i <= one_length; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t k = 1; k <= other_length; k++) {
			bool is_same = is_same_letter(one[i - 1], other[k - 1]);

			row[k] = least(above[k - 1] + !is_same,
				       least(above[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 &&
			    is_same_letter(one[i - 1], other[k - 2]) &&
			    is_same_letter(one[i - 2], other[k - 1]))
				row[k] = least(row[k], before[k - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[other_length];
}

const char *
text_nearest(const char *word, const char *const *words, size_t count)
{
	size_t length = strlen(word);
	size_t best = length / 3 + 1;
	const char *nearest = NULL;

	if (length > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(words[i]), distance;

		if (other > NEAREST_MAX)
			continue;
		distance = edit_distance(word, length, words[i], other);
		if (distance < best) {
			best = distance;
			nearest = words[i];
		}
	}
	return nearest;
}
