/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation that aborts.
 */
#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No formatting and no log here: both might want memory. */
__attribute__((noreturn, cold)) static void
out_of_memory(void)
{
	static const char sentence[] = "sealock: out of memory\n";

	if (write(STDERR_FILENO, sentence, sizeof(sentence) - 1) < 0)
		abort();
	abort();
}

void *
mem_alloc(size_t size)
{
	return mem_array(1, size);
}

void *
mem_array(size_t count, size_t size)
{
	void *memory;

	/* calloc() may answer NULL to a size of 0. */
	if (count == 0 || size == 0)
		count = size = 1;
	memory = calloc(count, size);
	if (!memory)
		out_of_memory();
	return memory;
}

void *
mem_resize(void *memory, size_t count, size_t size)
{
	void *resized;

	/* realloc() may free the memory for a size of 0. */
	if (count == 0 || size == 0)
		count = size = 1;
	resized = reallocarray(memory, count, size);
	if (!resized)
		out_of_memory();
	return resized;
}

void *
mem_dup(const void *bytes, size_t size)
{
	void *copy = mem_alloc(size);

	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

char *
mem_strdup(const char *text)
{
	return mem_dup(text, strlen(text) + 1);
}

char *
mem_strndup(const char *text, size_t length)
{
	char *copy;

	length = strnlen(text, length);
	copy = mem_alloc(length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *
mem_format(const char *format, ...)
{
	char *text;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		out_of_memory();
	return text;
}

void
mem_free(void *memory)
{
	free(memory);
}

void
mem_wipe(void *memory, size_t size)
{
	if (size > 0)
		explicit_bzero(memory, size);
}

void
mem_free_pointer(void *variable)
{
	/* A copy, as the variable may be a pointer to anything. */
	void *memory;

	memcpy(&memory, variable, sizeof(memory));
	free(memory);
}
