/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What responders are asked when many want to know of many certificates, by
 * requests to one of the test's own on the same event loop, which answers,
 * refuses or hangs up when it is told to.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/fetch/ocsp_transport.h"
#include "daemon/helper/ocsp_fetch.h"
#include "daemon/helper/ocsp_queue.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_ocsp.h"
#include "tests/lib/wait_for.h"
#include "tests/unit/unit.h"

#ifdef HAVE_LIBCURL

#define PEERS_MAX (OCSP_QUEUE_MAX + 16)

enum behaviour {
	HOLD,
	ANSWER,         /* about all peers of the root that are known */
	ANSWER_ONE,     /* about the first that is asked about */
	REFUSE_SEVERAL, /* more than one: HTTP 500 */
	HANG_UP,
};

struct scene;

/* One that asks. */
struct visitor {
	TAILQ_ENTRY(visitor) entries;
	struct scene *scene;
	int descriptor;
	struct event *event;
	char heard[16384];
	size_t length;
	bool is_whole;
};

/* Who wants to know about a peer, and what it heard. */
struct asker {
	struct ocsp_inquiry *inquiry;
	unsigned int answers;
	struct ocsp_told told;
};

struct scene {
	struct event_base *base;
	struct ocsp_transport *transport;
	struct ocsp_fetch *fetch;
	int listener;
	unsigned int port;
	struct event *acceptable;
	TAILQ_HEAD(, visitor) visitors;

	struct test_identity *root, *other, *leaf;
	struct test_identity peers[PEERS_MAX];
	struct asker askers[PEERS_MAX]; /* of each peer */
	size_t count;
	size_t known; /* about those from this one on ... */
	size_t mute;  /* ... but this one something is said */

	enum behaviour behaviour;
	unsigned int requests, gets;
	unsigned int several; /* requests about more than one */
	unsigned int size;    /* of the largest */
	char last[32];        /* the beginning of the last one */
};

/* The responder. */

static void
visitor_free(struct visitor *visitor)
{
	TAILQ_REMOVE(&visitor->scene->visitors, visitor, entries);
	event_free(visitor->event);
	close(visitor->descriptor);
	mem_free(visitor);
}

static OCSP_REQUEST *
read_request(const struct visitor *visitor)
{
	const char *body = strstr(visitor->heard, "\r\n\r\n") + 4;
	const unsigned char *der = (const unsigned char *)body;
	OCSP_REQUEST *request = d2i_OCSP_REQUEST(
		NULL, &der, (long)(visitor->heard + visitor->length - body));

	CU_ASSERT_PTR_NOT_NULL_FATAL(request);
	return request;
}

static bool
is_get(const struct visitor *visitor)
{
	return strncmp(visitor->heard, "GET ", 4) == 0;
}

static unsigned int
size_of(const struct visitor *visitor)
{
	OCSP_REQUEST *request;
	int count;

	if (is_get(visitor))
		return 1;
	request = read_request(visitor);
	count = OCSP_request_onereq_count(request);
	OCSP_REQUEST_free(request);
	return (unsigned int)count;
}

static size_t
first_peer(const struct visitor *visitor)
{
	OCSP_REQUEST *request = read_request(visitor);
	OCSP_CERTID *id =
		OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
	struct scene *scene = visitor->scene;
	ASN1_INTEGER *serial = NULL;
	size_t peer = 0;

	OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
	while (ASN1_INTEGER_cmp(
		serial, X509_get0_serialNumber(scene->peers[peer].certificate)))
		peer++;
	OCSP_REQUEST_free(request);
	return peer;
}

static void
say(struct visitor *visitor, const char *status, const void *body,
    size_t length)
{
	char head[128];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status, length);
	(void)!send(visitor->descriptor, head, strlen(head), MSG_NOSIGNAL);
	(void)!send(visitor->descriptor, body, length, MSG_NOSIGNAL);
}

