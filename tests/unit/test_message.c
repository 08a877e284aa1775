/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages in memory, and the table of what may be said.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/message.h"

static const struct ipc_side worker = {.self = IPC_WORKER,
				       .other = IPC_MONITOR};
static const struct ipc_side monitor = {.self = IPC_MONITOR,
					.other = IPC_WORKER};

static int
some_descriptor(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool
is_open(int descriptor)
{
	return fcntl(descriptor, F_GETFD) >= 0;
}

static void
test_body(void)
{
	struct message *message = message_new(MESSAGE_BUILD);
	struct buf_reader reader;

	CU_ASSERT_EQUAL(message->body.capacity, 8);
	buf_write_u64(&message->body, 77);
	CU_ASSERT_FALSE(message->body.failed);
	reader = message_reader(message);
	CU_ASSERT_EQUAL(buf_read_u64(&reader), 77);
	CU_ASSERT_EQUAL(reader.length, 0);
	buf_write_u8(&message->body, 1);
	CU_ASSERT_TRUE(message->body.failed);
	message_free(message);
	message_free(NULL);
}

static void
test_received(void)
{
	struct message *message =
		message_new_received(MESSAGE_ITEMS, "\0\0\0\3abc", 7);
	struct buf_reader reader = message_reader(message);

	CU_ASSERT_EQUAL(message->type, MESSAGE_ITEMS);
	CU_ASSERT_EQUAL(buf_read_u32(&reader), 3);
	CU_ASSERT_EQUAL(reader.length, 3);
	message_free(message);
}

static void
test_descriptors(void)
{
	struct message *message = message_new(MESSAGE_ITEMS);
	int kept = some_descriptor(), left = some_descriptor();

	CU_ASSERT_TRUE(message_add_fd(message, kept));
	CU_ASSERT_TRUE(message_add_fd(message, left));
	CU_ASSERT_EQUAL(message_take_fd(message, 0), kept);
	CU_ASSERT_EQUAL(message_take_fd(message, 0), -1);
	CU_ASSERT_EQUAL(message_take_fd(message, 2), -1);
	message_free(message);
	CU_ASSERT_TRUE(is_open(kept));
	CU_ASSERT_FALSE(is_open(left));
	close(kept);
}

static void
test_full(void)
{
	struct message *message = message_new(MESSAGE_ITEMS);
	int extra;

	for (int i = 0; i < MESSAGE_FDS_MAX; i++)
		CU_ASSERT_TRUE_FATAL(
			message_add_fd(message, some_descriptor()));
	extra = some_descriptor();
	CU_ASSERT_FALSE(message_add_fd(message, extra));
	CU_ASSERT_TRUE(is_open(extra));
	close(extra);
	message_free(message);
}

static void
test_permitted(void)
{
	const struct message_rule *rule =
		msgtable_find(worker, MESSAGE_PREPARE);
	struct ipc_side helper = {.self = IPC_WORKER, .other = IPC_HELPER};

	CU_ASSERT_PTR_NOT_NULL_FATAL(rule);
	CU_ASSERT_EQUAL(rule->min_body, 12);
	CU_ASSERT_EQUAL(rule->max_fds, 0);
	CU_ASSERT_PTR_NOT_NULL(msgtable_find(worker, MESSAGE_ITEMS));
	CU_ASSERT_PTR_NOT_NULL(msgtable_find(worker, MESSAGE_DRAIN));
	CU_ASSERT_PTR_NOT_NULL(msgtable_find(monitor, MESSAGE_READY));
	CU_ASSERT_PTR_NOT_NULL(msgtable_find(monitor, MESSAGE_LIVE));
	CU_ASSERT_PTR_NOT_NULL(msgtable_find(helper, MESSAGE_HELLO));
	CU_ASSERT_PTR_NOT_NULL(msgtable_find(helper, MESSAGE_ADDRESSES));
}

static void
test_not_permitted(void)
{
	struct ipc_side helper = {.self = IPC_HELPER, .other = IPC_WORKER};
	struct ipc_side loader = {.self = IPC_MONITOR, .other = IPC_LOADER};
	struct ipc_side nobody = {.self = IPC_WORKER, .other = IPC_LOADER};

	/* The right message from the wrong end, and the other way round. */
	CU_ASSERT_PTR_NULL(msgtable_find(monitor, MESSAGE_PREPARE));
	CU_ASSERT_PTR_NULL(msgtable_find(monitor, MESSAGE_ITEMS));
	CU_ASSERT_PTR_NULL(msgtable_find(worker, MESSAGE_READY));
	CU_ASSERT_PTR_NULL(msgtable_find(helper, MESSAGE_ADDRESSES));
	CU_ASSERT_PTR_NULL(msgtable_find(helper, MESSAGE_PEER));
	CU_ASSERT_PTR_NULL(msgtable_find(loader, MESSAGE_READY));
	CU_ASSERT_PTR_NULL(msgtable_find(nobody, MESSAGE_HELLO));
	CU_ASSERT_PTR_NULL(msgtable_find(worker, 0));
	CU_ASSERT_PTR_NULL(msgtable_find(worker, MESSAGE_TYPE_COUNT));
	CU_ASSERT_PTR_NULL(msgtable_find(worker, 0xffff));
}

static void
test_table(void)
{
	for (unsigned int type = MESSAGE_HELLO; type < MESSAGE_TYPE_COUNT;
	     type++) {
		CU_ASSERT_TRUE(msgtable_body_max(type) > 0);
		CU_ASSERT_TRUE(msgtable_body_max(type) <= MESSAGE_BODY_MAX);
		CU_ASSERT_STRING_NOT_EQUAL(msgtable_name(type), "?");
	}
	CU_ASSERT_EQUAL(msgtable_body_max(MESSAGE_TYPE_COUNT), 0);
	CU_ASSERT_STRING_EQUAL(msgtable_name(MESSAGE_PREPARE), "PREPARE");
	CU_ASSERT_STRING_EQUAL(msgtable_name(MESSAGE_TYPE_COUNT), "?");
	CU_ASSERT_STRING_EQUAL(ipc_role_name(IPC_HELPER), "helper");
	CU_ASSERT_STRING_EQUAL(ipc_role_name(IPC_ROLE_COUNT), "?");
}

UNIT_SUITE(message, {"body", test_body}, {"received", test_received},
	   {"descriptors", test_descriptors}, {"full", test_full},
	   {"permitted", test_permitted}, {"not_permitted", test_not_permitted},
	   {"table", test_table});
