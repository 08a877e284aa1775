/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures that a handshake waits for: answered, refused, lost and late, and
 * connections that go away while they wait.
 */
#include "common/tls/key_operation.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <openssl/async.h>
#include <openssl/ssl.h>

#include "common/base/mem.h"
#include "common/tls/signer.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define USES (KEY_USE_SERVER | KEY_USE_CLIENT)

/* The table by itself, without any job. */

static unsigned int woken;

static void
count_woken(struct key_operation *operation, void *argument)
{
	(void)operation;
	CU_ASSERT_PTR_NULL(argument);
	woken++;
}

static void
test_table(void)
{
	struct key_operation operation = {.ready = count_woken};
	unsigned char signature[8] = {0};
	uint64_t first;

	woken = 0;
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	CU_ASSERT(key_operation_begin(&operation, signature, 4));
	CU_ASSERT_EQUAL(operation.state, KEY_OPERATION_PENDING);
	CU_ASSERT_EQUAL(key_operation_count(), 1);
	first = operation.number;
	CU_ASSERT_FALSE(key_operation_answer(first + 1,
					     (const unsigned char *)"no", 2));
	CU_ASSERT_FALSE(key_operation_refuse(0));
	CU_ASSERT_FALSE(key_operation_lose(UINT64_MAX));
	CU_ASSERT_EQUAL(operation.state, KEY_OPERATION_PENDING);
	CU_ASSERT(key_operation_answer(first, (const unsigned char *)"yes", 3));
	CU_ASSERT_EQUAL(operation.state, KEY_OPERATION_ANSWERED);
	CU_ASSERT_EQUAL(operation.length, 3);
	CU_ASSERT_EQUAL(memcmp(signature, "yes\0\0", 5), 0);
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	/* A second answer, and one to the number before in the same slot. */
	CU_ASSERT_FALSE(
		key_operation_answer(first, (const unsigned char *)"no", 2));
	CU_ASSERT(key_operation_begin(&operation, signature, 4));
	CU_ASSERT_NOT_EQUAL(operation.number, first);
	CU_ASSERT_FALSE(
		key_operation_answer(first, (const unsigned char *)"no", 2));
	CU_ASSERT_FALSE(key_operation_refuse(first));
	/* Nonsense: too long, or nothing at all. */
	CU_ASSERT_FALSE(key_operation_answer(
		operation.number, (const unsigned char *)"12345", 5));
	CU_ASSERT_EQUAL(operation.state, KEY_OPERATION_REFUSED);
	CU_ASSERT_EQUAL(memcmp(signature, "yes\0\0", 5), 0);
	CU_ASSERT(key_operation_begin(&operation, signature, 4));
	CU_ASSERT_FALSE(key_operation_answer(operation.number,
					     (const unsigned char *)"", 0));
	CU_ASSERT_EQUAL(operation.state, KEY_OPERATION_REFUSED);
	/* Nobody was paused, nobody was woken. */
	CU_ASSERT_EQUAL(woken, 0);
}

static void
test_many(void)
{
	enum {
		MANY = 1000
	};
	static struct key_operation operations[MANY];
	static unsigned char signatures[MANY][2];
	unsigned char answer[2];

	for (size_t i = 0; i < MANY; i++)
		CU_ASSERT(
			key_operation_begin(&operations[i], signatures[i], 2));
	CU_ASSERT_EQUAL(key_operation_count(), MANY);
	for (size_t i = MANY; i-- > 0;) {
		answer[0] = (unsigned char)(i >> 8);
		answer[1] = (unsigned char)i;
		if (i % 3 == 0)
			CU_ASSERT(key_operation_answer(operations[i].number,
						       answer, 2));
	}
	for (size_t i = 0; i < MANY; i += 3) {
		CU_ASSERT_EQUAL(signatures[i][0] << 8 | signatures[i][1],
				(int)i);
		CU_ASSERT_EQUAL(operations[i].state, KEY_OPERATION_ANSWERED);
	}
	key_operation_lose_all();
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	for (size_t i = 0; i < MANY; i++)
		CU_ASSERT_EQUAL(operations[i].state,
				i % 3 == 0 ? KEY_OPERATION_ANSWERED
					   : KEY_OPERATION_LOST);
}

