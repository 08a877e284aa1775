/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members that nobody knows are passed over, so that an authorizer may say
 * more to others; everything that could be read in two ways (a member twice,
 * two lines, a string for a boolean) is no answer.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/worker/authorize_answer.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

/* A reason in the access record. */
#define REASON_MAX 160

__attribute__((format(printf, 2, 3))) static enum authorizer_decision
failed(char *detail, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(detail, AUTHORIZE_DETAIL_MAX, format, arguments);
	va_end(arguments);
	return AUTHORIZER_FAILED;
}

#ifdef HAVE_JANSSON

#include <jansson.h>

static enum authorizer_decision
denied(const json_t *answer, char *detail)
{
	const json_t *reason = json_object_get(answer, "reason");
	char escaped[REASON_MAX];

	if (json_is_string(reason) && json_string_length(reason) > 0) {
		text_escape_line(json_string_value(reason),
				 json_string_length(reason), escaped,
				 sizeof(escaped));
		snprintf(detail, AUTHORIZE_DETAIL_MAX,
			 "the authorizer said no: %s", escaped);
	} else {
		snprintf(detail, AUTHORIZE_DETAIL_MAX,
			 "the authorizer said no");
	}
	return AUTHORIZER_DENIES;
}

static enum authorizer_decision
read_object(const json_t *answer, char *detail)
{
	const json_t *allow = json_object_get(answer, "allow");

	if (!json_is_object(answer))
		return failed(detail, "the authorizer's answer is no object");
	if (!allow)
		return failed(detail, "the authorizer's answer has no `allow`");
	if (!json_is_boolean(allow))
		return failed(detail, "the authorizer's `allow` is neither "
				      "true nor false");
	if (json_is_false(allow))
		return denied(answer, detail);
	detail[0] = '\0';
	return AUTHORIZER_ALLOWS;
}

static enum authorizer_decision
parse(const char *line, size_t length, char *detail)
{
	json_error_t error;
	json_t *answer = json_loadb(
		line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	enum authorizer_decision decision;

	if (!answer)
		return failed(detail,
			      "the authorizer's answer is no JSON object "
			      "(column %d)",
			      error.column);
	decision = read_object(answer, detail);
	json_decref(answer);
	return decision;
}

#else

/* A configuration that asks somebody is refused before it gets here. */
static enum authorizer_decision
parse(const char *line, size_t length, char *detail)
{
	(void)line;
	(void)length;
	return failed(detail, "this sealock was built without jansson");
}

#endif

enum authorizer_decision
authorize_answer_read(const char *bytes, size_t length, char *detail)
{
	const char *end = length > 0 ? memchr(bytes, '\n', length) : NULL;

	if (length > AUTHORIZE_ANSWER_MAX)
		return failed(detail, "the authorizer's answer is too long");
	if (!end)
		return failed(detail, "the authorizer's answer is no line");
	if (end + 1 != bytes + length)
		return failed(detail,
			      "the authorizer answered with more than one "
			      "line");
	return parse(bytes, length - 1, detail);
}
