/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every test is a child under the rules of a role, as root and as an ordinary
 * user. Where the kernel has no landlock, only that is tested.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/process/sandbox_landlock.h"
#include "tests/lib/in_child.h"
#include "tests/unit/unit.h"

#define SOMEBODY       65534
#define TRUNCATE_LEVEL 3
#define SCOPES_LEVEL   6

static bool
enter(enum sandbox_role role)
{
	struct error error = {0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    sandbox_landlock_enter(role, &error) == 0)
		return true;
	in_child_failed(__FILE__, __LINE__, error.text);
	return false;
}

static bool
is_readable(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char byte;
	bool is_read = file >= 0 && read(file, &byte, 1) == 1;

	if (file >= 0)
		close(file);
	return is_read;
}

/* As root and as a user. */
static void
try_both(int (*run)(const void *), const void *argument)
{
	CU_ASSERT_EQUAL(in_child(run, argument), 0);
	CU_ASSERT_EQUAL(in_child_as_user(run, argument), 0);
}

static bool
has_landlock(void)
{
	static bool is_told;

	if (sandbox_landlock_level() > 0)
		return true;
	if (!is_told)
		printf("no landlock here, ");
	is_told = true;
	return false;
}

static int
finds_none(const void *argument)
{
	struct error error = {0};

	(void)argument;
	CHECK(sandbox_landlock_enter(SANDBOX_WORKER, &error) == -1);
	CHECK(strcmp(error.text, "the kernel has no landlock") == 0);
	return 0;
}

static void
test_level(void)
{
	char text[64];

	CU_ASSERT_STRING_EQUAL(sandbox_landlock_describe(0, text, sizeof(text)),
			       "");
	CU_ASSERT_STRING_EQUAL(sandbox_landlock_describe(2, text, sizeof(text)),
			       "landlock 2 (files)");
	CU_ASSERT_STRING_EQUAL(sandbox_landlock_describe(7, text, sizeof(text)),
			       "landlock 7 (files, sockets, signals)");
	if (!has_landlock())
		CU_ASSERT_EQUAL(in_child(finds_none, NULL), 0);
}

/* Files. */

static char our_file[] = "/tmp/sealock-file-XXXXXX";

static int
reaches_no_file(const void *argument)
{
	enum sandbox_role role = *(const enum sandbox_role *)argument;
	int before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	char byte;
	int file;

	CHECK(enter(role));
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	CHECK(open("/tmp/sealock-new", O_WRONLY | O_CREAT, 0600) < 0 &&
	      errno == EACCES);
	CHECK(openat(directory, "etc/passwd", O_RDONLY) < 0 && errno == EACCES);
	CHECK(open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
	CHECK(open("/tmp", O_WRONLY | O_TMPFILE, 0600) < 0 && errno == EACCES);
	CHECK(mkdir("/tmp/sealock-new", 0700) < 0 && errno == EACCES);
	CHECK(symlink("x", "/tmp/sealock-new") < 0 && errno == EACCES);
	CHECK(execl("/bin/true", "true", NULL) < 0 && errno == EACCES);
	CHECK(role == SANDBOX_HELPER || !is_readable("/etc/hosts"));
	if (sandbox_landlock_level() >= TRUNCATE_LEVEL)
		CHECK(truncate(our_file, 0) < 0 && errno == EACCES);
	CHECK(unlink(our_file) < 0 && errno == EACCES);
	/* What is open stays open, and may be looked at. */
	CHECK(read(before, &byte, 1) == 1);
	CHECK(stat("/etc/passwd", &status) == 0);
	/* What has no path is nobody's. */
	file = memfd_create("sealock", MFD_CLOEXEC);
	CHECK(file >= 0 && write(file, "x", 1) == 1);
	return 0;
}

static void
test_files(void)
{
	int ours = mkstemp(our_file);

	CU_ASSERT_FATAL(ours >= 0);
	CU_ASSERT_EQUAL(fchmod(ours, 0666), 0);
	close(ours);
	for (int i = 0; i < SANDBOX_ROLE_COUNT && has_landlock(); i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		try_both(reaches_no_file, &role);
	}
	CU_ASSERT_EQUAL(unlink(our_file), 0);
}

/* Descriptors come by message all the same. */
static int
receives(const void *argument)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct cmsghdr *header;
	int ends[2], received;
	pid_t pid;

	(void)argument;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	pid = fork();
	if (pid == 0) {
		close(file);
		header = CMSG_FIRSTHDR(&message);
		_exit(enter(SANDBOX_WORKER) &&
				      recvmsg(ends[1], &message, 0) == 1 &&
				      (header = CMSG_FIRSTHDR(&message)) &&
				      (memcpy(&received, CMSG_DATA(header),
					      sizeof(received)),
				       read(received, &byte, 1) == 1)
			      ? 0
			      : 1);
	}
	header = CMSG_FIRSTHDR(&message);
	CHECK(header != NULL);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file, sizeof(file));
	CHECK(sendmsg(ends[0], &message, 0) == 1);
	CHECK(waitpid(pid, &received, 0) == pid && received == 0);
	return 0;
}

