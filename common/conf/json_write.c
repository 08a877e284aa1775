/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer that keeps commas and indentation right.
 */
#include "common/conf/json_write.h"

#include "common/conf/yaml_write.h"

static void
begin_line(struct json_writer *writer)
{
	putc('\n', writer->out);
	for (unsigned int i = 0; i < writer->depth; i++)
		fputs("  ", writer->out);
}

static void
begin_member(struct json_writer *writer, const char *name)
{
	if (writer->has_member)
		putc(',', writer->out);
	if (writer->depth > 0)
		begin_line(writer);
	writer->has_member = true;
	if (!name)
		return;
	yaml_write_quoted(writer->out, name);
	fputs(": ", writer->out);
}

void
json_write_open(struct json_writer *writer, const char *name, char bracket)
{
	begin_member(writer, name);
	putc(bracket, writer->out);
	writer->depth++;
	writer->has_member = false;
}

void
json_write_close(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (writer->has_member)
		begin_line(writer);
	putc(bracket, writer->out);
	writer->has_member = true;
	if (writer->depth == 0)
		putc('\n', writer->out);
}

void
json_write_string(struct json_writer *writer, const char *name,
		  const char *text)
{
	begin_member(writer, name);
	yaml_write_quoted(writer->out, text);
}

void
json_write_number(struct json_writer *writer, const char *name, uint64_t number)
{
	begin_member(writer, name);
	fprintf(writer->out, "%ju", (uintmax_t)number);
}

void
json_write_boolean(struct json_writer *writer, const char *name, bool value)
{
	begin_member(writer, name);
	fputs(value ? "true" : "false", writer->out);
}
