/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A full disk shows while the temporary files are written and synced, before
 * any of them gets its name.
 */
#include "daemon/cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* 0, or the errno of what went wrong. */
static int
write_all(int descriptor, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(descriptor, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		at += written;
		length -= (size_t)written;
	}
	return fsync(descriptor) == 0 ? 0 : errno;
}

static int
write_temporary(struct output_file *file, struct error *error)
{
	int descriptor, problem;

	file->is_placed = false;
	file->temporary = mem_format("%s.XXXXXX", file->path);
	descriptor = mkostemp(file->temporary, O_CLOEXEC);
	if (descriptor < 0) {
		error_set(error, "cannot write %s: %s", file->path,
			  strerror(errno));
		mem_free(TAKE(file->temporary));
		return -1;
	}
	problem = write_all(descriptor, file->bytes, file->length);
	if (problem == 0 && fchmod(descriptor, file->mode) != 0)
		problem = errno;
	if (close(descriptor) != 0 && problem == 0)
		problem = errno;
	if (problem == 0)
		return 0;
	error_set(error, "cannot write %s: %s", file->path, strerror(problem));
	return -1;
}

/* Give the file its name without taking it from another one. Not every file
 * system knows how to do that in one step. */
static int
place_new(const struct output_file *file)
{
	if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path,
		      RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(file->temporary, file->path) != 0)
		return -1;
	unlink(file->temporary);
	return 0;
}

static int
place(struct output_file *file, bool is_forced, struct error *error)
{
	int result = is_forced ? rename(file->temporary, file->path)
			       : place_new(file);

	if (result == 0) {
		mem_free(TAKE(file->temporary));
		file->is_placed = true;
		return 0;
	}
	if (errno == EEXIST)
		error_set(error,
			  "%s is there already; --force would replace it",
			  file->path);
	else
		error_set(error, "cannot write %s: %s", file->path,
			  strerror(errno));
	return -1;
}

int
output_files_write(struct output_file *files, size_t count, bool is_forced,
		   struct error *error)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = write_temporary(&files[i], error);
	for (size_t i = 0; i < count && result == 0; i++)
		result = place(&files[i], is_forced, error);
	for (size_t i = 0; i < count; i++) {
		if (files[i].temporary)
			unlink(files[i].temporary);
		if (result != 0 && files[i].is_placed && !is_forced)
			unlink(files[i].path);
		mem_free(TAKE(files[i].temporary));
	}
	return result;
}
