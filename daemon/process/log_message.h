/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MESSAGE_LOGS: where a child writes its log. The body is a u8 count and for
 * each sink u8 transport, u8 form, u8 level, u32 facility, u8 for events, u8
 * for access; a descriptor each, in the same order.
 */
#ifndef SEALOCK_PROCESS_LOG_MESSAGE_H
#define SEALOCK_PROCESS_LOG_MESSAGE_H

#include <stddef.h>

#include "common/base/log.h"

struct message;

/* As many as one message carries. */
#define LOG_MESSAGE_SINKS_MAX 250

/* Duplicates the descriptors. NULL, and errno, when that failed. */
struct message *
log_message_new(const struct log_sink *sinks, size_t count);

/* Make the sinks of a message this process's own. -1: the message makes no
 * sense, and nothing has changed. */
int
log_message_apply(struct message *message) __attribute__((warn_unused_result));

#endif
