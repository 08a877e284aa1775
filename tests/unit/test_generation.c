/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation across a channel, from the sender's structs to the receiver's.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf_facts.h"
#include "common/ipc/message.h"
#include "daemon/process/channel.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"

/* The monitor's end sends, the worker's end receives. */
struct transfer {
	struct event_base *base;
	struct channel *from;
	struct channel *to;
	struct generation_parcel *parcel;
	struct generation_sender *sender;
	struct generation_receiver *receiver;
	struct generation *received;
	size_t announced; /* descriptors */
	size_t arrived;
	unsigned int batches;
	unsigned int most_unanswered; /* batches that waited for an answer */
	unsigned int unanswered;
	unsigned int failures;
};

static void
acknowledge(struct channel *channel, const struct transfer *transfer)
{
	struct message *message = message_new(MESSAGE_ITEMS_ACK);

	buf_write_u64(&message->body,
		      generation_receiver_number(transfer->receiver));
	channel_send(channel, message);
}

static void
to_message(struct channel *channel, struct message *message, void *argument)
{
	struct transfer *transfer = argument;
	struct buf_reader reader = message_reader(message);
	struct error error = {0};

	switch ((unsigned int)message->type) {
	case MESSAGE_PREPARE:
		transfer->receiver =
			generation_receiver_new(buf_read_u64(&reader));
		transfer->announced = buf_read_u32(&reader);
		acknowledge(channel, transfer);
		break;
	case MESSAGE_ITEMS:
		transfer->batches++;
		if (++transfer->unanswered > transfer->most_unanswered)
			transfer->most_unanswered = transfer->unanswered;
		if (generation_receiver_add(transfer->receiver, message,
					    &error) != 0) {
			fprintf(stderr, "%s\n", error.text);
			transfer->failures++;
		}
		transfer->arrived += message->fd_count;
		acknowledge(channel, transfer);
		break;
	case MESSAGE_BUILD:
		transfer->received =
			generation_receiver_finish(transfer->receiver, &error);
		if (!transfer->received)
			transfer->failures++;
		break;
	default:
		transfer->failures++;
	}
}

static void
from_message(struct channel *channel, struct message *message, void *argument)
{
	struct transfer *transfer = argument;
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);

	(void)channel;
	if (transfer->unanswered > 0)
		transfer->unanswered--;
	/* An answer to another generation changes nothing. */
	if (generation_sender_acknowledged(transfer->sender, number + 1,
					   NULL) != 0 ||
	    generation_sender_acknowledged(transfer->sender, number, NULL) != 0)
		transfer->failures++;
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct transfer *transfer = argument;

	(void)channel;
	fprintf(stderr, "closed: %s\n", why);
	transfer->failures++;
}

static void
transfer_open(struct transfer *transfer)
{
	static const struct channel_events to = {to_message, on_closed};
	static const struct channel_events from = {from_message, on_closed};
	struct ipc_side worker = {.self = IPC_WORKER, .other = IPC_MONITOR};
	struct ipc_side monitor = {.self = IPC_MONITOR, .other = IPC_WORKER};
	int sockets[2];

	memset(transfer, 0, sizeof(*transfer));
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets),
		0);
	transfer->base = event_base_new();
	transfer->from = channel_new(transfer->base, sockets[0], monitor, &from,
				     transfer);
	transfer->to =
		channel_new(transfer->base, sockets[1], worker, &to, transfer);
}

static void
transfer_close(struct transfer *transfer)
{
	generation_sender_free(transfer->sender);
	generation_receiver_free(transfer->receiver);
	generation_parcel_free(transfer->parcel);
	generation_free(transfer->received);
	channel_free(transfer->from);
	channel_free(transfer->to);
	event_base_free(transfer->base);
}

