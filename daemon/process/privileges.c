/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids, capabilities, the root directory. Whatever needs a privilege is done
 * before that privilege goes: bounding set, chroot, groups, ids; then the
 * rest, which anyone may do.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/process/privileges.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* The kernel may have more than our headers name; libcap-ng knows. */
#define CAPABILITY_MAX 64

/* The directory to be shut in. */

static int
refuse_root(struct error *error, const char *why)
{
	error_set(error,
		  "%s: it must be an empty directory of root's that "
		  "nobody else may write to",
		  why);
	return -1;
}

/* 1: nothing but itself and its parent; 0: there is something; -1: errno. */
static int
is_empty(int directory)
{
	/* Positions are shared with duplicates, not with a second opening. */
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *entry;
	int result = 1;

	if (!stream) {
		if (again >= 0)
			close(again);
		return -1;
	}
	errno = 0;
	while (result == 1 && (entry = readdir(stream)))
		result = strcmp(entry->d_name, ".") == 0 ||
			 strcmp(entry->d_name, "..") == 0;
	if (result == 1 && errno != 0)
		result = -1;
	closedir(stream);
	return result;
}

static int
check_root(int directory, struct error *error)
{
	struct stat status;
	int empty;

	if (fstat(directory, &status) != 0) {
		error_set(error, "cannot look at the directory: %s",
			  strerror(errno));
		return -1;
	}
	if (!S_ISDIR(status.st_mode))
		return refuse_root(error, "not a directory");
	if (status.st_uid != 0)
		return refuse_root(error, "not root's");
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return refuse_root(error, "others may write to it");
	empty = is_empty(directory);
	if (empty < 0) {
		error_set(error, "cannot read the directory: %s",
			  strerror(errno));
		return -1;
	}
	return empty ? 0 : refuse_root(error, "not empty");
}

int
privileges_open_root(const char *path, struct error *error)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		error_set(error, "%s", strerror(errno));
	else if (check_root(directory, error) == 0)
		return directory;
	error_prefix(error, "%s: ", path);
	if (directory >= 0)
		close(directory);
	return -1;
}

static int
enter_root(int directory, struct error *error)
{
	if (check_root(directory, error) != 0) {
		error_prefix(error, "chroot: ");
		return -1;
	}
	if (fchdir(directory) == 0 && chroot(".") == 0 && chdir("/") == 0)
		return 0;
	error_set(error, "chroot: %s", strerror(errno));
	return -1;
}

/* Capabilities. */

/* The bounding set limits what execve(2) could ever give back. Without
 * CAP_SETPCAP, which root and nobody else has, no_new_privs does the same. */
static int
empty_bounding_set(struct error *error)
{
	if (capng_get_caps_process() != 0) {
		error_set(error, "cannot read the capabilities");
		return -1;
	}
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) {
		error_set(error, "cannot empty the capabilities' bounding set");
		return -1;
	}
	return 0;
}

static bool
has_capabilities(void)
{
	static const capng_type_t sets[] = {CAPNG_EFFECTIVE, CAPNG_PERMITTED,
					    CAPNG_INHERITABLE, CAPNG_AMBIENT};

	for (unsigned int i = 0; i < CAPABILITY_MAX; i++)
		for (size_t j = 0; j < ARRAY_SIZE(sets); j++)
			if (capng_have_capability(sets[j], i))
				return true;
	return false;
}

/* capset(2) may be forbidden where there is nothing to give up. */
static int
drop_capabilities(struct error *error)
{
	if (capng_get_caps_process() == 0 && !has_capabilities())
		return 0;
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_AMBIENT) != 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0 ||
	    capng_get_caps_process() != 0 || has_capabilities()) {
		error_set(error, "cannot give up the capabilities");
		return -1;
	}
	return 0;
}

/* Ids. */

static bool
has_ids(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++)
		if (uids[i] != uid || gids[i] != gid)
			return false;
	return true;
}

static int
become(uid_t uid, gid_t gid, struct error *error)
{
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0) {
		error_set(error, "cannot become user %u, group %u: %s", uid,
			  gid, strerror(errno));
		return -1;
	}
	return 0;
}

