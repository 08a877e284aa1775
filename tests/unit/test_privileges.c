/* SPDX-License-Identifier: BSD-2-Clause */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/process/account.h"
#include "daemon/process/privileges.h"
#include "tests/lib/in_child.h"
#include "tests/unit/unit.h"

#define SOMEBODY 65534

static char directory[64];

/* A directory to be shut in, which goes with remove_directory(). */
static void
make_directory(mode_t mode)
{
	snprintf(directory, sizeof(directory), "/tmp/sealock-root-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	CU_ASSERT_EQUAL_FATAL(chmod(directory, mode), 0);
}

static void
remove_directory(void)
{
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

static bool
has_any_capability(void)
{
	for (int i = 0; i < 64; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1 ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			return true;
	return capng_get_caps_process() != 0 ||
	       capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ||
	       capng_have_permitted_capabilities() != CAPNG_NONE;
}

static bool
has_ids(uid_t id)
{
	uid_t uids[3] = {0};
	gid_t gids[3] = {0};

	return getresuid(&uids[0], &uids[1], &uids[2]) == 0 &&
	       getresgid(&gids[0], &gids[1], &gids[2]) == 0 && uids[0] == id &&
	       uids[1] == id && uids[2] == id && gids[0] == id &&
	       gids[1] == id && gids[2] == id;
}

/* Root becomes somebody. */

static int
root_drops(const void *argument)
{
	struct privileges privileges = {.uid = SOMEBODY, .gid = SOMEBODY};
	static const gid_t groups[] = {1, 2};
	struct error error = {0};
	int signal_number = 0;
	char here[64];
	int root;

	(void)argument;
	CHECK(setgroups(ARRAY_SIZE(groups), groups) == 0);
	privileges.root = root = privileges_open_root(directory, &error);
	CHECK(root >= 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	CHECK(privileges_drop(&privileges, &error) == 0);
	CHECK(has_ids(SOMEBODY));
	CHECK(getgroups(0, NULL) == 0);
	CHECK(!has_any_capability());
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	prctl(PR_GET_PDEATHSIG, &signal_number);
	CHECK(signal_number == SIGTERM);
	CHECK(getcwd(here, sizeof(here)) && strcmp(here, "/") == 0);
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
	CHECK(fcntl(root, F_GETFD) < 0 && privileges.root == -1);
	CHECK(setuid(0) < 0 && setgid(0) < 0 && chroot("/") < 0);
	return 0;
}

static void
test_root(void)
{
	if (!is_root_here())
		return;
	make_directory(0755);
	CU_ASSERT_EQUAL(in_child(root_drops, NULL), 0);
	remove_directory();
}

static int
refused_ids(const void *argument)
{
	struct privileges privileges = *(const struct privileges *)argument;
	struct error error = {0};

	CHECK(privileges_drop(&privileges, &error) == -1);
	CHECK(strncmp(error.text, "refusing to run as root", 23) == 0);
	return 0;
}

static void
test_root_stays_out(void)
{
	static const struct privileges wrong[] = {
		{0, SOMEBODY, -1},
		{SOMEBODY, 0, -1},
		{0, 0, -1},
		{PRIVILEGES_SAME_USER, PRIVILEGES_SAME_GROUP, -1},
		{SOMEBODY, PRIVILEGES_SAME_GROUP, -1},
	};

	if (!is_root_here())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		CU_ASSERT_EQUAL(in_child(refused_ids, &wrong[i]), 0);
}

/* An ordinary user gives up what there is. */

static int
user_drops(const void *argument)
{
	struct privileges privileges = {.uid = PRIVILEGES_SAME_USER,
					.gid = PRIVILEGES_SAME_GROUP,
					.root = -1};
	struct error error = {0};
	uid_t uid = geteuid();

	(void)argument;
	CHECK(privileges_drop(&privileges, &error) == 0);
	CHECK(geteuid() == uid && getuid() == uid);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(capng_get_caps_process() == 0);
	CHECK(capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE);
	/* Again, and by number. */
	privileges = (struct privileges){geteuid(), getegid(), -1};
	CHECK(privileges_drop(&privileges, &error) == 0);
	return 0;
}

static int
user_wants_more(const void *argument)
{
	struct privileges other = {geteuid() + 1, getegid(), -1};
	struct privileges root = {PRIVILEGES_SAME_USER, PRIVILEGES_SAME_GROUP,
				  open("/", O_RDONLY | O_DIRECTORY)};
	struct error error = {0};

	(void)argument;
	CHECK(privileges_drop(&other, &error) == -1);
	CHECK(strstr(error.text, "cannot become user") != NULL);
	CHECK(privileges_drop(&root, &error) == -1);
	CHECK(strncmp(error.text, "chroot: ", 8) == 0);
	CHECK(root.root == -1);
	return 0;
}

static void
test_user(void)
{
	CU_ASSERT_EQUAL(in_child_as_user(user_drops, NULL), 0);
	CU_ASSERT_EQUAL(in_child_as_user(user_wants_more, NULL), 0);
}

/* What a service manager gives a user: one capability, ambient too. */
static int
become_service(void)
{
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	       setresgid(SOMEBODY, SOMEBODY, SOMEBODY) != 0 ||
	       setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0 ||
	       (capng_clear(CAPNG_SELECT_ALL),
		capng_update(CAPNG_ADD,
			     CAPNG_EFFECTIVE | CAPNG_PERMITTED |
				     CAPNG_INHERITABLE,
			     CAP_NET_BIND_SERVICE)) != 0 ||
	       capng_apply(CAPNG_SELECT_CAPS) != 0 ||
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE,
		     0, 0) != 0;
}

static int
service_limits_and_drops(const void *argument)
{
	struct privileges privileges = {PRIVILEGES_SAME_USER,
					PRIVILEGES_SAME_GROUP, -1};
	struct error error = {0};

	CHECK(become_service() == 0);
	if (argument) {
		CHECK(privileges_limit(false, &error) == 0);
		CHECK(capng_get_caps_process() == 0);
		CHECK(capng_have_capability(CAPNG_PERMITTED,
					    CAP_NET_BIND_SERVICE));
		CHECK(!capng_have_capability(CAPNG_INHERITABLE,
					     CAP_NET_BIND_SERVICE));
		CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET,
			    CAP_NET_BIND_SERVICE, 0, 0) == 0);
	}
	CHECK(privileges_drop(&privileges, &error) == 0);
	CHECK(capng_get_caps_process() == 0);
	CHECK(capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE);
	CHECK(capng_have_permitted_capabilities() == CAPNG_NONE);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_BIND_SERVICE,
		    0, 0) == 0);
	return 0;
}

