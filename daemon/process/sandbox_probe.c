/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each action is made so that it does nothing when it is possible, and fails
 * with EACCES, or with SANDBOX_REFUSED, only when it is refused: no right is
 * missing that would refuse it as well.
 */
#include "daemon/process/sandbox_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"

#define WORKER (1u << SANDBOX_WORKER)
#define KEEPER (1u << SANDBOX_KEEPER)
#define HELPER (1u << SANDBOX_HELPER)
#define BROKER (1u << SANDBOX_BROKER)
#define ALL    (WORKER | KEEPER | HELPER | BROKER)

/* Each returns -1 and leaves errno, or something else. */

static int
try_list(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
try_create(void)
{
	return mkdir("/", 0700);
}

static int
try_execute(void)
{
	char *const nothing[] = {NULL};

	return execve("", nothing, nothing);
}

static int
try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int
try_trace(void)
{
	return (int)ptrace(PTRACE_PEEKDATA, getpid(), NULL, NULL);
}

static int
try_read_memory(void)
{
	return (int)process_vm_readv(getpid(), NULL, 0, NULL, 0, 0);
}

static int
try_signal(void)
{
	return kill(getpid(), 0);
}

static int
try_internet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
try_datagram(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int
try_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static int
try_connect(void)
{
	return connect(-1, NULL, 0);
}

static int
try_listen(void)
{
	return listen(-1, 1);
}

static int
try_code(void)
{
	void *memory = mmap(NULL, 1, PROT_READ | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? -1 : 0;
}

static int
try_other_user(void)
{
	return setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1);
}

static int
try_dumpable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

static int
try_namespace(void)
{
	return unshare(0);
}

static int
try_ring(void)
{
	return (int)syscall(SYS_io_uring_setup, 0, NULL);
}

static int
try_owner(void)
{
	return fcntl(-1, F_SETOWN, 0);
}

static const struct probe {
	const char *name;
	unsigned int roles;
	int (*try)(void);
} probes[] = {
	{"open", ALL, try_list},
	{"create", ALL, try_create},
	{"execve", ALL, try_execute},
	{"fork", ALL, try_fork},
	{"ptrace", ALL, try_trace},
	{"process_vm_readv", ALL, try_read_memory},
	{"kill", ALL, try_signal},
	{"internet socket", KEEPER | BROKER, try_internet},
	{"unix socket", WORKER | KEEPER | HELPER, try_unix},
	{"unix datagrams", ALL, try_datagram},
	{"netlink", ALL, try_netlink},
	{"connect", KEEPER, try_connect},
	{"listen", ALL, try_listen},
	{"executable memory", ALL, try_code},
	{"setresuid", ALL, try_other_user},
	{"prctl", ALL, try_dumpable},
	{"unshare", ALL, try_namespace},
	{"io_uring", ALL, try_ring},
	{"F_SETOWN", ALL, try_owner},
};

/* Where the child tells what it found. */
struct findings {
	bool is_complete;
	bool is_possible[ARRAY_SIZE(probes)];
	struct error error;
};

static bool
is_tried(const struct probe *probe, const struct sandbox_filter *filter)
{
	return probe->roles & (1u << filter->role);
}

static bool
is_refused(int result, int error_number)
{
	return result == -1 &&
	       (error_number == SANDBOX_REFUSED || error_number == EACCES);
}

/* In the child. */
__attribute__((noreturn)) static void
try_all(const struct sandbox_filter *filter, struct findings *findings)
{
	struct sandbox_filter answering = *filter;

	answering.answer = SANDBOX_REFUSE;
	if (sandbox_seccomp_load(&answering, &findings->error) != 0)
		_exit(0);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (is_tried(&probes[i], filter)) {
			int result = probes[i].try();

			findings->is_possible[i] = !is_refused(result, errno);
		}
	findings->is_complete = true;
	_exit(0);
}

static int
judge(const struct findings *findings, int status, struct error *error)
{
	char names[400] = "";
	size_t length = 0;

	if (WIFSIGNALED(status)) {
		error_set(error, "it was killed by signal %d",
			  WTERMSIG(status));
		return -1;
	}
	if (!findings->is_complete) {
		error_set(error, "%s", findings->error.text);
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (findings->is_possible[i] && length < sizeof(names))
			length += (size_t)snprintf(
				names + length, sizeof(names) - length, "%s%s",
				length > 0 ? ", " : "", probes[i].name);
	if (length == 0)
		return 0;
	error_set(error, "not refused: %s", names);
	return -1;
}

static int
probe(const struct sandbox_filter *filter, struct findings *findings,
      struct error *error)
{
	int status = 0;
	/* Without what others have to do at a fork: a process that is going
	 * to hold keys makes none. */
	pid_t pid = _Fork();

	if (pid < 0) {
		error_set(error, "cannot fork: %s", strerror(errno));
		return -1;
	}
	if (pid == 0)
		try_all(filter, findings);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			error_set(error, "cannot wait: %s", strerror(errno));
			return -1;
		}
	return judge(findings, status, error);
}

int
sandbox_probe(const struct sandbox_filter *filter, struct error *error)
{
	struct findings *findings =
		mmap(NULL, sizeof(*findings), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int result;

	if (findings == MAP_FAILED) {
		error_set(error, "cannot share memory: %s", strerror(errno));
		return -1;
	}
	result = probe(filter, findings, error);
	munmap(findings, sizeof(*findings));
	if (result != 0)
		error_prefix(error, "self-test: ");
	return result;
}

size_t
sandbox_probe_count(const struct sandbox_filter *filter)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		count += is_tried(&probes[i], filter);
	return count;
}
