/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One packet of a channel between roles, for whoever has the socket: a 16-bit
 * type and the body; descriptors ride along as SCM_RIGHTS. Nothing here waits
 * and nothing is shared, so any thread may use it.
 */
#ifndef SEALOCK_PROCESS_PACKET_H
#define SEALOCK_PROCESS_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ipc/message.h"
#include "common/ipc/msgtable.h"

/* The type, and the largest packet. */
#define PACKET_HEADER_SIZE 2
#define PACKET_MAX         (PACKET_HEADER_SIZE + MESSAGE_BODY_MAX)

/* One that was received. */
struct packet {
	unsigned int type; /* any 16-bit number */
	const unsigned char *body;
	size_t length;
	int fds[MESSAGE_FDS_MAX];
	size_t fd_count;
	bool has_lost_fds; /* it brought more than fd_max, or than this
			    * process has room for */
};

enum packet_receipt {
	PACKET_RECEIVED,
	PACKET_NOTHING, /* for now */
	PACKET_END,
	PACKET_FAILED,
};

/* Take one packet off a socket. The body is in memory, which is PACKET_MAX
 * bytes of the caller's; of its descriptors, which are the caller's, too, at
 * most fd_max are taken. FAILED: it was longer than any may be, too short for a
 * type, or the socket is of no use; why tells. */
enum packet_receipt
packet_receive(int socket, unsigned char *memory, size_t fd_max,
	       struct packet *packet, const char **why);

/* Is it in the table, as long as it may be, with no more descriptors, and is
 * hello the first one and with our number? Returns NULL, or what is wrong. A
 * good hello sets is_greeted. */
const char *
packet_judge(const struct packet *packet, struct ipc_side side,
	     bool *is_greeted);

/* Close the descriptors that are left in it (those taken out are -1). */
void
packet_close_fds(struct packet *packet);

/* Send a message, which stays the caller's. 0, or -1 with errno: EAGAIN when
 * there is no room. */
int
packet_send(int socket, const struct message *message)
	__attribute__((warn_unused_result));

#endif
