/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes made fit to be read. The four forms differ in one step, which takes
 * a character off the input and says what becomes of it; cutting is the same
 * for all.
 */
#include "common/base/text.h"

#include <string.h>

/* The longest that one character becomes: \uNNNN. */
#define PIECE_MAX 6

struct piece {
	char text[PIECE_MAX];
	size_t length;
	size_t taken; /* bytes of the input */
};

typedef struct piece
escape_step(const unsigned char *bytes, size_t length);

static size_t
escape(const void *input, size_t length, char *buffer, size_t size,
       escape_step *step)
{
	const unsigned char *bytes = input;
	size_t used = 0;
	size_t safe = 0; /* up to where dots would still fit */

	if (size == 0)
		return 0;
	while (length > 0) {
		struct piece piece = step(bytes, length);

		if (piece.length >= size - used) {
			used = safe;
			for (int i = 0; i < 3 && used + 1 < size; i++)
				buffer[used++] = '.';
			break;
		}
		memcpy(buffer + used, piece.text, piece.length);
		used += piece.length;
		if (size - used > 3)
			safe = used;
		bytes += piece.taken;
		length -= piece.taken;
	}
	buffer[used] = '\0';
	return used;
}

static struct piece
piece_copy(const unsigned char *bytes, size_t length)
{
	struct piece piece = {.length = length, .taken = length};

	memcpy(piece.text, bytes, length);
	return piece;
}

static struct piece
piece_hex(unsigned char byte)
{
	struct piece piece = {.text = "\\x", .length = 4, .taken = 1};
	char digits[3];

	text_hex(&byte, 1, digits);
	memcpy(piece.text + 2, digits, 2);
	return piece;
}

static struct piece
piece_json(uint32_t code, size_t taken)
{
	struct piece piece = {.text = "\\u", .length = 6, .taken = taken};
	unsigned char pair[2] = {(unsigned char)(code >> 8),
				 (unsigned char)code};
	char digits[5];

	text_hex(pair, 2, digits);
	memcpy(piece.text + 2, digits, 4);
	return piece;
}

/* The length of the UTF-8 character at the start, 0 when there is none
 * (RFC 3629: no surrogates, nothing overlong, nothing past U+10FFFF). */
static size_t
utf8_decode(const unsigned char *bytes, size_t length, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t width;

	if (bytes[0] < 0x80) {
		*code = bytes[0];
		return 1;
	}
	if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
		width = 2;
	else if ((bytes[0] & 0xf0) == 0xe0)
		width = 3;
	else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
		width = 4;
	else
		return 0;
	if (length < width)
		return 0;
	*code = bytes[0] & (0x7fU >> width);
	for (size_t i = 1; i < width; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	if (*code < least[width] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return width;
}

/* C0, DEL, C1, and what breaks lines or turns the direction of writing round:
 * with those a line could show something else than it says. */
static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c ||
	       code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

static struct piece
step_ascii(const unsigned char *bytes, size_t length)
{
	(void)length;
	if (*bytes >= 0x20 && *bytes < 0x7f && *bytes != '\\' && *bytes != '"')
		return piece_copy(bytes, 1);
	return piece_hex(*bytes);
}

static struct piece
step_line(const unsigned char *bytes, size_t length)
{
	uint32_t code;
	size_t width = utf8_decode(bytes, length, &code);

	if (width > 0 && !is_control(code))
		return piece_copy(bytes, width);
	return piece_hex(*bytes);
}

static bool
is_hex(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

/* What the steps above have written. */
static bool
is_escape(const unsigned char *bytes, size_t length)
{
	return length >= 4 && bytes[0] == '\\' && bytes[1] == 'x' &&
	       is_hex(bytes[2]) && is_hex(bytes[3]);
}

static struct piece
step_quoted(const unsigned char *bytes, size_t length)
{
	if (is_escape(bytes, length))
		return piece_copy(bytes, 4);
	if (*bytes == '"' || *bytes == '\\')
		return piece_hex(*bytes);
	return step_line(bytes, length);
}

static struct piece
step_json(const unsigned char *bytes, size_t length)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	uint32_t code;
	size_t width = utf8_decode(bytes, length, &code);

	if (width == 0)
		return piece_json(*bytes, 1);
	for (size_t i = 0; shorts[i]; i += 2)
		if (code == (unsigned char)shorts[i]) {
			struct piece piece = {.text = {'\\', shorts[i + 1]},
					      .length = 2,
					      .taken = 1};

			return piece;
		}
	if (is_control(code))
		return piece_json(code, width);
	return piece_copy(bytes, width);
}

size_t
text_escape(const void *bytes, size_t length, char *buffer, size_t size)
{
	return escape(bytes, length, buffer, size, step_ascii);
}

size_t
text_escape_line(const void *bytes, size_t length, char *buffer, size_t size)
{
	return escape(bytes, length, buffer, size, step_line);
}

size_t
text_escape_quoted(const void *bytes, size_t length, char *buffer, size_t size)
{
	return escape(bytes, length, buffer, size, step_quoted);
}

size_t
text_escape_json(const void *bytes, size_t length, char *buffer, size_t size)
{
	return escape(bytes, length, buffer, size, step_json);
}
