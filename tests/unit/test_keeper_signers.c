/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads that sign, with the sockets of several workers: the test is the
 * workers, and the event loop.
 */
#include "daemon/keeper/signers.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/tls/local_keys.h"
#include "daemon/keeper/key_store.h"
#include "daemon/process/sandbox_seccomp.h"
#include "tests/lib/in_child.h"
#include "tests/lib/keeper_fixture.h"
#include "tests/unit/unit.h"

#define WORKERS_MAX 8
#define THREADS     3
#define DEADLINE_MS 30000

struct scene {
	struct event_base *base;
	struct key_store *store;
	struct signers *signers;
	int sockets[WORKERS_MAX];
	size_t refused;
	size_t refusals_lost;
	char order[64]; /* a digit a refusal: whose it was */
	uint32_t refused_worker;
	unsigned char refused_key;
	char refused_why[160];
	size_t ended;
	uint32_t ended_worker;
	bool is_cut_off;
	char why[160];
};

static void
on_refused(uint32_t worker, const unsigned char key_id[KEY_ID_SIZE],
	   const char *why, void *argument)
{
	struct scene *scene = argument;

	if (scene->refused + 1 < sizeof(scene->order))
		scene->order[scene->refused] = (char)('0' + worker);
	scene->refused++;
	scene->refused_worker = worker;
	scene->refused_key = key_id[0];
	snprintf(scene->refused_why, sizeof(scene->refused_why), "%s", why);
}

static void
on_refusals_lost(size_t count, void *argument)
{
	struct scene *scene = argument;

	scene->refusals_lost += count;
}

static void
on_ended(uint32_t worker, const char *why, void *argument)
{
	struct scene *scene = argument;

	scene->ended++;
	scene->ended_worker = worker;
	scene->is_cut_off = why != NULL;
	snprintf(scene->why, sizeof(scene->why), "%s", why ? why : "");
}

static const struct signers_events events = {
	.refused = on_refused,
	.refusals_lost = on_refusals_lost,
	.ended = on_ended,
};

/* A worker's socket, without a word from it. */
static int
join(struct scene *scene, uint32_t number)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	signers_add(scene->signers, number, ends[0]);
	return ends[1];
}

static void
begin_with(struct scene *scene, uint32_t workers, unsigned int threads)
{
	memset(scene, 0, sizeof(*scene));
	scene->base = event_base_new();
	scene->store = keeper_fixture_store();
	scene->signers = signers_new(scene->base, scene->store, &events, scene);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->signers);
	if (threads > 0)
		CU_ASSERT_EQUAL(signers_start(scene->signers, threads),
				threads);
	for (uint32_t i = 0; i < workers; i++) {
		scene->sockets[i] = join(scene, i);
		keeper_fixture_greet(scene->sockets[i]);
	}
}

static void
begin(struct scene *scene, uint32_t workers)
{
	begin_with(scene, workers, THREADS);
}

static void
end(struct scene *scene)
{
	signers_free(scene->signers);
	key_store_free(scene->store);
	event_base_free(scene->base);
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (scene->sockets[i] > 0)
			close(scene->sockets[i]);
}

/* Let the loop run until that many workers have ended. */
static void
wait_ended(struct scene *scene, size_t count)
{
	const struct timeval pause = {.tv_usec = 1000};
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	while (scene->ended < count && clock_monotonic_ms() < deadline_ms) {
		event_base_loopexit(scene->base, &pause);
		event_base_dispatch(scene->base);
	}
	CU_ASSERT_EQUAL(scene->ended, count);
}

static void
wait_refused(struct scene *scene, size_t count)
{
	const struct timeval pause = {.tv_usec = 1000};
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	while (scene->refused + scene->refusals_lost < count &&
	       clock_monotonic_ms() < deadline_ms) {
		event_base_loopexit(scene->base, &pause);
		event_base_dispatch(scene->base);
	}
	CU_ASSERT_EQUAL(scene->refused + scene->refusals_lost, count);
}

static void
ask(struct scene *scene, size_t worker, enum keeper_key key, uint64_t number)
{
	keeper_fixture_send(scene->sockets[worker],
			    keeper_fixture_request(key, number));
}

