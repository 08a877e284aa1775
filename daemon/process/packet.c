/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets and what the kernel tells of them.
 */
#include "daemon/process/packet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
};

static size_t
collect_fds(struct msghdr *arrived, int fds[MESSAGE_FDS_MAX])
{
	size_t count = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(arrived); part;
	     part = CMSG_NXTHDR(arrived, part)) {
		size_t size;

		if (part->cmsg_level != SOL_SOCKET ||
		    part->cmsg_type != SCM_RIGHTS)
			continue;
		/* One such part a packet is all that the kernel makes, and
		 * the space for it holds no more than the array. */
		size = part->cmsg_len - CMSG_LEN(0);
		assert(size <= (MESSAGE_FDS_MAX - count) * sizeof(int));
		memcpy(fds + count, CMSG_DATA(part), size);
		count += size / sizeof(int);
	}
	return count;
}

static ssize_t
receive(int socket, struct msghdr *arriving)
{
	ssize_t length;

	/* A reset tells that the other end left without reading all we sent;
	 * what it said before is still to be had. */
	do
		length = recvmsg(socket, arriving,
				 MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	return length;
}

enum packet_receipt
packet_receive(int socket, unsigned char *memory, size_t fd_max,
	       struct packet *packet, const char **why)
{
	struct iovec part = {.iov_base = memory, .iov_len = PACKET_MAX};
	union control control;
	struct msghdr arriving = {.msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen =
					  CMSG_LEN(fd_max * sizeof(int))};
	ssize_t length;

	assert(fd_max <= MESSAGE_FDS_MAX);
	length = receive(socket, &arriving);
	if (length < 0 && errno == EAGAIN)
		return PACKET_NOTHING;
	if (length < 0) {
		*why = strerrordesc_np(errno);
		return PACKET_FAILED;
	}
	packet->fd_count = collect_fds(&arriving, packet->fds);
	packet->has_lost_fds = arriving.msg_flags & MSG_CTRUNC;
	/* A packet without a byte looks the same, whatever came with it. */
	if (length == 0) {
		packet_close_fds(packet);
		return PACKET_END;
	}
	if (length < PACKET_HEADER_SIZE || (arriving.msg_flags & MSG_TRUNC)) {
		packet_close_fds(packet);
		*why = "truncated packet";
		return PACKET_FAILED;
	}
	packet->type = (unsigned int)memory[0] << 8 | memory[1];
	packet->body = memory + PACKET_HEADER_SIZE;
	packet->length = (size_t)length - PACKET_HEADER_SIZE;
	return PACKET_RECEIVED;
}

const char *
packet_judge(const struct packet *packet, struct ipc_side side,
	     bool *is_greeted)
{
	const struct message_rule *rule = msgtable_find(side, packet->type);
	struct buf_reader reader;

	if (!rule)
		return "a message that is not permitted here";
	if (packet->length < rule->min_body || packet->length > rule->max_body)
		return "a message of a wrong size";
	if (packet->fd_count > rule->max_fds)
		return "a message with too many descriptors";
	if (packet->type != MESSAGE_HELLO)
		return *is_greeted ? NULL : "no hello at the start";
	if (*is_greeted)
		return "a second hello";
	buf_read_init(&reader, packet->body, packet->length);
	if (buf_read_u32(&reader) != IPC_PROTOCOL)
		return "another protocol number than ours";
	*is_greeted = true;
	return NULL;
}

void
packet_close_fds(struct packet *packet)
{
	for (size_t i = 0; i < packet->fd_count; i++)
		if (packet->fds[i] >= 0)
			close(packet->fds[i]);
	packet->fd_count = 0;
}

int
packet_send(int socket, const struct message *message)
{
	unsigned char header[PACKET_HEADER_SIZE] = {
		(unsigned char)((unsigned int)message->type >> 8),
		(unsigned char)message->type};
	struct iovec parts[] = {
		{.iov_base = header, .iov_len = sizeof(header)},
		{.iov_base = message->body.bytes,
		 .iov_len = message->body.length},
	};
	struct msghdr leaving = {.msg_iov = parts, .msg_iovlen = 2};
	union control control;
	ssize_t sent;

	if (message->fd_count > 0) {
		size_t size = message->fd_count * sizeof(int);

		memset(&control, 0, sizeof(control));
		leaving.msg_control = control.space;
		leaving.msg_controllen = CMSG_SPACE(size);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&control.header), message->fds, size);
	}
	do
		sent = sendmsg(socket, &leaving, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}
