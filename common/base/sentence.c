/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsnprintf(3) at the end of what is there.
 */
#include "common/base/sentence.h"

#include <stdarg.h>
#include <stdio.h>

void
sentence_add(struct sentence *sentence, const char *format, ...)
{
	size_t room = sentence->size - sentence->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(sentence->buffer + sentence->length, room, format,
			   arguments);
	va_end(arguments);
	if (length > 0)
		sentence->length +=
			(size_t)length < room ? (size_t)length : room - 1;
}
