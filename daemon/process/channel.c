/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets on an event loop. Nothing is read after a rule was broken, and
 * nothing waits for the other end: what it does not take stays in a queue.
 */
#include "daemon/process/channel.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>
#include <event2/util.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/process/descriptor_reserve.h"
#include "daemon/process/packet.h"

/* Several of the largest packets, where the system permits it. */
#define SEND_BUFFER (256 * 1024)

/* Packets taken in one turn, so that a talkative peer starves nobody. */
#define TURN_PACKETS 16

/* How long to wait when the kernel has no room, but not for want of a reader:
 * too many descriptors under way, or no memory. */
#define CONGESTION_MS 10

struct outgoing {
	STAILQ_ENTRY(outgoing) entries;
	struct message *message;
};

STAILQ_HEAD(outgoing_queue, outgoing);

struct channel {
	struct channel_events events;
	void *argument;
	struct ipc_side side;
	int descriptor; /* -1: dead */
	struct event *readable;
	struct event *writable;
	struct event *congested;
	struct descriptor_reserve *reserve; /* NULL: none */
	size_t most_descriptors;            /* that a packet may bring */
	struct outgoing_queue queue;
	size_t backlog;
	bool is_greeted;     /* the other end's hello was right */
	bool is_write_ended; /* the other end takes no more */
	bool is_broken;      /* not ended: broken off by us */
	char failure[96];    /* of sending, to be told from the loop; or "" */
	unsigned int turns;  /* a callback may run; freeing waits for its end */
	bool is_freed;
};

static void
drop_queue(struct channel *channel)
{
	struct outgoing *out;

	while ((out = STAILQ_FIRST(&channel->queue))) {
		STAILQ_REMOVE_HEAD(&channel->queue, entries);
		message_free(out->message);
		mem_free(out);
	}
	channel->backlog = 0;
}

static void
shut(struct channel *channel)
{
	if (channel->descriptor < 0)
		return;
	event_free(channel->readable);
	event_free(channel->writable);
	event_free(channel->congested);
	close(channel->descriptor);
	channel->descriptor = -1;
	drop_queue(channel);
}

void
channel_free(struct channel *channel)
{
	if (!channel)
		return;
	shut(channel);
	channel->is_freed = true;
	if (channel->turns == 0)
		mem_free(channel);
}

/* The last thing that happens to a channel before it is freed. */
static void
hang_up(struct channel *channel, const char *why)
{
	shut(channel);
	channel->events.closed(channel, why, channel->argument);
}

__attribute__((cold)) static void
break_off(struct channel *channel, const char *why)
{
	log_error("channel broken", "peer=%s reason=\"%s\"",
		  ipc_role_name(channel->side.other), why);
	channel->is_broken = true;
	hang_up(channel, why);
}

/* Sending. */

static size_t
packet_size(const struct message *message)
{
	return PACKET_HEADER_SIZE + message->body.length;
}

/* Nothing can be sent any more; what the other end has said until now can
 * still be read, and the end of that calls closed(). */
static void
end_writing(struct channel *channel, int error_number)
{
	channel->is_write_ended = true;
	drop_queue(channel);
	event_del(channel->writable);
	event_del(channel->congested);
	if (error_number == EPIPE || error_number == ECONNRESET)
		return;
	snprintf(channel->failure, sizeof(channel->failure), "cannot send: %s",
		 strerror(error_number));
	event_active(channel->readable, EV_READ, 0);
}

static void
flush(struct channel *channel)
{
	static const struct timeval pause = {.tv_usec = CONGESTION_MS * 1000};
	struct outgoing *out;

	while ((out = STAILQ_FIRST(&channel->queue))) {
		if (packet_send(channel->descriptor, out->message) != 0) {
			if (errno == EAGAIN)
				event_add(channel->writable, NULL);
			else if (errno == ETOOMANYREFS || errno == ENOBUFS ||
				 errno == ENOMEM)
				event_add(channel->congested, &pause);
			else
				end_writing(channel, errno);
			return;
		}
		STAILQ_REMOVE_HEAD(&channel->queue, entries);
		channel->backlog -= packet_size(out->message);
		message_free(out->message);
		mem_free(out);
	}
}

static void
on_writable(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	flush(argument);
}

void
channel_send(struct channel *channel, struct message *message)
{
	struct outgoing *out;

	assert(!message->body.failed);
	if (channel->descriptor < 0 || channel->is_write_ended) {
		message_free(message);
		return;
	}
	out = mem_alloc(sizeof(*out));
	out->message = message;
	channel->backlog += packet_size(message);
	STAILQ_INSERT_TAIL(&channel->queue, out, entries);
	if (STAILQ_FIRST(&channel->queue) == out)
		flush(channel);
}

void
channel_set_reserve(struct channel *channel, struct descriptor_reserve *reserve)
{
	channel->reserve = reserve;
}

size_t
channel_backlog(const struct channel *channel)
{
	return channel->backlog;
}

