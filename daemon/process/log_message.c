/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log sinks across a channel.
 */
#include "daemon/process/log_message.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/ipc/message.h"

struct message *
log_message_new(const struct log_sink *sinks, size_t count)
{
	struct message *message = message_new(MESSAGE_LOGS);
	struct buf_writer *body = &message->body;

	assert(count <= LOG_MESSAGE_SINKS_MAX);
	buf_write_u8(body, (uint8_t)count);
	for (size_t i = 0; i < count; i++) {
		int copy = fcntl(sinks[i].descriptor, F_DUPFD_CLOEXEC, 3);

		if (copy < 0) {
			int error_number = errno;

			message_free(message);
			errno = error_number;
			return NULL;
		}
		if (!message_add_fd(message, copy))
			abort();
		buf_write_u8(body, (uint8_t)sinks[i].transport);
		buf_write_u8(body, (uint8_t)sinks[i].form);
		buf_write_u8(body, (uint8_t)sinks[i].level);
		buf_write_u32(body, (uint32_t)sinks[i].facility);
		buf_write_u8(body, sinks[i].is_for_events);
		buf_write_u8(body, sinks[i].is_for_access);
	}
	return message;
}

static int
read_sink(struct buf_reader *reader, struct log_sink *sink)
{
	uint8_t transport = buf_read_u8(reader);
	uint8_t form = buf_read_u8(reader);
	uint8_t level = buf_read_u8(reader);
	uint32_t facility = buf_read_u32(reader);
	uint8_t is_for_events = buf_read_u8(reader);
	uint8_t is_for_access = buf_read_u8(reader);

	if (reader->failed || transport > LOG_TRANSPORT_SYSLOG ||
	    form > LOG_FORM_JSON || level > LOG_LEVEL_TRACE ||
	    facility > INT32_MAX || is_for_events > 1 || is_for_access > 1)
		return -1;
	*sink = (struct log_sink){
		.descriptor = -1,
		.transport = (enum log_transport)transport,
		.form = (enum log_form)form,
		.level = (enum log_level)level,
		.facility = (int)facility,
		.is_for_events = is_for_events,
		.is_for_access = is_for_access,
	};
	return 0;
}

int
log_message_apply(struct message *message)
{
	struct log_sink sinks[LOG_MESSAGE_SINKS_MAX];
	struct buf_reader reader = message_reader(message);
	size_t count = buf_read_u8(&reader);

	if (count > LOG_MESSAGE_SINKS_MAX || count != message->fd_count)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (read_sink(&reader, &sinks[i]) != 0)
			return -1;
	if (reader.failed || reader.length > 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		sinks[i].descriptor = message_take_fd(message, i);
	log_configure(sinks, count);
	return 0;
}
