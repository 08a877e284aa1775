/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop of the keeper: generations. A gathering's keys sign from the
 * moment that it is ready, as a worker may be told of COMMIT, and ask, before
 * we are; they go when no worker uses that generation any more.
 */
#include "daemon/keeper/keeper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/route/certificate_gather.h"
#include "common/route/certificate_places.h"
#include "common/route/ticket_sources.h"
#include "common/tls/key_memory.h"
#include "common/tls/tls_settings.h"
#include "daemon/keeper/gatherer.h"
#include "daemon/keeper/key_store.h"
#include "daemon/keeper/signers.h"
#include "daemon/keeper/ticket_maker.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"

/* What a message has room for, and a little less. */
#define TICKETS_TEXT_MAX (MESSAGE_BODY_MAX - 16)

/* A generation whose keys sign. */
struct held {
	TAILQ_ENTRY(held) entries;
	uint64_t number;
	struct certificate_gathering *gathering;
	bool is_lent; /* its keys sign for the workers */
};

struct keeper {
	struct child *child;
	struct key_store *keys;
	struct signers *signers;
	struct gatherer *gatherer;
	struct ticket_maker *tickets;
	struct error_list warnings; /* of key files, until it is gathered */
	bool has_memory;            /* for keys */
	bool has_threads;
	bool are_keys_lent; /* of the generation that was begun last */
	TAILQ_HEAD(, held) generations; /* oldest first, the prepared too */
	struct held *prepared;          /* from READY to COMMIT */
	struct held *current;
};

/* What signers tell. */

static void
on_refused(uint32_t worker, const unsigned char key_id[KEY_ID_SIZE],
	   const char *why, void *argument)
{
	static struct log_limit limit;

	(void)argument;
	/* The beginning of an id is enough to find the key. */
	log_event_limited(&limit, LOG_LEVEL_WARN, "signature refused",
			  "worker=%u key=%02x%02x%02x%02x reason=\"%s\"",
			  worker, key_id[0], key_id[1], key_id[2], key_id[3],
			  why);
}

static void
on_refusals_lost(size_t count, void *argument)
{
	static struct log_limit limit;

	(void)argument;
	log_event_limited(&limit, LOG_LEVEL_WARN, "signatures refused",
			  "count=%zu", count);
}

static void
on_worker_ended(uint32_t worker, const char *why, void *argument)
{
	struct keeper *keeper = argument;

	if (!why) {
		log_debug("worker has left", "number=%u", worker);
		return;
	}
	log_error("worker cut off", "number=%u reason=\"%s\"", worker, why);
	child_accuse(keeper->child, IPC_WORKER, worker, why);
}

/* Generations. */

static struct held *
hold(struct keeper *keeper, uint64_t number,
     struct certificate_gathering *gathering)
{
	struct held *held = mem_alloc(sizeof(*held));

	held->number = number;
	held->gathering = gathering;
	held->is_lent = keeper->are_keys_lent;
	TAILQ_INSERT_TAIL(&keeper->generations, held, entries);
	if (held->is_lent) {
		certificate_gather_add_keys(gathering,
					    key_store_lock(keeper->keys));
		key_store_unlock(keeper->keys);
	}
	return held;
}

static void
drop(struct keeper *keeper, struct held *held)
{
	if (held->is_lent) {
		certificate_gather_remove_keys(held->gathering,
					       key_store_lock(keeper->keys));
		key_store_unlock(keeper->keys);
	}
	TAILQ_REMOVE(&keeper->generations, held, entries);
	certificate_gather_free(held->gathering);
	mem_free(held);
}