static void
expect_answer(struct scene *scene, size_t worker, enum keeper_key key,
	      uint64_t number)
{
	struct packet packet = {0};

	CU_ASSERT_TRUE(keeper_fixture_receive(scene->sockets[worker], &packet));
	CU_ASSERT_TRUE(keeper_fixture_is_right(key, number, &packet));
}

static void
test_each_key(void)
{
	struct scene scene;

	begin(&scene, 1);
	for (unsigned int key = 0; key < KEEPER_KEY_COUNT; key++) {
		ask(&scene, 0, key, key);
		expect_answer(&scene, 0, key, key);
	}
	CU_ASSERT_EQUAL(signers_worker_count(scene.signers), 1);
	end(&scene);
}

static size_t
count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void
test_comes_and_goes(void)
{
	size_t before = count_descriptors();
	struct scene scene;

	begin(&scene, 2);
	close(scene.sockets[1]);
	scene.sockets[1] = 0;
	wait_ended(&scene, 1);
	CU_ASSERT_EQUAL(scene.ended_worker, 1);
	CU_ASSERT_FALSE(scene.is_cut_off);
	CU_ASSERT_EQUAL(signers_worker_count(scene.signers), 1);
	/* With a request that nobody waits for. */
	ask(&scene, 0, KEEPER_RSA, 1);
	close(scene.sockets[0]);
	scene.sockets[0] = join(&scene, 0);
	keeper_fixture_greet(scene.sockets[0]);
	wait_ended(&scene, 2);
	CU_ASSERT_FALSE(scene.is_cut_off);
	ask(&scene, 0, KEEPER_P256, 2);
	expect_answer(&scene, 0, KEEPER_P256, 2);
	end(&scene);
	CU_ASSERT_EQUAL(count_descriptors(), before);
}

/* Without threads, and with requests that none has taken. */
static void
test_ends_at_any_time(void)
{
	struct scene scene = {0};

	scene.base = event_base_new();
	scene.store = keeper_fixture_store();
	scene.signers = signers_new(scene.base, scene.store, &events, &scene);
	scene.sockets[0] = join(&scene, 0);
	end(&scene);

	begin(&scene, 4);
	for (uint64_t i = 0; i < 100; i++)
		ask(&scene, i % 4, KEEPER_P256, i);
	end(&scene);
}

static void
expect_cut_off(struct scene *scene, const char *why)
{
	struct packet packet;

	wait_ended(scene, 1);
	CU_ASSERT_TRUE(scene->is_cut_off);
	CU_ASSERT_STRING_EQUAL(scene->why, why);
	CU_ASSERT_EQUAL(scene->ended_worker, 1);
	CU_ASSERT_FALSE(keeper_fixture_receive(scene->sockets[1], &packet));
	/* Nobody else has noticed. */
	ask(scene, 0, KEEPER_P256, 9);
	expect_answer(scene, 0, KEEPER_P256, 9);
	CU_ASSERT_EQUAL(scene->ended, 1);
}

static void
test_liar(void)
{
	struct scene scene;

	begin(&scene, 2);
	keeper_fixture_say(scene.sockets[1], "\0\2........", 10, -1, 0);
	expect_cut_off(&scene, "a message that is not permitted here");
	end(&scene);
}

static void
test_silent_start(void)
{
	struct scene scene;

	begin(&scene, 1);
	scene.sockets[1] = join(&scene, 1);
	ask(&scene, 1, KEEPER_P256, 1);
	expect_cut_off(&scene, "no hello at the start");
	end(&scene);
}

/* The number is the next one's by the time it is known. */
static void
test_liar_was_replaced(void)
{
	struct scene scene;

	begin(&scene, 2);
	keeper_fixture_say(scene.sockets[1], "\0\2", 2, -1, 0);
	close(scene.sockets[1]);
	scene.sockets[1] = join(&scene, 1);
	keeper_fixture_greet(scene.sockets[1]);
	wait_ended(&scene, 1);
	CU_ASSERT_FALSE(scene.is_cut_off);
	ask(&scene, 1, KEEPER_P256, 3);
	expect_answer(&scene, 1, KEEPER_P256, 3);
	end(&scene);
}

