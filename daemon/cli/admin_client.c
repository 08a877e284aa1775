/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, one answer, and the patience in between.
 */
#include "daemon/cli/admin_client.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/process/admin_protocol.h"

/* A little more than the daemon allows itself for a reload. */
#define ANSWER_LIMIT_MS 200000

int
admin_client_open(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int descriptor;

	if (length >= sizeof(address.sun_path)) {
		error_set(error, "the path %s is too long for a socket", path);
		return -1;
	}
	memcpy(address.sun_path, path, length + 1);
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor >= 0 &&
	    connect(descriptor, (const struct sockaddr *)&address,
		    sizeof(address)) == 0)
		return descriptor;
	error_set(error, "no daemon can be reached at %s: %s", path,
		  strerror(errno));
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

static int
send_request(int descriptor, const struct admin_request *request,
	     struct error *error)
{
	char line[ADMIN_REQUEST_MAX];
	size_t length = admin_request_format(request, line);

	/* It is shorter than any buffer of the kernel's. */
	if (send(descriptor, line, length, MSG_NOSIGNAL) == (ssize_t)length)
		return 0;
	error_set(error, "the daemon takes no request: %s", strerror(errno));
	return -1;
}

/* Read up to a newline; the length without it, or -1 with a sentence. */
static ssize_t
read_line(int descriptor, char *line, size_t size, struct error *error)
{
	int64_t deadline_ms = clock_monotonic_ms() + ANSWER_LIMIT_MS;
	size_t length = 0;

	while (length < size) {
		struct pollfd readable = {.fd = descriptor, .events = POLLIN};
		int64_t left_ms = deadline_ms - clock_monotonic_ms();
		const char *end;
		ssize_t got;

		if (left_ms <= 0) {
			error_set(error, "the daemon does not answer");
			return -1;
		}
		if (poll(&readable, 1, (int)left_ms) <= 0)
			continue;
		got = recv(descriptor, line + length, size - length, 0);
		if (got <= 0) {
			error_set(error, "the daemon hung up: %s",
				  got < 0 ? strerror(errno) : "no answer");
			return -1;
		}
		end = memchr(line + length, '\n', (size_t)got);
		if (end)
			return end - line;
		length += (size_t)got;
	}
	error_set(error, "the daemon's answer is too long");
	return -1;
}

int
admin_client_ask(int descriptor, const struct admin_request *request,
		 struct admin_answer *answer, struct error *error)
{
	AUTO_FREE char *line = mem_alloc(ADMIN_ANSWER_MAX);
	ssize_t length;

	if (send_request(descriptor, request, error) != 0)
		return -1;
	length = read_line(descriptor, line, ADMIN_ANSWER_MAX, error);
	if (length < 0)
		return -1;
	return admin_answer_parse(line, (size_t)length, answer, error);
}

static void
wait_readable(int descriptor)
{
	struct pollfd readable = {.fd = descriptor, .events = POLLIN};

	while (poll(&readable, 1, -1) < 0 && errno == EINTR)
		continue;
}

void
admin_client_wait_gone(int descriptor)
{
	struct ucred peer = {0};
	socklen_t length = sizeof(peer);
	int process = -1;

	/* Who listens is known since it began to; another pid namespace shows
	 * no pid. */
	if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) ==
		    0 &&
	    peer.pid > 0)
		process = pidfd_open(peer.pid, 0);
	/* Closing the connection is one of the last things that it does. */
	wait_readable(descriptor);
	if (process < 0)
		return;
	wait_readable(process);
	close(process);
}
