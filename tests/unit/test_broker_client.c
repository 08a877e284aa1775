/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's side of the broker's channel; the test is the broker, which keeps
 * to the rules or does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ipc/msgtable.h"
#include "daemon/process/channel.h"
#include "daemon/worker/broker_client.h"
#include "tests/unit/unit.h"

#define ASKED_MAX 64

/* One who asks. */
struct asker {
	struct broker_request request;
	unsigned int answers;
	int descriptor;
	int error_number;
	struct asker *cancels; /* when it is answered */
	bool asks_again;
};

/* What the broker was asked, in order. */
struct asked {
	uint64_t number, generation;
	uint32_t service, address;
};

struct scene {
	struct event_base *base;
	struct broker_client *client;
	struct channel *broker;
	struct asked asked[ASKED_MAX];
	size_t asked_count;
	bool is_closed;
	char accused[128];
};

static void
on_answered(struct broker_request *request, int descriptor, int error_number)
{
	struct asker *asker = (struct asker *)(void *)request;
	struct broker_client *client;

	asker->answers++;
	asker->descriptor = descriptor;
	asker->error_number = error_number;
	if (asker->cancels) {
		client = asker->cancels->request.client;
		CU_ASSERT_PTR_NOT_NULL(client);
		broker_client_cancel(&asker->cancels->request);
		if (asker->asks_again)
			CU_ASSERT_EQUAL(
				broker_client_ask(client, &asker->request), 0);
	}
}

static void
on_accused(const char *why, void *argument)
{
	struct scene *scene = argument;

	CU_ASSERT_STRING_EQUAL(scene->accused, "");
	snprintf(scene->accused, sizeof(scene->accused), "%s", why);
}

static void
on_asked(struct channel *channel, struct message *message, void *argument)
{
	struct scene *scene = argument;
	struct buf_reader reader = message_reader(message);
	struct asked *asked = &scene->asked[scene->asked_count++];

	(void)channel;
	CU_ASSERT_FATAL(scene->asked_count <= ASKED_MAX);
	CU_ASSERT_EQUAL(message->type, MESSAGE_CONNECT);
	asked->number = buf_read_u64(&reader);
	asked->generation = buf_read_u64(&reader);
	asked->service = buf_read_u32(&reader);
	asked->address = buf_read_u32(&reader);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct scene *scene = argument;

	(void)channel;
	(void)why;
	scene->is_closed = true;
}

/* All that is under way arrives. */
static void
turn(struct scene *scene)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

static void
start(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	log_configure(NULL, 0);
	scene->base = event_base_new();
	scene->client = broker_client_new(scene->base, on_accused, scene);
}

/* A broker comes; the one before, if any, is gone. Returns the worker's end. */
static void
attach(struct scene *scene)
{
	static const struct channel_events events = {on_asked, on_closed};
	static const struct ipc_side side = {IPC_BROKER, IPC_WORKER};
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	scene->asked_count = 0;
	scene->is_closed = false;
	channel_free(scene->broker);
	scene->broker = channel_new(scene->base, ends[0], side, &events, scene);
	broker_client_attach(scene->client, ends[1]);
	turn(scene);
}

static void
finish(struct scene *scene)
{
	broker_client_free(scene->client);
	channel_free(scene->broker);
	event_base_free(scene->base);
}

static void
ask(struct scene *scene, struct asker *asker, uint32_t service)
{
	asker->request.generation = 7;
	asker->request.service = service;
	asker->request.address = 2;
	asker->request.answered = on_answered;
	CU_ASSERT_EQUAL(broker_client_ask(scene->client, &asker->request), 0);
}

static void
answer(struct scene *scene, uint64_t number, uint32_t error_number,
       int descriptor)
{
	struct message *message = message_new(MESSAGE_CONNECTED);

	buf_write_u64(&message->body, number);
	buf_write_u32(&message->body, error_number);
	if (descriptor >= 0)
		CU_ASSERT_TRUE(message_add_fd(message, descriptor));
	channel_send(scene->broker, message);
}

/* The write end of a new pipe, to be handed over; *reader tells when nobody
 * has it any more. */
static int
something(int *reader)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	*reader = ends[0];
	return ends[1];
}

static bool
is_closed_everywhere(int reader)
{
	char byte;

	return read(reader, &byte, 1) == 0;
}

