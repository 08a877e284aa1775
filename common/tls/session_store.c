/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of backends, those that have sessions in the order of their
 * last use, too. Copies are kept, and what is used again is copied again: a
 * connection that fails marks the session that it has in its hands as one that
 * must not be resumed, whoever else has it.
 */
#include "common/tls/session_store.h"

#include <assert.h>
#include <string.h>
#include <openssl/ssl.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

#define BUCKETS_MIN 16

struct kept_session {
	SSL_SESSION *session;
	int64_t expires_ms; /* since 1970 */
};

struct session_backend {
	LIST_ENTRY(session_backend) in_bucket;
	TAILQ_ENTRY(session_backend) in_order; /* where count > 0 */
	struct session_store *store;           /* NULL: it is gone */
	unsigned int references;
	bool is_swept; /* its policy is gone: nothing is kept any more */
	unsigned char identity[FRAMED_HASH_SIZE];
	unsigned char policy[FRAMED_HASH_SIZE];
	size_t count;
	struct kept_session sessions[SESSION_STORE_EACH_MAX]; /* oldest first */
};

LIST_HEAD(bucket, session_backend);
TAILQ_HEAD(backend_order, session_backend);

struct session_store {
	unsigned int references;
	size_t size;
	int64_t timeout_ms;
	size_t session_count;
	struct backend_order order; /* the one that was used last is first */
	struct bucket *buckets;
	size_t bucket_count; /* a power of two */
	size_t backend_count;
};

struct session_store *
session_store_new(void)
{
	struct session_store *store = mem_alloc(sizeof(*store));

	store->references = 1;
	TAILQ_INIT(&store->order);
	store->bucket_count = BUCKETS_MIN;
	store->buckets = mem_array(BUCKETS_MIN, sizeof(*store->buckets));
	return store;
}

struct session_store *
session_store_ref(struct session_store *store)
{
	store->references++;
	return store;
}

size_t
session_store_count(const struct session_store *store)
{
	return store->session_count;
}

static struct bucket *
bucket_of(const struct session_store *store, const unsigned char *identity)
{
	uint64_t hash = hash_bytes(identity, FRAMED_HASH_SIZE);

	return &store->buckets[hash & (store->bucket_count - 1)];
}

static void
grow(struct session_store *store)
{
	struct bucket *old = store->buckets;
	size_t old_count = store->bucket_count;
	struct session_backend *backend;

	store->bucket_count *= 2;
	store->buckets =
		mem_array(store->bucket_count, sizeof(*store->buckets));
	for (size_t i = 0; i < old_count; i++)
		while ((backend = LIST_FIRST(&old[i]))) {
			LIST_REMOVE(backend, in_bucket);
			LIST_INSERT_HEAD(bucket_of(store, backend->identity),
					 backend, in_bucket);
		}
	mem_free(old);
}

/* One that nobody knows and that has nothing goes. */
static void
release_if_empty(struct session_backend *backend)
{
	if (backend->references > 0 || backend->count > 0)
		return;
	if (backend->store) {
		LIST_REMOVE(backend, in_bucket);
		backend->store->backend_count--;
	}
	mem_free(backend);
}

/* Take one out of the middle; its session is the caller's. */
static SSL_SESSION *
take_out(struct session_backend *backend, size_t index)
{
	struct session_store *store = backend->store;
	SSL_SESSION *session = backend->sessions[index].session;

	backend->count--;
	memmove(&backend->sessions[index], &backend->sessions[index + 1],
		(backend->count - index) * sizeof(backend->sessions[0]));
	store->session_count--;
	if (backend->count == 0)
		TAILQ_REMOVE(&store->order, backend, in_order);
	return session;
}

static void
drop(struct session_backend *backend, size_t index)
{
	SSL_SESSION_free(take_out(backend, index));
}

static void
drop_all(struct session_backend *backend)
{
	while (backend->count > 0)
		drop(backend, backend->count - 1);
}

static void
shrink_to(struct session_store *store, size_t size)
{
	while (store->session_count > size) {
		struct session_backend *last =
			TAILQ_LAST(&store->order, backend_order);

		drop(last, 0);
		release_if_empty(last);
	}
}

void
session_store_set_limits(struct session_store *store, size_t size,
			 int64_t timeout_ms)
{
	store->size = size;
	store->timeout_ms = timeout_ms;
	shrink_to(store, size);
}

