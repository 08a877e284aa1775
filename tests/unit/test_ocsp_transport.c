/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP requests on their way, against a responder of the test's own on the
 * same event loop, which answers by what it is asked for.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/fetch/ocsp_transport.h"
#include "tests/lib/wait_for.h"
#include "tests/unit/unit.h"

#ifdef HAVE_LIBCURL

struct scene;

/* One that asks. */
struct visitor {
	LIST_ENTRY(visitor) entries;
	struct scene *scene;
	int descriptor;
	struct event *event;
	char heard[8192];
	size_t length;
	char *left; /* of the answer, when it is sent piece by piece */
	size_t left_length;
};

struct scene {
	struct event_base *base;
	struct ocsp_transport *transport;
	int listener;
	struct event *acceptable;
	LIST_HEAD(, visitor) visitors;
	unsigned int port;
	unsigned int visits;
	unsigned int open, open_max;
	unsigned int posts, gets;
	char last[8192]; /* the last request */

	unsigned int told;
	char failure[512]; /* the last one's; "": none */
	char answer[512];
	bool is_method_refused;
};

static void
visitor_free(struct visitor *visitor)
{
	visitor->scene->open--;
	LIST_REMOVE(visitor, entries);
	event_free(visitor->event);
	close(visitor->descriptor);
	mem_free(visitor->left);
	mem_free(visitor);
}

static void
say(struct visitor *visitor, const char *text)
{
	(void)!send(visitor->descriptor, text, strlen(text), MSG_NOSIGNAL);
	visitor_free(visitor);
}

static void
answer_with(struct visitor *visitor, const char *status, const char *body)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
		 strlen(body), body);
	say(visitor, text);
}

static void
send_elsewhere(struct visitor *visitor, const char *where)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
		 "Content-Length: 0\r\n\r\n",
		 where);
	say(visitor, text);
}

/* More than anybody wants to have, until the other hangs up. */
static void
on_room(evutil_socket_t descriptor, short what, void *argument)
{
	static char much[65536];
	struct visitor *visitor = argument;
	ssize_t sent;

	(void)what;
	memset(much, 'x', sizeof(much));
	if (visitor->left)
		memcpy(much, visitor->left, visitor->left_length);
	mem_free(TAKE(visitor->left));
	sent = send(descriptor, much, sizeof(much), MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		visitor_free(visitor);
}

static void
flood(struct visitor *visitor, const char *begin)
{
	visitor->left = mem_strdup(begin);
	visitor->left_length = strlen(begin);
	event_free(visitor->event);
	visitor->event = event_new(visitor->scene->base, visitor->descriptor,
				   EV_WRITE | EV_PERSIST, on_room, visitor);
	event_add(visitor->event, NULL);
}

/* A byte every few milliseconds. */
static void
on_drip(evutil_socket_t descriptor, short what, void *argument)
{
	struct visitor *visitor = argument;

	(void)descriptor;
	(void)what;
	if (send(visitor->descriptor, "x", 1, MSG_NOSIGNAL) < 0)
		visitor_free(visitor);
}

static void
drip(struct visitor *visitor)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	const struct timeval interval = {.tv_usec = 5000};

	(void)!send(visitor->descriptor, head, strlen(head), MSG_NOSIGNAL);
	event_free(visitor->event);
	visitor->event = event_new(visitor->scene->base, -1, EV_PERSIST,
				   on_drip, visitor);
	event_add(visitor->event, &interval);
}

static bool
asks_for(const struct visitor *visitor, const char *path)
{
	const char *begin = strchr(visitor->heard, ' ');

	return begin && strncmp(begin + 1, path, strlen(path)) == 0;
}

/* Never the same address twice. */
static const char *
longer_way(const struct visitor *visitor, char where[128])
{
	snprintf(where, 128, "/long-way/%u", visitor->scene->visits);
	return where;
}

