/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exchange waits for its turn, has its host resolved, makes one HTTP
 * request, and begins again where that is sent elsewhere. Everything it comes
 * to is told in one place (finish), from the loop.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/fetch/ocsp_transport.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/net/resolution.h"
#include "daemon/fetch/ares_loop.h"
#include "daemon/fetch/name_servers.h"
#include "daemon/fetch/ocsp_url.h"

#ifdef HAVE_LIBCURL

#include "daemon/fetch/curl_loop.h"
#include "daemon/fetch/http_exchange.h"

#define UNDER_WAY_MAX   64
#define A_RESPONDER_MAX 4
#define REDIRECTS_MAX   3

/* The redirected ones, a GET and a POST. */
#define REQUESTS_MAX (REDIRECTS_MAX + 2)

#define HTTP_OK              200
#define HTTP_NO_SUCH_METHOD  405
#define HTTP_NOT_IMPLEMENTED 501

/* A question to c-ares, which cannot be taken back. */
struct lookup {
	struct ocsp_exchange *exchange; /* NULL: nobody waits for it */
};

struct ocsp_exchange {
	TAILQ_ENTRY(ocsp_exchange) entries;
	struct ocsp_transport *transport;
	bool is_under_way;
	struct ocsp_url responder; /* whose turn it takes */
	struct ocsp_url url;
	struct ocsp_url proxy; /* text NULL: none */
	unsigned char *request;
	size_t length;
	enum ocsp_method method;
	bool is_get;
	unsigned int redirects;
	char *asked[REQUESTS_MAX]; /* addresses, the last one's now */
	size_t asked_count;
	struct error unusable; /* text "": its addresses can be used */
	int64_t limit_ms;
	struct event *timer; /* pending: under way; at the limit */
	struct lookup *lookup;
	struct http_exchange *http;
	ocsp_exchange_told *told;
	void *argument;
};

TAILQ_HEAD(exchange_list, ocsp_exchange);

struct ocsp_transport {
	struct event_base *base;
	struct curl_loop *curl;
	struct ares_loop *names; /* NULL: not known how; nothing begins */
	struct event *turn;      /* active: somebody may begin */
	struct exchange_list waiting;
	struct exchange_list under_way;
	size_t under_way_count;
};

static void
attempt(struct ocsp_exchange *exchange);

/* The end. */

static void
finish(struct ocsp_exchange *exchange, const struct ocsp_reply *reply)
{
	ocsp_exchange_told *told = exchange->told;
	void *argument = exchange->argument;

	told(argument, reply);
	ocsp_exchange_free(exchange);
}

static void
fail(struct ocsp_exchange *exchange, const char *failure)
{
	const struct ocsp_reply reply = {.failure = failure};

	finish(exchange, &reply);
}

static void
on_limit(evutil_socket_t descriptor, short what, void *argument)
{
	struct ocsp_exchange *exchange = argument;
	char limit[32], sentence[64];

	(void)descriptor;
	(void)what;
	text_format_duration(exchange->limit_ms, limit, sizeof(limit));
	snprintf(sentence, sizeof(sentence), "no answer within %s", limit);
	fail(exchange, sentence);
}

/* HTTP. */

static void
redirect(struct ocsp_exchange *exchange, const char *location)
{
	struct error error = {0};
	struct ocsp_url url;

	if (++exchange->redirects > REDIRECTS_MAX) {
		fail(exchange, "it is redirected more than three times");
		return;
	}
	if (ocsp_url_parse(location, &url, &error) != 0) {
		fail(exchange, error.text);
		return;
	}
	ocsp_url_clear(&exchange->url);
	exchange->url = url;
	attempt(exchange);
}

static bool
is_method_refused(long status)
{
	return status == HTTP_NO_SUCH_METHOD || status == HTTP_NOT_IMPLEMENTED;
}

