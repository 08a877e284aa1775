/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The broker as a process of its own, as the monitor starts it: the test is
 * its monitor, its workers and the backends.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/broker/broker.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"
#include "daemon/process/sandbox.h"
#include "tests/lib/sandbox_message.h"
#include "tests/lib/wait_for.h"
#include "tests/unit/unit.h"

/* What configurations of the test name. */
enum {
	SERVICE_PATH,  /* the path's listener, then nobody's path */
	SERVICE_NAME,  /* TCP, then the abstract listener */
	SERVICE_TCP,   /* nothing of the broker's */
	SERVICE_COUNT, /* none */
};

struct worker {
	struct channel *channel;
	unsigned int answers;
	uint64_t number; /* of the last answer */
	uint32_t error_number;
	int descriptor; /* the caller's; -1: none came */
	bool is_closed;
};

struct scene {
	char directory[64];
	int by_path;
	int by_name;
	struct event_base *base;
	pid_t broker;
	struct channel *channel;
	struct generation_sender *sender;
	enum message_type answer; /* READY, FAILED or LIVE, the last one */
	uint32_t accused;         /* a worker's number */
	char why[256];            /* "": nobody is accused */
	bool is_closed;
	struct worker workers[2];
};

/* The monitor. */

static void
read_why(struct scene *scene, struct buf_reader *reader)
{
	AUTO_FREE char *why = buf_read_string(reader);

	CU_ASSERT_PTR_NOT_NULL_FATAL(why);
	snprintf(scene->why, sizeof(scene->why), "%s", why);
}

static void
on_answer(struct channel *channel, struct message *message, void *argument)
{
	struct scene *scene = argument;
	struct buf_reader reader = message_reader(message);

	(void)channel;
	switch ((unsigned int)message->type) {
	case MESSAGE_ITEMS_ACK:
		CU_ASSERT_EQUAL(
			generation_sender_acknowledged(
				scene->sender, buf_read_u64(&reader), NULL),
			0);
		break;
	case MESSAGE_ACCUSE:
		CU_ASSERT_EQUAL(buf_read_u8(&reader), IPC_WORKER);
		scene->accused = buf_read_u32(&reader);
		read_why(scene, &reader);
		break;
	default:
		scene->answer = message->type;
	}
}

static void
on_broker_closed(struct channel *channel, const char *why, void *argument)
{
	struct scene *scene = argument;

	(void)channel;
	(void)why;
	scene->is_closed = true;
}

/* A worker. */

static void
on_connected(struct channel *channel, struct message *message, void *argument)
{
	struct worker *worker = argument;
	struct buf_reader reader = message_reader(message);

	(void)channel;
	CU_ASSERT_EQUAL(message->type, MESSAGE_CONNECTED);
	worker->number = buf_read_u64(&reader);
	worker->error_number = buf_read_u32(&reader);
	worker->descriptor = message_take_fd(message, 0);
	CU_ASSERT_EQUAL(worker->error_number == 0, worker->descriptor >= 0);
	worker->answers++;
}

static void
on_worker_closed(struct channel *channel, const char *why, void *argument)
{
	struct worker *worker = argument;

	(void)channel;
	(void)why;
	worker->is_closed = true;
}

/* The stage. */

static int
listen_at(struct sockaddr_un *address, socklen_t length)
{
	int listening =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(
		bind(listening, (struct sockaddr *)address, length), 0);
	CU_ASSERT_EQUAL(listen(listening, 4096), 0);
	return listening;
}

static void
open_backends(struct scene *scene)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int length;

	snprintf(scene->directory, sizeof(scene->directory),
		 "/tmp/sealock-broker-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(scene->directory));
	/* The broker is not who made it. */
	CU_ASSERT_EQUAL(chmod(scene->directory, 0755), 0);
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/backend",
		 scene->directory);
	scene->by_path = listen_at(&path, sizeof(path));
	CU_ASSERT_EQUAL(chmod(path.sun_path, 0777), 0);
	/* An abstract name is all of its bytes. */
	length = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "%s",
			  scene->directory + 1);
	scene->by_name = listen_at(
		&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				   (size_t)length));
}

