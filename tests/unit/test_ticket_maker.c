/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper's rings over generations, with workers that take what they are
 * told, or do not, and a state that outlives them.
 */
#include "daemon/keeper/ticket_maker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "common/ipc/message.h"
#include "common/tls/ticket_keys.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

#define HOUR_MS INT64_C(3600000)

#define NOBODY 99 /* of the workers */

#define AUTO  "{}"
#define OTHER "{tickets: {keep: 5}}"
#define BOTH  "{}, hosts: {a.b: {session: {tickets: {keep: 5}}}}"

/* What a worker would have: one table is every worker's here. */
struct scene {
	struct event_base *base;
	struct ticket_maker *maker;
	int files[2]; /* of the state */
	size_t told;  /* messages */
	size_t gone;  /* of them, those that a ring is needed no longer */
	size_t room;  /* for so many; others are behind */
	uint32_t last_worker;
	uint32_t stuck; /* this worker has none */
};

static size_t
tell(uint32_t worker, const struct message *message, void *argument)
{
	struct scene *scene = argument;
	struct buf_reader reader = message_reader(message);
	struct ticket_ring *ring;

	CU_ASSERT_EQUAL(message->type, MESSAGE_TICKETS);
	scene->last_worker = worker;
	if (scene->room == 0 || worker == scene->stuck)
		return 1;
	scene->room--;
	scene->told++;
	if (reader.length == TICKET_RING_ID_SIZE) {
		scene->gone++;
		ticket_keys_drop(reader.bytes);
		return 0;
	}
	ring = ticket_ring_read(&reader);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	CU_ASSERT_EQUAL(reader.length, 0);
	ticket_keys_put(ring);
	return 0;
}

static void
begin(struct scene *scene)
{
	int copies[2];

	for (size_t i = 0; i < 2; i++)
		copies[i] = dup(scene->files[i]);
	scene->maker = ticket_maker_new(scene->base, tell, scene);
	ticket_maker_set_state(
		scene->maker,
		state_pair_new(copies[0], copies[1], STATE_TICKETS));
	ticket_maker_welcome(scene->maker, 0);
}

static void
scene_open(struct scene *scene)
{
	log_configure(NULL, 0);
	*scene = (struct scene){
		.base = event_base_new(),
		.room = SIZE_MAX,
		.stuck = NOBODY,
	};
	for (size_t i = 0; i < 2; i++)
		scene->files[i] = memfd_create("tickets", MFD_CLOEXEC);
	begin(scene);
}

static void
scene_close(struct scene *scene)
{
	ticket_maker_free(scene->maker);
	for (size_t i = 0; i < 2; i++)
		close(scene->files[i]);
	event_base_free(scene->base);
	ticket_keys_drop_all();
	clock_shift(0);
}

/* The same process, or rather the next one. */
static void
die(struct scene *scene)
{
	ticket_maker_free(scene->maker);
	ticket_keys_drop_all();
	begin(scene);
}

