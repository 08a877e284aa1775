/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each generation has its resolver: made while it is prepared, started when
 * it is committed. What a resolver learns goes to every worker. What a worker
 * asks about certificates is looked up for all of them in one place.
 */
#include "daemon/helper/helper.h"

#include <assert.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "common/conf/conf.h"
#include "common/net/resolution.h"
#include "common/verify/ocsp_talk.h"
#include "daemon/fetch/ocsp_transport.h"
#include "daemon/helper/ocsp_fetch.h"
#include "daemon/helper/resolver.h"
#include "daemon/helper/staple_store.h"
#include "daemon/helper/staples.h"
#include "daemon/process/channel.h"
#include "daemon/process/child.h"
#include "daemon/process/generation.h"
#include "daemon/process/sandbox_landlock.h"

/* A worker with so much unread is told nothing more until it has read that:
 * it has no use for what is old by that time. */
#define BACKLOG_MAX ((size_t)1 << 20)

/* And one that leaves so much unread, and asks for more, is none of ours:
 * beside that there are the names that we know, and the answers to the
 * questions that it may have. */
#define UNREAD_MAX ((size_t)16 << 20)

/* Questions about certificates of one worker. */
#define QUESTIONS_MAX 256

/* How often it is looked whether the resolver's files are still those that a
 * process under these rules may read. */
static const struct timeval outdated_interval = {.tv_sec = 5};

static const struct timeval catch_up_interval = {.tv_usec = 100000};

/* A worker. */
struct subscriber {
	LIST_ENTRY(subscriber) entries;
	struct helper *helper;
	uint32_t number;
	struct channel *channel;
	struct event *catch_up; /* pending: it is behind */
	bool is_owed_names;     /* and has missed some */
	uint64_t staples_told;
	LIST_HEAD(, pending) pending;
	size_t pending_count;
};

/* A question of a worker's that is not answered yet. */
struct pending {
	LIST_ENTRY(pending) entries;
	struct subscriber *subscriber;
	uint64_t number;
	struct ocsp_inquiry *inquiry;
};

struct helper {
	struct child *child;
	struct event_base *base;
	struct state_pair *state;
	struct ocsp_transport *transport; /* NULL: built without libcurl */
	struct ocsp_fetch *ocsp;
	struct staples *staples;
	struct resolver *current;   /* NULL before the first generation */
	struct resolver *prepared;  /* between prepare and commit */
	struct generation *offered; /* likewise */
	struct event *outdated;
	LIST_HEAD(, subscriber) subscribers;
};

/* Will it be told later? */
static bool
is_behind(struct subscriber *subscriber)
{
	if (event_pending(subscriber->catch_up, EV_TIMEOUT, NULL))
		return true;
	if (channel_backlog(subscriber->channel) <= BACKLOG_MAX)
		return false;
	event_add(subscriber->catch_up, &catch_up_interval);
	return true;
}

static bool
tell_staple(const struct staple_told *told, void *argument)
{
	struct subscriber *subscriber = argument;
	struct message *message;

	if (is_behind(subscriber))
		return false;
	message = message_new_sized(MESSAGE_STAPLE,
				    STAPLE_LEAF_SIZE + 8 + told->length);
	buf_write_bytes(&message->body, told->leaf, STAPLE_LEAF_SIZE);
	buf_write_u64(&message->body, (uint64_t)told->until_ms);
	buf_write_bytes(&message->body, told->bytes, told->length);
	channel_send(subscriber->channel, message);
	return true;
}

static void
tell(const struct resolution *resolution, void *argument)
{
	struct subscriber *subscriber = argument;
	struct message *message = message_new(MESSAGE_ADDRESSES);

	resolution_encode(resolution, &message->body);
	channel_send(subscriber->channel, message);
}

/* All that there is, of which there is no more than the configuration names;
 * then the staples, of which there may be more than go at once. */