static void
close_backends(struct scene *scene)
{
	AUTO_FREE char *path = mem_format("%s/backend", scene->directory);

	close(scene->by_path);
	close(scene->by_name);
	(void)unlink(path);
	CU_ASSERT_EQUAL(rmdir(scene->directory), 0);
}

/* As the monitor does: the channel is 3 and nothing else is open. */
static void
run_broker(int descriptor, rlim_t files)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = files;
	if (dup2(descriptor, 3) == 3 && close_range(4, ~0U, 0) == 0 &&
	    setrlimit(RLIMIT_NOFILE, &limit) == 0)
		_exit(broker_main(0));
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
scene_start(struct scene *scene, rlim_t files)
{
	static const struct channel_events events = {on_answer,
						     on_broker_closed};
	static const struct ipc_side side = {IPC_MONITOR, IPC_BROKER};
	const struct sandbox_options options = sandbox_options_harmless();
	int ends[2];

	memset(scene, 0, sizeof(*scene));
	log_configure(NULL, 0);
	open_backends(scene);
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	scene->broker = fork();
	CU_ASSERT_FATAL(scene->broker >= 0);
	if (scene->broker == 0)
		run_broker(ends[1], files);
	close(ends[1]);
	scene->base = event_base_new();
	scene->channel =
		channel_new(scene->base, ends[0], side, &events, scene);
	channel_send(scene->channel, log_message_new(NULL, 0));
	channel_send(scene->channel, sandbox_message_new(&options));
}

/* The broker ends as it is told to. */
static void
scene_finish(struct scene *scene)
{
	int status = -1;

	send_number(scene->channel, MESSAGE_DRAIN, 30000);
	WAIT_FOR(scene, scene->is_closed);
	generation_sender_free(scene->sender);
	channel_free(scene->channel);
	for (size_t i = 0; i < ARRAY_SIZE(scene->workers); i++)
		channel_free(scene->workers[i].channel);
	event_base_free(scene->base);
	CU_ASSERT_EQUAL(waitpid(scene->broker, &status, 0), scene->broker);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close_backends(scene);
}

/* Prepare a generation and wait for the answer. With a reduced one, the first
 * service is all there is. */
static void
prepare(struct scene *scene, uint64_t number, bool is_reduced)
{
	struct generation generation = {.number = number,
					.files = file_set_new()};
	struct generation_share share = {0};
	struct generation_parcel *parcel;
	AUTO_FREE char *text = mem_format(
		"services:\n"
		"  path:\n"
		"    accept: 127.0.0.1:1\n"
		"    connect: {address: ['unix:%s/backend', 'unix:%s/none']}\n"
		"%s",
		scene->directory, scene->directory,
		is_reduced ? "" : "  name:\n");
	AUTO_FREE char *more = mem_format(
		"%s    accept: 127.0.0.1:2\n"
		"    connect: {address: ['127.0.0.1:1', 'unix:@%s']}\n"
		"  tcp: {accept: '127.0.0.1:3', connect: '127.0.0.1:1'}\n",
		text, scene->directory + 1);
	const char *document = is_reduced ? text : more;

	conf_documents_add(&generation.documents, "test.yaml", document,
			   strlen(document));
	parcel = generation_parcel_new(&generation, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(parcel);
	generation_sender_free(scene->sender);
	scene->answer = MESSAGE_HELLO;
	scene->sender = generation_sender_new(scene->channel, parcel, &share);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->sender);
	WAIT_FOR(scene, scene->answer != MESSAGE_HELLO);
	CU_ASSERT_EQUAL_FATAL(scene->answer, MESSAGE_READY);
	generation_sender_free(TAKE(scene->sender));
	generation_parcel_free(parcel);
	conf_documents_clear(&generation.documents);
	file_set_free(generation.files);
}

static void
commit(struct scene *scene, uint64_t number)
{
	send_number(scene->channel, MESSAGE_COMMIT, number);
	WAIT_FOR(scene, scene->answer == MESSAGE_LIVE);
}

