/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are ours alone: the directory may be writable for others, so a
 * name in it may lead anywhere. The lock is flock(2)'s, on the first file of
 * each pair; as children have it, too, it is theirs as long as one of them may
 * still write.
 */
#include "daemon/monitor/state_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "common/conf/conf.h"
#include "common/ipc/message.h"

/* How long a daemon before us, or what is left of it, may take to end. */
#define LOCK_LIMIT_MS 2000
#define LOCK_PAUSE_MS 20

/* The pairs, each of a role. */
static const struct {
	enum ipc_role role;
	enum state_kind kind;
	const char *name;
} pairs[] = {
	{IPC_KEEPER, STATE_TICKETS, "tickets"},
	{IPC_HELPER, STATE_OCSP, "ocsp"},
};

struct state_files {
	char *asked;
	int descriptors[ARRAY_SIZE(pairs)][2];
};

static void
name_file(size_t pair, int which, char *name, size_t size)
{
	snprintf(name, size, "%s.%d", pairs[pair].name, which);
}

/* Files. */

/* NULL: it can be one. Whose it is says nothing to one who is not to use it. */
static const char *
judge(const struct stat *status, bool is_to_be_used)
{
	if (!S_ISREG(status->st_mode))
		return "is no regular file";
	if (status->st_nlink > 1)
		return "has other names, too";
	if (is_to_be_used && status->st_uid != geteuid())
		return "belongs to another user";
	return NULL;
}

static int
open_file(int directory, const char *name, struct error *error)
{
	int descriptor = openat(directory, name,
				O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
					O_NONBLOCK | O_NOCTTY,
				0600);
	const char *why = NULL;
	struct stat status;

	if (descriptor < 0) {
		error_set(error, "cannot open %s: %s", name,
			  errno == ELOOP ? "it is a symbolic link"
					 : strerror(errno));
		return -1;
	}
	if (fstat(descriptor, &status) != 0)
		why = strerror(errno);
	else
		why = judge(&status, true);
	/* Somebody may have copied it here. */
	if (!why && (status.st_mode & 077) && fchmod(descriptor, 0600) != 0)
		why = strerror(errno);
	if (!why)
		return descriptor;
	error_set(error, "%s: it %s", name, why);
	close(descriptor);
	return -1;
}

static int
lock(int descriptor, const char *name, struct error *error)
{
	static const struct timespec pause = {.tv_nsec =
						      LOCK_PAUSE_MS * 1000000L};
	int64_t deadline_ms = clock_monotonic_ms() + LOCK_LIMIT_MS;

	while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK &&
		    clock_monotonic_ms() < deadline_ms) {
			nanosleep(&pause, NULL);
			continue;
		}
		error_set(error, "cannot lock %s: %s", name,
			  errno == EWOULDBLOCK ? "another daemon uses it"
					       : strerror(errno));
		return -1;
	}
	return 0;
}

static int
open_pairs(struct state_files *files, int directory, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (int j = 0; j < 2; j++) {
			int *descriptor = &files->descriptors[i][j];
			char name[32];

			name_file(i, j, name, sizeof(name));
			*descriptor = open_file(directory, name, error);
			if (*descriptor < 0 ||
			    (j == 0 && lock(*descriptor, name, error) != 0))
				return -1;
		}
	return 0;
}

static int
open_directory(const char *path, struct error *error)
{
	int descriptor;
	struct stat status;

	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		error_set(error, "cannot make it: %s", strerror(errno));
		return -1;
	}
	descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0) {
		error_set(error, "cannot open it: %s",
			  errno == ENOENT ? "it is a link that leads nowhere"
					  : strerror(errno));
		return -1;
	}
	if (fstat(descriptor, &status) == 0 && !(status.st_mode & S_IWOTH))
		return descriptor;
	error_set(error, "anybody may write in it");
	close(descriptor);
	return -1;
}

static void
close_all(struct state_files *files)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (int j = 0; j < 2; j++) {
			if (files->descriptors[i][j] >= 0)
				close(files->descriptors[i][j]);
			files->descriptors[i][j] = -1;
		}
}

static int
use_directory(struct state_files *files, const char *path, struct error *error)
{
	int directory = open_directory(path, error), result = -1;

	if (directory >= 0) {
		result = open_pairs(files, directory, error);
		close(directory);
	}
	if (result == 0)
		return 0;
	close_all(files);
	error_prefix(error, "state_dir %s: ", path);
	return -1;
}

/* Not sealed: it is for one process after the other, and all are ours. */
static int
use_memory(struct state_files *files, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (int j = 0; j < 2; j++) {
			files->descriptors[i][j] =
				memfd_create(pairs[i].name, MFD_CLOEXEC);
			if (files->descriptors[i][j] >= 0)
				continue;
			error_set(error, "no memory for what is kept: %s",
				  strerror(errno));
			return -1;
		}
	return 0;
}