static void
tell_everything(struct subscriber *subscriber)
{
	struct helper *helper = subscriber->helper;

	subscriber->is_owed_names = false;
	if (helper->current)
		resolver_tell_all(helper->current, tell, subscriber);
	staples_tell_news(helper->staples, &subscriber->staples_told,
			  tell_staple, subscriber);
}

static void
on_catch_up(evutil_socket_t descriptor, short what, void *argument)
{
	struct subscriber *subscriber = argument;

	(void)descriptor;
	(void)what;
	if (channel_backlog(subscriber->channel) > 0)
		event_add(subscriber->catch_up, &catch_up_interval);
	else if (subscriber->is_owed_names)
		tell_everything(subscriber);
	else
		staples_tell_news(subscriber->helper->staples,
				  &subscriber->staples_told, tell_staple,
				  subscriber);
}

static void
on_staple_news(void *argument)
{
	struct helper *helper = argument;
	struct subscriber *subscriber;

	LIST_FOREACH (subscriber, &helper->subscribers, entries)
		staples_tell_news(helper->staples, &subscriber->staples_told,
				  tell_staple, subscriber);
}

static void
on_told(const struct resolution *resolution, void *argument)
{
	struct helper *helper = argument;
	struct subscriber *subscriber;

	LIST_FOREACH (subscriber, &helper->subscribers, entries) {
		if (is_behind(subscriber))
			subscriber->is_owed_names = true;
		else
			tell(resolution, subscriber);
	}
}

/* What workers ask. */

static void
pending_free(struct pending *pending)
{
	LIST_REMOVE(pending, entries);
	pending->subscriber->pending_count--;
	mem_free(pending);
}

static void
on_ocsp_told(void *argument, const struct ocsp_told *told, size_t count)
{
	struct pending *pending = argument;
	struct message *message = message_new(MESSAGE_OCSP_TOLD);

	buf_write_u64(&message->body, pending->number);
	ocsp_told_encode(told, count, &message->body);
	channel_send(pending->subscriber->channel, message);
	pending_free(pending);
}

static struct pending *
find_pending(const struct subscriber *subscriber, uint64_t number)
{
	struct pending *pending;

	LIST_FOREACH (pending, &subscriber->pending, entries)
		if (pending->number == number)
			return pending;
	return NULL;
}

/* NULL, or what is wrong with the question. */
static const char *
on_ocsp_ask(struct subscriber *subscriber, struct buf_reader *reader)
{
	uint64_t number = buf_read_u64(reader);
	struct ocsp_inquiry *inquiry;
	struct pending *pending;
	struct ocsp_ask ask;

	if (subscriber->pending_count == QUESTIONS_MAX)
		return "more questions about certificates than there may be";
	if (channel_backlog(subscriber->channel) > UNREAD_MAX)
		return "it asks, and reads no answers";
	if (find_pending(subscriber, number))
		return "two questions with one number";
	if (ocsp_ask_decode(reader, &ask) != 0)
		return "a question about certificates that cannot be read";
	pending = mem_alloc(sizeof(*pending));
	pending->subscriber = subscriber;
	pending->number = number;
	LIST_INSERT_HEAD(&subscriber->pending, pending, entries);
	subscriber->pending_count++;
	inquiry = ocsp_fetch_ask(subscriber->helper->ocsp, &ask, on_ocsp_told,
				 pending);
	/* Else it has been told, and pending is gone. */
	if (inquiry)
		pending->inquiry = inquiry;
	ocsp_ask_clear(&ask);
	return NULL;
}

static void
drop(struct pending *pending)
{
	ocsp_inquiry_free(pending->inquiry);
	pending_free(pending);
}

static void
on_ocsp_drop(struct subscriber *subscriber, struct buf_reader *reader)
{
	struct pending *pending =
		find_pending(subscriber, buf_read_u64(reader));

	if (pending)
		drop(pending);
}

