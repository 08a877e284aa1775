/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log sinks across a channel, and back into this process's log.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "common/ipc/message.h"
#include "daemon/process/log_message.h"

/* As before the first log_configure(). */
static void
use_standard_error(void)
{
	static const struct log_sink standard_error = {
		.descriptor = STDERR_FILENO,
		.level = LOG_LEVEL_INFO,
		.is_for_events = true,
	};

	log_configure(&standard_error, 1);
}

/* The same as if it had come over a channel. */
static struct message *
received(struct message *sent)
{
	struct message *message = message_new_received(
		sent->type, sent->body.bytes, sent->body.length);

	for (size_t i = 0; i < sent->fd_count; i++)
		CU_ASSERT_TRUE(
			message_add_fd(message, message_take_fd(sent, i)));
	message_free(sent);
	return message;
}

static void
test_there_and_back(void)
{
	int file = memfd_create("log", MFD_CLOEXEC);
	int records = memfd_create("records", MFD_CLOEXEC);
	const struct log_sink sinks[] = {
		{
			.descriptor = file,
			.form = LOG_FORM_JSON,
			.level = LOG_LEVEL_DEBUG,
			.facility = LOG_LOCAL7,
			.is_for_events = true,
		},
		{
			.descriptor = records,
			.is_for_access = true,
		},
	};
	struct message *message = received(log_message_new(sinks, 2));
	char text[512] = "";

	CU_ASSERT_EQUAL_FATAL(log_message_apply(message), 0);
	message_free(message);
	log_debug("an event", "key=%s", "value");
	CU_ASSERT_TRUE(log_has_access(LOG_FORM_TEXT));
	CU_ASSERT_FALSE(log_has_access(LOG_FORM_JSON));
	log_access(LOG_FORM_TEXT, "a record", 8);
	use_standard_error();
	CU_ASSERT_TRUE(pread(file, text, sizeof(text) - 1, 0) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"event\":\"an event\""));
	memset(text, 0, sizeof(text));
	CU_ASSERT_EQUAL(pread(records, text, sizeof(text) - 1, 0), 9);
	CU_ASSERT_STRING_EQUAL(text, "a record\n");
	close(file);
	close(records);
}

static void
test_none(void)
{
	struct message *message = received(log_message_new(NULL, 0));

	CU_ASSERT_EQUAL(log_message_apply(message), 0);
	CU_ASSERT_FALSE(log_is_enabled(LOG_LEVEL_ERROR));
	message_free(message);
	use_standard_error();
}

/* A good body, of which one byte is another. */
static void
expect_refusal(size_t offset, unsigned char value)
{
	const struct log_sink sink = {.descriptor = STDERR_FILENO,
				      .is_for_events = true};
	struct message *message = received(log_message_new(&sink, 1));

	CU_ASSERT_TRUE_FATAL(offset < message->body.length);
	message->body.bytes[offset] = value;
	CU_ASSERT_EQUAL(log_message_apply(message), -1);
	/* The log is as it was. */
	CU_ASSERT_TRUE(log_is_enabled(LOG_LEVEL_INFO));
	message_free(message);
}

static void
test_refused(void)
{
	use_standard_error();
	expect_refusal(0, 0); /* fewer than descriptors */
	expect_refusal(0, 2); /* more */
	expect_refusal(0, 255);
	expect_refusal(1, 2);   /* transport */
	expect_refusal(2, 2);   /* form */
	expect_refusal(3, 5);   /* level */
	expect_refusal(4, 255); /* facility */
	expect_refusal(8, 2);
	expect_refusal(9, 2);
}

static void
test_refused_length(void)
{
	const struct log_sink sink = {.descriptor = STDERR_FILENO};
	struct message *message = received(log_message_new(&sink, 1));

	message->body.length--;
	CU_ASSERT_EQUAL(log_message_apply(message), -1);
	message_free(message);
	message = message_new_received(MESSAGE_LOGS, "\0\0", 2);
	CU_ASSERT_EQUAL(log_message_apply(message), -1);
	message_free(message);
	message = message_new_received(MESSAGE_LOGS, "", 0);
	CU_ASSERT_EQUAL(log_message_apply(message), -1);
	message_free(message);
}

static void
test_bad_descriptor(void)
{
	const struct log_sink sink = {.descriptor = -1};

	CU_ASSERT_PTR_NULL(log_message_new(&sink, 1));
}

UNIT_SUITE(log_message, {"there_and_back", test_there_and_back},
	   {"none", test_none}, {"refused", test_refused},
	   {"refused_length", test_refused_length},
	   {"bad_descriptor", test_bad_descriptor});
