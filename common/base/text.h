/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers, durations, sizes and booleans as operators write them, and bytes
 * from the network made fit to be read: escaping for log lines and JSON.
 */
#ifndef SEALOCK_BASE_TEXT_H
#define SEALOCK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each parser takes the whole string or refuses it (returns -1 and leaves the
 * result alone): no leading or trailing characters, no sign, no overflow. */
int
text_parse_unsigned(const char *text, uint64_t *value)
	__attribute__((warn_unused_result));

/* true false yes no on off, in lower, upper or title case. */
int
text_parse_boolean(const char *text, bool *value)
	__attribute__((warn_unused_result));

/* 500ms 30s 5m 12h 7d, or a bare 0; the result is in milliseconds. A bare
 * number other than 0 has no unit and is refused. */
int
text_parse_duration(const char *text, int64_t *milliseconds)
	__attribute__((warn_unused_result));

/* 4096, 64k, 16M, 1G, and the same with a trailing iB or B (64kB, 1GiB): k is
 * 1024; the result is in bytes. */
int
text_parse_size(const char *text, uint64_t *bytes)
	__attribute__((warn_unused_result));

/* The inverse of the two above, in the largest unit that divides the value;
 * returns buffer. 32 bytes suffice. */
const char *
text_format_duration(int64_t milliseconds, char *buffer, size_t size);
const char *
text_format_size(uint64_t bytes, char *buffer, size_t size);

/* Escape bytes from outside for a log line: printable ASCII but for backslash
 * and double quote stays, everything else becomes \xNN. Writes at most size
 * bytes with the terminating NUL, never half an escape, and ends in "..."
 * when it had to cut. Returns the length of what it wrote. */
size_t
text_escape(const void *bytes, size_t length, char *buffer, size_t size);

/* The same for a text of our own with an operator's words in it: valid UTF-8
 * passes, backslashes and quotes too (so that what text_escape() wrote stays
 * as it is); control characters and bytes that are no UTF-8 become \xNN. */
size_t
text_escape_line(const void *bytes, size_t length, char *buffer, size_t size);

/* The same for the inside of a value in double quotes: a quote and a backslash
 * become \xNN, too, but for the backslash of an escape that is there already.
 */
size_t
text_escape_quoted(const void *bytes, size_t length, char *buffer, size_t size);

/* The same for the inside of a JSON string: valid UTF-8 passes, control
 * characters, quotes and backslashes become \uNNNN or their short forms, and
 * a byte that is no UTF-8 becomes \u00NN. */
size_t
text_escape_json(const void *bytes, size_t length, char *buffer, size_t size);

/* Lower-case hexadecimal; buffer takes 2 * length + 1 bytes. */
void
text_hex(const void *bytes, size_t length, char *buffer);

/* The best match of a misspelt word among count words (edit distance with
 * swaps, at most a third of the word), or NULL: for "did you mean". */
const char *
text_nearest(const char *word, const char *const *words, size_t count);

#endif
