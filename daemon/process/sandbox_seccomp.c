/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE table of system calls, and its way into libseccomp. Rows are for what
 * glibc 2.36 and 2.41 make of our calls on x86-64 and aarch64; a name that an
 * architecture does not have is passed over there.
 */
#include "daemon/process/sandbox_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"

#define WORKER (1u << SANDBOX_WORKER)
#define KEEPER (1u << SANDBOX_KEEPER)
#define HELPER (1u << SANDBOX_HELPER)
#define BROKER (1u << SANDBOX_BROKER)
#define ALL    (WORKER | KEEPER | HELPER | BROKER)

#define TESTS_MAX 3
#define NAMES_MAX 16

/* Permitted whatever the arguments are. */
struct group {
	unsigned int roles;
	const char *names[NAMES_MAX]; /* up to a NULL */
};

/* A test of some bits of an argument; mask 0: none. */
struct test {
	unsigned int argument;
	uint64_t mask;
	uint64_t value;
};

struct rule {
	unsigned int roles;
	const char *name;
	int error_number; /* 0: permitted; else it fails with this */
	struct test tests[TESTS_MAX];
};

#define PERMIT(roles, name, ...)    \
	{                           \
		roles, name, 0,     \
		{                   \
			__VA_ARGS__ \
		}                   \
	}
#define REFUSE(roles, name, error_number, ...) \
	{                                      \
		roles, name, error_number,     \
		{                              \
			__VA_ARGS__            \
		}                              \
	}
#define BITS(argument, mask, value)   \
	{                             \
		argument, mask, value \
	}
#define ALWAYS                  BITS(0, 0, 0)
#define WITHOUT(argument, mask) BITS(argument, mask, 0)
/* The upper half of a register that holds an int may hold anything. */
#define INT(argument, value) BITS(argument, UINT32_MAX, (uint32_t)(value))

#define OPTION(roles, level, name) \
	PERMIT(roles, "setsockopt", INT(1, level), INT(2, name))
/* A type without its flags. */
#define SOCKET(roles, name, family, type) \
	PERMIT(roles, name, INT(0, family), BITS(1, 0xf, type))
#define SOCKET_OF(roles, name, family, type, protocol)          \
	PERMIT(roles, name, INT(0, family), BITS(1, 0xf, type), \
	       INT(2, protocol))

/* What pthread_create(3) asks for, and nothing that would make a process or
 * a namespace of it. */
#define THREAD_FLAGS                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |               \
	 CLONE_CHILD_CLEARTID)

/* openat(2) that would change something. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const struct group groups[] = {
	/* Bytes and messages, on descriptors that are there; the event loop;
	 * poll is for logs. */
	{ALL,
	 {"read", "readv", "pread64", "write", "writev", "lseek", "close",
	  "recvmsg", "sendmsg", "recvfrom", "sendto", "fstat", "getsockopt"}},
	{ALL, {"epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll"}},

	/* Memory, time, chance. qsort(3) of glibc before 2.37 asks sysinfo. */
	{ALL, {"brk", "mremap", "munmap", "madvise", "sysinfo", "futex"}},
	{ALL,
	 {"clock_gettime", "clock_getres", "gettimeofday", "time", "getrandom",
	  "getpid", "gettid", "sched_getaffinity", "sched_yield"}},

	/* Signals, and the end. OpenSSL's jobs take turns with
	 * rt_sigprocmask; for abort(3) see add_abort(). */
	{ALL,
	 {"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall",
	  "exit", "exit_group"}},

	/* Clients, backends, name servers, UNIX sockets. */
	{WORKER, {"accept4"}},
	{WORKER | KEEPER, {"shutdown"}},
	{WORKER | HELPER | BROKER, {"connect"}},
	{WORKER | HELPER, {"getsockname", "getpeername"}},
	{HELPER, {"uname"}}, /* the host's own domain is a search domain */

	/* Threads, locked memory, files in memory for others to read. */
	{KEEPER, {"set_robust_list", "rseq"}},
	{KEEPER, {"mlock", "mlock2", "munlock"}},
	{KEEPER | WORKER, {"memfd_create"}},
	{KEEPER | WORKER | HELPER, {"ftruncate"}},

	/* What is kept for the next process of that role (state_pair). */
	{KEEPER | HELPER, {"pwrite64", "fdatasync"}},
};