static void
test_names(void)
{
	CU_ASSERT_STRING_EQUAL(key_operation_state_name(KEY_OPERATION_IDLE),
			       "idle");
	CU_ASSERT_STRING_EQUAL(
		key_operation_state_name(KEY_OPERATION_CANCELLED), "cancelled");
}

/* Handshakes. */

/* A pair whose one end has a remote key, made anew for each test. */
struct scene {
	SSL_CTX *client_context;
	SSL_CTX *server_context;
	struct remote_pair pair;
	struct remote_end *end; /* with the remote key */
};

static void
scene_contexts(struct scene *scene, const char *kind, int version,
	       bool is_server)
{
	const struct test_identity *remote =
		remote_fixture_identity(kind, USES);

	scene->server_context = remote_fixture_context(
		true, version, is_server ? remote : remote_fixture_plain(),
		is_server, USES, is_server ? NULL : remote);
	scene->client_context = remote_fixture_context(
		false, version, is_server ? NULL : remote, true, USES, NULL);
	scene->end = is_server ? &scene->pair.server : &scene->pair.client;
}

static void
scene_begin(struct scene *scene)
{
	remote_pair_init(&scene->pair, scene->client_context,
			 scene->server_context);
}

static void
scene_end(struct scene *scene)
{
	remote_pair_clear(&scene->pair);
	CU_ASSERT_EQUAL(key_operation_count(), 0);
}

static void
scene_free(struct scene *scene)
{
	SSL_CTX_free(scene->client_context);
	SSL_CTX_free(scene->server_context);
}

/* On to where the signature is waited for. */
static void
scene_wait(struct scene *scene)
{
	scene_begin(scene);
	remote_pair_run(&scene->pair);
	CU_ASSERT(scene->end->is_waiting);
	CU_ASSERT_EQUAL(scene->end->operation.state, KEY_OPERATION_PENDING);
}

static const char *const kinds[] = {
	"rsa2048", "rsa-pss2048", "p256", "p384", "p521", "ed25519", "ed448",
};
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
test_handshakes(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(kinds) * 4; i++) {
		struct scene scene;

		scene_contexts(&scene, kinds[i / 4], versions[i / 2 % 2],
			       i % 2);
		scene_wait(&scene);
		CU_ASSERT_EQUAL(remote_question_count, 1);
		/* Stepping it without need is legal. */
		remote_end_step(scene.end);
		CU_ASSERT(scene.end->is_waiting);
		CU_ASSERT_EQUAL(remote_question_count, 1);
		CU_ASSERT(remote_keeper_answer(NULL));
		CU_ASSERT(scene.end->is_ready);
		CU_ASSERT(remote_pair_handshake(&scene.pair));
		CU_ASSERT_EQUAL(scene.end->operation.state,
				KEY_OPERATION_ANSWERED);
		scene_end(&scene);
		scene_free(&scene);
	}
}

/* Without an operation, signing blocks. */
static void
test_without_operation(void)
{
	struct scene scene;
	int result;

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	scene_contexts(&scene, "p256", TLS1_3_VERSION, true);
	scene_begin(&scene);
	remote_end_step(&scene.pair.client);
	result = SSL_do_handshake(scene.pair.server.ssl);
	CU_ASSERT_EQUAL(SSL_get_error(scene.pair.server.ssl, result),
			SSL_ERROR_WANT_READ);
	CU_ASSERT_EQUAL(remote_question_count, 0);
	CU_ASSERT(remote_pair_handshake(&scene.pair));
	scene_end(&scene);
	scene_free(&scene);
}

struct outcome {
	enum remote_keeper_mood mood;
	enum key_operation_state state;
	bool is_established;
};

static void
test_moods(void)
{
	static const struct outcome outcomes[] = {
		{REMOTE_KEEPER_PROMPT, KEY_OPERATION_ANSWERED, true},
		{REMOTE_KEEPER_GONE, KEY_OPERATION_LOST, false},
	};

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(outcomes) * 4; i++) {
		const struct outcome *outcome = &outcomes[i / 4];
		struct scene scene;

		scene_contexts(&scene, "p256", versions[i / 2 % 2], i % 2);
		scene_begin(&scene);
		remote_keeper_mood = outcome->mood;
		remote_pair_run(&scene.pair);
		CU_ASSERT_EQUAL(scene.end->operation.state, outcome->state);
		CU_ASSERT_EQUAL(remote_pair_handshake(&scene.pair),
				outcome->is_established);
		CU_ASSERT_EQUAL(scene.end->is_failed, !outcome->is_established);
		scene_end(&scene);
		scene_free(&scene);
	}
	remote_keeper_mood = REMOTE_KEEPER_WAITS;
}

