/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences about what went wrong. Whatever an operator's file put into one
 * is made fit for a terminal here, once, so that nobody has to think of it.
 */
#include "common/base/error.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* Longer than the sentence, so that text_escape_line() sees what is cut. */
#define DRAFT_SIZE (2 * sizeof(((struct error *)0)->text))

__attribute__((format(printf, 2, 0))) static void
set_sentence(struct error *error, const char *format, va_list arguments)
{
	char draft[DRAFT_SIZE];

	vsnprintf(draft, sizeof(draft), format, arguments);
	text_escape_line(draft, strlen(draft), error->text,
			 sizeof(error->text));
}

void
error_set(struct error *error, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return;
	va_start(arguments, format);
	set_sentence(error, format, arguments);
	va_end(arguments);
}

void
error_set_at(struct error *error, const struct position *at, const char *format,
	     ...)
{
	va_list arguments;

	if (!error)
		return;
	error->at = *at;
	va_start(arguments, format);
	set_sentence(error, format, arguments);
	va_end(arguments);
}

void
error_prefix(struct error *error, const char *format, ...)
{
	char draft[DRAFT_SIZE];
	size_t length;
	va_list arguments;

	if (!error)
		return;
	va_start(arguments, format);
	vsnprintf(draft, sizeof(draft), format, arguments);
	va_end(arguments);
	length = strlen(draft);
	snprintf(draft + length, sizeof(draft) - length, "%s", error->text);
	text_escape_line(draft, strlen(draft), error->text,
			 sizeof(error->text));
}

void
error_list_add(struct error_list *list, const struct error *error)
{
	/* It is full whenever the count is a power of two (or 0). */
	if ((list->count & (list->count - 1)) == 0)
		list->errors = mem_resize(list->errors,
					  list->count ? 2 * list->count : 1,
					  sizeof(*list->errors));
	list->errors[list->count++] = *error;
}

void
error_list_addf(struct error_list *list, const struct position *at,
		const char *format, ...)
{
	struct error error = {.at = *at};
	va_list arguments;

	va_start(arguments, format);
	set_sentence(&error, format, arguments);
	va_end(arguments);
	error_list_add(list, &error);
}

void
error_list_clear(struct error_list *list)
{
	mem_free(list->errors);
	list->errors = NULL;
	list->count = 0;
}

const char *
error_format(const struct error *error, char *buffer, size_t size)
{
	if (error->at.line == 0)
		snprintf(buffer, size, "%s", error->text);
	else
		snprintf(buffer, size, "%s:%u:%u: %s", error->at.file,
			 error->at.line, error->at.column, error->text);
	return buffer;
}

void
error_list_show(const struct error_list *list, const char *prefix)
{
	char text[1024];

	for (size_t i = 0; i < list->count; i++)
		fprintf(stderr, "%s%s\n", prefix,
			error_format(&list->errors[i], text, sizeof(text)));
}
