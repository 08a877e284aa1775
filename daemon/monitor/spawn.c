/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork and execveat(2). Every other descriptor is close-on-exec, and the child
 * closes whatever is not.
 */
#include "daemon/monitor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/monitor/spawn_environment.h"
#include "daemon/process/signals.h"

/* Where the child finds its channel. */
#define CHANNEL_DESCRIPTOR 3

int
spawn_open_executable(struct error *error)
{
	int opened = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	int descriptor;

	if (opened < 0) {
		error_set(error, "cannot open /proc/self/exe: %s",
			  strerror(errno));
		return -1;
	}
	/* Out of the way of a child's own descriptors. */
	descriptor = fcntl(opened, F_DUPFD_CLOEXEC, CHANNEL_DESCRIPTOR + 1);
	if (descriptor < 0)
		error_set(error, "cannot keep /proc/self/exe: %s",
			  strerror(errno));
	close(opened);
	return descriptor;
}

/* In the forked process. Only async-signal-safe calls, no allocation. */
__attribute__((noreturn)) static void
become(int executable, char *const *arguments, char *const *environment,
       bool has_stderr, int channel)
{
	static const char sentence[] = "sealock: cannot execute itself\n";
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 ||
	    (!has_stderr && dup2(null, STDERR_FILENO) < 0))
		_exit(126);
	if (channel == CHANNEL_DESCRIPTOR)
		fcntl(channel, F_SETFD, 0);
	else if (dup2(channel, CHANNEL_DESCRIPTOR) < 0)
		_exit(126);
	signals_for_role();
	fexecve(executable, arguments, environment);
	(void)!write(STDERR_FILENO, sentence, sizeof(sentence) - 1);
	_exit(127);
}

pid_t
spawn_role(int executable, enum ipc_role role, uint32_t number, bool has_stderr,
	   int *channel, struct error *error)
{
	char program[] = "sealock", option[] = "--role", name[16], digits[16];
	char *const arguments[] = {program, option, name, digits, NULL};
	AUTO_FREE char **environment = spawn_environment(environ, role);
	sigset_t before;
	int ends[2];
	pid_t pid;

	snprintf(name, sizeof(name), "%s", ipc_role_name(role));
	snprintf(digits, sizeof(digits), "%u", number);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		error_set(error, "cannot make a channel: %s", strerror(errno));
		return -1;
	}
	signals_hold(&before);
	pid = fork();
	if (pid == 0)
		become(executable, arguments, environment, has_stderr, ends[1]);
	signals_release(&before);
	close(ends[1]);
	if (pid < 0) {
		error_set(error, "cannot start a process: %s", strerror(errno));
		close(ends[0]);
		return -1;
	}
	*channel = ends[0];
	return pid;
}
