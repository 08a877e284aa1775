/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock is held over a signature, which takes a millisecond or so: a key
 * cannot go while somebody signs with it.
 */
#include "daemon/keeper/key_store.h"

#include <stdlib.h>
#include <pthread.h>

#include "common/base/mem.h"
#include "common/tls/local_keys.h"

struct key_store {
	pthread_rwlock_t lock;
	struct local_keys *keys;
};

struct key_store *
key_store_new(void)
{
	struct key_store *store = mem_alloc(sizeof(*store));
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	/* Under load there is always somebody who signs. */
	pthread_rwlockattr_setkind_np(
		&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	if (pthread_rwlock_init(&store->lock, &attributes) != 0)
		abort(); /* a lock needs nothing */
	pthread_rwlockattr_destroy(&attributes);
	store->keys = local_keys_new();
	return store;
}

void
key_store_free(struct key_store *store)
{
	if (!store)
		return;
	local_keys_free(store->keys);
	pthread_rwlock_destroy(&store->lock);
	mem_free(store);
}

struct local_keys *
key_store_lock(struct key_store *store)
{
	pthread_rwlock_wrlock(&store->lock);
	return store->keys;
}

void
key_store_unlock(struct key_store *store)
{
	pthread_rwlock_unlock(&store->lock);
}

int
key_store_sign(struct key_store *store, const unsigned char key_id[KEY_ID_SIZE],
	       const struct sign_request *request, unsigned char *signature,
	       size_t *length, struct error *error)
{
	int status;

	pthread_rwlock_rdlock(&store->lock);
	status = local_keys_sign(store->keys, key_id, request, signature,
				 length, error);
	pthread_rwlock_unlock(&store->lock);
	return status;
}
