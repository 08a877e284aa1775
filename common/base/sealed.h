/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes for another process that are too many for a message: a file in memory
 * that nobody can change any more, as a descriptor.
 */
#ifndef SEALOCK_BASE_SEALED_H
#define SEALOCK_BASE_SEALED_H

#include <stddef.h>

struct error;

/* name is for /proc alone. Returns the descriptor, the caller's; -1 with errno
 * when the system makes none. */
int
sealed_new(const char *name, const void *bytes, size_t length)
	__attribute__((warn_unused_result));

/* The same in two steps, for what is better written in place: a file that is
 * empty and open to changes, and its end as such, after which it is as one that
 * sealed_new() made. -1 with errno; the descriptor stays the caller's. */
int
sealed_begin(const char *name) __attribute__((warn_unused_result));
int
sealed_end(int descriptor) __attribute__((warn_unused_result));

/* How long it is. Returns -1 for whatever is not such a file: what comes from
 * another process may be any descriptor. */
int
sealed_length(int descriptor, size_t *length)
	__attribute__((warn_unused_result));

/* All of it, to read from, at an address that is the caller's to munmap(); its
 * length in *size. NULL with a sentence: it is no such file, or empty, or there
 * is no memory to map it. */
void *
sealed_map(int descriptor, size_t *size, struct error *error)
	__attribute__((warn_unused_result));

/* Exactly length bytes from the start; what was sealed does not change
 * meanwhile. Returns -1 when there are fewer. */
int
sealed_read(int descriptor, void *bytes, size_t length)
	__attribute__((warn_unused_result));

#endif
