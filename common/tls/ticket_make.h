/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys for rings: by chance, one after the other, or derived from a secret and
 * the clock, so that machines with the same secret have the same keys without
 * talking to one another. A period is `rotate` seconds long.
 */
#ifndef SEALOCK_TLS_TICKET_MAKE_H
#define SEALOCK_TLS_TICKET_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tls/ticket_ring.h"

#define TICKET_SECRET_SIZE 32

/* How keys follow one another. */
struct ticket_pace {
	int64_t rotate; /* seconds */
	unsigned int keep;
};

/* Bring a ring of keys made by chance up to date: what is too old goes, the
 * next key comes. One that a clock that ran ahead has left behind goes as
 * well. True when anything has changed. */
bool
ticket_make_next(struct ticket_ring *ring, const struct ticket_pace *pace,
		 int64_t now);

/* Have the next key, which is known everywhere already, come into force now;
 * then the same. */
void
ticket_make_rotate(struct ticket_ring *ring, const struct ticket_pace *pace,
		   int64_t now);

/* What keys are derived from, of a secret of any length (HKDF-Extract). */
void
ticket_secret_extract(const void *secret, size_t length,
		      unsigned char extracted[TICKET_SECRET_SIZE]);

/* Fill a ring, whatever was in it, with the keys of the period that it is, of
 * the next one, and of those that are kept. Secrets stand one behind the other,
 * all of them different: the first one's keys encrypt, the others' decrypt. */
void
ticket_make_derived(struct ticket_ring *ring, const struct ticket_pace *pace,
		    const unsigned char *secrets, size_t count, int64_t now);

#endif
