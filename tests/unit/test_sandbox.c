/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of it, as a role enters it. What is missing on other machines is
 * made missing by a filter in front.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/process/sandbox.h"
#include "daemon/process/sandbox_landlock.h"
#include "daemon/process/sandbox_probe.h"
#include "tests/lib/in_child.h"
#include "tests/unit/unit.h"

#define SOMEBODY 65534

/* Builds for tests enter no sandbox. */
#if defined(SEALOCK_SANITIZED) || defined(SEALOCK_COVERAGE)
#define IS_FOR_TESTS true
#else
#define IS_FOR_TESTS false
#endif
#define IS_WHOLE (!IS_FOR_TESTS && !IN_CHILD_IS_SANITIZED)

static const struct sandbox_options as_we_are = {
	.mode = SANDBOX_REQUIRED,
	.privileges = {PRIVILEGES_SAME_USER, PRIVILEGES_SAME_GROUP, -1},
};

/* Make a system call fail, as if the kernel did not have it. */
static bool
forbid(const char *name, uint32_t action)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int number = seccomp_syscall_resolve_name(name);
	bool is_done = filter &&
		       seccomp_rule_add(filter, action, number, 0) == 0 &&
		       seccomp_load(filter) == 0;

	seccomp_release(filter);
	return is_done;
}

static bool
has_landlock(void)
{
	return sandbox_landlock_level() > 0;
}

static bool
is_refused(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES;
}

/* All there is. */

static int
enters(const void *argument)
{
	enum sandbox_role role = *(const enum sandbox_role *)argument;
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	if (!has_landlock())
		options.mode = SANDBOX_AUTO;
	CHECK(sandbox_enter(role, &options, &report, &error) == 0);
	CHECK(strstr(report.reached, "seccomp") != NULL);
	if (has_landlock()) {
		CHECK(report.missing[0] == '\0');
		CHECK(strstr(report.reached, "landlock ") != NULL);
		CHECK(is_refused());
	} else {
		CHECK(strstr(report.missing, "no landlock") != NULL);
	}
	prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	return 1;
}

static void
test_enter(void)
{
	for (int i = 0; i < SANDBOX_ROLE_COUNT && IS_WHOLE; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		CU_ASSERT_EQUAL(in_child_as_user(enters, &role),
				IN_CHILD_KILLED(SIGSYS));
	}
}

static int
enters_from_root(const void *argument)
{
	enum sandbox_role role = *(const enum sandbox_role *)argument;
	struct sandbox_options options = {
		.mode = SANDBOX_AUTO,
		.privileges = {SOMEBODY, SOMEBODY, -1},
	};
	bool is_shut_in = role != SANDBOX_HELPER && role != SANDBOX_BROKER;
	struct sandbox_report report;
	struct error error = {0};
	struct stat status;
	char directory[] = "/tmp/sealock-box-XXXXXX";
	int root;

	CHECK(mkdtemp(directory) && chmod(directory, 0755) == 0);
	options.privileges.root = root =
		privileges_open_root(directory, &error);
	CHECK(rmdir(directory) == 0);
	CHECK(root >= 0);
	CHECK(sandbox_enter(role, &options, &report, &error) == 0);
	CHECK(fcntl(root, F_GETFD) < 0);
	CHECK(!!strstr(report.reached, "chroot") == is_shut_in);
	CHECK(is_refused());
	if (role == SANDBOX_HELPER)
		CHECK(stat("/etc/passwd", &status) == 0);
	return 0;
}

static void
test_root(void)
{
	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		enum sandbox_role role = (enum sandbox_role)i;

		if (is_root_here() && has_landlock() && IS_WHOLE)
			CU_ASSERT_EQUAL(in_child(enters_from_root, &role), 0);
	}
}

static int
stays_root(const void *argument)
{
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	options.mode = *(const enum sandbox_mode *)argument;
	CHECK(sandbox_enter(SANDBOX_WORKER, &options, &report, &error) == -1);
	CHECK(strcmp(error.text, "refusing to run as root") == 0);
	return 0;
}

