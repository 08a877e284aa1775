/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * getpwnam(3) and its family; who they do not know may still be a number.
 */
#include "daemon/process/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/text.h"

static bool
is_id(const char *text, uint32_t *id)
{
	uint64_t number;

	/* The largest one means "none". */
	if (text_parse_unsigned(text, &number) != 0 || number >= UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

static int
unknown(const char *what, const char *name, int error_number,
	struct error *error)
{
	if (error_number != 0 && error_number != ENOENT &&
	    error_number != ESRCH)
		error_set(error, "cannot look up %s %s: %s", what, name,
			  strerror(error_number));
	else
		error_set(error, "there is no %s %s", what, name);
	return -1;
}

/* has_group: a group is found with the user. */
static int
find_user(const char *name, uid_t *uid, gid_t *gid, bool *has_group,
	  struct error *error)
{
	const struct passwd *found;
	uint32_t number = 0;

	errno = 0;
	found = getpwnam(name);
	if (!found && is_id(name, &number)) {
		errno = 0;
		found = getpwuid(number);
		*uid = number;
		*has_group = false;
		if (!found)
			return 0;
	}
	if (!found)
		return unknown("user", name, errno, error);
	*uid = found->pw_uid;
	*gid = found->pw_gid;
	*has_group = true;
	return 0;
}

static int
find_group(const char *name, gid_t *gid, struct error *error)
{
	const struct group *found;

	errno = 0;
	found = getgrnam(name);
	if (found)
		*gid = found->gr_gid;
	else if (!is_id(name, gid))
		return unknown("group", name, errno, error);
	return 0;
}

int
account_find(const char *user, const char *group, uid_t *uid, gid_t *gid,
	     struct error *error)
{
	bool has_group = false;

	if (find_user(user, uid, gid, &has_group, error) != 0)
		return -1;
	if (group && find_group(group, gid, error) != 0)
		return -1;
	if (!group && !has_group) {
		error_set(error, "user %s has no entry that says its group",
			  user);
		return -1;
	}
	if (*uid == 0 || *gid == 0) {
		error_set(error, "%s %s has id 0: no role runs as root",
			  *uid == 0 ? "user" : "group",
			  *uid == 0 ? user
			  : group   ? group
				    : user);
		return -1;
	}
	return 0;
}