static void
fail_with_status(struct ocsp_exchange *exchange, long status)
{
	char sentence[64];
	const struct ocsp_reply reply = {
		.failure = sentence,
		.status = status,
		.is_method_refused = is_method_refused(status),
	};

	snprintf(sentence, sizeof(sentence), "it answers HTTP %ld to a %s",
		 status, exchange->is_get ? "GET" : "POST");
	finish(exchange, &reply);
}

static bool
may_be_post(const struct ocsp_exchange *exchange, long status)
{
	return exchange->is_get && is_method_refused(status) &&
	       exchange->method == OCSP_BY_EITHER && exchange->redirects == 0;
}

static void
on_http(void *argument, const struct http_reply *reply)
{
	const struct ocsp_reply answer = {.status = reply->status,
					  .bytes = reply->bytes,
					  .length = reply->length};
	struct ocsp_exchange *exchange = argument;
	AUTO_FREE char *location =
		reply->location ? mem_strdup(reply->location) : NULL;

	if (reply->failure) {
		fail(exchange, reply->failure);
	} else if (location) {
		redirect(exchange, location);
	} else if (may_be_post(exchange, reply->status)) {
		exchange->is_get = false;
		attempt(exchange);
	} else if (reply->status != HTTP_OK) {
		fail_with_status(exchange, reply->status);
	} else {
		finish(exchange, &answer);
	}
}

static const struct ocsp_url *
peer_of(const struct ocsp_exchange *exchange)
{
	return exchange->proxy.text ? &exchange->proxy : &exchange->url;
}

static void
transfer(struct ocsp_exchange *exchange, const struct resolution *resolution)
{
	const struct http_request request = {
		.url = exchange->asked[exchange->asked_count - 1],
		.proxy = exchange->proxy.text ? &exchange->proxy : NULL,
		.peer = peer_of(exchange),
		.resolution = resolution,
		.body = exchange->is_get ? NULL : exchange->request,
		.length = exchange->length,
	};

	exchange->http = http_exchange_new(exchange->transport->curl, &request,
					   on_http, exchange);
}

/* Names. */

static void
look_up(struct ocsp_exchange *exchange);

static void
on_addresses(void *argument, int status, int timeouts,
	     struct ares_addrinfo *found)
{
	struct lookup *lookup = argument;
	struct ocsp_exchange *exchange = lookup->exchange;
	struct resolution resolution = {0};
	char sentence[HOSTNAME_MAX + 128];

	(void)timeouts;
	mem_free(lookup);
	if (found) {
		ares_loop_addresses(found, &resolution);
		ares_freeaddrinfo(found);
	}
	if (!exchange)
		return;
	exchange->lookup = NULL;
	if (status == ARES_SUCCESS && resolution.count > 0) {
		transfer(exchange, &resolution);
	} else if (status == ARES_EDESTRUCTION) {
		/* Other servers have taken the place of those. */
		look_up(exchange);
	} else {
		snprintf(sentence, sizeof(sentence),
			 "its name %s does not resolve: %s",
			 peer_of(exchange)->host,
			 ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA
							      : status));
		fail(exchange, sentence);
	}
}

static void
look_up(struct ocsp_exchange *exchange)
{
	struct lookup *lookup = mem_alloc(sizeof(*lookup));

	lookup->exchange = exchange;
	exchange->lookup = lookup;
	/* It may answer, and the exchange be over, before this returns. */
	ares_loop_ask(exchange->transport->names, peer_of(exchange)->host,
		      AF_UNSPEC, on_addresses, lookup);
}

/* Where a GET has been redirected to, the request is in the address already.
 */
static char *
next_address(struct ocsp_exchange *exchange)
{
	char *get = NULL;

	if (exchange->is_get && exchange->redirects == 0) {
		get = ocsp_url_with_request(&exchange->url, exchange->request,
					    exchange->length);
		exchange->is_get = get != NULL;
	}
	return get ? get : mem_strdup(exchange->url.text);
}

