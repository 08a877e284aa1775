/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a process that holds private keys.
 *
 * In OpenSSL's secure heap, which is locked into memory, in no core file, and
 * between guard pages: the private numbers of RSA and EC keys, the private
 * bytes of Ed25519 and Ed448 ones, nonces, and the states of the random
 * generators of threads that sign. (RSA-2048 takes 0.9 kB of it, RSA-4096 1.8,
 * RSA-8192 3.5, the others 32 to 128 bytes.)
 *
 * Outside of it, as OpenSSL has it: the primes of RSA keys that have signed (in
 * their Montgomery contexts), what is computed with them, and the bytes of
 * files while they are decoded. All of that is wiped when it is freed, and
 * appears in no core file either. (What other libraries have read is wiped by
 * the C library, which the monitor tells to: spawn_environment.) What fork(3)
 * makes of the process ends before it has done anything.
 */
#ifndef SEALOCK_TLS_KEY_MEMORY_H
#define SEALOCK_TLS_KEY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Before anything else of OpenSSL in this process: what OpenSSL frees is wiped
 * from now on, core files have nothing in them, and as much memory may be
 * locked as the system permits. -1 with a sentence about what could not be. */
int
key_memory_prepare(struct error *error) __attribute__((warn_unused_result));

/* Once, before the first private key: a secure heap for so many of them, with
 * as much room again for generations to come; from now on a fork is no copy
 * (that of a sandbox's self-test had to be one). -1 with a sentence when it is
 * not locked, or when there is none; keys are read all the same. */
int
key_memory_open(size_t keys, struct error *error)
	__attribute__((warn_unused_result));

/* Is there room for one more, and for what signing needs? Always, where there
 * is no secure heap. For any thread. */
bool
key_memory_has_room(void);

#endif
