/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends: the forked process, which sends, and the monitor's, which
 * receives. It is not executed anew as the roles are: it needs the monitor's
 * rights and terminal, keeps no secret from it, and ends at once.
 */
#include "daemon/monitor/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/conf/conf_crls.h"
#include "common/conf/conf_facts.h"
#include "daemon/monitor/crl_process.h"
#include "daemon/monitor/monitor.h"
#include "daemon/process/channel.h"
#include "daemon/process/descriptor_keep.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/signals.h"

/* The monitor numbers generations when they turn out to be one. */
#define ANY_NUMBER 1

#define CHANNEL_DESCRIPTOR 3

struct loader {
	pid_t pid; /* 0: reaped */
	struct channel *channel;
	struct generation_receiver *receiver;
	loader_done *done;
	void *argument;
};

/* The process. */

struct sending {
	struct channel *channel;
	struct generation_sender *sender;
};

static void
send_failure(struct channel *channel, const struct error_list *problems)
{
	struct message *message = message_new(MESSAGE_FAILED);

	buf_write_u64(&message->body, ANY_NUMBER);
	generation_problems_write(&message->body, problems);
	channel_send(channel, message);
}

static void
send_error(struct channel *channel, const struct error *error)
{
	struct error_list problems = {0};

	error_list_add(&problems, error);
	send_failure(channel, &problems);
	error_list_clear(&problems);
}

static void
on_acknowledged(struct channel *channel, struct message *message,
		void *argument)
{
	struct sending *sending = argument;
	struct buf_reader reader = message_reader(message);
	struct error error = {0};

	if (generation_sender_acknowledged(sending->sender,
					   buf_read_u64(&reader), &error) != 0)
		send_error(channel, &error);
}

static void
on_monitor_closed(struct channel *channel, const char *why, void *argument)
{
	(void)channel;
	(void)why;
	(void)argument;
	_exit(0);
}

static int
read_documents(const struct monitor_options *options,
	       struct conf_documents *documents, struct error_list *problems)
{
	if (options->path)
		return conf_documents_read(options->path, documents, problems);
	conf_documents_add(documents, options->document_name, options->document,
			   options->document_length);
	return 0;
}

/* The documents of another generation, with their secrets. */
static int
copy_documents(const struct generation *from, struct conf_documents *documents,
	       struct error_list *problems)
{
	for (size_t i = 0; i < conf_facts_count(from->documents.facts); i++) {
		const struct conf_fact *fact =
			conf_facts_at(from->documents.facts, i);

		conf_facts_add(documents->facts, fact->question, fact->answer);
	}
	for (size_t i = 0; i < from->documents.count; i++) {
		const struct conf_document *document =
			&from->documents.documents[i];

		conf_documents_add(documents, document->name, document->bytes,
				   document->length);
	}
	for (size_t i = 0; i < from->original_count; i++) {
		const struct generation_original *original =
			&from->originals[i];
		struct conf_document *document =
			&documents->documents[original->document];

		if (sealed_read(original->descriptor, document->bytes,
				document->length) == 0)
			continue;
		error_list_addf(problems, &(struct position){0},
				"%s cannot be read again", document->name);
		return -1;
	}
	return 0;
}