/* In a job that may not be paused just now: no endless loop. */
static int
wait_blocked(void *argument)
{
	struct key_operation *operation = *(struct key_operation **)argument;
	unsigned char signature[8];
	size_t length;
	bool is_answered;

	ASYNC_block_pause();
	CU_ASSERT(key_operation_begin(operation, signature, 8));
	is_answered = key_operation_wait(operation, &length);
	ASYNC_unblock_pause();
	return is_answered;
}

static void
test_blocked_pause(void)
{
	struct key_operation operation = {.ready = count_woken};
	struct key_operation *argument = &operation;
	ASYNC_WAIT_CTX *context = ASYNC_WAIT_CTX_new();
	ASYNC_JOB *job = NULL;
	int result = -1;

	if (!REMOTE_FIXTURE_IS_SANITIZED) {
		woken = 0;
		key_operation_enter(&operation);
		CU_ASSERT_EQUAL(ASYNC_start_job(&job, context, &result,
						wait_blocked, &argument,
						sizeof(argument)),
				ASYNC_FINISH);
		key_operation_leave();
		CU_ASSERT_EQUAL(result, 0);
		CU_ASSERT_EQUAL(operation.state, KEY_OPERATION_LOST);
		CU_ASSERT_EQUAL(woken, 0);
	}
	ASYNC_WAIT_CTX_free(context);
}

/* What a keeper, or the lack of one, may make of a question. */
static bool
refuse(uint64_t number)
{
	return key_operation_refuse(number);
}

static bool
lose(uint64_t number)
{
	return key_operation_lose(number);
}

static bool
lose_all(uint64_t number)
{
	(void)number;
	key_operation_lose_all();
	return true;
}

static bool
answer_too_much(uint64_t number)
{
	static const unsigned char nonsense[4096];

	return !key_operation_answer(number, nonsense, sizeof(nonsense));
}

static bool
answer_nothing(uint64_t number)
{
	return !key_operation_answer(number, (const unsigned char *)"", 0);
}

static bool
answer_wrongly(uint64_t number)
{
	static const unsigned char nonsense[64];

	return key_operation_answer(number, nonsense, sizeof(nonsense));
}

struct failure {
	bool (*fail)(uint64_t number);
	enum key_operation_state state;
	bool is_peer_to_notice;
};

static void
test_failures(void)
{
	static const struct failure failures[] = {
		{refuse, KEY_OPERATION_REFUSED, false},
		{lose, KEY_OPERATION_LOST, false},
		{lose_all, KEY_OPERATION_LOST, false},
		{answer_too_much, KEY_OPERATION_REFUSED, false},
		{answer_nothing, KEY_OPERATION_REFUSED, false},
		{answer_wrongly, KEY_OPERATION_ANSWERED, true},
	};

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < ARRAY_SIZE(failures) * 4; i++) {
		const struct failure *failure = &failures[i / 4];
		struct scene scene;

		scene_contexts(&scene, "p256", versions[i / 2 % 2], i % 2);
		scene_wait(&scene);
		CU_ASSERT(failure->fail(scene.end->operation.number));
		CU_ASSERT(scene.end->is_ready);
		CU_ASSERT_EQUAL(scene.end->operation.state, failure->state);
		/* What the keeper says after that is late. */
		CU_ASSERT_FALSE(
			key_operation_refuse(scene.end->operation.number));
		remote_keeper_forget();
		CU_ASSERT_FALSE(remote_pair_handshake(&scene.pair));
		if (!failure->is_peer_to_notice)
			CU_ASSERT(scene.end->is_failed);
		scene_end(&scene);
		scene_free(&scene);
	}
}

