/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of files by name: the entries in the order in which they came, and
 * a hash table of their indices with linear probing.
 */
#include "common/base/file_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

#define READ_MAX    ((size_t)16 << 20)
#define BUCKETS_MIN 64
#define OPEN_FLAGS  (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct file_set {
	/* Pointers, as what file_set_find() gave out stays where it is. */
	struct file_entry **entries;
	size_t count;
	size_t capacity;
	size_t *buckets;     /* an index plus one, 0: free */
	size_t bucket_count; /* a power of two, at most half of it used */
};

void
blob_clear(struct blob *blob)
{
	if (blob->bytes)
		mem_wipe(blob->bytes, blob->length);
	mem_free(blob->bytes);
	blob->bytes = NULL;
	blob->length = 0;
}

struct file_set *
file_set_new(void)
{
	struct file_set *set = mem_alloc(sizeof(*set));

	set->bucket_count = BUCKETS_MIN;
	set->buckets = mem_array(BUCKETS_MIN, sizeof(*set->buckets));
	return set;
}

static void
entry_free(struct file_entry *entry)
{
	if (entry->descriptor >= 0)
		close(entry->descriptor);
	for (size_t i = 0; i < entry->child_count; i++)
		mem_free(entry->children[i]);
	mem_free(entry->children);
	mem_free(entry->name);
	mem_free(entry);
}

void
file_set_free(struct file_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		entry_free(set->entries[i]);
	mem_free(set->entries);
	mem_free(set->buckets);
	mem_free(set);
}

/* The bucket in which this name stands, or the free one where it would. */
static size_t *
find_bucket(const struct file_set *set, const char *name)
{
	size_t mask = set->bucket_count - 1;
	size_t at = (size_t)hash_bytes(name, strlen(name)) & mask;

	while (set->buckets[at] != 0 &&
	       strcmp(set->entries[set->buckets[at] - 1]->name, name) != 0)
		at = (at + 1) & mask;
	return &set->buckets[at];
}

static void
grow(struct file_set *set)
{
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? 2 * set->capacity : 16;
		set->entries = mem_resize(set->entries, set->capacity,
					  sizeof(struct file_entry *));
	}
	if (2 * (set->count + 1) <= set->bucket_count)
		return;
	mem_free(set->buckets);
	set->bucket_count *= 2;
	set->buckets = mem_array(set->bucket_count, sizeof(*set->buckets));
	for (size_t i = 0; i < set->count; i++)
		*find_bucket(set, set->entries[i]->name) = i + 1;
}

/* A new entry without a descriptor, or NULL when the name is there already. */
static struct file_entry *
add_entry(struct file_set *set, const char *name, enum file_kind kind,
	  unsigned int uses)
{
	struct file_entry *entry;
	size_t *bucket;

	grow(set);
	bucket = find_bucket(set, name);
	if (*bucket != 0) {
		entry = set->entries[*bucket - 1];
		entry->uses |= uses;
		return NULL;
	}
	entry = mem_alloc(sizeof(*entry));
	entry->name = mem_strdup(name);
	entry->kind = kind;
	entry->descriptor = -1;
	entry->uses = uses;
	set->entries[set->count++] = entry;
	*bucket = set->count;
	return entry;
}

void
file_set_add(struct file_set *set, const char *name, int descriptor,
	     unsigned int uses)
{
	struct file_entry *entry = add_entry(set, name, FILE_KIND_FILE, uses);

	if (entry)
		entry->descriptor = descriptor;
	else
		close(descriptor);
}

void
file_set_add_missing(struct file_set *set, const char *name, int error_number,
		     unsigned int uses)
{
	struct file_entry *entry =
		add_entry(set, name, FILE_KIND_MISSING, uses);

	if (entry)
		entry->error_number = error_number;
}

void
file_set_add_withheld(struct file_set *set, const char *name, unsigned int uses)
{
	(void)add_entry(set, name, FILE_KIND_WITHHELD, uses);
}

