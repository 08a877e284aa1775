/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock is flock(2)'s: it ends with the process, whatever ends that.
 */
#include "daemon/monitor/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"

struct pid_file {
	unsigned int references;
	char *path;
	int descriptor;
};

/* Is the file that we have locked the one that the path leads to? Its former
 * owner may have removed it in between. */
static bool
is_there(int descriptor, const char *path)
{
	struct stat ours, found;

	return fstat(descriptor, &ours) == 0 && stat(path, &found) == 0 &&
	       ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
}

__attribute__((cold)) static void
explain_lock(int descriptor, const char *path, struct error *error)
{
	char text[16] = "";

	if (errno != EWOULDBLOCK) {
		error_set(error, "cannot lock the pid file %s: %s", path,
			  strerror(errno));
		return;
	}
	if (pread(descriptor, text, sizeof(text) - 1, 0) <= 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	error_set(error, "another daemon runs with the pid file %s (pid %s)",
		  path, text[0] ? text : "unknown");
}

static int
open_locked(const char *path, struct error *error)
{
	for (;;) {
		int descriptor = open(path,
				      O_RDWR | O_CREAT | O_CLOEXEC |
					      O_NOFOLLOW | O_NONBLOCK,
				      0644);

		if (descriptor < 0) {
			error_set(error, "cannot write the pid file %s: %s",
				  path, strerror(errno));
			return -1;
		}
		if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
			explain_lock(descriptor, path, error);
			close(descriptor);
			return -1;
		}
		if (is_there(descriptor, path))
			return descriptor;
		close(descriptor);
	}
}

struct pid_file *
pid_file_new(const char *path, struct error *error)
{
	int descriptor = open_locked(path, error);
	struct pid_file *pid_file;
	char text[16];
	int length;

	if (descriptor < 0)
		return NULL;
	length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(descriptor, 0) != 0 ||
	    pwrite(descriptor, text, (size_t)length, 0) != length) {
		error_set(error, "cannot write the pid file %s: %s", path,
			  strerror(errno));
		close(descriptor);
		return NULL;
	}
	pid_file = mem_alloc(sizeof(*pid_file));
	pid_file->references = 1;
	pid_file->path = mem_strdup(path);
	pid_file->descriptor = descriptor;
	return pid_file;
}

struct pid_file *
pid_file_ref(struct pid_file *pid_file)
{
	pid_file->references++;
	return pid_file;
}

const char *
pid_file_path(const struct pid_file *pid_file)
{
	return pid_file->path;
}

void
pid_file_unref(struct pid_file *pid_file)
{
	if (!pid_file || --pid_file->references > 0)
		return;
	if (is_there(pid_file->descriptor, pid_file->path))
		unlink(pid_file->path);
	close(pid_file->descriptor);
	mem_free(pid_file->path);
	mem_free(pid_file);
}