/* It asks and does not read; the other one is served all the while. */
static void
test_answers_not_taken(void)
{
	struct scene scene;
	uint64_t asked = 0;

	begin(&scene, 2);
	while (scene.ended == 0 && asked < 100000) {
		struct message *message =
			keeper_fixture_request(KEEPER_ED25519, asked++);

		/* Until it is cut off, then it fails. */
		(void)!packet_send(scene.sockets[1], message);
		message_free(message);
		if (asked % 64 == 0) {
			ask(&scene, 0, KEEPER_P256, asked);
			expect_answer(&scene, 0, KEEPER_P256, asked);
		}
		event_base_loop(scene.base, EVLOOP_NONBLOCK);
	}
	CU_ASSERT_EQUAL(scene.ended, 1);
	CU_ASSERT_TRUE(scene.is_cut_off);
	CU_ASSERT_STRING_EQUAL(scene.why, "its answers find no room");
	CU_ASSERT_EQUAL(scene.ended_worker, 1);
	ask(&scene, 0, KEEPER_P256, 5);
	expect_answer(&scene, 0, KEEPER_P256, 5);
	end(&scene);
}

/* A signature of a client's by a server's key. */
static void
ask_refused(struct scene *scene, size_t worker, uint64_t number)
{
	struct message *message = keeper_fixture_request(KEEPER_CLIENT, number);

	message->body.bytes[8] = KEEPER_P384;
	keeper_fixture_send(scene->sockets[worker], message);
}

static void
test_refusals(void)
{
	const size_t count = 200;
	struct packet packet = {0};
	struct scene scene;

	begin(&scene, 2);
	for (size_t i = 0; i < count; i++) {
		ask_refused(&scene, 1, i);
		CU_ASSERT_TRUE(
			keeper_fixture_receive(scene.sockets[1], &packet));
		CU_ASSERT_EQUAL(packet.type, MESSAGE_REFUSED);
		CU_ASSERT_EQUAL(packet.length, 8);
		CU_ASSERT_EQUAL(packet.body[7], i);
	}
	wait_refused(&scene, count);
	/* The loop has not run meanwhile, but for the last one or two. */
	CU_ASSERT_TRUE(scene.refused >= 32 && scene.refused < count);
	CU_ASSERT_EQUAL(scene.refused_worker, 1);
	CU_ASSERT_EQUAL(scene.refused_key, KEEPER_P384);
	CU_ASSERT_STRING_EQUAL(scene.refused_why,
			       "the key is not for a client's signatures");
	CU_ASSERT_EQUAL(scene.ended, 0);
	ask(&scene, 1, KEEPER_P256, 5);
	expect_answer(&scene, 1, KEEPER_P256, 5);
	end(&scene);
}

/* In the order in which the only thread got to them: a worker that has asked
 * for a lot waits for each that has asked for little. */
static void
test_fairness(void)
{
	struct scene scene;

	begin_with(&scene, 3, 0);
	for (unsigned int i = 0; i < 20; i++)
		ask_refused(&scene, 0, i);
	for (unsigned int i = 0; i < 3; i++)
		ask_refused(&scene, 1, i);
	ask_refused(&scene, 2, 0);
	CU_ASSERT_EQUAL(signers_start(scene.signers, 1), 1);
	wait_refused(&scene, 24);
	CU_ASSERT_STRING_EQUAL(scene.order, "012010100000000000000000");
	end(&scene);
}

/* Many, from several workers at once. */

struct crowd {
	struct scene *scene;
	size_t worker;
	size_t count;
	size_t right;
};

static void *
run_worker(void *argument)
{
	static const enum keeper_key keys[] = {KEEPER_P256, KEEPER_ED25519,
					       KEEPER_P256, KEEPER_RSA};
	struct crowd *crowd = argument;
	int socket = crowd->scene->sockets[crowd->worker];
	uint64_t asked = 0, window = 64;
	struct packet packet = {0};

	for (uint64_t answered = 0; answered < crowd->count; answered++) {
		uint64_t number = 0;

		for (; asked < crowd->count && asked < answered + window;
		     asked++)
			keeper_fixture_send(
				socket,
				keeper_fixture_request(keys[asked % 4], asked));
		if (!keeper_fixture_receive(socket, &packet))
			break;
		/* They come in any order. */
		for (int i = 0; i < 8; i++)
			number = number << 8 | packet.body[i];
		/* Verifying one of eight is enough. */
		if (number % 8 ? packet.type == MESSAGE_SIGNED
			       : keeper_fixture_is_right(keys[number % 4],
							 number, &packet))
			crowd->right++;
	}
	return NULL;
}

