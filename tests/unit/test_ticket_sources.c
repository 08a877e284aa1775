/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/route/ticket_sources.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

#define START  INT64_C(1800000000)
#define SECRET "0123456789abcdef0123456789abcdef"

/* Files that a configuration names, in a directory of their own. */
struct scene {
	char directory[32];
	struct conf_fixture conf;
	struct file_set *files;
	struct ticket_sources sources;
	struct error_list problems;
	struct error_list warnings;
	int status;
};

static void
scene_open(struct scene *scene)
{
	*scene = (struct scene){.directory = "/tmp/sealock-tickets-XXXXXX"};
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(scene->directory));
}

static void
scene_clear(struct scene *scene)
{
	ticket_sources_clear(&scene->sources);
	file_set_free(scene->files);
	scene->files = NULL;
	error_list_clear(&scene->problems);
	error_list_clear(&scene->warnings);
	conf_fixture_clear(&scene->conf);
}

static void
scene_close(struct scene *scene)
{
	AUTO_FREE char *command = mem_format("rm -r %s", scene->directory);

	scene_clear(scene);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void
put(const struct scene *scene, const char *name, const void *bytes,
    size_t length, mode_t mode)
{
	AUTO_FREE char *path = mem_format("%s/%s", scene->directory, name);
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, length, file), length);
	fclose(file);
	CU_ASSERT_EQUAL(chmod(path, mode), 0);
}

static void
put_text(const struct scene *scene, const char *name, const char *text)
{
	put(scene, name, text, strlen(text), 0600);
}

static void
put_key(const struct scene *scene, const char *name, char fill, mode_t mode)
{
	char key[80];

	memset(key, fill, sizeof(key));
	put(scene, name, key, sizeof(key), mode);
}

/* Read what these settings of `session` come to; %D is the directory. */
static int
read_session(struct scene *scene, const char *session)
{
	AUTO_FREE char *text = NULL;
	char *place, *longer;

	scene_clear(scene);
	text = mem_format("services: {s: {connect: \"h:1\", accept: {address: "
			  "\":1\", tls: {certificates: c, session: %s}}}}\n",
			  session);
	while ((place = strstr(text, "%D"))) {
		longer = mem_format("%.*s%s%s", (int)(place - text), text,
				    scene->directory, place + 2);
		mem_free(text);
		text = longer;
	}
	conf_fixture_load(&scene->conf, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->conf.conf);
	scene->files = file_set_new();
	CU_ASSERT_EQUAL(conf_files_open(scene->conf.conf, scene->files,
					&scene->problems),
			0);
	scene->status = ticket_sources_read(&scene->sources, scene->conf.conf,
					    scene->files, &scene->problems,
					    &scene->warnings);
	return scene->status;
}

static bool
refuses(struct scene *scene, const char *session, const char *part)
{
	if (read_session(scene, session) == -1 && scene->problems.count == 1 &&
	    strstr(scene->problems.errors[0].text, part) &&
	    scene->problems.errors[0].at.line == 1)
		return true;
	for (size_t i = 0; i < scene->problems.count; i++)
		fprintf(stderr, "%s\n", scene->problems.errors[i].text);
	return false;
}

static void
test_which(void)
{
	struct scene scene;

	scene_open(&scene);
	CU_ASSERT_EQUAL(read_session(&scene, "true"), 0);
	CU_ASSERT_EQUAL_FATAL(scene.sources.count, 1);
	CU_ASSERT_EQUAL(scene.sources.sources[0].mode, TLS_TICKETS_AUTO);
	CU_ASSERT_EQUAL(scene.sources.sources[0].pace.rotate, 12 * 3600);
	CU_ASSERT_EQUAL(scene.sources.sources[0].pace.keep, 3);
	CU_ASSERT_EQUAL(read_session(&scene, "off"), 0);
	CU_ASSERT_EQUAL(scene.sources.count, 0);
	CU_ASSERT_EQUAL(read_session(&scene, "{tickets: off}"), 0);
	CU_ASSERT_EQUAL(scene.sources.count, 0);
	/* Equal ones are one. */
	CU_ASSERT_EQUAL(
		read_session(&scene,
			     "true, hosts: {a.b: {session: {tickets: {number: "
			     "1}}}, c.d: {session: {tickets: {keep: 4}}}, e.f: "
			     "{session: off}}"),
		0);
	CU_ASSERT_EQUAL(scene.sources.count, 2);
	scene_close(&scene);
}

static void
test_auto(void)
{
	struct ticket_ring *ring;
	struct scene scene;

	scene_open(&scene);
	CU_ASSERT_EQUAL(read_session(&scene, "true"), 0);
	ring = ticket_ring_new(scene.sources.sources[0].id);
	CU_ASSERT(ticket_source_update(&scene.sources.sources[0], ring, START));
	CU_ASSERT_FALSE(
		ticket_source_update(&scene.sources.sources[0], ring, START));
	CU_ASSERT_EQUAL(ring->count, 2);
	ticket_ring_free(ring);
	scene_close(&scene);
}

