/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of a command: whole or not there, and never instead of another one by
 * accident.
 */
#include "daemon/cli/output_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

static size_t
count_entries(const char *directory)
{
	DIR *open = opendir(directory);
	const struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(open)))
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
			count++;
	closedir(open);
	return count;
}

static void
expect_content(const char *path, const char *content, mode_t mode)
{
	char found[64] = "";
	struct stat status;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);

	CU_ASSERT_FATAL(descriptor >= 0);
	CU_ASSERT_EQUAL(read(descriptor, found, sizeof(found) - 1),
			(ssize_t)strlen(content));
	CU_ASSERT_STRING_EQUAL(found, content);
	CU_ASSERT_EQUAL(fstat(descriptor, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 07777, mode);
	close(descriptor);
}

static void
test_new(void)
{
	char *directory = test_directory();
	AUTO_FREE char *one = mem_format("%s/one", directory);
	AUTO_FREE char *other = mem_format("%s/other", directory);
	struct output_file files[] = {
		{.path = one, .bytes = "1", .length = 1, .mode = 0600},
		{.path = other, .bytes = "22", .length = 2, .mode = 0644},
	};
	struct error error = {0};
	mode_t mask = umask(0077);

	CU_ASSERT_EQUAL(output_files_write(files, 2, false, &error), 0);
	umask(mask);
	expect_content(one, "1", 0600);
	expect_content(other, "22", 0644);
	CU_ASSERT_EQUAL(count_entries(directory), 2);
	test_directory_remove(directory);
}

/* The second name is taken: the first file goes again. */
static void
test_taken(void)
{
	char *directory = test_directory();
	AUTO_FREE char *one = mem_format("%s/one", directory);
	AUTO_FREE char *other = mem_format("%s/other", directory);
	struct output_file files[] = {
		{.path = one, .bytes = "1", .length = 1, .mode = 0600},
		{.path = other, .bytes = "22", .length = 2, .mode = 0600},
	};
	struct error error = {0};

	test_directory_write(directory, "other", "old", 3);
	CU_ASSERT_EQUAL(output_files_write(files, 2, false, &error), -1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(error.text,
		       "/other is there already; --force would replace it"));
	expect_content(other, "old", 0600);
	CU_ASSERT_EQUAL(count_entries(directory), 1);

	CU_ASSERT_EQUAL(output_files_write(files, 2, true, &error), 0);
	expect_content(one, "1", 0600);
	expect_content(other, "22", 0600);
	CU_ASSERT_EQUAL(count_entries(directory), 2);
	test_directory_remove(directory);
}

/* A link is replaced itself, what it points to is left alone. */
static void
test_link(void)
{
	char *directory = test_directory();
	AUTO_FREE char *target = mem_format("%s/target", directory);
	AUTO_FREE char *link_path = mem_format("%s/link", directory);
	struct output_file file = {
		.path = link_path, .bytes = "new", .length = 3, .mode = 0600};
	struct error error = {0};

	test_directory_write(directory, "target", "old", 3);
	test_directory_link(directory, "link", "target");
	CU_ASSERT_EQUAL(output_files_write(&file, 1, false, &error), -1);
	CU_ASSERT_EQUAL(output_files_write(&file, 1, true, &error), 0);
	expect_content(target, "old", 0600);
	expect_content(link_path, "new", 0600);
	test_directory_remove(directory);
}

static void
test_no_directory(void)
{
	struct output_file file = {.path = "/nowhere/file",
				   .bytes = "1",
				   .length = 1,
				   .mode = 0600};
	struct error error = {0};

	CU_ASSERT_EQUAL(output_files_write(&file, 1, false, &error), -1);
	CU_ASSERT_STRING_EQUAL(error.text, "cannot write /nowhere/file: No "
					   "such file or directory");
}

/* A limit on file sizes stands in for a full disk. */
static void
test_full(void)
{
	char *directory = test_directory();
	AUTO_FREE char *one = mem_format("%s/one", directory);
	AUTO_FREE char *other = mem_format("%s/other", directory);
	static const char content[10000];
	struct output_file files[] = {
		{.path = one, .bytes = "1", .length = 1, .mode = 0600},
		{.path = other,
		 .bytes = content,
		 .length = sizeof(content),
		 .mode = 0600},
	};
	struct rlimit before, limit;
	struct error error = {0};
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &limit);
	CU_ASSERT_EQUAL(output_files_write(files, 2, false, &error), -1);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, handler);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/other: File too large"));
	CU_ASSERT_EQUAL(count_entries(directory), 0);
	test_directory_remove(directory);
}

UNIT_SUITE(output_file, {"new", test_new}, {"taken", test_taken},
	   {"link", test_link}, {"no_directory", test_no_directory},
	   {"full", test_full});