static bool
is_asked(const struct ocsp_exchange *exchange, const char *address)
{
	for (size_t i = 0; i < exchange->asked_count; i++)
		if (strcmp(exchange->asked[i], address) == 0)
			return true;
	return false;
}

static void
attempt(struct ocsp_exchange *exchange)
{
	AUTO_FREE char *address = next_address(exchange);

	http_exchange_free(TAKE(exchange->http));
	if (is_asked(exchange, address)) {
		fail(exchange, "it is redirected in a circle");
		return;
	}
	assert(exchange->asked_count < REQUESTS_MAX);
	exchange->asked[exchange->asked_count++] = TAKE(address);
	if (peer_of(exchange)->is_ip)
		transfer(exchange, NULL);
	else
		look_up(exchange);
}

/* Turns. */

static bool
has_room(const struct ocsp_transport *transport,
	 const struct ocsp_exchange *candidate)
{
	const struct ocsp_exchange *other;
	unsigned int count = 0;

	TAILQ_FOREACH (other, &transport->under_way, entries)
		if (other->responder.port == candidate->responder.port &&
		    strcmp(other->responder.host, candidate->responder.host) ==
			    0)
			count++;
	return count < A_RESPONDER_MAX;
}

static struct ocsp_exchange *
next_in_turn(const struct ocsp_transport *transport)
{
	struct ocsp_exchange *candidate;

	if (!transport->names || transport->under_way_count == UNDER_WAY_MAX)
		return NULL;
	TAILQ_FOREACH (candidate, &transport->waiting, entries)
		if (has_room(transport, candidate))
			return candidate;
	return NULL;
}

static void
begin(struct ocsp_exchange *exchange)
{
	struct ocsp_transport *transport = exchange->transport;
	const struct timeval after = {
		.tv_sec = exchange->limit_ms / 1000,
		.tv_usec = exchange->limit_ms % 1000 * 1000,
	};

	TAILQ_REMOVE(&transport->waiting, exchange, entries);
	TAILQ_INSERT_TAIL(&transport->under_way, exchange, entries);
	transport->under_way_count++;
	exchange->is_under_way = true;
	event_add(exchange->timer, &after);
	if (exchange->unusable.text[0] != '\0')
		fail(exchange, exchange->unusable.text);
	else
		attempt(exchange);
}

static void
on_turn(evutil_socket_t descriptor, short what, void *argument)
{
	struct ocsp_transport *transport = argument;
	struct ocsp_exchange *exchange;

	(void)descriptor;
	(void)what;
	while ((exchange = next_in_turn(transport)))
		begin(exchange);
}

/* The beginning. */

struct ocsp_transport *
ocsp_transport_new(struct event_base *base, struct error *error)
{
	struct ocsp_transport *transport;
	struct curl_loop *curl = curl_loop_new(base, http_exchange_ended);

	if (!curl) {
		error_set(error, "libcurl cannot start");
		return NULL;
	}
	transport = mem_alloc(sizeof(*transport));
	transport->base = base;
	transport->curl = curl;
	TAILQ_INIT(&transport->waiting);
	TAILQ_INIT(&transport->under_way);
	transport->turn = event_new(base, -1, 0, on_turn, transport);
	assert(transport->turn);
	return transport;
}

void
ocsp_transport_free(struct ocsp_transport *transport)
{
	if (!transport)
		return;
	assert(TAILQ_EMPTY(&transport->waiting) &&
	       TAILQ_EMPTY(&transport->under_way));
	ares_loop_free(transport->names);
	curl_loop_free(transport->curl);
	event_free(transport->turn);
	mem_free(transport);
}

int
ocsp_transport_resolve_by(struct ocsp_transport *transport,
			  const struct conf_resolver *settings,
			  struct error *error)
{
	AUTO_FREE char *servers = name_servers_join(settings, error);
	struct ares_loop *before = transport->names, *names;

