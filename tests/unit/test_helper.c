/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper as a process of its own, as the monitor starts it: the test is
 * its monitor and its workers.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/resolution.h"
#include "daemon/helper/helper.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"
#include "daemon/process/sandbox.h"
#include "tests/lib/sandbox_message.h"
#include "tests/lib/wait_for.h"
#include "tests/unit/unit.h"

struct worker {
	struct channel *channel;
	unsigned int told;
	struct resolution last;
	bool is_closed;
};

struct scene {
	struct event_base *base;
	pid_t helper;
	struct channel *channel;
	struct generation_sender *sender;
	enum message_type answer; /* READY, FAILED or LIVE, the last one */
	bool is_closed;
	struct worker workers[2];
};

static void
on_answer(struct channel *channel, struct message *message, void *argument)
{
	struct scene *scene = argument;
	struct buf_reader reader = message_reader(message);

	(void)channel;
	if (message->type != MESSAGE_ITEMS_ACK) {
		scene->answer = message->type;
		return;
	}
	CU_ASSERT_EQUAL(generation_sender_acknowledged(
				scene->sender, buf_read_u64(&reader), NULL),
			0);
}

static void
on_helper_closed(struct channel *channel, const char *why, void *argument)
{
	struct scene *scene = argument;

	(void)channel;
	(void)why;
	scene->is_closed = true;
}

static void
on_addresses(struct channel *channel, struct message *message, void *argument)
{
	struct worker *worker = argument;
	struct buf_reader reader = message_reader(message);

	(void)channel;
	CU_ASSERT_EQUAL(message->type, MESSAGE_ADDRESSES);
	CU_ASSERT_EQUAL(resolution_decode(&reader, &worker->last), 0);
	worker->told++;
}

static void
on_worker_closed(struct channel *channel, const char *why, void *argument)
{
	struct worker *worker = argument;

	(void)channel;
	(void)why;
	worker->is_closed = true;
}

static void
run_helper(int descriptor)
{
	/* As the monitor does: the channel is 3 and nothing else is open. */
	if (dup2(descriptor, 3) == 3)
		_exit(helper_main(0));
	_exit(127);
}

static void
send_number(struct channel *channel, enum message_type type, uint64_t number)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, number);
	channel_send(channel, message);
}

static void
scene_start(struct scene *scene)
{
	static const struct channel_events events = {on_answer,
						     on_helper_closed};
	static const struct ipc_side side = {IPC_MONITOR, IPC_HELPER};
	const struct sandbox_options options = sandbox_options_harmless();
	int ends[2];

	memset(scene, 0, sizeof(*scene));
	log_configure(NULL, 0);
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	scene->helper = fork();
	CU_ASSERT_FATAL(scene->helper >= 0);
	if (scene->helper == 0)
		run_helper(ends[1]);
	close(ends[1]);
	scene->base = event_base_new();
	scene->channel =
		channel_new(scene->base, ends[0], side, &events, scene);
	channel_send(scene->channel, log_message_new(NULL, 0));
	channel_send(scene->channel, sandbox_message_new(&options));
}

static int
scene_finish(struct scene *scene)
{
	int status = -1;

	generation_sender_free(scene->sender);
	channel_free(scene->channel);
	for (size_t i = 0; i < ARRAY_SIZE(scene->workers); i++)
		channel_free(scene->workers[i].channel);
	event_base_free(scene->base);
	CU_ASSERT_EQUAL(waitpid(scene->helper, &status, 0), scene->helper);
	return status;
}

/* Prepare a generation with one service that connects to this host, and wait
 * for the answer. */
