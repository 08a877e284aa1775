/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/unit.h"

/* What a log wrote, with a NUL behind it. */
static char written[1 << 17];

static struct log_sink
sink_new(int descriptor, enum log_form form, enum log_level level)
{
	return (struct log_sink){.descriptor = descriptor,
				 .form = form,
				 .level = level,
				 .is_for_events = true};
}

/* A file in memory as the only sink; the descriptor is the test's. */
static int
log_to_file(enum log_form form, enum log_level level)
{
	int file = memfd_create("log", MFD_CLOEXEC);
	struct log_sink sink;

	CU_ASSERT_FATAL(file >= 0);
	sink = sink_new(fcntl(file, F_DUPFD_CLOEXEC, 3), form, level);
	log_configure(&sink, 1);
	return file;
}

static const char *
read_file(int file)
{
	ssize_t got = pread(file, written, sizeof(written) - 1, 0);

	CU_ASSERT_FATAL(got >= 0);
	written[got] = '\0';
	return written;
}

static const char *
read_available(int descriptor)
{
	size_t length = 0;
	ssize_t got;

	fcntl(descriptor, F_SETFL, O_NONBLOCK);
	while ((got = read(descriptor, written + length,
			   sizeof(written) - 1 - length)) > 0)
		length += (size_t)got;
	written[length] = '\0';
	return written;
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void
start(void)
{
	log_set_role("unit");
	clock_shift(0);
}

static void
finish(int descriptor)
{
	close(descriptor);
	log_configure(NULL, 0);
}

static void
test_text_form(void)
{
	int file;
	char expected[64];
	const char *text;

	start();
	file = log_to_file(LOG_FORM_TEXT, LOG_LEVEL_INFO);
	log_info("certificate loaded", "file=%s names=%d", "web.pem", 2);
	log_error("it failed", NULL);
	log_debug("not seen", "why=%s", "level");
	text = read_file(file);
	snprintf(expected, sizeof(expected),
		 "Z info unit[%d]: certificate loaded file=web.pem names=2\n",
		 (int)getpid());
	CU_ASSERT_PTR_EQUAL(strstr(text, expected), text + 23);
	snprintf(expected, sizeof(expected), "Z error unit[%d]: it failed\n",
		 (int)getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(text, expected));
	CU_ASSERT_EQUAL(count_lines(text), 2);
	finish(file);
}

static void
test_json_form(void)
{
	int file;
	char expected[128];
	const char *text;

	start();
	file = log_to_file(LOG_FORM_JSON, LOG_LEVEL_INFO);
	log_warn("name \"x\"", "name=\"%s\"", "a\nb");
	text = read_file(file);
	snprintf(expected, sizeof(expected),
		 "Z\",\"level\":\"warn\",\"role\":\"unit\",\"pid\":%d,"
		 "\"event\":\"name \\\"x\\\"\","
		 "\"detail\":\"name=\\\"a\\nb\\\"\"}\n",
		 (int)getpid());
	CU_ASSERT_EQUAL(strncmp(text, "{\"time\":\"2", 10), 0);
	CU_ASSERT_PTR_EQUAL(strstr(text, expected),
			    text + strlen(text) - strlen(expected));
	finish(file);
}

static void
test_one_line(void)
{
	static const enum log_form forms[] = {LOG_FORM_TEXT, LOG_FORM_JSON};
	static char huge[10000];

	start();
	memset(huge, 'x', sizeof(huge) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		int file = log_to_file(forms[i], LOG_LEVEL_TRACE);
		const char *text;

		log_info("two\nlines", "detail=%s", "a\r\nb\x1b[31m");
		text = read_file(file);
		CU_ASSERT_EQUAL(count_lines(text), 1);
		CU_ASSERT_PTR_NULL(strchr(text, '\r'));
		CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
		CU_ASSERT_EQUAL(ftruncate(file, 0), 0);
		finish(file);

		file = log_to_file(forms[i], LOG_LEVEL_TRACE);
		log_trace("long", "detail=%s", huge);
		text = read_file(file);
		CU_ASSERT_EQUAL(strlen(text), PIPE_BUF);
		CU_ASSERT_STRING_EQUAL(
			text + PIPE_BUF - (forms[i] == LOG_FORM_JSON ? 6 : 4),
			forms[i] == LOG_FORM_JSON ? "...\"}\n" : "...\n");
		finish(file);
	}
}

static void
test_levels(void)
{
	enum log_level level = LOG_LEVEL_ERROR;
	struct log_sink sinks[2];
	int quiet = memfd_create("log", 0), loud = memfd_create("log", 0);

	start();
	sinks[0] = sink_new(dup(quiet), LOG_FORM_TEXT, LOG_LEVEL_ERROR);
	sinks[1] = sink_new(dup(loud), LOG_FORM_TEXT, LOG_LEVEL_DEBUG);
	log_configure(sinks, 2);
	CU_ASSERT_TRUE(log_is_enabled(LOG_LEVEL_DEBUG));
	CU_ASSERT_FALSE(log_is_enabled(LOG_LEVEL_TRACE));
	log_debug("one", NULL);
	log_trace("two", NULL);
	log_error("three", NULL);
	CU_ASSERT_EQUAL(count_lines(read_file(quiet)), 1);
	CU_ASSERT_EQUAL(count_lines(read_file(loud)), 2);
	close(quiet);
	finish(loud);
	CU_ASSERT_FALSE(log_is_enabled(LOG_LEVEL_ERROR));
	log_error("nowhere", NULL);

	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_TRACE; i++) {
		CU_ASSERT_EQUAL(
			log_level_parse(log_level_name((enum log_level)i),
					&level),
			0);
		CU_ASSERT_EQUAL((int)level, i);
	}
	CU_ASSERT_EQUAL(log_level_parse("warning", &level), 0);
	CU_ASSERT_EQUAL(level, LOG_LEVEL_WARN);
	CU_ASSERT_EQUAL(log_level_parse("", &level), -1);
	CU_ASSERT_EQUAL(log_level_parse("Info", &level), -1);
	CU_ASSERT_EQUAL(log_level_parse("notice", &level), -1);
	CU_ASSERT_EQUAL(level, LOG_LEVEL_WARN);
}

