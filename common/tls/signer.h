/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper signs meaning: whoever wants a signature sends the whole message,
 * and it is hashed and signed here when it is what TLS has signed under that
 * key, in that use, with that scheme. No bare digest is ever signed. The same
 * code runs inside a worker when keys are not isolated.
 */
#ifndef SEALOCK_TLS_SIGNER_H
#define SEALOCK_TLS_SIGNER_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/base/buf.h"
#include "common/tls/certificate.h"

struct error;
struct private_key;

/* What a key is configured for, as a set. A server's key never signs as a
 * client and the other way round, DHE parameters (of which nearly every byte
 * is the requester's choice) only where a policy offers such suites, and with
 * MD5 and SHA-1 only where it offers TLS 1.0 or 1.1. */
enum key_use {
	KEY_USE_SERVER = 1 << 0,
	KEY_USE_CLIENT = 1 << 1,
	KEY_USE_DHE = 1 << 2,
	KEY_USE_LEGACY = 1 << 3,
};

/* The longest message: a client's transcript with two chains and the names of
 * many authorities. */
#define SIGN_MESSAGE_MAX (256 * 1024)

/* The longest signature: RSA with 8192 bits. */
#define SIGNATURE_MAX 1024

struct sign_request {
	uint16_t scheme; /* a code point of signature_scheme.h */
	const unsigned char *message;
	size_t length;
};

/* A request and the key it is for as bytes, for a message between roles: the
 * key id, the scheme, a 32-bit length, the message. */
#define SIGN_REQUEST_OVERHEAD (KEY_ID_SIZE + 2 + 4)
void
sign_request_write(struct buf_writer *writer,
		   const unsigned char key_id[KEY_ID_SIZE],
		   const struct sign_request *request);

/* Without the message, which goes another way. */
void
sign_request_write_head(struct buf_writer *writer,
			const unsigned char key_id[KEY_ID_SIZE],
			const struct sign_request *request);

/* The inverse; key_id and the message stay where they are, in the reader's
 * memory. Returns -1 when there is less or the message is too long; what
 * follows the request is left to the caller. */
int
sign_request_read(struct buf_reader *reader, const unsigned char **key_id,
		  struct sign_request *request)
	__attribute__((warn_unused_result));

/* Without the message: what the request has of it is its length. */
int
sign_request_read_head(struct buf_reader *reader, const unsigned char **key_id,
		       struct sign_request *request)
	__attribute__((warn_unused_result));

/* A private key made ready to sign, of a type that certificate_key_type()
 * accepts; else NULL and a sentence. Takes its own reference of key. */
struct signer_key;
struct signer_key *
signer_key_new(EVP_PKEY *key, struct error *error);

/* The same for one that is decoded when it first signs; what is wrong with it
 * is said then, each time. Takes its own reference. */
struct signer_key *
signer_key_new_late(struct private_key *private_key);

/* NULL is legal. */
void
signer_key_free(struct signer_key *key);

/* Check the request against forms, schemes and uses (a set of enum key_use),
 * then hash and sign. length is the room in signature (SIGNATURE_MAX is
 * enough for all) and then the signature's. Returns -1 with a sentence for
 * everything that is not exactly right; nothing secret is in it. Any number
 * of threads may sign with the same key. */
int
signer_sign(struct signer_key *key, unsigned int uses,
	    const struct sign_request *request, unsigned char *signature,
	    size_t *length, struct error *error)
	__attribute__((warn_unused_result));

#endif
