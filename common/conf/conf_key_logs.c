/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening the key logs that a configuration asks for. What is written there
 * opens every connection: nobody else gets to see a file that is made here,
 * and no link leads what is written to another place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/tls/key_log.h"
#include "common/tls/tls_settings.h"

#define OPEN_FLAGS \
	(O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct opening {
	const struct conf *conf;
	bool is_trial;
	struct file_set *files;
	struct error_list *problems;
	bool is_failed;
};

/* Does something else go by that name? */
static const char *
other_use(const struct opening *opening, const char *path)
{
	const struct conf_global *global = &opening->conf->global;

	for (size_t i = 0; i < global->log_count; i++)
		if (global->logs[i].path &&
		    strcmp(global->logs[i].path, path) == 0)
			return "a log goes there, too";
	if (global->pid_file && strcmp(global->pid_file, path) == 0)
		return "it is the pid file";
	return file_set_find(opening->files, path)
		       ? "it is also named as a file to be read"
		       : NULL;
}

/* Why the file behind a descriptor is none for secrets, or NULL. */
static const char *
look_at(int descriptor)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "it is no regular file";
	if (status.st_nlink > 1)
		return "it has other names (hard links)";
	return NULL;
}

static const char *
words_for(int problem)
{
	return problem == ELOOP   ? "it is a symbolic link"
	       : problem == ENXIO ? "it is no regular file"
				  : strerror(problem);
}

/* A trial changes nothing: a file that is not there may well be made. */
static void
open_path(struct opening *opening, const struct position *at, const char *path)
{
	AUTO_FREE char *name = key_log_entry_name(path);
	const char *why = other_use(opening, path);
	int descriptor = -1;

	if (!why && file_set_find(opening->files, name))
		return;
	if (!why) {
		descriptor = open(
			path, OPEN_FLAGS | (opening->is_trial ? 0 : O_CREAT),
			S_IRUSR | S_IWUSR);
		if (descriptor < 0 && opening->is_trial && errno == ENOENT)
			return;
		why = descriptor < 0 ? words_for(errno) : look_at(descriptor);
	}
	if (why) {
		error_list_addf(opening->problems, at,
				"`key_log_file`: cannot write to %s: %s", path,
				why);
		opening->is_failed = true;
	} else if (!opening->is_trial) {
		file_set_add(opening->files, name, descriptor, FILE_PUBLIC);
		return;
	}
	if (descriptor >= 0)
		close(descriptor);
}

static void
open_tls(struct opening *opening, const struct tls_settings *settings)
{
	if (!settings)
		return;
	if (settings->key_log_file)
		open_path(opening, &settings->key_log_at,
			  settings->key_log_file);
	for (size_t i = 0; i < settings->host_count; i++)
		open_tls(opening, settings->hosts[i].settings);
}

int
conf_key_logs_open(const struct conf *conf, bool is_trial,
		   struct file_set *files, struct error_list *problems)
{
	struct opening opening = {conf, is_trial, files, problems, false};

	for (size_t i = 0; i < conf->service_count; i++) {
		open_tls(&opening, conf->services[i].accept.tls);
		open_tls(&opening, conf->services[i].connect.tls);
	}
	return opening.is_failed ? -1 : 0;
}
