/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a child does with packets: hello, the table, items, logs. The input is
 * a sequence of packets, each a u16 length, a u8 number of descriptors (of
 * which the first and every other one is a sealed document of four bytes) and
 * the bytes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"

#define DESCRIPTORS_MAX 8

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct receiver {
	struct channel *channel;
	struct generation_receiver *generation;
};

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct receiver *receiver = argument;
	struct buf_reader reader = message_reader(message);
	struct error_list problems = {0};
	struct error error = {0};

	(void)channel;
	switch ((unsigned int)message->type) {
	case MESSAGE_PREPARE:
		generation_receiver_free(receiver->generation);
		receiver->generation =
			generation_receiver_new(buf_read_u64(&reader));
		break;
	case MESSAGE_ITEMS:
		if (receiver->generation &&
		    generation_receiver_add(receiver->generation, message,
					    &error) != 0) {
			generation_receiver_free(receiver->generation);
			receiver->generation = NULL;
		}
		break;
	case MESSAGE_BUILD:
		if (!receiver->generation)
			break;
		generation_free(generation_receiver_finish(receiver->generation,
							   &error));
		generation_receiver_free(receiver->generation);
		receiver->generation = NULL;
		break;
	case MESSAGE_LOGS:
		if (log_message_apply(message) == 0)
			log_info("fuzz", "logs=taken");
		log_configure(NULL, 0);
		break;
	case MESSAGE_DRAIN:
		/* Not what it is for; no message to a child has sentences. */
		(void)!generation_problems_read(&reader, &problems);
		error_list_clear(&problems);
		break;
	default:
		break;
	}
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct receiver *receiver = argument;

	(void)why;
	channel_free(channel);
	receiver->channel = NULL;
}

static int
sealed_document(void)
{
	int descriptor = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (descriptor < 0 || write(descriptor, "a: 1", 4) != 4 ||
	    fcntl(descriptor, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
		    0)
		abort();
	return descriptor;
}

static void
send_packet(int socket, const uint8_t *bytes, size_t length, size_t count)
{
	static int descriptors[DESCRIPTORS_MAX] = {-1};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(descriptors))];
	} control = {
		.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE unsigned char *copy = mem_dup(bytes, length);
	struct iovec part = {.iov_base = copy, .iov_len = length};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	if (descriptors[0] < 0)
		for (int i = 0; i < DESCRIPTORS_MAX; i++)
			descriptors[i] = i % 2 ? open("/dev/null", O_RDWR)
					       : sealed_document();
	if (count > 0) {
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), descriptors,
		       count * sizeof(int));
		packet.msg_control = control.space;
		packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	/* What does not fit, or meets a channel that is closed, is lost. */
	(void)!sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct channel_events events = {on_message, on_closed};
	static struct event_base *base;
	struct ipc_side side = {.self = IPC_WORKER, .other = IPC_MONITOR};
	struct receiver receiver = {0};
	struct buf_reader input;
	int sockets[2];

	log_configure(NULL, 0);
	if (!base)
		base = event_base_new();
	if (!base ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		abort();
	receiver.channel =
		channel_new(base, sockets[0], side, &events, &receiver);
	buf_read_init(&input, bytes, length);
	while (input.length > 0 && receiver.channel) {
		size_t size = buf_read_u16(&input);
		size_t count = buf_read_u8(&input) % (DESCRIPTORS_MAX + 1);
		const unsigned char *packet;

		if (size > input.length)
			size = input.length;
		packet = buf_read_bytes(&input, size);
		if (!packet)
			break;
		send_packet(sockets[1], packet, size, count);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	channel_free(receiver.channel);
	generation_receiver_free(receiver.generation);
	close(sockets[1]);
	return 0;
}
