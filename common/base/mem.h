/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is there or the process is not: allocation aborts, so nobody
 * checks. Counts are bounded by the configuration, never by a peer.
 */
#ifndef SEALOCK_BASE_MEM_H
#define SEALOCK_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory; never NULL, also for size 0. Freed by mem_free(). */
void *
mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));

/* A zeroed array; aborts when count * size overflows. */
void *
mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Grow or shrink an array to count elements; what is new is not zeroed. */
void *
mem_resize(void *memory, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));

void *
mem_dup(const void *bytes, size_t size)
	__attribute__((malloc, returns_nonnull));
char *
mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *
mem_strndup(const char *text, size_t length)
	__attribute__((malloc, returns_nonnull));
char *
mem_format(const char *format, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull));

/* NULL is legal. */
void
mem_free(void *memory);

/* Overwrite with zeros in a way that no compiler removes. */
void
mem_wipe(void *memory, size_t size);

/* For AUTO_FREE: frees what the variable points to. */
void
mem_free_pointer(void *variable);

/* A variable whose memory goes when it leaves its scope. */
#define AUTO_FREE __attribute__((cleanup(mem_free_pointer)))

/* Move a pointer out of an AUTO_FREE variable: its value, and NULL is left
 * behind. */
#define TAKE(variable)                                    \
	__extension__({                                   \
		__typeof__(variable) taken_ = (variable); \
		(variable) = NULL;                        \
		taken_;                                   \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
