/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

/* A directory for one test, removed by remove_directory(). */
static char directory[64];

static const char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void
make_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/test_file_set.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

static void
make_file(const char *name, const char *content)
{
	FILE *file = fopen(path_of(name), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(content, file);
	fclose(file);
}

static void
remove_directory(const char *const *names, size_t count)
{
	for (size_t i = count; i > 0; i--)
		CU_ASSERT_EQUAL(remove(path_of(names[i - 1])), 0);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

static int
memory_file(const char *content)
{
	int file = memfd_create("content", MFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(write(file, content, strlen(content)),
			      (ssize_t)strlen(content));
	return file;
}

static void
check_content(const struct file_set *set, const char *name, const char *content)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};

	CU_ASSERT_EQUAL(file_set_read(set, name, &blob, &error), 0);
	CU_ASSERT_EQUAL(blob.length, strlen(content));
	CU_ASSERT_STRING_EQUAL((char *)blob.bytes, content);
}

static void
check_unreadable(const struct file_set *set, const char *name, const char *why)
{
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};

	CU_ASSERT_EQUAL(file_set_read(set, name, &blob, &error), -1);
	CU_ASSERT_PTR_NULL(blob.bytes);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, name));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, why));
	CU_ASSERT_EQUAL(file_set_read(set, name, &blob, NULL), -1);
}

static bool
is_open(int descriptor)
{
	return fcntl(descriptor, F_GETFD) >= 0;
}

static void
test_add(void)
{
	struct file_set *set = file_set_new();
	int file = memory_file("one"), other = memory_file("two");
	const struct file_entry *entry;

	CU_ASSERT_PTR_NULL(file_set_find(set, "/a"));
	file_set_add(set, "/a", file, FILE_PUBLIC);
	file_set_add(set, "/a", other, FILE_SECRET);
	CU_ASSERT_FALSE(is_open(other));
	file_set_add_missing(set, "/a", ENOENT, FILE_PUBLIC);
	file_set_add_missing(set, "env:PASS", ENOENT, FILE_SECRET);
	CU_ASSERT_EQUAL(file_set_count(set), 2);
	entry = file_set_find(set, "/a");
	CU_ASSERT_PTR_EQUAL_FATAL(entry, file_set_at(set, 0));
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_FILE);
	CU_ASSERT_EQUAL(entry->descriptor, file);
	CU_ASSERT_EQUAL(entry->uses, FILE_SECRET | FILE_PUBLIC);
	entry = file_set_find(set, "env:PASS");
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(entry->error_number, ENOENT);
	CU_ASSERT_EQUAL(entry->descriptor, -1);
	CU_ASSERT_PTR_NULL(file_set_find(set, "/A"));
	CU_ASSERT_PTR_NULL(file_set_find(set, ""));
	file_set_free(set);
	CU_ASSERT_FALSE(is_open(file));
	file_set_free(NULL);
}

static void
test_read(void)
{
	static const char *const children[] = {"/d/b", "/d/a"};
	struct file_set *set = file_set_new();
	const struct file_entry *entry;

	file_set_add(set, "/a", memory_file("content"), FILE_PUBLIC);
	file_set_add(set, "/empty", memory_file(""), FILE_PUBLIC);
	file_set_add(set, "/dev/null", open("/dev/null", O_RDONLY),
		     FILE_PUBLIC);
	file_set_add_missing(set, "/denied", EACCES, FILE_PUBLIC);
	file_set_add_missing(set, "/fifo", EINVAL, FILE_PUBLIC);
	file_set_add_directory(set, "/d", FILE_PUBLIC, children, 2);
	file_set_add_withheld(set, "/key.pem", FILE_PUBLIC | FILE_SECRET);
	/* Again and again: it does not depend on a position. */
	check_content(set, "/a", "content");
	check_content(set, "/a", "content");
	check_content(set, "/empty", "");
	check_content(set, "/dev/null", "");
	check_unreadable(set, "/denied", strerror(EACCES));
	check_unreadable(set, "/fifo", "neither a file nor a directory");
	check_unreadable(set, "/d", strerror(EISDIR));
	check_unreadable(set, "/nobody", strerror(ENOENT));
	check_unreadable(set, "/key.pem", "isolate_keys");
	entry = file_set_find(set, "/d");
	CU_ASSERT_EQUAL_FATAL(entry->child_count, 2);
	CU_ASSERT_STRING_EQUAL(entry->children[0], "/d/a");
	CU_ASSERT_STRING_EQUAL(entry->children[1], "/d/b");
	file_set_free(set);
}

