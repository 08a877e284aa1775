/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole way of a signature: a handshake's job, the worker's end, a socket,
 * the keeper's threads and back.
 */
#include <sys/socket.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/tls/key_operation.h"
#include "common/tls/local_keys.h"
#include "common/tls/signer.h"
#include "common/tls/tls_engine.h"
#include "daemon/keeper/key_store.h"
#include "daemon/keeper/signers.h"
#include "daemon/worker/key_client.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_pair.h"
#include "tests/unit/unit.h"

#define USES (KEY_USE_SERVER | KEY_USE_CLIENT)

/* At once: more than the window. */
#define CROWD (3 * KEY_CLIENT_WINDOW)

struct scene {
	struct event_base *base;
	struct key_store *store;
	struct signers *signers;
	struct key_client *client;
	SSL_CTX *server_context;
	SSL_CTX *client_context;
	unsigned int refused;
	unsigned int accused;
};

static void
on_refused(uint32_t worker, const unsigned char key_id[KEY_ID_SIZE],
	   const char *why, void *argument)
{
	struct scene *scene = argument;

	(void)worker;
	(void)key_id;
	(void)why;
	scene->refused++;
}

static void
on_refusals_lost(size_t count, void *argument)
{
	struct scene *scene = argument;

	scene->refused += (unsigned int)count;
}

static void
on_ended(uint32_t worker, const char *why, void *argument)
{
	(void)worker;
	(void)argument;
	CU_ASSERT_PTR_NULL(why);
}

static void
on_accused(uint32_t keeper, const char *why, void *argument)
{
	struct scene *scene = argument;

	(void)keeper;
	(void)why;
	scene->accused++;
}

static void
on_tickets(void *argument)
{
	(void)argument;
}

static const struct key_client_events key_client_events = {
	.accuse = on_accused,
	.tickets = on_tickets,
};

static void
give_key(struct scene *scene, const struct test_identity *identity,
	 unsigned int uses)
{
	struct local_keys *table = key_store_lock(scene->store);
	unsigned char key_id[KEY_ID_SIZE];
	struct error error;

	remote_fixture_key_id(identity->key, key_id);
	CU_ASSERT_EQUAL(
		local_keys_add(table, key_id, identity->key, uses, &error), 0);
	key_store_unlock(scene->store);
}

static void
begin(struct scene *scene, const char *kind, int version, bool is_server,
      unsigned int keeper_uses)
{
	static const struct signers_events events = {
		on_refused, on_refusals_lost, on_ended};
	const struct test_identity *remote;
	struct error error;
	int sockets[2];

	log_configure(NULL, 0);
	*scene = (struct scene){.base = event_base_new()};
	remote_fixture_install(false);
	remote = remote_fixture_identity(kind, USES);
	scene->server_context = remote_fixture_context(
		true, version, is_server ? remote : remote_fixture_plain(),
		is_server, USES, is_server ? NULL : remote);
	scene->client_context = remote_fixture_context(
		false, version, is_server ? NULL : remote, true, USES, NULL);

	scene->store = key_store_new();
	give_key(scene, remote, keeper_uses);
	scene->signers = signers_new(scene->base, scene->store, &events, scene);
	CU_ASSERT_EQUAL_FATAL(signers_start(scene->signers, 2), 2);
	scene->client =
		key_client_new(scene->base, 60000, &key_client_events, scene);
	CU_ASSERT_EQUAL_FATAL(key_client_install(scene->client, &error), 0);
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets),
		0);
	signers_add(scene->signers, 3, sockets[1]);
	key_client_attach(scene->client, 0, sockets[0]);
}

static void
end(struct scene *scene)
{
	static const struct log_sink standard_error = {
		.descriptor = 2,
		.level = LOG_LEVEL_INFO,
		.is_for_events = true,
	};

	CU_ASSERT_EQUAL(scene->accused, 0);
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	signers_free(scene->signers);
	key_client_free(scene->client);
	key_store_free(scene->store);
	SSL_CTX_free(scene->server_context);
	SSL_CTX_free(scene->client_context);
	event_base_free(scene->base);
	log_configure(&standard_error, 1);
	remote_fixture_install(false);
}