static void
answer(struct visitor *visitor)
{
	char where[128];
	bool is_get = strncmp(visitor->heard, "GET ", 4) == 0;

	is_get ? visitor->scene->gets++ : visitor->scene->posts++;
	memcpy(visitor->scene->last, visitor->heard, visitor->length + 1);
	snprintf(where, sizeof(where), "http://localhost:%u/good",
		 visitor->scene->port);
	if (asks_for(visitor, "/good"))
		answer_with(visitor, "200 OK", "fine");
	else if (asks_for(visitor, "http://ocsp.invalid/via"))
		answer_with(visitor, "200 OK", "by proxy");
	else if (asks_for(visitor, "/post-only"))
		answer_with(visitor, is_get ? "405 No" : "200 OK", "posted");
	else if (asks_for(visitor, "/no-method"))
		answer_with(visitor, "405 No", "");
	else if (asks_for(visitor, "/500"))
		answer_with(visitor, "500 No", "fine");
	else if (asks_for(visitor, "/304"))
		answer_with(visitor, "304 No", "");
	else if (asks_for(visitor, "/empty"))
		answer_with(visitor, "200 OK", "");
	else if (asks_for(visitor, "/hang-up"))
		visitor_free(visitor);
	else if (asks_for(visitor, "/cut"))
		say(visitor, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
	else if (asks_for(visitor, "/garbage"))
		say(visitor, "\x30\x03\x0a\x01\x06 this is no HTTP\r\n\r\n");
	else if (asks_for(visitor, "/announced"))
		say(visitor, "HTTP/1.1 200 OK\r\nContent-Length: 10485760"
			     "\r\n\r\nx");
	else if (asks_for(visitor, "/much"))
		flood(visitor, "HTTP/1.1 200 OK\r\n\r\n");
	else if (asks_for(visitor, "/headers"))
		flood(visitor, "HTTP/1.1 200 OK\r\nX: y\r\nX: y\r\nX: ");
	else if (asks_for(visitor, "/drip"))
		drip(visitor);
	else if (asks_for(visitor, "/elsewhere"))
		send_elsewhere(visitor, where);
	else if (asks_for(visitor, "/relative"))
		send_elsewhere(visitor, "/good");
	else if (asks_for(visitor, "/loop"))
		send_elsewhere(visitor, "/loop");
	else if (asks_for(visitor, "/there"))
		send_elsewhere(visitor, "/back");
	else if (asks_for(visitor, "/back"))
		send_elsewhere(visitor, "/there#again");
	else if (asks_for(visitor, "/long-way"))
		is_get ? answer_with(visitor, "405 No", "")
		       : send_elsewhere(visitor, longer_way(visitor, where));
	else if (asks_for(visitor, "/https"))
		send_elsewhere(visitor, "https://127.0.0.1/");
	else if (asks_for(visitor, "/file"))
		send_elsewhere(visitor, "file:///etc/passwd");
	/* Else there is no answer. */
}

static bool
is_whole(const struct visitor *visitor)
{
	const char *end = strstr(visitor->heard, "\r\n\r\n");
	const char *length = strstr(visitor->heard, "Content-Length: ");

	return end &&
	       (!length || strlen(end + 4) >= strtoul(length + 16, NULL, 10));
}

static void
on_visitor(evutil_socket_t descriptor, short what, void *argument)
{
	struct visitor *visitor = argument;
	ssize_t got = recv(descriptor, visitor->heard + visitor->length,
			   sizeof(visitor->heard) - 1 - visitor->length, 0);

	(void)what;
	if (got <= 0) {
		visitor_free(visitor);
		return;
	}
	visitor->length += (size_t)got;
	visitor->heard[visitor->length] = '\0';
	if (is_whole(visitor))
		answer(visitor);
}

static void
on_visit(evutil_socket_t listener, short what, void *argument)
{
	struct scene *scene = argument;
	struct visitor *visitor = mem_alloc(sizeof(*visitor));

	(void)what;
	visitor->scene = scene;
	visitor->descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	CU_ASSERT_FATAL(visitor->descriptor >= 0);
	visitor->event = event_new(scene->base, visitor->descriptor,
				   EV_READ | EV_PERSIST, on_visitor, visitor);
	event_add(visitor->event, NULL);
	LIST_INSERT_HEAD(&scene->visitors, visitor, entries);
	scene->visits++;
	if (++scene->open > scene->open_max)
		scene->open_max = scene->open;
}

static void
scene_start(struct scene *scene)
{
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct conf_resolver resolver = {.timeout_ms = 2000};
	socklen_t length = sizeof(local);
	struct error error = {0};

	memset(scene, 0, sizeof(*scene));
	LIST_INIT(&scene->visitors);
	scene->base = event_base_new();
	scene->listener =
		socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(
		bind(scene->listener, (struct sockaddr *)&local, length), 0);
	CU_ASSERT_EQUAL_FATAL(listen(scene->listener, 128), 0);
	getsockname(scene->listener, (struct sockaddr *)&local, &length);
	scene->port = ntohs(local.sin_port);
	scene->acceptable = event_new(scene->base, scene->listener,
				      EV_READ | EV_PERSIST, on_visit, scene);
	event_add(scene->acceptable, NULL);
	scene->transport = ocsp_transport_new(scene->base, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->transport);
	CU_ASSERT_EQUAL_FATAL(
		ocsp_transport_resolve_by(scene->transport, &resolver, &error),
		0);
}

static void
scene_finish(struct scene *scene)
{
	struct visitor *visitor;

	ocsp_transport_free(scene->transport);
	while ((visitor = LIST_FIRST(&scene->visitors)))
		visitor_free(visitor);
	event_free(scene->acceptable);
	close(scene->listener);
	event_base_free(scene->base);
}

static void
on_told(void *argument, const struct ocsp_reply *reply)
{
	struct scene *scene = argument;

	scene->told++;
	scene->is_method_refused = reply->is_method_refused;
	scene->failure[0] = '\0';
	scene->answer[0] = '\0';
	if (reply->failure)
		snprintf(scene->failure, sizeof(scene->failure), "%s",
			 reply->failure);
	else
		snprintf(scene->answer, sizeof(scene->answer), "%.*s",
			 (int)reply->length, (const char *)reply->bytes);
}

#define REQUEST "a request"

static struct ocsp_exchange *
ask(struct scene *scene, const char *host, const char *path,
    enum ocsp_method method, int64_t limit_ms)
{
	char url[256];
	const struct ocsp_question question = {
		.url = url,
		.request = REQUEST,
		.length = strlen(REQUEST),
		.method = method,
		.limit_ms = limit_ms,
	};

	snprintf(url, sizeof(url), "http://%s:%u%s", host, scene->port, path);
	return ocsp_transport_ask(scene->transport, &question, on_told, scene);
}

static void
test_answers(void)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		scene.told = 0;
		ask(&scene, hosts[i], "/good", OCSP_BY_POST, 0);
		/* Never from within. */
		CU_ASSERT_EQUAL(scene.told, 0);
		WAIT_FOR(&scene, scene.told == 1);
		CU_ASSERT_STRING_EQUAL(scene.failure, "");
		CU_ASSERT_STRING_EQUAL(scene.answer, "fine");
		CU_ASSERT_PTR_NOT_NULL(strstr(
			scene.last, "Content-Type: application/ocsp-request"));
		CU_ASSERT_PTR_NOT_NULL(strstr(scene.last, "\r\n\r\n" REQUEST));
		CU_ASSERT_PTR_NULL(strstr(scene.last, "Expect"));
	}
	CU_ASSERT_EQUAL(scene.posts, 2);
	ask(&scene, "localhost", "/good", OCSP_BY_GET, 0);
	WAIT_FOR(&scene, scene.told == 2);
	CU_ASSERT_STRING_EQUAL(scene.answer, "fine");
	CU_ASSERT_EQUAL(scene.gets, 1);
	CU_ASSERT_EQUAL(
		strncmp(scene.last, "GET /good/YSByZXF1ZXN0 HTTP/1.1", 31), 0);
	/* A responder that takes no GET gets a POST. */
	ask(&scene, "localhost", "/post-only", OCSP_BY_EITHER, 0);
	WAIT_FOR(&scene, scene.told == 3);
	CU_ASSERT_STRING_EQUAL(scene.answer, "posted");
	CU_ASSERT_EQUAL(scene.gets, 2);
	CU_ASSERT_EQUAL(scene.posts, 3);
	/* Unless whoever asks would rather ask later. */
	CU_ASSERT_FALSE(scene.is_method_refused);
	ask(&scene, "localhost", "/post-only", OCSP_BY_GET, 0);
	WAIT_FOR(&scene, scene.told == 4);
	CU_ASSERT_STRING_EQUAL(scene.failure, "it answers HTTP 405 to a GET");
	CU_ASSERT_TRUE(scene.is_method_refused);
	CU_ASSERT_EQUAL(scene.gets, 3);
	CU_ASSERT_EQUAL(scene.posts, 3);
	ask(&scene, "localhost", "/no-method", OCSP_BY_POST, 0);
	WAIT_FOR(&scene, scene.told == 5);
	CU_ASSERT_STRING_EQUAL(scene.failure, "it answers HTTP 405 to a POST");
	CU_ASSERT_TRUE(scene.is_method_refused);
	/* Both of them and all that they are sent to are the most there is. */
	ask(&scene, "localhost", "/long-way", OCSP_BY_EITHER, 0);
	WAIT_FOR(&scene, scene.told == 6);
	CU_ASSERT_STRING_EQUAL(scene.failure,
			       "it is redirected more than three times");
	CU_ASSERT_EQUAL(scene.gets, 4);
	CU_ASSERT_EQUAL(scene.posts, 8);
	scene_finish(&scene);
}

