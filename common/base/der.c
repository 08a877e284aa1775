/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One element's head, and where its content ends.
 */
#include "common/base/der.h"

#include <string.h>

#define LENGTH_BYTES_MAX 4

bool
der_take(struct der_span *from, unsigned char *tag, struct der_span *content,
	 struct der_span *whole)
{
	const unsigned char *at = from->bytes;
	size_t head = 2, length;

	if (from->length < 2 || (at[0] & 0x1f) == 0x1f)
		return false;
	length = at[1];
	if (length >= 0x80) {
		size_t count = length & 0x7f;

		if (count == 0 || count > LENGTH_BYTES_MAX ||
		    from->length < 2 + count)
			return false;
		length = 0;
		for (size_t i = 0; i < count; i++)
			length = length << 8 | at[2 + i];
		if (length < 0x80 || at[2] == 0)
			return false;
		head += count;
	}
	if (length > from->length - head)
		return false;
	*tag = at[0];
	*content = (struct der_span){at + head, length};
	if (whole)
		*whole = (struct der_span){at, head + length};
	from->bytes += head + length;
	from->length -= head + length;
	return true;
}

bool
der_take_tag(struct der_span *from, unsigned char wanted,
	     struct der_span *content, struct der_span *whole)
{
	unsigned char tag;

	return der_take(from, &tag, content, whole) && tag == wanted;
}

bool
der_is_next(const struct der_span *from, unsigned char tag)
{
	return from->length > 0 && from->bytes[0] == tag;
}

bool
der_is_equal(const struct der_span *span, const void *bytes, size_t length)
{
	return span->length == length &&
	       memcmp(span->bytes, bytes, length) == 0;
}
