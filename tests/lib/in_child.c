/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork(2) around a test. A child writes its report in one piece with write(2):
 * it may be in a sandbox.
 */
#include "tests/lib/in_child.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

void
in_child_failed(const char *file, int line, const char *condition)
{
	char text[400];
	int length = snprintf(text, sizeof(text), "\n%s:%d: %s (errno: %s)\n",
			      file, line, condition, strerror(errno));

	(void)!write(STDERR_FILENO, text, (size_t)length);
}

static int
run_forked(int (*run)(const void *), const void *argument, bool is_user)
{
	static const struct rlimit no_core = {0, 0};
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* Some of them are meant to be killed. */
		setrlimit(RLIMIT_CORE, &no_core);
		if (is_user && geteuid() == 0 &&
		    (setgroups(0, NULL) != 0 ||
		     setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
		     setresuid(NOBODY, NOBODY, NOBODY) != 0))
			_exit(101);
		/* Not _exit(3): AddressSanitizer makes calls of its own when a
		 * function is known not to return. */
		syscall(SYS_exit_group, run(argument));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? IN_CHILD_KILLED(WTERMSIG(status))
				   : WEXITSTATUS(status);
}

int
in_child(int (*run)(const void *), const void *argument)
{
	return run_forked(run, argument, false);
}

int
in_child_as_user(int (*run)(const void *), const void *argument)
{
	return run_forked(run, argument, true);
}

static int
become_nobody(const void *argument)
{
	(void)argument;
	return chroot("/") != 0 || setgroups(0, NULL) != 0 ||
	       setresuid(NOBODY, NOBODY, NOBODY) != 0;
}

bool
is_root_here(void)
{
	return geteuid() == 0 && in_child(become_nobody, NULL) == 0;
}