static void
test_answers(void)
{
	struct scene scene;
	struct asker one = {.answers = 0}, two = {.answers = 0};
	int reader;

	start(&scene);
	attach(&scene);
	ask(&scene, &one, 3);
	ask(&scene, &two, 4);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 2);
	CU_ASSERT_EQUAL(scene.asked[0].generation, 7);
	CU_ASSERT_EQUAL(scene.asked[0].service, 3);
	CU_ASSERT_EQUAL(scene.asked[0].address, 2);
	CU_ASSERT_EQUAL(scene.asked[1].service, 4);
	CU_ASSERT_EQUAL(scene.asked[1].number, scene.asked[0].number + 1);
	answer(&scene, scene.asked[0].number, 0, something(&reader));
	answer(&scene, scene.asked[1].number, ENOENT, -1);
	turn(&scene);
	CU_ASSERT_EQUAL(one.answers, 1);
	CU_ASSERT_EQUAL(one.error_number, 0);
	CU_ASSERT_FALSE(is_closed_everywhere(reader));
	close(one.descriptor);
	CU_ASSERT_TRUE(is_closed_everywhere(reader));
	close(reader);
	CU_ASSERT_EQUAL(two.answers, 1);
	CU_ASSERT_EQUAL(two.error_number, ENOENT);
	CU_ASSERT_EQUAL(two.descriptor, -1);
	CU_ASSERT_PTR_NULL(one.request.client);
	finish(&scene);
}

/* More than the window: the others wait, and leave no trace when they are
 * given up. */
static void
test_window(void)
{
	struct asker askers[40] = {{.answers = 0}};
	struct scene scene;
	size_t window;
	int reader;

	start(&scene);
	attach(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		ask(&scene, &askers[i], (uint32_t)i);
	turn(&scene);
	window = scene.asked_count;
	CU_ASSERT_TRUE(window > 1 && window < ARRAY_SIZE(askers) - 4);
	/* One of those that are sent, one of those that wait. */
	broker_client_cancel(&askers[0].request);
	broker_client_cancel(&askers[window].request);
	broker_client_cancel(&askers[window].request);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, window);
	/* The socket that nobody wants is closed. */
	answer(&scene, scene.asked[0].number, 0, something(&reader));
	turn(&scene);
	CU_ASSERT_TRUE(is_closed_everywhere(reader));
	close(reader);
	CU_ASSERT_EQUAL(askers[0].answers, 0);
	CU_ASSERT_EQUAL(scene.asked_count, window + 1);
	CU_ASSERT_EQUAL(scene.asked[window].service, window + 1);
	for (size_t i = 1; i < ARRAY_SIZE(askers) - 1; i++) {
		CU_ASSERT_FATAL(i < scene.asked_count);
		answer(&scene, scene.asked[i].number, EAGAIN, -1);
		turn(&scene);
	}
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		CU_ASSERT_EQUAL(askers[i].answers, i != 0 && i != window);
	finish(&scene);
}

/* Who is answered may do anything. */
static void
test_in_answers(void)
{
	struct asker one = {.answers = 0}, two = {.answers = 0};
	struct scene scene;

	start(&scene);
	attach(&scene);
	one.cancels = &two;
	one.asks_again = true;
	ask(&scene, &one, 0);
	ask(&scene, &two, 1);
	turn(&scene);
	answer(&scene, scene.asked[0].number, EAGAIN, -1);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 3);
	CU_ASSERT_EQUAL(scene.asked[2].service, 0);
	one.cancels = NULL;
	answer(&scene, scene.asked[1].number, EAGAIN, -1);
	answer(&scene, scene.asked[2].number, ENOENT, -1);
	turn(&scene);
	CU_ASSERT_EQUAL(one.answers, 2);
	CU_ASSERT_EQUAL(one.error_number, ENOENT);
	CU_ASSERT_EQUAL(two.answers, 0);
	finish(&scene);
}

/* A broker that dies: its successor is asked, in the same order. */
static void
test_successor(void)
{
	struct asker askers[20] = {{.answers = 0}};
	struct scene scene;
	size_t window;

	start(&scene);
	/* Asked before there is one. */
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		ask(&scene, &askers[i], (uint32_t)i);
	broker_client_cancel(&askers[1].request);
	attach(&scene);
	window = scene.asked_count;
	CU_ASSERT_EQUAL(scene.asked[1].service, 2);
	answer(&scene, scene.asked[0].number, ENOENT, -1);
	turn(&scene);
	CU_ASSERT_EQUAL(askers[0].answers, 1);
	broker_client_cancel(&askers[3].request);
	channel_free(TAKE(scene.broker));
	turn(&scene);
	CU_ASSERT_STRING_EQUAL(scene.accused, "");
	/* None is there. */
	ask(&scene, &askers[3], 3);
	turn(&scene);
	attach(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, window);
	CU_ASSERT_EQUAL(scene.asked[0].service, 2);
	CU_ASSERT_EQUAL(scene.asked[1].service, 4);
	/* The next one comes before this one is known to be gone. */
	attach(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, window);
	CU_ASSERT_EQUAL(scene.asked[0].service, 2);
	for (size_t i = 0; i < ARRAY_SIZE(askers) - 2; i++) {
		CU_ASSERT_FATAL(i < scene.asked_count);
		answer(&scene, scene.asked[i].number, ENOENT, -1);
		turn(&scene);
	}
	CU_ASSERT_EQUAL(scene.asked[scene.asked_count - 1].service, 3);
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		CU_ASSERT_EQUAL(askers[i].answers, i != 1);
	finish(&scene);
}

