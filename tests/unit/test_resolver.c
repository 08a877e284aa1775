/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver against the system's hosts file and against a name server of
 * the test's own on the same event loop.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/net/resolution.h"
#include "daemon/helper/resolver.h"
#include "tests/unit/unit.h"

#define DEADLINE_MS 5000

enum answer {
	ANSWER_ADDRESSES,
	ANSWER_NO_NAME,
	ANSWER_FAILURE,
	ANSWER_NONE,
};

/* One name server, its answers to whatever is asked, and what was told. */
struct scene {
	struct event_base *base;
	int server;
	struct event *readable;
	char server_text[32];
	char *servers[1];
	struct conf_resolver settings;
	enum answer answer;
	const char *addresses[3]; /* of A questions; the others get none */
	unsigned int asked;       /* A questions */
	unsigned int told;
	struct resolution last;
	bool is_expired;
};

static void
write_header(struct buf_writer *writer, const unsigned char *question,
	     unsigned int code, size_t answers)
{
	buf_write_bytes(writer, question, 2);
	buf_write_u16(writer, (uint16_t)(0x8180 | code));
	buf_write_u16(writer, 1);
	buf_write_u16(writer, (uint16_t)answers);
	buf_write_u32(writer, 0);
}

static void
write_addresses(struct buf_writer *writer, struct scene *scene, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct in_addr address;

		inet_pton(AF_INET, scene->addresses[i], &address);
		buf_write_u16(writer, 0xc00c); /* the name asked for */
		buf_write_u16(writer, 1);
		buf_write_u16(writer, 1);
		buf_write_u32(writer, 3600);
		buf_write_u16(writer, 4);
		buf_write_bytes(writer, &address, 4);
	}
}

static void
on_question(evutil_socket_t descriptor, short what, void *argument)
{
	struct scene *scene = argument;
	unsigned char question[512], memory[512];
	struct sockaddr_in from;
	socklen_t from_length = sizeof(from);
	ssize_t length = recvfrom(descriptor, question, sizeof(question), 0,
				  (struct sockaddr *)&from, &from_length);
	size_t end = 12, count = 0;
	struct buf_writer writer;

	(void)what;
	CU_ASSERT_FATAL(length > 12);
	while (question[end] != 0)
		end += 1 + (size_t)question[end];
	end += 5;
	CU_ASSERT_FATAL(end <= (size_t)length);
	if (question[end - 3] == 1) {
		scene->asked++;
		while (count < ARRAY_SIZE(scene->addresses) &&
		       scene->addresses[count])
			count++;
	}
	if (scene->answer == ANSWER_NONE)
		return;
	if (scene->answer != ANSWER_ADDRESSES)
		count = 0;
	buf_write_init(&writer, memory, sizeof(memory));
	write_header(&writer, question,
		     scene->answer == ANSWER_NO_NAME   ? 3
		     : scene->answer == ANSWER_FAILURE ? 2
						       : 0,
		     count);
	buf_write_bytes(&writer, question + 12, end - 12);
	write_addresses(&writer, scene, count);
	sendto(descriptor, memory, writer.length, 0, (struct sockaddr *)&from,
	       from_length);
}

static void
on_told(const struct resolution *resolution, void *argument)
{
	struct scene *scene = argument;

	scene->told++;
	scene->last = *resolution;
}

static void
on_expired(evutil_socket_t descriptor, short what, void *argument)
{
	struct scene *scene = argument;

	(void)descriptor;
	(void)what;
	scene->is_expired = true;
}

static void
scene_start(struct scene *scene)
{
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(local);

	/* What is logged here is what is tested for. */
	log_configure(NULL, 0);
	memset(scene, 0, sizeof(*scene));
	scene->base = event_base_new();
	scene->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(
		bind(scene->server, (struct sockaddr *)&local, length), 0);
	getsockname(scene->server, (struct sockaddr *)&local, &length);
	scene->readable = event_new(scene->base, scene->server,
				    EV_READ | EV_PERSIST, on_question, scene);
	event_add(scene->readable, NULL);
	snprintf(scene->server_text, sizeof(scene->server_text), "127.0.0.1:%u",
		 ntohs(local.sin_port));
	scene->servers[0] = scene->server_text;
	scene->settings = (struct conf_resolver){.servers = scene->servers,
						 .server_count = 1,
						 .refresh_ms = 50,
						 .timeout_ms = 2000};
	scene->addresses[0] = "192.0.2.1";
	scene->addresses[1] = "192.0.2.2";
}

