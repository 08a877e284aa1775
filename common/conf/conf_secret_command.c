/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pass-phrase from a program, which is started without a shell and has 30
 * seconds. Its standard error is ours, so that what it complains about is
 * seen; its words are never shown, as they may be secrets too.
 */
#include "common/conf/conf_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/tls_settings.h"

#define COMMAND_LIMIT_MS 30000

/* Start the program with its output in that pipe; 0 or an errno. */
static int
start(const struct secret *secret, int output, pid_t *pid)
{
	AUTO_FREE char **words =
		mem_array(secret->word_count + 1, sizeof(char *));
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int result;

	memcpy(words, secret->words, secret->word_count * sizeof(char *));
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGHUP);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
					 O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	result = posix_spawnp(pid, words[0], &actions, &attributes, words,
			      environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return result;
}

/* Whether the descriptor became readable before the deadline. */
static bool
wait_readable(int descriptor, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
		int64_t left = deadline_ms - clock_monotonic_ms();
		int ready;

		if (left <= 0)
			return false;
		ready = poll(&wanted, 1, (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}

/* Everything up to the end of the output. */
static int
read_output(int output, int64_t deadline_ms, char *buffer, size_t size,
	    size_t *length, struct error *error)
{
	for (;;) {
		ssize_t got;

		if (*length == size) {
			error_set(error, "it says more than a pass-phrase");
			return -1;
		}
		if (!wait_readable(output, deadline_ms)) {
			error_set(error, "it takes longer than %d s",
				  COMMAND_LIMIT_MS / 1000);
			return -1;
		}
		got = read(output, buffer + *length, size - *length);
		if (got < 0 && errno != EINTR) {
			error_set(error, "its output: %s", strerror(errno));
			return -1;
		}
		if (got == 0)
			return 0;
		if (got > 0)
			*length += (size_t)got;
	}
}

/* Wait for the end of the program; one that is late is killed. */
static int
finish(pid_t pid, int64_t deadline_ms, struct error *error)
{
	int descriptor = pidfd_open(pid, 0);
	bool is_late =
		descriptor < 0 || !wait_readable(descriptor, deadline_ms);
	int status = 0;

	if (descriptor >= 0)
		close(descriptor);
	if (is_late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	if (is_late)
		error_set(error, "it takes longer than %d s",
			  COMMAND_LIMIT_MS / 1000);
	else if (WIFSIGNALED(status))
		error_set(error, "it was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		error_set(error, "it ended with exit status %d",
			  WEXITSTATUS(status));
	else
		return 0;
	return -1;
}

static int
run(const struct secret *secret, char *buffer, size_t size, size_t *length,
    struct error *error)
{
	int64_t deadline_ms = clock_monotonic_ms() + COMMAND_LIMIT_MS;
	int output[2], result;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC) != 0) {
		error_set(error, "%s", strerror(errno));
		return -1;
	}
	result = start(secret, output[1], &pid);
	close(output[1]);
	if (result != 0) {
		close(output[0]);
		error_set(error, "it cannot be started: %s", strerror(result));
		return -1;
	}
	result = read_output(output[0], deadline_ms, buffer, size, length,
			     error);
	close(output[0]);
	if (result != 0) {
		kill(pid, SIGKILL);
		(void)finish(pid, deadline_ms, NULL);
		return -1;
	}
	if (finish(pid, deadline_ms, error) != 0)
		return -1;
	if (*length == 0) {
		error_set(error, "it says nothing");
		return -1;
	}
	return 0;
}

int
conf_secret_command(const struct secret *secret, char *buffer, size_t size,
		    size_t *length, struct error *error)
{
	*length = 0;
	if (run(secret, buffer, size, length, error) == 0)
		return 0;
	error_prefix(error, "`command` %s: ", secret->words[0]);
	return -1;
}