static struct worker *
add_worker(struct scene *scene, uint32_t number)
{
	static const struct channel_events events = {on_connected,
						     on_worker_closed};
	static const struct ipc_side side = {IPC_WORKER, IPC_BROKER};
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

/* A worker that says what it likes: its end of the channel. */
static int
add_liar(struct scene *scene, uint32_t number)
{
	static const unsigned char hello[] = {0, MESSAGE_HELLO, 0, 0,
					      0, IPC_PROTOCOL};
	struct message *message = message_new(MESSAGE_PEER);
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	buf_write_u8(&message->body, IPC_WORKER);
	buf_write_u32(&message->body, number);
	CU_ASSERT_TRUE(message_add_fd(message, ends[1]));
	channel_send(scene->channel, message);
	CU_ASSERT_EQUAL(send(ends[0], hello, sizeof(hello), MSG_NOSIGNAL),
			sizeof(hello));
	scene->why[0] = '\0';
	return ends[0];
}

static void
ask(struct worker *worker, uint64_t number, uint64_t generation,
    uint32_t service, uint32_t address)
{
	struct message *message = message_new(MESSAGE_CONNECT);

	buf_write_u64(&message->body, number);
	buf_write_u64(&message->body, generation);
	buf_write_u32(&message->body, service);
	buf_write_u32(&message->body, address);
	channel_send(worker->channel, message);
}

/* Ask and wait; what came is in the worker. */
static uint32_t
ask_once(struct scene *scene, struct worker *worker, uint64_t generation,
	 uint32_t service, uint32_t address)
{
	unsigned int answers = worker->answers;

	ask(worker, 70 + answers, generation, service, address);
	WAIT_FOR(scene, worker->answers > answers);
	CU_ASSERT_EQUAL(worker->answers, answers + 1);
	CU_ASSERT_EQUAL(worker->number, 70 + answers);
	return worker->error_number;
}

/* What was handed over leads to this listener, and is fit for a worker's loop.
 */
static void
check_socket(int client, int listening)
{
	int served = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	char byte = 0;

	CU_ASSERT_FATAL(client >= 0 && served >= 0);
	CU_ASSERT_TRUE(fcntl(client, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_TRUE(fcntl(client, F_GETFD) & FD_CLOEXEC);
	CU_ASSERT_EQUAL(send(client, "x", 1, 0), 1);
	CU_ASSERT_EQUAL(recv(served, &byte, 1, 0), 1);
	CU_ASSERT_EQUAL(byte, 'x');
	/* Nobody else holds it. */
	close(client);
	CU_ASSERT_EQUAL(recv(served, &byte, 1, 0), 0);
	close(served);
}

/* The tests. */

static void
test_connects(void)
{
	struct scene scene;
	struct worker *worker;

	scene_start(&scene, 1024);
	worker = add_worker(&scene, 0);
	/* Asked before there is anything: to be asked again. */
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0), EAGAIN);
	prepare(&scene, 1, false);
	/* Another worker may have committed already. */
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0), 0);
	check_socket(worker->descriptor, scene.by_path);
	commit(&scene, 1);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0), 0);
	check_socket(worker->descriptor, scene.by_path);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_NAME, 1), 0);
	check_socket(worker->descriptor, scene.by_name);
	scene_finish(&scene);
}