static void
test_failures(void)
{
	static const struct {
		const char *path, *failure;
		unsigned int visits;
	} cases[] = {
		{"/500", "it answers HTTP 500", 1},
		{"/304", "it answers HTTP 304", 1},
		{"/hang-up", "hung up", 1},
		{"/cut", "in the middle", 1},
		{"/garbage", "not HTTP", 1},
		{"/announced", "longer than 64 kB", 1},
		{"/much", "longer than 64 kB", 1},
		{"/headers", "headers are longer than 64 kB", 1},
		{"/drip", "no answer within 300ms", 1},
		{"/silence", "no answer within 300ms", 1},
		{"/loop", "in a circle", 1},
		{"/there", "in a circle", 2},
		{"/long-way", "more than three times", 4},
		{"/https", "by http:// alone", 1},
		{"/file", "by http:// alone", 1},
	};
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_short = strstr(cases[i].failure, "300ms") != NULL;

		scene.told = scene.visits = 0;
		ask(&scene, "127.0.0.1", cases[i].path, OCSP_BY_POST,
		    is_short ? 300 : 0);
		WAIT_FOR(&scene, scene.told == 1);
		CU_ASSERT_STRING_NOT_EQUAL(scene.failure, "");
		CU_ASSERT_PTR_NOT_NULL(strstr(scene.failure, cases[i].failure));
		CU_ASSERT_EQUAL(scene.visits, cases[i].visits);
	}
	/* Empty is no failure here. */
	ask(&scene, "127.0.0.1", "/empty", OCSP_BY_POST, 0);
	WAIT_FOR(&scene, scene.told == 2);
	CU_ASSERT_STRING_EQUAL(scene.failure, "");
	scene_finish(&scene);
}