static void
test_service(void)
{
	if (!is_root_here())
		return;
	CU_ASSERT_EQUAL(in_child(service_limits_and_drops, NULL), 0);
	CU_ASSERT_EQUAL(in_child(service_limits_and_drops, ""), 0);
}

/* The monitor's. */

static int
root_limits(const void *argument)
{
	bool is_transparent = argument != NULL;
	struct privileges privileges = {.uid = SOMEBODY, .gid = SOMEBODY};
	struct error error = {0};

	CHECK(privileges_limit(is_transparent, &error) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(capng_get_caps_process() == 0);
	CHECK(!capng_have_capability(CAPNG_PERMITTED, CAP_SYS_ADMIN));
	CHECK(!capng_have_capability(CAPNG_PERMITTED, CAP_SYS_PTRACE));
	CHECK(!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW));
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	CHECK(capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_BIND_SERVICE));
	CHECK(!!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) ==
	      is_transparent);
	/* What is left is enough for a child's start. */
	privileges.root = privileges_open_root(directory, &error);
	CHECK(privileges_drop(&privileges, &error) == 0);
	CHECK(!has_any_capability());
	return 0;
}

static int
user_limits(const void *argument)
{
	struct error error = {0};

	(void)argument;
	CHECK(privileges_limit(true, &error) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}

static void
test_limit(void)
{
	CU_ASSERT_EQUAL(in_child_as_user(user_limits, NULL), 0);
	if (!is_root_here())
		return;
	make_directory(0755);
	CU_ASSERT_EQUAL(in_child(root_limits, NULL), 0);
	CU_ASSERT_EQUAL(in_child(root_limits, ""), 0);
	remove_directory();
}

/* Directories that will not do. */

static const char *
refusal(const char *path)
{
	static struct error error;
	int opened;

	error = (struct error){0};
	opened = privileges_open_root(path, &error);
	CU_ASSERT_EQUAL(opened, -1);
	return error.text;
}

static void
test_directory(void)
{
	char path[128];

	CU_ASSERT_PTR_NOT_NULL(
		strstr(refusal("/nonexistent/sealock"), "No such file"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(refusal("/etc/passwd"), "/etc/passwd: Not a directory"));
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal("/tmp"), "others may write"));
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal("/etc"), "/etc: not empty"));
	make_directory(0755);
	if (geteuid() != 0) {
		CU_ASSERT_PTR_NOT_NULL(strstr(refusal(directory), "not root"));
		remove_directory();
		return;
	}
	CU_ASSERT_EQUAL(chmod(directory, 0775), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal(directory), "others may write"));
	CU_ASSERT_EQUAL(chmod(directory, 0757), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal(directory), "others may write"));
	CU_ASSERT_EQUAL(chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/.hidden", directory);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal(directory), "not empty"));
	unlink(path);
	if (is_root_here()) {
		CU_ASSERT_EQUAL(chown(directory, SOMEBODY, SOMEBODY), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(refusal(directory), "not root"));
	}
	remove_directory();
}