static const struct rule rules[] = {
	/* fstat(3) of glibc before 2.39 */
	PERMIT(ALL, "newfstatat", BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH)),
	PERMIT(ALL, "fcntl", INT(1, F_GETFD)),
	PERMIT(ALL, "fcntl", INT(1, F_SETFD)),
	PERMIT(ALL, "fcntl", INT(1, F_GETFL)),
	PERMIT(ALL, "fcntl", INT(1, F_SETFL)),
	PERMIT(ALL, "fcntl", INT(1, F_DUPFD_CLOEXEC)),
	PERMIT(ALL, "fcntl", INT(1, F_GET_SEALS)),
	PERMIT(KEEPER | WORKER, "fcntl", INT(1, F_ADD_SEALS)),
	PERMIT(ALL, "ioctl", INT(1, FIONREAD)),
	PERMIT(ALL, "ioctl", INT(1, FIONBIO)),
	PERMIT(WORKER, "ioctl", INT(1, SIOCOUTQ)),
	REFUSE(ALL, "ioctl", ENOTTY, INT(1, TCGETS)), /* isatty(3) */
	/* if_nametoindex(3), for name servers of one link; it takes a socket
	 * of the next family when there is no UNIX one. */
	PERMIT(HELPER, "ioctl", INT(1, SIOCGIFINDEX)),

	/* No code is made. */
	PERMIT(ALL, "mmap", WITHOUT(2, PROT_EXEC)),
	PERMIT(ALL, "mprotect", WITHOUT(2, PROT_EXEC)),

	/* c-ares connects datagram sockets also to see which of our addresses
	 * would be used. */
	SOCKET_OF(WORKER, "socket", AF_INET, SOCK_STREAM, 0),
	SOCKET_OF(WORKER, "socket", AF_INET6, SOCK_STREAM, 0),
	SOCKET_OF(BROKER, "socket", AF_UNIX, SOCK_STREAM, 0),
	SOCKET_OF(WORKER, "socketpair", AF_UNIX, SOCK_STREAM, 0),
	SOCKET(HELPER, "socket", AF_INET, SOCK_STREAM),
	SOCKET(HELPER, "socket", AF_INET, SOCK_DGRAM),
	SOCKET(HELPER, "socket", AF_INET6, SOCK_STREAM),
	SOCKET(HELPER, "socket", AF_INET6, SOCK_DGRAM),
	REFUSE(WORKER | HELPER, "socket", EACCES, INT(0, AF_UNIX)),
	OPTION(ALL, SOL_SOCKET, SO_SNDBUF),
	OPTION(WORKER, SOL_SOCKET, SO_LINGER),
	OPTION(WORKER, SOL_SOCKET, SO_KEEPALIVE),
	OPTION(WORKER, IPPROTO_TCP, TCP_KEEPIDLE),
	OPTION(WORKER, IPPROTO_TCP, TCP_KEEPINTVL),
	OPTION(WORKER, IPPROTO_TCP, TCP_KEEPCNT),
	OPTION(WORKER, IPPROTO_TCP, TCP_QUICKACK),
	OPTION(WORKER | HELPER, IPPROTO_TCP, TCP_NODELAY),
	OPTION(HELPER, IPPROTO_TCP, TCP_FASTOPEN_CONNECT), /* c-ares 1.34 */

	/* Files: read by the helper, as far as landlock lets it; looked for in
	 * vain by the others. */
	PERMIT(HELPER, "openat", WITHOUT(2, WRITING)),
	PERMIT(HELPER, "newfstatat", WITHOUT(3, AT_EMPTY_PATH)),
	REFUSE(WORKER | KEEPER | BROKER, "openat", EACCES, ALWAYS),
	REFUSE(WORKER | KEEPER | BROKER, "newfstatat", EACCES,
	       WITHOUT(3, AT_EMPTY_PATH)),
	REFUSE(ALL, "open", EACCES, ALWAYS),
	REFUSE(ALL, "stat", EACCES, ALWAYS),
	REFUSE(ALL, "access", EACCES, ALWAYS),
	REFUSE(ALL, "faccessat", EACCES, ALWAYS),
	REFUSE(ALL, "faccessat2", EACCES, ALWAYS),
	REFUSE(ALL, "readlink", EACCES, ALWAYS),
	REFUSE(ALL, "readlinkat", EACCES, ALWAYS),
	REFUSE(ALL, "getcwd", EACCES, ALWAYS),

	/* Threads. What clone3 is asked for is in memory, where no filter
	 * sees it; libc then takes clone. */
	PERMIT(KEEPER, "clone", INT(0, THREAD_FLAGS)),
	REFUSE(KEEPER, "clone3", ENOSYS, ALWAYS),
	PERMIT(KEEPER, "prlimit64", INT(0, 0), INT(1, RLIMIT_MEMLOCK)),

	/* How many descriptors there may be: asked, not set. */
	PERMIT(ALL, "prlimit64", INT(0, 0), INT(1, RLIMIT_NOFILE),
	       BITS(2, UINT64_MAX, 0)),
};