static void
subscriber_free(struct subscriber *subscriber)
{
	struct pending *pending;

	while ((pending = LIST_FIRST(&subscriber->pending)))
		drop(pending);
	LIST_REMOVE(subscriber, entries);
	event_free(subscriber->catch_up);
	channel_free(subscriber->channel);
	mem_free(subscriber);
}

static void
accuse(struct subscriber *subscriber, const char *why)
{
	child_accuse(subscriber->helper->child, IPC_WORKER, subscriber->number,
		     why);
	subscriber_free(subscriber);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	struct subscriber *subscriber = argument;
	struct buf_reader reader = message_reader(message);
	const char *wrong = NULL;

	(void)channel;
	if (message->type == MESSAGE_OCSP_ASK)
		wrong = on_ocsp_ask(subscriber, &reader);
	else
		on_ocsp_drop(subscriber, &reader);
	if (wrong)
		accuse(subscriber, wrong);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct subscriber *subscriber = argument;

	log_debug("worker's channel closed", "number=%u reason=\"%s\"",
		  subscriber->number, why);
	if (channel_is_broken(channel))
		accuse(subscriber, why);
	else
		subscriber_free(subscriber);
}

/* Landlock's rules are about the files that were there; another process finds
 * those that are there now. */
static void
on_outdated(evutil_socket_t descriptor, short what, void *argument)
{
	struct helper *helper = argument;

	(void)descriptor;
	(void)what;
	/* A configuration that is on its way comes first. */
	if (helper->prepared || !sandbox_landlock_is_outdated())
		return;
	log_info("resolver's files have been replaced, and so is the helper",
		 NULL);
	child_exit(helper->child, CHILD_REPLACE);
}

/* The role. */

static void *
start(struct child *child, struct event_base *base)
{
	struct helper *helper = mem_alloc(sizeof(*helper));
	struct error error = {0};

	helper->child = child;
	helper->base = base;
	helper->transport = ocsp_transport_new(base, &error);
	if (!helper->transport)
		log_debug("no OCSP responder can be asked", "reason=\"%s\"",
			  error.text);
	helper->ocsp = ocsp_fetch_new(helper->transport);
	helper->staples =
		staples_new(base, helper->transport, on_staple_news, helper);
	LIST_INIT(&helper->subscribers);
	helper->outdated = event_new(base, -1, EV_PERSIST, on_outdated, helper);
	assert(helper->outdated);
	event_add(helper->outdated, &outdated_interval);
	return helper;
}

static void
keep(void *argument, struct state_pair *pair)
{
	struct helper *helper = argument;

	helper->state = pair;
	staples_keep(helper->staples, pair);
}

static void
add_names(struct resolver *resolver, const struct conf_connect *connect)
{
	for (size_t i = 0; i < connect->address_count; i++)
		if (connect->addresses[i].address.kind == ADDRESS_HOST)
			resolver_add(resolver,
				     connect->addresses[i].address.host,
				     connect->family);
}

static size_t
cache_size_of(const struct tls_settings *tls)
{
	const struct tls_ocsp *ocsp = &tls->verify.ocsp;
	size_t size = ocsp->check == OCSP_CHECK_OFF ? 0 : ocsp->cache_size;

	for (size_t i = 0; i < tls->host_count; i++) {
		size_t other = cache_size_of(tls->hosts[i].settings);

		if (other > size)
			size = other;
	}
	return size;
}

/* One cache for all: as large as the largest that any gate asks for. */
static size_t
largest_cache(const struct conf *conf)
{
	size_t largest = 0;

	for (size_t i = 0; i < conf->service_count; i++) {
		const struct tls_settings *const gates[] = {
			conf->services[i].accept.tls,
			conf->services[i].connect.tls};

		for (size_t k = 0; k < ARRAY_SIZE(gates); k++) {
			size_t size = gates[k] ? cache_size_of(gates[k]) : 0;

			if (size > largest)
				largest = size;
		}
	}
	return largest;
}

