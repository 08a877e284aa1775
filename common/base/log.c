/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of one role. A line is built on the stack, at most PIPE_BUF long so
 * that lines of several processes never mix, and written in one call.
 */
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/text.h"

#define LINE_MAX_BYTES   PIPE_BUF
#define LIMIT_WINDOW_MS  1000
#define LIMIT_PER_WINDOW 10

/* What a descriptor needs so that writing to it never waits. */
enum output_kind {
	OUTPUT_READY,  /* nothing: a file, or it has O_NONBLOCK */
	OUTPUT_SOCKET, /* MSG_DONTWAIT */
	OUTPUT_OTHER,  /* a pipe or a terminal that others share: asking */
};

struct output {
	struct log_sink sink;
	enum output_kind kind;
	uint64_t lost; /* lines since it last worked */
	bool is_torn;  /* the last line was written in part */
};

struct line {
	char bytes[LINE_MAX_BYTES];
	size_t length;
};

static struct output standard_error = {
	.sink = {.descriptor = STDERR_FILENO,
		 .level = LOG_LEVEL_INFO,
		 .is_for_events = true},
	.kind = OUTPUT_OTHER,
};
static struct output *outputs = &standard_error;
static size_t output_count = 1;
static uint64_t dropped;
static char role_name[32] = "sealock";

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_TRACE] = "trace",
};

static const int level_priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,   [LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_INFO] = LOG_INFO,   [LOG_LEVEL_DEBUG] = LOG_DEBUG,
	[LOG_LEVEL_TRACE] = LOG_DEBUG,
};

void
log_set_role(const char *role)
{
	snprintf(role_name, sizeof(role_name), "%s", role);
}

const char *
log_role(void)
{
	return role_name;
}

static enum output_kind
output_kind(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL);
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return OUTPUT_OTHER;
	if (S_ISSOCK(status.st_mode))
		return OUTPUT_SOCKET;
	if (S_ISREG(status.st_mode) || (flags >= 0 && (flags & O_NONBLOCK)))
		return OUTPUT_READY;
	return OUTPUT_OTHER;
}

int
log_dup(int descriptor)
{
	char path[32];
	int opened = -1;

	if (output_kind(descriptor) == OUTPUT_OTHER) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
		opened = open(path, O_WRONLY | O_APPEND | O_NONBLOCK |
					    O_NOCTTY | O_CLOEXEC);
	}
	return opened >= 0 ? opened : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

void
log_configure(const struct log_sink *sinks, size_t count)
{
	struct output *before = outputs;
	size_t before_count = output_count;

	outputs = mem_array(count, sizeof(*outputs));
	output_count = count;
	for (size_t i = 0; i < count; i++) {
		outputs[i].sink = sinks[i];
		outputs[i].kind = output_kind(sinks[i].descriptor);
	}
	if (before == &standard_error)
		return;
	for (size_t i = 0; i < before_count; i++)
		if (before[i].sink.descriptor > STDERR_FILENO)
			close(before[i].sink.descriptor);
	mem_free(before);
}

bool
log_is_enabled(enum log_level level)
{
	for (size_t i = 0; i < output_count; i++)
		if (outputs[i].sink.is_for_events &&
		    level <= outputs[i].sink.level)
			return true;
	return false;
}

/* Append what fits; the last byte stays free for a newline. */
__attribute__((format(printf, 2, 3))) static void
line_printf(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->bytes) - line->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line->bytes + line->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		line->length +=
			(size_t)length < room ? (size_t)length : room - 1;
}

static void
line_start(struct line *line, const struct log_sink *sink, enum log_level level)
{
	line->length = 0;
	if (sink->transport == LOG_TRANSPORT_SYSLOG)
		line_printf(line, "<%d>sealock[%d]: ",
			    sink->facility | level_priorities[level],
			    (int)getpid());
}

/* One event in the form of one sink. */
static void
line_event(struct line *line, const struct log_sink *sink, enum log_level level,
	   const char *sentence, const char *detail)
{
	char time[32];
	size_t detail_length = strlen(detail);

	line_start(line, sink, level);
	if (sink->form == LOG_FORM_JSON) {
		line_printf(line,
			    "{\"time\":\"%s\",\"level\":\"%s\",\"role\":\"%s\","
			    "\"pid\":%d,\"event\":\"",
			    clock_format(clock_real_ms(), time),
			    level_names[level], role_name, (int)getpid());
		line->length += text_escape_json(
			sentence, strlen(sentence), line->bytes + line->length,
			sizeof(line->bytes) / 2 - line->length);
		line_printf(line, "\",\"detail\":\"");
		/* Room for the end, and a newline in place of the NUL. */
		line->length += text_escape_json(
			detail, detail_length, line->bytes + line->length,
			sizeof(line->bytes) - line->length - 2);
		line_printf(line, "\"}");
		return;
	}
	if (sink->transport == LOG_TRANSPORT_SYSLOG)
		line_printf(line, "%s: ", role_name);
	else
		line_printf(line, "%s %s %s[%d]: ",
			    clock_format(clock_real_ms(), time),
			    level_names[level], role_name, (int)getpid());
	line->length += text_escape_line(
		sentence, strlen(sentence), line->bytes + line->length,
		sizeof(line->bytes) / 2 - line->length);
	if (detail_length > 0) {
		line_printf(line, " ");
		line->length += text_escape_line(
			detail, detail_length, line->bytes + line->length,
			sizeof(line->bytes) - line->length);
	}
}

