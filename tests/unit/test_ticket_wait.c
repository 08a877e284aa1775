/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/ticket_wait.h"

#include <string.h>
#include <event2/event.h>

#include "common/conf/conf.h"
#include "common/tls/ticket_keys.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

struct scene {
	struct event_base *base;
	struct ticket_wait *wait;
	struct conf_fixture conf;
	unsigned char ids[2][TICKET_RING_ID_SIZE];
	unsigned int over;
	bool is_complete;
};

static void
on_over(bool is_complete, void *argument)
{
	struct scene *scene = argument;

	scene->over++;
	scene->is_complete = is_complete;
}

/* A gate with two rings, and one without. */
static void
scene_open(struct scene *scene, int64_t limit_ms)
{
	const struct tls_settings *tls;

	*scene = (struct scene){.base = event_base_new()};
	conf_fixture_load(
		&scene->conf,
		"services:\n"
		"  s: {connect: \"h:1\", accept: {address: \":1\", tls: "
		"{certificates: c, hosts: {a.b: {session: {tickets: {keep: "
		"5}}}, c.d: {}}}}}\n"
		"  o: {connect: \"h:1\", accept: {address: \":2\", tls: "
		"{certificates: c, session: off}}}\n");
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->conf.conf);
	tls = scene->conf.conf->services[0].accept.tls;
	CU_ASSERT(ticket_ring_id(&tls->session, scene->ids[0]));
	CU_ASSERT(ticket_ring_id(&tls->hosts[0].settings->session,
				 scene->ids[1]));
	scene->wait = ticket_wait_new(scene->base, limit_ms, on_over, scene);
}

static void
scene_close(struct scene *scene)
{
	ticket_wait_free(scene->wait);
	event_base_free(scene->base);
	conf_fixture_clear(&scene->conf);
	ticket_keys_drop_all();
}

static void
test_all_there(void)
{
	struct scene scene;

	scene_open(&scene, 60000);
	ticket_keys_put(ticket_ring_new(scene.ids[0]));
	ticket_keys_put(ticket_ring_new(scene.ids[1]));
	CU_ASSERT(ticket_wait_begin(scene.wait, scene.conf.conf));
	ticket_wait_look(scene.wait);
	CU_ASSERT_EQUAL(scene.over, 0);
	scene_close(&scene);
}

static void
test_one_by_one(void)
{
	struct scene scene;

	scene_open(&scene, 60000);
	CU_ASSERT_FALSE(ticket_wait_begin(scene.wait, scene.conf.conf));
	ticket_wait_look(scene.wait);
	ticket_keys_put(ticket_ring_new(scene.ids[1]));
	ticket_wait_look(scene.wait);
	CU_ASSERT_EQUAL(scene.over, 0);
	ticket_keys_put(ticket_ring_new(scene.ids[0]));
	ticket_wait_look(scene.wait);
	CU_ASSERT_EQUAL(scene.over, 1);
	CU_ASSERT(scene.is_complete);
	/* The next one. */
	CU_ASSERT(ticket_wait_begin(scene.wait, scene.conf.conf));
	scene_close(&scene);
}

static void
test_never(void)
{
	struct scene scene;

	scene_open(&scene, 1);
	CU_ASSERT_FALSE(ticket_wait_begin(scene.wait, scene.conf.conf));
	event_base_loop(scene.base, EVLOOP_ONCE);
	CU_ASSERT_EQUAL(scene.over, 1);
	CU_ASSERT_FALSE(scene.is_complete);
	scene_close(&scene);
}

static void
test_cancelled(void)
{
	struct scene scene;

	scene_open(&scene, 1);
	CU_ASSERT_FALSE(ticket_wait_begin(scene.wait, scene.conf.conf));
	ticket_wait_cancel(scene.wait);
	event_base_loop(scene.base, EVLOOP_ONCE);
	ticket_wait_look(scene.wait);
	CU_ASSERT_EQUAL(scene.over, 0);
	scene_close(&scene);
}

UNIT_SUITE(ticket_wait, {"all_there", test_all_there},
	   {"one_by_one", test_one_by_one}, {"never", test_never},
	   {"cancelled", test_cancelled});
