/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Engines whose handshake waits for a signature: it goes on, it fails, or its
 * engine goes away meanwhile, and nothing is left of it.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/key_operation.h"
#include "common/tls/remote_key.h"
#include "common/tls/signer.h"
#include "common/tls/tls_engine.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/tls_pair.h"
#include "tests/unit/unit.h"

#define USES (KEY_USE_SERVER | KEY_USE_CLIENT)

/* Each end that may have the remote key, with each version. */
static const struct {
	int version;
	bool is_server;
} cases[] = {
	{TLS1_2_VERSION, true},
	{TLS1_2_VERSION, false},
	{TLS1_3_VERSION, true},
	{TLS1_3_VERSION, false},
};

struct scene {
	SSL_CTX *client;
	SSL_CTX *server;
	struct tls_pair pair;
	struct tls_pair_end *end; /* with the remote key */
	struct tls_pair_end *peer;
	unsigned int wakes;
	enum key_operation_state woken_by;
	bool is_freed_when_ready;
};

static void
on_ready(struct key_operation *operation, void *argument)
{
	struct scene *scene = argument;

	scene->wakes++;
	scene->woken_by = operation->state;
	if (scene->is_freed_when_ready)
		tls_pair_clear(&scene->pair);
}

/* Contexts as the daemon's: asynchronous is what an engine asks for. */
static void
scene_contexts(struct scene *scene, size_t which)
{
	const struct test_identity *remote =
		remote_fixture_identity("p256", USES);
	bool is_server = cases[which].is_server;

	*scene = (struct scene){0};
	scene->server = remote_fixture_context(
		true, cases[which].version,
		is_server ? remote : remote_fixture_plain(), is_server, USES,
		is_server ? NULL : remote);
	scene->client = remote_fixture_context(false, cases[which].version,
					       is_server ? NULL : remote, true,
					       USES, NULL);
	SSL_CTX_clear_mode(scene->server, SSL_MODE_ASYNC);
	SSL_CTX_clear_mode(scene->client, SSL_MODE_ASYNC);
	scene->end = is_server ? &scene->pair.server : &scene->pair.client;
	scene->peer = is_server ? &scene->pair.client : &scene->pair.server;
}

static void
scene_begin(struct scene *scene, bool is_async)
{
	tls_pair_init(&scene->pair, scene->client, scene->server);
	scene->wakes = 0;
	if (is_async)
		tls_engine_set_async(scene->end->engine, on_ready, scene);
}

static void
scene_free(struct scene *scene)
{
	SSL_CTX_free(scene->client);
	SSL_CTX_free(scene->server);
}

/* On to where the signature is waited for. */
static void
scene_wait(struct scene *scene)
{
	scene_begin(scene, true);
	CU_ASSERT_FALSE(tls_pair_handshake(&scene->pair, 0));
	CU_ASSERT_EQUAL(scene->end->result, TLS_WANT_KEY);
	CU_ASSERT_EQUAL(key_operation_count(), 1);
}

static void
scene_end(struct scene *scene)
{
	tls_pair_clear(&scene->pair);
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	remote_keeper_forget();
}

static bool
is_async(const struct tls_pair_end *end)
{
	return SSL_get_mode(tls_engine_ssl(end->engine)) & SSL_MODE_ASYNC;
}

/* Both ways, after the handshake. */
static bool
passes_bytes(struct tls_pair *pair)
{
	tls_pair_send(&pair->client, "hello", 5);
	tls_pair_send(&pair->server, "again", 5);
	tls_pair_settle(pair);
	return pair->server.plain.length == 5 &&
	       memcmp(pair->server.plain.bytes, "hello", 5) == 0 &&
	       pair->client.plain.length == 5 &&
	       memcmp(pair->client.plain.bytes, "again", 5) == 0;
}

static void
test_continued(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;

		scene_contexts(&scene, i);
		scene_wait(&scene);
		CU_ASSERT(is_async(scene.end));
		CU_ASSERT_FALSE(is_async(scene.peer));
		/* Neither a call too early nor an end does anything. */
		CU_ASSERT_EQUAL(tls_pair_feed_bytes(scene.end, "", 0),
				TLS_WANT_KEY);
		tls_engine_close(scene.end->engine, &scene.end->wire);
		CU_ASSERT_EQUAL(scene.end->wire.length, 0);
		CU_ASSERT_EQUAL(remote_question_count, 1);
		CU_ASSERT_EQUAL(scene.wakes, 0);

		CU_ASSERT(remote_keeper_answer(NULL));
		CU_ASSERT_EQUAL(scene.wakes, 1);
		CU_ASSERT_EQUAL(scene.woken_by, KEY_OPERATION_ANSWERED);
		CU_ASSERT_NOT_EQUAL(tls_pair_feed_bytes(scene.end, "", 0),
				    TLS_WANT_KEY);
		CU_ASSERT(scene.end->wire.length > 0);
		tls_pair_settle(&scene.pair);
		CU_ASSERT(scene.end->is_established);
		CU_ASSERT(scene.peer->is_established);
		CU_ASSERT_FALSE(is_async(scene.end));
		CU_ASSERT(passes_bytes(&scene.pair));
		scene_end(&scene);
		scene_free(&scene);
	}
}

