/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One fork and setsid(2). The process stays the leader of its session, but
 * opens nothing without O_NOCTTY, so it never gets a terminal again.
 */
#include "daemon/monitor/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"

/* The old process: wait for a byte, or for the end. */
static int
wait_for_report(int report, pid_t pid)
{
	char byte;
	ssize_t length;
	int status;

	do
		length = read(report, &byte, 1);
	while (length < 0 && errno == EINTR);
	if (length == 1)
		return 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	/* One that was stopped before it was ready is no daemon either. */
	return WIFEXITED(status) && WEXITSTATUS(status) != 0
		       ? WEXITSTATUS(status)
		       : 1;
}

int
daemonize_fork(int *report, int *status, struct error *error)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		error_set(error, "cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		*report = ends[1];
		return 0;
	}
	close(ends[1]);
	if (pid < 0) {
		error_set(error, "cannot start a process: %s", strerror(errno));
		close(ends[0]);
		return -1;
	}
	*status = wait_for_report(ends[0], pid);
	close(ends[0]);
	return 1;
}

void
daemonize_detach(void)
{
	/* It cannot fail: a process that was just forked leads no group. */
	setsid();
}

void
daemonize_ready(int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

	for (int i = STDIN_FILENO; null >= 0 && i <= STDERR_FILENO; i++)
		dup2(null, i);
	if (null > STDERR_FILENO)
		close(null);
	(void)!write(report, "", 1);
	close(report);
}