/* Many at once, answered in another order. */
static void
test_crowd(void)
{
	enum {
		CROWD = 40
	};
	static struct scene scenes[CROWD];
	struct scene contexts;
	unsigned int established = 0;

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	scene_contexts(&contexts, "ed25519", TLS1_3_VERSION, true);
	for (size_t i = 0; i < CROWD; i++) {
		scenes[i] = contexts;
		scenes[i].end = &scenes[i].pair.server;
		scene_wait(&scenes[i]);
	}
	CU_ASSERT_EQUAL(key_operation_count(), CROWD);
	CU_ASSERT_EQUAL(remote_question_count, CROWD);
	for (size_t i = 0; i < CROWD / 2; i++) {
		struct remote_question swapped = remote_questions[i];

		remote_questions[i] = remote_questions[CROWD - 1 - i];
		remote_questions[CROWD - 1 - i] = swapped;
	}
	/* Each third goes away. */
	for (size_t i = 0; i < CROWD; i += 3)
		remote_pair_clear(&scenes[i].pair);
	while (remote_keeper_answer(NULL))
		;
	CU_ASSERT_EQUAL(key_operation_count(), 0);
	for (size_t i = 0; i < CROWD; i++) {
		if (i % 3 == 0)
			continue;
		established += remote_pair_handshake(&scenes[i].pair);
		scene_end(&scenes[i]);
	}
	CU_ASSERT_EQUAL(established, CROWD - (CROWD + 2) / 3);
	scene_free(&contexts);
}

/* Going away in every state of the operation. */
static void
test_abandon(void)
{
	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	for (size_t i = 0; i < 16; i++) {
		unsigned char signature[64];
		bool is_taken = true;
		struct scene scene;
		uint64_t number;

		scene_contexts(&scene, "p256", versions[i / 2 % 2], i % 2);
		scene_wait(&scene);
		number = scene.end->operation.number;
		switch (i / 4) {
		case 1:
			CU_ASSERT(remote_keeper_answer(&is_taken));
			CU_ASSERT(is_taken);
			break;
		case 2:
			CU_ASSERT(key_operation_refuse(number));
			break;
		case 3:
			key_operation_abandon(&scene.end->operation,
					      scene.end->ssl);
			CU_ASSERT_FALSE(SSL_waiting_for_async(scene.end->ssl));
			CU_ASSERT_FALSE(key_operation_begin(
				&scene.end->operation, signature,
				sizeof(signature)));
			break;
		default:
			break;
		}
		scene.end->is_ready = false;
		scene_end(&scene);
		CU_ASSERT_FALSE(scene.end->is_ready);
		CU_ASSERT_EQUAL(scene.end->operation.state,
				KEY_OPERATION_CANCELLED);
		/* The late answer. */
		if (remote_keeper_answer(&is_taken))
			CU_ASSERT_FALSE(is_taken);
		scene_free(&scene);
	}
}

static size_t
memory_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Handshakes that end while their job is paused leave nothing behind, in
 * memory or in a pool of 64 jobs. */
static void
test_abandon_often(void)
{
	enum {
		TIMES = 2000,
		WARM_UP = 100,
		POOL = 64,
		GROWTH = 65536
	};
	size_t before[4] = {0}, after;
	struct scene scenes[4];

	if (REMOTE_FIXTURE_IS_SANITIZED)
		return;
	remote_fixture_install(true);
	ASYNC_cleanup_thread();
	CU_ASSERT_EQUAL_FATAL(ASYNC_init_thread(POOL, 0), 1);
	for (size_t i = 0; i < 4; i++) {
		scene_contexts(&scenes[i], "p256", versions[i / 2], i % 2);
		for (size_t j = 0; j < TIMES / 4; j++) {
			if (j == WARM_UP)
				before[i] = memory_in_use();
			scene_wait(&scenes[i]);
			scene_end(&scenes[i]);
			while (remote_keeper_answer(NULL))
				;
		}
		after = memory_in_use();
		CU_ASSERT(after < before[i] + GROWTH);
		if (after >= before[i] + GROWTH)
			printf("%zu bytes more\n", after - before[i]);
	}
	for (size_t i = 0; i < 4; i++) {
		scene_begin(&scenes[i]);
		CU_ASSERT(remote_pair_handshake(&scenes[i].pair));
		scene_end(&scenes[i]);
		scene_free(&scenes[i]);
	}
	ASYNC_cleanup_thread();
}

UNIT_SUITE(key_operation, {"table", test_table}, {"many", test_many},
	   {"names", test_names}, {"handshakes", test_handshakes},
	   {"without_operation", test_without_operation}, {"moods", test_moods},
	   {"blocked_pause", test_blocked_pause}, {"failures", test_failures},
	   {"crowd", test_crowd}, {"abandon", test_abandon},
	   {"abandon_often", test_abandon_often});
