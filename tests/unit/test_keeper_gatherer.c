/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering and checking beside an event loop.
 */
#include "daemon/keeper/gatherer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/route/certificate_gather.h"
#include "daemon/process/generation.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DEADLINE_MS 60000

/* So many that keys are not decoded at once; one of them is another's. */
enum {
	MANY = 510,
	WRONG = 507,
};

struct scene {
	struct event_base *base;
	struct gatherer *gatherer;
	unsigned int gathered;
	uint64_t number; /* of the last one */
	struct certificate_gathering *gathering;
	char problem[512];
	unsigned int checked;
	size_t wrong;
};

/* Made once: PEM of chain and key for each. */
static char *pems[MANY][2];

static void
make_pems(void)
{
	struct test_identity *ca;

	if (pems[0][0])
		return;
	ca = test_ca("CA", NULL);
	for (int i = 0; i < MANY; i++) {
		AUTO_FREE char *name = mem_format("h%d.example", i);
		struct test_identity *leaf = test_leaf("p256", name, ca);

		pems[i][0] = test_pem_chain(leaf);
		pems[i][1] = test_pem_key(i == WRONG ? ca : leaf, NULL);
		test_identity_free(leaf);
	}
	test_identity_free(ca);
}

static void
on_gathered(struct gathered *gathered, void *argument)
{
	struct scene *scene = argument;

	scene->gathered++;
	scene->number = gathered->number;
	certificate_gather_free(scene->gathering);
	scene->gathering = TAKE(gathered->gathering);
	scene->problem[0] = '\0';
	if (gathered->problems.count > 0)
		error_format(&gathered->problems.errors[0], scene->problem,
			     sizeof(scene->problem));
	CU_ASSERT_EQUAL(scene->gathering == NULL, gathered->problems.count > 0);
}

static void
on_checked(size_t wrong, void *argument)
{
	struct scene *scene = argument;

	scene->checked++;
	scene->wrong = wrong;
}

static void
begin(struct scene *scene)
{
	static const struct gatherer_events events = {
		.gathered = on_gathered,
		.checked = on_checked,
	};

	make_pems();
	*scene = (struct scene){.base = event_base_new()};
	scene->gatherer = gatherer_new(scene->base, &events, scene);
	CU_ASSERT_PTR_NOT_NULL_FATAL(scene->gatherer);
}

static void
end(struct scene *scene)
{
	gatherer_free(scene->gatherer);
	certificate_gather_free(scene->gathering);
	event_base_free(scene->base);
}

static void
add_files(struct file_set *files, int count)
{
	static const char *const kinds[] = {"crt", "key"};
	char *names[2 * MANY] = {NULL};

	for (int i = 0; i < 2 * count; i++) {
		names[i] = mem_format("/d/%03d.%s", i / 2, kinds[i % 2]);
		test_file_set_add(files, names[i], pems[i / 2][i % 2],
				  strlen(pems[i / 2][i % 2]));
	}
	file_set_add_directory(files, "/d", FILE_SECRET,
			       (const char *const *)names, 2 * (size_t)count);
	for (int i = 0; i < 2 * count; i++)
		mem_free(names[i]);
}