/* Until it is there, or nothing moves any more. */
static void
transfer_run(struct transfer *transfer, const struct generation *generation,
	     const struct generation_share *share)
{
	struct error error = {0};

	transfer->parcel = generation_parcel_new(generation, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(transfer->parcel);
	transfer->sender =
		generation_sender_new(transfer->from, transfer->parcel, share);
	CU_ASSERT_PTR_NOT_NULL_FATAL(transfer->sender);
	for (int i = 0; i < 10000 && !transfer->received; i++)
		event_base_loop(transfer->base, EVLOOP_NONBLOCK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(transfer->received);
	event_base_loop(transfer->base, EVLOOP_NONBLOCK);
	CU_ASSERT_EQUAL(transfer->failures, 0);
	CU_ASSERT_TRUE(transfer->most_unanswered <= 2);
	CU_ASSERT_EQUAL(transfer->announced, transfer->arrived);
}

static struct generation *
small_generation(uint64_t number)
{
	struct generation *generation = generation_new(number);

	conf_documents_add(&generation->documents, "/etc/a.yaml", "a: 1\n", 5);
	return generation;
}

/* A file that holds its own number. */
static int
numbered_file(unsigned int number)
{
	int descriptor = memfd_create("test", MFD_CLOEXEC);

	CU_ASSERT_TRUE_FATAL(descriptor >= 0);
	CU_ASSERT_EQUAL(pwrite(descriptor, &number, sizeof(number), 0),
			sizeof(number));
	return descriptor;
}

static unsigned int
file_number(const struct file_set *files, const char *name)
{
	const struct file_entry *entry = file_set_find(files, name);
	unsigned int number = 0;

	if (!entry || entry->kind != FILE_KIND_FILE)
		return 0;
	CU_ASSERT_EQUAL(pread(entry->descriptor, &number, sizeof(number), 0),
			sizeof(number));
	return number;
}

static void
test_documents(void)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	struct generation *generation = small_generation(7);
	struct transfer transfer;
	const struct conf_document *documents;

	conf_documents_add(&generation->documents, "/etc/b \"b\".yaml", "", 0);
	conf_documents_add(&generation->documents, "c", "x\0y\n", 4);
	generation->documents.facts = conf_facts_new();
	conf_facts_add(generation->documents.facts, "port:odd", "77");
	conf_facts_add(generation->documents.facts, "system_ca", "");
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	CU_ASSERT_EQUAL(transfer.received->number, 7);
	CU_ASSERT_EQUAL_FATAL(transfer.received->documents.count, 3);
	documents = transfer.received->documents.documents;
	CU_ASSERT_STRING_EQUAL(documents[0].name, "/etc/a.yaml");
	CU_ASSERT_EQUAL(documents[0].length, 5);
	CU_ASSERT_EQUAL(memcmp(documents[0].bytes, "a: 1\n", 5), 0);
	CU_ASSERT_STRING_EQUAL(documents[1].name, "/etc/b \"b\".yaml");
	CU_ASSERT_EQUAL(documents[1].length, 0);
	CU_ASSERT_EQUAL(memcmp(documents[2].bytes, "x\0y\n", 4), 0);
	CU_ASSERT_EQUAL(
		conf_facts_port(transfer.received->documents.facts, "odd"), 77);
	CU_ASSERT_PTR_NULL(
		conf_facts_system_ca(transfer.received->documents.facts));
	CU_ASSERT_EQUAL(transfer.batches, 1);
	transfer_close(&transfer);
	generation_free(generation);
}

static void
test_large_document(void)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	size_t length = 3000000;
	char *bytes AUTO_FREE = mem_alloc(length);
	struct generation *generation = small_generation(1);
	struct transfer transfer;

	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)('a' + i % 23);
	conf_documents_add(&generation->documents, "large", bytes, length);
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	CU_ASSERT_EQUAL_FATAL(transfer.received->documents.count, 2);
	CU_ASSERT_EQUAL_FATAL(transfer.received->documents.documents[1].length,
			      length);
	CU_ASSERT_EQUAL(memcmp(transfer.received->documents.documents[1].bytes,
			       bytes, length),
			0);
	transfer_close(&transfer);
	generation_free(generation);
}