static void
test_no_root(void)
{
	static const enum sandbox_mode modes[] = {
		SANDBOX_AUTO, SANDBOX_REQUIRED, SANDBOX_OFF};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (geteuid() == 0)
			CU_ASSERT_EQUAL(in_child(stays_root, &modes[i]), 0);
}

/* A key in a store: no files are out of reach, privileges are. */
static int
has_store(const void *argument)
{
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	options.mode = *(const enum sandbox_mode *)argument;
	options.has_store = true;
	CHECK((sandbox_enter(SANDBOX_KEEPER, &options, &report, &error) == 0) ==
	      (options.mode != SANDBOX_REQUIRED));
	CHECK(!!strstr(report.missing, "store") ==
	      (options.mode != SANDBOX_OFF && !IS_FOR_TESTS));
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}

static void
test_store(void)
{
	static const enum sandbox_mode modes[] = {
		SANDBOX_AUTO, SANDBOX_REQUIRED, SANDBOX_OFF};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		CU_ASSERT_EQUAL(in_child_as_user(has_store, &modes[i]), 0);
}

/* Off: privileges go, calls stay. */
static int
is_off(const void *argument)
{
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	(void)argument;
	options.mode = SANDBOX_OFF;
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	CHECK(sandbox_enter(SANDBOX_KEEPER, &options, &report, &error) == 0);
	CHECK(report.reached[0] == '\0');
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == IN_CHILD_IS_SANITIZED);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
	return 0;
}

static void
test_off(void)
{
	CU_ASSERT_EQUAL(in_child_as_user(is_off, NULL), 0);
}

/* A build for tests says so. */
static int
is_for_tests(const void *argument)
{
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	(void)argument;
	options.mode = SANDBOX_AUTO;
	CHECK(sandbox_enter(SANDBOX_WORKER, &options, &report, &error) == 0);
	CHECK(strncmp(report.missing, "it is built ", 12) == 0);
	CHECK(open("/etc/passwd", O_RDONLY) >= 0);
	options.mode = SANDBOX_REQUIRED;
	CHECK(sandbox_enter(SANDBOX_WORKER, &options, &report, &error) == -1);
	return 0;
}

static void
test_build(void)
{
	if (IS_FOR_TESTS)
		CU_ASSERT_EQUAL(in_child_as_user(is_for_tests, NULL), 0);
}

/* Kernels without. */

struct lack {
	const char *call;
	enum sandbox_role role;
	const char *says;
	const char *also; /* NULL: nothing */
};

static int
lacks(const void *argument)
{
	const struct lack *lack = argument;
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	CHECK(forbid(lack->call, SCMP_ACT_ERRNO(ENOSYS)));
	options.mode = SANDBOX_AUTO;
	CHECK(sandbox_enter(lack->role, &options, &report, &error) == 0);
	CHECK(strstr(report.missing, lack->says) != NULL);
	CHECK(!lack->also || strstr(report.missing, lack->also));
	return 0;
}

static int
lacks_required(const void *argument)
{
	const struct lack *lack = argument;
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	CHECK(forbid(lack->call, SCMP_ACT_ERRNO(ENOSYS)));
	CHECK(sandbox_enter(lack->role, &options, &report, &error) == -1);
	CHECK(strncmp(error.text, "a sandbox is required: ", 23) == 0);
	CHECK(strstr(error.text, lack->says) != NULL);
	return 0;
}