static void
test_errno_kept(void)
{
	struct log_sink sink = sink_new(open("/dev/full", O_WRONLY | O_CLOEXEC),
					LOG_FORM_TEXT, LOG_LEVEL_INFO);
	struct log_limit limit = {0};
	uint64_t before = log_dropped();

	start();
	log_configure(&sink, 1);
	errno = ENOENT;
	log_info("it failed", NULL);
	CU_ASSERT_EQUAL(errno, ENOENT);
	log_event_limited(&limit, LOG_LEVEL_INFO, "it failed", NULL);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(log_dropped(), before + 2);
	log_configure(NULL, 0);
}

/* A reader that does not read: lines are dropped, nothing waits, and it is
 * said how many as soon as there is room. */
static void
check_full(int reader, int writer)
{
	struct log_sink sink = sink_new(writer, LOG_FORM_TEXT, LOG_LEVEL_INFO);
	uint64_t before, lost;
	size_t lines;
	char expected[64];
	const char *text;

	start();
	log_configure(&sink, 1);
	before = log_dropped();
	for (lines = 0; lines < 20000 && log_dropped() < before + 7; lines++)
		log_info("a line", "number=%zu", lines);
	lost = log_dropped() - before;
	CU_ASSERT_EQUAL(lost, 7);
	text = read_available(reader);
	CU_ASSERT_EQUAL(count_lines(text), lines - lost);
	CU_ASSERT_PTR_NULL(strstr(text, "dropped"));
	log_info("after", NULL);
	text = read_available(reader);
	CU_ASSERT_EQUAL(count_lines(text), 2);
	snprintf(expected, sizeof(expected),
		 "warn unit[%d]: lines were dropped count=7\n", (int)getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(text, expected));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "after\n"));
	CU_ASSERT_EQUAL(log_dropped() - before, 7);
	finish(reader);
}

static void
test_full_pipe(void)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	check_full(ends[0], ends[1]);
}

