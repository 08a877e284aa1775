/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receiving half of generation_transfer: items become a generation again.
 */
#include "daemon/process/generation_transfer.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/conf/conf_facts.h"
#include "common/ipc/message.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_items.h"

struct generation_receiver {
	struct generation *generation;
	size_t listener_capacity;
	char *directory; /* the one that comes in pieces, or NULL */
	unsigned int directory_uses;
	char **children;
	size_t child_count;
};

/* One ITEMS message while it is read. */
struct batch {
	struct generation_receiver *receiver;
	struct message *message;
	struct buf_reader reader;
	size_t next_fd;
};

struct generation_receiver *
generation_receiver_new(uint64_t number)
{
	struct generation_receiver *receiver = mem_alloc(sizeof(*receiver));

	receiver->generation = generation_new(number);
	receiver->generation->documents.facts = conf_facts_new();
	conf_facts_close(receiver->generation->documents.facts);
	return receiver;
}

static void
clear_directory(struct generation_receiver *receiver)
{
	for (size_t i = 0; i < receiver->child_count; i++)
		mem_free(receiver->children[i]);
	mem_free(TAKE(receiver->children));
	mem_free(TAKE(receiver->directory));
	receiver->child_count = 0;
}

void
generation_receiver_free(struct generation_receiver *receiver)
{
	if (!receiver)
		return;
	clear_directory(receiver);
	generation_free(receiver->generation);
	mem_free(receiver);
}

uint64_t
generation_receiver_number(const struct generation_receiver *receiver)
{
	return receiver->generation->number;
}

static int
take_descriptor(struct batch *batch)
{
	return message_take_fd(batch->message, batch->next_fd++);
}

static int
check_seals(int descriptor, uint64_t length, struct error *error)
{
	size_t found;

	if (sealed_length(descriptor, &found) == 0 && found == length)
		return 0;
	error_set(error, "a document that is not sealed as announced");
	return -1;
}

static int
read_document(int descriptor, uint64_t length, unsigned char *bytes,
	      struct error *error)
{
	if (check_seals(descriptor, length, error) != 0)
		return -1;
	if (sealed_read(descriptor, bytes, (size_t)length) == 0)
		return 0;
	error_set(error, "a document that cannot be read");
	return -1;
}

static int
add_document(struct batch *batch, struct error *error)
{
	char *name AUTO_FREE = buf_read_string(&batch->reader);
	uint64_t length = buf_read_u64(&batch->reader);
	unsigned char *bytes AUTO_FREE = NULL;
	int descriptor, status;

	if (batch->reader.failed || length > ITEM_DOCUMENT_MAX)
		return -1;
	descriptor = take_descriptor(batch);
	if (descriptor < 0)
		return -1;
	bytes = mem_alloc((size_t)length);
	status = read_document(descriptor, length, bytes, error);
	close(descriptor);
	if (status == 0)
		conf_documents_add(&batch->receiver->generation->documents,
				   name, bytes, (size_t)length);
	return status;
}

/* It is not read here, only passed on. */
static int
add_original(struct batch *batch, struct error *error)
{
	struct generation *generation = batch->receiver->generation;
	uint32_t document = buf_read_u32(&batch->reader);
	int descriptor;

	if (batch->reader.failed || document >= generation->documents.count)
		return -1;
	descriptor = take_descriptor(batch);
	if (descriptor < 0)
		return -1;
	if (check_seals(descriptor,
			generation->documents.documents[document].length,
			error) != 0) {
		close(descriptor);
		return -1;
	}
	generation->originals = mem_resize(generation->originals,
					   generation->original_count + 1,
					   sizeof(*generation->originals));
	generation->originals[generation->original_count++] =
		(struct generation_original){document, descriptor};
	return 0;
}

static int
add_file(struct batch *batch)
{
	char *name AUTO_FREE = buf_read_string(&batch->reader);
	uint8_t uses = buf_read_u8(&batch->reader);
	int descriptor;

	if (batch->reader.failed || uses > ITEM_USES_MAX)
		return -1;
	descriptor = take_descriptor(batch);
	if (descriptor < 0)
		return -1;
	file_set_add(batch->receiver->generation->files, name, descriptor,
		     uses);
	return 0;
}

static int
add_missing(struct batch *batch)
{
	char *name AUTO_FREE = buf_read_string(&batch->reader);
	uint8_t uses = buf_read_u8(&batch->reader);
	uint32_t error_number = buf_read_u32(&batch->reader);

	if (batch->reader.failed || uses > ITEM_USES_MAX ||
	    error_number > INT32_MAX)
		return -1;
	file_set_add_missing(batch->receiver->generation->files, name,
			     (int)error_number, uses);
	return 0;
}

static int
add_withheld(struct batch *batch)
{
	char *name AUTO_FREE = buf_read_string(&batch->reader);
	uint8_t uses = buf_read_u8(&batch->reader);

	if (batch->reader.failed || uses > ITEM_USES_MAX)
		return -1;
	file_set_add_withheld(batch->receiver->generation->files, name, uses);
	return 0;
}

