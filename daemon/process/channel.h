/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel between two roles: an AF_UNIX SOCK_SEQPACKET pair, one packet one
 * message with its descriptors, on a libevent loop. The table of messages
 * (common/ipc/msgtable) says what may arrive; anything else, a truncated
 * packet or a wrong protocol number closes the channel with a log line.
 */
#ifndef SEALOCK_PROCESS_CHANNEL_H
#define SEALOCK_PROCESS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ipc/message.h"

struct channel;
struct descriptor_reserve;
struct event_base;

struct channel_events {
	/* One message that the table permits here. The message stays the
	 * channel's; the descriptors in it belong to the callee, which takes
	 * them out by message_take_fd(); those left in it are closed. The
	 * channel may be freed in it. */
	void (*message)(struct channel *channel, struct message *message,
			void *argument);
	/* The other end is gone, or it broke the rules and we hung up; called
	 * once, and the channel is dead: free it, now or later. */
	void (*closed)(struct channel *channel, const char *why,
		       void *argument);
};

/* Takes the descriptor (made non-blocking). side says who we are and who the
 * other end is, so that the table can be asked. The protocol number is sent
 * at once and expected as the first message. events is copied. */
struct channel *
channel_new(struct event_base *base, int descriptor, struct ipc_side side,
	    const struct channel_events *events, void *argument);
void
channel_free(struct channel *channel);

/* Room for the descriptors that messages bring; borrowed. */
void
channel_set_reserve(struct channel *channel,
		    struct descriptor_reserve *reserve);

/* Queue one message, which is the channel's from then on, with its
 * descriptors. It leaves at once when the socket has room and later otherwise;
 * never blocks, and never calls closed() from within. On a dead channel the
 * message is freed and its descriptors closed. */
void
channel_send(struct channel *channel, struct message *message);

/* For one who cannot wait in the loop: what the loop would do for this channel
 * with the packets that are there, or with the first that come within
 * timeout_ms. The events' functions are called from within; legal in
 * them, too. */
void
channel_wait(struct channel *channel, int timeout_ms);

/* Bytes waiting because the other end does not read. */
size_t
channel_backlog(const struct channel *channel);

/* From closed() on: was it we who hung up, because of what came, or failed? */
bool
channel_is_broken(const struct channel *channel);

#endif
