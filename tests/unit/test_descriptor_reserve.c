/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Room for descriptors when all others are taken.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "daemon/process/channel.h"
#include "daemon/process/descriptor_reserve.h"

#define LIMIT 200

/* A process that may have few descriptors, and takes them all. */
struct crowd {
	struct rlimit before;
	int taken[LIMIT];
	size_t count;
};

static void
crowd_limit(struct crowd *crowd)
{
	struct rlimit limit;

	crowd->count = 0;
	getrlimit(RLIMIT_NOFILE, &crowd->before);
	limit = crowd->before;
	limit.rlim_cur = LIMIT;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Returns how many there were. */
static size_t
crowd_fill(struct crowd *crowd)
{
	size_t before = crowd->count;
	int descriptor;

	while ((descriptor = dup(STDERR_FILENO)) >= 0)
		crowd->taken[crowd->count++] = descriptor;
	return crowd->count - before;
}

static void
crowd_end(struct crowd *crowd)
{
	while (crowd->count > 0)
		close(crowd->taken[--crowd->count]);
	setrlimit(RLIMIT_NOFILE, &crowd->before);
}

static void
test_floor(void)
{
	struct descriptor_reserve *reserve;
	struct crowd crowd;
	int one;

	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(5);
	crowd_fill(&crowd);
	descriptor_reserve_lend(reserve, LIMIT);
	one = dup(STDERR_FILENO);
	CU_ASSERT_TRUE(one >= 0);
	descriptor_reserve_restore(reserve, 1);
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 0);
	close(one);
	/* The floor comes back as soon as there is room. */
	descriptor_reserve_restore(reserve, 0);
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 0);
	descriptor_reserve_lend(reserve, LIMIT);
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 5);
	descriptor_reserve_free(reserve);
	descriptor_reserve_free(NULL);
	crowd_end(&crowd);
}

static void
test_expected(void)
{
	struct descriptor_reserve *reserve;
	struct crowd crowd;
	int arrived[20];

	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(3);
	CU_ASSERT_TRUE(descriptor_reserve_expect(reserve, 20));
	crowd_fill(&crowd);
	descriptor_reserve_lend(reserve, LIMIT);
	for (size_t i = 0; i < 20; i++)
		arrived[i] = dup(STDERR_FILENO);
	descriptor_reserve_restore(reserve, 20);
	for (size_t i = 0; i < 20; i++) {
		CU_ASSERT_TRUE(arrived[i] >= 0);
		close(arrived[i]);
	}
	/* The floor is held again as soon as there is room. */
	descriptor_reserve_restore(reserve, 0);
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 20 - 3);
	descriptor_reserve_free(reserve);
	crowd_end(&crowd);
}

/* What is held at any time is enough for a few, when nothing else is left. */
static void
test_few(void)
{
	struct descriptor_reserve *reserve;
	struct crowd crowd;

	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(3);
	crowd_fill(&crowd);
	CU_ASSERT_TRUE(descriptor_reserve_expect(reserve, 3));
	CU_ASSERT_FALSE(descriptor_reserve_expect(reserve, 4));
	descriptor_reserve_free(reserve);
	crowd_end(&crowd);
}

static void
test_too_many(void)
{
	struct descriptor_reserve *reserve;
	struct crowd crowd;

	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(3);
	CU_ASSERT_FALSE(descriptor_reserve_expect(reserve, LIMIT));
	/* Nothing but the floor is held. */
	CU_ASSERT_TRUE(crowd_fill(&crowd) > LIMIT / 2);
	descriptor_reserve_free(reserve);
	crowd_end(&crowd);
}

static void
test_given_up(void)
{
	struct descriptor_reserve *reserve;
	struct crowd crowd;

	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(3);
	CU_ASSERT_TRUE(descriptor_reserve_expect(reserve, 50));
	crowd_fill(&crowd);
	CU_ASSERT_TRUE(descriptor_reserve_expect(reserve, 0));
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 50 - 3);
	descriptor_reserve_free(reserve);
	crowd_end(&crowd);
}

/* Nothing has changed when more is not to be had. */
static void
test_refused(void)
{
	struct descriptor_reserve *reserve;
	struct crowd crowd;

	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(0);
	CU_ASSERT_TRUE(descriptor_reserve_expect(reserve, 4));
	CU_ASSERT_FALSE(descriptor_reserve_expect(reserve, LIMIT));
	crowd_fill(&crowd);
	descriptor_reserve_lend(reserve, 1);
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 1);
	descriptor_reserve_restore(reserve, 1);
	descriptor_reserve_lend(reserve, 3);
	CU_ASSERT_EQUAL(crowd_fill(&crowd), 3);
	descriptor_reserve_free(reserve);
	crowd_end(&crowd);
}

/* On a channel. */

struct receiver {
	unsigned int messages;
	int descriptor;
	unsigned int closed;
};

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct receiver *receiver = argument;

	(void)channel;
	receiver->messages++;
	receiver->descriptor = message_take_fd(message, 0);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct receiver *receiver = argument;

	(void)channel;
	(void)why;
	receiver->closed++;
}

static void
test_channel(void)
{
	static const struct channel_events events = {on_message, on_closed};
	static const struct ipc_side worker = {IPC_WORKER, IPC_MONITOR};
	static const struct ipc_side monitor = {IPC_MONITOR, IPC_WORKER};
	struct message *message = message_new(MESSAGE_PEER);
	struct event_base *base = event_base_new();
	struct descriptor_reserve *reserve;
	struct receiver receiver = {0}, sender = {0};
	struct channel *from, *to;
	struct crowd crowd;
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	buf_write_u8(&message->body, IPC_HELPER);
	buf_write_u32(&message->body, 0);
	CU_ASSERT_TRUE(message_add_fd(message, dup(STDERR_FILENO)));
	crowd_limit(&crowd);
	reserve = descriptor_reserve_new(2);
	from = channel_new(base, ends[0], monitor, &events, &sender);
	to = channel_new(base, ends[1], worker, &events, &receiver);
	channel_set_reserve(to, reserve);
	channel_send(from, message);
	/* The sender has closed its own by now. */
	crowd_fill(&crowd);
	for (int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	CU_ASSERT_EQUAL(receiver.closed, 0);
	CU_ASSERT_EQUAL(receiver.messages, 1);
	CU_ASSERT_TRUE(receiver.descriptor >= 0);
	close(receiver.descriptor);
	channel_free(from);
	channel_free(to);
	descriptor_reserve_free(reserve);
	crowd_end(&crowd);
	event_base_free(base);
}

UNIT_SUITE(descriptor_reserve, {"floor", test_floor},
	   {"expected", test_expected}, {"few", test_few},
	   {"too_many", test_too_many}, {"given_up", test_given_up},
	   {"refused", test_refused}, {"channel", test_channel});
