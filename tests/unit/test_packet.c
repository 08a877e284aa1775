/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets as they come, and what is said of them.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "daemon/process/packet.h"

static int ends[2];
static unsigned char memory[PACKET_MAX];

static void
open_ends(void)
{
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void
close_ends(void)
{
	close(ends[0]);
	close(ends[1]);
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

/* Bytes by hand, with that many descriptors. */
static void
say(const void *bytes, size_t length, size_t count)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control;
	int fds[8];
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes,
			     .iov_len = length};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	for (size_t i = 0; i < count; i++)
		fds[i] = STDERR_FILENO;
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		packet.msg_control = control.space;
		packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	CU_ASSERT_EQUAL(sendmsg(ends[1], &packet, MSG_NOSIGNAL),
			(ssize_t)length);
}

static enum packet_receipt
hear(struct packet *packet, size_t fd_max, const char **why)
{
	return packet_receive(ends[0], memory, fd_max, packet, why);
}

static void
test_there_and_back(void)
{
	struct message *message = message_new(MESSAGE_SIGN);
	const char *why = NULL;
	struct packet packet;

	open_ends();
	buf_write_u64(&message->body, 7);
	CU_ASSERT_TRUE(message_add_fd(message, dup(STDERR_FILENO)));
	CU_ASSERT_TRUE(message_add_fd(message, dup(STDERR_FILENO)));
	CU_ASSERT_EQUAL(hear(&packet, 2, &why), PACKET_NOTHING);
	CU_ASSERT_EQUAL(packet_send(ends[1], message), 0);
	message_free(message);
	CU_ASSERT_EQUAL(hear(&packet, 2, &why), PACKET_RECEIVED);
	CU_ASSERT_EQUAL(packet.type, MESSAGE_SIGN);
	CU_ASSERT_EQUAL(packet.length, 8);
	CU_ASSERT_EQUAL(packet.body[7], 7);
	CU_ASSERT_EQUAL(packet.fd_count, 2);
	CU_ASSERT_FALSE(packet.has_lost_fds);
	CU_ASSERT_TRUE(fcntl(packet.fds[1], F_GETFD) & FD_CLOEXEC);
	packet_close_fds(&packet);
	CU_ASSERT_EQUAL(hear(&packet, 2, &why), PACKET_NOTHING);
	close(ends[1]);
	CU_ASSERT_EQUAL(hear(&packet, 2, &why), PACKET_END);
	CU_ASSERT_PTR_NULL(why);
	close(ends[0]);
	CU_ASSERT_EQUAL(hear(&packet, 2, &why), PACKET_FAILED);
	CU_ASSERT_PTR_NOT_NULL(why);
}

static void
test_sizes(void)
{
	AUTO_FREE unsigned char *bytes = mem_alloc(PACKET_MAX + 1);
	size_t before = count_descriptors();
	const char *why = NULL;
	struct packet packet;

	open_ends();
	say(bytes, 2, 0);
	CU_ASSERT_EQUAL(hear(&packet, 1, &why), PACKET_RECEIVED);
	CU_ASSERT_EQUAL(packet.length, 0);
	say(bytes, PACKET_MAX, 0);
	CU_ASSERT_EQUAL(hear(&packet, 1, &why), PACKET_RECEIVED);
	CU_ASSERT_EQUAL(packet.length, MESSAGE_BODY_MAX);
	say(bytes, 1, 1);
	CU_ASSERT_EQUAL(hear(&packet, 1, &why), PACKET_FAILED);
	CU_ASSERT_STRING_EQUAL(why, "truncated packet");
	say(bytes, PACKET_MAX + 1, 1);
	CU_ASSERT_EQUAL(hear(&packet, 1, &why), PACKET_FAILED);
	CU_ASSERT_STRING_EQUAL(why, "truncated packet");
	/* A packet of nothing is the end; what came with it does not stay. */
	say(bytes, 0, 1);
	CU_ASSERT_EQUAL(hear(&packet, 1, &why), PACKET_END);
	close_ends();
	CU_ASSERT_EQUAL(count_descriptors(), before);
}

static void
test_too_many_descriptors(void)
{
	size_t before = count_descriptors();
	const char *why = NULL;
	struct packet packet;

	open_ends();
	for (size_t most = 0; most < 4; most++) {
		say("\0\1", 2, 4);
		CU_ASSERT_EQUAL(hear(&packet, most, &why), PACKET_RECEIVED);
		CU_ASSERT_EQUAL(packet.fd_count, most);
		CU_ASSERT_TRUE(packet.has_lost_fds);
		packet_close_fds(&packet);
	}
	say("\0\1", 2, 4);
	CU_ASSERT_EQUAL(hear(&packet, 4, &why), PACKET_RECEIVED);
	CU_ASSERT_EQUAL(packet.fd_count, 4);
	CU_ASSERT_FALSE(packet.has_lost_fds);
	packet_close_fds(&packet);
	close_ends();
	CU_ASSERT_EQUAL(count_descriptors(), before);
}

