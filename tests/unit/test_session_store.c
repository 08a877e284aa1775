/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which session with which backend is used, how often, and which ones go.
 */
#include "common/tls/session_store.h"

#include <stdint.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

#define FOREVER INT64_MAX
#define MINUTE  60000

/* A session that can be resumed, told from others by its id. */
static SSL_SESSION *
session_of(int version, unsigned char id)
{
	SSL_SESSION *session = SSL_SESSION_new();

	CU_ASSERT_FATAL(session &&
			SSL_SESSION_set_protocol_version(session, version) &&
			SSL_SESSION_set1_id(session, &id, 1));
	return session;
}

static struct session_store *
store_of(size_t size)
{
	struct session_store *store = session_store_new();

	session_store_set_limits(store, size, 5 * MINUTE);
	return store;
}

static struct session_backend *
backend_of(struct session_store *store, uint64_t number, unsigned char policy)
{
	unsigned char identity[FRAMED_HASH_SIZE] = {policy};
	unsigned char digest[FRAMED_HASH_SIZE] = {policy};

	memcpy(identity + 8, &number, sizeof(number));
	return session_store_backend(store, identity, digest);
}

static void
keep_until(struct session_backend *backend, int version, unsigned char id,
	   int64_t valid_until)
{
	SSL_SESSION *session = session_of(version, id);

	session_backend_keep(backend, session, valid_until);
	SSL_SESSION_free(session);
}

static void
keep(struct session_backend *backend, int version, unsigned char id)
{
	keep_until(backend, version, id, FOREVER);
}

/* The id of what is taken; 0: nothing is. */
static unsigned char
take(struct session_backend *backend)
{
	SSL_SESSION *session = session_backend_take(backend);
	unsigned int length = 0;
	unsigned char id = 0;

	if (session && SSL_SESSION_get_id(session, &length) && length == 1)
		id = SSL_SESSION_get_id(session, &length)[0];
	SSL_SESSION_free(session);
	return id;
}

static void
test_once(void)
{
	struct session_store *store = store_of(100);
	struct session_backend *backend = backend_of(store, 1, 1);

	CU_ASSERT_EQUAL(take(backend), 0);
	for (unsigned char id = 1; id <= 6; id++)
		keep(backend, TLS1_3_VERSION, id);
	CU_ASSERT_EQUAL(session_store_count(store), 4);
	/* The newest first, and each of them once. */
	for (unsigned char id = 6; id >= 3; id--)
		CU_ASSERT_EQUAL(take(backend), id);
	CU_ASSERT_EQUAL(take(backend), 0);
	CU_ASSERT_EQUAL(session_store_count(store), 0);
	session_backend_unref(backend);
	session_store_unref(store);
}

static void
test_again_and_again(void)
{
	struct session_store *store = store_of(100);
	struct session_backend *backend = backend_of(store, 1, 1);

	keep(backend, TLS1_2_VERSION, 1);
	keep(backend, TLS1_2_VERSION, 2);
	CU_ASSERT_EQUAL(session_store_count(store), 1);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(take(backend), 2);
	/* A backend that has learned something newer. */
	keep(backend, TLS1_3_VERSION, 3);
	CU_ASSERT_EQUAL(take(backend), 3);
	CU_ASSERT_EQUAL(take(backend), 2);
	session_backend_forget(backend);
	CU_ASSERT_EQUAL(take(backend), 0);
	session_backend_unref(backend);
	session_store_unref(store);
}

/* A copy is kept: what becomes of the connection that has the session now does
 * not matter. */
static void
test_copies(void)
{
	struct session_store *store = store_of(100);
	struct session_backend *backend = backend_of(store, 1, 1);
	SSL_SESSION *session = session_of(TLS1_2_VERSION, 1), *taken;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	session_backend_keep(backend, session, FOREVER);
	SSL_CTX_remove_session(context, session);
	CU_ASSERT_FALSE(SSL_SESSION_is_resumable(session));
	taken = session_backend_take(backend);
	CU_ASSERT(taken && SSL_SESSION_is_resumable(taken));
	SSL_CTX_remove_session(context, taken);
	SSL_SESSION_free(taken);
	CU_ASSERT_EQUAL(take(backend), 1);
	/* One that must not be resumed is not even kept. */
	session_backend_forget(backend);
	session_backend_keep(backend, session, FOREVER);
	CU_ASSERT_EQUAL(take(backend), 0);
	SSL_SESSION_free(session);
	SSL_CTX_free(context);
	session_backend_unref(backend);
	session_store_unref(store);
}

