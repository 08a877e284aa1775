/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sending half and the packing; see generation_receive.c for the other.
 */
#include "daemon/process/generation_transfer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/conf/conf_facts.h"
#include "common/ipc/message.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_items.h"

/* Batches under way to one receiver. */
#define WINDOW 2

struct generation_parcel {
	const struct generation *generation;
	int *documents; /* a sealed memfd each */
	size_t document_count;
};

enum stage {
	STAGE_FACTS,
	STAGE_DOCUMENTS,
	STAGE_ORIGINALS,
	STAGE_FILES,
	STAGE_LISTENERS,
	STAGE_INDEX,
	STAGE_SESSIONS,
	STAGE_SENT, /* but for BUILD */
	STAGE_DONE,
};

struct generation_sender {
	struct channel *channel;
	const struct generation_parcel *parcel;
	struct generation_share share;
	struct generation_listener *listeners; /* a copy of the share's */
	unsigned int under_way;                /* PREPARE, or batches */
	enum stage stage;
	size_t index; /* of the next item of the stage */
	size_t child; /* of the next child of the directory */
};

/* Packing. */

static int
check_name(const char *name, struct error *error)
{
	if (strlen(name) <= ITEM_NAME_MAX)
		return 0;
	error_set(error, "a name longer than %d bytes: %.64s...", ITEM_NAME_MAX,
		  name);
	return -1;
}

static int
check_files(const struct file_set *files, struct error *error)
{
	for (size_t i = 0; i < file_set_count(files); i++) {
		const struct file_entry *entry = file_set_at(files, i);

		if (check_name(entry->name, error) != 0)
			return -1;
		for (size_t j = 0; j < entry->child_count; j++)
			if (check_name(entry->children[j], error) != 0)
				return -1;
	}
	return 0;
}

static int
pack_documents(struct generation_parcel *parcel, struct error *error)
{
	const struct conf_documents *documents = &parcel->generation->documents;

	for (size_t i = 0; i < documents->count; i++) {
		const struct conf_document *document = &documents->documents[i];
		int descriptor;

		if (check_name(document->name, error) != 0)
			return -1;
		descriptor = sealed_new("sealock-document", document->bytes,
					document->length);
		if (descriptor < 0) {
			error_set(error, "cannot keep %s in memory: %s",
				  document->name, strerror(errno));
			return -1;
		}
		parcel->documents[parcel->document_count++] = descriptor;
	}
	return 0;
}

struct generation_parcel *
generation_parcel_new(const struct generation *generation, struct error *error)
{
	struct generation_parcel *parcel = mem_alloc(sizeof(*parcel));

	parcel->generation = generation;
	parcel->documents = mem_array(generation->documents.count, sizeof(int));
	if (pack_documents(parcel, error) != 0 ||
	    (generation->files && check_files(generation->files, error) != 0)) {
		generation_parcel_free(parcel);
		return NULL;
	}
	return parcel;
}

void
generation_parcel_free(struct generation_parcel *parcel)
{
	if (!parcel)
		return;
	for (size_t i = 0; i < parcel->document_count; i++)
		close(parcel->documents[i]);
	mem_free(parcel->documents);
	mem_free(parcel);
}

/* Items. Each put_ function writes a whole item or nothing. */

enum put {
	PUT_DONE,
	PUT_FULL, /* it goes into the next message */
	PUT_FAILED,
};

static bool
has_room(const struct message *message, size_t size, size_t descriptors)
{
	return message->body.capacity - message->body.length >= size &&
	       message->fd_count + descriptors <= MESSAGE_FDS_MAX;
}

static enum put
put_descriptor(struct message *message, int descriptor)
{
	int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return PUT_FAILED;
	if (!message_add_fd(message, copy))
		abort();
	return PUT_DONE;
}

static size_t
string_size(const char *text)
{
	return 4 + strlen(text);
}

static enum put
put_document(struct message *message, const struct conf_document *document,
	     int descriptor)
{
	if (!has_room(message, 1 + string_size(document->name) + 8, 1))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_DOCUMENT);
	buf_write_string(&message->body, document->name);
	buf_write_u64(&message->body, document->length);
	return put_descriptor(message, descriptor);
}

/* Of the same length as what is left of it. */
static int
original_of(const struct generation_parcel *parcel, size_t document)
{
	const struct generation *generation = parcel->generation;

	for (size_t i = 0; i < generation->original_count; i++)
		if (generation->originals[i].document == document)
			return generation->originals[i].descriptor;
	return parcel->documents[document];
}

static enum put
put_original(struct message *message,
	     const struct generation_original *original)
{
	if (!has_room(message, 1 + 4, 1))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_ORIGINAL);
	buf_write_u32(&message->body, (uint32_t)original->document);
	return put_descriptor(message, original->descriptor);
}

static enum put
put_file(struct message *message, const struct file_entry *entry)
{
	if (!has_room(message, 1 + string_size(entry->name) + 1, 1))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_FILE);
	buf_write_string(&message->body, entry->name);
	buf_write_u8(&message->body, (uint8_t)entry->uses);
	return put_descriptor(message, entry->descriptor);
}

