/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels over a socket pair: what arrives, what is refused, what waits.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/log.h"
#include "daemon/process/channel.h"

/* One end of a channel under test. */
struct end {
	struct channel *channel;
	unsigned int messages;
	enum message_type type; /* of the last one */
	uint64_t number;
	int descriptor; /* that it brought */
	unsigned int closed;
	char why[128];
	bool is_freed_by_message;
};

/* The pair: a worker's end, and the monitor's as a channel or as a bare
 * socket that says what it likes. */
struct pair {
	struct event_base *base;
	struct end worker;
	struct end monitor;
	int socket; /* the monitor's, -1 with a channel */
};

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct end *end = argument;
	struct buf_reader reader = message_reader(message);

	CU_ASSERT_PTR_EQUAL(channel, end->channel);
	end->messages++;
	end->type = message->type;
	end->number = buf_read_u64(&reader);
	end->descriptor = message_take_fd(message, 0);
	if (end->is_freed_by_message) {
		channel_free(end->channel);
		end->channel = NULL;
	}
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct end *end = argument;

	CU_ASSERT_PTR_EQUAL(channel, end->channel);
	end->closed++;
	strncpy(end->why, why, sizeof(end->why) - 1);
	channel_free(channel);
	end->channel = NULL;
}

static const struct channel_events events = {.message = on_message,
					     .closed = on_closed};

static void
open_end(struct pair *pair, struct end *end, int socket, enum ipc_role self,
	 enum ipc_role other)
{
	struct ipc_side side = {.self = self, .other = other};

	memset(end, 0, sizeof(*end));
	end->channel = channel_new(pair->base, socket, side, &events, end);
}

static void
open_pair(struct pair *pair, bool is_bare)
{
	int sockets[2];

	/* A broken channel is logged, which is not what is tested here. */
	log_configure(NULL, 0);
	memset(pair, 0, sizeof(*pair));
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets),
		0);
	pair->base = event_base_new();
	open_end(pair, &pair->worker, sockets[0], IPC_WORKER, IPC_MONITOR);
	pair->socket = sockets[1];
	if (is_bare)
		return;
	open_end(pair, &pair->monitor, sockets[1], IPC_MONITOR, IPC_WORKER);
	pair->socket = -1;
}

static void
turn(struct pair *pair)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
}

static void
close_pair(struct pair *pair)
{
	static const struct log_sink standard_error = {
		.descriptor = STDERR_FILENO,
		.level = LOG_LEVEL_INFO,
		.is_for_events = true,
	};

	log_configure(&standard_error, 1);
	channel_free(pair->worker.channel);
	channel_free(pair->monitor.channel);
	if (pair->socket >= 0)
		close(pair->socket);
	event_base_free(pair->base);
}

static struct message *
numbered(enum message_type type, uint64_t number)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, number);
	return message;
}

/* A packet by hand: the bytes as they are. */
static void
say(struct pair *pair, const void *bytes, size_t length)
{
	CU_ASSERT_EQUAL(send(pair->socket, bytes, length, MSG_NOSIGNAL),
			(ssize_t)length);
}

#define HELLO "\0\1\0\0\0\1"

static void
say_hello(struct pair *pair)
{
	say(pair, HELLO, 6);
}

/* The worker's end has hung up once, for a reason that contains this. */
static void
expect_end(struct pair *pair, const char *why)
{
	turn(pair);
	CU_ASSERT_EQUAL(pair->worker.closed, 1);
	if (!strstr(pair->worker.why, why))
		fprintf(stderr, "closed for: %s\n", pair->worker.why);
	CU_ASSERT_PTR_NOT_NULL(strstr(pair->worker.why, why));
	close_pair(pair);
}