static void
test_time(void)
{
	struct session_store *store = store_of(100);
	struct session_backend *backend = backend_of(store, 1, 1);
	int64_t now = clock_real_ms() / 1000;

	keep(backend, TLS1_2_VERSION, 1);
	clock_shift(5 * MINUTE - 1000);
	CU_ASSERT_EQUAL(take(backend), 1);
	clock_shift(5 * MINUTE + 1000);
	CU_ASSERT_EQUAL(take(backend), 0);
	CU_ASSERT_EQUAL(session_store_count(store), 0);
	clock_shift(0);
	keep_until(backend, TLS1_3_VERSION, 1, now + 100);
	keep_until(backend, TLS1_3_VERSION, 2, now + 50);
	keep_until(backend, TLS1_3_VERSION, 3, now - 1);
	keep_until(backend, TLS1_3_VERSION, 4, INT64_MIN);
	CU_ASSERT_EQUAL(take(backend), 2);
	keep_until(backend, TLS1_3_VERSION, 2, now + 50);
	clock_shift(60 * 1000);
	CU_ASSERT_EQUAL(take(backend), 1);
	CU_ASSERT_EQUAL(take(backend), 0);
	clock_shift(0);
	session_backend_unref(backend);
	session_store_unref(store);
}

static void
test_bound(void)
{
	struct session_store *store = store_of(10);

	for (uint64_t i = 0; i < 1000; i++) {
		struct session_backend *backend = backend_of(store, i, 1);
		struct session_backend *first = backend_of(store, 0, 1);

		keep(backend, TLS1_2_VERSION, (unsigned char)(1 + i % 200));
		/* This one is of use all the time. */
		CU_ASSERT_EQUAL(take(first), 1);
		CU_ASSERT(session_store_count(store) <= 10);
		session_backend_unref(backend);
		session_backend_unref(first);
	}
	for (uint64_t i = 1; i < 1000; i++) {
		struct session_backend *backend = backend_of(store, i, 1);

		CU_ASSERT_EQUAL(take(backend),
				i > 990 ? 1 + (unsigned char)(i % 200) : 0);
		session_backend_unref(backend);
	}
	session_store_set_limits(store, 3, 5 * MINUTE);
	CU_ASSERT_EQUAL(session_store_count(store), 3);
	session_store_set_limits(store, 0, 5 * MINUTE);
	CU_ASSERT_EQUAL(session_store_count(store), 0);
	session_store_unref(store);
	/* One session in all, of a backend that has many. */
	store = store_of(1);
	struct session_backend *backend = backend_of(store, 1, 1);

	for (unsigned char id = 1; id < 100; id++)
		keep(backend, TLS1_3_VERSION, id);
	CU_ASSERT_EQUAL(session_store_count(store), 1);
	CU_ASSERT_EQUAL(take(backend), 99);
	session_backend_unref(backend);
	session_store_unref(store);
}

static bool
is_policy(const unsigned char *policy, const void *argument)
{
	const unsigned char *living = argument;

	return policy[0] == *living;
}

static void
test_sweep(void)
{
	struct session_store *store = store_of(1000);
	const unsigned char living = 2;
	struct session_backend *old = backend_of(store, 7, 1);
	struct session_backend *new = backend_of(store, 7, 2);

	CU_ASSERT_PTR_NOT_EQUAL(old, new);
	for (uint64_t i = 0; i < 100; i++) {
		struct session_backend *backend =
			backend_of(store, i, 1 + i % 2);

		keep(backend, TLS1_2_VERSION, 1);
		session_backend_unref(backend);
	}
	keep(old, TLS1_3_VERSION, 1);
	keep(new, TLS1_3_VERSION, 2);
	session_store_sweep(store, is_policy, &living);
	CU_ASSERT_EQUAL(session_store_count(store), 51);
	CU_ASSERT_EQUAL(take(old), 0);
	CU_ASSERT_EQUAL(take(new), 2);
	/* What comes for it later is not kept. */
	keep(old, TLS1_3_VERSION, 3);
	CU_ASSERT_EQUAL(take(old), 0);
	session_backend_unref(old);
	/* They may outlive their store. */
	keep(new, TLS1_3_VERSION, 4);
	CU_ASSERT_PTR_EQUAL(session_store_ref(store), store);
	session_store_unref(store);
	CU_ASSERT_EQUAL(session_store_count(store), 52 - 1);
	session_store_unref(store);
	CU_ASSERT_EQUAL(take(new), 0);
	keep(new, TLS1_3_VERSION, 5);
	CU_ASSERT_EQUAL(take(new), 0);
	session_backend_unref(new);
	session_backend_unref(NULL);
	session_store_unref(NULL);
}

UNIT_SUITE(session_store, {"once", test_once},
	   {"again and again", test_again_and_again}, {"copies", test_copies},
	   {"time", test_time}, {"bound", test_bound}, {"sweep", test_sweep});