/* One that there is once. */
static int
add_descriptor(struct batch *batch, int *descriptor)
{
	if (*descriptor >= 0)
		return -1;
	*descriptor = take_descriptor(batch);
	return *descriptor < 0 ? -1 : 0;
}

static void
finish_directory(struct generation_receiver *receiver)
{
	const char **children =
		mem_array(receiver->child_count, sizeof(*children));

	for (size_t i = 0; i < receiver->child_count; i++)
		children[i] = receiver->children[i];
	file_set_add_directory(receiver->generation->files, receiver->directory,
			       receiver->directory_uses, children,
			       receiver->child_count);
	mem_free(children);
	clear_directory(receiver);
}

static int
add_directory(struct batch *batch)
{
	struct generation_receiver *receiver = batch->receiver;
	char *name AUTO_FREE = buf_read_string(&batch->reader);
	uint8_t uses = buf_read_u8(&batch->reader);
	uint8_t is_last = buf_read_u8(&batch->reader);
	uint32_t count = buf_read_u32(&batch->reader);

	/* Each child takes four bytes at least, so the message bounds them. */
	if (batch->reader.failed || uses > ITEM_USES_MAX || is_last > 1 ||
	    count > batch->reader.length / 4)
		return -1;
	if (receiver->directory && strcmp(receiver->directory, name) != 0)
		return -1;
	if (!receiver->directory)
		receiver->directory = TAKE(name);
	receiver->directory_uses = uses;
	receiver->children =
		mem_resize(receiver->children, receiver->child_count + count,
			   sizeof(*receiver->children));
	for (uint32_t i = 0; i < count; i++) {
		char *child = buf_read_string(&batch->reader);

		if (!child)
			return -1;
		receiver->children[receiver->child_count++] = child;
	}
	if (is_last)
		finish_directory(receiver);
	return 0;
}

static int
add_listener(struct batch *batch)
{
	struct generation *generation = batch->receiver->generation;
	struct generation_listener listener = {
		.service = buf_read_u32(&batch->reader),
		.address = buf_read_u32(&batch->reader),
		.id = buf_read_u64(&batch->reader),
	};

	if (batch->reader.failed)
		return -1;
	listener.descriptor = take_descriptor(batch);
	if (listener.descriptor < 0)
		return -1;
	if (generation->listener_count == batch->receiver->listener_capacity) {
		size_t capacity = 2 * batch->receiver->listener_capacity + 8;

		generation->listeners =
			mem_resize(generation->listeners, capacity,
				   sizeof(*generation->listeners));
		batch->receiver->listener_capacity = capacity;
	}
	generation->listeners[generation->listener_count++] = listener;
	return 0;
}

static int
add_fact(struct batch *batch)
{
	char *question AUTO_FREE = buf_read_string(&batch->reader);
	char *answer AUTO_FREE = buf_read_string(&batch->reader);

	if (batch->reader.failed)
		return -1;
	conf_facts_add(batch->receiver->generation->documents.facts, question,
		       answer);
	return 0;
}

static int
add_item(struct batch *batch, struct error *error)
{
	uint8_t kind = buf_read_u8(&batch->reader);

	/* The pieces of a directory follow each other. */
	if (batch->receiver->directory && kind != ITEM_DIRECTORY)
		return -1;
	switch (kind) {
	case ITEM_DOCUMENT:
		return add_document(batch, error);
	case ITEM_FILE:
		return add_file(batch);
	case ITEM_MISSING:
		return add_missing(batch);
	case ITEM_DIRECTORY:
		return add_directory(batch);
	case ITEM_LISTENER:
		return add_listener(batch);
	case ITEM_WITHHELD:
		return add_withheld(batch);
	case ITEM_ORIGINAL:
		return add_original(batch, error);
	case ITEM_INDEX:
		return add_descriptor(batch,
				      &batch->receiver->generation->index);
	case ITEM_SESSIONS:
		return add_descriptor(batch,
				      &batch->receiver->generation->sessions);
	case ITEM_FACT:
		return add_fact(batch);
	default:
		return -1;
	}
}

int
generation_receiver_add(struct generation_receiver *receiver,
			struct message *items, struct error *error)
{
	struct batch batch = {
		.receiver = receiver,
		.message = items,
		.reader = message_reader(items),
	};

	while (batch.reader.length > 0) {
		struct error cause = {0};

		if (add_item(&batch, &cause) == 0)
			continue;
		error_set(error, "%s",
			  cause.text[0] ? cause.text
					: "an item that makes no sense");
		return -1;
	}
	if (batch.next_fd < items->fd_count) {
		error_set(error, "descriptors that no item names");
		return -1;
	}
	return 0;
}

struct generation *
generation_receiver_finish(struct generation_receiver *receiver,
			   struct error *error)
{
	if (receiver->directory) {
		error_set(error, "an incomplete list of %s",
			  receiver->directory);
		return NULL;
	}
	if (receiver->generation->documents.count == 0) {
		error_set(error, "a generation without a document");
		return NULL;
	}
	return TAKE(receiver->generation);
}