/* All of it. */

static int
fill(struct state_files *files, const struct conf_global *global,
     bool has_defaults, struct error_list *problems)
{
	struct error error = {.at = global->state_dir_at};

	if (!global->is_state_dir_default || has_defaults) {
		if (use_directory(files, global->state_dir, &error) == 0)
			return 0;
		if (!global->is_state_dir_default) {
			error_list_add(problems, &error);
			return -1;
		}
		log_info("no state directory, nothing outlives a restart",
			 "reason=\"%s\"", error.text);
	}
	if (use_memory(files, &error) == 0)
		return 0;
	error_list_add(problems, &error);
	return -1;
}

struct state_files *
state_files_new(const struct conf *conf, bool has_defaults,
		struct error_list *problems)
{
	struct state_files *files = mem_alloc(sizeof(*files));

	files->asked = mem_strdup(conf->global.state_dir);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (int j = 0; j < 2; j++)
			files->descriptors[i][j] = -1;
	if (fill(files, &conf->global, has_defaults, problems) == 0)
		return files;
	state_files_free(files);
	return NULL;
}

void
state_files_free(struct state_files *files)
{
	if (!files)
		return;
	close_all(files);
	mem_free(files->asked);
	mem_free(files);
}

void
state_files_compare(const struct state_files *files, const struct conf *conf,
		    struct error_list *warnings)
{
	if (strcmp(files->asked, conf->global.state_dir) != 0)
		error_list_addf(warnings, &conf->global.state_dir_at,
				"`state_dir` was another when sealock was "
				"started, and a reload does not change that: "
				"it needs a restart");
}

static size_t
find_pair(enum ipc_role role)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(pairs) && pairs[i].role != role)
		i++;
	return i;
}

bool
state_files_are_for(enum ipc_role role)
{
	return find_pair(role) < ARRAY_SIZE(pairs);
}

struct message *
state_files_message(const struct state_files *files, enum ipc_role role,
		    struct error *error)
{
	struct message *message = message_new(MESSAGE_STATE);
	size_t pair = find_pair(role);

	assert(pair < ARRAY_SIZE(pairs));
	buf_write_u8(&message->body, (uint8_t)pairs[pair].kind);
	for (int i = 0; i < 2; i++) {
		int copy =
			fcntl(files->descriptors[pair][i], F_DUPFD_CLOEXEC, 3);

		if (copy >= 0 && message_add_fd(message, copy))
			continue;
		error_set(error, "cannot pass on the state's files: %s",
			  strerror(errno));
		message_free(message);
		return NULL;
	}
	return message;
}

/* For `sealock check`. */

/* Could one be made there? */
static void
check_missing(const struct conf_global *global, struct error_list *problems)
{
	const char *path = global->state_dir;
	AUTO_FREE char *parent =
		mem_strndup(path, (size_t)(strrchr(path, '/') - path));
	struct stat status;
	const char *why = NULL;

	if (lstat(path, &status) == 0)
		why = "it is a link that leads nowhere";
	else if (*parent && stat(parent, &status) != 0)
		why = strerror(errno);
	else if (*parent && !S_ISDIR(status.st_mode))
		why = strerror(ENOTDIR);
	if (why)
		error_list_addf(problems, &global->state_dir_at,
				"state_dir %s: cannot make it: %s", path, why);
}

void
state_files_check(const struct conf *conf, struct error_list *problems)
{
	const struct conf_global *global = &conf->global;
	const char *path = global->state_dir;
	struct stat status;

	if (global->is_state_dir_default)
		return;
	if (stat(path, &status) != 0) {
		/* One that is not there is made, like its files. */
		check_missing(global, problems);
		return;
	}
	if (!S_ISDIR(status.st_mode)) {
		error_list_addf(problems, &global->state_dir_at,
				"state_dir %s: it is no directory", path);
		return;
	}
	if (status.st_mode & S_IWOTH)
		error_list_addf(problems, &global->state_dir_at,
				"state_dir %s: anybody may write in it", path);
	/* Others may write where whoever checks may not. */
	if (access(path, W_OK) != 0 && errno == EROFS)
		error_list_addf(problems, &global->state_dir_at,
				"state_dir %s: nobody can write in it: %s",
				path, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		for (int j = 0; j < 2; j++) {
			AUTO_FREE char *file = NULL;
			const char *why;
			char name[32];

			name_file(i, j, name, sizeof(name));
			file = mem_format("%s/%s", path, name);
			if (lstat(file, &status) != 0)
				continue;
			why = judge(&status, false);
			if (why)
				error_list_addf(problems, &global->state_dir_at,
						"state_dir %s: %s: it %s", path,
						name, why);
		}
}
