/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every test is a child that loads a filter and makes calls, as root and as an
 * ordinary user.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "daemon/process/sandbox_seccomp.h"
#include "tests/lib/in_child.h"
#include "tests/unit/unit.h"

/* No process has so large a number. */
#define NO_PROCESS 0x3fffffff

static bool
load(enum sandbox_role role, enum sandbox_answer answer)
{
	const struct sandbox_filter filter = {.role = role, .answer = answer};
	struct error error = {0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    sandbox_seccomp_load(&filter, &error) != 0) {
		in_child_failed(__FILE__, __LINE__, error.text);
		return false;
	}
	return true;
}

/* Calls that end the process. */

static void
do_execve(void)
{
	char *const words[] = {NULL};

	execve("/bin/true", words, words);
}

static void
do_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void
do_vfork(void)
{
	syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL,
		NULL);
	_exit(0);
}

static void
do_namespace(void)
{
	syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void
do_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void
do_kill(void)
{
	kill(NO_PROCESS, 0);
}

static void
do_tgkill_other(void)
{
	syscall(SYS_tgkill, NO_PROCESS, NO_PROCESS, SIGABRT);
}

static void
do_raise(void)
{
	raise(SIGTERM);
}

static void
do_internet(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void
do_raw(void)
{
	socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static void
do_datagram(void)
{
	socket(AF_INET, SOCK_DGRAM, 0);
}

static void
do_mptcp(void)
{
	socket(AF_INET, SOCK_STREAM, 262);
}

static void
do_netlink(void)
{
	socket(AF_NETLINK, SOCK_RAW, 0);
}

static void
do_packet(void)
{
	socket(AF_PACKET, SOCK_RAW, 0);
}

static void
do_unix(void)
{
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
do_unix_datagram(void)
{
	socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void
do_unix_packet(void)
{
	socket(AF_UNIX, SOCK_SEQPACKET, 0);
}

static void
do_unix_pair(void)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static void
do_connect(void)
{
	connect(-1, NULL, 0);
}

static void
do_bind(void)
{
	bind(-1, NULL, 0);
}

static void
do_listen(void)
{
	listen(-1, 1);
}

static void
do_accept(void)
{
	accept4(-1, NULL, NULL, 0);
}

static void
do_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	     0);
}

static void
do_make_code(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static void
do_prctl(void)
{
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void
do_setuid(void)
{
	syscall(SYS_setuid, 0);
}

static void
do_chroot(void)
{
	if (chroot("/") != 0)
		return;
}

static void
do_ring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void
do_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
}

static void
do_filter_attach(void)
{
	setsockopt(-1, SOL_SOCKET, 26 /* SO_ATTACH_FILTER */, NULL, 0);
}

static void
do_terminal(void)
{
	ioctl(-1, 0x5412 /* TIOCSTI */, "x");
}

static void
do_owner(void)
{
	fcntl(-1, F_SETOWN, 1);
}

static void
do_unlink(void)
{
	unlink("/nonexistent/sealock");
}

static void
do_memfd(void)
{
	memfd_create("sealock", 0);
}

static void
do_write_file(void)
{
	if (open("/nonexistent/sealock", O_WRONLY | O_CREAT, 0600) >= 0)
		return;
}

static void
do_lock_more_files(void)
{
	static const struct rlimit limit = {64, 64};

	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
}

#ifdef __x86_64__
/* Kernels may be built without them: then it faults. */
static void
fault(int number)
{
	(void)number;
	syscall(SYS_unshare, 0);
}

static void
do_i386(void)
{
	long result;

	signal(SIGSEGV, fault);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
	(void)result;
}

static void
do_x32(void)
{
	syscall(0x40000000 + SYS_getpid);
}
#endif

#define WORKER (1u << SANDBOX_WORKER)
#define KEEPER (1u << SANDBOX_KEEPER)
#define HELPER (1u << SANDBOX_HELPER)
#define BROKER (1u << SANDBOX_BROKER)
#define ALL    (WORKER | KEEPER | HELPER | BROKER)

static const struct deadly {
	const char *name;
	unsigned int roles;
	void (*make)(void);
} deadly[] = {
	{"execve", ALL, do_execve},
	{"fork", ALL, do_fork},
	{"vfork", ALL, do_vfork},
	{"clone with a namespace", ALL, do_namespace},
	{"ptrace", ALL, do_ptrace},
	{"kill", ALL, do_kill},
	{"tgkill another", ALL, do_tgkill_other},
	{"raise another signal", ALL, do_raise},
	{"internet socket", KEEPER | BROKER, do_internet},
	{"raw socket", ALL, do_raw},
	{"datagram socket", WORKER | KEEPER | BROKER, do_datagram},
	{"another protocol", WORKER, do_mptcp},
	{"netlink", ALL, do_netlink},
	{"packet socket", ALL, do_packet},
	{"unix socket", KEEPER, do_unix},
	{"unix datagram socket", BROKER, do_unix_datagram},
	{"unix packet socket", BROKER, do_unix_packet},
	{"unix pair", KEEPER | HELPER | BROKER, do_unix_pair},
	{"connect", KEEPER, do_connect},
	{"bind", ALL, do_bind},
	{"listen", ALL, do_listen},
	{"accept4", KEEPER | HELPER | BROKER, do_accept},
	{"executable memory", ALL, do_code},
	{"memory made executable", ALL, do_make_code},
	{"prctl", ALL, do_prctl},
	{"setuid", ALL, do_setuid},
	{"chroot", ALL, do_chroot},
	{"io_uring", ALL, do_ring},
	{"bpf", ALL, do_bpf},
	{"SO_ATTACH_FILTER", ALL, do_filter_attach},
	{"TIOCSTI", ALL, do_terminal},
	{"F_SETOWN", ALL, do_owner},
	{"unlink", ALL, do_unlink},
	{"memfd_create", HELPER | BROKER, do_memfd},
	{"open to write", HELPER, do_write_file},
	{"another limit", ALL, do_lock_more_files},
#ifdef __x86_64__
	{"the calls of i386", ALL, do_i386},
	{"the calls of x32", ALL, do_x32},
#endif
};

struct attempt {
	const struct deadly *deadly;
	enum sandbox_role role;
	enum sandbox_answer answer;
};

static int
make_deadly(const void *argument)
{
	const struct attempt *attempt = argument;

	CHECK(load(attempt->role, attempt->answer));
	attempt->deadly->make();
	return 0;
}

static void
test_deadly(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		for (int role = 0; role < SANDBOX_ROLE_COUNT; role++) {
			struct attempt attempt = {&deadly[i],
						  (enum sandbox_role)role,
						  SANDBOX_KILL};
			int root, user;

			if (!(deadly[i].roles & (1u << role)))
				continue;
			root = in_child(make_deadly, &attempt);
			user = in_child_as_user(make_deadly, &attempt);
			CU_ASSERT_EQUAL(root, IN_CHILD_KILLED(SIGSYS));
			CU_ASSERT_EQUAL(user, IN_CHILD_KILLED(SIGSYS));
			if (root != user || root != IN_CHILD_KILLED(SIGSYS))
				printf("role %d, %s: %d %d\n", role,
				       deadly[i].name, root, user);
		}
}

/* Calls that fail, and nothing else. */

static int
fails_quietly(const void *argument)
{
	enum sandbox_role role = *(const enum sandbox_role *)argument;
	int null = open("/dev/null", O_RDWR);
	struct stat status;
	char path[64];

	CHECK(load(role, SANDBOX_KILL));
	CHECK(!isatty(null) && errno == ENOTTY);
	CHECK(dprintf(null, "a stream asks it, too") > 0);
	CHECK(access("/", F_OK) < 0 && errno == EACCES);
	CHECK(readlink("/proc/self/exe", path, sizeof(path)) < 0 &&
	      errno == EACCES);
	CHECK(syscall(SYS_getcwd, path, sizeof(path)) < 0 && errno == EACCES);
#ifdef SYS_open
	CHECK(syscall(SYS_open, "/", O_RDONLY) < 0 && errno == EACCES);
#endif
	CHECK(role == SANDBOX_KEEPER || role == SANDBOX_BROKER ||
	      (socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES));
	if (role == SANDBOX_HELPER)
		return 0;
	CHECK(open("/", O_RDONLY) < 0 && errno == EACCES);
	CHECK(open("/nonexistent/sealock", O_WRONLY | O_CREAT, 0600) < 0 &&
	      errno == EACCES);
	CHECK(stat("/", &status) < 0 && errno == EACCES);
	/* The tables of time zones are not there. */
	CHECK(setenv("TZ", "Europe/Berlin", 1) == 0);
	tzset();
	/* Where libc asks a file first. */
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0);
	return 0;
}

static void
test_quiet(void)
{
	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		CU_ASSERT_EQUAL(in_child(fails_quietly, &role), 0);
		CU_ASSERT_EQUAL(in_child_as_user(fails_quietly, &role), 0);
	}
}

/* Calls that a role lives on. */

static int
compare(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

/* On descriptors that were there before. */
static int
works_everywhere(const void *argument)
{
	enum sandbox_role role = *(const enum sandbox_role *)argument;
	struct epoll_event event = {.events = EPOLLIN};
	int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int numbers[2000], ends[2], size = 1 << 16;
	struct pollfd watched;
	struct stat status;
	char bytes[64];
	void *memory;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	CHECK(load(role, SANDBOX_KILL));
	CHECK(fstat(file, &status) == 0 && status.st_size > 0);
	CHECK(pread(file, bytes, 4, 1) == 4 && read(file, bytes, 4) == 4);
	CHECK(lseek(file, 0, SEEK_SET) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ==
	      0);
	CHECK(send(ends[1], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1);
	CHECK(epoll_wait(epoll, &event, 1, 1000) == 1);
	watched = (struct pollfd){.fd = ends[0], .events = POLLIN};
	CHECK(poll(&watched, 1, 1000) == 1);
	CHECK(ioctl(ends[0], FIONREAD, &size) == 0 && size == 1);
	CHECK(recv(ends[0], bytes, sizeof(bytes), 0) == 1);
	CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
	CHECK(fcntl(ends[0], F_DUPFD_CLOEXEC, 3) > 3);
	memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED && munmap(memory, 1 << 20) == 0);
	memory = realloc(malloc(1 << 20), 4 << 20);
	CHECK(memory != NULL);
	free(memory);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		numbers[i] = (int)(i * 7919 % 1000);
	qsort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), compare);
	CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
	CHECK(arc4random_uniform(10) < 10);
	CHECK(time(NULL) > 0 && getpid() > 1);
	CHECK(dprintf(STDERR_FILENO, "%s", "") == 0);
	return 7;
}

static int
listen_here(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*address =
		(struct sockaddr_in){.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(listening, (struct sockaddr *)address, length) != 0 ||
	    listen(listening, 8) != 0 ||
	    getsockname(listening, (struct sockaddr *)address, &length) != 0)
		return -1;
	return listening;
}

static int
worker_works(const void *argument)
{
	struct sockaddr_in address;
	struct linger linger = {1, 0};
	int listening = listen_here(&address);
	int client, served, ends[2], on = 1, queued;
	socklen_t length = sizeof(address);

	(void)argument;
	CHECK(listening >= 0);
	CHECK(load(SANDBOX_WORKER, SANDBOX_KILL));
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(client, (struct sockaddr *)&address, length) == 0);
	served = accept4(listening, (struct sockaddr *)&address, &length,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(served >= 0);
	CHECK(getsockname(served, (struct sockaddr *)&address, &length) == 0);
	CHECK(getpeername(served, (struct sockaddr *)&address, &length) == 0);
	CHECK(setsockopt(served, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ==
	      0);
	CHECK(setsockopt(served, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)) ==
	      0);
	CHECK(setsockopt(served, SOL_SOCKET, SO_LINGER, &linger,
			 sizeof(linger)) == 0);
	CHECK(ioctl(served, SIOCOUTQ, &queued) == 0 && queued == 0);
	CHECK(shutdown(served, SHUT_WR) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			 ends) == 0);
	CHECK(socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT);
	CHECK(sealed_new("long", "message", 7) >= 0);
	return 0;
}