static void
test_thousand_files(void)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	struct generation *generation = small_generation(2);
	struct transfer transfer;
	struct rlimit limit;
	char name[64];

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned int i = 1; i <= 1000; i++) {
		snprintf(name, sizeof(name), "/files/%u.pem", i);
		file_set_add(generation->files, name, numbered_file(i), i % 4);
	}
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	CU_ASSERT_EQUAL(file_set_count(transfer.received->files), 1000);
	for (unsigned int i = 1; i <= 1000; i++) {
		snprintf(name, sizeof(name), "/files/%u.pem", i);
		CU_ASSERT_EQUAL(file_number(transfer.received->files, name), i);
		CU_ASSERT_EQUAL(
			file_set_find(transfer.received->files, name)->uses,
			i % 4);
	}
	CU_ASSERT_EQUAL(transfer.batches, 4);
	CU_ASSERT_EQUAL(transfer.most_unanswered, 2);
	transfer_close(&transfer);
	generation_free(generation);
}

static void
test_missing(void)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	struct generation *generation = small_generation(2);
	const struct file_entry *entry;
	struct transfer transfer;

	file_set_add_missing(generation->files, "/none", EACCES, FILE_SECRET);
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	entry = file_set_find(transfer.received->files, "/none");
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(entry->error_number, EACCES);
	CU_ASSERT_EQUAL(entry->uses, FILE_SECRET);
	transfer_close(&transfer);
	generation_free(generation);
}

static void
test_long_directory(void)
{
	enum {
		CHILDREN = 5000
	};
	static char names[CHILDREN][64];
	static const char *children[CHILDREN];
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	struct generation *generation = small_generation(2);
	const struct file_entry *entry;
	struct transfer transfer;

	for (unsigned int i = 0; i < CHILDREN; i++) {
		snprintf(names[i], sizeof(names[i]),
			 "/directory/of/certificates/number-%05u.pem", i);
		children[i] = names[i];
	}
	file_set_add_directory(generation->files, "/empty", FILE_PUBLIC, NULL,
			       0);
	file_set_add_directory(generation->files, "/directory", FILE_PUBLIC,
			       children, CHILDREN);
	file_set_add(generation->files, "/after", numbered_file(9),
		     FILE_PUBLIC);
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	CU_ASSERT_TRUE(transfer.batches > 3);
	entry = file_set_find(transfer.received->files, "/empty");
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_DIRECTORY);
	CU_ASSERT_EQUAL(entry->child_count, 0);
	entry = file_set_find(transfer.received->files, "/directory");
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL_FATAL(entry->child_count, CHILDREN);
	for (unsigned int i = 0; i < CHILDREN; i++)
		CU_ASSERT_STRING_EQUAL(entry->children[i], names[i]);
	CU_ASSERT_EQUAL(file_number(transfer.received->files, "/after"), 9);
	transfer_close(&transfer);
	generation_free(generation);
}

static void
test_listeners(void)
{
	struct generation *generation = small_generation(3);
	struct generation_listener listeners[600];
	const struct generation_share share = {
		.listeners = listeners,
		.listener_count = 600,
	};
	const struct generation *received;
	struct transfer transfer;
	struct stat ours, theirs;

	/* Files are not for this receiver. */
	file_set_add(generation->files, "/secret", numbered_file(1),
		     FILE_SECRET);
	for (size_t i = 0; i < 600; i++)
		listeners[i] = (struct generation_listener){
			.service = i / 7,
			.address = i % 7,
			.id = (uint64_t)i << 33,
			.descriptor = numbered_file((unsigned int)i),
		};
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	received = transfer.received;
	CU_ASSERT_EQUAL(file_set_count(received->files), 0);
	CU_ASSERT_EQUAL_FATAL(received->listener_count, 600);
	for (size_t i = 0; i < 600; i++) {
		CU_ASSERT_EQUAL(received->listeners[i].service, i / 7);
		CU_ASSERT_EQUAL(received->listeners[i].address, i % 7);
		CU_ASSERT_EQUAL(received->listeners[i].id, (uint64_t)i << 33);
		fstat(received->listeners[i].descriptor, &theirs);
		fstat(listeners[i].descriptor, &ours);
		CU_ASSERT_EQUAL(theirs.st_ino, ours.st_ino);
		close(listeners[i].descriptor);
	}
	transfer_close(&transfer);
	generation_free(generation);
}

