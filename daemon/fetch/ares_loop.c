/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * c-ares says which descriptors it waits for, and until when.
 */
#include "daemon/fetch/ares_loop.h"

#include <assert.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/resolution.h"

/* So often a question is sent to a server. */
#define TRIES 2

struct watch {
	LIST_ENTRY(watch) entries;
	ares_socket_t descriptor;
	struct event *event;
};

struct ares_loop {
	struct event_base *base;
	ares_channel channel;
	struct event *timer;
	LIST_HEAD(, watch) watches;
};

static void
arm_timer(struct ares_loop *loop)
{
	struct timeval left;

	if (ares_timeout(loop->channel, NULL, &left))
		event_add(loop->timer, &left);
	else
		event_del(loop->timer);
}

static void
on_timer(evutil_socket_t descriptor, short what, void *argument)
{
	struct ares_loop *loop = argument;

	(void)descriptor;
	(void)what;
	ares_process_fd(loop->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timer(loop);
}

static void
on_ready(evutil_socket_t descriptor, short what, void *argument)
{
	struct ares_loop *loop = argument;

	ares_process_fd(loop->channel,
			what & EV_READ ? descriptor : ARES_SOCKET_BAD,
			what & EV_WRITE ? descriptor : ARES_SOCKET_BAD);
	arm_timer(loop);
}

static void
watch_free(struct watch *watch)
{
	LIST_REMOVE(watch, entries);
	event_free(watch->event);
	mem_free(watch);
}

static void
on_socket_state(void *argument, ares_socket_t descriptor, int is_reading,
		int is_writing)
{
	struct ares_loop *loop = argument;
	short what = (short)((is_reading ? EV_READ : 0) |
			     (is_writing ? EV_WRITE : 0));
	struct watch *watch;

	LIST_FOREACH (watch, &loop->watches, entries)
		if (watch->descriptor == descriptor)
			break;
	if (watch)
		watch_free(watch);
	if (what == 0)
		return;
	watch = mem_alloc(sizeof(*watch));
	watch->descriptor = descriptor;
	watch->event = event_new(loop->base, descriptor,
				 (short)(what | EV_PERSIST), on_ready, loop);
	assert(watch->event);
	event_add(watch->event, NULL);
	LIST_INSERT_HEAD(&loop->watches, watch, entries);
}

static int
open_channel(struct ares_loop *loop, const char *servers, int64_t timeout_ms,
	     struct error *error)
{
	struct ares_options options = {
		.timeout = (int)timeout_ms,
		.tries = TRIES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = loop,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
	int status;

#ifdef ARES_OPT_QUERY_CACHE /* of 0 seconds: who asks wants to know */
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	status = ares_init_options(&loop->channel, &options, mask);
	if (status != ARES_SUCCESS) {
		loop->channel = NULL;
		error_set(error, "the resolver cannot start: %s",
			  ares_strerror(status));
		return -1;
	}
	if (servers[0] == '\0')
		return 0;
	status = ares_set_servers_ports_csv(loop->channel, servers);
	if (status != ARES_SUCCESS) {
		error_set(error, "the resolver cannot use its servers %s: %s",
			  servers, ares_strerror(status));
		return -1;
	}
	return 0;
}

struct ares_loop *
ares_loop_new(struct event_base *base, const char *servers, int64_t timeout_ms,
	      struct error *error)
{
	struct ares_loop *loop = mem_alloc(sizeof(*loop));
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	assert(status == ARES_SUCCESS);
	loop->base = base;
	LIST_INIT(&loop->watches);
	loop->timer = evtimer_new(base, on_timer, loop);
	assert(loop->timer);
	if (open_channel(loop, servers, timeout_ms, error) != 0) {
		ares_loop_free(loop);
		return NULL;
	}
	return loop;
}

void
ares_loop_free(struct ares_loop *loop)
{
	struct watch *watch;

	if (!loop)
		return;
	if (loop->channel)
		ares_destroy(loop->channel);
	ares_library_cleanup();
	while ((watch = LIST_FIRST(&loop->watches)))
		watch_free(watch);
	event_free(loop->timer);
	mem_free(loop);
}

void
ares_loop_ask(struct ares_loop *loop, const char *host, int family,
	      ares_addrinfo_callback answer, void *argument)
{
	struct ares_addrinfo_hints hints = {.ai_family = family,
					    .ai_socktype = SOCK_STREAM};

	ares_getaddrinfo(loop->channel, host, NULL, &hints, answer, argument);
	arm_timer(loop);
}

/* Answers. */

static bool
has_address(const struct resolution *answer, sa_family_t family,
	    const void *bytes, size_t size)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->addresses[i].family == family &&
		    memcmp(answer->addresses[i].bytes, bytes, size) == 0)
			return true;
	return false;
}

/* Hosts files name things twice; what comes first stays first. */
static void
add_address(struct resolution *answer, const struct ares_addrinfo_node *node)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	const void *bytes;
	size_t size;

	if (node->ai_family == AF_INET) {
		memcpy(&in, node->ai_addr, sizeof(in));
		bytes = &in.sin_addr;
		size = sizeof(in.sin_addr);
	} else if (node->ai_family == AF_INET6) {
		memcpy(&in6, node->ai_addr, sizeof(in6));
		bytes = &in6.sin6_addr;
		size = sizeof(in6.sin6_addr);
	} else {
		return;
	}
	if (answer->count == RESOLUTION_MAX ||
	    has_address(answer, (sa_family_t)node->ai_family, bytes, size))
		return;
	answer->addresses[answer->count].family = (sa_family_t)node->ai_family;
	memcpy(answer->addresses[answer->count].bytes, bytes, size);
	answer->count++;
}

void
ares_loop_addresses(const struct ares_addrinfo *found,
		    struct resolution *answer)
{
	for (const struct ares_addrinfo_node *node = found->nodes; node;
	     node = node->ai_next)
		add_address(answer, node);
}