void
session_store_unref(struct session_store *store)
{
	if (!store || --store->references > 0)
		return;
	shrink_to(store, 0);
	for (size_t i = 0; i < store->bucket_count; i++) {
		struct session_backend *backend;

		while ((backend = LIST_FIRST(&store->buckets[i]))) {
			LIST_REMOVE(backend, in_bucket);
			backend->store = NULL;
		}
	}
	mem_free(store->buckets);
	mem_free(store);
}

void
session_store_sweep(struct session_store *store,
		    bool (*is_living)(const unsigned char *policy,
				      const void *argument),
		    const void *argument)
{
	for (size_t i = 0; i < store->bucket_count; i++) {
		struct session_backend *backend, *next;

		for (backend = LIST_FIRST(&store->buckets[i]); backend;
		     backend = next) {
			next = LIST_NEXT(backend, in_bucket);
			backend->is_swept =
				!is_living(backend->policy, argument);
			if (!backend->is_swept)
				continue;
			drop_all(backend);
			release_if_empty(backend);
		}
	}
}

struct session_backend *
session_store_backend(struct session_store *store,
		      const unsigned char identity[FRAMED_HASH_SIZE],
		      const unsigned char policy[FRAMED_HASH_SIZE])
{
	struct session_backend *backend;

	LIST_FOREACH (backend, bucket_of(store, identity), in_bucket)
		if (memcmp(backend->identity, identity, FRAMED_HASH_SIZE) == 0)
			return session_backend_ref(backend);
	if (store->backend_count >= store->bucket_count)
		grow(store);
	backend = mem_alloc(sizeof(*backend));
	backend->store = store;
	memcpy(backend->identity, identity, FRAMED_HASH_SIZE);
	memcpy(backend->policy, policy, FRAMED_HASH_SIZE);
	LIST_INSERT_HEAD(bucket_of(store, identity), backend, in_bucket);
	store->backend_count++;
	return session_backend_ref(backend);
}

struct session_backend *
session_backend_ref(struct session_backend *backend)
{
	backend->references++;
	return backend;
}

void
session_backend_unref(struct session_backend *backend)
{
	if (!backend)
		return;
	assert(backend->references > 0);
	backend->references--;
	release_if_empty(backend);
}

static bool
is_single_use(const SSL_SESSION *session)
{
	return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
}

static void
note_use(struct session_backend *backend)
{
	struct backend_order *order = &backend->store->order;

	TAILQ_REMOVE(order, backend, in_order);
	TAILQ_INSERT_HEAD(order, backend, in_order);
}

SSL_SESSION *
session_backend_take(struct session_backend *backend)
{
	int64_t now_ms = clock_real_ms();
	const struct kept_session *newest;

	for (size_t i = backend->count; i-- > 0;)
		if (backend->sessions[i].expires_ms <= now_ms)
			drop(backend, i);
	if (backend->count == 0)
		return NULL;
	note_use(backend);
	newest = &backend->sessions[backend->count - 1];
	if (is_single_use(newest->session))
		return take_out(backend, backend->count - 1);
	return SSL_SESSION_dup(newest->session);
}

/* When it is of no use any more. */
static int64_t
expiry_of(const struct session_store *store, const SSL_SESSION *session,
	  int64_t valid_until)
{
	unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(session);
	int64_t now_ms = clock_real_ms();
	int64_t expires_ms = now_ms + store->timeout_ms;

	if (hint > 0 && (int64_t)hint * 1000 < expires_ms - now_ms)
		expires_ms = now_ms + (int64_t)hint * 1000;
	if (valid_until < expires_ms / 1000)
		expires_ms = valid_until * 1000;
	return expires_ms;
}

void
session_backend_keep(struct session_backend *backend,
		     const SSL_SESSION *session, int64_t valid_until)
{
	struct session_store *store = backend->store;
	SSL_SESSION *copy;

	if (!store || store->size == 0 || backend->is_swept ||
	    valid_until <= clock_real_s() || !SSL_SESSION_is_resumable(session))
		return;
	copy = SSL_SESSION_dup(session);
	if (!copy)
		return;
	/* Of those that are used again and again, one is enough. */
	if (!is_single_use(copy))
		drop_all(backend);
	else if (backend->count == SESSION_STORE_EACH_MAX)
		drop(backend, 0);
	backend->sessions[backend->count++] = (struct kept_session){
		copy, expiry_of(store, session, valid_until)};
	store->session_count++;
	if (backend->count == 1)
		TAILQ_INSERT_HEAD(&store->order, backend, in_order);
	else
		note_use(backend);
	shrink_to(store, store->size);
}

void
session_backend_forget(struct session_backend *backend)
{
	drop_all(backend);
}