static void
test_descriptors(void)
{
	if (has_landlock())
		try_both(receives, NULL);
}

/* UNIX sockets: by path, and abstract. */

static char directory[64];

static socklen_t
path_address(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s/socket",
		 directory);
	return sizeof(*address);
}

static socklen_t
abstract_address(struct sockaddr_un *address)
{
	int length;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
			  "sealock-test-%d", (int)getpid());
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)length);
}

struct unix_case {
	enum sandbox_role role;
	struct sockaddr_un address;
	socklen_t length;
	int error_number; /* 0: it connects */
};

static int
connects(const void *argument)
{
	const struct unix_case *tried = argument;
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	CHECK(enter(tried->role));
	result = connect(client, (const struct sockaddr *)&tried->address,
			 tried->length);
	CHECK((result == 0 ? 0 : errno) == tried->error_number);
	return 0;
}

static void
test_unix(void)
{
	struct unix_case path = {.role = SANDBOX_BROKER};
	struct unix_case abstract = {.role = SANDBOX_BROKER};
	int by_path, by_name;
	mode_t mask;

	if (!has_landlock())
		return;
	snprintf(directory, sizeof(directory), "/tmp/sealock-un-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	CU_ASSERT_EQUAL(chmod(directory, 0755), 0);
	path.length = path_address(&path.address);
	abstract.length = abstract_address(&abstract.address);
	by_path = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	by_name = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0);
	CU_ASSERT_EQUAL(
		bind(by_path, (struct sockaddr *)&path.address, path.length),
		0);
	umask(mask);
	CU_ASSERT_EQUAL(bind(by_name, (struct sockaddr *)&abstract.address,
			     abstract.length),
			0);
	CU_ASSERT_EQUAL(listen(by_path, 8) + listen(by_name, 8), 0);

	try_both(connects, &path);
	try_both(connects, &abstract);
	abstract.role = path.role = SANDBOX_WORKER;
	if (sandbox_landlock_level() >= SCOPES_LEVEL)
		abstract.error_number = EPERM;
	try_both(connects, &path);
	try_both(connects, &abstract);

	close(by_path);
	close(by_name);
	unlink(path.address.sun_path);
	rmdir(directory);
}

/* A log's socket that was connected before. */
static int
logs_on(const void *argument)
{
	int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t length = abstract_address(&address);

	(void)argument;
	CHECK(bind(server, (struct sockaddr *)&address, length) == 0);
	CHECK(connect(client, (struct sockaddr *)&address, length) == 0);
	CHECK(enter(SANDBOX_WORKER));
	CHECK(send(client, "x", 1, 0) == 1);
	return 0;
}

static void
test_log(void)
{
	if (has_landlock())
		try_both(logs_on, NULL);
}

/* Signals go in, not out. */
static int
signals(const void *argument)
{
	pid_t outside = getppid();

	(void)argument;
	CHECK(kill(outside, 0) == 0);
	CHECK(enter(SANDBOX_WORKER));
	if (sandbox_landlock_level() >= SCOPES_LEVEL)
		CHECK(kill(outside, 0) < 0 && errno == EPERM);
	CHECK(kill(getpid(), 0) == 0);
	return 0;
}

static int
is_signalled(const void *argument)
{
	int ends[2], status;
	pid_t pid;
	char byte;

	(void)argument;
	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		if (!enter(SANDBOX_WORKER) || write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK(read(ends[0], &byte, 1) == 1);
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	return 0;
}

static void
test_signals(void)
{
	if (!has_landlock())
		return;
	CU_ASSERT_EQUAL(in_child(signals, NULL), 0);
	try_both(is_signalled, NULL);
}

/* TCP is out of reach even with a socket that was given. */
static int
keeps_off_the_network(const void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(9)};
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(enter(*(const enum sandbox_role *)argument));
	CHECK(connect(tcp, (struct sockaddr *)&address, sizeof(address)) < 0);
	CHECK(errno == (sandbox_landlock_level() >= 4 ? EACCES : ECONNREFUSED));
	return 0;
}

static void
test_network(void)
{
	static const enum sandbox_role roles[] = {SANDBOX_KEEPER,
						  SANDBOX_BROKER};

	for (size_t i = 0; i < ARRAY_SIZE(roles) && has_landlock(); i++)
		try_both(keeps_off_the_network, &roles[i]);
}

/* The helper's files. */

