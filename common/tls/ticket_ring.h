/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring: the keys that session tickets of some gates are encrypted with, one
 * after the other. All that look after it in all processes go by the clock
 * alone: the next key is there before its time, so that whoever is behind can
 * decrypt what another has encrypted already, and older ones decrypt on for
 * a while.
 */
#ifndef SEALOCK_TLS_TICKET_RING_H
#define SEALOCK_TLS_TICKET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf_reader;
struct buf_writer;
struct tls_session;

#define TICKET_RING_ID_SIZE  16
#define TICKET_KEY_NAME_SIZE 16
#define TICKET_KEY_AES_MAX   32
#define TICKET_KEY_HMAC_MAX  64

/* Two secrets with all that may be kept of each, and then some. */
#define TICKET_RING_KEYS_MAX 96

/* Most bytes that ticket_ring_write() writes. */
#define TICKET_RING_WIRE_MAX (32 + TICKET_RING_KEYS_MAX * 160)

/* AES-CBC and HMAC-SHA-256. Times are seconds since 1970. */
struct ticket_key {
	unsigned char name[TICKET_KEY_NAME_SIZE]; /* public: in each ticket */
	unsigned char aes[TICKET_KEY_AES_MAX];
	unsigned char hmac[TICKET_KEY_HMAC_MAX];
	unsigned int aes_length;  /* 16 or 32 */
	unsigned int hmac_length; /* 16, 32 or 64 */
	bool is_reserve;          /* decrypts, and never encrypts */
	int64_t from;             /* encrypts from then on, until the next */
	int64_t until;            /* decrypts before that */
};

/* Keys by `from`, the oldest first. */
struct ticket_ring {
	unsigned char id[TICKET_RING_ID_SIZE];
	size_t count;
	struct ticket_key keys[TICKET_RING_KEYS_MAX];
};

/* Which ring the tickets of a gate belong to: equal settings share one.
 * Lifetime and number are no part of it. False: such a gate has no tickets. */
bool
ticket_ring_id(const struct tls_session *session,
	       unsigned char id[TICKET_RING_ID_SIZE]);

/* A ring without keys, in memory that is in no core file and in no forked
 * process. */
struct ticket_ring *
ticket_ring_new(const unsigned char id[TICKET_RING_ID_SIZE])
	__attribute__((returns_nonnull));

/* Wipes it; NULL is legal. */
void
ticket_ring_free(struct ticket_ring *ring);

void
ticket_ring_copy(struct ticket_ring *to, const struct ticket_ring *from);

bool
ticket_ring_equal(const struct ticket_ring *one,
		  const struct ticket_ring *other);

/* Put a key behind those that are as old. False: the ring is full, or has a
 * key of that name. */
bool
ticket_ring_add(struct ticket_ring *ring, const struct ticket_key *key)
	__attribute__((warn_unused_result));

/* The key to encrypt with; NULL: none of them may. When the clock is before all
 * of them, the oldest. */
const struct ticket_key *
ticket_ring_current(const struct ticket_ring *ring, int64_t now);

/* The key that is current after the current one, or NULL. */
const struct ticket_key *
ticket_ring_next(const struct ticket_ring *ring, int64_t now);

/* The key of that name, unless its time is over. */
const struct ticket_key *
ticket_ring_find(const struct ticket_ring *ring,
		 const unsigned char name[TICKET_KEY_NAME_SIZE], int64_t now);

/* Between processes. What comes in is checked: NULL, and the reader failed,
 * unless it is a ring with a key that encrypts. */
void
ticket_ring_write(const struct ticket_ring *ring, struct buf_writer *writer);
struct ticket_ring *
ticket_ring_read(struct buf_reader *reader);

#endif