static void
test_there_and_back(void)
{
	struct pair pair;

	open_pair(&pair, false);
	channel_send(pair.monitor.channel, numbered(MESSAGE_BUILD, 5));
	channel_send(pair.worker.channel, numbered(MESSAGE_LIVE, 6));
	turn(&pair);
	CU_ASSERT_EQUAL(pair.worker.messages, 1);
	CU_ASSERT_EQUAL(pair.worker.type, MESSAGE_BUILD);
	CU_ASSERT_EQUAL(pair.worker.number, 5);
	CU_ASSERT_EQUAL(pair.monitor.type, MESSAGE_LIVE);
	CU_ASSERT_EQUAL(pair.monitor.number, 6);
	CU_ASSERT_EQUAL(channel_backlog(pair.monitor.channel), 0);
	CU_ASSERT_EQUAL(pair.worker.closed + pair.monitor.closed, 0);
	close_pair(&pair);
}

static void
test_descriptors(void)
{
	struct message *message = numbered(MESSAGE_ITEMS, 1);
	struct pair pair;
	int pipes[2];
	char byte = 0;

	open_pair(&pair, false);
	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
	/* The second one is not taken by the receiver. */
	CU_ASSERT_TRUE(message_add_fd(message, dup(pipes[1])));
	CU_ASSERT_TRUE(message_add_fd(message, pipes[1]));
	channel_send(pair.monitor.channel, message);
	turn(&pair);
	CU_ASSERT_TRUE_FATAL(pair.worker.descriptor >= 0);
	CU_ASSERT_EQUAL(fcntl(pair.worker.descriptor, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(write(pair.worker.descriptor, "x", 1), 1);
	close(pair.worker.descriptor);
	CU_ASSERT_EQUAL(read(pipes[0], &byte, 1), 1);
	/* Nobody else holds the writing end. */
	CU_ASSERT_EQUAL(read(pipes[0], &byte, 1), 0);
	close(pipes[0]);
	close_pair(&pair);
}

static void
test_queue(void)
{
	struct pair pair;
	unsigned int sent = 0;

	open_pair(&pair, false);
	while (channel_backlog(pair.monitor.channel) < 1000) {
		channel_send(pair.monitor.channel,
			     numbered(MESSAGE_BUILD, ++sent));
		CU_ASSERT_TRUE_FATAL(sent < 100000);
	}
	while (pair.worker.messages < sent) {
		unsigned int before = pair.worker.messages;

		turn(&pair);
		CU_ASSERT_TRUE_FATAL(pair.worker.messages > before);
	}
	CU_ASSERT_EQUAL(pair.worker.number, sent);
	CU_ASSERT_EQUAL(channel_backlog(pair.monitor.channel), 0);
	close_pair(&pair);
}

static void
test_largest(void)
{
	static const unsigned char zeros[MESSAGE_BODY_MAX];
	struct message *message = message_new(MESSAGE_ITEMS);
	struct pair pair;

	open_pair(&pair, false);
	buf_write_bytes(&message->body, zeros, sizeof(zeros));
	for (int i = 0; i < MESSAGE_FDS_MAX; i++)
		CU_ASSERT_TRUE(message_add_fd(message, dup(2)));
	channel_send(pair.monitor.channel, message);
	turn(&pair);
	CU_ASSERT_EQUAL(pair.worker.messages, 1);
	close(pair.worker.descriptor);
	close_pair(&pair);
}

static void
test_freed_in_callback(void)
{
	struct pair pair;

	open_pair(&pair, false);
	pair.worker.is_freed_by_message = true;
	channel_send(pair.monitor.channel, numbered(MESSAGE_BUILD, 1));
	channel_send(pair.monitor.channel, numbered(MESSAGE_BUILD, 2));
	turn(&pair);
	CU_ASSERT_EQUAL(pair.worker.messages, 1);
	CU_ASSERT_EQUAL(pair.worker.closed, 0);
	CU_ASSERT_EQUAL(pair.monitor.closed, 1);
	close_pair(&pair);
}

/* What was said before the end is heard, whatever the end did not read. */
static void
test_last_words(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say(&pair, "\0\4\0\0\0\0\0\0\0\7", 10);
	channel_send(pair.worker.channel, numbered(MESSAGE_LIVE, 1));
	close(pair.socket);
	pair.socket = -1;
	channel_send(pair.worker.channel, numbered(MESSAGE_LIVE, 1));
	CU_ASSERT_EQUAL(pair.worker.closed, 0);
	turn(&pair);
	CU_ASSERT_EQUAL(pair.worker.messages, 1);
	CU_ASSERT_EQUAL(pair.worker.number, 7);
	expect_end(&pair, "gone");
}

static void
test_dead(void)
{
	struct message *message = numbered(MESSAGE_ITEMS, 1);
	struct pair pair;
	int descriptor = dup(2);

	open_pair(&pair, true);
	close(pair.socket);
	pair.socket = -1;
	channel_send(pair.worker.channel, numbered(MESSAGE_LIVE, 1));
	CU_ASSERT_TRUE(message_add_fd(message, descriptor));
	channel_send(pair.worker.channel, message);
	CU_ASSERT_EQUAL(fcntl(descriptor, F_GETFD), -1);
	CU_ASSERT_EQUAL(channel_backlog(pair.worker.channel), 0);
	expect_end(&pair, "gone");
}

static void
test_wrong_hello(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say(&pair, "\0\1\0\0\0\2", 6);
	expect_end(&pair, "protocol number");
}

static void
test_no_hello(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say(&pair, "\0\4\0\0\0\0\0\0\0\1", 10);
	expect_end(&pair, "no hello");
	CU_ASSERT_EQUAL(pair.worker.messages, 0);
}

static void
test_second_hello(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say_hello(&pair);
	expect_end(&pair, "second hello");
}

static void
test_short_hello(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say(&pair, HELLO, 5);
	expect_end(&pair, "wrong size");
}

static void
test_not_permitted(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	/* READY is a child's word. */
	say(&pair, "\0\13\0\0\0\0\0\0\0\1", 10);
	expect_end(&pair, "not permitted");
	CU_ASSERT_EQUAL(pair.worker.messages, 0);
}

static void
test_unknown_type(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say(&pair, "\377\377", 2);
	expect_end(&pair, "not permitted");
}

static void
test_wrong_size(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say(&pair, "\0\4\0\0\0\0\0\0\0\1\0", 11);
	expect_end(&pair, "wrong size");
}

static void
test_truncated(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say(&pair, "\0", 1);
	expect_end(&pair, "truncated");
}

static void
test_huge(void)
{
	static const unsigned char bytes[2 + MESSAGE_BODY_MAX + 1] = {0, 3};
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say(&pair, bytes, sizeof(bytes));
	expect_end(&pair, "truncated");
}

/* By hand, as the channel itself does not send what the table forbids. */
static void
say_with_descriptor(struct pair *pair, const void *bytes, size_t length)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec part = {.iov_len = length};
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control.space,
				.msg_controllen = sizeof(control.space)};
	int descriptor = 2;

	memcpy(&part.iov_base, &bytes, sizeof(bytes));
	memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
	CU_ASSERT_EQUAL(sendmsg(pair->socket, &packet, 0), (ssize_t)length);
}