/* A file, a directory and a missing one for each combination of uses. */
static void
add_uses(struct file_set *files)
{
	static const char *const children[] = {"/x"};
	char name[32];

	for (unsigned int uses = 0; uses < 8; uses++) {
		snprintf(name, sizeof(name), "/file%u", uses);
		file_set_add(files, name, numbered_file(uses + 1), uses);
		snprintf(name, sizeof(name), "/directory%u", uses);
		file_set_add_directory(files, name, uses, children, 1);
		snprintf(name, sizeof(name), "/missing%u", uses);
		file_set_add_missing(files, name, ENOENT, uses);
	}
}

static int
kind_of(const struct file_set *files, const char *name)
{
	const struct file_entry *entry = file_set_find(files, name);

	return entry ? (int)entry->kind : -1;
}

/* Neither the secrets nor the chains go to those who only speak TLS. */
static void
test_public(void)
{
	const struct generation_share share = {.extent = GENERATION_PUBLIC};
	struct generation *generation = small_generation(3);
	const struct file_set *files;
	struct transfer transfer;

	add_uses(generation->files);
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	files = transfer.received->files;
	CU_ASSERT_EQUAL(file_set_count(files), 12);
	CU_ASSERT_EQUAL(kind_of(files, "/file2"), FILE_KIND_FILE);
	CU_ASSERT_EQUAL(kind_of(files, "/file3"), FILE_KIND_WITHHELD);
	CU_ASSERT_EQUAL(kind_of(files, "/directory2"), FILE_KIND_DIRECTORY);
	CU_ASSERT_EQUAL(kind_of(files, "/directory3"), FILE_KIND_DIRECTORY);
	CU_ASSERT_EQUAL(kind_of(files, "/missing2"), FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(kind_of(files, "/missing3"), FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(file_set_find(files, "/directory3")->uses, 3);
	CU_ASSERT_EQUAL(transfer.announced, 3);
	CU_ASSERT_EQUAL(transfer.received->index, -1);
	CU_ASSERT_EQUAL(transfer.received->sessions, -1);
	transfer_close(&transfer);
	generation_free(generation);
}

/* Nor to the helper, who gets answers about certificates and nothing else. */
static void
test_staples(void)
{
	const struct generation_share share = {.extent = GENERATION_STAPLES};
	struct generation *generation = small_generation(3);
	const struct file_set *files;
	struct transfer transfer;

	add_uses(generation->files);
	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	files = transfer.received->files;
	CU_ASSERT_EQUAL(file_set_count(files), 12);
	CU_ASSERT_EQUAL(kind_of(files, "/file2"), -1);
	CU_ASSERT_EQUAL(kind_of(files, "/file4"), FILE_KIND_FILE);
	CU_ASSERT_EQUAL(kind_of(files, "/file5"), FILE_KIND_WITHHELD);
	CU_ASSERT_EQUAL(kind_of(files, "/file6"), FILE_KIND_FILE);
	CU_ASSERT_EQUAL(kind_of(files, "/file7"), FILE_KIND_WITHHELD);
	CU_ASSERT_EQUAL(kind_of(files, "/missing4"), FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(transfer.announced, 3);
	transfer_close(&transfer);
	generation_free(generation);
}

#define SECRET_TEXT                               \
	"defaults: {tls: {certificates: {store: " \
	"'pkcs11:a?pin-value=1234'}}}\n"
#define BLANKED_TEXT                              \
	"defaults: {tls: {certificates: {store: " \
	"'pkcs11:a?xxxxxxxxxxxxxx'}}}\n"

/* A document with a secret. */
static void
add_original(struct generation *generation)
{
	struct error_list problems = {0};

	conf_documents_add(&generation->documents, "/etc/b.yaml", SECRET_TEXT,
			   sizeof(SECRET_TEXT) - 1);
	CU_ASSERT_EQUAL(generation_blank(generation, &problems), 0);
	CU_ASSERT_EQUAL(generation->original_count, 1);
}

static void
test_originals(void)
{
	static const struct {
		enum generation_extent extent;
		const char *text;
		size_t originals;
		size_t files;
	} cases[] = {
		{GENERATION_TEXT, BLANKED_TEXT, 0, 0},
		{GENERATION_STAPLES, BLANKED_TEXT, 0, 12},
		{GENERATION_PUBLIC, BLANKED_TEXT, 0, 12},
		{GENERATION_SECRETS, SECRET_TEXT, 0, 24},
		{GENERATION_ALL, BLANKED_TEXT, 1, 24},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct generation_share share = {.extent = cases[i].extent};
		struct generation *generation = small_generation(4);
		const struct generation *received;
		struct transfer transfer;
		char bytes[sizeof(SECRET_TEXT)] = "";

		add_uses(generation->files);
		add_original(generation);
		transfer_open(&transfer);
		transfer_run(&transfer, generation, &share);
		received = transfer.received;
		CU_ASSERT_EQUAL_FATAL(received->documents.count, 2);
		CU_ASSERT_EQUAL(memcmp(received->documents.documents[1].bytes,
				       cases[i].text, strlen(cases[i].text)),
				0);
		CU_ASSERT_EQUAL(file_set_count(received->files),
				cases[i].files);
		CU_ASSERT_EQUAL_FATAL(received->original_count,
				      cases[i].originals);
		if (received->original_count > 0) {
			CU_ASSERT_EQUAL(received->originals[0].document, 1);
			CU_ASSERT_EQUAL(pread(received->originals[0].descriptor,
					      bytes, sizeof(bytes), 0),
					sizeof(bytes) - 1);
			CU_ASSERT_STRING_EQUAL(bytes, SECRET_TEXT);
		}
		transfer_close(&transfer);
		generation_free(generation);
	}
}

static void
test_index(void)
{
	struct generation *generation = small_generation(4);
	struct generation_share share = {
		.has_index = true,
		.index = numbered_file(77),
		.has_sessions = true,
		.sessions = numbered_file(78),
	};
	struct transfer transfer;
	unsigned int number = 0;

	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	CU_ASSERT_TRUE_FATAL(transfer.received->index > 2);
	CU_ASSERT_EQUAL(
		pread(transfer.received->index, &number, sizeof(number), 0),
		sizeof(number));
	CU_ASSERT_EQUAL(number, 77);
	CU_ASSERT_TRUE_FATAL(transfer.received->sessions > 2);
	CU_ASSERT_EQUAL(
		pread(transfer.received->sessions, &number, sizeof(number), 0),
		sizeof(number));
	CU_ASSERT_EQUAL(number, 78);
	transfer_close(&transfer);
	close(share.index);
	close(share.sessions);
	generation_free(generation);
}

static void
test_name_too_long(void)
{
	struct generation *generation = small_generation(3);
	char *name AUTO_FREE = mem_alloc(20000);
	struct error error = {0};

	memset(name, 'a', 19999);
	file_set_add_missing(generation->files, name, ENOENT, FILE_PUBLIC);
	CU_ASSERT_PTR_NULL(generation_parcel_new(generation, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "longer than"));
	generation_free(generation);
}

static void
test_no_descriptor_left(void)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	struct generation *generation = small_generation(3);
	struct rlimit before, none;
	struct transfer transfer;
	struct error error = {0};

	file_set_add(generation->files, "/file", numbered_file(1), FILE_PUBLIC);
	transfer_open(&transfer);
	transfer.parcel = generation_parcel_new(generation, &error);
	transfer.sender =
		generation_sender_new(transfer.from, transfer.parcel, &share);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	CU_ASSERT_EQUAL(
		generation_sender_acknowledged(transfer.sender, 3, &error), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "descriptor"));
	CU_ASSERT_PTR_NULL(generation_parcel_new(generation, &error));
	setrlimit(RLIMIT_NOFILE, &before);
	transfer_close(&transfer);
	generation_free(generation);
}

static void
test_unasked_acknowledgement(void)
{
	const struct generation_share share = {.extent = GENERATION_SECRETS};
	struct generation *generation = small_generation(3);
	struct transfer transfer;
	struct error error = {0};

	transfer_open(&transfer);
	transfer_run(&transfer, generation, &share);
	CU_ASSERT_EQUAL(
		generation_sender_acknowledged(transfer.sender, 3, &error), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "nothing"));
	transfer_close(&transfer);
	generation_free(generation);
}

