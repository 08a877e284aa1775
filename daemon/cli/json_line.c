/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commas, and escapes.
 */
#include "daemon/cli/json_line.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static void
put_text(struct json_line *line, const void *bytes, size_t length)
{
	size_t size = 6 * length + 1;
	AUTO_FREE char *text = mem_alloc(size);

	text_escape_json(bytes, length, text, size);
	fprintf(line->out, "\"%s\"", text);
}

static void
begin_member(struct json_line *line, const char *name)
{
	if (line->has_member)
		fputc(',', line->out);
	line->has_member = true;
	if (!name)
		return;
	put_text(line, name, strlen(name));
	fputc(':', line->out);
}

void
json_line_open(struct json_line *line, const char *name, char bracket)
{
	begin_member(line, name);
	fputc(bracket, line->out);
	line->has_member = false;
}

void
json_line_close(struct json_line *line, char bracket)
{
	fputc(bracket, line->out);
	line->has_member = true;
}

void
json_line_bytes(struct json_line *line, const char *name, const void *bytes,
		size_t length)
{
	begin_member(line, name);
	put_text(line, bytes, length);
}

void
json_line_text(struct json_line *line, const char *name, const char *text)
{
	if (text)
		json_line_bytes(line, name, text, strlen(text));
	else
		json_line_null(line, name);
}

void
json_line_number(struct json_line *line, const char *name, int64_t number)
{
	begin_member(line, name);
	fprintf(line->out, "%" PRId64, number);
}

void
json_line_boolean(struct json_line *line, const char *name, bool value)
{
	begin_member(line, name);
	fputs(value ? "true" : "false", line->out);
}

void
json_line_null(struct json_line *line, const char *name)
{
	begin_member(line, name);
	fputs("null", line->out);
}
