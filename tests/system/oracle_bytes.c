/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/system/oracle_bytes.h"

#include <string.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define PRIME  UINT64_C(0xff51afd7ed558ccd)

/* The finalizer of splitmix64. */
uint64_t
bytes_mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static uint64_t
word_at(uint64_t seed, uint64_t index)
{
	return bytes_mix(seed + (index + 1) * GOLDEN);
}

void
bytes_fill(uint64_t seed, uint64_t offset, unsigned char *out, size_t length)
{
	uint64_t index = offset / 8;
	size_t skip = offset % 8;

	if (skip && length) {
		uint64_t word = word_at(seed, index++);
		size_t part = 8 - skip < length ? 8 - skip : length;

		memcpy(out, (unsigned char *)&word + skip, part);
		out += part;
		length -= part;
	}
	for (; length >= 8; out += 8, length -= 8) {
		uint64_t word = word_at(seed, index++);

		memcpy(out, &word, 8);
	}
	if (length) {
		uint64_t word = word_at(seed, index);

		memcpy(out, &word, length);
	}
}

size_t
bytes_check(uint64_t seed, uint64_t offset, const unsigned char *bytes,
	    size_t length)
{
	unsigned char expected[4096];

	for (size_t done = 0; done < length;) {
		size_t part = length - done;

		if (part > sizeof(expected))
			part = sizeof(expected);
		bytes_fill(seed, offset + done, expected, part);
		if (memcmp(expected, bytes + done, part) != 0) {
			size_t wrong = 0;

			while (expected[wrong] == bytes[done + wrong])
				wrong++;
			return done + wrong;
		}
		done += part;
	}
	return length;
}

static void
digest_word(struct digest *digest, const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	digest->hash = (digest->hash ^ word) * PRIME;
	digest->hash ^= digest->hash >> 29;
}

void
digest_add(struct digest *digest, const unsigned char *bytes, size_t length)
{
	if (digest->filled) {
		size_t part = sizeof(digest->rest) - digest->filled;

		if (part > length)
			part = length;
		memcpy(digest->rest + digest->filled, bytes, part);
		digest->filled += part;
		if (digest->filled < sizeof(digest->rest))
			return;
		digest_word(digest, digest->rest);
		bytes += part;
		length -= part;
	}
	for (; length >= 8; bytes += 8, length -= 8)
		digest_word(digest, bytes);
	memcpy(digest->rest, bytes, length);
	digest->filled = length;
}

uint64_t
digest_value(const struct digest *digest)
{
	uint64_t word = 0;

	memcpy(&word, digest->rest, digest->filled);
	return bytes_mix(digest->hash ^ bytes_mix(word + digest->filled));
}

void
random_seed(struct random *random, uint64_t seed)
{
	random->state = bytes_mix(seed + GOLDEN) | 1;
}

uint64_t
random_below(struct random *random, uint64_t limit)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (random->state * UINT64_C(0x2545f4914f6cdd1d) >> 11) % limit;
}

uint64_t
random_size(struct random *random, uint64_t limit)
{
	unsigned int bits = 0;
	uint64_t size;

	while (limit >> bits > 1)
		bits++;
	size = UINT64_C(1) << random_below(random, bits + 1);
	size += random_below(random, size);
	return size < limit ? size : limit;
}