/* Items by hand. */

struct raw {
	unsigned char bytes[256];
	struct buf_writer writer;
	int descriptors[4];
	size_t descriptor_count;
};

static void
raw_init(struct raw *raw)
{
	memset(raw, 0, sizeof(*raw));
	buf_write_init(&raw->writer, raw->bytes, sizeof(raw->bytes));
}

/* What the receiver says to it: 0 or -1. */
static int
receive_raw(struct raw *raw, struct generation_receiver *receiver)
{
	struct message *message = message_new_received(
		MESSAGE_ITEMS, raw->bytes, raw->writer.length);
	struct error error = {0};
	int status;

	for (size_t i = 0; i < raw->descriptor_count; i++)
		CU_ASSERT_TRUE(message_add_fd(message, raw->descriptors[i]));
	status = generation_receiver_add(receiver, message, &error);
	if (status != 0)
		CU_ASSERT_STRING_NOT_EQUAL(error.text, "");
	message_free(message);
	return status;
}

static void
expect_refusal(struct raw *raw)
{
	struct generation_receiver *receiver = generation_receiver_new(1);

	CU_ASSERT_EQUAL(receive_raw(raw, receiver), -1);
	generation_receiver_free(receiver);
}

static void
test_refuse_unknown(void)
{
	struct raw raw;

	raw_init(&raw);
	buf_write_u8(&raw.writer, 0);
	expect_refusal(&raw);
	raw_init(&raw);
	buf_write_u8(&raw.writer, 9);
	expect_refusal(&raw);
}