/* In pieces of any size; whatever is written before and after the pause is
 * one stream. */
static void
test_pieces(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 20; i++) {
		size_t step = 1 + i / 4 * (i / 4) * 7;
		unsigned int pauses = 0;
		struct scene scene;

		scene_contexts(&scene, i % 4);
		scene_begin(&scene, true);
		while (!tls_pair_handshake(&scene.pair, step)) {
			CU_ASSERT_EQUAL_FATAL(scene.end->result, TLS_WANT_KEY);
			CU_ASSERT(remote_keeper_answer(NULL));
			(void)tls_pair_feed_bytes(scene.end, "", 0);
			pauses++;
		}
		CU_ASSERT_EQUAL(pauses, 1);
		CU_ASSERT(passes_bytes(&scene.pair));
		scene_end(&scene);
		scene_free(&scene);
	}
}

/* What comes on while a signature is made stays with the caller. */
static void
test_input_left(void)
{
	struct tls_input input;
	struct tls_output hello;
	struct scene scene;

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	scene_contexts(&scene, 2);
	scene_begin(&scene, true);
	(void)tls_pair_feed_bytes(&scene.pair.client, "", 0);
	tls_output_append(&scene.pair.client.wire, "more", 4);
	hello = scene.pair.client.wire;
	input = (struct tls_input){hello.bytes, hello.length};
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(tls_engine_handshake(scene.pair.server.engine,
						     &input,
						     &scene.pair.server.wire),
				TLS_WANT_KEY);
		CU_ASSERT_EQUAL(input.length, 4);
		CU_ASSERT_PTR_EQUAL(input.bytes,
				    hello.bytes + hello.length - 4);
	}
	scene_end(&scene);
	scene_free(&scene);
}

/* No engine that has not asked for it is paused. */
static void
test_not_asked_for(void)
{
	remote_fixture_install(!REMOTE_FIXTURE_IS_SANITIZED);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;

		scene_contexts(&scene, i);
		scene_begin(&scene, false);
		CU_ASSERT(tls_pair_handshake(&scene.pair, 0));
		CU_ASSERT_EQUAL(remote_question_count, 0);
		CU_ASSERT(passes_bytes(&scene.pair));
		scene_end(&scene);
		scene_free(&scene);
	}
}

static void
test_failed(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		const struct tls_failure *failure;
		struct scene scene;

		scene_contexts(&scene, i % 4);
		scene_wait(&scene);
		CU_ASSERT(
			i < 4 ? key_operation_refuse(remote_questions[0].number)
			      : key_operation_lose(remote_questions[0].number));
		CU_ASSERT_EQUAL(scene.wakes, 1);
		CU_ASSERT_EQUAL(scene.woken_by, i < 4 ? KEY_OPERATION_REFUSED
						      : KEY_OPERATION_LOST);
		CU_ASSERT_EQUAL(tls_pair_feed_bytes(scene.end, "", 0),
				TLS_FAILED);
		failure = tls_engine_failure(scene.end->engine);
		CU_ASSERT_EQUAL(failure->fault, TLS_FAULT_KEY);
		CU_ASSERT_STRING_EQUAL(
			failure->text,
			i < 4 ? "the keeper refused to sign"
			      : "there is no keeper, or it was lost");
		/* The peer is told. */
		tls_pair_settle(&scene.pair);
		CU_ASSERT_EQUAL_FATAL(scene.peer->result, TLS_FAILED);
		failure = tls_engine_failure(scene.peer->engine);
		CU_ASSERT_EQUAL(failure->fault, TLS_FAULT_ALERT);
		CU_ASSERT_PTR_NOT_NULL(strstr(failure->text, "internal_error"));
		CU_ASSERT_EQUAL(ERR_peek_error(), 0);
		scene_end(&scene);
		scene_free(&scene);
	}
}

static int
sign_nothing(const unsigned char key_id[KEY_ID_SIZE],
	     const struct sign_request *request, unsigned char *signature,
	     size_t *length)
{
	(void)key_id;
	(void)request;
	(void)signature;
	(void)length;
	return -1;
}

