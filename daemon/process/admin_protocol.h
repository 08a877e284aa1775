/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said on the admin socket: one JSON object a line, a request and its
 * answer.
 *
 *	{"command":"reload"}
 *	{"ok":true,"generation":2,"warnings":"FILE:LINE:COLUMN: ...\n..."}
 *	{"ok":false,"error":"FILE:LINE:COLUMN: ...\n...","exit":2}
 *
 *	{"command":"stop","now":false}
 *	{"ok":true}
 *
 *	{"command":"tickets show"}		(or "tickets rotate")
 *	{"ok":true,"text":"ring ...\n..."}
 *
 * Several sentences are separated by newlines. "exit" is the status that a
 * command should end with. Both sides read exactly this: flat objects of
 * strings, booleans and whole numbers, and no key that they do not know.
 */
#ifndef SEALOCK_PROCESS_ADMIN_PROTOCOL_H
#define SEALOCK_PROCESS_ADMIN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct error_list;

/* A line with its newline. */
#define ADMIN_REQUEST_MAX 1024
#define ADMIN_ANSWER_MAX  (256 * 1024)

enum admin_command {
	ADMIN_RELOAD,
	ADMIN_STOP,
	ADMIN_TICKETS_SHOW,
	ADMIN_TICKETS_ROTATE,
};

/* As it is written: "reload", "tickets show". */
const char *
admin_command_name(enum admin_command command);

struct admin_request {
	enum admin_command command;
	bool is_now; /* STOP */
};

struct admin_answer {
	bool is_ok;
	uint64_t generation; /* 0: none */
	unsigned int exit;   /* of a refusal */
	char *error;         /* "" when there is none */
	char *warnings;
	char *text; /* what was asked for */
};

/* A line, without its newline, or the whole of it. -1 with a sentence. */
int
admin_request_parse(const char *line, size_t length,
		    struct admin_request *request, struct error *error)
	__attribute__((warn_unused_result));

/* The line for it, newline included, in a buffer of ADMIN_REQUEST_MAX. */
size_t
admin_request_format(const struct admin_request *request, char *buffer);

/* admin_answer_clear() frees what is in it. */
int
admin_answer_parse(const char *line, size_t length, struct admin_answer *answer,
		   struct error *error) __attribute__((warn_unused_result));
void
admin_answer_clear(struct admin_answer *answer);

/* The line for it, newline included; the caller's memory (mem_free()). NULL
 * stands for no text. With texts of admin_sentences(), or one of printable
 * lines in a message's size, it is no longer than ADMIN_ANSWER_MAX. */
char *
admin_answer_format(const struct admin_answer *answer, size_t *length);

/* Sentences as one text for an answer, the last of which tells how many there
 * are more when they are too many; the caller's memory. */
char *
admin_sentences(const struct error_list *sentences);

#endif