static void
test_refuse_cut(void)
{
	/* Every prefix of a good item. */
	for (size_t length = 1; length < 18; length++) {
		struct raw raw;

		raw_init(&raw);
		buf_write_u8(&raw.writer, 3);
		buf_write_string(&raw.writer, "/missing");
		buf_write_u8(&raw.writer, 0);
		buf_write_u32(&raw.writer, ENOENT);
		CU_ASSERT_EQUAL(raw.writer.length, 18);
		raw.writer.length = length;
		expect_refusal(&raw);
	}
}

static void
test_refuse_descriptors(void)
{
	struct raw raw;

	/* A file without one. */
	raw_init(&raw);
	buf_write_u8(&raw.writer, 2);
	buf_write_string(&raw.writer, "/file");
	buf_write_u8(&raw.writer, 0);
	expect_refusal(&raw);
	/* One too many; the receiver has the first then. */
	raw.descriptors[0] = dup(2);
	raw.descriptors[1] = dup(2);
	raw.descriptor_count = 2;
	expect_refusal(&raw);
	/* A listener without one. */
	raw_init(&raw);
	buf_write_u8(&raw.writer, 5);
	buf_write_u32(&raw.writer, 0);
	buf_write_u32(&raw.writer, 0);
	buf_write_u64(&raw.writer, 1);
	expect_refusal(&raw);
}

static void
raw_document(struct raw *raw, uint64_t length, int descriptor)
{
	raw_init(raw);
	buf_write_u8(&raw->writer, 1);
	buf_write_string(&raw->writer, "/document");
	buf_write_u64(&raw->writer, length);
	raw->descriptors[0] = descriptor;
	raw->descriptor_count = 1;
}