/* The ids of the rings that a generation names. */
static size_t
prepare(struct scene *scene, uint64_t number, const char *session,
	unsigned char ids[][TICKET_RING_ID_SIZE])
{
	AUTO_FREE char *text = mem_format(
		"services: {s: {connect: \"h:1\", accept: {address: \":1\", "
		"tls: {certificates: c, session: %s}}}}\n",
		session);
	struct conf_fixture fixture = {.conf = NULL};
	struct file_set *files = file_set_new();
	struct error_list problems = {0};
	struct ticket_sources sources;
	size_t count;

	conf_fixture_load(&fixture, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	CU_ASSERT_EQUAL(conf_files_open(fixture.conf, files, &problems), 0);
	CU_ASSERT_EQUAL(ticket_sources_read(&sources, fixture.conf, files,
					    &problems, NULL),
			0);
	count = sources.count;
	for (size_t i = 0; i < count; i++)
		memcpy(ids[i], sources.sources[i].id, TICKET_RING_ID_SIZE);
	ticket_maker_prepare(scene->maker, number, &sources);
	CU_ASSERT_EQUAL(sources.count, 0);
	file_set_free(files);
	error_list_clear(&problems);
	conf_fixture_clear(&fixture);
	return count;
}

/* Let the maker look at its clock. */
static void
turn(struct scene *scene)
{
	event_base_loop(scene->base, EVLOOP_ONCE);
}

static void
current_name(const unsigned char id[TICKET_RING_ID_SIZE],
	     unsigned char name[TICKET_KEY_NAME_SIZE])
{
	const struct ticket_key *key = ticket_keys_current(id);

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	memcpy(name, key->name, TICKET_KEY_NAME_SIZE);
}

static bool
is_known(const unsigned char id[TICKET_RING_ID_SIZE],
	 const unsigned char name[TICKET_KEY_NAME_SIZE])
{
	const struct ticket_key *key;

	return ticket_keys_find(id, name, &key) != TICKET_UNKNOWN;
}

static void
test_generations(void)
{
	unsigned char ids[2][TICKET_RING_ID_SIZE];
	unsigned char name[TICKET_KEY_NAME_SIZE], again[TICKET_KEY_NAME_SIZE];
	struct scene scene;

	scene_open(&scene);
	CU_ASSERT_EQUAL(prepare(&scene, 1, AUTO, ids), 1);
	/* Before it is in force: workers wait for it. */
	CU_ASSERT(ticket_keys_have(ids[0]));
	CU_ASSERT_EQUAL(scene.last_worker, 0);
	current_name(ids[0], name);
	ticket_maker_commit(scene.maker);
	CU_ASSERT_EQUAL(prepare(&scene, 2, BOTH, ids), 2);
	current_name(ids[0], again);
	CU_ASSERT(memcmp(name, again, sizeof(name)) == 0);
	CU_ASSERT(ticket_keys_have(ids[1]));
	ticket_maker_abort(scene.maker);
	CU_ASSERT(ticket_keys_have(ids[0]));
	CU_ASSERT_FALSE(ticket_keys_have(ids[1]));
	ticket_maker_abort(scene.maker);
	CU_ASSERT_EQUAL(prepare(&scene, 3, OTHER, &ids[1]), 1);
	ticket_maker_commit(scene.maker);
	/* Connections under the first still get tickets. */
	CU_ASSERT(ticket_keys_have(ids[0]));
	ticket_maker_release(scene.maker, 1);
	CU_ASSERT(ticket_keys_have(ids[0]));
	ticket_maker_release(scene.maker, 3);
	CU_ASSERT_FALSE(ticket_keys_have(ids[0]));
	CU_ASSERT(ticket_keys_have(ids[1]));
	CU_ASSERT_EQUAL(scene.gone, 2);
	scene_close(&scene);
}

static void
test_rotation(void)
{
	unsigned char ids[1][TICKET_RING_ID_SIZE];
	unsigned char first[TICKET_KEY_NAME_SIZE], name[TICKET_KEY_NAME_SIZE];
	struct scene scene;
	uint64_t number = 1;
	size_t told;

	scene_open(&scene);
	prepare(&scene, number, AUTO, ids);
	ticket_maker_commit(scene.maker);
	current_name(ids[0], first);
	told = scene.told;
	for (int64_t hours = 13; hours < 48; hours += 12) {
		const struct ticket_key *key;

		/* A worker's own clock is all that it takes. */
		clock_shift(hours * HOUR_MS);
		current_name(ids[0], name);
		CU_ASSERT(memcmp(first, name, sizeof(name)) != 0);
		CU_ASSERT_EQUAL(ticket_keys_find(ids[0], first, &key),
				TICKET_OLD);
		/* A reload looks at the clock at once. */
		prepare(&scene, ++number, AUTO, ids);
		ticket_maker_commit(scene.maker);
		current_name(ids[0], first);
		CU_ASSERT(memcmp(first, name, sizeof(name)) == 0);
		CU_ASSERT_EQUAL(scene.told, ++told);
	}
	scene_close(&scene);
}

static void
test_rotate(void)
{
	unsigned char ids[1][TICKET_RING_ID_SIZE];
	unsigned char first[TICKET_KEY_NAME_SIZE];
	struct scene scene;

	scene_open(&scene);
	CU_ASSERT_FALSE(ticket_maker_rotate(scene.maker));
	prepare(&scene, 1, AUTO, ids);
	ticket_maker_commit(scene.maker);
	current_name(ids[0], first);
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT(ticket_maker_rotate(scene.maker));
		CU_ASSERT(is_known(ids[0], first));
	}
	CU_ASSERT(ticket_maker_rotate(scene.maker));
	CU_ASSERT_FALSE(is_known(ids[0], first));
	scene_close(&scene);
}

static void
test_state(void)
{
	unsigned char ids[2][TICKET_RING_ID_SIZE];
	unsigned char first[TICKET_KEY_NAME_SIZE], again[TICKET_KEY_NAME_SIZE];
	struct scene scene;

	scene_open(&scene);
	prepare(&scene, 1, BOTH, ids);
	ticket_maker_commit(scene.maker);
	ticket_maker_rotate(scene.maker);
	current_name(ids[1], first);
	die(&scene);
	CU_ASSERT_FALSE(ticket_keys_have(ids[0]));
	/* Both are found, also when only one is asked for at first and the
	 * process dies again before anything is in force. */
	prepare(&scene, 1, AUTO, ids);
	die(&scene);
	prepare(&scene, 1, BOTH, ids);
	current_name(ids[1], again);
	CU_ASSERT(memcmp(first, again, sizeof(first)) == 0);
	ticket_maker_commit(scene.maker);
	/* What nobody asked for is not kept for ever. */
	die(&scene);
	prepare(&scene, 1, AUTO, ids);
	ticket_maker_commit(scene.maker);
	die(&scene);
	prepare(&scene, 1, BOTH, ids);
	current_name(ids[1], again);
	CU_ASSERT(memcmp(first, again, sizeof(first)) != 0);
	scene_close(&scene);
}

