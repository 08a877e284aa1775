/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quoting.
 */
#include "common/conf/yaml_write.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

/* Words that mean something else to readers that look at types. */
static bool
is_word_of_yaml(const char *text)
{
	static const char *const words[] = {"null", "Null", "NULL", "~"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static bool
is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_./+-:";
	size_t length = strlen(text);

	return length > 0 && strspn(text, letters) == length &&
	       text[0] != '-' && text[0] != '.' && text[0] != ':' &&
	       text[length - 1] != ':' && !is_word_of_yaml(text);
}

/* Characters that are no text or would be taken for the end of a line; the
 * number of their bytes, or 0. All text is valid UTF-8 here. */
static size_t
escaped_length(const unsigned char *byte, unsigned int *code)
{
	if (byte[0] < 0x80) {
		*code = byte[0];
		return byte[0] < 0x20 || byte[0] == 0x7f ? 1 : 0;
	}
	if (byte[0] == 0xc2 && byte[1] < 0xa0) {
		*code = byte[1];
		return 2;
	}
	if ((byte[0] & 0xf0) != 0xe0)
		return 0;
	*code = (byte[0] & 0xfU) << 12 | (byte[1] & 0x3fU) << 6 |
		(byte[2] & 0x3fU);
	return *code == 0x2028 || *code == 0x2029 || *code == 0xfeff ||
			       *code >= 0xfffe
		       ? 3
		       : 0;
}

void
yaml_write_quoted(FILE *out, const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned int code;
	size_t length;

	putc('"', out);
	while (*byte) {
		length = escaped_length(byte, &code);
		if (*byte == '"' || *byte == '\\')
			fprintf(out, "\\%c", *byte);
		else if (*byte == '\n')
			fputs("\\n", out);
		else if (length > 0)
			fprintf(out, "\\u%04X", code);
		else
			putc(*byte, out);
		byte += length > 0 ? length : 1;
	}
	putc('"', out);
}

void
yaml_write_scalar(FILE *out, const char *text)
{
	if (is_plain(text))
		fputs(text, out);
	else
		yaml_write_quoted(out, text);
}
