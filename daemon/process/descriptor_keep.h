/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In a process that was forked and goes on by itself: which descriptors stay.
 */
#ifndef SEALOCK_PROCESS_DESCRIPTOR_KEEP_H
#define SEALOCK_PROCESS_DESCRIPTOR_KEEP_H

#include <stddef.h>

/* Close everything above a number but these, which are sorted here; those that
 * are not above it (-1: none) do not matter. */
void
descriptor_keep(int above, int *kept, size_t count);

#endif