static void
test_elsewhere(void)
{
	static const char *const paths[] = {"/elsewhere", "/relative"};
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(paths); i++) {
		scene.told = 0;
		ask(&scene, "127.0.0.1", paths[i / 2],
		    i % 2 ? OCSP_BY_EITHER : OCSP_BY_POST, 0);
		WAIT_FOR(&scene, scene.told == 1);
		CU_ASSERT_STRING_EQUAL(scene.failure, "");
		CU_ASSERT_STRING_EQUAL(scene.answer, "fine");
	}
	/* What was a POST stays one. */
	CU_ASSERT_EQUAL(scene.posts, 4);
	scene_finish(&scene);
}

static void
test_unreachable(void)
{
	static const struct {
		const char *url, *failure;
	} cases[] = {
		{"http://127.0.0.1:1/", "no connection"},
		{"http://no-such-name.invalid/", "does not resolve"},
		{"ldap://127.0.0.1/", "http:// alone"},
		{"http://[", "is not used"},
	};
	char server[] = "127.0.0.1:1", *servers[] = {server};
	const struct conf_resolver resolver = {
		.servers = servers, .server_count = 1, .timeout_ms = 500};
	struct error error = {0};
	struct scene scene;

	scene_start(&scene);
	CU_ASSERT_EQUAL(
		ocsp_transport_resolve_by(scene.transport, &resolver, &error),
		0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ocsp_question question = {
			.url = cases[i].url, .request = REQUEST, .length = 4};

		scene.told = 0;
		ocsp_transport_ask(scene.transport, &question, on_told, &scene);
		WAIT_FOR(&scene, scene.told == 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(scene.failure, cases[i].failure));
	}
	scene_finish(&scene);
}