static void
test_refuses(void)
{
	static const struct {
		uint64_t generation;
		uint32_t service, address;
		uint32_t error_number;
	} cases[] = {
		{5, SERVICE_PATH, 1, ENOENT},
		{5, SERVICE_PATH, 2, EACCES},
		{5, SERVICE_PATH, UINT32_MAX, EACCES},
		{5, SERVICE_NAME, 0, EACCES}, /* not the broker's business */
		{5, SERVICE_TCP, 0, EACCES},
		{5, SERVICE_COUNT, 0, EACCES},
		{5, UINT32_MAX, UINT32_MAX, EACCES},
		{4, SERVICE_PATH, 0, ESTALE},
		{0, SERVICE_PATH, 0, ESTALE},
		{6, SERVICE_PATH, 0, EAGAIN}, /* it may come */
	};
	struct scene scene;
	struct worker *worker;

	scene_start(&scene, 1024);
	worker = add_worker(&scene, 1);
	prepare(&scene, 5, false);
	commit(&scene, 5);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CU_ASSERT_EQUAL(ask_once(&scene, worker, cases[i].generation,
					 cases[i].service, cases[i].address),
				cases[i].error_number);
	CU_ASSERT_STRING_EQUAL(scene.why, "");
	/* What connect(2) says: nobody accepts any more, nothing is there. */
	close(scene.by_path);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 5, SERVICE_PATH, 0),
			ECONNREFUSED);
	scene.by_path = open("/dev/null", O_RDONLY | O_CLOEXEC);
	scene_finish(&scene);
}

/* A queue that is full is told, not waited for. */
static void
test_full(void)
{
	struct scene scene;
	struct worker *worker;
	uint32_t error_number = 0;
	int taken[64];
	size_t count = 0;

	scene_start(&scene, 1024);
	worker = add_worker(&scene, 0);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	CU_ASSERT_EQUAL(listen(scene.by_path, 2), 0);
	while (error_number == 0 && count < ARRAY_SIZE(taken)) {
		error_number = ask_once(&scene, worker, 1, SERVICE_PATH, 0);
		if (error_number == 0)
			taken[count++] = worker->descriptor;
	}
	CU_ASSERT_EQUAL(error_number, EAGAIN);
	check_socket(taken[0], scene.by_path);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0), 0);
	close(worker->descriptor);
	while (count > 1)
		close(taken[--count]);
	scene_finish(&scene);
}

static void
test_generations(void)
{
	struct scene scene;
	struct worker *worker;

	scene_start(&scene, 1024);
	worker = add_worker(&scene, 0);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	/* One that was given up is as if it had never been. */
	prepare(&scene, 2, true);
	send_number(scene.channel, MESSAGE_ABORT, 2);
	prepare(&scene, 3, true);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 2, SERVICE_PATH, 0), ESTALE);
	commit(&scene, 3);
	/* Each is asked for what it names. */
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 3, SERVICE_NAME, 1), EACCES);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_NAME, 1), 0);
	check_socket(worker->descriptor, scene.by_name);
	send_number(scene.channel, MESSAGE_RELEASE, 1);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 1), ENOENT);
	/* With the last worker that used it, it goes; one that is prepared
	 * stays, whatever is said. */
	prepare(&scene, 4, false);
	send_number(scene.channel, MESSAGE_RELEASE, 9);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0), ESTALE);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 3, SERVICE_PATH, 0), ESTALE);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 4, SERVICE_PATH, 1), ENOENT);
	commit(&scene, 4);
	scene_finish(&scene);
}

/* Who breaks the rules is cut off and named; the others go on. */
static void
test_rules(void)
{
	static const struct {
		unsigned int type;
		size_t length;
	} cases[] = {
		{MESSAGE_CONNECT, 0},
		{MESSAGE_CONNECT, 23},
		{MESSAGE_CONNECT, 25},
		{MESSAGE_SIGN, 50},
		{MESSAGE_CONNECTED, 12},
		{MESSAGE_HELLO, 4},
		{MESSAGE_RELEASE, 8},
		{MESSAGE_TYPE_COUNT, 8},
		{0xffff, 24},
		{0, 0},
	};
	struct scene scene;
	struct worker *good, *other;

	scene_start(&scene, 1024);
	good = add_worker(&scene, 0);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char packet[64] = {(unsigned char)(cases[i].type >> 8),
					    (unsigned char)cases[i].type};
		int liar = add_liar(&scene, 1);

		CU_ASSERT_TRUE(send(liar, packet, 2 + cases[i].length, 0) > 0);
		WAIT_FOR(&scene, scene.why[0] != '\0');
		CU_ASSERT_EQUAL(scene.accused, 1);
		close(liar);
		CU_ASSERT_EQUAL(ask_once(&scene, good, 1, SERVICE_PATH, 1),
				ENOENT);
	}
	/* One that just ends is not named. */
	scene.why[0] = '\0';
	close(add_liar(&scene, 1));
	other = add_worker(&scene, 1);
	CU_ASSERT_EQUAL(ask_once(&scene, other, 1, SERVICE_PATH, 1), ENOENT);
	CU_ASSERT_STRING_EQUAL(scene.why, "");
	scene_finish(&scene);
}

