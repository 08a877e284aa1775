/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layers, one after the other; what cannot be had is noted.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/process/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "daemon/process/sandbox_landlock.h"
#include "daemon/process/sandbox_probe.h"

/* Builds for tests. AddressSanitizer makes calls and looks for files of its
 * own; a coverage build writes what it counted into files at its end. */
#if defined(SEALOCK_SANITIZED)
#define BUILD      "it is built with AddressSanitizer"
#define LOGS_CALLS false
#elif defined(SEALOCK_COVERAGE)
#define BUILD      "it is built for coverage"
#define LOGS_CALLS true
#else
#define BUILD      NULL
#define LOGS_CALLS false
#endif

#define STORE                                                              \
	"a private key is in a store, whose library needs files and what " \
	"else it likes"

__attribute__((format(printf, 3, 4))) static void
note(char *list, size_t size, const char *format, ...)
{
	size_t length = strlen(list);
	va_list arguments;

	if (length > 0)
		length += (size_t)snprintf(list + length, size - length, "%s",
					   "; ");
	if (length >= size)
		return;
	va_start(arguments, format);
	vsnprintf(list + length, size - length, format, arguments);
	va_end(arguments);
}

#define NOTE(list, ...) note(list, sizeof(list), __VA_ARGS__)

/* libc reads the time zone when it first formats a time. */
static void
read_ahead(void)
{
	tzset();
}

static void
drop_root(struct privileges *privileges)
{
	if (privileges->root >= 0)
		close(privileges->root);
	privileges->root = -1;
}

static void
enter_landlock(const struct sandbox_filter *filter,
	       struct sandbox_report *report)
{
	struct error error = {0};
	char level[64];

	if (sandbox_landlock_enter(filter->role, &error) != 0)
		NOTE(report->missing, "%s", error.text);
	else
		NOTE(report->reached, "%s",
		     sandbox_landlock_describe(sandbox_landlock_level(), level,
					       sizeof(level)));
}

static void
enter_seccomp(const struct sandbox_filter *filter,
	      struct sandbox_report *report)
{
	struct error error = {0};

	if (filter->answer == SANDBOX_KILL &&
	    sandbox_probe(filter, &error) != 0)
		NOTE(report->missing, "%s", error.text);
	if (sandbox_seccomp_load(filter, &error) != 0)
		NOTE(report->missing, "seccomp: %s", error.text);
	else
		NOTE(report->reached, "seccomp");
}

/* Who looks paths up after the start, so that none may be gone. */
static bool
has_paths(enum sandbox_role role)
{
	return role == SANDBOX_HELPER || role == SANDBOX_BROKER;
}

/* Why there is no sandbox whatever the kernel has, or NULL. */
static const char *
find_obstacle(const struct sandbox_options *options)
{
	const char *build = BUILD;

	if (build)
		return build;
	return options->has_store ? STORE : NULL;
}

int
sandbox_enter(enum sandbox_role role, struct sandbox_options *options,
	      struct sandbox_report *report, struct error *error)
{
	const struct sandbox_filter filter = {
		.role = role,
		.answer = LOGS_CALLS ? SANDBOX_LOG : SANDBOX_KILL,
	};
	const char *obstacle = find_obstacle(options);
	bool is_wanted = options->mode != SANDBOX_OFF;

	*report = (struct sandbox_report){0};
	read_ahead();
	if (has_paths(role))
		drop_root(&options->privileges);
	if (obstacle && (is_wanted || options->privileges.root >= 0))
		NOTE(report->missing, "%s", obstacle);
	if (obstacle)
		drop_root(&options->privileges);
	if (options->privileges.root >= 0)
		NOTE(report->reached, "chroot");
	if (privileges_drop(&options->privileges, error) != 0)
		return -1;
	if (is_wanted && !obstacle)
		enter_landlock(&filter, report);
	/* Undone by nothing that follows, and not permitted any more then. */
	if (privileges_hide(error) != 0)
		return -1;
	if (is_wanted && (!obstacle || LOGS_CALLS))
		enter_seccomp(&filter, report);
	if (options->mode != SANDBOX_REQUIRED || report->missing[0] == '\0')
		return 0;
	error_set(error, "a sandbox is required: %s", report->missing);
	return -1;
}

void
sandbox_options_write(struct buf_writer *writer,
		      const struct sandbox_options *options)
{
	buf_write_u8(writer, (uint8_t)options->mode);
	buf_write_u32(writer, options->privileges.uid);
	buf_write_u32(writer, options->privileges.gid);
	buf_write_u8(writer, options->has_store);
	buf_write_u8(writer, options->needs_broker);
}

int
sandbox_options_read(struct buf_reader *reader, struct sandbox_options *options)
{
	uint8_t mode = buf_read_u8(reader);
	uint32_t uid = buf_read_u32(reader);
	uint32_t gid = buf_read_u32(reader);
	uint8_t has_store = buf_read_u8(reader);
	uint8_t needs_broker = buf_read_u8(reader);

	if (reader->failed || mode > SANDBOX_OFF || has_store > 1 ||
	    needs_broker > 1)
		return -1;
	*options = (struct sandbox_options){
		.mode = (enum sandbox_mode)mode,
		.privileges = {.uid = uid, .gid = gid, .root = -1},
		.has_store = has_store,
		.needs_broker = needs_broker,
	};
	return 0;
}

const char *
sandbox_describe(char *buffer, size_t size)
{
	const char *build = BUILD;
	char level[64];

	buffer[0] = '\0';
	if (build)
		note(buffer, size, "none, as %s", build);
	else
		note(buffer, size, "seccomp");
	if (!build && sandbox_landlock_level() > 0)
		note(buffer, size, "%s",
		     sandbox_landlock_describe(sandbox_landlock_level(), level,
					       sizeof(level)));
	return buffer;
}
