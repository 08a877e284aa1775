/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The private keys that the keeper signs with, for several threads: a table
 * under a lock that signers share, and that goes to a reload before those who
 * come to sign after it.
 */
#ifndef SEALOCK_KEEPER_KEY_STORE_H
#define SEALOCK_KEEPER_KEY_STORE_H

#include <stddef.h>

#include "common/tls/certificate.h"

struct error;
struct key_store;
struct local_keys;
struct sign_request;

struct key_store *
key_store_new(void);

/* NULL is legal; what is left in it is freed. */
void
key_store_free(struct key_store *store);

/* The table, to be changed, until key_store_unlock(): signatures that are under
 * way are waited for, others wait. */
struct local_keys *
key_store_lock(struct key_store *store);
void
key_store_unlock(struct key_store *store);

/* As local_keys_sign(); for any thread. */
int
key_store_sign(struct key_store *store, const unsigned char key_id[KEY_ID_SIZE],
	       const struct sign_request *request, unsigned char *signature,
	       size_t *length, struct error *error)
	__attribute__((warn_unused_result));

#endif