static void
test_refuse_documents(void)
{
	struct raw raw;

	/* Not sealed, and no memory at all. */
	raw_document(&raw, 4, numbered_file(1));
	expect_refusal(&raw);
	raw_document(&raw, 4, dup(2));
	expect_refusal(&raw);
	/* Larger than a document may be. */
	raw_document(&raw, (16 << 20) + 2, numbered_file(1));
	expect_refusal(&raw);
	raw_document(&raw, UINT64_MAX, numbered_file(1));
	expect_refusal(&raw);
}

static void
test_refuse_others(void)
{
	struct generation_receiver *receiver = generation_receiver_new(1);
	struct raw raw;

	/* An original without its document. */
	raw_init(&raw);
	buf_write_u8(&raw.writer, 7);
	buf_write_u32(&raw.writer, 0);
	raw.descriptors[0] = numbered_file(1);
	raw.descriptor_count = 1;
	expect_refusal(&raw);
	/* A use that nobody knows. */
	raw_init(&raw);
	buf_write_u8(&raw.writer, 6);
	buf_write_string(&raw.writer, "/withheld");
	buf_write_u8(&raw.writer, 8);
	expect_refusal(&raw);
	/* An index, or sessions, without a descriptor, and a second one. */
	for (uint8_t kind = 8; kind <= 10; kind += 2) {
		raw_init(&raw);
		buf_write_u8(&raw.writer, kind);
		expect_refusal(&raw);
		for (int i = 0; i < 2; i++) {
			raw.descriptors[0] = numbered_file(1);
			raw.descriptor_count = 1;
			CU_ASSERT_EQUAL(receive_raw(&raw, receiver), -i);
		}
	}
	generation_receiver_free(receiver);
}

static void
raw_directory(struct raw *raw, const char *name, uint8_t is_last,
	      uint32_t count, const char *child)
{
	raw_init(raw);
	buf_write_u8(&raw->writer, 4);
	buf_write_string(&raw->writer, name);
	buf_write_u8(&raw->writer, FILE_SECRET);
	buf_write_u8(&raw->writer, is_last);
	buf_write_u32(&raw->writer, count);
	if (child)
		buf_write_string(&raw->writer, child);
}

static void
test_refuse_directories(void)
{
	struct generation_receiver *receiver = generation_receiver_new(1);
	struct error error = {0};
	struct raw raw;

	raw_directory(&raw, "/d", 1, UINT32_MAX, "/d/a");
	expect_refusal(&raw);
	raw_directory(&raw, "/d", 1, 2, "/d/a");
	expect_refusal(&raw);
	raw_directory(&raw, "/d", 2, 1, "/d/a");
	expect_refusal(&raw);

	/* Another one, or the end, in the middle of one. */
	raw_directory(&raw, "/d", 0, 1, "/d/a");
	CU_ASSERT_EQUAL(receive_raw(&raw, receiver), 0);
	CU_ASSERT_PTR_NULL(generation_receiver_finish(receiver, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "incomplete"));
	raw_directory(&raw, "/e", 1, 1, "/e/a");
	CU_ASSERT_EQUAL(receive_raw(&raw, receiver), -1);
	generation_receiver_free(receiver);
}

static void
test_no_document(void)
{
	struct generation_receiver *receiver = generation_receiver_new(1);
	struct error error = {0};

	CU_ASSERT_PTR_NULL(generation_receiver_finish(receiver, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "without a document"));
	generation_receiver_free(receiver);
}