static int
prepare(void *argument, struct generation *generation,
	struct error_list *problems, struct error_list *warnings)
{
	struct helper *helper = argument;
	const struct conf *conf = generation->conf;
	struct error error = {0};

	assert(!helper->prepared);
	helper->prepared = resolver_new(helper->base, &conf->global.resolver,
					on_told, helper, &error);
	if (!helper->prepared) {
		error_list_add(problems, &error);
		generation_free(generation);
		return -1;
	}
	for (size_t i = 0; i < conf->service_count; i++)
		add_names(helper->prepared, &conf->services[i].connect);
	helper->offered = generation;
	staples_prepare(helper->staples, generation, warnings);
	return 0;
}

static void
commit_ocsp(struct helper *helper, const struct conf *conf)
{
	struct error error = {0};

	ocsp_fetch_set_size(helper->ocsp, largest_cache(conf));
	if (helper->transport &&
	    ocsp_transport_resolve_by(helper->transport, &conf->global.resolver,
				      &error) != 0)
		log_warn("OCSP responders are resolved as before",
			 "reason=\"%s\"", error.text);
}

static void
commit(void *argument, uint64_t number)
{
	struct helper *helper = argument;

	resolver_start(helper->prepared, helper->current);
	resolver_free(helper->current);
	helper->current = TAKE(helper->prepared);
	commit_ocsp(helper, helper->offered->conf);
	staples_commit(helper->staples);
	generation_free(TAKE(helper->offered));
	child_report_live(helper->child, number);
	/* It may have found files that it cannot read. */
	event_active(helper->outdated, EV_TIMEOUT, 0);
}

static void
abort_prepared(void *argument, uint64_t number)
{
	struct helper *helper = argument;

	(void)number;
	resolver_free(TAKE(helper->prepared));
	staples_abort(helper->staples);
	generation_free(TAKE(helper->offered));
}

/* Nothing here is worth waiting for: workers that finish their connections
 * have their names. */
static void
drain(void *argument, int64_t grace_ms)
{
	struct helper *helper = argument;

	(void)grace_ms;
	child_exit(helper->child, 0);
}

static void
peer(void *argument, enum ipc_role role, uint32_t number, int descriptor)
{
	static const struct channel_events events = {.message = on_message,
						     .closed = on_closed};
	static const struct ipc_side side = {.self = IPC_HELPER,
					     .other = IPC_WORKER};
	struct helper *helper = argument;
	struct subscriber *subscriber;

	if (role != IPC_WORKER) {
		log_error("a peer that makes no sense", "role=%s",
			  ipc_role_name(role));
		close(descriptor);
		return;
	}
	subscriber = mem_alloc(sizeof(*subscriber));
	subscriber->helper = helper;
	subscriber->number = number;
	LIST_INIT(&subscriber->pending);
	subscriber->catch_up =
		evtimer_new(helper->base, on_catch_up, subscriber);
	assert(subscriber->catch_up);
	subscriber->channel = channel_new(helper->base, descriptor, side,
					  &events, subscriber);
	LIST_INSERT_HEAD(&helper->subscribers, subscriber, entries);
	tell_everything(subscriber);
}

static void
stop(void *argument)
{
	struct helper *helper = argument;
	struct subscriber *subscriber;

	while ((subscriber = LIST_FIRST(&helper->subscribers)))
		subscriber_free(subscriber);
	ocsp_fetch_free(helper->ocsp);
	staples_free(helper->staples);
	ocsp_transport_free(helper->transport);
	generation_free(helper->offered);
	resolver_free(helper->prepared);
	resolver_free(helper->current);
	event_free(helper->outdated);
	state_pair_free(helper->state);
	mem_free(helper);
}

int
helper_main(uint32_t number)
{
	static const struct child_role role = {
		.role = IPC_HELPER,
		.start = start,
		.state = keep,
		.prepare = prepare,
		.commit = commit,
		.abort = abort_prepared,
		.drain = drain,
		.peer = peer,
		.stop = stop,
	};

	return child_run(&role, number);
}