/* It is filled between the monitor's look and the role's. */
static int
drops_into_filled(const void *argument)
{
	struct privileges privileges = {.uid = SOMEBODY, .gid = SOMEBODY};
	struct error error = {0};
	char path[128];

	(void)argument;
	privileges.root = privileges_open_root(directory, &error);
	CHECK(privileges.root >= 0);
	snprintf(path, sizeof(path), "%s/late", directory);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	CHECK(privileges_drop(&privileges, &error) == -1);
	unlink(path);
	CHECK(strstr(error.text, "chroot: not empty") != NULL);
	return 0;
}

static void
test_directory_is_looked_at_again(void)
{
	if (!is_root_here())
		return;
	make_directory(0755);
	CU_ASSERT_EQUAL(in_child(drops_into_filled, NULL), 0);
	remove_directory();
}

/* Nobody looks in. */

static int
hides(const void *argument)
{
	struct error error = {0};
	struct rlimit core;

	(void)argument;
	CHECK(privileges_hide(&error) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &core) == 0);
	CHECK(core.rlim_cur == 0 && core.rlim_max == 0);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == IN_CHILD_IS_SANITIZED);
	return 0;
}

/* A second process of the same user is what a captured worker is to the
 * keeper under one uid. */
static int
looks_at_parent(const void *argument)
{
	char path[64];

	(void)argument;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	CHECK(open(path, O_RDONLY) < 0 && errno == EACCES);
	CHECK(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0 &&
	      errno == EPERM);
	return 0;
}

static int
is_looked_at(const void *argument)
{
	struct error error = {0};

	(void)argument;
	CHECK(privileges_hide(&error) == 0);
	CHECK(in_child(looks_at_parent, NULL) == 0);
	return 0;
}

static void
test_hide(void)
{
	CU_ASSERT_EQUAL(in_child(hides, NULL), 0);
	CU_ASSERT_EQUAL(in_child_as_user(hides, NULL), 0);
	if (!IN_CHILD_IS_SANITIZED)
		CU_ASSERT_EQUAL(in_child_as_user(is_looked_at, NULL), 0);
}

/* Names. */

static void
test_account(void)
{
	struct error error = {0};
	uid_t uid = 0;
	gid_t gid = 0;

	CU_ASSERT_EQUAL(account_find("nobody", NULL, &uid, &gid, &error), 0);
	CU_ASSERT(uid != 0 && gid != 0);
	CU_ASSERT_EQUAL(account_find("nobody", "daemon", &uid, &gid, &error),
			0);
	CU_ASSERT_EQUAL(gid, 1);
	CU_ASSERT_EQUAL(account_find("4294000", "4294001", &uid, &gid, &error),
			0);
	CU_ASSERT_EQUAL(uid, 4294000);
	CU_ASSERT_EQUAL(gid, 4294001);
	CU_ASSERT_EQUAL(account_find("1", NULL, &uid, &gid, &error), 0);
	CU_ASSERT_EQUAL(uid, 1);
	CU_ASSERT_EQUAL(gid, 1);
}

static void
test_account_refused(void)
{
	static const struct {
		const char *user;
		const char *group;
		const char *why;
	} wrong[] = {
		{"root", NULL, "id 0"},
		{"0", "daemon", "id 0"},
		{"nobody", "root", "group root has id 0"},
		{"nobody", "0", "group 0 has id 0"},
		{"no-such-user", NULL, "there is no user no-such-user"},
		{"nobody", "no-such-group", "there is no group no-such-group"},
		{"4294000", NULL, "has no entry"},
		{"4294967295", "1", "there is no user"},
		{"99999999999", "1", "there is no user"},
		{"-1", "1", "there is no user"},
		{"", NULL, "there is no user"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error error = {0};
		uid_t uid;
		gid_t gid;

		CU_ASSERT_EQUAL(account_find(wrong[i].user, wrong[i].group,
					     &uid, &gid, &error),
				-1);
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, wrong[i].why));
	}
}

UNIT_SUITE(privileges, {"root", test_root},
	   {"root_stays_out", test_root_stays_out}, {"user", test_user},
	   {"service", test_service}, {"limit", test_limit},
	   {"directory", test_directory},
	   {"directory_is_looked_at_again", test_directory_is_looked_at_again},
	   {"hide", test_hide}, {"account", test_account},
	   {"account_refused", test_account_refused});