/* A directory with that many certificates. */
static void
ask(struct scene *scene, uint64_t number, int count)
{
	static const char text[] =
		"services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
		"\":1\", tls: {certificates: {directory: /d}}}}}\n";
	struct generation *generation = generation_new(number);
	struct error_list problems = {0};
	struct error error = {0};

	conf_documents_add(&generation->documents, "/t.yaml", text,
			   strlen(text));
	generation->conf = conf_load(&generation->documents, &problems, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(generation->conf);
	add_files(generation->files, count);
	CU_ASSERT_EQUAL(gatherer_begin(scene->gatherer, generation,
				       scene->gathering, &error),
			0);
}

static void
wait_for(struct scene *scene, const unsigned int *what, unsigned int count)
{
	const struct timeval pause = {.tv_usec = 1000};
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;

	while (*what < count && clock_monotonic_ms() < deadline_ms) {
		event_base_loopexit(scene->base, &pause);
		event_base_dispatch(scene->base);
	}
	CU_ASSERT_TRUE_FATAL(*what >= count);
}

static void
test_gathers(void)
{
	struct scene scene;

	begin(&scene);
	ask(&scene, 7, 3);
	wait_for(&scene, &scene.gathered, 1);
	CU_ASSERT_EQUAL(scene.number, 7);
	CU_ASSERT_EQUAL(certificate_gather_key_count(scene.gathering), 3);
	ask(&scene, 8, 2);
	wait_for(&scene, &scene.gathered, 2);
	CU_ASSERT_EQUAL(scene.number, 8);
	CU_ASSERT_EQUAL(certificate_gather_key_count(scene.gathering), 2);
	end(&scene);
}

/* What is said is about a place in the generation's document. */
static void
test_problems(void)
{
	struct scene scene;

	begin(&scene);
	ask(&scene, 1, 0);
	wait_for(&scene, &scene.gathered, 1);
	CU_ASSERT_PTR_NULL(scene.gathering);
	CU_ASSERT_EQUAL(strncmp(scene.problem, "/t.yaml:1:", 10), 0);
	end(&scene);
}

static void
test_cancelled(void)
{
	struct scene scene;

	begin(&scene);
	/* One that may be under way, one that is finished and not told, two
	 * that wait. */
	ask(&scene, 1, 3);
	gatherer_cancel(scene.gatherer);
	ask(&scene, 2, MANY);
	ask(&scene, 3, 3);
	gatherer_cancel(scene.gatherer);
	gatherer_cancel(scene.gatherer);
	ask(&scene, 4, 2);
	wait_for(&scene, &scene.gathered, 1);
	CU_ASSERT_EQUAL(scene.number, 4);
	/* And nothing to cancel. */
	gatherer_cancel(scene.gatherer);
	end(&scene);
}

static void
test_checks(void)
{
	struct scene scene;

	begin(&scene);
	ask(&scene, 1, 3);
	wait_for(&scene, &scene.gathered, 1);
	gatherer_check(scene.gatherer, scene.gathering);
	wait_for(&scene, &scene.checked, 1);
	CU_ASSERT_EQUAL(scene.wrong, 0);
	certificate_gather_free(TAKE(scene.gathering));
	ask(&scene, 2, MANY);
	wait_for(&scene, &scene.gathered, 2);
	CU_ASSERT_EQUAL(certificate_gather_key_count(scene.gathering), MANY);
	gatherer_check(scene.gatherer, scene.gathering);
	/* Gathering goes first; the check goes on then. */
	ask(&scene, 3, 4);
	wait_for(&scene, &scene.gathered, 3);
	wait_for(&scene, &scene.checked, 2);
	CU_ASSERT_EQUAL(scene.wrong, 1);
	/* One replaces the other, if that has not begun. */
	gatherer_check(scene.gatherer, scene.gathering);
	gatherer_check(scene.gatherer, scene.gathering);
	wait_for(&scene, &scene.checked, 3);
	CU_ASSERT_EQUAL(scene.wrong, 0);
	end(&scene);
}

/* At its end it may have anything to do. */
static void
test_ends(void)
{
	struct scene scene;

	begin(&scene);
	end(&scene);

	begin(&scene);
	ask(&scene, 1, MANY);
	ask(&scene, 2, 3);
	end(&scene);

	begin(&scene);
	ask(&scene, 1, MANY);
	wait_for(&scene, &scene.gathered, 1);
	gatherer_check(scene.gatherer, scene.gathering);
	ask(&scene, 2, 1);
	end(&scene);
}

UNIT_SUITE(keeper_gatherer, {"gathers", test_gathers},
	   {"problems", test_problems}, {"cancelled", test_cancelled},
	   {"checks", test_checks}, {"ends", test_ends});
