/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets of logs.
 */
#include "common/conf/log_target.h"

#include <string.h>
#include <syslog.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_documents.h"

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{"daemon", LOG_DAEMON},     {"auth", LOG_AUTH},
	{"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
	{"ftp", LOG_FTP},           {"lpr", LOG_LPR},
	{"mail", LOG_MAIL},         {"news", LOG_NEWS},
	{"user", LOG_USER},         {"uucp", LOG_UUCP},
	{"local0", LOG_LOCAL0},     {"local1", LOG_LOCAL1},
	{"local2", LOG_LOCAL2},     {"local3", LOG_LOCAL3},
	{"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
	{"local6", LOG_LOCAL6},     {"local7", LOG_LOCAL7},
};

static const char file_prefix[] = "file:";
static const char syslog_prefix[] = "syslog:";

static const char *
skip_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* -1 when there is no such facility. */
static int
find_facility(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(facilities); i++)
		if (strcmp(facilities[i].name, name) == 0)
			return facilities[i].facility;
	return -1;
}

bool
log_target_is_valid(const char *text)
{
	const char *path = skip_prefix(text, file_prefix);
	const char *facility = skip_prefix(text, syslog_prefix);

	if (path)
		return path[0] != '\0';
	if (facility)
		return find_facility(facility) >= 0;
	return strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0;
}

char *
log_target_absolute(struct conf_facts *facts, const struct position *at,
		    const char *text)
{
	const char *path = skip_prefix(text, file_prefix);
	AUTO_FREE char *absolute = NULL;

	if (!path)
		return mem_strdup(text);
	absolute = conf_path_absolute(facts, at, path);
	return mem_format("%s%s", file_prefix, absolute);
}

void
log_target_store(const char *text, struct conf_log *log)
{
	const char *path = skip_prefix(text, file_prefix);
	const char *facility = skip_prefix(text, syslog_prefix);

	log->facility = LOG_DAEMON;
	if (path) {
		log->target = CONF_LOG_FILE;
		log->path = mem_strdup(path);
	} else if (strcmp(text, "stderr") == 0) {
		log->target = CONF_LOG_STDERR;
	} else {
		log->target = CONF_LOG_SYSLOG;
		if (facility)
			log->facility = find_facility(facility);
	}
}
