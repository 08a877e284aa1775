/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON on one line, for what commands tell programs. Every text is escaped
 * here, so that bytes from outside may be passed as they are.
 */
#ifndef SEALOCK_CLI_JSON_LINE_H
#define SEALOCK_CLI_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Zeroed but for out is the beginning. */
struct json_line {
	FILE *out;
	bool has_member; /* what is open is not empty */
};

/* Each takes the member's name, or NULL in an array and at the top. */
void
json_line_open(struct json_line *line, const char *name, char bracket);
void
json_line_close(struct json_line *line, char bracket);
void
json_line_bytes(struct json_line *line, const char *name, const void *bytes,
		size_t length);
/* A NULL text is null. */
void
json_line_text(struct json_line *line, const char *name, const char *text);
void
json_line_number(struct json_line *line, const char *name, int64_t number);
void
json_line_boolean(struct json_line *line, const char *name, bool value);
void
json_line_null(struct json_line *line, const char *name);

#endif