	if (!servers)
		return -1;
	names = ares_loop_new(transport->base, servers,
			      name_servers_patience_ms(settings), error);
	if (!names)
		return -1;
	transport->names = names;
	ares_loop_free(before);
	event_active(transport->turn, EV_TIMEOUT, 0);
	return 0;
}

static void
parse_addresses(struct ocsp_exchange *exchange,
		const struct ocsp_question *question)
{
	bool has_proxy = question->proxy && question->proxy[0] != '\0';
	AUTO_FREE char *proxy = NULL;

	if (ocsp_url_parse(question->url, &exchange->url,
			   &exchange->unusable) != 0)
		return;
	/* It stays as it was asked for. */
	exchange->responder = exchange->url;
	exchange->responder.text = NULL;
	if (!has_proxy)
		return;
	proxy = mem_format("%s%s",
			   strstr(question->proxy, "://") ? "" : "http://",
			   question->proxy);
	(void)!ocsp_url_parse(proxy, &exchange->proxy, &exchange->unusable);
}

struct ocsp_exchange *
ocsp_transport_ask(struct ocsp_transport *transport,
		   const struct ocsp_question *question,
		   ocsp_exchange_told *told, void *argument)
{
	struct ocsp_exchange *exchange = mem_alloc(sizeof(*exchange));

	exchange->transport = transport;
	exchange->request = mem_dup(question->request, question->length);
	exchange->length = question->length;
	exchange->method = question->method;
	exchange->is_get = question->method != OCSP_BY_POST;
	exchange->limit_ms =
		question->limit_ms > 0 ? question->limit_ms : OCSP_TRANSPORT_MS;
	exchange->told = told;
	exchange->argument = argument;
	exchange->timer = evtimer_new(transport->base, on_limit, exchange);
	assert(exchange->timer);
	parse_addresses(exchange, question);
	if (question->is_first)
		TAILQ_INSERT_HEAD(&transport->waiting, exchange, entries);
	else
		TAILQ_INSERT_TAIL(&transport->waiting, exchange, entries);
	event_active(transport->turn, EV_TIMEOUT, 0);
	return exchange;
}

void
ocsp_exchange_free(struct ocsp_exchange *exchange)
{
	struct ocsp_transport *transport;

	if (!exchange)
		return;
	transport = exchange->transport;
	if (exchange->is_under_way) {
		TAILQ_REMOVE(&transport->under_way, exchange, entries);
		transport->under_way_count--;
		event_active(transport->turn, EV_TIMEOUT, 0);
	} else {
		TAILQ_REMOVE(&transport->waiting, exchange, entries);
	}
	if (exchange->lookup)
		exchange->lookup->exchange = NULL;
	http_exchange_free(exchange->http);
	event_free(exchange->timer);
	ocsp_url_clear(&exchange->url);
	ocsp_url_clear(&exchange->proxy);
	for (size_t i = 0; i < exchange->asked_count; i++)
		mem_free(exchange->asked[i]);
	mem_free(exchange->request);
	mem_free(exchange);
}

#else

/* Nothing can be asked, and so there is nothing to do it with. */

struct ocsp_transport *
ocsp_transport_new(struct event_base *base, struct error *error)
{
	(void)base;
	error_set(error, "this sealock was built without libcurl");
	return NULL;
}

void
ocsp_transport_free(struct ocsp_transport *transport)
{
	assert(!transport);
}

int
ocsp_transport_resolve_by(struct ocsp_transport *transport,
			  const struct conf_resolver *settings,
			  struct error *error)
{
	(void)transport;
	(void)settings;
	(void)error;
	abort();
}

struct ocsp_exchange *
ocsp_transport_ask(struct ocsp_transport *transport,
		   const struct ocsp_question *question,
		   ocsp_exchange_told *told, void *argument)
{
	(void)transport;
	(void)question;
	(void)told;
	(void)argument;
	abort();
}

void
ocsp_exchange_free(struct ocsp_exchange *exchange)
{
	assert(!exchange);
}

#endif
