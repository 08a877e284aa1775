/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that are held so that there is room when a channel brings some:
 * a worker whose connections use all that it may have would lose them, and a
 * packet that is not whole is the end of a channel.
 */
#ifndef SEALOCK_PROCESS_DESCRIPTOR_RESERVE_H
#define SEALOCK_PROCESS_DESCRIPTOR_RESERVE_H

#include <stdbool.h>
#include <stddef.h>

struct descriptor_reserve;

/* Keeps that many at any time, as far as there are any. */
struct descriptor_reserve *
descriptor_reserve_new(size_t floor);
void
descriptor_reserve_free(struct descriptor_reserve *reserve);

/* So many are announced: as many are held until they come, the others among
 * them. False when there are not that many left; then nothing has changed. */
bool
descriptor_reserve_expect(struct descriptor_reserve *reserve, size_t count)
	__attribute__((warn_unused_result));

/* Let go of as many as one packet may bring... */
void
descriptor_reserve_lend(struct descriptor_reserve *reserve, size_t count);

/* ...and hold them again, but for those that came. */
void
descriptor_reserve_restore(struct descriptor_reserve *reserve, size_t arrived);

#endif