static void
test_read_large(void)
{
	struct file_set *set = file_set_new();
	int file = memfd_create("large", MFD_CLOEXEC);
	const off_t limit = 16 << 20;
	AUTO_BLOB struct blob blob = {0};
	struct error error = {0};

	file_set_add(set, "/large", file, FILE_SECRET);
	CU_ASSERT_EQUAL(ftruncate(file, limit + 1), 0);
	check_unreadable(set, "/large", "16 MiB");
	CU_ASSERT_EQUAL(file_set_read_most(set, "/large", 4096, &blob, &error),
			-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "larger than 4 KiB"));
	CU_ASSERT_EQUAL(ftruncate(file, limit), 0);
	CU_ASSERT_EQUAL(pwrite(file, "x", 1, limit - 1), 1);
	CU_ASSERT_EQUAL(file_set_read(set, "/large", &blob, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(blob.length, (size_t)limit);
	CU_ASSERT_EQUAL(blob.bytes[limit - 1], 'x');
	CU_ASSERT_EQUAL(blob.bytes[limit], '\0');
	/* Of a file whose size is not told until it is read. */
	file_set_add(set, "/proc/self/maps",
		     open("/proc/self/maps", O_RDONLY | O_CLOEXEC),
		     FILE_PUBLIC);
	blob_clear(&blob);
	CU_ASSERT_EQUAL(file_set_read(set, "/proc/self/maps", &blob, NULL), 0);
	CU_ASSERT_TRUE(blob.length > 4096);
	file_set_free(set);
}

static void
test_open(void)
{
	static const char *const names[] = {"file", "link", "fifo", "dangling"};
	struct file_set *set = file_set_new();
	const struct file_entry *entry;

	make_directory();
	make_file("file", "content");
	CU_ASSERT_EQUAL(symlink("file", path_of("link")), 0);
	CU_ASSERT_EQUAL(mkfifo(path_of("fifo"), 0600), 0);
	CU_ASSERT_EQUAL(symlink("nowhere", path_of("dangling")), 0);
	file_set_open(set, path_of("file"), FILE_SECRET, false);
	file_set_open(set, path_of("link"), FILE_PUBLIC, false);
	file_set_open(set, path_of("fifo"), FILE_PUBLIC, false);
	file_set_open(set, path_of("dangling"), FILE_PUBLIC, false);
	file_set_open(set, "/dev/zero", FILE_PUBLIC, false);
	file_set_open(set, "", FILE_PUBLIC, false);
	check_content(set, path_of("file"), "content");
	check_content(set, path_of("link"), "content");
	entry = file_set_find(set, path_of("file"));
	CU_ASSERT_EQUAL(entry->uses, FILE_SECRET);
	CU_ASSERT_TRUE(fcntl(entry->descriptor, F_GETFD) & FD_CLOEXEC);
	entry = file_set_find(set, path_of("fifo"));
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_MISSING);
	CU_ASSERT_EQUAL(entry->error_number, EINVAL);
	entry = file_set_find(set, "/dev/zero");
	CU_ASSERT_EQUAL(entry->error_number, EINVAL);
	entry = file_set_find(set, path_of("dangling"));
	CU_ASSERT_EQUAL(entry->error_number, ENOENT);
	entry = file_set_find(set, "");
	CU_ASSERT_EQUAL(entry->error_number, ENOENT);
	file_set_free(set);
	remove_directory(names, ARRAY_SIZE(names));
}