/* What nobody can be asked for again, and what should stay as it is. */
static bool
is_taken_over(const struct file_entry *entry)
{
	static const char *const kinds[] = {"prompt:", "self_signed:"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (entry->kind == FILE_KIND_FILE &&
		    strncmp(entry->name, kinds[i], strlen(kinds[i])) == 0)
			return true;
	return false;
}

static void
take_over_files(const struct generation *from, struct file_set *files)
{
	for (size_t i = 0; i < file_set_count(from->files); i++) {
		const struct file_entry *entry = file_set_at(from->files, i);
		int copy;

		if (!is_taken_over(entry))
			continue;
		copy = fcntl(entry->descriptor, F_DUPFD_CLOEXEC, 0);
		if (copy >= 0)
			file_set_add(files, entry->name, copy, entry->uses);
	}
}

/* Everything but what is taken over from the generation is closed. */
static void
close_others(const struct generation *renewed)
{
	size_t files = renewed ? file_set_count(renewed->files) : 0;
	size_t originals = renewed ? renewed->original_count : 0, count = 0;
	AUTO_FREE int *kept = mem_array(files + originals, sizeof(*kept));

	for (size_t i = 0; i < originals; i++)
		kept[count++] = renewed->originals[i].descriptor;
	for (size_t i = 0; i < files; i++)
		if (is_taken_over(file_set_at(renewed->files, i)))
			kept[count++] =
				file_set_at(renewed->files, i)->descriptor;
	descriptor_keep(CHANNEL_DESCRIPTOR, kept, count);
}

/* Before anything that is secret is opened. */
static int
load_crls(struct generation *generation, struct error_list *problems)
{
	struct conf_crls *crls = conf_crls_open(generation->conf);
	int status = 0;

	if (conf_crls_count(crls) > 0)
		status = crl_process_write(crls, generation, problems);
	if (status == 0)
		status = conf_crls_finish(crls, generation->files, problems);
	conf_crls_free(crls);
	return status;
}

/* NULL: problems tell why. */
static struct generation *
load(const struct monitor_options *options, const struct generation *renewed,
     struct error_list *problems)
{
	struct generation *generation = generation_new(ANY_NUMBER);
	struct error_list ignored = {0};

	generation->documents.facts = conf_facts_new();
	if (renewed ? copy_documents(renewed, &generation->documents,
				     problems) != 0
		    : read_documents(options, &generation->documents,
				     problems) != 0)
		return NULL;
	if (renewed)
		take_over_files(renewed, generation->files);
	/* The monitor finds the same problems, with their positions. */
	generation->conf = conf_load(&generation->documents, &ignored, NULL);
	if (generation->conf && load_crls(generation, problems) != 0)
		return NULL;
	if (generation->conf &&
	    (conf_files_open(generation->conf, generation->files, problems) !=
		     0 ||
	     conf_key_logs_open(generation->conf, false, generation->files,
				problems) != 0))
		return NULL;
	if (generation_blank(generation, problems) != 0)
		return NULL;
	return generation;
}

static void
load_and_send(const struct monitor_options *options,
	      const struct generation *renewed, struct sending *sending)
{
	static const struct generation_share everything = {
		.extent = GENERATION_ALL};
	struct error_list problems = {0};
	struct generation *generation = load(options, renewed, &problems);
	struct generation_parcel *parcel;
	struct error error = {0};

	if (!generation) {
		send_failure(sending->channel, &problems);
		return;
	}
	parcel = generation_parcel_new(generation, &error);
	if (parcel)
		sending->sender = generation_sender_new(sending->channel,
							parcel, &everything);
	else
		send_error(sending->channel, &error);
}

/* Everything is freed by its end. */
__attribute__((noreturn)) static void
loader_main(const struct monitor_options *options,
	    const struct generation *renewed, int descriptor)
{
	static const struct channel_events events = {on_acknowledged,
						     on_monitor_closed};
	struct ipc_side side = {.self = IPC_LOADER, .other = IPC_MONITOR};
	struct sending sending = {0};
	struct event_base *base;

	/* Its descriptors go, and numbers must not be taken for them. */
	log_configure(NULL, 0);
	if (dup2(descriptor, CHANNEL_DESCRIPTOR) < 0)
		_exit(1);
	close_others(renewed);
	signals_default();
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);

	base = event_base_new();
	if (!base)
		_exit(1);
	sending.channel =
		channel_new(base, CHANNEL_DESCRIPTOR, side, &events, &sending);
	load_and_send(options, renewed, &sending);
	event_base_dispatch(base);
	_exit(0);
}

/* The monitor's end. */

