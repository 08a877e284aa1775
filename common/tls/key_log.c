/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing happens in the middle of a handshake, on its fibre's stack. Nothing
 * of a line is left in memory of ours, and none goes anywhere else.
 */
#include "common/tls/key_log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/* A label, the client's random and a secret of 64 bytes come to 230. */
#define LINE_MAX_SIZE 512

struct key_log {
	LIST_ENTRY(key_log) entries;
	unsigned int references;
	int descriptor;
	struct stat status; /* when it was opened */
};

static LIST_HEAD(, key_log) logs = LIST_HEAD_INITIALIZER(logs);

static int context_index = -1;

char *
key_log_entry_name(const char *path)
{
	return mem_format("key_log:%s", path);
}

static struct key_log *
find_log(const struct stat *status)
{
	struct key_log *log;

	LIST_FOREACH (log, &logs, entries)
		if (log->status.st_dev == status->st_dev &&
		    log->status.st_ino == status->st_ino)
			return log;
	return NULL;
}

/* NULL: errno says why. */
static struct key_log *
log_new(int descriptor)
{
	struct key_log *log;
	struct stat status;
	int copy;

	if (fstat(descriptor, &status) != 0)
		return NULL;
	log = find_log(&status);
	if (log) {
		log->status = status;
		return key_log_ref(log);
	}
	copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return NULL;
	log = mem_alloc(sizeof(*log));
	log->references = 1;
	log->descriptor = copy;
	log->status = status;
	LIST_INSERT_HEAD(&logs, log, entries);
	return log;
}

int
key_log_open(const struct file_set *files, const char *path,
	     struct key_log **log, struct error *error)
{
	AUTO_FREE char *name = key_log_entry_name(path);
	const struct file_entry *entry = file_set_find(files, name);

	*log = NULL;
	if (!entry)
		return 0;
	if (entry->kind == FILE_KIND_FILE)
		*log = log_new(entry->descriptor);
	else
		errno = entry->error_number;
	if (*log)
		return 0;
	error_set(error, "cannot write to %s: %s", path, strerror(errno));
	return -1;
}

struct key_log *
key_log_ref(struct key_log *log)
{
	log->references++;
	return log;
}

void
key_log_unref(struct key_log *log)
{
	if (!log || --log->references > 0)
		return;
	LIST_REMOVE(log, entries);
	close(log->descriptor);
	mem_free(log);
}

void
key_log_identity(const struct key_log *log, uint64_t identity[2])
{
	identity[0] = log->status.st_dev;
	identity[1] = log->status.st_ino;
}

bool
key_log_is_exposed(const struct key_log *log)
{
	return (log->status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

static void
free_reference(void *parent, void *pointer, CRYPTO_EX_DATA *extra, int index,
	       long argument, void *more)
{
	(void)parent;
	(void)extra;
	(void)index;
	(void)argument;
	(void)more;
	key_log_unref(pointer);
}

static void
make_index(void)
{
	context_index =
		SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_reference);
}

static void
complain(const char *why)
{
	static struct log_limit limit;

	log_event_limited(&limit, LOG_LEVEL_WARN,
			  "the key log lacks a connection's secrets", "why=%s",
			  why);
}

static void
write_line(const SSL *ssl, const char *line)
{
	const struct key_log *log =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index);
	char bytes[LINE_MAX_SIZE];
	size_t length = strlen(line);
	ssize_t written;

	if (!log)
		return;
	if (length >= sizeof(bytes)) {
		complain("a line that is too long");
		return;
	}
	memcpy(bytes, line, length);
	bytes[length++] = '\n';
	do
		written = write(log->descriptor, bytes, length);
	while (written < 0 && errno == EINTR);
	OPENSSL_cleanse(bytes, length);
	if (written < 0)
		complain(strerror(errno));
	else if ((size_t)written != length)
		complain("there is no room for a line");
}

int
key_log_install(SSL_CTX *context, struct key_log *log)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	if (!CRYPTO_THREAD_run_once(&once, make_index) || context_index < 0 ||
	    !SSL_CTX_set_ex_data(context, context_index, log))
		return -1;
	key_log_ref(log);
	SSL_CTX_set_keylog_callback(context, write_line);
	return 0;
}