static void
test_full_pipe_of_our_own(void)
{
	int ends[2], writer;

	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	writer = log_dup(ends[1]);
	CU_ASSERT_FATAL(writer >= 0);
	CU_ASSERT_TRUE(fcntl(writer, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_FALSE(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	CU_ASSERT_TRUE(fcntl(writer, F_GETFD) & FD_CLOEXEC);
	close(ends[1]);
	check_full(ends[0], writer);
	CU_ASSERT_EQUAL(log_dup(ends[1]), -1);
}

static void
test_full_socket(void)
{
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	check_full(ends[0], ends[1]);
}

static void
test_closed_reader(void)
{
	int ends[2];
	struct log_sink sink;
	uint64_t before = log_dropped();

	start();
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	sink = sink_new(ends[1], LOG_FORM_TEXT, LOG_LEVEL_INFO);
	log_configure(&sink, 1);
	close(ends[0]);
	log_info("lost", NULL);
	CU_ASSERT_EQUAL(log_dropped(), before + 1);
	log_configure(NULL, 0);
}

/* A disk that gets full in the middle of a line. */
static void
test_torn_line(void)
{
	char path[] = "/tmp/test_log.XXXXXX";
	int file = mkostemp(path, O_APPEND | O_CLOEXEC);
	struct log_sink sink;
	struct rlimit before, limit;
	const char *text;
	size_t length;

	start();
	CU_ASSERT_FATAL(file >= 0);
	unlink(path);
	sink = sink_new(dup(file), LOG_FORM_TEXT, LOG_LEVEL_INFO);
	log_configure(&sink, 1);
	log_info("first", NULL);
	length = strlen(read_file(file));

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = length + 10;
	setrlimit(RLIMIT_FSIZE, &limit);
	log_info("second", NULL);
	log_info("third", NULL);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);

	log_info("fourth", NULL);
	text = read_file(file);
	CU_ASSERT_EQUAL(text[length + 10], '\n');
	CU_ASSERT_EQUAL(count_lines(text), 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "lines were dropped count=2\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "fourth\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "third"));
	finish(file);
}

static void
test_syslog(void)
{
	int ends[2];
	struct log_sink sink;
	char expected[128], datagram[PIPE_BUF];
	ssize_t got;

	start();
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	sink = sink_new(ends[1], LOG_FORM_TEXT, LOG_LEVEL_INFO);
	sink.transport = LOG_TRANSPORT_SYSLOG;
	sink.facility = LOG_LOCAL3;
	sink.is_for_access = true;
	log_configure(&sink, 1);
	log_warn("no answer", "name=%s", "db");
	got = recv(ends[0], datagram, sizeof(datagram), MSG_DONTWAIT);
	snprintf(expected, sizeof(expected),
		 "<%d>sealock[%d]: unit: no answer name=db",
		 LOG_LOCAL3 | LOG_WARNING, (int)getpid());
	CU_ASSERT_EQUAL(got, (ssize_t)strlen(expected));
	CU_ASSERT_EQUAL(memcmp(datagram, expected, strlen(expected)), 0);

	log_access(LOG_FORM_TEXT, "a=1 b=2", 7);
	got = recv(ends[0], datagram, sizeof(datagram), MSG_DONTWAIT);
	snprintf(expected, sizeof(expected), "<%d>sealock[%d]: a=1 b=2",
		 LOG_LOCAL3 | LOG_INFO, (int)getpid());
	CU_ASSERT_EQUAL(got, (ssize_t)strlen(expected));
	CU_ASSERT_EQUAL(memcmp(datagram, expected, strlen(expected)), 0);
	finish(ends[0]);
}

static void
test_access(void)
{
	int events = memfd_create("log", 0), access = memfd_create("log", 0);
	static char huge[10000];
	struct log_sink sinks[2];
	const char *text;

	start();
	sinks[0] = sink_new(dup(events), LOG_FORM_TEXT, LOG_LEVEL_INFO);
	sinks[1] = sink_new(dup(access), LOG_FORM_JSON, LOG_LEVEL_INFO);
	sinks[1].is_for_events = false;
	sinks[1].is_for_access = true;
	log_configure(sinks, 2);
	CU_ASSERT_TRUE(log_has_access(LOG_FORM_JSON));
	CU_ASSERT_FALSE(log_has_access(LOG_FORM_TEXT));
	log_access(LOG_FORM_JSON, "{\"a\":1}", 7);
	log_access(LOG_FORM_TEXT, "a=1", 3);
	log_info("an event", NULL);
	CU_ASSERT_STRING_EQUAL(read_file(access), "{\"a\":1}\n");
	text = read_file(events);
	CU_ASSERT_EQUAL(count_lines(text), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "an event"));

	memset(huge, 'x', sizeof(huge));
	CU_ASSERT_EQUAL(ftruncate(access, 0), 0);
	lseek(access, 0, SEEK_SET);
	log_access(LOG_FORM_JSON, huge, sizeof(huge));
	text = read_file(access);
	CU_ASSERT_EQUAL(strlen(text), PIPE_BUF);
	CU_ASSERT_STRING_EQUAL(text + PIPE_BUF - 5, "x...\n");
	close(access);
	finish(events);
}

