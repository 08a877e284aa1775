/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for what must not be left anywhere: pages of its own, in no core
 * file, zeroed in what a fork makes of the process, and wiped when they go.
 */
#ifndef SEALOCK_BASE_SECRET_MEMORY_H
#define SEALOCK_BASE_SECRET_MEMORY_H

#include <stddef.h>

/* Zeroed; aborts when there is none, as mem_alloc() does. A page or more, so
 * for few and large things. */
void *
secret_memory_new(size_t size) __attribute__((returns_nonnull));

/* The size is that which it was made with. NULL is legal. */
void
secret_memory_free(void *memory, size_t size);

#endif