/* The same where nothing pauses. */
static void
test_failed_in_the_call(void)
{
	static const struct remote_key_functions functions = {
		.sign = sign_nothing};
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tls_failure *failure;
		struct scene scene;

		remote_fixture_install(false);
		scene_contexts(&scene, i);
		scene_begin(&scene, false);
		CU_ASSERT_EQUAL(remote_key_install(&functions, &error), 0);
		CU_ASSERT_FALSE(tls_pair_handshake(&scene.pair, 0));
		CU_ASSERT_EQUAL_FATAL(scene.end->result, TLS_FAILED);
		failure = tls_engine_failure(scene.end->engine);
		CU_ASSERT_EQUAL(failure->fault, TLS_FAULT_KEY);
		CU_ASSERT_STRING_EQUAL(failure->text, "there is no signature");
		scene_end(&scene);
		scene_free(&scene);
	}
	remote_fixture_install(false);
}

/* Going away before the answer, after it, and in the middle of being told. */
static void
test_abandoned(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 4; i++) {
		struct scene scene;
		uint64_t number;

		scene_contexts(&scene, i % 4);
		scene_wait(&scene);
		number = remote_questions[0].number;
		switch (i / 4) {
		case 0:
			break;
		case 1:
			CU_ASSERT(remote_keeper_answer(NULL));
			break;
		case 2:
			CU_ASSERT(key_operation_refuse(number));
			break;
		default:
			scene.is_freed_when_ready = true;
			CU_ASSERT(remote_keeper_answer(NULL));
			CU_ASSERT_PTR_NULL(scene.end->engine);
			break;
		}
		CU_ASSERT_EQUAL(scene.wakes, i / 4 > 0);
		tls_pair_clear(&scene.pair);
		CU_ASSERT_EQUAL(key_operation_count(), 0);
		CU_ASSERT_EQUAL(scene.wakes, i / 4 > 0);
		/* The late answer finds nobody. */
		CU_ASSERT_FALSE(key_operation_answer(
			number, (const unsigned char *)"late", 4));
		CU_ASSERT_EQUAL(ERR_peek_error(), 0);
		remote_keeper_forget();
		scene_free(&scene);
	}
}

/* Before the signature is asked for, and after a handshake that was paused. */
static void
test_freed_early_and_late(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;

		scene_contexts(&scene, i);
		scene_begin(&scene, true);
		scene_end(&scene);
		scene_begin(&scene, true);
		(void)tls_pair_feed_bytes(&scene.pair.client, "", 0);
		(void)tls_pair_feed(&scene.pair.client, &scene.pair.server, 30);
		scene_end(&scene);
		scene_wait(&scene);
		CU_ASSERT(remote_keeper_answer(NULL));
		(void)tls_pair_feed_bytes(scene.end, "", 0);
		scene_end(&scene);
		scene_free(&scene);
	}
}

static size_t
memory_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Engines that go in the middle leave nothing behind, in memory or in a pool
 * of 64 jobs. */
static void
test_abandoned_often(void)
{
	enum {
		TIMES = 2000,
		WARM_UP = 100,
		POOL = 64,
		GROWTH = 65536
	};

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	ASYNC_cleanup_thread();
	CU_ASSERT_EQUAL_FATAL(ASYNC_init_thread(POOL, 0), 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t before = 0, after;
		struct scene scene;

		scene_contexts(&scene, i);
		for (size_t j = 0; j < TIMES / ARRAY_SIZE(cases); j++) {
			if (j == WARM_UP)
				before = memory_in_use();
			scene_wait(&scene);
			scene_end(&scene);
		}
		after = memory_in_use();
		CU_ASSERT(after < before + GROWTH);
		if (after >= before + GROWTH)
			printf("%zu bytes more\n", after - before);
		scene_wait(&scene);
		CU_ASSERT(remote_keeper_answer(NULL));
		(void)tls_pair_feed_bytes(scene.end, "", 0);
		tls_pair_settle(&scene.pair);
		CU_ASSERT(passes_bytes(&scene.pair));
		scene_end(&scene);
		scene_free(&scene);
	}
	ASYNC_cleanup_thread();
}

UNIT_SUITE(tls_engine_async, {"continued", test_continued},
	   {"pieces", test_pieces}, {"input_left", test_input_left},
	   {"not_asked_for", test_not_asked_for}, {"failed", test_failed},
	   {"failed_in_the_call", test_failed_in_the_call},
	   {"abandoned", test_abandoned},
	   {"freed_early_and_late", test_freed_early_and_late},
	   {"abandoned_often", test_abandoned_often});
