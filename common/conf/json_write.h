/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON, indented. Private to common/conf.
 */
#ifndef SEALOCK_CONF_JSON_WRITE_H
#define SEALOCK_CONF_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer {
	FILE *out;
	unsigned int depth;
	bool has_member; /* what is open is not empty */
};

/* Each takes the member's name, or NULL in an array. */
void
json_write_open(struct json_writer *writer, const char *name, char bracket);
void
json_write_close(struct json_writer *writer, char bracket);
void
json_write_string(struct json_writer *writer, const char *name,
		  const char *text);
void
json_write_number(struct json_writer *writer, const char *name,
		  uint64_t number);
void
json_write_boolean(struct json_writer *writer, const char *name, bool value);

#endif
