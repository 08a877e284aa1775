/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of one role: whole lines to descriptors that were handed to it.
 * Nothing waits for a log: a line that cannot be written at once is dropped
 * and counted, and the count is logged when writing works again.
 *
 * An event is one sentence followed by key=value pairs:
 *
 *	log_info("certificate loaded", "file=%s names=%zu", path, count);
 *
 * Text form: TIME LEVEL ROLE[PID]: sentence key=value ...
 * JSON form: {"time":"…","level":"info","role":"worker","pid":7,
 *	       "event":"sentence","detail":"key=value …"}
 * Bytes from the network are escaped by the caller (text_escape()); control
 * characters that are there all the same are escaped here, so that one event
 * is one line whatever is in it. Secrets have no formatter.
 */
#ifndef SEALOCK_BASE_LOG_H
#define SEALOCK_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
};

enum log_form {
	LOG_FORM_TEXT,
	LOG_FORM_JSON,
};

enum log_transport {
	LOG_TRANSPORT_STREAM, /* a file, a pipe, a terminal: lines */
	LOG_TRANSPORT_SYSLOG, /* a datagram socket connected to syslog */
};

struct log_sink {
	int descriptor;
	enum log_transport transport;
	enum log_form form;
	enum log_level level; /* events up to this level */
	int facility;         /* syslog: LOG_DAEMON and so on */
	bool is_for_events;
	bool is_for_access;
};

/* Who is logging; before the first log_configure() events up to info go to
 * standard error as text. The name is copied. */
void
log_set_role(const char *role);
const char *
log_role(void);

/* Replace all sinks; copies the array and takes the descriptors (those of
 * the sinks before are closed, but never 0, 1 and 2). */
void
log_configure(const struct log_sink *sinks, size_t count);

/* A second descriptor, for a sink, of what a first one writes to; -1: errno
 * says why. A pipe or a terminal is opened anew where that is permitted, so
 * that writing need not wait: O_NONBLOCK on standard error itself would fall
 * upon whoever shares it. */
int
log_dup(int descriptor);

bool
log_is_enabled(enum log_level level);

/* A format of NULL: the sentence says it all. */
void
log_event(enum log_level level, const char *sentence, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_event(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_event(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                           \
	do {                                                     \
		if (log_is_enabled(LOG_LEVEL_DEBUG))             \
			log_event(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)
#define log_trace(...)                                           \
	do {                                                     \
		if (log_is_enabled(LOG_LEVEL_TRACE))             \
			log_event(LOG_LEVEL_TRACE, __VA_ARGS__); \
	} while (0)

/* A peer's fault: like log_event(), but each call site (the struct is static
 * there) may log 10 lines a second; what is more is counted and told in one
 * line, "suppressed=N", before the first line of a later second. */
struct log_limit {
	int64_t window_ms;
	unsigned int count;
	unsigned int suppressed;
};
void
log_event_limited(struct log_limit *limit, enum log_level level,
		  const char *sentence, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Is there a sink for access records of this form? */
bool
log_has_access(enum log_form form);

/* Write one access record, a whole line without its newline, to every access
 * sink of that form. */
void
log_access(enum log_form form, const char *line, size_t length);

/* Lines that could not be written since the start. */
uint64_t
log_dropped(void);

/* "error", "warn", "info", "debug", "trace"; parsing takes these and
 * "warning"; returns -1 otherwise. */
const char *
log_level_name(enum log_level level);
int
log_level_parse(const char *name, enum log_level *level);

#endif