static enum put
put_missing(struct message *message, const struct file_entry *entry)
{
	if (!has_room(message, 1 + string_size(entry->name) + 1 + 4, 0))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_MISSING);
	buf_write_string(&message->body, entry->name);
	buf_write_u8(&message->body, (uint8_t)entry->uses);
	buf_write_u32(&message->body, (uint32_t)entry->error_number);
	return PUT_DONE;
}

static enum put
put_withheld(struct message *message, const struct file_entry *entry)
{
	if (!has_room(message, 1 + string_size(entry->name) + 1, 0))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_WITHHELD);
	buf_write_string(&message->body, entry->name);
	buf_write_u8(&message->body, (uint8_t)entry->uses);
	return PUT_DONE;
}

/* As many children, from *next on, as there is room for. */
static enum put
put_directory(struct message *message, const struct file_entry *entry,
	      size_t *next)
{
	size_t size = 1 + string_size(entry->name) + 1 + 1 + 4;
	size_t end = *next;

	while (end < entry->child_count &&
	       has_room(message, size + string_size(entry->children[end]), 0))
		size += string_size(entry->children[end++]);
	if (!has_room(message, size, 0) ||
	    (end == *next && end < entry->child_count))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_DIRECTORY);
	buf_write_string(&message->body, entry->name);
	buf_write_u8(&message->body, (uint8_t)entry->uses);
	buf_write_u8(&message->body, end == entry->child_count);
	buf_write_u32(&message->body, (uint32_t)(end - *next));
	while (*next < end)
		buf_write_string(&message->body, entry->children[(*next)++]);
	return end == entry->child_count ? PUT_DONE : PUT_FULL;
}

static enum put
put_listener(struct message *message,
	     const struct generation_listener *listener)
{
	if (!has_room(message, 1 + 4 + 4 + 8, 1))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_LISTENER);
	buf_write_u32(&message->body, (uint32_t)listener->service);
	buf_write_u32(&message->body, (uint32_t)listener->address);
	buf_write_u64(&message->body, listener->id);
	return put_descriptor(message, listener->descriptor);
}

static enum put
put_fact(struct message *message, const struct conf_fact *fact)
{
	if (!has_room(message,
		      1 + string_size(fact->question) +
			      string_size(fact->answer),
		      0))
		return PUT_FULL;
	buf_write_u8(&message->body, ITEM_FACT);
	buf_write_string(&message->body, fact->question);
	buf_write_string(&message->body, fact->answer);
	return PUT_DONE;
}

static enum put
put_kind(struct message *message, enum item_kind kind, int descriptor)
{
	if (!has_room(message, 1, 1))
		return PUT_FULL;
	buf_write_u8(&message->body, (uint8_t)kind);
	return put_descriptor(message, descriptor);
}

/* What a receiver is to know of an entry. */
enum access {
	ACCESS_NONE,
	ACCESS_WITHHELD,
	ACCESS_FULL,
};

static enum access
access_to(const struct generation_sender *sender,
	  const struct file_entry *entry)
{
	const unsigned int wanted = sender->share.extent == GENERATION_STAPLES
					    ? FILE_STAPLE
					    : FILE_PUBLIC;

	if (sender->share.extent >= GENERATION_SECRETS)
		return ACCESS_FULL;
	if (sender->share.extent == GENERATION_TEXT || !(entry->uses & wanted))
		return ACCESS_NONE;
	/* Names are no secret. */
	if (entry->kind == FILE_KIND_FILE && entry->uses & FILE_SECRET)
		return ACCESS_WITHHELD;
	return ACCESS_FULL;
}

static enum put
put_entry(struct generation_sender *sender, struct message *message,
	  const struct file_entry *entry)
{
	enum access access = access_to(sender, entry);

	if (access == ACCESS_NONE)
		return PUT_DONE;
	if (access == ACCESS_WITHHELD)
		return put_withheld(message, entry);
	switch (entry->kind) {
	case FILE_KIND_FILE:
		return put_file(message, entry);
	case FILE_KIND_DIRECTORY:
		return put_directory(message, entry, &sender->child);
	case FILE_KIND_MISSING:
		return put_missing(message, entry);
	case FILE_KIND_WITHHELD:
		return put_withheld(message, entry);
	}
	abort();
}

/* Sending. */

static size_t
stage_count(const struct generation_sender *sender)
{
	const struct generation *generation = sender->parcel->generation;

	switch (sender->stage) {
	case STAGE_FACTS:
		return generation->documents.facts
			       ? conf_facts_count(generation->documents.facts)
			       : 0;
	case STAGE_DOCUMENTS:
		return generation->documents.count;
	case STAGE_ORIGINALS:
		return sender->share.extent == GENERATION_ALL
			       ? generation->original_count
			       : 0;
	case STAGE_FILES:
		return generation->files ? file_set_count(generation->files)
					 : 0;
	case STAGE_LISTENERS:
		return sender->share.listener_count;
	case STAGE_INDEX:
		return sender->share.has_index;
	case STAGE_SESSIONS:
		return sender->share.has_sessions;
	case STAGE_SENT:
	case STAGE_DONE:
		break;
	}
	abort();
}

