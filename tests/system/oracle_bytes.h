/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the relay oracle sends and decides: pseudo-random bytes that any end
 * can make for itself, a running hash of them, and random choices. All of it
 * follows from the seed, so that a run can be repeated.
 */
#ifndef SEALOCK_TESTS_ORACLE_BYTES_H
#define SEALOCK_TESTS_ORACLE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* A number that looks unrelated to the one it is made of. */
uint64_t
bytes_mix(uint64_t value);

/* Bytes offset to offset + length of the stream named by seed. */
void
bytes_fill(uint64_t seed, uint64_t offset, unsigned char *out, size_t length);

/* Compare received bytes with that stream: the index of the first wrong one,
 * or length. */
size_t
bytes_check(uint64_t seed, uint64_t offset, const unsigned char *bytes,
	    size_t length);

/* A hash over a stream that is given in pieces of any size; begins zeroed. */
struct digest {
	uint64_t hash;
	unsigned char rest[8]; /* the bytes that do not yet fill a word */
	size_t filled;
};

void
digest_add(struct digest *digest, const unsigned char *bytes, size_t length);
uint64_t
digest_value(const struct digest *digest);

struct random {
	uint64_t state;
};

void
random_seed(struct random *random, uint64_t seed);

/* 0 to limit - 1. */
uint64_t
random_below(struct random *random, uint64_t limit);

/* 1 to limit, each order of magnitude as likely as the others. */
uint64_t
random_size(struct random *random, uint64_t limit);

#endif
