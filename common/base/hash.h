/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyed hash for tables whose keys may come from outside: SipHash-1-3 with
 * a key drawn once a process, so that nobody can choose names that collide.
 */
#ifndef SEALOCK_BASE_HASH_H
#define SEALOCK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The same bytes give the same value within one process, and only there. For
 * any thread. */
uint64_t
hash_bytes(const void *bytes, size_t length);

/* SipHash with one round a word and three at the end, for a given key:
 * hash_bytes() with its own, a test with one whose answers are known. */
uint64_t
hash_siphash13(const void *bytes, size_t length, uint64_t key0, uint64_t key1);

#endif
