/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What went wrong, as a sentence, and where in the operator's text. Cold
 * paths return -1 (or NULL) and leave the reason here; errno and OpenSSL's
 * queue never cross a module's border.
 */
#ifndef SEALOCK_BASE_ERROR_H
#define SEALOCK_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* A place in a document; line 0 means that there is none. The file's name
 * belongs to whoever made the document and outlives every position in it. */
struct position {
	const char *file;
	unsigned int line;
	unsigned int column;
};

struct error {
	struct position at;
	char text[512]; /* one sentence without a full stop or a newline */
};

/* Several errors, in the order in which they were found: a configuration
 * shows all of them, not the first. */
struct error_list {
	struct error *errors;
	size_t count;
};

/* Set the sentence; the position is kept as it is (zero it first). A NULL
 * error is legal everywhere here: the caller does not want to know. */
void
error_set(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* The same with a position. */
void
error_set_at(struct error *error, const struct position *at, const char *format,
	     ...) __attribute__((format(printf, 3, 4), cold));

/* Put words in front of the sentence that is there: "certificate web.pem: "
 * and so on. A sentence that grows too long is cut at its end. */
void
error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* Append one error to a list; copies. The list is freed by
 * error_list_clear(), which leaves it empty and usable. */
void
error_list_add(struct error_list *list, const struct error *error)
	__attribute__((cold));
void
error_list_addf(struct error_list *list, const struct position *at,
		const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));
void
error_list_clear(struct error_list *list);

/* Format one error as FILE:LINE:COLUMN: text (or only the text when it has no
 * position) into a buffer of the caller's; returns that buffer. */
const char *
error_format(const struct error *error, char *buffer, size_t size);

/* Write them to stderr, each in a line that begins with prefix. */
void
error_list_show(const struct error_list *list, const char *prefix);

#endif
