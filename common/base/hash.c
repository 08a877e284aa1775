/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
 */
#include "common/base/hash.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t process_key[2];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static uint64_t
rotate(uint64_t word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static void
mix(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t
hash_siphash13(const void *bytes, size_t length, uint64_t key0, uint64_t key1)
{
	const unsigned char *byte = bytes;
	uint64_t v[4] = {
		key0 ^ UINT64_C(0x736f6d6570736575),
		key1 ^ UINT64_C(0x646f72616e646f6d),
		key0 ^ UINT64_C(0x6c7967656e657261),
		key1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word, last = (uint64_t)length << 56;
	size_t left = length;

	for (; left >= 8; left -= 8, byte += 8) {
		memcpy(&word, byte, 8);
		word = le64toh(word);
		v[3] ^= word;
		mix(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)byte[i] << (8 * i);
	v[3] ^= last;
	mix(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void
draw_process_key(void)
{
	ssize_t got;

	/* So few bytes come whole or not at all. */
	do
		got = getrandom(process_key, sizeof(process_key), 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(process_key)) {
		perror("sealock: getrandom");
		abort();
	}
}

uint64_t
hash_bytes(const void *bytes, size_t length)
{
	pthread_once(&process_key_once, draw_process_key);
	return hash_siphash13(bytes, length, process_key[0], process_key[1]);
}