/* Until every answer is there. */
static void
wait_for_answers(struct scene *scene)
{
	while (key_operation_count() > 0)
		event_base_loop(scene->base, EVLOOP_ONCE);
}

static void
do_nothing(struct key_operation *operation, void *argument)
{
	(void)operation;
	(void)argument;
}

static bool
shake_hands(struct scene *scene, struct tls_pair *pair, bool is_async,
	    bool is_server)
{
	struct tls_pair_end *signs = is_server ? &pair->server : &pair->client;

	tls_pair_init(pair, scene->client_context, scene->server_context);
	if (is_async) {
		tls_engine_set_async(signs->engine, do_nothing, NULL);
		CU_ASSERT_FALSE(tls_pair_handshake(pair, 0));
		CU_ASSERT_EQUAL(signs->result, TLS_WANT_KEY);
		CU_ASSERT(tls_engine_is_paused(signs->engine));
		wait_for_answers(scene);
		(void)tls_pair_feed_bytes(signs, "", 0);
		CU_ASSERT_FALSE(tls_engine_is_paused(signs->engine));
	}
	return tls_pair_handshake(pair, 0);
}

static const char *const kinds[] = {
	"rsa2048", "rsa-pss2048", "p256", "p384", "p521", "ed25519", "ed448",
};
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
test_handshakes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds) * 4; i++) {
		struct scene scene;
		struct tls_pair pair;

		begin(&scene, kinds[i / 4], versions[i / 2 % 2], i % 2, USES);
		CU_ASSERT(shake_hands(&scene, &pair, false, i % 2));
		tls_pair_clear(&pair);
		if (!REMOTE_FIXTURE_IS_SANITIZED) {
			CU_ASSERT(shake_hands(&scene, &pair, true, i % 2));
			tls_pair_clear(&pair);
		}
		CU_ASSERT_EQUAL(scene.refused, 0);
		end(&scene);
	}
}

/* The keeper knows better what the key is for. */
static void
test_refused(void)
{
	for (size_t i = 0; i < 4; i++) {
		struct scene scene;
		struct tls_pair pair;
		bool is_server = i % 2;

		begin(&scene, "p256", versions[i / 2], is_server,
		      is_server ? KEY_USE_CLIENT : KEY_USE_SERVER);
		CU_ASSERT_FALSE(shake_hands(&scene, &pair, false, is_server));
		tls_pair_clear(&pair);
		if (!REMOTE_FIXTURE_IS_SANITIZED) {
			CU_ASSERT_FALSE(
				shake_hands(&scene, &pair, true, is_server));
			tls_pair_clear(&pair);
		}
		while (scene.refused < (REMOTE_FIXTURE_IS_SANITIZED ? 1u : 2u))
			event_base_loop(scene.base, EVLOOP_ONCE);
		end(&scene);
	}
}

/* More than the window, some of which go away meanwhile. */
static void
test_crowd(void)
{
	static struct tls_pair pairs[CROWD];
	unsigned int established = 0;
	struct scene scene;

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	begin(&scene, "p256", TLS1_3_VERSION, true, USES);
	for (size_t i = 0; i < CROWD; i++) {
		tls_pair_init(&pairs[i], scene.client_context,
			      scene.server_context);
		tls_engine_set_async(pairs[i].server.engine, do_nothing, NULL);
		CU_ASSERT_FALSE(tls_pair_handshake(&pairs[i], 0));
	}
	CU_ASSERT_EQUAL(key_client_under_way(scene.client), KEY_CLIENT_WINDOW);
	CU_ASSERT_EQUAL(key_client_waiting(scene.client),
			CROWD - KEY_CLIENT_WINDOW);
	for (size_t i = 0; i < CROWD; i += 3)
		tls_pair_clear(&pairs[i]);
	wait_for_answers(&scene);
	for (size_t i = 0; i < CROWD; i++) {
		if (i % 3 == 0)
			continue;
		(void)tls_pair_feed_bytes(&pairs[i].server, "", 0);
		established += tls_pair_handshake(&pairs[i], 0);
		tls_pair_clear(&pairs[i]);
	}
	CU_ASSERT_EQUAL(established, CROWD - CROWD / 3);
	end(&scene);
}

UNIT_SUITE(key_path, {"handshakes", test_handshakes}, {"refused", test_refused},
	   {"crowd", test_crowd});