static int
document_descriptor(const struct generation_sender *sender, size_t document)
{
	if (sender->share.extent == GENERATION_SECRETS)
		return original_of(sender->parcel, document);
	return sender->parcel->documents[document];
}

static enum put
put_next(struct generation_sender *sender, struct message *message)
{
	const struct generation *generation = sender->parcel->generation;
	size_t index = sender->index;

	switch (sender->stage) {
	case STAGE_FACTS:
		return put_fact(
			message,
			conf_facts_at(generation->documents.facts, index));
	case STAGE_DOCUMENTS:
		return put_document(message,
				    &generation->documents.documents[index],
				    document_descriptor(sender, index));
	case STAGE_ORIGINALS:
		return put_original(message, &generation->originals[index]);
	case STAGE_FILES:
		return put_entry(sender, message,
				 file_set_at(generation->files, index));
	case STAGE_LISTENERS:
		return put_listener(message, &sender->listeners[index]);
	case STAGE_INDEX:
		return put_kind(message, ITEM_INDEX, sender->share.index);
	case STAGE_SESSIONS:
		return put_kind(message, ITEM_SESSIONS, sender->share.sessions);
	case STAGE_SENT:
	case STAGE_DONE:
		break;
	}
	abort();
}

/* Fill a message with what comes next. */
static enum put
fill(struct generation_sender *sender, struct message *message)
{
	while (sender->stage < STAGE_SENT) {
		enum put put;

		if (sender->index == stage_count(sender)) {
			sender->stage++;
			sender->index = 0;
			continue;
		}
		put = put_next(sender, message);
		if (put != PUT_DONE)
			return put;
		sender->index++;
		sender->child = 0;
	}
	return PUT_DONE;
}

static struct message *
numbered(const struct generation_sender *sender, enum message_type type)
{
	struct message *message = message_new(type);

	buf_write_u64(&message->body, sender->parcel->generation->number);
	return message;
}

static uint32_t
count_descriptors(const struct generation_sender *sender)
{
	const struct generation *generation = sender->parcel->generation;
	const struct file_set *files = generation->files;
	size_t count = sender->parcel->document_count +
		       sender->share.listener_count + sender->share.has_index +
		       sender->share.has_sessions;

	if (sender->share.extent == GENERATION_ALL)
		count += generation->original_count;
	for (size_t i = 0; files && i < file_set_count(files); i++) {
		const struct file_entry *entry = file_set_at(files, i);

		count += entry->kind == FILE_KIND_FILE &&
			 access_to(sender, entry) == ACCESS_FULL;
	}
	return (uint32_t)count;
}

static void
send_prepare(struct generation_sender *sender)
{
	struct message *message = numbered(sender, MESSAGE_PREPARE);

	buf_write_u32(&message->body, count_descriptors(sender));
	channel_send(sender->channel, message);
	sender->under_way = 1;
}

static int
send_batches(struct generation_sender *sender, struct error *error)
{
	while (sender->under_way < WINDOW && sender->stage < STAGE_SENT) {
		struct message *message = message_new(MESSAGE_ITEMS);

		if (fill(sender, message) == PUT_FAILED) {
			error_set(error, "cannot pass on a descriptor: %s",
				  strerror(errno));
			message_free(message);
			return -1;
		}
		if (message->body.length == 0) {
			/* The last batch had ended with the last item. */
			assert(sender->stage == STAGE_SENT);
			message_free(message);
			break;
		}
		channel_send(sender->channel, message);
		sender->under_way++;
	}
	if (sender->stage == STAGE_SENT) {
		channel_send(sender->channel, numbered(sender, MESSAGE_BUILD));
		sender->stage = STAGE_DONE;
	}
	return 0;
}

struct generation_sender *
generation_sender_new(struct channel *channel,
		      const struct generation_parcel *parcel,
		      const struct generation_share *share)
{
	struct generation_sender *sender = mem_alloc(sizeof(*sender));

	sender->channel = channel;
	sender->parcel = parcel;
	sender->share = *share;
	sender->listeners =
		mem_dup(share->listeners,
			share->listener_count * sizeof(*share->listeners));
	send_prepare(sender);
	return sender;
}

void
generation_sender_free(struct generation_sender *sender)
{
	if (!sender)
		return;
	mem_free(sender->listeners);
	mem_free(sender);
}

int
generation_sender_acknowledged(struct generation_sender *sender,
			       uint64_t number, struct error *error)
{
	if (number != sender->parcel->generation->number)
		return 0;
	if (sender->under_way == 0) {
		error_set(error, "an acknowledgement of nothing");
		return -1;
	}
	sender->under_way--;
	return send_batches(sender, error);
}
