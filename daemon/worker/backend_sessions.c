/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores by name, in order, so that thousands of services find their own.
 */
#include "daemon/worker/backend_sessions.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/session_client.h"
#include "common/tls/session_store.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/snapshot.h"

struct pool {
	char *name; /* of a key or of a service, which are told apart */
	struct session_store *store;
	/* The most that any of its services wants. */
	size_t size;
	int64_t timeout_ms;
};

struct backend_sessions {
	struct pool *pools; /* by name */
	size_t pool_count;
	struct session_store **by_service; /* NULL: it resumes none */
};

static const struct tls_session *
session_of(const struct route_service *service)
{
	const struct tls_settings *tls = service->conf->connect.tls;

	return tls && tls->session.is_resumed && tls->session.cache.size > 0
		       ? &tls->session
		       : NULL;
}

static char *
name_of(const struct route_service *service, const struct tls_session *session)
{
	return session->key ? mem_format("key %s", session->key)
			    : mem_format("service %s", service->conf->name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct pool *)a)->name,
		      ((const struct pool *)b)->name);
}

static struct pool *
find(const struct backend_sessions *sessions, const char *name)
{
	const struct pool wanted = {.name = (char *)(uintptr_t)name};

	if (!sessions || sessions->pool_count == 0)
		return NULL;
	return bsearch(&wanted, sessions->pools, sessions->pool_count,
		       sizeof(wanted), by_name);
}

/* Names that are the same are next to each other: one pool for all. */
static void
merge(struct backend_sessions *sessions)
{
	size_t count = 0;

	qsort(sessions->pools, sessions->pool_count, sizeof(struct pool),
	      by_name);
	for (size_t i = 0; i < sessions->pool_count; i++) {
		struct pool *pool = &sessions->pools[i];
		struct pool *last = &sessions->pools[count - 1];

		if (count == 0 || strcmp(last->name, pool->name) != 0) {
			sessions->pools[count++] = *pool;
			continue;
		}
		if (pool->size > last->size)
			last->size = pool->size;
		if (pool->timeout_ms > last->timeout_ms)
			last->timeout_ms = pool->timeout_ms;
		mem_free(pool->name);
	}
	sessions->pool_count = count;
}

static void
collect(struct backend_sessions *sessions, const struct route_table *routes)
{
	sessions->pools =
		mem_array(routes->service_count, sizeof(*sessions->pools));
	for (size_t i = 0; i < routes->service_count; i++) {
		const struct route_service *service = &routes->services[i];
		const struct tls_session *session = session_of(service);

		if (!session)
			continue;
		sessions->pools[sessions->pool_count++] = (struct pool){
			.name = name_of(service, session),
			.size = session->cache.size,
			.timeout_ms = session->cache.timeout_ms,
		};
	}
	if (sessions->pool_count > 0)
		merge(sessions);
}

struct backend_sessions *
backend_sessions_new(const struct route_table *routes,
		     const struct backend_sessions *previous)
{
	struct backend_sessions *sessions = mem_alloc(sizeof(*sessions));

	collect(sessions, routes);
	for (size_t i = 0; i < sessions->pool_count; i++) {
		struct pool *pool = &sessions->pools[i];
		const struct pool *old = find(previous, pool->name);

		pool->store = old ? session_store_ref(old->store)
				  : session_store_new();
	}
	sessions->by_service = mem_array(routes->service_count,
					 sizeof(struct session_store *));
	for (size_t i = 0; i < routes->service_count; i++) {
		const struct route_service *service = &routes->services[i];
		const struct tls_session *session = session_of(service);
		AUTO_FREE char *name = NULL;

		if (!session)
			continue;
		name = name_of(service, session);
		sessions->by_service[i] = find(sessions, name)->store;
	}
	return sessions;
}

void
backend_sessions_free(struct backend_sessions *sessions)
{
	if (!sessions)
		return;
	for (size_t i = 0; i < sessions->pool_count; i++) {
		session_store_unref(sessions->pools[i].store);
		mem_free(sessions->pools[i].name);
	}
	mem_free(sessions->pools);
	mem_free(sessions->by_service);
	mem_free(sessions);
}

void
backend_sessions_enforce(const struct backend_sessions *sessions)
{
	for (size_t i = 0; i < sessions->pool_count; i++) {
		const struct pool *pool = &sessions->pools[i];

		session_store_set_limits(pool->store, pool->size,
					 pool->timeout_ms);
	}
}

/* Digests of policies, in order. */
struct policies {
	unsigned char (*digests)[FRAMED_HASH_SIZE];
	size_t count;
};

static int
by_digest(const void *a, const void *b)
{
	return memcmp(a, b, FRAMED_HASH_SIZE);
}

static bool
is_living(const unsigned char *policy, const void *argument)
{
	const struct policies *policies = argument;

	return bsearch(policy, policies->digests, policies->count,
		       FRAMED_HASH_SIZE, by_digest) != NULL;
}

static void
collect_policies(struct policies *policies, const struct snapshot_list *living)
{
	const struct snapshot *snapshot;
	size_t most = 0;

	TAILQ_FOREACH (snapshot, living, entries)
		most += snapshot->routes->service_count;
	policies->digests = mem_array(most, FRAMED_HASH_SIZE);
	policies->count = 0;
	TAILQ_FOREACH (snapshot, living, entries) {
		const struct route_table *routes = snapshot->routes;

		for (size_t i = 0; i < routes->service_count; i++)
			if (routes->services[i].connect)
				memcpy(policies->digests[policies->count++],
				       routes->services[i].connect->identity,
				       FRAMED_HASH_SIZE);
	}
	if (policies->count > 0)
		qsort(policies->digests, policies->count, FRAMED_HASH_SIZE,
		      by_digest);
}

void
backend_sessions_sweep(const struct backend_sessions *sessions,
		       const struct snapshot_list *living)
{
	struct policies policies;

	if (sessions->pool_count == 0)
		return;
	collect_policies(&policies, living);
	for (size_t i = 0; i < sessions->pool_count; i++)
		session_store_sweep(sessions->pools[i].store, is_living,
				    &policies);
	mem_free(policies.digests);
}

static void
make_identity(const struct connection *connection, const char *server_name,
	      const char *verify_name, unsigned char *identity)
{
	const struct route_service *service = connection->service;
	const char *key = service->conf->connect.tls->session.key;
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	framed_hash_add_text(hash, key);
	framed_hash_add_text(hash, key ? NULL : connection->backend);
	framed_hash_add_text(hash, server_name);
	framed_hash_add_text(hash, verify_name);
	framed_hash_add(hash, service->connect->identity, FRAMED_HASH_SIZE);
	framed_hash_end(hash, identity);
}

void
backend_sessions_offer(const struct connection *connection,
		       const char *server_name, const char *verify_name)
{
	const struct snapshot *snapshot = connection->snapshot;
	size_t number =
		(size_t)(connection->service - snapshot->routes->services);
	struct session_store *store = snapshot->sessions->by_service[number];
	unsigned char identity[FRAMED_HASH_SIZE];
	struct session_backend *backend;

	if (!store)
		return;
	make_identity(connection, server_name, verify_name, identity);
	backend = session_store_backend(store, identity,
					connection->service->connect->identity);
	session_client_offer(tls_engine_ssl(connection->connect.engine),
			     backend);
	session_backend_unref(backend);
}