static int
compare_names(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

void
file_set_add_directory(struct file_set *set, const char *name,
		       unsigned int uses, const char *const *children,
		       size_t count)
{
	struct file_entry *entry =
		add_entry(set, name, FILE_KIND_DIRECTORY, uses);

	if (!entry)
		return;
	entry->children = mem_array(count, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		entry->children[i] = mem_strdup(children[i]);
	entry->child_count = count;
	qsort(entry->children, count, sizeof(char *), compare_names);
}

static void
open_entry(struct file_set *set, const char *path, unsigned int uses,
	   unsigned int levels);

/* Whether something in a directory belongs to the set: files and links to
 * them, directories where there are levels left. What cannot even be looked
 * at belongs to it, so that somebody says so. */
static bool
is_wanted(int directory, const char *name, unsigned int levels)
{
	struct stat status;

	if (name[0] == '.')
		return false;
	if (fstatat(directory, name, &status, 0) != 0)
		return errno != ENOENT || fstatat(directory, name, &status,
						  AT_SYMLINK_NOFOLLOW) == 0;
	return S_ISREG(status.st_mode) ||
	       (S_ISDIR(status.st_mode) && levels > 0);
}

/* Takes the descriptor. */
static void
open_directory(struct file_set *set, const char *path, int descriptor,
	       unsigned int uses, unsigned int levels)
{
	DIR *directory = fdopendir(descriptor);
	const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
	const struct dirent *found;
	char **names = NULL;
	size_t count = 0, capacity = 0;

	if (!directory) {
		file_set_add_missing(set, path, errno, uses);
		close(descriptor);
		return;
	}
	while ((found = readdir(directory))) {
		if (!is_wanted(descriptor, found->d_name, levels))
			continue;
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			names = mem_resize(names, capacity, sizeof(char *));
		}
		names[count++] =
			mem_format("%s%s%s", path, slash, found->d_name);
	}
	file_set_add_directory(set, path, uses, (const char *const *)names,
			       count);
	if (count > 0)
		qsort(names, count, sizeof(char *), compare_names);
	for (size_t i = 0; i < count; i++) {
		open_entry(set, names[i], uses, levels);
		mem_free(names[i]);
	}
	mem_free(names);
	closedir(directory);
}

/* levels: how many levels of directories may be gone down into; a directory
 * where there are none left is not opened. */
static void
open_entry(struct file_set *set, const char *path, unsigned int uses,
	   unsigned int levels)
{
	int descriptor = open(path, OPEN_FLAGS);
	struct stat status;

	if (descriptor < 0) {
		file_set_add_missing(set, path, errno, uses);
		return;
	}
	if (fstat(descriptor, &status) != 0) {
		file_set_add_missing(set, path, errno, uses);
	} else if (S_ISREG(status.st_mode)) {
		file_set_add(set, path, descriptor, uses);
		return;
	} else if (S_ISDIR(status.st_mode) && levels > 0) {
		open_directory(set, path, descriptor, uses, levels - 1);
		return;
	} else {
		file_set_add_missing(set, path, EINVAL, uses);
	}
	close(descriptor);
}

void
file_set_open(struct file_set *set, const char *path, unsigned int uses,
	      bool is_deep)
{
	open_entry(set, path, uses, is_deep ? 2 : 1);
}

const struct file_entry *
file_set_find(const struct file_set *set, const char *name)
{
	size_t index = *find_bucket(set, name);

	return index == 0 ? NULL : set->entries[index - 1];
}

size_t
file_set_count(const struct file_set *set)
{
	return set->count;
}

const struct file_entry *
file_set_at(const struct file_set *set, size_t index)
{
	return set->entries[index];
}

/* Room for capacity bytes and a NUL; what was there before is wiped. */
static void
blob_resize(struct blob *blob, size_t capacity)
{
	unsigned char *bytes = mem_alloc(capacity + 1);

	if (blob->length > 0) {
		memcpy(bytes, blob->bytes, blob->length);
		mem_wipe(blob->bytes, blob->length);
	}
	mem_free(blob->bytes);
	blob->bytes = bytes;
}

/* 0, or the errno of what went wrong. */
static int
read_descriptor(int descriptor, size_t most, struct blob *blob)
{
	struct stat status;
	size_t capacity = 4096;

	/* One byte more than the file has, to see its end in one go. */
	if (fstat(descriptor, &status) == 0 && status.st_size > 0 &&
	    (uintmax_t)status.st_size <= most)
		capacity = (size_t)status.st_size + 1;
	blob_resize(blob, capacity);
	for (;;) {
		ssize_t got =
			pread(descriptor, blob->bytes + blob->length,
			      capacity - blob->length, (off_t)blob->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			return 0;
		blob->length += (size_t)got;
		if (blob->length > most)
			return EFBIG;
		if (blob->length == capacity) {
			capacity *= 2;
			blob_resize(blob, capacity);
		}
	}
}

/* A sentence on why there is nothing to be read. */
static void
set_read_error(struct error *error, const char *name, size_t most, int problem)
{
	if (problem == ENODATA && strncmp(name, "env:", 4) == 0)
		error_set(error, "the environment variable %s is not set",
			  name + 4);
	else if (problem == ENODATA && strncmp(name, "credential:", 11) == 0)
		error_set(error,
			  "cannot read %s: CREDENTIALS_DIRECTORY is not set "
			  "(systemd sets it for LoadCredential=)",
			  name);
	else if (problem == EFBIG)
		error_set(error, "cannot read %s: it is larger than %zu %s",
			  name, most >> (most >> 20 ? 20 : 10),
			  most >> 20 ? "MiB" : "KiB");
	else
		error_set(error, "cannot read %s: %s", name,
			  problem == EINVAL ? "it is neither a file nor a "
					      "directory"
					    : strerror(problem));
}

int
file_set_read(const struct file_set *set, const char *name, struct blob *blob,
	      struct error *error)
{
	return file_set_read_most(set, name, READ_MAX, blob, error);
}

int
file_set_read_most(const struct file_set *set, const char *name, size_t most,
		   struct blob *blob, struct error *error)
{
	const struct file_entry *entry = file_set_find(set, name);
	struct blob content = {0};
	int problem = ENOENT;

	if (entry && entry->kind == FILE_KIND_WITHHELD) {
		error_set(error,
			  "cannot read %s: it is also named where it may hold "
			  "a private key, and with isolate_keys nothing else "
			  "reads such a file: name a file without a key here",
			  name);
		return -1;
	}
	if (entry && entry->kind == FILE_KIND_FILE)
		problem = read_descriptor(entry->descriptor, most, &content);
	else if (entry && entry->kind == FILE_KIND_DIRECTORY)
		problem = EISDIR;
	else if (entry)
		problem = entry->error_number;
	if (problem != 0) {
		blob_clear(&content);
		set_read_error(error, name, most, problem);
		return -1;
	}
	*blob = content;
	return 0;
}