static void
scene_finish(struct scene *scene)
{
	event_free(scene->readable);
	close(scene->server);
	event_base_free(scene->base);
}

static struct resolver *
resolver_of(struct scene *scene)
{
	struct error error = {0};
	struct resolver *resolver = resolver_new(scene->base, &scene->settings,
						 on_told, scene, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(resolver);
	return resolver;
}

/* Run the loop until *counter has reached a value; false: it never did. */
static bool
wait_for(struct scene *scene, const unsigned int *counter, unsigned int value,
	 int deadline_ms)
{
	struct timeval deadline = {deadline_ms / 1000,
				   deadline_ms % 1000 * 1000};
	struct event *timer = evtimer_new(scene->base, on_expired, scene);

	scene->is_expired = false;
	event_add(timer, &deadline);
	while (*counter < value && !scene->is_expired)
		event_base_loop(scene->base, EVLOOP_ONCE);
	event_free(timer);
	return *counter >= value;
}

static bool
wait_told(struct scene *scene, unsigned int value)
{
	return wait_for(scene, &scene->told, value, DEADLINE_MS);
}

static bool
wait_asked(struct scene *scene, unsigned int more)
{
	return wait_for(scene, &scene->asked, scene->asked + more, DEADLINE_MS);
}

static bool
is_first(const struct scene *scene, const char *address)
{
	struct in_addr bytes;

	inet_pton(AF_INET, address, &bytes);
	return scene->last.count > 0 &&
	       scene->last.addresses[0].family == AF_INET &&
	       memcmp(scene->last.addresses[0].bytes, &bytes, 4) == 0;
}

static void
test_localhost(void)
{
	/* Not INET6: where the hosts file has no ::1, c-ares 1.18 answers it
	 * and forgets a few bytes, which a leak checker finds. */
	static const enum address_family families[] = {ADDRESS_FAMILY_ANY,
						       ADDRESS_FAMILY_INET};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct scene scene;
		struct resolver *resolver;

		scene_start(&scene);
		/* The system's servers: nobody may have to ask them. */
		scene.settings.server_count = 0;
		resolver = resolver_of(&scene);
		resolver_add(resolver, "localhost", families[i]);
		resolver_start(resolver, NULL);
		CU_ASSERT_TRUE(wait_told(&scene, 1));
		CU_ASSERT_STRING_EQUAL(scene.last.host, "localhost");
		CU_ASSERT_STRING_EQUAL(scene.last.error, "");
		CU_ASSERT_TRUE(scene.last.count > 0);
		for (size_t k = 0; k < scene.last.count; k++) {
			bool is_inet =
				scene.last.addresses[k].family == AF_INET;
			struct socket_address socket;
			char text[64];

			CU_ASSERT_TRUE(families[i] == ADDRESS_FAMILY_ANY ||
				       is_inet == (families[i] ==
						   ADDRESS_FAMILY_INET));
			resolution_socket(&scene.last, k, 80, &socket);
			CU_ASSERT_STRING_EQUAL(
				socket_address_format(&socket, text,
						      sizeof(text)),
				is_inet ? "127.0.0.1:80" : "[::1]:80");
		}
		resolver_free(resolver);
		scene_finish(&scene);
	}
}

static void
test_no_server(void)
{
	struct scene scene;
	struct resolver *resolver;

	scene_start(&scene);
	strcpy(scene.server_text, "127.0.0.1:1");
	resolver = resolver_of(&scene);
	resolver_add(resolver, "backend.invalid", ADDRESS_FAMILY_ANY);
	resolver_start(resolver, NULL);
	CU_ASSERT_TRUE(wait_for(&scene, &scene.told, 1, 2500));
	CU_ASSERT_EQUAL(scene.last.count, 0);
	CU_ASSERT_STRING_EQUAL(scene.last.host, "backend.invalid");
	CU_ASSERT_STRING_NOT_EQUAL(scene.last.error, "");
	resolver_free(resolver);
	scene_finish(&scene);
}

