/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl says which descriptors it waits for, and until when.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stddef.h>

#ifdef HAVE_LIBCURL

#include "daemon/fetch/curl_loop.h"

#include <assert.h>
#include <sys/queue.h>
#include <event2/event.h>

#include "common/base/mem.h"

struct watch {
	LIST_ENTRY(watch) entries;
	struct event *event;
};

struct curl_loop {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	LIST_HEAD(, watch) watches;
	curl_loop_ended *ended;
};

static void
tell_ended(struct curl_loop *loop)
{
	const CURLMsg *told;
	int left;

	while ((told = curl_multi_info_read(loop->multi, &left))) {
		CURL *transfer = told->easy_handle;
		CURLcode result = told->data.result;

		if (told->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(loop->multi, transfer);
		loop->ended(transfer, result);
	}
}

static void
act(struct curl_loop *loop, curl_socket_t descriptor, int what)
{
	int running;

	curl_multi_socket_action(loop->multi, descriptor, what, &running);
	tell_ended(loop);
}

static void
on_ready(evutil_socket_t descriptor, short what, void *argument)
{
	act(argument, descriptor,
	    (what & EV_READ ? CURL_CSELECT_IN : 0) |
		    (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	act(argument, CURL_SOCKET_TIMEOUT, 0);
}

static void
watch_free(struct watch *watch)
{
	LIST_REMOVE(watch, entries);
	event_free(watch->event);
	mem_free(watch);
}

static int
on_socket_state(CURL *transfer, curl_socket_t descriptor, int what,
		void *argument, void *known)
{
	struct curl_loop *loop = argument;
	struct watch *watch = known;
	short wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)transfer;
	if (watch)
		watch_free(watch);
	watch = NULL;
	if (what != CURL_POLL_REMOVE && wanted != 0) {
		watch = mem_alloc(sizeof(*watch));
		watch->event =
			event_new(loop->base, descriptor,
				  (short)(wanted | EV_PERSIST), on_ready, loop);
		assert(watch->event);
		event_add(watch->event, NULL);
		LIST_INSERT_HEAD(&loop->watches, watch, entries);
	}
	curl_multi_assign(loop->multi, descriptor, watch);
	return 0;
}

static int
on_timeout(CURLM *multi, long milliseconds, void *argument)
{
	const struct timeval after = {
		.tv_sec = milliseconds / 1000,
		.tv_usec = milliseconds % 1000 * 1000,
	};
	struct curl_loop *loop = argument;

	(void)multi;
	if (milliseconds < 0)
		event_del(loop->timer);
	else
		event_add(loop->timer, &after);
	return 0;
}

struct curl_loop *
curl_loop_new(struct event_base *base, curl_loop_ended *ended)
{
	struct curl_loop *loop;
	CURLM *multi;

	/* No TLS: what we ask comes by http. */
	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return NULL;
	multi = curl_multi_init();
	if (!multi) {
		curl_global_cleanup();
		return NULL;
	}
	loop = mem_alloc(sizeof(*loop));
	loop->base = base;
	loop->multi = multi;
	loop->ended = ended;
	LIST_INIT(&loop->watches);
	loop->timer = evtimer_new(base, on_timer, loop);
	assert(loop->timer);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_state);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop);
	return loop;
}

void
curl_loop_free(struct curl_loop *loop)
{
	struct watch *watch;

	if (!loop)
		return;
	curl_multi_cleanup(loop->multi);
	curl_global_cleanup();
	while ((watch = LIST_FIRST(&loop->watches)))
		watch_free(watch);
	event_free(loop->timer);
	mem_free(loop);
}

void
curl_loop_add(struct curl_loop *loop, CURL *transfer)
{
	CURLMcode result = curl_multi_add_handle(loop->multi, transfer);

	assert(result == CURLM_OK);
}

void
curl_loop_remove(struct curl_loop *loop, CURL *transfer)
{
	curl_multi_remove_handle(loop->multi, transfer);
}

#endif
