/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name is asked, waits for its next turn, is asked again. An answer that is
 * there stays in force while asking fails; the answer may also come after the
 * deadline at which a failure was told.
 */
#include "daemon/helper/resolver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <ares.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf.h"
#include "common/net/resolution.h"
#include "common/route/name_index.h"
#include "daemon/fetch/ares_loop.h"
#include "daemon/fetch/name_servers.h"

#define RETRY_MIN_MS   1000
#define JITTER_PERCENT 10

struct name {
	STAILQ_ENTRY(name) entries;
	struct resolver *resolver;
	enum address_family family;
	struct resolution known; /* count 0 and error "": nothing yet */
	char failure[128];       /* why it fails now; "": it does not */
	int64_t retry_ms;        /* how long to wait after the next failure */
	bool is_asking;
	int64_t due_ms;      /* the next turn; while asking, the deadline */
	struct event *timer; /* at due_ms */
};

struct resolver {
	struct event_base *base;
	struct ares_loop *loop;
	STAILQ_HEAD(, name) names;
	struct name_index *by_host;
	char *servers; /* as c-ares wants them, "": the system's */
	int64_t refresh_ms;
	int64_t timeout_ms;
	resolver_told *told;
	void *argument;
};

static struct timeval
interval(int64_t milliseconds)
{
	return (struct timeval){
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000)};
}

/* Turns. */

static void
schedule(struct name *name, int64_t milliseconds)
{
	struct timeval after = interval(milliseconds);

	name->due_ms = clock_monotonic_ms() + milliseconds;
	event_add(name->timer, &after);
}

/* So that many names do not ask in step for ever. */
static int64_t
with_jitter(int64_t milliseconds)
{
	uint32_t percent = 100 - JITTER_PERCENT +
			   arc4random_uniform(2 * JITTER_PERCENT + 1);

	return milliseconds * percent / 100;
}

static void
schedule_refresh(struct name *name)
{
	name->retry_ms = RETRY_MIN_MS;
	schedule(name, with_jitter(name->resolver->refresh_ms));
}

static void
schedule_retry(struct name *name)
{
	int64_t refresh_ms = name->resolver->refresh_ms;

	if (name->retry_ms > refresh_ms)
		name->retry_ms = refresh_ms;
	schedule(name, with_jitter(name->retry_ms));
	name->retry_ms *= 2;
}

/* Answers. */

static bool
is_known(const struct name *name)
{
	return name->known.count > 0 || name->known.error[0] != '\0';
}

static void
tell(const struct name *name)
{
	name->resolver->told(&name->known, name->resolver->argument);
}

static void
name_failed(struct name *name, const char *why)
{
	char host[HOSTNAME_MAX + 1];

	if (strcmp(name->failure, why) == 0)
		return;
	snprintf(name->failure, sizeof(name->failure), "%s", why);
	text_escape(name->known.host, strlen(name->known.host), host,
		    sizeof(host));
	log_warn("backend name does not resolve",
		 "name=%s reason=\"%s\" kept_addresses=%zu", host, why,
		 name->known.count);
	if (name->known.count > 0)
		return;
	snprintf(name->known.error, sizeof(name->known.error), "%s", why);
	tell(name);
}

/* The order counts: it is the one in which they are tried. */
static bool
has_same_addresses(const struct resolution *one, const struct resolution *other)
{
	return one->count == other->count &&
	       memcmp(one->addresses, other->addresses,
		      one->count * sizeof(one->addresses[0])) == 0;
}

static void
name_resolved(struct name *name, const struct resolution *answer)
{
	char host[HOSTNAME_MAX + 1];

	text_escape(name->known.host, strlen(name->known.host), host,
		    sizeof(host));
	if (name->failure[0] != '\0')
		log_info("backend name resolves now", "name=%s addresses=%zu",
			 host, answer->count);
	name->failure[0] = '\0';
	if (has_same_addresses(&name->known, answer))
		return;
	log_debug("backend name resolved", "name=%s addresses=%zu", host,
		  answer->count);
	name->known = *answer;
	tell(name);
}

static void
on_answer(void *argument, int status, int timeouts, struct ares_addrinfo *found)
{
	struct name *name = argument;
	struct resolution answer = {0};

	(void)timeouts;
	/* The resolver is being freed. */
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		return;
	memcpy(answer.host, name->known.host, sizeof(answer.host));
	if (status == ARES_SUCCESS) {
		ares_loop_addresses(found, &answer);
		ares_freeaddrinfo(found);
		if (answer.count == 0)
			status = ARES_ENODATA;
	}
	name->is_asking = false;
	if (status == ARES_SUCCESS) {
		name_resolved(name, &answer);
		schedule_refresh(name);
	} else {
		name_failed(name, ares_strerror(status));
		schedule_retry(name);
	}
}

