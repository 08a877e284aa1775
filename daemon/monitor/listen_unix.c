/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of UNIX sockets.
 */
#include "daemon/monitor/listen_unix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/address.h"

static int
bind_with_mode(int descriptor, const struct socket_address *address,
	       mode_t mode)
{
	/* So there is no moment with another mode. */
	mode_t before = umask(~mode & 0777);
	int status =
		bind(descriptor, (const struct sockaddr *)&address->storage,
		     address->length);

	umask(before);
	return status;
}

/* Is the path a socket that nobody listens on? */
static bool
is_stale(const struct socket_address *address, const char *path,
	 struct error *error)
{
	struct stat status;
	bool is_refused;
	int probe;

	if (lstat(path, &status) != 0)
		return errno == ENOENT;
	if (!S_ISSOCK(status.st_mode)) {
		error_set(error, "%s is there and is no socket", path);
		return false;
	}
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0) {
		error_set(error, "cannot make a socket: %s", strerror(errno));
		return false;
	}
	is_refused = connect(probe, (const struct sockaddr *)&address->storage,
			     address->length) != 0 &&
		     errno == ECONNREFUSED;
	close(probe);
	if (!is_refused)
		error_set(error, "another process listens on %s", path);
	return is_refused;
}

int
listen_path_bind(int descriptor, const struct socket_address *address,
		 const char *path, mode_t mode, struct listen_path *bound,
		 struct error *error)
{
	struct stat status;
	int result = bind_with_mode(descriptor, address, mode);

	if (result != 0 && errno == EADDRINUSE) {
		if (!is_stale(address, path, error))
			return -1;
		if (unlink(path) != 0 && errno != ENOENT) {
			error_set(error,
				  "cannot remove the stale socket %s: "
				  "%s",
				  path, strerror(errno));
			return -1;
		}
		result = bind_with_mode(descriptor, address, mode);
	}
	if (result != 0) {
		error_set(error, "cannot listen on unix:%s: %s", path,
			  strerror(errno));
		return -1;
	}
	if (lstat(path, &status) != 0) {
		error_set(error, "%s was removed: %s", path, strerror(errno));
		return -1;
	}
	*bound = (struct listen_path){
		.path = mem_strdup(path),
		.device = status.st_dev,
		.inode = status.st_ino,
	};
	return 0;
}

void
listen_path_remove(struct listen_path *bound)
{
	struct stat status;

	if (bound->path && lstat(bound->path, &status) == 0 &&
	    status.st_dev == bound->device && status.st_ino == bound->inode)
		unlink(bound->path);
	mem_free(bound->path);
	*bound = (struct listen_path){0};
}
