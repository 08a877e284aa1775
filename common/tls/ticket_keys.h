/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings that this process encrypts and decrypts session tickets with: one
 * table, which SSL objects' callbacks ask. Rings are made elsewhere, by those
 * who keep secrets, and arrive here whole. For one thread.
 */
#ifndef SEALOCK_TLS_TICKET_KEYS_H
#define SEALOCK_TLS_TICKET_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/tls/ticket_ring.h"

/* What becomes of a ticket under a key. */
enum ticket_use {
	TICKET_UNKNOWN, /* the session cannot be decrypted */
	TICKET_GOOD,
	TICKET_OLD, /* to be issued anew, under the current key */
};

/* Take a ring, in place of the one that had its id. */
void
ticket_keys_put(struct ticket_ring *ring);

bool
ticket_keys_have(const unsigned char ring[TICKET_RING_ID_SIZE]);

/* The key that new tickets of that ring are encrypted with, now by the clock;
 * NULL: there is none, so there are no tickets. Keys are valid until the table
 * changes, which is between two events. */
const struct ticket_key *
ticket_keys_current(const unsigned char ring[TICKET_RING_ID_SIZE]);

/* The key of that name; *key is NULL when it is unknown. */
enum ticket_use
ticket_keys_find(const unsigned char ring[TICKET_RING_ID_SIZE],
		 const unsigned char name[TICKET_KEY_NAME_SIZE],
		 const struct ticket_key **key);

/* Let a ring go, if it is there; at the end of a process, all of them. */
void
ticket_keys_drop(const unsigned char ring[TICKET_RING_ID_SIZE]);
void
ticket_keys_drop_all(void);

#endif
