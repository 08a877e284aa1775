/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening the log's outputs. Nothing here waits for one: a FIFO without a
 * reader is refused, and a syslog that is full loses lines.
 */
#include "daemon/monitor/log_outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"

#define SYSLOG_PATH "/dev/log"
#define FILE_FLAGS \
	(O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int
open_file(const struct conf_log *log, struct error *error)
{
	int descriptor = open(log->path, FILE_FLAGS, 0640);

	if (descriptor < 0)
		error_set_at(error, &log->at, "cannot write the log %s: %s",
			     log->path, strerror(errno));
	return descriptor;
}

static int
open_syslog(const struct conf_log *log, struct error *error)
{
	static const struct sockaddr_un address = {.sun_family = AF_UNIX,
						   .sun_path = SYSLOG_PATH};
	int descriptor =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (descriptor >= 0 &&
	    connect(descriptor, (const struct sockaddr *)&address,
		    sizeof(address)) == 0)
		return descriptor;
	error_set_at(error, &log->at, "cannot reach syslog at %s: %s",
		     SYSLOG_PATH, strerror(errno));
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

/* Opened anew while that was permitted; -1: nobody asked for it. */
static int standard_error = -1;

void
log_outputs_take_stderr(void)
{
	if (standard_error >= 0)
		close(standard_error);
	standard_error = log_dup(STDERR_FILENO);
}

static int
open_stderr(const struct conf_log *log, struct error *error)
{
	int descriptor =
		log_dup(standard_error >= 0 ? standard_error : STDERR_FILENO);

	if (descriptor < 0)
		error_set_at(error, &log->at, "cannot log to stderr: %s",
			     strerror(errno));
	return descriptor;
}

static int
open_output(const struct conf_log *log, struct error *error)
{
	switch (log->target) {
	case CONF_LOG_STDERR:
		return open_stderr(log, error);
	case CONF_LOG_FILE:
		return open_file(log, error);
	case CONF_LOG_SYSLOG:
		return open_syslog(log, error);
	}
	return -1;
}

static struct log_sink
describe(const struct conf_log *log, int descriptor)
{
	return (struct log_sink){
		.descriptor = descriptor,
		.transport = log->target == CONF_LOG_SYSLOG
				     ? LOG_TRANSPORT_SYSLOG
				     : LOG_TRANSPORT_STREAM,
		.form = log->form,
		.level = log->level,
		.facility = log->facility,
		.is_for_events = log->is_for_events,
		.is_for_access = log->is_for_access,
	};
}

static void
note_syslog(struct log_outputs *outputs)
{
	struct stat status;

	outputs->has_syslog = true;
	if (stat(SYSLOG_PATH, &status) != 0)
		return;
	outputs->syslog_device = status.st_dev;
	outputs->syslog_inode = status.st_ino;
}

bool
log_outputs_are_stale(const struct log_outputs *outputs)
{
	struct stat status;

	return outputs->has_syslog && stat(SYSLOG_PATH, &status) == 0 &&
	       (status.st_dev != outputs->syslog_device ||
		status.st_ino != outputs->syslog_inode);
}

size_t
log_outputs_open(const struct conf_global *global,
		 const struct log_outputs *instead, struct log_outputs *outputs,
		 struct error_list *problems)
{
	size_t failed = 0;

	*outputs = (struct log_outputs){
		.sinks = mem_array(global->log_count, sizeof(*outputs->sinks)),
	};
	for (size_t i = 0; i < global->log_count; i++) {
		const struct conf_log *log = &global->logs[i];
		struct error error = {0};
		int descriptor;

		/* Before it is connected: one that is replaced in between is
		 * seen to be another one. */
		if (log->target == CONF_LOG_SYSLOG)
			note_syslog(outputs);
		descriptor = open_output(log, &error);

		if (descriptor < 0) {
			error_list_add(problems, &error);
			failed++;
			if (instead && i < instead->count)
				descriptor = fcntl(instead->sinks[i].descriptor,
						   F_DUPFD_CLOEXEC, 3);
		}
		if (descriptor >= 0)
			outputs->sinks[outputs->count++] =
				describe(log, descriptor);
	}
	return failed;
}

void
log_outputs_close(struct log_outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		close(outputs->sinks[i].descriptor);
	mem_free(outputs->sinks);
	*outputs = (struct log_outputs){0};
}

int
log_outputs_apply(const struct log_outputs *outputs)
{
	struct log_sink *sinks AUTO_FREE =
		mem_dup(outputs->sinks, outputs->count * sizeof(*sinks));

	for (size_t i = 0; i < outputs->count; i++) {
		sinks[i].descriptor =
			fcntl(sinks[i].descriptor, F_DUPFD_CLOEXEC, 3);
		if (sinks[i].descriptor < 0) {
			int error_number = errno;

			while (i-- > 0)
				close(sinks[i].descriptor);
			errno = error_number;
			return -1;
		}
	}
	log_configure(sinks, outputs->count);
	return 0;
}