static void
ask(struct name *name)
{
	static const int families[] = {
		[ADDRESS_FAMILY_ANY] = AF_UNSPEC,
		[ADDRESS_FAMILY_INET] = AF_INET,
		[ADDRESS_FAMILY_INET6] = AF_INET6,
	};

	name->is_asking = true;
	schedule(name, name->resolver->timeout_ms);
	/* It may answer before it returns. */
	ares_loop_ask(name->resolver->loop, name->known.host,
		      families[name->family], on_answer, name);
}

static void
on_due(evutil_socket_t descriptor, short what, void *argument)
{
	struct name *name = argument;

	(void)descriptor;
	(void)what;
	/* Too late for those who wait; asking goes on until c-ares gives up
	 * all its servers and search domains. */
	if (name->is_asking)
		name_failed(name, ares_strerror(ARES_ETIMEOUT));
	else
		ask(name);
}

/* The beginning and the end. */

struct resolver *
resolver_new(struct event_base *base, const struct conf_resolver *settings,
	     resolver_told *told, void *argument, struct error *error)
{
	struct resolver *resolver = mem_alloc(sizeof(*resolver));

	resolver->base = base;
	STAILQ_INIT(&resolver->names);
	resolver->by_host = name_index_new();
	resolver->servers = name_servers_join(settings, error);
	resolver->refresh_ms = settings->refresh_ms;
	resolver->timeout_ms = settings->timeout_ms;
	resolver->told = told;
	resolver->argument = argument;
	if (resolver->servers)
		resolver->loop = ares_loop_new(
			base, resolver->servers,
			name_servers_patience_ms(settings), error);
	if (!resolver->loop) {
		resolver_free(resolver);
		return NULL;
	}
	return resolver;
}

void
resolver_free(struct resolver *resolver)
{
	struct name *name;

	if (!resolver)
		return;
	/* First, as it answers every question that is open. */
	ares_loop_free(resolver->loop);
	while ((name = STAILQ_FIRST(&resolver->names))) {
		STAILQ_REMOVE_HEAD(&resolver->names, entries);
		event_free(name->timer);
		mem_free(name);
	}
	name_index_free(resolver->by_host);
	mem_free(resolver->servers);
	mem_free(resolver);
}

static struct name *
find(const struct resolver *resolver, const char *host)
{
	const struct name_value *value =
		name_index_exact(resolver->by_host, host);

	return value ? value->value : NULL;
}

void
resolver_add(struct resolver *resolver, const char *host,
	     enum address_family family)
{
	struct name *name = find(resolver, host);

	if (name) {
		if (name->family != family)
			name->family = ADDRESS_FAMILY_ANY;
		return;
	}
	assert(strlen(host) <= HOSTNAME_MAX);
	name = mem_alloc(sizeof(*name));
	name->resolver = resolver;
	name->family = family;
	name->retry_ms = RETRY_MIN_MS;
	memcpy(name->known.host, host, strlen(host) + 1);
	name->timer = evtimer_new(resolver->base, on_due, name);
	assert(name->timer);
	STAILQ_INSERT_TAIL(&resolver->names, name, entries);
	name_index_add(resolver->by_host, host, name);
}

static bool
has_same_settings(const struct resolver *one, const struct resolver *other)
{
	return strcmp(one->servers, other->servers) == 0 &&
	       one->refresh_ms == other->refresh_ms &&
	       one->timeout_ms == other->timeout_ms;
}

/* Take over what was known; the time until the next turn, 0 when that is now.
 */
static int64_t
adopt(struct name *name, const struct name *earlier)
{
	int64_t left_ms = earlier->due_ms - clock_monotonic_ms();

	if (name->family != earlier->family)
		return 0;
	name->known = earlier->known;
	memcpy(name->failure, earlier->failure, sizeof(name->failure));
	if (!has_same_settings(name->resolver, earlier->resolver) ||
	    earlier->is_asking || !is_known(name))
		return 0;
	name->retry_ms = earlier->retry_ms;
	return left_ms > 0 ? left_ms : 0;
}

void
resolver_start(struct resolver *resolver, const struct resolver *earlier)
{
	struct name *name;
	int64_t turn_ms = 0;

	STAILQ_FOREACH (name, &resolver->names, entries) {
		const struct name *before =
			earlier ? find(earlier, name->known.host) : NULL;
		int64_t left_ms = before ? adopt(name, before) : 0;

		/* One a millisecond: a thousand names at once would not fit
		 * into the socket buffer of whoever is asked. */
		schedule(name, left_ms > 0 ? left_ms : turn_ms++);
	}
}

void
resolver_tell_all(const struct resolver *resolver, resolver_told *told,
		  void *argument)
{
	const struct name *name;

	STAILQ_FOREACH (name, &resolver->names, entries)
		if (is_known(name))
			told(&name->known, argument);
}
