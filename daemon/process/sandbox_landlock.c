/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock through bare system calls, as no libc has them. The kernel's level
 * decides how much is asked for: each level's bits are refused by those below.
 */
#include "daemon/process/sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* What newer levels than that of Debian 12's header have. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP    (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL               (1ULL << 1)
#endif

/* struct landlock_ruleset_attr of level 6. A shorter one is good for lower
 * levels, and this one, too, as long as what they do not know is zero. */
struct ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scopes;
};

/* The accesses to files that each level brought. */
static const struct {
	int level;
	uint64_t accesses;
} file_accesses[] = {
	{1, (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1},
	{2, LANDLOCK_ACCESS_FS_REFER},
	{3, LANDLOCK_ACCESS_FS_TRUNCATE},
	{5, LANDLOCK_ACCESS_FS_IOCTL_DEV},
};
#define NETWORK_LEVEL 4
#define SCOPES_LEVEL  6

/* What c-ares reads. */
static const char *const resolver_files[] = {
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/resolv.conf",
};

/* Not forbidden before the rules were in force. */
static bool was_permitted[ARRAY_SIZE(resolver_files)];

int
sandbox_landlock_level(void)
{
	long level = syscall(SYS_landlock_create_ruleset, NULL, 0,
			     LANDLOCK_CREATE_RULESET_VERSION);

	return level < 0 ? 0 : (int)level;
}

const char *
sandbox_landlock_describe(int level, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (level > 0)
		snprintf(buffer, size, "landlock %d (files%s)", level,
			 level < SCOPES_LEVEL ? "" : ", sockets, signals");
	return buffer;
}

static struct ruleset
choose(int level, enum sandbox_role role)
{
	struct ruleset chosen = {0};

	for (size_t i = 0; i < ARRAY_SIZE(file_accesses); i++)
		if (file_accesses[i].level <= level)
			chosen.files |= file_accesses[i].accesses;
	/* The ports of other roles are the configuration's: a reload could
	 * not widen them. */
	if (level >= NETWORK_LEVEL &&
	    (role == SANDBOX_KEEPER || role == SANDBOX_BROKER))
		chosen.network = LANDLOCK_ACCESS_NET_BIND_TCP |
				 LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (level >= SCOPES_LEVEL)
		chosen.scopes = LANDLOCK_SCOPE_SIGNAL;
	if (level >= SCOPES_LEVEL && role != SANDBOX_BROKER)
		chosen.scopes |= LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
	return chosen;
}

/* Link or not, what is below a directory of /run is written anew by a daemon,
 * under the same name: that directory is what a rule can be about. */
static void
generalize(char *path)
{
	static const char run[] = "/run/";
	char *name = strrchr(path, '/');

	if (strncmp(path, run, strlen(run)) == 0 && name >= path + strlen(run))
		*name = '\0';
}

static int
permit_reading(int ruleset, const char *path, struct error *error)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	AUTO_FREE char *real = realpath(path, NULL);
	long result;

	if (!real)
		return 0;
	generalize(real);
	rule.parent_fd = open(real, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return 0;
	result = syscall(SYS_landlock_add_rule, ruleset,
			 LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (result != 0)
		error_set(error, "landlock: no rule for %s: %s", path,
			  strerror(errno));
	close(rule.parent_fd);
	return result == 0 ? 0 : -1;
}

static bool
is_forbidden(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (descriptor < 0)
		return errno == EACCES;
	close(descriptor);
	return false;
}

static int
permit_resolver(int ruleset, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(resolver_files); i++) {
		was_permitted[i] = !is_forbidden(resolver_files[i]);
		if (permit_reading(ruleset, resolver_files[i], error) != 0)
			return -1;
	}
	return 0;
}

int
sandbox_landlock_enter(enum sandbox_role role, struct error *error)
{
	int level = sandbox_landlock_level();
	struct ruleset chosen = choose(level, role);
	int ruleset, result = 0;

	if (level == 0) {
		error_set(error, "the kernel has no landlock");
		return -1;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &chosen,
			       sizeof(chosen), 0);
	if (ruleset < 0) {
		error_set(error, "landlock %d: no ruleset: %s", level,
			  strerror(errno));
		return -1;
	}
	if (role == SANDBOX_HELPER)
		result = permit_resolver(ruleset, error);
	if (result == 0) {
		result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
		if (result != 0)
			error_set(error, "landlock %d: %s", level,
				  strerror(errno));
	}
	close(ruleset);
	return result;
}

bool
sandbox_landlock_is_outdated(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(resolver_files); i++)
		if (was_permitted[i] && is_forbidden(resolver_files[i]))
			return true;
	return false;
}