static void *
in_thread(void *argument)
{
	/* An arena of its own. */
	free(malloc(100000));
	return argument;
}

static int
keeper_works(const void *argument)
{
	static const struct rlimit locked = {65536, 65536};
	pthread_t threads[4];
	void *memory;
	int file;

	(void)argument;
	CHECK(load(SANDBOX_KEEPER, SANDBOX_KILL));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, in_thread, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &locked) == 0);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mlock(memory, 4096) == 0);
	CHECK(madvise(memory, 4096, MADV_DONTDUMP) == 0);
	CHECK(madvise(memory, 4096, MADV_WIPEONFORK) == 0);
	CHECK(munlock(memory, 4096) == 0);
	CHECK(mprotect(memory, 4096, PROT_NONE) == 0);
	file = memfd_create("index", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(file >= 0 && ftruncate(file, 100) == 0);
	CHECK(write(file, "x", 1) == 1);
	CHECK(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
	CHECK(fcntl(file, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK));
	CHECK(mmap(NULL, 100, PROT_READ, MAP_SHARED, file, 0) != MAP_FAILED);
	return 0;
}

static int
helper_works(const void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(9)};
	socklen_t length = sizeof(address);
	unsigned int loopback = if_nametoindex("lo");
	struct utsname name;
	struct stat status;
	int datagrams, file;

	(void)argument;
	CHECK(load(SANDBOX_HELPER, SANDBOX_KILL));
	datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	CHECK(connect(datagrams, (struct sockaddr *)&address, length) == 0);
	CHECK(getsockname(datagrams, (struct sockaddr *)&address, &length) ==
	      0);
	CHECK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) >= 0);
	CHECK(if_nametoindex("lo") == loopback);
	CHECK(uname(&name) == 0);
	file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0 && stat("/etc/passwd", &status) == 0);
	return 0;
}

