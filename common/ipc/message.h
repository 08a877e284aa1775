/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message between roles: a type, a body and descriptors. The body is
 * written and read with buf's cursors.
 */
#ifndef SEALOCK_IPC_MESSAGE_H
#define SEALOCK_IPC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/ipc/msgtable.h"

#define MESSAGE_BODY_MAX 60000
#define MESSAGE_FDS_MAX  253 /* the kernel's SCM_MAX_FD */

struct message {
	enum message_type type;
	struct buf_writer body;   /* for writing; its memory is the message's */
	int fds[MESSAGE_FDS_MAX]; /* -1: taken */
	size_t fd_count;
};

/* A new empty message (mem_alloc); the body's cursor can be written to, as far
 * as the table permits for that type. */
struct message *
message_new(enum message_type type);

/* The same with room for just so many bytes, which the table permits. */
struct message *
message_new_sized(enum message_type type, size_t capacity);

/* One that arrived: the body is copied. */
struct message *
message_new_received(enum message_type type, const void *body, size_t length);

/* Closes the descriptors that are left in it, and wipes what is secret. NULL is
 * legal. */
void
message_free(struct message *message);

/* Takes the descriptor. False, and the descriptor stays the caller's, when
 * the message is full. */
bool
message_add_fd(struct message *message, int descriptor)
	__attribute__((warn_unused_result));

/* The descriptor with that index, -1 when there is none or it was taken;
 * it is the caller's from then on. */
int
message_take_fd(struct message *message, size_t index);

/* A cursor over the body. */
struct buf_reader
message_reader(const struct message *message);

#endif
