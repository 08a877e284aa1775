/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests for signatures on their way to the keeper, in both forms, and what
 * else a worker that lies may send.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/ipc/message.h"
#include "common/tls/sign_message.h"

#define HEAD (8 + SIGN_REQUEST_OVERHEAD)

static const unsigned char key_id[KEY_ID_SIZE] = {1, 2, 3};
static unsigned char bytes[SIGN_MESSAGE_MAX + 1];

static struct message *
request_of(size_t length)
{
	struct sign_request request = {0x0804, bytes, length};
	struct error error = {0};
	struct message *message =
		sign_message_new(77, key_id, &request, &error);

	CU_ASSERT_EQUAL(message == NULL, error.text[0] != '\0');
	return message;
}

static int
read_it(const struct message *message, size_t length, struct sign_message *read)
{
	/* An exact copy, so that a read past the end is seen. */
	unsigned char *body = mem_dup(message->body.bytes, length);
	struct error error = {0};
	int result = sign_message_read(body, length,
				       message->fd_count ? message->fds[0] : -1,
				       read, &error);

	CU_ASSERT_EQUAL(result != 0, error.text[0] != '\0');
	if (result != 0)
		CU_ASSERT_PTR_NULL(read->copy);
	mem_free(body);
	return result;
}

static void
test_forms(void)
{
	static const size_t lengths[] = {0,
					 1,
					 130,
					 SIGN_MESSAGE_INLINE_MAX - 1,
					 SIGN_MESSAGE_INLINE_MAX,
					 SIGN_MESSAGE_INLINE_MAX + 1,
					 SIGN_MESSAGE_MAX};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 31 >> 4);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		bool is_long = lengths[i] > SIGN_MESSAGE_INLINE_MAX;
		struct message *message = request_of(lengths[i]);
		const struct message_rule *rule =
			msgtable_find((struct ipc_side){IPC_KEEPER, IPC_WORKER},
				      MESSAGE_SIGN);
		struct sign_message read;
		struct error error;

		CU_ASSERT_PTR_NOT_NULL_FATAL(message);
		CU_ASSERT_FALSE(message->body.failed);
		CU_ASSERT_EQUAL(message->type, MESSAGE_SIGN);
		CU_ASSERT_EQUAL(message->body.length,
				HEAD + (is_long ? 0 : lengths[i]));
		CU_ASSERT(message->body.length >= rule->min_body);
		CU_ASSERT(message->body.length <= rule->max_body);
		CU_ASSERT_EQUAL(message->fd_count, is_long);
		CU_ASSERT_EQUAL_FATAL(
			sign_message_read(
				message->body.bytes, message->body.length,
				is_long ? message->fds[0] : -1, &read, &error),
			0);
		CU_ASSERT_EQUAL(read.number, 77);
		CU_ASSERT_EQUAL(memcmp(read.key_id, key_id, KEY_ID_SIZE), 0);
		CU_ASSERT_EQUAL(read.request.scheme, 0x0804);
		CU_ASSERT_EQUAL(read.request.length, lengths[i]);
		CU_ASSERT_EQUAL(memcmp(read.request.message, bytes, lengths[i]),
				0);
		sign_message_clear(&read);
		sign_message_clear(&read);
		message_free(message);
	}
	CU_ASSERT_PTR_NULL(request_of(SIGN_MESSAGE_MAX + 1));
}

/* Every shorter and one longer body. */
static void
test_lengths(void)
{
	struct message *message = request_of(100);
	struct sign_message read;

	for (size_t i = 0; i < message->body.length; i++)
		CU_ASSERT_EQUAL(read_it(message, i, &read), -1);
	CU_ASSERT_EQUAL(read_it(message, message->body.length, &read), 0);
	message->body.bytes =
		mem_resize(message->body.bytes, message->body.length + 1, 1);
	message->body.bytes[message->body.length] = 0;
	CU_ASSERT_EQUAL(read_it(message, message->body.length + 1, &read), -1);
	message_free(message);

	message = request_of(SIGN_MESSAGE_MAX);
	for (size_t i = 0; i < message->body.length; i++)
		CU_ASSERT_EQUAL(read_it(message, i, &read), -1);
	CU_ASSERT_EQUAL(read_it(message, message->body.length, &read), 0);
	sign_message_clear(&read);
	message_free(message);
}

static void
with_descriptor(struct message *message, int descriptor, int expected)
{
	struct sign_message read;

	close(message_take_fd(message, 0));
	message->fds[0] = descriptor;
	CU_ASSERT_EQUAL(read_it(message, message->body.length, &read),
			expected);
	if (expected == 0)
		sign_message_clear(&read);
}

static void
test_descriptors(void)
{
	const size_t length = SIGN_MESSAGE_INLINE_MAX + 1;
	struct message *message = request_of(length), *short_one;
	struct sign_message read;

	/* Too short, too long, none, and not sealed. */
	with_descriptor(message, sealed_new("short", bytes, length - 1), -1);
	with_descriptor(message, sealed_new("long", bytes, length + 1), -1);
	with_descriptor(message, sealed_new("right", bytes, length), 0);
	with_descriptor(message, open("/dev/zero", O_RDONLY | O_CLOEXEC), -1);
	close(message_take_fd(message, 0));
	message->fd_count = 0;
	CU_ASSERT_EQUAL(read_it(message, message->body.length, &read), -1);
	message_free(message);

	/* A file for what is short, or beside what is inline. */
	short_one = request_of(10);
	CU_ASSERT(message_add_fd(short_one, sealed_new("ten", bytes, 10)));
	CU_ASSERT_EQUAL(read_it(short_one, short_one->body.length, &read), -1);
	CU_ASSERT_EQUAL(read_it(short_one, HEAD, &read), -1);
	message_free(short_one);
}

static void
test_no_descriptor_left(void)
{
	struct rlimit limit, none;

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
	CU_ASSERT_PTR_NULL(request_of(SIGN_MESSAGE_MAX));
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

UNIT_SUITE(sign_message, {"forms", test_forms}, {"lengths", test_lengths},
	   {"descriptors", test_descriptors},
	   {"no_descriptor_left", test_no_descriptor_left});