/* One write that does not wait; true when all of it went out. */
static bool
output_write(struct output *output, const char *bytes, size_t length)
{
	int descriptor = output->sink.descriptor;
	struct pollfd room = {.fd = descriptor, .events = POLLOUT};
	ssize_t written;

	if (output->kind == OUTPUT_OTHER && poll(&room, 1, 0) != 1)
		return false;
	do
		written = output->kind == OUTPUT_SOCKET
				  ? send(descriptor, bytes, length,
					 MSG_DONTWAIT | MSG_NOSIGNAL)
				  : write(descriptor, bytes, length);
	while (written < 0 && errno == EINTR);
	if (written > 0)
		output->is_torn =
			bytes[written - 1] != '\n' &&
			output->sink.transport == LOG_TRANSPORT_STREAM;
	return written == (ssize_t)length;
}

/* Takes a line without its newline. */
static bool
output_line(struct output *output, struct line *line)
{
	if (output->sink.transport == LOG_TRANSPORT_STREAM)
		line->bytes[line->length++] = '\n';
	/* End the line that was cut off by a full disk before. */
	if (output->is_torn && !output_write(output, "\n", 1))
		return false;
	return output_write(output, line->bytes, line->length);
}

static void
output_lost(struct output *output)
{
	output->lost++;
	dropped++;
}

/* Say how many lines an output has lost, in it; false: it still loses them. */
static bool
output_recover(struct output *output)
{
	struct line line;
	char count[32];

	if (output->lost == 0 || !output->sink.is_for_events)
		return true;
	snprintf(count, sizeof(count), "count=%ju", (uintmax_t)output->lost);
	line_event(&line, &output->sink, LOG_LEVEL_WARN, "lines were dropped",
		   count);
	if (!output_line(output, &line))
		return false;
	output->lost = 0;
	return true;
}

static void
output_event(struct output *output, enum log_level level, const char *sentence,
	     const char *detail)
{
	struct line line;

	if (output_recover(output)) {
		line_event(&line, &output->sink, level, sentence, detail);
		if (output_line(output, &line))
			return;
	}
	output_lost(output);
}

static void
write_event(enum log_level level, const char *sentence, const char *detail)
{
	for (size_t i = 0; i < output_count; i++)
		if (outputs[i].sink.is_for_events &&
		    level <= outputs[i].sink.level)
			output_event(&outputs[i], level, sentence, detail);
}

__attribute__((format(printf, 3, 0))) static void
format_event(enum log_level level, const char *sentence, const char *format,
	     va_list arguments)
{
	/* More than a line holds, so that the escaper sees what it cuts. */
	char detail[LINE_MAX_BYTES + 1] = "";

	if (format)
		vsnprintf(detail, sizeof(detail), format, arguments);
	write_event(level, sentence, detail);
}

void
log_event(enum log_level level, const char *sentence, const char *format, ...)
{
	int saved_errno = errno;
	va_list arguments;

	if (!log_is_enabled(level))
		return;
	va_start(arguments, format);
	format_event(level, sentence, format, arguments);
	va_end(arguments);
	errno = saved_errno;
}

void
log_event_limited(struct log_limit *limit, enum log_level level,
		  const char *sentence, const char *format, ...)
{
	int saved_errno = errno;
	int64_t now_ms;
	va_list arguments;

	if (!log_is_enabled(level))
		return;
	now_ms = clock_monotonic_ms();
	if (limit->count == 0 || now_ms - limit->window_ms >= LIMIT_WINDOW_MS) {
		unsigned int suppressed = limit->suppressed;

		*limit = (struct log_limit){.window_ms = now_ms};
		if (suppressed > 0)
			log_event(level, sentence, "suppressed=%u", suppressed);
	}
	if (limit->count == LIMIT_PER_WINDOW) {
		limit->suppressed++;
		return;
	}
	limit->count++;
	errno = saved_errno;
	va_start(arguments, format);
	format_event(level, sentence, format, arguments);
	va_end(arguments);
	errno = saved_errno;
}

bool
log_has_access(enum log_form form)
{
	for (size_t i = 0; i < output_count; i++)
		if (outputs[i].sink.is_for_access &&
		    outputs[i].sink.form == form)
			return true;
	return false;
}

static void
output_access(struct output *output, const char *record, size_t length)
{
	struct line line;
	size_t room;
	uint64_t lost;

	if (!output_recover(output)) {
		output_lost(output);
		return;
	}
	line_start(&line, &output->sink, LOG_LEVEL_INFO);
	room = sizeof(line.bytes) - line.length - 1;
	memcpy(line.bytes + line.length, record, length < room ? length : room);
	line.length += length < room ? length : room;
	if (length > room)
		memcpy(line.bytes + line.length - 3, "...", 3);
	if (!output_line(output, &line)) {
		output_lost(output);
		return;
	}
	/* A file of records holds records alone: the events say it. */
	lost = output->lost;
	output->lost = 0;
	if (lost > 0)
		log_event(LOG_LEVEL_WARN, "access records were dropped",
			  "count=%ju", (uintmax_t)lost);
}

void
log_access(enum log_form form, const char *line, size_t length)
{
	int saved_errno = errno;

	for (size_t i = 0; i < output_count; i++)
		if (outputs[i].sink.is_for_access &&
		    outputs[i].sink.form == form)
			output_access(&outputs[i], line, length);
	errno = saved_errno;
}

uint64_t
log_dropped(void)
{
	return dropped;
}

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

int
log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	if (strcmp(name, "warning") == 0) {
		*level = LOG_LEVEL_WARN;
		return 0;
	}
	return -1;
}