/* Whatever is in there, there are keys. */
static void
test_state_of_nonsense(void)
{
	static const unsigned char contents[][8] = {
		{1, 0, 1, 5, 5, 5, 5, 5}, {2}, {1, 255, 255}, {0}};
	unsigned char ids[1][TICKET_RING_ID_SIZE];
	struct error error = {0};
	struct scene scene;

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		struct state_pair *pair;

		scene_open(&scene);
		pair = state_pair_new(dup(scene.files[0]), dup(scene.files[1]),
				      STATE_TICKETS);
		CU_ASSERT_EQUAL(state_pair_write(pair, contents[i],
						 sizeof(contents[i]), &error),
				0);
		state_pair_free(pair);
		die(&scene);
		prepare(&scene, 1, AUTO, ids);
		CU_ASSERT(ticket_keys_have(ids[0]));
		scene_close(&scene);
	}
}

static void
test_behind(void)
{
	unsigned char ids[1][TICKET_RING_ID_SIZE];
	struct scene scene;

	scene_open(&scene);
	scene.room = 0;
	prepare(&scene, 1, AUTO, ids);
	CU_ASSERT_FALSE(ticket_keys_have(ids[0]));
	turn(&scene);
	CU_ASSERT_FALSE(ticket_keys_have(ids[0]));
	scene.room = 1;
	turn(&scene);
	CU_ASSERT(ticket_keys_have(ids[0]));
	scene_close(&scene);
}

/* What has no room now is told next, not the beginning again, whoever else has
 * none. */
static void
test_rest(void)
{
	unsigned char ids[2][TICKET_RING_ID_SIZE];
	struct scene scene;

	scene_open(&scene);
	scene.stuck = 1;
	ticket_maker_welcome(scene.maker, 1);
	scene.room = 1;
	CU_ASSERT_EQUAL_FATAL(prepare(&scene, 1, BOTH, ids), 2);
	CU_ASSERT(ticket_keys_have(ids[0]) != ticket_keys_have(ids[1]));
	scene.room = 1;
	turn(&scene);
	CU_ASSERT(ticket_keys_have(ids[0]) && ticket_keys_have(ids[1]));
	scene.room = SIZE_MAX;
	turn(&scene);
	CU_ASSERT_EQUAL(scene.told, 2);
	scene.stuck = NOBODY;
	turn(&scene);
	CU_ASSERT_EQUAL(scene.told, 4);
	CU_ASSERT_EQUAL(scene.last_worker, 1);
	scene_close(&scene);
}

static void
test_welcome(void)
{
	unsigned char ids[2][TICKET_RING_ID_SIZE];
	struct scene scene;

	scene_open(&scene);
	ticket_maker_welcome(scene.maker, 4);
	CU_ASSERT_EQUAL(scene.told, 0);
	prepare(&scene, 1, BOTH, ids);
	scene.told = 0;
	ticket_keys_drop_all();
	ticket_maker_welcome(scene.maker, 7);
	CU_ASSERT_EQUAL(scene.told, 2);
	CU_ASSERT_EQUAL(scene.last_worker, 7);
	CU_ASSERT(ticket_keys_have(ids[0]) && ticket_keys_have(ids[1]));
	scene_close(&scene);
}

static void
test_show(void)
{
	unsigned char ids[2][TICKET_RING_ID_SIZE];
	struct scene scene;
	char *text;

	scene_open(&scene);
	text = ticket_maker_show(scene.maker, 1000);
	CU_ASSERT_STRING_EQUAL(text, "no gate has tickets\n");
	free(text);
	prepare(&scene, 1, BOTH, ids);
	text = ticket_maker_show(scene.maker, 10000);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " mode auto\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " current from 2"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " next    from 2"));
	free(text);
	/* In whole lines. */
	text = ticket_maker_show(scene.maker, 200);
	CU_ASSERT(strlen(text) > 40 && strlen(text) <= 200);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "Z\nthere is no room for the others\n"));
	CU_ASSERT_EQUAL(text[strlen(text) - 1], '\n');
	free(text);
	scene_close(&scene);
}

UNIT_SUITE(ticket_maker, {"generations", test_generations},
	   {"rotation", test_rotation}, {"rotate", test_rotate},
	   {"state", test_state}, {"state_of_nonsense", test_state_of_nonsense},
	   {"behind", test_behind}, {"rest", test_rest},
	   {"welcome", test_welcome}, {"show", test_show});