static int
reads_hosts(const void *argument)
{
	bool has_hosts = is_readable("/etc/hosts");
	bool has_servers = is_readable("/etc/resolv.conf");

	(void)argument;
	CHECK(enter(SANDBOX_HELPER));
	CHECK(is_readable("/etc/hosts") == has_hosts);
	CHECK(is_readable("/etc/resolv.conf") == has_servers);
	CHECK(!is_readable("/etc/passwd"));
	CHECK(!has_hosts ||
	      (open("/etc/hosts", O_WRONLY) < 0 && errno == EACCES));
	CHECK(!sandbox_landlock_is_outdated());
	return 0;
}

static void
test_helper(void)
{
	if (has_landlock())
		try_both(reads_hosts, NULL);
}

/* A root of our own, so that files can be replaced in it. */

static void
write_file(const char *name, const char *text)
{
	char path[128];
	int file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CU_ASSERT_FATAL(file >= 0);
	CU_ASSERT_EQUAL(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
}

static void
replace_file(const char *name)
{
	char from[128], to[128];

	write_file("new", "new");
	snprintf(from, sizeof(from), "%s/new", directory);
	snprintf(to, sizeof(to), "%s/%s", directory, name);
	CU_ASSERT_EQUAL(rename(from, to), 0);
}

static void
make_root(void)
{
	static const char *const made[] = {"etc", "run", "run/resolve"};
	char path[128];

	snprintf(directory, sizeof(directory), "/tmp/sealock-etc-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, made[i]);
		CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
	}
	snprintf(path, sizeof(path), "%s/etc/resolv.conf", directory);
	CU_ASSERT_EQUAL(symlink("../run/resolve/servers", path), 0);
	write_file("etc/hosts", "old");
	write_file("etc/shadow", "secret");
	write_file("run/resolve/servers", "old");
	write_file("run/secret", "secret");
	/* Nobody's to read from the beginning; /run itself is not. */
	write_file("run/host.conf", "old");
	snprintf(path, sizeof(path), "%s/run/host.conf", directory);
	CU_ASSERT_EQUAL(chmod(path, 0600) | chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/etc/host.conf", directory);
	CU_ASSERT_EQUAL(symlink("../run/host.conf", path), 0);
}

static void
remove_root(void)
{
	static const char *const made[] = {
		"etc/hosts",
		"etc/host.conf",
		"etc/nsswitch.conf",
		"etc/resolv.conf",
		"etc/shadow",
		"etc",
		"run/host.conf",
		"run/resolve/servers",
		"run/resolve",
		"run/secret",
		"run",
	};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, made[i]);
		(void)remove(path);
	}
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

struct replaced {
	const char *name;
	bool is_outdated;
	bool is_read; /* afterwards */
};

/* Talks with the test by one byte each way. */
static int
sees(const struct replaced *replaced, int in, int out)
{
	char path[64], byte = 0;

	snprintf(path, sizeof(path), "/%s", replaced->name);
	CHECK(chroot(directory) == 0 && chdir("/") == 0);
	CHECK(setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	CHECK(enter(SANDBOX_HELPER));
	CHECK(is_readable("/etc/hosts") && is_readable("/etc/resolv.conf"));
	CHECK(!is_readable("/etc/shadow") && !is_readable("/run/secret"));
	CHECK(!sandbox_landlock_is_outdated());
	CHECK(write(out, &byte, 1) == 1 && read(in, &byte, 1) == 1);
	CHECK(sandbox_landlock_is_outdated() == replaced->is_outdated);
	CHECK(is_readable(path) == replaced->is_read);
	return 0;
}

static void
replace_under(const struct replaced *replaced)
{
	int to[2], from[2], status = -1;
	pid_t pid;
	char byte;

	make_root();
	CU_ASSERT_EQUAL_FATAL(pipe(to) + pipe(from), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(sees(replaced, to[0], from[1]));
	close(from[1]);
	CU_ASSERT_EQUAL(read(from[0], &byte, 1), 1);
	replace_file(replaced->name);
	CU_ASSERT_EQUAL(write(to[1], "x", 1), 1);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	close(to[0]);
	close(to[1]);
	close(from[0]);
	remove_root();
}

static void
test_replaced(void)
{
	static const struct replaced cases[] = {
		{"etc/hosts", true, false},
		{"etc/nsswitch.conf", true, false},   /* it was not there */
		{"run/resolve/servers", false, true}, /* by its directory */
		{"etc/shadow", false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (has_landlock() && is_root_here())
			replace_under(&cases[i]);
}

UNIT_SUITE(sandbox_landlock, {"level", test_level}, {"files", test_files},
	   {"descriptors", test_descriptors}, {"unix", test_unix},
	   {"log", test_log}, {"signals", test_signals},
	   {"network", test_network}, {"helper", test_helper},
	   {"replaced", test_replaced});