static void
test_problems(void)
{
	struct message *message = message_new(MESSAGE_FAILED);
	struct position at = {.file = "a.yaml", .line = 3, .column = 9};
	struct error_list list = {0}, read = {0};
	struct buf_reader reader;

	error_list_addf(&list, &at, "unknown key");
	error_list_addf(&list, &(struct position){0}, "no place");
	generation_problems_write(&message->body, &list);
	reader = message_reader(message);
	CU_ASSERT_EQUAL(generation_problems_read(&reader, &read), 0);
	CU_ASSERT_EQUAL_FATAL(read.count, 2);
	CU_ASSERT_STRING_EQUAL(read.errors[0].text, "a.yaml:3:9: unknown key");
	CU_ASSERT_EQUAL(read.errors[0].at.line, 0);
	CU_ASSERT_STRING_EQUAL(read.errors[1].text, "no place");
	error_list_clear(&list);
	error_list_clear(&read);
	message_free(message);
}

static void
test_many_problems(void)
{
	struct message *message = message_new(MESSAGE_FAILED);
	struct error_list list = {0}, read = {0};
	struct buf_reader reader;
	unsigned int more = 0;

	for (unsigned int i = 0; i < 3000; i++)
		error_list_addf(&list, &(struct position){0},
				"problem number %u of many others", i);
	generation_problems_write(&message->body, &list);
	CU_ASSERT_FALSE(message->body.failed);
	reader = message_reader(message);
	CU_ASSERT_EQUAL(generation_problems_read(&reader, &read), 0);
	CU_ASSERT_TRUE_FATAL(read.count > 1000 && read.count < 3000);
	CU_ASSERT_EQUAL(sscanf(read.errors[read.count - 1].text,
			       "... and %u more", &more),
			1);
	CU_ASSERT_EQUAL(read.count - 1 + more, 3000);
	error_list_clear(&list);
	error_list_clear(&read);
	message_free(message);
}

static void
test_refuse_problems(void)
{
	struct error_list read = {0};
	struct buf_reader reader;

	buf_read_init(&reader, "\0\0\0\5abc", 7);
	CU_ASSERT_EQUAL(generation_problems_read(&reader, &read), -1);
	buf_read_init(&reader, "\0\0\0\3a\0c", 7);
	CU_ASSERT_EQUAL(generation_problems_read(&reader, &read), -1);
	CU_ASSERT_EQUAL(read.count, 0);
}

static void
test_free(void)
{
	generation_free(NULL);
	generation_sender_free(NULL);
	generation_receiver_free(NULL);
	generation_parcel_free(NULL);
}

static void
test_workers(void)
{
	struct conf conf = {.global = {.workers = 3, .max_connections = 100}};

	CU_ASSERT_EQUAL(generation_worker_count(&conf), 3);
	conf.global.workers = 0;
	CU_ASSERT_TRUE(generation_worker_count(&conf) >= 1);
	/* One without a share would only keep its queue. */
	conf.global.max_connections = 1;
	CU_ASSERT_EQUAL(generation_worker_count(&conf), 1);
	conf.global.workers = 3;
	conf.global.max_connections = 2;
	CU_ASSERT_EQUAL(generation_worker_count(&conf), 2);
}

UNIT_SUITE(generation, {"documents", test_documents},
	   {"large_document", test_large_document},
	   {"thousand_files", test_thousand_files}, {"missing", test_missing},
	   {"long_directory", test_long_directory},
	   {"listeners", test_listeners}, {"public", test_public},
	   {"staples", test_staples}, {"originals", test_originals},
	   {"index", test_index}, {"name_too_long", test_name_too_long},
	   {"no_descriptor_left", test_no_descriptor_left},
	   {"unasked_acknowledgement", test_unasked_acknowledgement},
	   {"refuse_unknown", test_refuse_unknown},
	   {"refuse_cut", test_refuse_cut},
	   {"refuse_descriptors", test_refuse_descriptors},
	   {"refuse_documents", test_refuse_documents},
	   {"refuse_others", test_refuse_others},
	   {"refuse_directories", test_refuse_directories},
	   {"no_document", test_no_document}, {"problems", test_problems},
	   {"many_problems", test_many_problems},
	   {"refuse_problems", test_refuse_problems}, {"free", test_free},
	   {"workers", test_workers});