bool
channel_is_broken(const struct channel *channel)
{
	return channel->is_broken;
}

/* Receiving. */

/* The packet that is being taken. */
static unsigned char received[PACKET_MAX];

static enum packet_receipt
receive(struct channel *channel, struct packet *packet, const char **why)
{
	enum packet_receipt receipt;

	receipt = packet_receive(channel->descriptor, received, MESSAGE_FDS_MAX,
				 packet, why);
	if (receipt != PACKET_RECEIVED || !packet->has_lost_fds)
		return receipt;
	packet_close_fds(packet);
	*why = "descriptors were lost, perhaps for want of room: see the limit "
	       "of open files";
	return PACKET_FAILED;
}

/* The same with room for what the packet brings. */
static enum packet_receipt
receive_with_room(struct channel *channel, struct packet *packet,
		  const char **why)
{
	enum packet_receipt receipt;

	if (!channel->reserve)
		return receive(channel, packet, why);
	descriptor_reserve_lend(channel->reserve, channel->most_descriptors);
	receipt = receive(channel, packet, why);
	descriptor_reserve_restore(channel->reserve, receipt == PACKET_RECEIVED
							     ? packet->fd_count
							     : 0);
	return receipt;
}

/* Give the role what was received. */
static void
pass_on(struct channel *channel, const struct packet *packet)
{
	struct message *message = message_new_received(
		(enum message_type)packet->type, packet->body, packet->length);

	if (msgtable_is_secret(packet->type))
		mem_wipe(received, sizeof(received));
	memcpy(message->fds, packet->fds, packet->fd_count * sizeof(int));
	message->fd_count = packet->fd_count;
	channel->events.message(channel, message, channel->argument);
	message_free(message);
}

/* False when there is nothing more to do for this channel in this turn. */
static bool
take_one(struct channel *channel)
{
	struct packet packet;
	const char *why = NULL;

	switch (receive_with_room(channel, &packet, &why)) {
	case PACKET_RECEIVED:
		break;
	case PACKET_NOTHING:
		return false;
	case PACKET_END:
		hang_up(channel, "the other end is gone");
		return false;
	case PACKET_FAILED:
		break_off(channel, why);
		return false;
	}
	why = packet_judge(&packet, channel->side, &channel->is_greeted);
	if (why) {
		log_error("message refused", "peer=%s type=%s number=%u",
			  ipc_role_name(channel->side.other),
			  msgtable_name(packet.type), packet.type);
		packet_close_fds(&packet);
		break_off(channel, why);
		return false;
	}
	if (packet.type != MESSAGE_HELLO)
		pass_on(channel, &packet);
	if (channel->descriptor < 0)
		return false;
	if (channel->reserve)
		descriptor_reserve_restore(channel->reserve, 0);
	return true;
}

static void
on_readable(evutil_socket_t descriptor, short what, void *argument)
{
	struct channel *channel = argument;

	(void)descriptor;
	(void)what;
	channel->turns++;
	if (channel->failure[0] != '\0') {
		break_off(channel, channel->failure);
	} else {
		for (int i = 0; i < TURN_PACKETS; i++)
			if (!take_one(channel))
				break;
	}
	if (--channel->turns == 0 && channel->is_freed)
		mem_free(channel);
}

void
channel_wait(struct channel *channel, int timeout_ms)
{
	struct pollfd readable = {.fd = channel->descriptor, .events = POLLIN};

	if (channel->descriptor < 0)
		return;
	/* Nobody but us looks whether there is room again. */
	flush(channel);
	if (!STAILQ_EMPTY(&channel->queue) && timeout_ms > CONGESTION_MS)
		timeout_ms = CONGESTION_MS;
	if (poll(&readable, 1, timeout_ms) > 0 || channel->failure[0] != '\0')
		on_readable(channel->descriptor, EV_READ, channel);
}

struct channel *
channel_new(struct event_base *base, int descriptor, struct ipc_side side,
	    const struct channel_events *events, void *argument)
{
	struct channel *channel = mem_alloc(sizeof(*channel));
	struct message *hello = message_new(MESSAGE_HELLO);
	int size = SEND_BUFFER;

	channel->events = *events;
	channel->argument = argument;
	channel->side = side;
	channel->most_descriptors = msgtable_fds_max(side);
	channel->descriptor = descriptor;
	STAILQ_INIT(&channel->queue);
	evutil_make_socket_nonblocking(descriptor);
	evutil_make_socket_closeonexec(descriptor);
	setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	channel->readable = event_new(base, descriptor, EV_READ | EV_PERSIST,
				      on_readable, channel);
	channel->writable =
		event_new(base, descriptor, EV_WRITE, on_writable, channel);
	channel->congested = event_new(base, -1, 0, on_writable, channel);
	assert(channel->readable && channel->writable && channel->congested);
	event_add(channel->readable, NULL);

	buf_write_u32(&hello->body, IPC_PROTOCOL);
	channel_send(channel, hello);
	return channel;
}