/* Does the kernel agree that there is no way back to root's ids? */
static int
check_final(const struct privileges *privileges, struct error *error)
{
	uid_t uid = privileges->uid;
	gid_t gid = privileges->gid;

	if (has_ids(uid, gid) && getgroups(0, NULL) == 0 &&
	    setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && setuid(0) != 0 &&
	    setresgid((gid_t)-1, 0, (gid_t)-1) != 0 && setgid(0) != 0 &&
	    has_ids(uid, gid))
		return 0;
	error_set(error, "root's ids are not gone after all");
	return -1;
}

static int
choose_ids(struct privileges *privileges, struct error *error)
{
	if (privileges->uid == PRIVILEGES_SAME_USER)
		privileges->uid = geteuid();
	if (privileges->gid == PRIVILEGES_SAME_GROUP)
		privileges->gid = getegid();
	if (privileges->uid == 0 || privileges->gid == 0) {
		error_set(error, "refusing to run as root%s",
			  privileges->uid == 0 ? "" : "'s group");
		return -1;
	}
	return 0;
}

static int
forbid_new_privileges(struct error *error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return 0;
	error_set(error, "cannot set no_new_privs: %s", strerror(errno));
	return -1;
}

static int
drop(struct privileges *privileges, struct error *error)
{
	bool has_other_ids;

	if (choose_ids(privileges, error) != 0)
		return -1;
	has_other_ids = !has_ids(privileges->uid, privileges->gid);
	if (empty_bounding_set(error) != 0 ||
	    (privileges->root >= 0 &&
	     enter_root(privileges->root, error) != 0) ||
	    (has_other_ids &&
	     become(privileges->uid, privileges->gid, error) != 0) ||
	    drop_capabilities(error) != 0 ||
	    (has_other_ids && check_final(privileges, error) != 0))
		return -1;
	return forbid_new_privileges(error);
}

int
privileges_drop(struct privileges *privileges, struct error *error)
{
	int death_signal = 0;
	int result;

	prctl(PR_GET_PDEATHSIG, &death_signal);
	result = drop(privileges, error);
	if (privileges->root >= 0)
		close(privileges->root);
	privileges->root = -1;
	prctl(PR_SET_PDEATHSIG, death_signal);
	return result;
}

/* The monitor. */

static bool
is_kept(unsigned int capability, bool is_transparent)
{
	static const unsigned int kept[] = {
		CAP_CHOWN,        CAP_DAC_OVERRIDE,
		CAP_FOWNER,       CAP_KILL,
		CAP_SETGID,       CAP_SETUID,
		CAP_SETPCAP,      CAP_SYS_CHROOT,
		CAP_SYS_RESOURCE, CAP_NET_BIND_SERVICE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] == capability)
			return true;
	return is_transparent && capability == CAP_NET_ADMIN;
}

int
privileges_limit(bool is_transparent, struct error *error)
{
	bool may_bound;

	if (capng_get_caps_process() != 0) {
		error_set(error, "cannot read the capabilities");
		return -1;
	}
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (unsigned int i = 0; i < CAPABILITY_MAX; i++) {
		capng_type_t lost = CAPNG_INHERITABLE | CAPNG_AMBIENT;

		if (!is_kept(i, is_transparent))
			lost |= CAPNG_EFFECTIVE | CAPNG_PERMITTED |
				CAPNG_BOUNDING_SET;
		capng_update(CAPNG_DROP, lost, i);
	}
	if (capng_apply(CAPNG_SELECT_AMBIENT) != 0 ||
	    (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0) ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0) {
		error_set(error, "cannot give up capabilities");
		return -1;
	}
	return forbid_new_privileges(error);
}

int
privileges_hide(struct error *error)
{
	static const struct rlimit none = {0, 0};
#if defined(SEALOCK_SANITIZED) || defined(__SANITIZE_ADDRESS__)
	const int is_dumpable = 1;
#else
	const int is_dumpable = 0;
#endif

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, is_dumpable, 0, 0, 0) != 0) {
		error_set(error, "cannot forbid core files: %s",
			  strerror(errno));
		return -1;
	}
	return 0;
}
