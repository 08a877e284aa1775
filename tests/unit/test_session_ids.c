/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Session ids of an accept gate, and what a connect gate keeps, between two
 * engines: who finds which session, and that whatever is wrong with one is a
 * full handshake.
 */
#include "common/tls/session_ids.h"

#include <string.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/session_cache.h"
#include "common/tls/session_client.h"
#include "common/tls/session_store.h"
#include "common/tls/tls_policy.h"
#include "common/verify/peer_check.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define SECOND   1000LL
#define TIMEOUT  300
#define LIFETIME 7200

static const unsigned char somewhere[FRAMED_HASH_SIZE] = "here";
static const unsigned char elsewhere[FRAMED_HASH_SIZE] = "there";

struct scene {
	struct session_cache *cache;
	struct tls_policy *policy;
	SSL_CTX *server, *client;
	struct session_store *store; /* the client's */
	struct tls_pair pair;
};

static struct session_cache *
make_cache(void)
{
	struct error error = {.text = ""};
	int descriptor = session_cache_create(100, &error);
	struct session_cache *cache = session_cache_open(descriptor, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(cache);
	close(descriptor);
	return cache;
}

static void
scene_init(struct scene *scene, int version)
{
	struct tls_settings settings = tls_fixture_server_settings();

	settings.session.is_resumed = true;
	settings.session.cache.size = 100;
	settings.session.cache.timeout_ms = TIMEOUT * SECOND;
	settings.session.tickets = (struct tls_tickets){
		.mode = TLS_TICKETS_OFF,
		.lifetime_ms = LIFETIME * SECOND,
		.number = 2,
	};
	*scene = (struct scene){.cache = make_cache()};
	session_ids_use(scene->cache);
	scene->policy = tls_fixture_server(&settings);
	scene->server = tls_fixture_context(scene->policy, tls_fixture()->ecdsa,
					    NULL, NULL);
	scene->client = tls_fixture_bare_client();
	CU_ASSERT_EQUAL_FATAL(session_client_install(scene->client), 0);
	tls_fixture_set_versions(scene->client, version, version);
	scene->store = session_store_new();
	session_store_set_limits(scene->store, 10, LIFETIME * SECOND);
}

static void
scene_clear(struct scene *scene)
{
	session_ids_use(NULL);
	session_cache_free(scene->cache);
	session_store_unref(scene->store);
	SSL_CTX_free(scene->client);
	SSL_CTX_free(scene->server);
	tls_policy_unref(scene->policy);
	clock_shift(0);
	CU_ASSERT(ERR_peek_error() == 0);
}

/* As both gates do; is it resumed? */
static bool
shake_hands(struct scene *scene, const unsigned char *context)
{
	static const unsigned char identity[FRAMED_HASH_SIZE];
	struct session_backend *backend =
		session_store_backend(scene->store, identity, identity);
	struct tls_pair *pair = &scene->pair;
	struct error error = {.text = ""};
	SSL *client, *server;
	bool is_resumed;

	tls_pair_init(pair, scene->client, scene->server);
	client = tls_engine_ssl(pair->client.engine);
	server = tls_engine_ssl(pair->server.engine);
	CU_ASSERT_FATAL(
		SSL_set_session_id_context(server, context, FRAMED_HASH_SIZE));
	session_ids_expect(server, context);
	session_client_offer(client, backend);
	session_backend_unref(backend);
	CU_ASSERT_FATAL(tls_pair_handshake(pair, 0));
	tls_pair_settle(pair);
	session_ids_forget(server);
	CU_ASSERT_EQUAL(peer_check_confirm(server, &error), 0);
	is_resumed = SSL_session_reused(server);
	CU_ASSERT_EQUAL(is_resumed, SSL_session_reused(client));
	return is_resumed;
}

static void
end(struct scene *scene)
{
	tls_pair_clear(&scene->pair);
}

/* Both are content with each other, and there is an answer. */
static bool
visit_at(struct scene *scene, const unsigned char *context)
{
	struct tls_pair *pair = &scene->pair;
	bool is_resumed = shake_hands(scene, context);

	session_client_keep(tls_engine_ssl(pair->client.engine));
	tls_engine_allow_tickets(pair->server.engine);
	tls_pair_send(&pair->server, "answer", 6);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(pair->client.plain.length, 6);
	end(scene);
	return is_resumed;
}

static bool
visit(struct scene *scene)
{
	return visit_at(scene, somewhere);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
test_resumed(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct session_cache *another;
		struct scene scene;

		scene_init(&scene, versions[i]);
		CU_ASSERT_FALSE(visit(&scene));
		CU_ASSERT_EQUAL(session_store_count(scene.store),
				versions[i] == TLS1_3_VERSION ? 2 : 1);
		for (int j = 0; j < 10; j++)
			CU_ASSERT(visit(&scene));
		/* Another door, a cache that knows nothing, none at all. */
		CU_ASSERT_FALSE(visit_at(&scene, elsewhere));
		CU_ASSERT(visit_at(&scene, elsewhere));
		another = make_cache();
		session_ids_use(another);
		CU_ASSERT_FALSE(visit_at(&scene, elsewhere));
		CU_ASSERT(visit_at(&scene, elsewhere));
		session_ids_use(NULL);
		CU_ASSERT_FALSE(visit_at(&scene, elsewhere));
		session_cache_free(another);
		scene_clear(&scene);
	}
}

/* Nothing is kept of who was not let in, on either end. */
static void
test_not_let_in(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct scene scene;

		scene_init(&scene, versions[i]);
		for (int j = 0; j < 3; j++) {
			CU_ASSERT_FALSE(shake_hands(&scene, somewhere));
			end(&scene);
			CU_ASSERT_EQUAL(session_store_count(scene.store), 0);
		}
		scene_clear(&scene);
	}
}

static void
test_time(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct scene scene;

		scene_init(&scene, versions[i]);
		CU_ASSERT_FALSE(visit(&scene));
		clock_shift((TIMEOUT - 5) * SECOND);
		CU_ASSERT(visit(&scene));
		/* With TLS 1.3 that one brought another id, no younger one. */
		clock_shift((TIMEOUT + 5) * SECOND);
		CU_ASSERT_FALSE(visit(&scene));
		scene_clear(&scene);
	}
}

/* Of TLS 1.2, a session is forgotten on both ends when its connection fails,
 * and by the client when a handshake does that has offered it. */
static void
test_failures(void)
{
	struct scene scene;
	struct tls_pair *pair = &scene.pair;

	scene_init(&scene, TLS1_2_VERSION);
	CU_ASSERT_FALSE(visit(&scene));
	CU_ASSERT(shake_hands(&scene, somewhere));
	session_client_keep(tls_engine_ssl(pair->client.engine));
	/* A record that nobody has encrypted. */
	tls_pair_send(&pair->client, "words", 5);
	pair->client.wire.bytes[pair->client.wire.length - 1] ^= 1;
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(pair->server.result, TLS_FAILED);
	end(&scene);
	CU_ASSERT_FALSE(visit(&scene));
	CU_ASSERT(visit(&scene));
	CU_ASSERT(shake_hands(&scene, somewhere));
	session_client_failed(tls_engine_ssl(pair->client.engine));
	end(&scene);
	CU_ASSERT_EQUAL(session_store_count(scene.store), 0);
	CU_ASSERT_FALSE(visit(&scene));
	scene_clear(&scene);
}

UNIT_SUITE(session_ids, {"resumed", test_resumed},
	   {"not let in", test_not_let_in}, {"time", test_time},
	   {"failures", test_failures});
