/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jansson for what an authorizer is asked and answers. Private to authorize_*.
 */
#ifndef SEALOCK_WORKER_AUTHORIZE_JSON_H
#define SEALOCK_WORKER_AUTHORIZE_JSON_H

#include <stddef.h>

struct json_t;

/* Once a process, before its sandbox: jansson takes its memory from mem_*, so
 * that nothing fails for want of it, and the seed of its hash tables from
 * OpenSSL. */
void
authorize_json_init(void);

/* A member, an element. Takes the value, which must be one. */
void
authorize_json_put(struct json_t *object, const char *name,
		   struct json_t *value);
void
authorize_json_append(struct json_t *array, struct json_t *value);

/* Bytes of a peer's as a string: UTF-8 as it is; where there is anything else
 * in it, a control character (a NUL) or a backslash, every byte that is not
 * printable ASCII, and the backslash, is \xNN. So no two come out alike, and
 * nobody reads an end into the middle of one. */
struct json_t *
authorize_json_text(const char *bytes, size_t length);

/* All of it on one line, with its newline (mem_free()). */
char *
authorize_json_line(const struct json_t *object);

#endif