static int
broker_works(const void *argument)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct sockaddr_un nobody = {.sun_family = AF_UNIX,
				     .sun_path = "/nonexistent/sealock"};
	const struct sockaddr *address = (const struct sockaddr *)&name;
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ends[2], client, size = 1 << 16;

	(void)argument;
	/* The kernel chooses an abstract name. */
	CHECK(bind(listening, address, sizeof(sa_family_t)) == 0);
	CHECK(getsockname(listening, (struct sockaddr *)&name,
			  &(socklen_t){sizeof(name)}) == 0);
	CHECK(listen(listening, 1) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	CHECK(load(SANDBOX_BROKER, SANDBOX_KILL));
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(connect(client, address, sizeof(sa_family_t) + 6) == 0);
	CHECK(close(client) == 0);
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(connect(client, (const struct sockaddr *)&nobody,
		      sizeof(nobody)) < 0 &&
	      errno == ENOENT);
	CHECK(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ==
	      0);
	return 0;
}

static void
test_works(void)
{
	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		CU_ASSERT_EQUAL(in_child(works_everywhere, &role), 7);
		CU_ASSERT_EQUAL(in_child_as_user(works_everywhere, &role), 7);
	}
	CU_ASSERT_EQUAL(in_child_as_user(worker_works, NULL), 0);
	if (!IN_CHILD_IS_SANITIZED)
		CU_ASSERT_EQUAL(in_child_as_user(keeper_works, NULL), 0);
	CU_ASSERT_EQUAL(in_child_as_user(helper_works, NULL), 0);
	CU_ASSERT_EQUAL(in_child_as_user(broker_works, NULL), 0);
}

