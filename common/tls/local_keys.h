/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private keys in a process that signs for itself: a worker whose keys are not
 * isolated, and tests. The keeper keeps its own in the same table.
 */
#ifndef SEALOCK_TLS_LOCAL_KEYS_H
#define SEALOCK_TLS_LOCAL_KEYS_H

#include <stddef.h>
#include <openssl/types.h>

#include "common/tls/certificate.h"

struct error;
struct private_key;
struct sign_request;
struct signer_key;

struct local_keys;

struct local_keys *
local_keys_new(void);

/* NULL is legal; what is left in it is freed. */
void
local_keys_free(struct local_keys *keys);

/* Add a private key under its id, with a set of enum key_use. A key that is
 * there already is counted once more and has its uses from then on, so each
 * generation adds and removes its own. Returns -1 with a sentence for a key
 * that cannot sign (signer_key_new()). */
int
local_keys_add(struct local_keys *keys, const unsigned char key_id[KEY_ID_SIZE],
	       EVP_PKEY *key, unsigned int uses, struct error *error)
	__attribute__((warn_unused_result));

/* The same for a key that is decoded when it first signs. */
void
local_keys_add_late(struct local_keys *keys,
		    const unsigned char key_id[KEY_ID_SIZE],
		    struct private_key *key, unsigned int uses);

/* Once for each successful local_keys_add() with the same uses; the last one
 * frees the key. An id that is not there is ignored. */
void
local_keys_remove(struct local_keys *keys,
		  const unsigned char key_id[KEY_ID_SIZE], unsigned int uses);

/* The key with that id and what it may be used for now; NULL: none. */
struct signer_key *
local_keys_find(const struct local_keys *keys,
		const unsigned char key_id[KEY_ID_SIZE], unsigned int *uses);

size_t
local_keys_count(const struct local_keys *keys);

/* Check and sign with the key of that id; as signer_sign(). */
int
local_keys_sign(const struct local_keys *keys,
		const unsigned char key_id[KEY_ID_SIZE],
		const struct sign_request *request, unsigned char *signature,
		size_t *length, struct error *error)
	__attribute__((warn_unused_result));

/* Make this table the one that remote keys of this process sign with
 * (remote_key_install()); it must outlive them, or be replaced. What is
 * refused is logged. */
int
local_keys_install(struct local_keys *keys, struct error *error)
	__attribute__((warn_unused_result));

/* The table of a process that keeps its own keys: made when it is first asked
 * for, the installed one from then on, never freed. NULL with a sentence when
 * OpenSSL does not take our provider. */
struct local_keys *
local_keys_own(struct error *error);

/* Install the process's own table, and have these functions (copied) sign with
 * keys that it does not have; NULL: nobody does. So generations whose keys are
 * here and those whose keys are elsewhere can live side by side. */
struct remote_key_functions;
int
local_keys_own_or(const struct remote_key_functions *functions,
		  struct error *error) __attribute__((warn_unused_result));

#endif
