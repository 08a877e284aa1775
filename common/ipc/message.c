/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message in memory; how it gets across is daemon/process/channel.
 */
#include "common/ipc/message.h"

#include <assert.h>
#include <unistd.h>

#include "common/base/mem.h"

struct message *
message_new(enum message_type type)
{
	return message_new_sized(type, msgtable_body_max(type));
}

struct message *
message_new_sized(enum message_type type, size_t capacity)
{
	struct message *message = mem_alloc(sizeof(*message));

	assert(capacity <= MESSAGE_BODY_MAX);
	message->type = type;
	buf_write_init(&message->body, mem_alloc(capacity), capacity);
	return message;
}

struct message *
message_new_received(enum message_type type, const void *body, size_t length)
{
	struct message *message = mem_alloc(sizeof(*message));

	message->type = type;
	buf_write_init(&message->body, mem_dup(body, length), length);
	message->body.length = length;
	return message;
}

void
message_free(struct message *message)
{
	if (!message)
		return;
	for (size_t i = 0; i < message->fd_count; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
	if (msgtable_is_secret(message->type))
		mem_wipe(message->body.bytes, message->body.capacity);
	mem_free(message->body.bytes);
	mem_free(message);
}

bool
message_add_fd(struct message *message, int descriptor)
{
	assert(descriptor >= 0);
	if (message->fd_count == MESSAGE_FDS_MAX)
		return false;
	message->fds[message->fd_count++] = descriptor;
	return true;
}

int
message_take_fd(struct message *message, size_t index)
{
	int descriptor;

	if (index >= message->fd_count)
		return -1;
	descriptor = message->fds[index];
	message->fds[index] = -1;
	return descriptor;
}

struct buf_reader
message_reader(const struct message *message)
{
	struct buf_reader reader;

	buf_read_init(&reader, message->body.bytes, message->body.length);
	return reader;
}