/* abort(3) and assert(3) still say what they are. */
static int
aborts(const void *argument)
{
	CHECK(load(*(const enum sandbox_role *)argument, SANDBOX_KILL));
	abort();
}

static void
test_abort(void)
{
	if (IN_CHILD_IS_SANITIZED)
		return;
	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		CU_ASSERT_EQUAL(in_child(aborts, &role),
				IN_CHILD_KILLED(SIGABRT));
	}
}

/* The other answers. */

static int
refuses(const void *argument)
{
	CHECK(load(*(const enum sandbox_role *)argument, SANDBOX_REFUSE));
	CHECK(listen(-1, 1) < 0 && errno == SANDBOX_REFUSED);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) < 0 &&
	      errno == SANDBOX_REFUSED);
	/* As with SANDBOX_KILL. */
	CHECK(access("/", F_OK) < 0 && errno == EACCES);
	return 0;
}

static int
logs(const void *argument)
{
	CHECK(load(*(const enum sandbox_role *)argument, SANDBOX_LOG));
	CHECK(listen(-1, 1) < 0 && errno == EBADF);
	CHECK(access("/", F_OK) == 0);
	CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
	return 0;
}

/* A second filter cannot take back what the first forbids. */
static int
stays(const void *argument)
{
	CHECK(load(*(const enum sandbox_role *)argument, SANDBOX_REFUSE));
	CHECK(prctl(PR_SET_SECCOMP, 0, 0, 0, 0) < 0 &&
	      errno == SANDBOX_REFUSED);
	CHECK(syscall(SYS_seccomp, 1, 0, NULL) < 0 && errno == SANDBOX_REFUSED);
	return 0;
}

