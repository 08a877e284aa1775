/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of the keeper share: a store with a key of each kind, requests
 * for them, and whether an answer is right.
 */
#ifndef SEALOCK_TESTS_KEEPER_FIXTURE_H
#define SEALOCK_TESTS_KEEPER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/tls/certificate.h"
#include "daemon/process/packet.h"

struct key_store;
struct message;

enum keeper_key {
	KEEPER_RSA,
	KEEPER_RSA_PSS,
	KEEPER_P256,
	KEEPER_P384,
	KEEPER_P521,
	KEEPER_ED25519,
	KEEPER_ED448,
	KEEPER_CLIENT, /* P-256, the only one that signs as a client */
	KEEPER_KEY_COUNT,
};

/* A new store with all of them (which are made once), each for a server. */
struct key_store *
keeper_fixture_store(void);

/* One of them, once there was a store; borrowed. */
EVP_PKEY *
keeper_fixture_key(enum keeper_key key);

/* The scheme that each has in TLS 1.3. */
uint16_t
keeper_fixture_scheme(enum keeper_key key);

/* A TLS 1.3 server's (or client's) request for a signature by that key. What it
 * signs differs with the number. */
struct message *
keeper_fixture_request(enum keeper_key key, uint64_t number);

/* Is this a SIGNED answer to that request? */
bool
keeper_fixture_is_right(enum keeper_key key, uint64_t number,
			const struct packet *answer);

/* Send one as a worker does, and say hello; the socket may block. */
void
keeper_fixture_send(int socket, struct message *message);
void
keeper_fixture_greet(int socket);

/* The next packet but hellos and ticket keys, whose memory is good until the
 * next one. False when there is none within seconds, or the other end is gone.
 */
bool
keeper_fixture_receive(int socket, struct packet *packet);

/* Bytes as they are, with a descriptor (-1: none), as often as count says. */
void
keeper_fixture_say(int socket, const void *bytes, size_t length, int descriptor,
		   size_t count);

#endif