static void
say_good(struct visitor *visitor, size_t begin, size_t end)
{
	struct scene *scene = visitor->scene;
	AUTO_FREE struct test_ocsp_single *singles =
		mem_array(scene->count + 1, sizeof(*singles));
	struct test_ocsp answer = {.signer = scene->root, .singles = singles};
	AUTO_FREE unsigned char *der = NULL;
	int64_t now = (int64_t)time(NULL);
	size_t length;

	for (size_t i = begin; i < end; i++)
		if (i != scene->mute && scene->peers[i].issuer == scene->root)
			singles[answer.single_count++] =
				(struct test_ocsp_single){
					.about = &scene->peers[i],
					.this_update = now - 3600,
					.next_update = now + 3600,
				};
	der = test_ocsp_der(&answer, &length);
	say(visitor, "200 OK", der, length);
}

static void
react(struct visitor *visitor)
{
	struct scene *scene = visitor->scene;
	unsigned int size = size_of(visitor);
	size_t peer;

	if (scene->behaviour == HOLD)
		return;
	if (scene->behaviour == REFUSE_SEVERAL && size > 1) {
		say(visitor, "500 No", "", 0);
	} else if (scene->behaviour == ANSWER_ONE && size > 1) {
		peer = first_peer(visitor);
		say_good(visitor, peer, peer + 1);
	} else if (scene->behaviour != HANG_UP) {
		say_good(visitor, scene->known, scene->count);
	}
	visitor_free(visitor);
}

static bool
is_whole(const struct visitor *visitor)
{
	const char *end = strstr(visitor->heard, "\r\n\r\n");
	const char *length = strstr(visitor->heard, "Content-Length: ");

	return end && (!length ||
		       (size_t)(visitor->heard + visitor->length - (end + 4)) >=
			       strtoul(length + 16, NULL, 10));
}

static void
on_visitor(evutil_socket_t descriptor, short what, void *argument)
{
	struct visitor *visitor = argument;
	struct scene *scene = visitor->scene;
	ssize_t got = recv(descriptor, visitor->heard + visitor->length,
			   sizeof(visitor->heard) - 1 - visitor->length, 0);
	unsigned int size;

	(void)what;
	if (got <= 0) {
		visitor_free(visitor);
		return;
	}
	visitor->length += (size_t)got;
	visitor->heard[visitor->length] = '\0';
	if (!is_whole(visitor))
		return;
	visitor->is_whole = true;
	size = size_of(visitor);
	scene->requests++;
	scene->gets += is_get(visitor);
	scene->several += size > 1;
	if (size > scene->size)
		scene->size = size;
	snprintf(scene->last, sizeof(scene->last), "%.31s", visitor->heard);
	react(visitor);
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
	TAILQ_INSERT_TAIL(&scene->visitors, visitor, entries);
}

/* From now on, also to those that were held. */
static void
behave(struct scene *scene, enum behaviour behaviour)
{
	struct visitor *visitor, *next;

	scene->behaviour = behaviour;
	for (visitor = TAILQ_FIRST(&scene->visitors); visitor; visitor = next) {
		next = TAILQ_NEXT(visitor, entries);
		if (visitor->is_whole)
			react(visitor);
	}
}

/* The scene. */

static void
listen_at_all(struct scene *scene)
{
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(local);

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
}

static struct scene *
scene_new(void)
{
	const struct conf_resolver resolver = {.timeout_ms = 2000};
	struct scene *scene = mem_alloc(sizeof(*scene));
	struct error error = {0};

	log_configure(NULL, 0);
	TAILQ_INIT(&scene->visitors);
	scene->base = event_base_new();
	listen_at_all(scene);
	scene->transport = ocsp_transport_new(scene->base, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->transport);
	CU_ASSERT_EQUAL_FATAL(
		ocsp_transport_resolve_by(scene->transport, &resolver, &error),
		0);
	scene->fetch = ocsp_fetch_new(scene->transport);
	ocsp_fetch_set_size(scene->fetch, PEERS_MAX);
	scene->root = test_ca("Root", NULL);
	scene->other = test_ca("Other", NULL);
	scene->leaf = test_leaf("p256", "peer", scene->root);
	scene->mute = PEERS_MAX;
	return scene;
}

static void
scene_free(struct scene *scene)
{
	struct visitor *visitor;

	for (size_t i = 0; i < scene->count; i++) {
		ocsp_inquiry_free(scene->askers[i].inquiry);
		X509_free(scene->peers[i].certificate);
	}
	ocsp_fetch_free(scene->fetch);
	ocsp_transport_free(scene->transport);
	while ((visitor = TAILQ_FIRST(&scene->visitors)))
		visitor_free(visitor);
	event_free(scene->acceptable);
	close(scene->listener);
	event_base_free(scene->base);
	test_identity_free(scene->leaf);
	test_identity_free(scene->other);
	test_identity_free(scene->root);
	mem_free(scene);
	clock_shift(0);
}

