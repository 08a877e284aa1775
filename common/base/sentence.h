/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text for people that is put together piece by piece, and cut where its
 * room ends.
 */
#ifndef SEALOCK_BASE_SENTENCE_H
#define SEALOCK_BASE_SENTENCE_H

#include <stddef.h>

/* The caller's memory; size is at least 1, and length what is there. */
struct sentence {
	char *buffer;
	size_t size;
	size_t length;
};

void
sentence_add(struct sentence *sentence, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
