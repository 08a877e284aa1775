/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where changes show, and when they are told.
 */
#include "daemon/monitor/watch.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "daemon/monitor/watch_places.h"
#include "daemon/process/generation.h"
#include "tests/lib/conf_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

struct fixture {
	char *directory;
	struct conf_fixture conf;
	struct generation generation;
	struct watch_places places;
};

static void
write_file(const struct fixture *fixture, const char *name, const char *text)
{
	test_directory_write(fixture->directory, name, text, strlen(text));
}

/* lists/, and data -> 1 with 1/ca.crl in it. */
static void
setup(struct fixture *fixture)
{
	AUTO_FREE char *text = NULL;

	*fixture = (struct fixture){.directory = test_directory()};
	test_directory_enter(fixture->directory, "lists");
	test_directory_enter(fixture->directory, "1");
	write_file(fixture, "1/ca.crl", "one");
	test_directory_link(fixture->directory, "data", "1");
	test_directory_link(fixture->directory, "ca.crl", "./data//ca.crl");
	text = mem_format("services: {s: {accept: {address: ':1', tls: "
			  "{certificates: /c.pem, verify: {mode: required, "
			  "ca: /ca.pem, crl: {files: [%s/ca.crl, %s/none], "
			  "directory: %s/1/../lists/}}}}, connect: 'h:2'}}",
			  fixture->directory, fixture->directory,
			  fixture->directory);
	conf_fixture_load(&fixture->conf, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->conf.conf);
	fixture->generation.conf = fixture->conf.conf;
	fixture->generation.files = file_set_new();
	watch_places_find(&fixture->generation, &fixture->places);
}

static void
teardown(struct fixture *fixture)
{
	watch_places_clear(&fixture->places);
	file_set_free(fixture->generation.files);
	conf_fixture_clear(&fixture->conf);
	test_directory_remove(fixture->directory);
}

static bool
has(const struct fixture *fixture, const char *below, const char *name)
{
	AUTO_FREE char *directory =
		mem_format("%s%s", fixture->directory, below);

	for (size_t i = 0; i < fixture->places.count; i++) {
		const struct watch_place *place = &fixture->places.places[i];

		if (strcmp(place->directory, directory) == 0 &&
		    (name ? place->name && strcmp(place->name, name) == 0
			  : !place->name))
			return true;
	}
	return false;
}

static void
test_places(void)
{
	struct fixture fixture;

	setup(&fixture);
	/* The file, its link and the link in what that says. */
	CU_ASSERT(has(&fixture, "", "ca.crl"));
	CU_ASSERT(has(&fixture, "", "data"));
	CU_ASSERT(has(&fixture, "/1", "ca.crl"));
	/* One that may come. */
	CU_ASSERT(has(&fixture, "", "none"));
	/* All of a directory, and itself. */
	CU_ASSERT(has(&fixture, "/lists", NULL));
	CU_ASSERT(has(&fixture, "", "lists"));
	CU_ASSERT_EQUAL(fixture.places.count, 6);
	teardown(&fixture);
}

static void
test_loops(void)
{
	struct fixture fixture;
	AUTO_FREE char *text = NULL;

	setup(&fixture);
	test_directory_link(fixture.directory, "loop", "loop");
	text = mem_format("services: {s: {accept: {address: ':1', tls: "
			  "{certificates: /c.pem, verify: {mode: required, "
			  "ca: /ca.pem, crl: %s/loop}}}, connect: 'h:2'}}",
			  fixture.directory);
	conf_fixture_load(&fixture.conf, text);
	fixture.generation.conf = fixture.conf.conf;
	watch_places_clear(&fixture.places);
	watch_places_find(&fixture.generation, &fixture.places);
	CU_ASSERT(has(&fixture, "", "loop"));
	teardown(&fixture);
}

static bool
is_changed(const struct fixture *fixture, uint64_t *state)
{
	int64_t newest;
	uint64_t before = *state;

	*state = watch_places_state(&fixture->places, &newest);
	return *state != before;
}

static void
test_states(void)
{
	struct fixture fixture;
	uint64_t state = 0;

	setup(&fixture);
	CU_ASSERT(is_changed(&fixture, &state));
	CU_ASSERT_FALSE(is_changed(&fixture, &state));
	write_file(&fixture, "other", "that nobody has named");
	CU_ASSERT_FALSE(is_changed(&fixture, &state));
	write_file(&fixture, "1/ca.crl", "longer");
	CU_ASSERT(is_changed(&fixture, &state));
	write_file(&fixture, "none", "after all");
	CU_ASSERT(is_changed(&fixture, &state));
	write_file(&fixture, "lists/any", "");
	CU_ASSERT(is_changed(&fixture, &state));
	write_file(&fixture, "lists/any", "more");
	CU_ASSERT(is_changed(&fixture, &state));
	CU_ASSERT_FALSE(is_changed(&fixture, &state));
	teardown(&fixture);
}

struct told {
	struct event_base *base;
	unsigned int times;
	char path[4096];
};

static void
on_changed(const char *path, void *argument)
{
	struct told *told = argument;

	told->times++;
	snprintf(told->path, sizeof(told->path), "%s", path);
	event_base_loopbreak(told->base);
}

/* The loop until a change is told, or for so long. */
static unsigned int
run(struct told *told, unsigned int milliseconds)
{
	struct timeval limit = {.tv_sec = milliseconds / 1000,
				.tv_usec = milliseconds % 1000 * 1000};

	told->times = 0;
	event_base_loopexit(told->base, &limit);
	event_base_dispatch(told->base);
	return told->times;
}

static void
test_changes(void)
{
	struct fixture fixture;
	struct told told = {.base = event_base_new()};
	struct watch *watch = watch_new(told.base, on_changed, &told);
	AUTO_FREE char *path = NULL;
	int descriptor;

	setup(&fixture);
	path = mem_format("%s/1/ca.crl", fixture.directory);
	/* What was written before counts from the beginning of time on. */
	watch_set(watch, &fixture.generation, 0);
	CU_ASSERT_EQUAL(run(&told, 15000), 1);
	watch_set(watch, &fixture.generation, INT64_MAX);
	/* To read a file is no change, nor is one next to it. */
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	close(descriptor);
	write_file(&fixture, "other", "that nobody has named");
	CU_ASSERT_EQUAL(run(&told, 1500), 0);
	write_file(&fixture, "1/ca.crl", "two");
	CU_ASSERT_EQUAL(run(&told, 15000), 1);
	CU_ASSERT_STRING_EQUAL(told.path, path);
	/* Several changes are one. */
	write_file(&fixture, "none", "after all");
	write_file(&fixture, "lists/any", "");
	CU_ASSERT_EQUAL(run(&told, 15000), 1);
	CU_ASSERT_EQUAL(run(&told, 1500), 0);
	watch_free(watch);
	event_base_free(told.base);
	teardown(&fixture);
}

UNIT_SUITE(watch, {"places", test_places}, {"loops", test_loops},
	   {"states", test_states}, {"changes", test_changes});