/* A worker with that number comes: the one before is gone. */
static void
test_followed(void)
{
	struct scene scene;
	struct worker before;

	scene_start(&scene, 1024);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	before = *add_worker(&scene, 0);
	(void)ask_once(&scene, &scene.workers[0], 1, SERVICE_PATH, 1);
	add_worker(&scene, 0);
	(void)ask_once(&scene, &scene.workers[0], 1, SERVICE_PATH, 1);
	WAIT_FOR(&scene, scene.workers[0].is_closed);
	CU_ASSERT_STRING_EQUAL(scene.why, "");
	channel_free(before.channel);
	scene_finish(&scene);
}

/* Answers that are not taken end the worker, not the broker. */
static void
test_not_taken(void)
{
	/* The first address of generation 1. */
	unsigned char packet[26] = {0, MESSAGE_CONNECT, [17] = 1};
	struct scene scene;
	struct worker *good;
	int liar;

	scene_start(&scene, 1024);
	good = add_worker(&scene, 0);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	liar = add_liar(&scene, 1);
	for (unsigned int sent = 0; scene.why[0] == '\0';) {
		CU_ASSERT_FATAL(sent < 20000);
		if (send(liar, packet, sizeof(packet),
			 MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			sent++;
		else if (errno == EPIPE || errno == ECONNRESET)
			WAIT_FOR(&scene, scene.why[0] != '\0');
		else
			event_base_loop(scene.base, EVLOOP_NONBLOCK);
	}
	CU_ASSERT_EQUAL(scene.accused, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(scene.why, "does not take"));
	close(liar);
	CU_ASSERT_EQUAL(ask_once(&scene, good, 1, SERVICE_PATH, 1), ENOENT);
	scene_finish(&scene);
}

static unsigned int
count_descriptors(pid_t pid)
{
	AUTO_FREE char *path = mem_format("/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	unsigned int count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* It keeps none of the sockets, nor of those that could not be connected. */
static void
test_descriptors(void)
{
	struct scene scene;
	struct worker *worker;
	unsigned int before;

	scene_start(&scene, 1024);
	worker = add_worker(&scene, 0);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	(void)ask_once(&scene, worker, 1, SERVICE_PATH, 1);
	before = count_descriptors(scene.broker);
	for (int i = 0; i < 200; i++) {
		CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0),
				0);
		close(worker->descriptor);
		close(accept4(scene.by_path, NULL, NULL, SOCK_CLOEXEC));
		CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 1),
				ENOENT);
		CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_TCP, 0),
				EACCES);
	}
	CU_ASSERT_EQUAL(count_descriptors(scene.broker), before);
	scene_finish(&scene);
}

/* Without any left it says so. */
static void
test_no_descriptors(void)
{
	struct scene scene;
	struct worker *worker;

	scene_start(&scene, 14);
	worker = add_worker(&scene, 0);
	prepare(&scene, 1, false);
	commit(&scene, 1);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 0), EMFILE);
	CU_ASSERT_EQUAL(ask_once(&scene, worker, 1, SERVICE_PATH, 1), EMFILE);
	scene_finish(&scene);
}

UNIT_SUITE(broker, {"connects", test_connects}, {"refuses", test_refuses},
	   {"full", test_full}, {"generations", test_generations},
	   {"rules", test_rules}, {"followed", test_followed},
	   {"not_taken", test_not_taken}, {"descriptors", test_descriptors},
	   {"no_descriptors", test_no_descriptors});