static void
test_answers(void)
{
	struct scene scene;
	struct resolver *resolver;

	scene_start(&scene);
	resolver = resolver_of(&scene);
	resolver_add(resolver, "backend.test", ADDRESS_FAMILY_ANY);
	resolver_start(resolver, NULL);
	CU_ASSERT_TRUE(wait_told(&scene, 1));
	CU_ASSERT_EQUAL(scene.last.count, 2);
	CU_ASSERT_TRUE(is_first(&scene, "192.0.2.1"));

	/* Asked again and again, but the same is not told again. */
	CU_ASSERT_TRUE(wait_asked(&scene, 3));
	CU_ASSERT_EQUAL(scene.told, 1);

	/* Another order is another answer. */
	scene.addresses[0] = "192.0.2.2";
	scene.addresses[1] = "192.0.2.1";
	CU_ASSERT_TRUE(wait_told(&scene, 2));
	CU_ASSERT_TRUE(is_first(&scene, "192.0.2.2"));

	scene.addresses[1] = "192.0.2.2";
	CU_ASSERT_TRUE(wait_told(&scene, 3));
	CU_ASSERT_EQUAL(scene.last.count, 1);
	resolver_free(resolver);
	scene_finish(&scene);
}

static void
test_last_good_answer(void)
{
	static const enum answer failures[] = {ANSWER_NO_NAME, ANSWER_FAILURE};

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct scene scene;
		struct resolver *resolver;

		scene_start(&scene);
		resolver = resolver_of(&scene);
		resolver_add(resolver, "backend.test", ADDRESS_FAMILY_INET);
		resolver_start(resolver, NULL);
		CU_ASSERT_TRUE(wait_told(&scene, 1));
		scene.answer = failures[i];
		CU_ASSERT_TRUE(wait_asked(&scene, 4));
		CU_ASSERT_EQUAL(scene.told, 1);
		/* Whoever comes now is told what was good. */
		memset(&scene.last, 0, sizeof(scene.last));
		resolver_tell_all(resolver, on_told, &scene);
		CU_ASSERT_EQUAL(scene.told, 2);
		CU_ASSERT_EQUAL(scene.last.count, 2);
		scene.answer = ANSWER_ADDRESSES;
		CU_ASSERT_TRUE(wait_asked(&scene, 3));
		CU_ASSERT_EQUAL(scene.told, 2);
		scene.addresses[0] = "192.0.2.3";
		CU_ASSERT_TRUE(wait_told(&scene, 3));
		CU_ASSERT_TRUE(is_first(&scene, "192.0.2.3"));
		resolver_free(resolver);
		scene_finish(&scene);
	}
}

static void
test_failure_then_answer(void)
{
	struct scene scene;
	struct resolver *resolver;
	char reason[128];

	scene_start(&scene);
	scene.answer = ANSWER_NO_NAME;
	resolver = resolver_of(&scene);
	resolver_add(resolver, "backend.test", ADDRESS_FAMILY_ANY);
	resolver_start(resolver, NULL);
	CU_ASSERT_TRUE(wait_told(&scene, 1));
	CU_ASSERT_EQUAL(scene.last.count, 0);
	strcpy(reason, scene.last.error);
	CU_ASSERT_STRING_NOT_EQUAL(reason, "");
	/* The same failure is told once, another one as well. */
	CU_ASSERT_TRUE(wait_asked(&scene, 6));
	CU_ASSERT_EQUAL(scene.told, 1);
	scene.answer = ANSWER_FAILURE;
	CU_ASSERT_TRUE(wait_told(&scene, 2));
	CU_ASSERT_EQUAL(scene.last.count, 0);
	CU_ASSERT_STRING_NOT_EQUAL(scene.last.error, reason);
	scene.answer = ANSWER_ADDRESSES;
	CU_ASSERT_TRUE(wait_told(&scene, 3));
	CU_ASSERT_EQUAL(scene.last.count, 2);
	CU_ASSERT_STRING_EQUAL(scene.last.error, "");
	resolver_free(resolver);
	scene_finish(&scene);
}

static void
test_silent_server(void)
{
	struct scene scene;
	struct resolver *resolver;

	scene_start(&scene);
	scene.answer = ANSWER_NONE;
	scene.settings.timeout_ms = 300;
	resolver = resolver_of(&scene);
	resolver_add(resolver, "backend.test", ADDRESS_FAMILY_ANY);
	resolver_start(resolver, NULL);
	/* Told in time, even if c-ares still has hope. */
	CU_ASSERT_TRUE(wait_for(&scene, &scene.told, 1, 400));
	CU_ASSERT_EQUAL(scene.last.count, 0);
	CU_ASSERT_TRUE(scene.asked > 0);
	scene.answer = ANSWER_ADDRESSES;
	CU_ASSERT_TRUE(wait_told(&scene, 2));
	CU_ASSERT_EQUAL(scene.last.count, 2);
	/* Freed in the middle of a question. */
	scene.answer = ANSWER_NONE;
	CU_ASSERT_TRUE(wait_asked(&scene, 1));
	resolver_free(resolver);
	scene_finish(&scene);
}