static void
test_answers(void)
{
	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		CU_ASSERT_EQUAL(in_child(refuses, &role), 0);
		CU_ASSERT_EQUAL(in_child(logs, &role), 0);
		CU_ASSERT_EQUAL(in_child(stays, &role), 0);
	}
}

/* The table for machines other than this one. */

static size_t export(enum sandbox_role role, uint32_t architecture, char *text,
		     size_t size)
{
	const struct sandbox_filter filter = {.role = role,
					      .answer = SANDBOX_KILL};
	int file = memfd_create("filter", MFD_CLOEXEC);
	struct error error = {0};
	void *made = sandbox_seccomp_new(&filter, architecture, &error);
	ssize_t got = 0;

	CU_ASSERT_PTR_NOT_NULL(made);
	if (made) {
		CU_ASSERT_EQUAL(seccomp_export_pfc(made, file), 0);
		seccomp_release(made);
		got = pread(file, text, size - 1, 0);
	}
	text[got > 0 ? got : 0] = '\0';
	close(file);
	return (size_t)got;
}

static void
test_architectures(void)
{
	static char text[1 << 17];

	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		export(role, SCMP_ARCH_AARCH64, text, sizeof(text));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "arch aarch64"));
		CU_ASSERT_PTR_NULL(strstr(text, "arch x86_64"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"epoll_pwait\" (22)"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"exit_group\" (94)"));
		CU_ASSERT_PTR_NULL(strstr(text, "\"epoll_wait\""));
		CU_ASSERT_EQUAL(!!strstr(text, "\"socket\" (198)"),
				role != SANDBOX_KEEPER);
		CU_ASSERT_EQUAL(!!strstr(text, "\"clone\" (220)"),
				role == SANDBOX_KEEPER);
		CU_ASSERT_PTR_NOT_NULL(strstr(
			text, "# default action\n  action KILL_PROCESS"));
		export(role, SCMP_ARCH_X86_64, text, sizeof(text));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"epoll_wait\" (232)"));
	}
}

UNIT_SUITE(sandbox_seccomp, {"deadly", test_deadly}, {"quiet", test_quiet},
	   {"works", test_works}, {"abort", test_abort},
	   {"answers", test_answers}, {"architectures", test_architectures});
