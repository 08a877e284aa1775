/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From each kind of secret to a descriptor in the file set.
 */
#include "common/conf/conf_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/tls/tls_settings.h"

/* No pass-phrase is that long; a command that says more is a wrong one. */
#define SECRET_MAX 4096

void
conf_credential_open(const char *name, struct file_set *files)
{
	const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");
	AUTO_FREE char *path = NULL;
	struct stat status;
	int descriptor;

	if (file_set_find(files, name))
		return;
	if (!directory) {
		file_set_add_missing(files, name, ENODATA, FILE_SECRET);
		return;
	}
	path = mem_format("%s/%s", directory, strchr(name, ':') + 1);
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (descriptor < 0 || fstat(descriptor, &status) != 0) {
		file_set_add_missing(files, name, errno, FILE_SECRET);
	} else if (!S_ISREG(status.st_mode)) {
		file_set_add_missing(files, name, EINVAL, FILE_SECRET);
	} else {
		file_set_add(files, name, descriptor, FILE_SECRET);
		return;
	}
	if (descriptor >= 0)
		close(descriptor);
}

int
conf_secret_add(const char *name, const void *bytes, size_t length,
		struct file_set *files, struct error *error)
{
	int descriptor = sealed_new("secret", bytes, length);

	if (descriptor < 0) {
		error_set(error, "cannot keep a secret in memory: %s",
			  strerror(errno));
		return -1;
	}
	file_set_add(files, name, descriptor, FILE_SECRET);
	return 0;
}

static int
open_environment(const char *name, struct file_set *files, struct error *error)
{
	const char *value = getenv(strchr(name, ':') + 1);

	if (value)
		return conf_secret_add(name, value, strlen(value), files,
				       error);
	file_set_add_missing(files, name, ENODATA, FILE_SECRET);
	return 0;
}

/* What was typed or said; one newline at its end is not part of it. */
static int
open_asked(const struct secret *secret, struct file_set *files,
	   struct error *error)
{
	char buffer[SECRET_MAX];
	size_t length = 0;
	int result;

	if (secret->kind == SECRET_PROMPT)
		result = conf_secret_prompt(strchr(secret->name, ':') + 1,
					    buffer, sizeof(buffer), &length,
					    error);
	else
		result = conf_secret_command(secret, buffer, sizeof(buffer),
					     &length, error);
	if (result == 0 && length > 0 && buffer[length - 1] == '\n')
		length--;
	if (result == 0)
		result = conf_secret_add(secret->name, buffer, length, files,
					 error);
	/* Another entry with that secret is not to ask or wait again. */
	if (result != 0)
		file_set_add_missing(files, secret->name, ENODATA, FILE_SECRET);
	mem_wipe(buffer, sizeof(buffer));
	return result;
}

int
conf_secret_open(const struct secret *secret, struct file_set *files,
		 struct error *error)
{
	if (secret->kind == SECRET_NONE || file_set_find(files, secret->name))
		return 0;
	switch (secret->kind) {
	case SECRET_FILE:
		file_set_open(files, secret->name, FILE_SECRET, false);
		return 0;
	case SECRET_CREDENTIAL:
		conf_credential_open(secret->name, files);
		return 0;
	case SECRET_ENVIRONMENT:
		return open_environment(secret->name, files, error);
	case SECRET_COMMAND:
	case SECRET_PROMPT:
		return open_asked(secret, files, error);
	case SECRET_NONE:
		break;
	}
	return 0;
}