/* What it says of a packet to the keeper from a worker. */
static const char *
judge(unsigned int type, size_t length, size_t fd_count, bool *is_greeted)
{
	static const unsigned char body[MESSAGE_BODY_MAX + 1] = {
		[3] = IPC_PROTOCOL};
	static const struct ipc_side side = {IPC_KEEPER, IPC_WORKER};
	struct packet packet = {.type = type,
				.body = body,
				.length = length,
				.fd_count = fd_count};

	return packet_judge(&packet, side, is_greeted);
}

static void
expect_refused(unsigned int type, size_t length, size_t fd_count,
	       bool is_greeted, const char *why)
{
	bool before = is_greeted;
	const char *said = judge(type, length, fd_count, &is_greeted);

	CU_ASSERT_PTR_NOT_NULL_FATAL(said);
	CU_ASSERT_STRING_EQUAL(said, why);
	CU_ASSERT_EQUAL(is_greeted, before);
}

static void
test_judgement(void)
{
	bool is_greeted = false;

	expect_refused(MESSAGE_SIGN, 46, 0, false, "no hello at the start");
	expect_refused(MESSAGE_HELLO, 3, 0, false, "a message of a wrong size");
	expect_refused(MESSAGE_HELLO, 5, 0, false, "a message of a wrong size");
	expect_refused(MESSAGE_HELLO, 4, 1, false,
		       "a message with too many descriptors");
	CU_ASSERT_PTR_NULL(judge(MESSAGE_HELLO, 4, 0, &is_greeted));
	CU_ASSERT_TRUE(is_greeted);
	expect_refused(MESSAGE_HELLO, 4, 0, true, "a second hello");

	CU_ASSERT_PTR_NULL(judge(MESSAGE_SIGN, 46, 0, &is_greeted));
	CU_ASSERT_PTR_NULL(judge(MESSAGE_SIGN, 46, 1, &is_greeted));
	CU_ASSERT_PTR_NULL(
		judge(MESSAGE_SIGN, MESSAGE_BODY_MAX, 0, &is_greeted));
	expect_refused(MESSAGE_SIGN, 45, 0, true, "a message of a wrong size");
	expect_refused(MESSAGE_SIGN, MESSAGE_BODY_MAX + 1, 0, true,
		       "a message of a wrong size");
	expect_refused(MESSAGE_SIGN, 46, 2, true,
		       "a message with too many descriptors");
	for (unsigned int type = 0; type <= 0xffff; type++)
		if (type != MESSAGE_HELLO && type != MESSAGE_SIGN)
			expect_refused(type, 46, 0, true,
				       "a message that is not permitted here");
}

static void
test_another_protocol(void)
{
	static const struct ipc_side side = {IPC_KEEPER, IPC_WORKER};
	struct packet packet = {.type = MESSAGE_HELLO, .length = 4};
	bool is_greeted = false;

	packet.body = (const unsigned char *)"\0\0\0\0";
	CU_ASSERT_STRING_EQUAL(packet_judge(&packet, side, &is_greeted),
			       "another protocol number than ours");
	packet.body = (const unsigned char *)"\1\0\0\1";
	CU_ASSERT_STRING_EQUAL(packet_judge(&packet, side, &is_greeted),
			       "another protocol number than ours");
	CU_ASSERT_FALSE(is_greeted);
}

static void
test_sending(void)
{
	struct message *message = message_new(MESSAGE_REFUSED);
	size_t count = 0, got = 0;
	struct packet packet;
	const char *why;

	open_ends();
	buf_write_u64(&message->body, 1);
	while (packet_send(ends[1], message) == 0)
		count++;
	CU_ASSERT_EQUAL(errno, EAGAIN);
	CU_ASSERT_TRUE(count > 0);
	while (hear(&packet, 0, &why) == PACKET_RECEIVED)
		got++;
	CU_ASSERT_EQUAL(got, count);
	CU_ASSERT_EQUAL(packet_send(ends[1], message), 0);
	CU_ASSERT_EQUAL(hear(&packet, 0, &why), PACKET_RECEIVED);
	/* Its end is not ours, and no signal either. */
	close(ends[0]);
	CU_ASSERT_EQUAL(packet_send(ends[1], message), -1);
	CU_ASSERT_EQUAL(errno, EPIPE);
	close(ends[1]);
	message_free(message);
}

UNIT_SUITE(packet, {"there_and_back", test_there_and_back},
	   {"sizes", test_sizes},
	   {"too_many_descriptors", test_too_many_descriptors},
	   {"judgement", test_judgement},
	   {"another_protocol", test_another_protocol},
	   {"sending", test_sending});