static uint32_t
action_of(enum sandbox_answer answer)
{
	switch (answer) {
	case SANDBOX_KILL:
		break;
	case SANDBOX_REFUSE:
		return SCMP_ACT_ERRNO(SANDBOX_REFUSED);
	case SANDBOX_LOG:
		return SCMP_ACT_LOG;
	}
	return SCMP_ACT_KILL_PROCESS;
}

/* A filter in the making; libseccomp wants the numbers of this machine and
 * translates them. */
struct making {
	scmp_filter_ctx filter;
	uint32_t architecture;
	bool is_log; /* nothing is refused, the quiet calls neither */
};

static int
add(const struct making *making, const struct rule *rule, struct error *error)
{
	struct scmp_arg_cmp comparisons[TESTS_MAX];
	int there = seccomp_syscall_resolve_name_arch(making->architecture,
						      rule->name);
	unsigned int count = 0;
	int result;

	if (there == __NR_SCMP_ERROR) {
		error_set(error, "libseccomp knows no system call %s",
			  rule->name);
		return -1;
	}
	/* A negative one: not on this architecture. */
	if (there < 0 || (making->is_log && rule->error_number != 0))
		return 0;
	for (; count < TESTS_MAX && rule->tests[count].mask != 0; count++)
		comparisons[count] = (struct scmp_arg_cmp){
			.arg = rule->tests[count].argument,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = rule->tests[count].mask,
			.datum_b = rule->tests[count].value,
		};
	result = seccomp_rule_add_array(
		making->filter,
		rule->error_number
			? SCMP_ACT_ERRNO((uint32_t)rule->error_number)
			: SCMP_ACT_ALLOW,
		seccomp_syscall_resolve_name(rule->name), count, comparisons);
	if (result != 0)
		error_set(error, "libseccomp refuses the rule for %s: %s",
			  rule->name, strerror(-result));
	return result;
}

/* abort(3) signals itself; nobody else may be signalled. */
static int
add_abort(const struct making *making, struct error *error)
{
	const struct rule rule =
		PERMIT(ALL, "tgkill", INT(0, getpid()), INT(2, SIGABRT));

	return add(making, &rule, error);
}

static int
set_attributes(const struct making *making, struct error *error)
{
	int result = seccomp_attr_set(making->filter, SCMP_FLTATR_ACT_BADARCH,
				      SCMP_ACT_KILL_PROCESS);

	/* A tree instead of a list: calls are found in a few steps. */
	if (result == 0)
		result = seccomp_attr_set(making->filter,
					  SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (result == 0 && making->architecture != seccomp_arch_native()) {
		result = seccomp_arch_add(making->filter, making->architecture);
		if (result == 0)
			result = seccomp_arch_remove(making->filter,
						     seccomp_arch_native());
	}
	if (result != 0)
		error_set(error, "libseccomp: %s", strerror(-result));
	return result;
}

static int
add_all(const struct making *making, unsigned int roles, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (const char *const *name = groups[i].names;
		     (groups[i].roles & roles) && *name; name++) {
			const struct rule rule =
				PERMIT(groups[i].roles, *name, ALWAYS);

			if (add(making, &rule, error) != 0)
				return -1;
		}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if ((rules[i].roles & roles) &&
		    add(making, &rules[i], error) != 0)
			return -1;
	return add_abort(making, error);
}

void *
sandbox_seccomp_new(const struct sandbox_filter *filter, uint32_t architecture,
		    struct error *error)
{
	struct making making = {
		.filter = seccomp_init(action_of(filter->answer)),
		.architecture = architecture == SCMP_ARCH_NATIVE
					? seccomp_arch_native()
					: architecture,
		.is_log = filter->answer == SANDBOX_LOG,
	};

	if (!making.filter) {
		error_set(error, "libseccomp cannot begin a filter");
		return NULL;
	}
	if (set_attributes(&making, error) == 0 &&
	    add_all(&making, 1u << filter->role, error) == 0)
		return making.filter;
	seccomp_release(making.filter);
	return NULL;
}

int
sandbox_seccomp_load(const struct sandbox_filter *filter, struct error *error)
{
	scmp_filter_ctx made =
		sandbox_seccomp_new(filter, SCMP_ARCH_NATIVE, error);
	int result;

	if (!made)
		return -1;
	result = seccomp_load(made);
	if (result != 0)
		error_set(error, "the kernel refuses the filter: %s",
			  strerror(-result));
	/* Freed with calls that the filter permits. */
	seccomp_release(made);
	return result == 0 ? 0 : -1;
}