/* New peers, with serial numbers of their own, whose responder is here; one
 * that is healthy is so under another name. The first one's index. */
static size_t
add_peers(struct scene *scene, size_t count, const char *path)
{
	size_t first = scene->count;
	X509_EXTENSION *place;
	char text[128];

	snprintf(text, sizeof(text), "OCSP;URI:http://%s:%u%s",
		 strcmp(path, "/healthy") == 0 ? "localhost" : "127.0.0.1",
		 scene->port, path);
	place = X509V3_EXT_conf_nid(NULL, NULL, NID_info_access, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(place);
	CU_ASSERT_FATAL(first + count <= PEERS_MAX);
	while (scene->count < first + count) {
		struct test_identity *peer = &scene->peers[scene->count++];

		peer->certificate = X509_dup(scene->leaf->certificate);
		peer->issuer = scene->root;
		ASN1_INTEGER_set(X509_get_serialNumber(peer->certificate),
				 (long)scene->count);
		X509_add_ext(peer->certificate, place, -1);
	}
	X509_EXTENSION_free(place);
	return first;
}

static void
on_told(void *argument, const struct ocsp_told *told, size_t count)
{
	struct asker *asker = argument;

	CU_ASSERT_FATAL(count > 0);
	asker->answers++;
	asker->told = told[0];
	asker->inquiry = NULL;
}

/* Ask about several peers in one go, the outcome is the first one's. */
static void
ask_together(struct scene *scene, size_t first, size_t count)
{
	struct asker *asker = &scene->askers[first];
	struct ocsp_ask ask = {.count = count};
	struct ocsp_inquiry *inquiry;

	for (size_t i = 0; i < count; i++)
		ask.pairs[i] = (struct ocsp_pair){
			scene->peers[first + i].certificate,
			scene->peers[first + i].issuer->certificate};
	asker->answers = 0;
	inquiry = ocsp_fetch_ask(scene->fetch, &ask, on_told, asker);
	CU_ASSERT_EQUAL(inquiry == NULL, asker->answers == 1);
	asker->inquiry = inquiry;
}

/* About each by itself. */
static void
ask(struct scene *scene, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		ask_together(scene, i, 1);
}

static void
drop(struct scene *scene, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		ocsp_inquiry_free(TAKE(scene->askers[i].inquiry));
}

static size_t
told(const struct scene *scene, size_t first, size_t count)
{
	size_t answers = 0;

	for (size_t i = first; i < first + count; i++)
		answers += scene->askers[i].answers;
	return answers;
}

static size_t
good(const struct scene *scene, size_t first, size_t count)
{
	size_t answers = 0;

	for (size_t i = first; i < first + count; i++)
		answers += scene->askers[i].answers == 1 &&
			   scene->askers[i].told.status == OCSP_GOOD;
	return answers;
}

/* Whatever was about to happen has. */
static void
settle(struct scene *scene)
{
	for (int i = 0; i < 50; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

#define ASSERT_SAYS(asker, words)                                              \
	do {                                                                   \
		CU_ASSERT_EQUAL((asker)->answers, 1);                          \
		CU_ASSERT_EQUAL((asker)->told.status, OCSP_UNUSABLE);          \
		CU_ASSERT_PTR_NOT_NULL(strstr((asker)->told.sentence, words)); \
	} while (0)

/* A hundred clients come back at once. */
static void
test_storm(void)
{
	struct scene *scene = scene_new();

	add_peers(scene, 100, "/");
	ask(scene, 0, 100);
	WAIT_FOR(scene, scene->requests == 4);
	settle(scene);
	CU_ASSERT_EQUAL(scene->requests, 4);
	CU_ASSERT_EQUAL(scene->gets, 4);
	behave(scene, ANSWER);
	WAIT_FOR(scene, told(scene, 0, 100) == 100);
	CU_ASSERT_EQUAL(good(scene, 0, 100), 100);
	/* 16 at a time. */
	CU_ASSERT_EQUAL(scene->requests, 4 + 6);
	CU_ASSERT_EQUAL(scene->gets, 4);
	CU_ASSERT_EQUAL(scene->size, OCSP_ASK_MAX);
	ask(scene, 0, 100);
	CU_ASSERT_EQUAL(told(scene, 0, 100), 100);
	scene_free(scene);
}

/* A responder that answers for one alone is found out, and that is forgotten
 * again. */
static void
test_alone(void)
{
	static const enum behaviour behaviours[] = {REFUSE_SEVERAL, ANSWER_ONE};

	for (size_t i = 0; i < ARRAY_SIZE(behaviours); i++) {
		struct scene *scene = scene_new();
		unsigned int several;

		add_peers(scene, 24, "/");
		ask(scene, 0, 24);
		WAIT_FOR(scene, scene->requests == 4);
		behave(scene, behaviours[i]);
		WAIT_FOR(scene, told(scene, 0, 24) == 24);
		CU_ASSERT_EQUAL(good(scene, 0, 24), 24);
		CU_ASSERT(scene->several == 1 || scene->several == 2);
		several = scene->several;
		scene->requests = 0;
		add_peers(scene, 40, "/");
		ask(scene, 24, 40);
		WAIT_FOR(scene, told(scene, 24, 40) == 40);
		CU_ASSERT_EQUAL(good(scene, 24, 40), 40);
		CU_ASSERT_EQUAL(scene->several, several);
		CU_ASSERT_EQUAL(scene->requests, 40);
		clock_shift(61000);
		add_peers(scene, 24, "/");
		ask(scene, 64, 24);
		WAIT_FOR(scene, told(scene, 64, 24) == 24);
		CU_ASSERT_EQUAL(good(scene, 64, 24), 24);
		CU_ASSERT(scene->several > several);
		scene_free(scene);
	}
}

/* That nothing is said of one, or nothing of one of another issuer, is no
 * reason to ask about all others one by one. */
static void
test_not_all(void)
{
	struct scene *scene = scene_new();

	scene->behaviour = ANSWER;
	scene->mute = 3;
	add_peers(scene, 16, "/");
	ask_together(scene, 0, 16);
	WAIT_FOR(scene, told(scene, 0, 1) == 1);
	CU_ASSERT_EQUAL(scene->several, 1);
	CU_ASSERT_EQUAL(scene->requests, 2);
	ask(scene, 0, 16);
	CU_ASSERT_EQUAL(good(scene, 0, 16), 15);
	ASSERT_SAYS(&scene->askers[3], "another certificate");
	add_peers(scene, 2, "/");
	scene->peers[17].issuer = scene->other;
	ask_together(scene, 16, 2);
	WAIT_FOR(scene, told(scene, 16, 1) == 1);
	CU_ASSERT_EQUAL(scene->several, 2);
	add_peers(scene, 16, "/");
	ask_together(scene, 18, 16);
	WAIT_FOR(scene, told(scene, 18, 1) == 1);
	CU_ASSERT_EQUAL(scene->several, 3);
	CU_ASSERT_EQUAL(scene->requests, 5);
	scene_free(scene);
}

/* Who waits for what has not begun takes it along; what has is finished. */
static void
test_given_up(void)
{
	struct scene *scene = scene_new();
	struct ocsp_inquiry *one;

	add_peers(scene, 20, "/");
	ask(scene, 0, 20);
	WAIT_FOR(scene, scene->requests == 4);
	/* One of these has somebody else who waits for it. */
	one = TAKE(scene->askers[4].inquiry);
	ask(scene, 4, 1);
	ocsp_inquiry_free(one);
	drop(scene, 0, 1);
	drop(scene, 5, 15);
	behave(scene, ANSWER);
	WAIT_FOR(scene, told(scene, 1, 4) == 4);
	CU_ASSERT_EQUAL(good(scene, 1, 4), 4);
	settle(scene);
	CU_ASSERT_EQUAL(scene->requests, 5);
	CU_ASSERT_EQUAL(scene->several, 0);
	ask(scene, 0, 1);
	CU_ASSERT_EQUAL(good(scene, 0, 1), 1);
	ask(scene, 5, 1);
	CU_ASSERT_EQUAL(told(scene, 5, 1), 0);
	WAIT_FOR(scene, good(scene, 5, 1) == 1);
	CU_ASSERT_EQUAL(told(scene, 6, 14), 0);
	scene_free(scene);
}

/* Nobody waits longer than it takes to see that nobody is there. */
static void
test_silent(void)
{
	struct scene *scene = scene_new();
	unsigned int requests;

	add_peers(scene, 60, "/");
	ask(scene, 0, 60);
	WAIT_FOR(scene, scene->requests == 4);
	behave(scene, HANG_UP);
	WAIT_FOR(scene, told(scene, 0, 60) == 60);
	for (size_t i = 0; i < 60; i++)
		ASSERT_SAYS(&scene->askers[i], "hung up without an answer");
	/* Three may have begun before the fourth had failed. */
	CU_ASSERT(scene->requests <= 7);
	settle(scene);
	/* A moment in which time stands still. */
	clock_shift(-60000);

	/* One finds out whether it still is; the others hear at once. */
	requests = scene->requests;
	behave(scene, HOLD);
	add_peers(scene, 20, "/");
	ask(scene, 60, 20);
	CU_ASSERT_EQUAL(told(scene, 60, 20), 19);
	ASSERT_SAYS(&scene->askers[79], "hung up without an answer");
	WAIT_FOR(scene, scene->requests == requests + 1);
	behave(scene, HANG_UP);
	WAIT_FOR(scene, told(scene, 60, 20) == 20);
	/* What has been asked about is not again, for a minute. */
	behave(scene, ANSWER);
	ask(scene, 60, 1);
	ASSERT_SAYS(&scene->askers[60], "hung up without an answer");
	settle(scene);
	CU_ASSERT_EQUAL(scene->requests, requests + 1);
	/* What has not been is, and the first answer ends it. */
	ask(scene, 61, 1);
	CU_ASSERT_EQUAL(told(scene, 61, 1), 0);
	WAIT_FOR(scene, told(scene, 61, 1) == 1);
	CU_ASSERT_EQUAL(good(scene, 61, 1), 1);
	ask(scene, 62, 18);
	CU_ASSERT_EQUAL(told(scene, 62, 18), 0);
	WAIT_FOR(scene, told(scene, 62, 18) == 18);
	CU_ASSERT_EQUAL(good(scene, 62, 18), 18);
	/* Nor is there any memory of those that failed with others. */
	clock_shift(0);
	ask(scene, 0, 1);
	ASSERT_SAYS(&scene->askers[0], "hung up without an answer");
	ask(scene, 59, 1);
	CU_ASSERT_EQUAL(told(scene, 59, 1), 0);
	WAIT_FOR(scene, good(scene, 59, 1) == 1);
	scene_free(scene);
}

/* What it was like some seconds ago is no reason to turn anybody away. */
static void
test_silent_before(void)
{
	struct scene *scene = scene_new();
	unsigned int requests;

	scene->behaviour = HANG_UP;
	add_peers(scene, 20, "/");
	ask(scene, 0, 10);
	WAIT_FOR(scene, told(scene, 0, 10) == 10);
	settle(scene);
	requests = scene->requests;
	behave(scene, HOLD);
	clock_shift(6000);
	ask(scene, 10, 10);
	CU_ASSERT_EQUAL(told(scene, 10, 10), 0);
	WAIT_FOR(scene, scene->requests == requests + 4);
	scene_free(scene);
}

/* It is one request, also where one inquiry makes several. */
static void
test_silent_alone(void)
{
	struct scene *scene = scene_new();
	unsigned int requests;

	scene->behaviour = REFUSE_SEVERAL;
	add_peers(scene, 20, "/");
	ask_together(scene, 0, 2);
	WAIT_FOR(scene, told(scene, 0, 1) == 1);
	behave(scene, HANG_UP);
	ask(scene, 2, 10);
	WAIT_FOR(scene, told(scene, 2, 10) == 10);
	settle(scene);
	clock_shift(-60000);
	requests = scene->requests;
	behave(scene, HOLD);
	ask_together(scene, 12, 4);
	WAIT_FOR(scene, scene->requests == requests + 1);
	settle(scene);
	CU_ASSERT_EQUAL(scene->requests, requests + 1);
	behave(scene, HANG_UP);
	WAIT_FOR(scene, told(scene, 12, 1) == 1);
	CU_ASSERT_EQUAL(scene->requests, requests + 1);
	scene_free(scene);
}

/* A responder that is slow has a part of the room, whatever comes. */
static void
test_room(void)
{
	struct scene *scene = scene_new();
	size_t last, healthy;

	add_peers(scene, OCSP_QUEUE_MAX, "/slow");
	last = add_peers(scene, 2, "/slow");
	healthy = add_peers(scene, 1, "/healthy");
	scene->known = healthy;
	ask(scene, 0, OCSP_QUEUE_MAX);
	CU_ASSERT_EQUAL(told(scene, 0, OCSP_QUEUE_MAX), 0);
	ask(scene, last, 1);
	ASSERT_SAYS(&scene->askers[last], "too many certificates");
	WAIT_FOR(scene, scene->requests == 4);
	scene->behaviour = ANSWER;
	ask(scene, healthy, 1);
	WAIT_FOR(scene, told(scene, healthy, 1) == 1);
	CU_ASSERT_EQUAL(good(scene, healthy, 1), 1);
	/* Nobody is left behind in the queue who is not waited for; what was
	 * refused may be asked again. */
	drop(scene, OCSP_QUEUE_MAX / 2, 1);
	ask(scene, last, 2);
	CU_ASSERT_EQUAL(told(scene, last, 1), 0);
	ASSERT_SAYS(&scene->askers[last + 1], "too many certificates");
	scene_free(scene);
}

/* There is an end to what is remembered of responders. */
static void
test_many_responders(void)
{
	struct scene *scene = scene_new();

	scene->behaviour = ANSWER;
	for (size_t i = 0; i < 100; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/number-%zu", i % 90);
		add_peers(scene, 1, path);
		ask(scene, i, 1);
		if (i % 10 == 9)
			WAIT_FOR(scene, good(scene, 0, i + 1) == i + 1);
	}
	CU_ASSERT_EQUAL(scene->requests, 100);
	scene_free(scene);
}

static void
on_exchange(void *argument, const struct ocsp_reply *reply)
{
	unsigned int *answers = argument;

	(void)reply;
	++*answers;
}

/* Who is to be first is the next one, after those who have begun. */
static void
test_first(void)
{
	struct scene *scene = scene_new();
	char url[64];
	struct ocsp_question question = {.url = url,
					 .request = "x",
					 .length = 1,
					 .method = OCSP_BY_GET,
					 .is_first = true};
	struct ocsp_exchange *exchanges[8];
	unsigned int answers = 0;

	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++) {
		bool is_last = i + 1 == ARRAY_SIZE(exchanges);

		question.is_first = is_last;
		snprintf(url, sizeof(url), "http://127.0.0.1:%u/%s",
			 scene->port, is_last ? "first" : "others");
		exchanges[i] = ocsp_transport_ask(scene->transport, &question,
						  on_exchange, &answers);
		if (i == 5)
			WAIT_FOR(scene, scene->requests == 4);
	}
	settle(scene);
	CU_ASSERT_EQUAL(scene->requests, 4);
	ocsp_exchange_free(TAKE(exchanges[0]));
	WAIT_FOR(scene, scene->requests == 5);
	CU_ASSERT_EQUAL(strncmp(scene->last, "GET /first", 10), 0);
	for (size_t i = 1; i < ARRAY_SIZE(exchanges); i++)
		ocsp_exchange_free(exchanges[i]);
	CU_ASSERT_EQUAL(answers, 0);
	scene_free(scene);
}

UNIT_SUITE(ocsp_fetch, {"storm", test_storm}, {"alone", test_alone},
	   {"not_all", test_not_all}, {"given_up", test_given_up},
	   {"silent", test_silent}, {"silent_before", test_silent_before},
	   {"silent_alone", test_silent_alone}, {"room", test_room},
	   {"many_responders", test_many_responders}, {"first", test_first});

#else

static void
on_none(void *argument, const struct ocsp_told *told, size_t count)
{
	(void)argument;
	(void)told;
	(void)count;
}

static void
test_none(void)
{
	struct ocsp_fetch *fetch = ocsp_fetch_new(NULL);
	const struct ocsp_ask ask = {0};

	CU_ASSERT_PTR_NULL(ocsp_fetch_ask(fetch, &ask, on_none, NULL));
	ocsp_fetch_free(fetch);
}

UNIT_SUITE(ocsp_fetch, {"none", test_none});

#endif