static void
test_proxy(void)
{
	static const char *const forms[] = {
		"http://127.0.0.1:%u", "127.0.0.1:%u/", "http://localhost:%u/"};
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char proxy[64];
		struct ocsp_question question = {
			.url = "http://ocsp.invalid/via",
			.proxy = proxy,
			.request = REQUEST,
			.length = strlen(REQUEST)};

		scene.told = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(proxy, sizeof(proxy), forms[i], scene.port);
#pragma GCC diagnostic pop
		ocsp_transport_ask(scene.transport, &question, on_told, &scene);
		WAIT_FOR(&scene, scene.told == 1);
		CU_ASSERT_STRING_EQUAL(scene.failure, "");
		CU_ASSERT_STRING_EQUAL(scene.answer, "by proxy");
	}
	scene_finish(&scene);
}

/* The environment's proxy is nobody's business. */
static void
test_environment(void)
{
	struct scene scene;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	scene_start(&scene);
	ask(&scene, "127.0.0.1", "/good", OCSP_BY_POST, 0);
	WAIT_FOR(&scene, scene.told == 1);
	CU_ASSERT_STRING_EQUAL(scene.answer, "fine");
	scene_finish(&scene);
	unsetenv("http_proxy");
}

static void
test_turns(void)
{
	struct ocsp_exchange *exchanges[20];
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++)
		exchanges[i] = ask(&scene, "127.0.0.1", "/silence",
				   OCSP_BY_POST, 60000);
	WAIT_FOR(&scene, scene.posts == 4);
	/* One that waits, and one that goes on, are dropped: the others move
	 * up, and nobody is told anything. */
	ocsp_exchange_free(exchanges[10]);
	ocsp_exchange_free(exchanges[0]);
	WAIT_FOR(&scene, scene.posts == 5);
	/* Another responder has turns of its own. */
	ask(&scene, "localhost", "/good", OCSP_BY_POST, 0);
	WAIT_FOR(&scene, scene.told == 1);
	CU_ASSERT_STRING_EQUAL(scene.answer, "fine");
	CU_ASSERT_EQUAL(scene.posts, 6);
	CU_ASSERT_TRUE(scene.open_max <= 6);
	for (size_t i = 1; i < ARRAY_SIZE(exchanges); i++)
		if (i != 10)
			ocsp_exchange_free(exchanges[i]);
	CU_ASSERT_EQUAL(scene.told, 1);
	scene_finish(&scene);
}

/* Dropped at every moment. */
static void
test_dropped(void)
{
	struct scene scene;

	scene_start(&scene);
	for (int turns = 0; turns < 12; turns++) {
		struct ocsp_exchange *exchange =
			ask(&scene, turns % 2 ? "localhost" : "127.0.0.1",
			    "/silence", OCSP_BY_POST, 0);

		for (int i = 0; i < turns; i++)
			event_base_loop(scene.base, EVLOOP_NONBLOCK);
		ocsp_exchange_free(exchange);
	}
	CU_ASSERT_EQUAL(scene.told, 0);
	scene_finish(&scene);
}

UNIT_SUITE(ocsp_transport, {"answers", test_answers},
	   {"failures", test_failures}, {"elsewhere", test_elsewhere},
	   {"unreachable", test_unreachable}, {"proxy", test_proxy},
	   {"environment", test_environment}, {"turns", test_turns},
	   {"dropped", test_dropped});

#else

static void
test_none(void)
{
	struct error error = {0};

	CU_ASSERT_PTR_NULL(ocsp_transport_new(NULL, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "without libcurl"));
}

UNIT_SUITE(ocsp_transport, {"none", test_none});

#endif
