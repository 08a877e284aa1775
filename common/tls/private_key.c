/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Once it is there the decoded key is found without a lock; the block it came
 * from is wiped then.
 */
#include "common/tls/private_key.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <openssl/evp.h>

#include "common/base/mem.h"
#include "common/tls/certificate_key.h"

struct private_key {
	atomic_uint references;
	_Atomic(EVP_PKEY *) decoded; /* NULL: not yet */
	pthread_mutex_t lock;        /* of the block */
	struct key_block block;
};

static struct private_key *
allocate(void)
{
	struct private_key *key = mem_alloc(sizeof(*key));

	atomic_init(&key->references, 1);
	pthread_mutex_init(&key->lock, NULL);
	return key;
}

struct private_key *
private_key_new(EVP_PKEY *decoded)
{
	struct private_key *key = allocate();

	EVP_PKEY_up_ref(decoded);
	atomic_init(&key->decoded, decoded);
	return key;
}

struct private_key *
private_key_new_late(struct key_block *block)
{
	struct private_key *key = allocate();

	key->block = *block;
	*block = (struct key_block){0};
	return key;
}

struct private_key *
private_key_ref(struct private_key *key)
{
	unsigned int before = atomic_fetch_add(&key->references, 1);

	assert(before > 0);
	return key;
}

void
private_key_unref(struct private_key *key)
{
	if (!key || atomic_fetch_sub(&key->references, 1) > 1)
		return;
	EVP_PKEY_free(atomic_load(&key->decoded));
	key_block_clear(&key->block);
	pthread_mutex_destroy(&key->lock);
	mem_free(key);
}

EVP_PKEY *
private_key_get(struct private_key *key, struct error *error)
{
	EVP_PKEY *decoded = atomic_load(&key->decoded);

	if (decoded)
		return decoded;
	pthread_mutex_lock(&key->lock);
	decoded = atomic_load(&key->decoded);
	if (!decoded) {
		decoded = key_block_decode(&key->block, NULL, error);
		atomic_store(&key->decoded, decoded);
		if (decoded)
			key_block_clear(&key->block);
	}
	pthread_mutex_unlock(&key->lock);
	return decoded;
}

EVP_PKEY *
private_key_decode(struct private_key *key, struct error *error)
{
	EVP_PKEY *decoded;

	pthread_mutex_lock(&key->lock);
	decoded = atomic_load(&key->decoded);
	if (decoded)
		EVP_PKEY_up_ref(decoded);
	else
		decoded = key_block_decode(&key->block, NULL, error);
	pthread_mutex_unlock(&key->lock);
	return decoded;
}