/* Records that were lost are told of among the events, not the records. */
static void
test_access_lost(void)
{
	int events = memfd_create("log", 0), ends[2];
	struct log_sink sinks[2];
	uint64_t before = log_dropped();
	const char *text;

	start();
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	sinks[0] = sink_new(dup(events), LOG_FORM_TEXT, LOG_LEVEL_INFO);
	sinks[1] = sink_new(ends[1], LOG_FORM_TEXT, LOG_LEVEL_INFO);
	sinks[1].is_for_events = false;
	sinks[1].is_for_access = true;
	log_configure(sinks, 2);
	for (int i = 0; i < 20000 && log_dropped() < before + 3; i++)
		log_access(LOG_FORM_TEXT, "record", 6);
	CU_ASSERT_EQUAL(log_dropped(), before + 3);
	read_available(ends[0]);
	log_access(LOG_FORM_TEXT, "record", 6);
	CU_ASSERT_STRING_EQUAL(read_available(ends[0]), "record\n");
	text = read_file(events);
	CU_ASSERT_EQUAL(count_lines(text), 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "access records were dropped count=3\n"));
	close(ends[0]);
	finish(events);
}

static void
test_limited(void)
{
	struct log_limit limit = {0};
	int file;
	const char *text;

	start();
	file = log_to_file(LOG_FORM_TEXT, LOG_LEVEL_INFO);
	for (int i = 0; i < 25; i++)
		log_event_limited(&limit, LOG_LEVEL_INFO, "junk", "i=%d", i);
	CU_ASSERT_EQUAL(count_lines(read_file(file)), 10);
	clock_shift(1000);
	log_event_limited(&limit, LOG_LEVEL_INFO, "junk", "i=%d", 25);
	text = read_file(file);
	CU_ASSERT_EQUAL(count_lines(text), 12);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "junk suppressed=15\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "junk i=25\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "junk i=10\n"));
	/* A quiet second later there is nothing to tell. */
	clock_shift(2000);
	log_event_limited(&limit, LOG_LEVEL_INFO, "junk", NULL);
	CU_ASSERT_EQUAL(count_lines(read_file(file)), 13);
	/* What nobody sees is not counted. */
	for (int i = 0; i < 25; i++)
		log_event_limited(&limit, LOG_LEVEL_DEBUG, "junk", NULL);
	CU_ASSERT_EQUAL(limit.suppressed, 0);
	clock_shift(0);
	finish(file);
}

static void
test_clock_format(void)
{
	char buffer[25];

	CU_ASSERT_STRING_EQUAL(clock_format(0, buffer),
			       "1970-01-01T00:00:00.000Z");
	CU_ASSERT_STRING_EQUAL(clock_format(INT64_C(1795326923123), buffer),
			       "2026-11-22T05:55:23.123Z");
	CU_ASSERT_STRING_EQUAL(clock_format(-5, buffer),
			       "1970-01-01T00:00:00.000Z");
	CU_ASSERT_STRING_EQUAL(clock_format(INT64_MAX, buffer),
			       "9999-12-31T23:59:59.999Z");
}

UNIT_SUITE(log, {"text_form", test_text_form}, {"json_form", test_json_form},
	   {"one_line", test_one_line}, {"levels", test_levels},
	   {"errno_kept", test_errno_kept}, {"full_pipe", test_full_pipe},
	   {"full_pipe_of_our_own", test_full_pipe_of_our_own},
	   {"full_socket", test_full_socket},
	   {"closed_reader", test_closed_reader}, {"torn_line", test_torn_line},
	   {"syslog", test_syslog}, {"access", test_access},
	   {"access_lost", test_access_lost}, {"limited", test_limited},
	   {"clock_format", test_clock_format});
