/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pid file: who has it, and what is left behind.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "daemon/monitor/pid_file.h"

struct place {
	char directory[64];
	char path[96];
};

static void
make_place(struct place *place)
{
	strcpy(place->directory, "/tmp/sealock-unit-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/pid", place->directory);
}

static void
remove_place(struct place *place)
{
	unlink(place->path);
	CU_ASSERT_EQUAL(rmdir(place->directory), 0);
}

static int
number_in(const char *path)
{
	FILE *file = fopen(path, "r");
	int number = 0;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static void
test_written(void)
{
	struct place place;
	struct pid_file *pid_file;

	make_place(&place);
	pid_file = pid_file_new(place.path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pid_file);
	CU_ASSERT_EQUAL(number_in(place.path), (int)getpid());
	CU_ASSERT_STRING_EQUAL(pid_file_path(pid_file), place.path);
	pid_file_unref(pid_file);
	CU_ASSERT_EQUAL(access(place.path, F_OK), -1);
	pid_file_unref(NULL);
	remove_place(&place);
}

static void
test_references(void)
{
	struct place place;
	struct pid_file *pid_file;

	make_place(&place);
	pid_file = pid_file_new(place.path, NULL);
	pid_file_unref(pid_file_ref(pid_file));
	CU_ASSERT_EQUAL(access(place.path, F_OK), 0);
	pid_file_unref(pid_file);
	CU_ASSERT_EQUAL(access(place.path, F_OK), -1);
	remove_place(&place);
}

static void
test_left_behind(void)
{
	struct place place;
	struct pid_file *pid_file;
	FILE *file;

	make_place(&place);
	file = fopen(place.path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fprintf(file, "1234567890 and much more that is longer\n");
	fclose(file);
	pid_file = pid_file_new(place.path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pid_file);
	CU_ASSERT_EQUAL(number_in(place.path), (int)getpid());
	pid_file_unref(pid_file);
	remove_place(&place);
}

static void
test_held(void)
{
	struct place place;
	struct pid_file *pid_file;
	struct error error = {0};
	char pid[32];

	make_place(&place);
	pid_file = pid_file_new(place.path, NULL);
	CU_ASSERT_PTR_NULL(pid_file_new(place.path, &error));
	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "another daemon"));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, pid));
	/* The refusal has changed nothing. */
	CU_ASSERT_EQUAL(number_in(place.path), (int)getpid());
	pid_file_unref(pid_file);
	remove_place(&place);
}

/* One that somebody else has made in its place is not ours to remove. */
static void
test_replaced(void)
{
	struct place place;
	struct pid_file *old, *new;

	make_place(&place);
	old = pid_file_new(place.path, NULL);
	CU_ASSERT_EQUAL(unlink(place.path), 0);
	new = pid_file_new(place.path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(new);
	pid_file_unref(old);
	CU_ASSERT_EQUAL(access(place.path, F_OK), 0);
	pid_file_unref(new);
	remove_place(&place);
}

static void
test_refused(void)
{
	struct place place;
	struct error error = {0};

	make_place(&place);
	CU_ASSERT_PTR_NULL(pid_file_new("/no/such/directory/pid", &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "No such file"));
	CU_ASSERT_PTR_NULL(pid_file_new(place.directory, &error));
	/* What a link leads to is not overwritten. */
	CU_ASSERT_EQUAL(symlink("/tmp", place.path), 0);
	CU_ASSERT_PTR_NULL(pid_file_new(place.path, &error));
	CU_ASSERT_STRING_NOT_EQUAL(error.text, "");
	remove_place(&place);
}

UNIT_SUITE(pid_file, {"written", test_written}, {"references", test_references},
	   {"left_behind", test_left_behind}, {"held", test_held},
	   {"replaced", test_replaced}, {"refused", test_refused});