static void
test_too_many_descriptors(void)
{
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say_with_descriptor(&pair, "\0\4\0\0\0\0\0\0\0\1", 10);
	expect_end(&pair, "too many descriptors");
}

/* The kernel drops a descriptor when there is no room for it here: the packet
 * is not whole. */
static void
test_lost_descriptors(void)
{
	struct rlimit before, none;
	struct pair pair;

	open_pair(&pair, true);
	say_hello(&pair);
	say_with_descriptor(&pair, "\0\3\1", 3);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	turn(&pair);
	setrlimit(RLIMIT_NOFILE, &before);
	expect_end(&pair, "lost");
}

UNIT_SUITE(channel, {"there_and_back", test_there_and_back},
	   {"descriptors", test_descriptors}, {"queue", test_queue},
	   {"largest", test_largest},
	   {"freed_in_callback", test_freed_in_callback},
	   {"last_words", test_last_words}, {"dead", test_dead},
	   {"wrong_hello", test_wrong_hello}, {"no_hello", test_no_hello},
	   {"second_hello", test_second_hello},
	   {"short_hello", test_short_hello},
	   {"not_permitted", test_not_permitted},
	   {"unknown_type", test_unknown_type}, {"wrong_size", test_wrong_size},
	   {"truncated", test_truncated}, {"huge", test_huge},
	   {"too_many_descriptors", test_too_many_descriptors},
	   {"lost_descriptors", test_lost_descriptors});
