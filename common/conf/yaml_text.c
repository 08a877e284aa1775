/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8, with the place of what is none.
 */
#include "common/conf/yaml_text.h"

#include <stdint.h>

#include "common/base/error.h"

/* The length of the character at bytes, or 0. */
static size_t
character_length(const unsigned char *bytes, size_t length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size;
	uint32_t code;

	if (bytes[0] < 0x80)
		return (bytes[0] >= 0x20 && bytes[0] != 0x7f) ||
		       bytes[0] == '\t' || bytes[0] == '\n' || bytes[0] == '\r';
	size = (bytes[0] & 0xe0) == 0xc0   ? 2
	       : (bytes[0] & 0xf0) == 0xe0 ? 3
	       : (bytes[0] & 0xf8) == 0xf0 ? 4
					   : 0;
	if (size == 0 || size > length)
		return 0;
	code = bytes[0] & (0xffU >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3fU);
	}
	if (code < least[size] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	/* As libyaml's reader sees it, so that it has nothing left to say. */
	if (code < 0xa0 && code != 0x85)
		return 0;
	return code == 0xfeff || code == 0xfffe || code == 0xffff ? 0 : size;
}

size_t
yaml_text_length(const unsigned char *bytes, size_t length, struct position *at)
{
	size_t good = 0;

	at->line = 1;
	at->column = 1;
	while (good < length) {
		size_t size = character_length(bytes + good, length - good);

		if (size == 0)
			break;
		at->column++;
		if (bytes[good] == '\n') {
			at->line++;
			at->column = 1;
		}
		good += size;
	}
	return good;
}