/* What a broker must not say. */

enum lie {
	LIE_NUMBER,
	LIE_AGAIN,
	LIE_NO_SOCKET,
	LIE_ERROR_AND_SOCKET,
	LIE_ERROR,
	LIE_MESSAGE,
	LIE_COUNT,
};

static void
tell(struct scene *scene, enum lie lie, uint64_t number, int *reader)
{
	switch (lie) {
	case LIE_NUMBER:
		answer(scene, number + 1, 0, something(reader));
		break;
	case LIE_AGAIN:
		answer(scene, number - 1, 0, something(reader));
		break;
	case LIE_NO_SOCKET:
		answer(scene, number, 0, -1);
		break;
	case LIE_ERROR_AND_SOCKET:
		answer(scene, number, ENOENT, something(reader));
		break;
	case LIE_ERROR:
		answer(scene, number, UINT32_MAX, -1);
		break;
	case LIE_MESSAGE:
		channel_send(scene->broker, message_new(MESSAGE_CONNECTED));
		break;
	case LIE_COUNT:
		break;
	}
}

static void
test_lies(void)
{
	for (int i = 0; i < LIE_COUNT; i++) {
		struct asker one = {.answers = 0}, two = {.answers = 0};
		struct scene scene;
		int reader = -1;

		start(&scene);
		attach(&scene);
		ask(&scene, &one, 0);
		turn(&scene);
		answer(&scene, scene.asked[0].number, ENOENT, -1);
		turn(&scene);
		ask(&scene, &two, 1);
		turn(&scene);
		tell(&scene, (enum lie)i, scene.asked[1].number, &reader);
		turn(&scene);
		CU_ASSERT_STRING_NOT_EQUAL(scene.accused, "");
		CU_ASSERT_TRUE(scene.is_closed);
		CU_ASSERT_TRUE(reader < 0 || is_closed_everywhere(reader));
		CU_ASSERT_EQUAL(one.answers, 1);
		CU_ASSERT_EQUAL(two.answers, 0);
		/* The next one may be better. */
		attach(&scene);
		CU_ASSERT_EQUAL(scene.asked_count, 1);
		answer(&scene, scene.asked[0].number, ENOENT, -1);
		turn(&scene);
		CU_ASSERT_EQUAL(two.answers, 1);
		if (reader >= 0)
			close(reader);
		finish(&scene);
	}
}

/* Room for an answer is there, or nothing is asked. */
static void
test_descriptors(void)
{
	struct asker one = {.answers = 0}, two = {.answers = 0};
	struct rlimit before, limit;
	int taken[256], reader, given;
	struct scene scene;
	size_t count = 0;

	start(&scene);
	attach(&scene);
	given = something(&reader);
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = ARRAY_SIZE(taken);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ask(&scene, &one, 0);
	while ((taken[count] = dup(STDERR_FILENO)) >= 0)
		count++;
	two.request = one.request;
	two.request.client = NULL;
	CU_ASSERT_EQUAL(broker_client_ask(scene.client, &two.request), EMFILE);
	turn(&scene);
	CU_ASSERT_EQUAL(scene.asked_count, 1);
	answer(&scene, scene.asked[0].number, 0, given);
	CU_ASSERT_TRUE((taken[count] = dup(STDERR_FILENO)) >= 0);
	count++;
	turn(&scene);
	CU_ASSERT_EQUAL(one.answers, 1);
	CU_ASSERT_TRUE(one.descriptor >= 0);
	CU_ASSERT_STRING_EQUAL(scene.accused, "");
	/* One that had to wait is told when its turn comes. */
	channel_free(TAKE(scene.broker));
	turn(&scene);
	CU_ASSERT_EQUAL(broker_client_ask(scene.client, &two.request), 0);
	while ((taken[count] = dup(STDERR_FILENO)) >= 0)
		count++;
	close(taken[--count]);
	close(taken[--count]);
	attach(&scene);
	CU_ASSERT_EQUAL(two.answers, 1);
	CU_ASSERT_EQUAL(two.error_number, EMFILE);
	CU_ASSERT_EQUAL(two.descriptor, -1);
	while (count > 0)
		close(taken[--count]);
	setrlimit(RLIMIT_NOFILE, &before);
	close(one.descriptor);
	close(reader);
	finish(&scene);
}

UNIT_SUITE(broker_client, {"answers", test_answers}, {"window", test_window},
	   {"in_answers", test_in_answers}, {"successor", test_successor},
	   {"lies", test_lies}, {"descriptors", test_descriptors});