static void
check_children(const struct file_set *set, const char *name,
	       const char *const *children, size_t count)
{
	const struct file_entry *entry = file_set_find(set, name);
	char *found;

	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT_EQUAL(entry->kind, FILE_KIND_DIRECTORY);
	CU_ASSERT_EQUAL_FATAL(entry->child_count, count);
	for (size_t i = 0; i < count; i++) {
		found = entry->children[i];
		CU_ASSERT_STRING_EQUAL(found + strlen(directory) + 1,
				       children[i]);
		CU_ASSERT_PTR_NOT_NULL(file_set_find(set, found));
	}
}

static void
test_open_directory(void)
{
	static const char *const names[] = {
		"b.pem",        "a.pem",
		".hidden",      "live",
		"live/one.pem", "live/link",
		"live/deeper",  "live/deeper/two.pem",
		"fifo",         "dangling",
	};
	static const char *const flat[] = {"a.pem", "b.pem", "dangling"};
	static const char *const deep[] = {"a.pem", "b.pem", "dangling",
					   "live"};
	static const char *const live[] = {"live/link", "live/one.pem"};
	struct file_set *set = file_set_new();
	char name[80];

	make_directory();
	make_file("b.pem", "b");
	make_file("a.pem", "a");
	make_file(".hidden", "");
	CU_ASSERT_EQUAL(mkdir(path_of("live"), 0700), 0);
	make_file("live/one.pem", "one");
	CU_ASSERT_EQUAL(symlink("../a.pem", path_of("live/link")), 0);
	CU_ASSERT_EQUAL(mkdir(path_of("live/deeper"), 0700), 0);
	make_file("live/deeper/two.pem", "two");
	CU_ASSERT_EQUAL(mkfifo(path_of("fifo"), 0600), 0);
	CU_ASSERT_EQUAL(symlink("nowhere", path_of("dangling")), 0);

	file_set_open(set, directory, FILE_SECRET, false);
	check_children(set, directory, flat, ARRAY_SIZE(flat));
	CU_ASSERT_EQUAL(file_set_count(set), 1 + ARRAY_SIZE(flat));
	CU_ASSERT_EQUAL(file_set_find(set, path_of("a.pem"))->uses,
			FILE_SECRET);
	CU_ASSERT_EQUAL(file_set_find(set, path_of("dangling"))->error_number,
			ENOENT);
	file_set_free(set);

	set = file_set_new();
	file_set_open(set, directory, FILE_PUBLIC, true);
	check_children(set, directory, deep, ARRAY_SIZE(deep));
	check_children(set, path_of("live"), live, ARRAY_SIZE(live));
	check_content(set, path_of("live/link"), "a");
	CU_ASSERT_PTR_NULL(file_set_find(set, path_of("live/deeper")));
	CU_ASSERT_EQUAL(file_set_count(set),
			1 + ARRAY_SIZE(deep) + ARRAY_SIZE(live));
	file_set_free(set);

	/* A slash at the end is not doubled. */
	set = file_set_new();
	snprintf(name, sizeof(name), "%s/", directory);
	file_set_open(set, name, FILE_PUBLIC, false);
	check_content(set, path_of("a.pem"), "a");
	file_set_free(set);
	remove_directory(names, ARRAY_SIZE(names));
}

static void
test_many(void)
{
	struct file_set *set = file_set_new();
	char name[32];
	bool is_good = true;

	for (int i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "/certs/%d.pem", i);
		file_set_add_missing(set, name, i + 1, FILE_PUBLIC);
	}
	CU_ASSERT_EQUAL(file_set_count(set), 50000);
	for (int i = 0; i < 50000; i++) {
		const struct file_entry *entry;

		snprintf(name, sizeof(name), "/certs/%d.pem", i);
		entry = file_set_find(set, name);
		is_good &= entry && entry->error_number == i + 1 &&
			   entry == file_set_at(set, (size_t)i);
	}
	CU_ASSERT_TRUE(is_good);
	file_set_free(set);
}

UNIT_SUITE(file_set, {"add", test_add}, {"read", test_read},
	   {"read_large", test_read_large}, {"open", test_open},
	   {"open_directory", test_open_directory}, {"many", test_many});