static void
prepare(struct scene *scene, uint64_t number, const char *global,
	const char *host)
{
	struct generation generation = {.number = number,
					.files = file_set_new()};
	struct generation_share share = {0};
	struct generation_parcel *parcel;
	AUTO_FREE char *text =
		mem_format("global: {%s}\n"
			   "services:\n"
			   "  one: {accept: 127.0.0.1:1, connect: \"%s:80\"}\n",
			   global, host);

	conf_documents_add(&generation.documents, "test.yaml", text,
			   strlen(text));
	parcel = generation_parcel_new(&generation, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(parcel);
	generation_sender_free(scene->sender);
	scene->answer = MESSAGE_HELLO;
	scene->sender = generation_sender_new(scene->channel, parcel, &share);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->sender);
	WAIT_FOR(scene, scene->answer != MESSAGE_HELLO);
	generation_sender_free(TAKE(scene->sender));
	generation_parcel_free(parcel);
	conf_documents_clear(&generation.documents);
	file_set_free(generation.files);
}

static void
commit(struct scene *scene, uint64_t number)
{
	CU_ASSERT_EQUAL_FATAL(scene->answer, MESSAGE_READY);
	send_number(scene->channel, MESSAGE_COMMIT, number);
	WAIT_FOR(scene, scene->answer == MESSAGE_LIVE);
}

static struct worker *
add_worker(struct scene *scene, uint32_t number)
{
	static const struct channel_events events = {on_addresses,
						     on_worker_closed};
	static const struct ipc_side side = {IPC_WORKER, IPC_HELPER};
	struct worker *worker = &scene->workers[number];
	struct message *message = message_new(MESSAGE_PEER);
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	buf_write_u8(&message->body, IPC_WORKER);
	buf_write_u32(&message->body, number);
	CU_ASSERT_TRUE(message_add_fd(message, ends[1]));
	channel_send(scene->channel, message);
	worker->channel =
		channel_new(scene->base, ends[0], side, &events, worker);
	return worker;
}

static void
test_tells_workers(void)
{
	struct scene scene;
	struct worker *one, *other;
	int status;

	scene_start(&scene);
	/* One that is there before anything is known, one that comes after. */
	one = add_worker(&scene, 0);
	prepare(&scene, 1, "", "localhost");
	commit(&scene, 1);
	WAIT_FOR(&scene, one->told == 1);
	CU_ASSERT_STRING_EQUAL(one->last.host, "localhost");
	CU_ASSERT_TRUE(one->last.count > 0);
	other = add_worker(&scene, 1);
	WAIT_FOR(&scene, other->told == 1);
	CU_ASSERT_STRING_EQUAL(other->last.host, "localhost");

	/* One goes; the other is told of the next generation's name, which
	 * nobody can resolve. */
	channel_free(TAKE(one->channel));
	prepare(&scene, 2, "resolver: {servers: \"127.0.0.1:1\"}",
		"backend.invalid");
	commit(&scene, 2);
	WAIT_FOR(&scene, other->told == 2);
	CU_ASSERT_STRING_EQUAL(other->last.host, "backend.invalid");
	CU_ASSERT_EQUAL(other->last.count, 0);
	CU_ASSERT_STRING_NOT_EQUAL(other->last.error, "");

	send_number(scene.channel, MESSAGE_DRAIN, 30000);
	WAIT_FOR(&scene, scene.is_closed && other->is_closed);
	status = scene_finish(&scene);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
test_abort(void)
{
	struct scene scene;
	struct worker *worker;
	int status;

	scene_start(&scene);
	worker = add_worker(&scene, 0);
	prepare(&scene, 1, "", "gone.invalid");
	CU_ASSERT_EQUAL(scene.answer, MESSAGE_READY);
	send_number(scene.channel, MESSAGE_ABORT, 1);
	prepare(&scene, 2, "", "localhost");
	commit(&scene, 2);
	WAIT_FOR(&scene, worker->told == 1);
	CU_ASSERT_STRING_EQUAL(worker->last.host, "localhost");
	/* Without its monitor it ends. */
	channel_free(TAKE(scene.channel));
	WAIT_FOR(&scene, worker->is_closed);
	status = scene_finish(&scene);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

UNIT_SUITE(helper, {"tells_workers", test_tells_workers},
	   {"abort", test_abort});