/* Of the index, for the monitor. */
static int
copy_index(struct gathered *gathered)
{
	int copy = fcntl(certificate_gather_index(gathered->gathering),
			 F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		error_list_addf(&gathered->problems, NULL,
				"no descriptor is left for the certificate "
				"index: %s",
				strerror(errno));
	return copy;
}

static void
on_gathered(struct gathered *gathered, void *argument)
{
	struct keeper *keeper = argument;
	int index = gathered->gathering ? copy_index(gathered) : -1;

	if (index >= 0) {
		keeper->prepared = hold(keeper, gathered->number,
					TAKE(gathered->gathering));
		child_report_index(keeper->child, gathered->number, index);
	}
	if (index < 0)
		ticket_maker_abort(keeper->tickets);
	for (size_t i = 0; i < keeper->warnings.count; i++)
		error_list_add(&gathered->warnings,
			       &keeper->warnings.errors[i]);
	error_list_clear(&keeper->warnings);
	child_prepared(keeper->child, gathered->number, index >= 0 ? 0 : -1,
		       &gathered->problems, &gathered->warnings);
}

static size_t
tell_workers(uint32_t worker, const struct message *message, void *argument)
{
	const struct keeper *keeper = argument;

	return signers_tell(keeper->signers, worker, message);
}

/* Too late to keep them out of the index; the next one is without them, and
 * names them. */
static void
on_checked(size_t wrong, void *argument)
{
	struct keeper *keeper = argument;

	if (wrong == 0) {
		log_debug("private keys checked", NULL);
		return;
	}
	log_error("private keys do not match their certificates", "count=%zu",
		  wrong);
	child_report_stale(keeper->child, keeper->current->number);
}

/* At most so many private keys, but for files that hold several. */
static size_t
count_keys(const struct generation *generation)
{
	struct certificate_places places;
	size_t count = 0;

	for (size_t i = 0; i < file_set_count(generation->files); i++)
		if (file_set_at(generation->files, i)->uses & FILE_SECRET)
			count++;
	/* Those that stand in the documents. */
	certificate_places_list(generation->conf, &places);
	for (size_t i = 0; i < places.count; i++)
		count += places.places[i].settings->certificate_count;
	certificate_places_clear(&places);
	return count;
}

/* Before the first key is read, and in the sandbox: a process that gives its
 * rights up must not have threads. */
static int
open_up(struct keeper *keeper, const struct generation *generation,
	struct error *error)
{
	unsigned int wanted = generation_cpu_count(), count;

	if (!keeper->has_memory &&
	    key_memory_open(count_keys(generation), error) != 0)
		log_warn("private keys are not locked into memory",
			 "reason=\"%s\"", error->text);
	keeper->has_memory = true;
	if (keeper->has_threads)
		return 0;
	count = signers_start(keeper->signers, wanted);
	if (count == 0) {
		error_set(error, "there is no thread to sign: %s",
			  strerror(errno));
		return -1;
	}
	if (count < wanted)
		log_warn("fewer threads sign than there are CPUs",
			 "threads=%u reason=\"%s\"", count, strerror(errno));
	keeper->has_threads = true;
	return 0;
}

/* The role. */

__attribute__((cold, noreturn)) static void
fail_to_start(const char *why)
{
	log_error("cannot start", "reason=\"%s\"", why);
	exit(1);
}

static void *
start(struct child *child, struct event_base *base)
{
	static const struct signers_events signers_events = {
		.refused = on_refused,
		.refusals_lost = on_refusals_lost,
		.ended = on_worker_ended,
	};
	static const struct gatherer_events gatherer_events = {
		.gathered = on_gathered,
		.checked = on_checked,
	};
	struct keeper *keeper = mem_alloc(sizeof(*keeper));
	struct error error = {0};

	if (key_memory_prepare(&error) != 0)
		log_warn("memory that held private keys is not protected",
			 "reason=\"%s\"", error.text);
	keeper->child = child;
	keeper->keys = key_store_new();
	TAILQ_INIT(&keeper->generations);
	keeper->signers =
		signers_new(base, keeper->keys, &signers_events, keeper);
	if (!keeper->signers)
		fail_to_start(strerror(errno));
	keeper->tickets = ticket_maker_new(base, tell_workers, keeper);
	keeper->gatherer = gatherer_new(base, &gatherer_events, keeper);
	if (!keeper->gatherer)
		fail_to_start(strerror(errno));
	return keeper;
}

static void
keep(void *argument, struct state_pair *pair)
{
	struct keeper *keeper = argument;

	ticket_maker_set_state(keeper->tickets, pair);
}

static int
prepare(void *argument, struct generation *generation,
	struct error_list *problems, struct error_list *warnings)
{
	struct keeper *keeper = argument;
	struct ticket_sources sources;
	uint64_t number = generation->number;
	struct error error = {0};

	(void)warnings;
	assert(!keeper->prepared);
	/* Where they are not isolated, each worker has its own. */
	keeper->are_keys_lent = generation->conf->global.are_keys_isolated;
	if (open_up(keeper, generation, &error) != 0) {
		generation_free(generation);
		error_list_add(problems, &error);
		return -1;
	}
	error_list_clear(&keeper->warnings);
	if (ticket_sources_read(&sources, generation->conf, generation->files,
				problems, &keeper->warnings) != 0) {
		ticket_sources_clear(&sources);
		generation_free(generation);
		return -1;
	}
	if (gatherer_begin(keeper->gatherer, generation,
			   keeper->current ? keeper->current->gathering : NULL,
			   &error) != 0) {
		ticket_sources_clear(&sources);
		error_list_add(problems, &error);
		return -1;
	}
	ticket_maker_prepare(keeper->tickets, number, &sources);
	return CHILD_LATER;
}

static void
commit(void *argument, uint64_t number)
{
	struct keeper *keeper = argument;

	assert(keeper->prepared && keeper->prepared->number == number);
	keeper->current = TAKE(keeper->prepared);
	ticket_maker_commit(keeper->tickets);
	gatherer_check(keeper->gatherer, keeper->current->gathering);
	child_report_live(keeper->child, number);
}

static void
abort_prepared(void *argument, uint64_t number)
{
	struct keeper *keeper = argument;

	(void)number;
	gatherer_cancel(keeper->gatherer);
	ticket_maker_abort(keeper->tickets);
	if (keeper->prepared)
		drop(keeper, TAKE(keeper->prepared));
}

static void
release(void *argument, uint64_t number)
{
	struct keeper *keeper = argument;
	struct held *oldest;

	while ((oldest = TAILQ_FIRST(&keeper->generations)) &&
	       oldest->number < number && oldest != keeper->current &&
	       oldest != keeper->prepared)
		drop(keeper, oldest);
	ticket_maker_release(keeper->tickets, number);
}

static void
tickets(void *argument, unsigned int command)
{
	struct keeper *keeper = argument;
	AUTO_FREE char *text = NULL;

	if (command == IPC_TICKETS_ROTATE &&
	    !ticket_maker_rotate(keeper->tickets)) {
		child_tell_tickets(keeper->child, false,
				   "there is nothing to rotate: no gate has "
				   "`tickets.mode: auto`; keys in files are "
				   "rotated there, derived ones by the clock");
		return;
	}
	text = ticket_maker_show(keeper->tickets, TICKETS_TEXT_MAX);
	child_tell_tickets(keeper->child, true, text);
}

/* It is asked for when no worker is left. */
static void
drain(void *argument, int64_t grace_ms)
{
	struct keeper *keeper = argument;

	(void)grace_ms;
	child_exit(keeper->child, 0);
}

static void
peer(void *argument, enum ipc_role role, uint32_t number, int descriptor)
{
	struct keeper *keeper = argument;

	if (role != IPC_WORKER) {
		log_error("a peer that makes no sense", "role=%s",
			  ipc_role_name(role));
		close(descriptor);
		return;
	}
	signers_add(keeper->signers, number, descriptor);
	ticket_maker_welcome(keeper->tickets, number);
}

static void
stop(void *argument)
{
	struct keeper *keeper = argument;
	struct held *held;

	/* Threads first. */
	gatherer_free(keeper->gatherer);
	ticket_maker_free(keeper->tickets);
	error_list_clear(&keeper->warnings);
	signers_free(keeper->signers);
	while ((held = TAILQ_FIRST(&keeper->generations)))
		drop(keeper, held);
	key_store_free(keeper->keys);
	mem_free(keeper);
}

int
keeper_main(uint32_t number)
{
	static const struct child_role role = {
		.role = IPC_KEEPER,
		.start = start,
		.state = keep,
		.prepare = prepare,
		.commit = commit,
		.abort = abort_prepared,
		.release = release,
		.tickets = tickets,
		.drain = drain,
		.peer = peer,
		.stop = stop,
	};

	return child_run(&role, number);
}