static void
test_next_generation(void)
{
	struct scene scene;
	struct resolver *one, *other;

	scene_start(&scene);
	scene.settings.refresh_ms = 60000;
	one = resolver_of(&scene);
	resolver_add(one, "kept.test", ADDRESS_FAMILY_INET);
	resolver_add(one, "gone.test", ADDRESS_FAMILY_INET);
	resolver_start(one, NULL);
	CU_ASSERT_TRUE(wait_told(&scene, 2));
	CU_ASSERT_EQUAL(scene.asked, 2);

	/* What is known is not asked again; what is gone is not told. */
	other = resolver_of(&scene);
	resolver_add(other, "kept.test", ADDRESS_FAMILY_INET);
	resolver_add(other, "new.test", ADDRESS_FAMILY_INET);
	resolver_add(other, "new.test", ADDRESS_FAMILY_INET);
	resolver_start(other, one);
	resolver_free(one);
	CU_ASSERT_TRUE(wait_told(&scene, 3));
	CU_ASSERT_STRING_EQUAL(scene.last.host, "new.test");
	CU_ASSERT_FALSE(wait_for(&scene, &scene.asked, 4, 100));
	resolver_tell_all(other, on_told, &scene);
	CU_ASSERT_EQUAL(scene.told, 5);

	/* Another family is another question, other settings ask anew. */
	one = resolver_of(&scene);
	resolver_add(one, "kept.test", ADDRESS_FAMILY_INET);
	resolver_add(one, "kept.test", ADDRESS_FAMILY_INET6);
	resolver_add(one, "new.test", ADDRESS_FAMILY_INET);
	resolver_start(one, other);
	resolver_free(other);
	CU_ASSERT_TRUE(wait_told(&scene, 6));
	CU_ASSERT_STRING_EQUAL(scene.last.host, "kept.test");
	CU_ASSERT_EQUAL(scene.asked, 4);
	scene.settings.timeout_ms = 1000;
	other = resolver_of(&scene);
	resolver_add(other, "kept.test", ADDRESS_FAMILY_ANY);
	resolver_start(other, one);
	resolver_free(one);
	CU_ASSERT_TRUE(wait_asked(&scene, 1));
	CU_ASSERT_FALSE(wait_for(&scene, &scene.told, 7, 100));
	resolver_free(other);
	resolver_free(NULL);
	scene_finish(&scene);
}

static void
test_many_names(void)
{
	struct scene scene;
	struct resolver *resolver;
	char name[32];

	scene_start(&scene);
	scene.settings.refresh_ms = 60000;
	resolver = resolver_of(&scene);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "backend%d.test", i);
		resolver_add(resolver, name, ADDRESS_FAMILY_ANY);
	}
	resolver_start(resolver, NULL);
	CU_ASSERT_TRUE(wait_told(&scene, 300));
	CU_ASSERT_EQUAL(scene.last.count, 2);
	CU_ASSERT_EQUAL(scene.asked, 300);
	resolver_free(resolver);
	scene_finish(&scene);
}

static void
test_server_spellings(void)
{
	static const char *const good[] = {"192.0.2.53", "192.0.2.53:5353",
					   "::1", "2001:db8::53",
					   "[2001:db8::53]:53"};
	static const char *const bad[] = {"ns.example.org", "ns.example.org:53",
					  "192.0.2.53:x", "192.0.2.256",
					  "[::1"};
	struct error error = {0};
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		strcpy(scene.server_text, good[i]);
		resolver_free(resolver_of(&scene));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(scene.server_text, bad[i]);
		CU_ASSERT_PTR_NULL(resolver_new(scene.base, &scene.settings,
						on_told, &scene, &error));
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, bad[i]));
	}
	scene_finish(&scene);
}

UNIT_SUITE(resolver, {"localhost", test_localhost},
	   {"no_server", test_no_server}, {"answers", test_answers},
	   {"last_good_answer", test_last_good_answer},
	   {"failure_then_answer", test_failure_then_answer},
	   {"silent_server", test_silent_server},
	   {"next_generation", test_next_generation},
	   {"many_names", test_many_names},
	   {"server_spellings", test_server_spellings});