static void
test_missing(void)
{
	static const struct lack cases[] = {
		{"landlock_create_ruleset", SANDBOX_WORKER,
		 "the kernel has no landlock", NULL},
		/* Its filter lets it read: the self-test tells. */
		{"landlock_create_ruleset", SANDBOX_HELPER,
		 "the kernel has no landlock", "self-test: not refused: open"},
		{"landlock_restrict_self", SANDBOX_KEEPER,
		 "Function not implemented", NULL},
		{"seccomp", SANDBOX_WORKER, "seccomp: the kernel refuses",
		 "self-test: the kernel refuses"},
		{"clone", SANDBOX_WORKER, "self-test: cannot fork", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (has_landlock() && IS_WHOLE) {
			CU_ASSERT_EQUAL(in_child_as_user(lacks, &cases[i]), 0);
			CU_ASSERT_EQUAL(
				in_child_as_user(lacks_required, &cases[i]), 0);
		}
}

/* The self-test, with a filter that is not this role's. */

static int
probes_of_another(const void *argument)
{
	static const struct sandbox_filter keeper = {.role = SANDBOX_KEEPER};
	struct error error = {0};

	(void)argument;
	/* Nothing but its own filter stands between: all is as it should. */
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(sandbox_probe(&keeper, &error) == 0);
	/* Another filter kills before ours can answer. */
	CHECK(forbid("io_uring_setup", SCMP_ACT_KILL_PROCESS));
	CHECK(sandbox_probe(&keeper, &error) == -1);
	CHECK(strstr(error.text, "killed by signal") != NULL);
	return 0;
}

static void
test_probe(void)
{
	if (IS_WHOLE)
		CU_ASSERT_EQUAL(in_child_as_user(probes_of_another, NULL), 0);
	for (int i = 0; i < SANDBOX_ROLE_COUNT; i++) {
		struct sandbox_filter filter = {.role = (enum sandbox_role)i};

		CU_ASSERT(sandbox_probe_count(&filter) >= 12);
	}
}

/* A process that is to have no copies is tested all the same. */

static void
end_fork(void)
{
	_exit(127);
}

static int
probes_without_forks(const void *argument)
{
	struct sandbox_options options = as_we_are;
	struct sandbox_report report;
	struct error error = {0};

	(void)argument;
	CHECK(pthread_atfork(NULL, NULL, end_fork) == 0);
	CHECK(sandbox_enter(SANDBOX_KEEPER, &options, &report, &error) == 0);
	return 0;
}

static void
test_no_forks(void)
{
	if (has_landlock() && IS_WHOLE)
		CU_ASSERT_EQUAL(in_child_as_user(probes_without_forks, NULL),
				0);
}

/* Across a channel. */

static void
test_message(void)
{
	static const struct sandbox_options sent = {
		.mode = SANDBOX_REQUIRED,
		.privileges = {123, 456, 7},
		.has_store = true,
		.needs_broker = true,
	};
	unsigned char bytes[16];
	struct buf_writer writer;
	struct buf_reader reader;
	struct sandbox_options got;

	buf_write_init(&writer, bytes, sizeof(bytes));
	sandbox_options_write(&writer, &sent);
	CU_ASSERT_FALSE(writer.failed);
	buf_read_init(&reader, bytes, writer.length);
	CU_ASSERT_EQUAL(sandbox_options_read(&reader, &got), 0);
	CU_ASSERT_EQUAL(reader.length, 0);
	CU_ASSERT_EQUAL(got.mode, sent.mode);
	CU_ASSERT_EQUAL(got.privileges.uid, 123);
	CU_ASSERT_EQUAL(got.privileges.gid, 456);
	CU_ASSERT_EQUAL(got.privileges.root, -1);
	CU_ASSERT_TRUE(got.has_store);
	CU_ASSERT_TRUE(got.needs_broker);

	for (size_t length = 0; length < writer.length; length++) {
		buf_read_init(&reader, bytes, length);
		CU_ASSERT_EQUAL(sandbox_options_read(&reader, &got), -1);
	}
	bytes[0] = SANDBOX_OFF + 1;
	buf_read_init(&reader, bytes, writer.length);
	CU_ASSERT_EQUAL(sandbox_options_read(&reader, &got), -1);
	bytes[0] = SANDBOX_OFF;
	bytes[writer.length - 1] = 2;
	buf_read_init(&reader, bytes, writer.length);
	CU_ASSERT_EQUAL(sandbox_options_read(&reader, &got), -1);
}

static void
test_describe(void)
{
	char text[100];

	sandbox_describe(text, sizeof(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "seccomp") ? text
						       : strstr(text, "none"));
}

UNIT_SUITE(sandbox, {"enter", test_enter}, {"root", test_root},
	   {"no_root", test_no_root}, {"store", test_store}, {"off", test_off},
	   {"build", test_build}, {"missing", test_missing},
	   {"probe", test_probe}, {"no_forks", test_no_forks},
	   {"message", test_message}, {"describe", test_describe});