static void
finish(struct loader *loader, struct generation *generation,
       const struct error_list *problems)
{
	loader_done *done = loader->done;

	channel_free(TAKE(loader->channel));
	done(generation, problems, loader->argument);
}

__attribute__((cold)) static void
finish_badly(struct loader *loader, const char *sentence)
{
	struct error_list problems = {0};
	struct error error = {0};

	error_set(&error, "the configuration could not be read: %s", sentence);
	error_list_add(&problems, &error);
	finish(loader, NULL, &problems);
	error_list_clear(&problems);
}

static void
acknowledge(struct loader *loader)
{
	struct message *answer = message_new(MESSAGE_ITEMS_ACK);

	buf_write_u64(&answer->body, ANY_NUMBER);
	channel_send(loader->channel, answer);
}

static void
on_prepare(struct loader *loader)
{
	generation_receiver_free(loader->receiver);
	loader->receiver = generation_receiver_new(ANY_NUMBER);
	acknowledge(loader);
}

static void
on_items(struct loader *loader, struct message *message)
{
	struct error error = {0};

	if (!loader->receiver ||
	    generation_receiver_add(loader->receiver, message, &error) != 0) {
		finish_badly(loader, error.text);
		return;
	}
	acknowledge(loader);
}

static void
on_build(struct loader *loader)
{
	struct error error = {0};
	struct error_list none = {0};
	struct generation *generation = NULL;

	if (loader->receiver)
		generation =
			generation_receiver_finish(loader->receiver, &error);
	if (generation)
		finish(loader, generation, &none);
	else
		finish_badly(loader, error.text);
}

static void
on_failed(struct loader *loader, struct message *message)
{
	struct buf_reader reader = message_reader(message);
	struct error_list problems = {0};

	buf_read_u64(&reader);
	if (generation_problems_read(&reader, &problems) == 0 &&
	    problems.count > 0)
		finish(loader, NULL, &problems);
	else
		finish_badly(loader, "no reason was given");
	error_list_clear(&problems);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct loader *loader = argument;

	(void)channel;
	switch ((unsigned int)message->type) {
	case MESSAGE_PREPARE:
		on_prepare(loader);
		break;
	case MESSAGE_ITEMS:
		on_items(loader, message);
		break;
	case MESSAGE_BUILD:
		on_build(loader);
		break;
	case MESSAGE_FAILED:
		on_failed(loader, message);
		break;
	}
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	(void)channel;
	finish_badly(argument, why);
}

struct loader *
loader_new(struct event_base *base, const struct monitor_options *options,
	   const struct generation *renewed, loader_done *done, void *argument,
	   struct error *error)
{
	static const struct channel_events events = {on_message, on_closed};
	struct ipc_side side = {.self = IPC_MONITOR, .other = IPC_LOADER};
	struct loader *loader;
	sigset_t before;
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		error_set(error, "cannot make a channel: %s", strerror(errno));
		return NULL;
	}
	signals_hold(&before);
	pid = fork();
	if (pid == 0)
		loader_main(options, renewed, ends[1]);
	signals_release(&before);
	close(ends[1]);
	if (pid < 0) {
		error_set(error, "cannot start a process: %s", strerror(errno));
		close(ends[0]);
		return NULL;
	}
	loader = mem_alloc(sizeof(*loader));
	loader->pid = pid;
	loader->done = done;
	loader->argument = argument;
	loader->channel = channel_new(base, ends[0], side, &events, loader);
	return loader;
}

void
loader_free(struct loader *loader)
{
	if (!loader)
		return;
	channel_free(loader->channel);
	if (loader->pid > 0)
		kill(loader->pid, SIGKILL);
	generation_receiver_free(loader->receiver);
	mem_free(loader);
}

bool
loader_reaped(struct loader *loader, pid_t pid)
{
	if (!loader || loader->pid != pid)
		return false;
	loader->pid = 0;
	return true;
}