static void
run_crowd(struct scene *scene, size_t workers, size_t count,
	  void (*meanwhile)(struct scene *))
{
	struct crowd crowds[WORKERS_MAX];
	pthread_t threads[WORKERS_MAX];

	for (size_t i = 0; i < workers; i++) {
		crowds[i] = (struct crowd){scene, i, count, 0};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL,
						     run_worker, &crowds[i]),
				      0);
	}
	if (meanwhile)
		meanwhile(scene);
	for (size_t i = 0; i < workers; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(crowds[i].right, count);
	}
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	CU_ASSERT_EQUAL(scene->ended, 0);
	CU_ASSERT_EQUAL(scene->refused, 0);
}

static void
test_ten_thousand(void)
{
	struct scene scene;

	begin(&scene, 4);
	run_crowd(&scene, 4, 2500, NULL);
	end(&scene);
}

/* Keys come and go, and workers, while others are served. */
static void
come_and_go(struct scene *scene)
{
	EVP_PKEY *key = keeper_fixture_key(KEEPER_P384);
	struct error error;

	for (unsigned int i = 0; i < 200; i++) {
		unsigned char id[KEY_ID_SIZE] = {(unsigned char)i, 1};
		struct local_keys *keys = key_store_lock(scene->store);
		int liar;

		CU_ASSERT_EQUAL(local_keys_add(keys, id, key, 1, &error), 0);
		if (i >= 10) {
			id[0] = (unsigned char)(i - 10);
			local_keys_remove(keys, id, 1);
		}
		key_store_unlock(scene->store);
		liar = join(scene, 5);
		keeper_fixture_greet(liar);
		keeper_fixture_say(liar, "\0\1", i % 4, -1, 0);
		close(liar);
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	}
	wait_ended(scene, 200);
	scene->ended = 0;
}

static void
test_ten_thousand_in_a_storm(void)
{
	struct scene scene;

	begin(&scene, 4);
	run_crowd(&scene, 4, 500, come_and_go);
	end(&scene);
}

/* What the keeper's sandbox leaves it is enough: threads, signatures, a worker
 * that is cut off, the end. */
static int
work_in_sandbox(const void *argument)
{
	static const struct sandbox_filter filter = {.role = SANDBOX_KEEPER,
						     .answer = SANDBOX_KILL};
	struct packet packet = {0};
	struct scene scene;
	struct error error;

	(void)argument;
	begin_with(&scene, 2, 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(sandbox_seccomp_load(&filter, &error) == 0);
	CHECK(signers_start(scene.signers, THREADS) == THREADS);
	for (unsigned int key = 0; key < KEEPER_KEY_COUNT; key++) {
		ask(&scene, 0, key, key);
		CHECK(keeper_fixture_receive(scene.sockets[0], &packet));
		CHECK(packet.type == MESSAGE_SIGNED);
	}
	keeper_fixture_say(scene.sockets[1], "\0\2", 2, -1, 0);
	wait_ended(&scene, 1);
	CHECK(scene.is_cut_off);
	end(&scene);
	return 0;
}

static void
test_in_sandbox(void)
{
	if (!IN_CHILD_IS_SANITIZED)
		CU_ASSERT_EQUAL(in_child(work_in_sandbox, NULL), 0);
}

UNIT_SUITE(keeper_signers, {"each_key", test_each_key},
	   {"comes_and_goes", test_comes_and_goes},
	   {"ends_at_any_time", test_ends_at_any_time}, {"liar", test_liar},
	   {"silent_start", test_silent_start},
	   {"liar_was_replaced", test_liar_was_replaced},
	   {"answers_not_taken", test_answers_not_taken},
	   {"refusals", test_refusals}, {"fairness", test_fairness},
	   {"ten_thousand", test_ten_thousand},
	   {"in_a_storm", test_ten_thousand_in_a_storm},
	   {"in_sandbox", test_in_sandbox});