static void
test_files(void)
{
	struct ticket_ring *ring;
	struct scene scene;

	scene_open(&scene);
	put_key(&scene, "one", 'a', 0600);
	put_key(&scene, "two", 'b', 0640);
	CU_ASSERT_EQUAL(read_session(&scene, "{tickets: {mode: files, files: "
					     "[%D/one, %D/two]}}"),
			0);
	CU_ASSERT_EQUAL(scene.warnings.count, 0);
	ring = ticket_ring_new(scene.sources.sources[0].id);
	CU_ASSERT(ticket_source_update(&scene.sources.sources[0], ring, START));
	CU_ASSERT_EQUAL(ring->count, 2);
	CU_ASSERT_EQUAL(ticket_ring_current(ring, START)->name[0], 'a');
	CU_ASSERT_FALSE(ticket_source_update(&scene.sources.sources[0], ring,
					     START + 1000));
	ticket_ring_free(ring);
	scene_close(&scene);
}

static void
test_files_refused(void)
{
	static const char both[] =
		"{tickets: {mode: files, files: [%D/one, %D/two]}}";
	struct scene scene;

	scene_open(&scene);
	put_key(&scene, "one", 'a', 0600);
	CU_ASSERT(refuses(&scene, both, "/two"));
	put_text(&scene, "two", "nothing of that sort\n");
	CU_ASSERT(refuses(&scene, both, "line 1 is no key"));
	put_key(&scene, "two", 'a', 0600);
	CU_ASSERT(refuses(&scene, both, "same name"));
	scene_close(&scene);
}

static void
test_modes(void)
{
	static const char key[] = "{tickets: {mode: files, files: %D/one}}";
	static const char secret[] = "{tickets: {mode: derived, secret: %D/s}}";
	struct scene scene;

	scene_open(&scene);
	put_key(&scene, "one", 'a', 0644);
	CU_ASSERT_EQUAL(read_session(&scene, key), 0);
	CU_ASSERT_EQUAL_FATAL(scene.warnings.count, 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(scene.warnings.errors[0].text, "chmod 0640"));
	put_key(&scene, "one", 'a', 0660);
	CU_ASSERT_EQUAL(read_session(&scene, key), 0);
	CU_ASSERT_EQUAL(scene.warnings.count, 1);
	put_key(&scene, "one", 'a', 0440);
	CU_ASSERT_EQUAL(read_session(&scene, key), 0);
	CU_ASSERT_EQUAL(scene.warnings.count, 0);
	put(&scene, "s", SECRET, strlen(SECRET), 0604);
	CU_ASSERT_EQUAL(read_session(&scene, secret), 0);
	CU_ASSERT_EQUAL(scene.warnings.count, 1);
	scene_close(&scene);
}

/* However the lines are written, the same keys come of them. */
static void
test_derived(void)
{
	static const char session[] =
		"{tickets: {mode: derived, secret: %D/s}}";
	static const char *const same[] = {
		SECRET, SECRET "\n", "\r\n  " SECRET " \r\n\n",
		SECRET "\nanother secret, which is old by now\n"};
	struct ticket_ring *ring, *first;
	struct scene scene;

	scene_open(&scene);
	put_text(&scene, "s", same[0]);
	CU_ASSERT_EQUAL(read_session(&scene, session), 0);
	first = ticket_ring_new(scene.sources.sources[0].id);
	CU_ASSERT(
		ticket_source_update(&scene.sources.sources[0], first, START));
	CU_ASSERT_EQUAL(first->count, 5);
	for (size_t i = 1; i < ARRAY_SIZE(same); i++) {
		put_text(&scene, "s", same[i]);
		CU_ASSERT_EQUAL(read_session(&scene, session), 0);
		ring = ticket_ring_new(scene.sources.sources[0].id);
		CU_ASSERT(ticket_source_update(&scene.sources.sources[0], ring,
					       START));
		CU_ASSERT_EQUAL(ring->count, i < 3 ? 5 : 10);
		CU_ASSERT(memcmp(ticket_ring_current(ring, START)->aes,
				 ticket_ring_current(first, START)->aes,
				 32) == 0);
		ticket_ring_free(ring);
	}
	ticket_ring_free(first);
	scene_close(&scene);
}

static void
test_derived_refused(void)
{
	static const char session[] =
		"{tickets: {mode: derived, secret: %D/s}}";
	static const struct {
		const char *text;
		const char *part;
	} cases[] = {
		{"", "/s: there is nothing in it"},
		{"\n\n", "/s: there is nothing in it"},
		{"\x01" SECRET, "/s: a secret is a line of text"},
		{SECRET "\x7f\n", "/s: a secret is a line of text"},
		{"short\n", "a secret of 5 characters"},
		{SECRET "\nshort\n", "a secret of 5 characters"},
		{SECRET "\n" SECRET "\n", "both lines are the same"},
		{SECRET "1\n" SECRET "2\n" SECRET "3\n", "more than 2 lines"},
	};
	struct scene scene;

	scene_open(&scene);
	CU_ASSERT(refuses(&scene, session, "/s"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_text(&scene, "s", cases[i].text);
		CU_ASSERT(refuses(&scene, session, cases[i].part));
		CU_ASSERT_PTR_NULL(
			strstr(scene.problems.errors[0].text, SECRET));
	}
	put(&scene, "s", SECRET "\0", strlen(SECRET) + 1, 0600);
	CU_ASSERT(refuses(&scene, session, "/s: a secret is a line of text"));
	put_text(&scene, "s", "caf\xc3\xa9: " SECRET "\t\r\n");
	CU_ASSERT_EQUAL(read_session(&scene, session), 0);
	scene_close(&scene);
}

UNIT_SUITE(ticket_sources, {"which", test_which}, {"auto", test_auto},
	   {"files", test_files}, {"files_refused", test_files_refused},
	   {"modes", test_modes}, {"derived", test_derived},
	   {"derived_refused", test_derived_refused});
