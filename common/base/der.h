/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DER (X.690) in place: the elements of a content one after the other. Lengths
 * are definite and minimal and below 4 GiB, tags have one byte; all else is
 * refused.
 */
#ifndef SEALOCK_BASE_DER_H
#define SEALOCK_BASE_DER_H

#include <stdbool.h>
#include <stddef.h>

/* Some bytes in place; NULL: there are none. */
struct der_span {
	const unsigned char *bytes;
	size_t length;
};

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_PRIMITIVE_0 = 0x80,   /* [0] IMPLICIT of what is no sequence */
	DER_CONSTRUCTED_0 = 0xa0, /* [0] of the rest; [1] is one more */
};

/* Take the next element out of a content: its content, and with its head the
 * whole, which may be NULL. False when there is none, or it is odd; what was
 * asked for is undefined then. */
bool
der_take(struct der_span *from, unsigned char *tag, struct der_span *content,
	 struct der_span *whole);

/* The same, and it has that tag. */
bool
der_take_tag(struct der_span *from, unsigned char wanted,
	     struct der_span *content, struct der_span *whole);

/* Is the next element of that tag? It is not taken. */
bool
der_is_next(const struct der_span *from, unsigned char tag);

bool
der_is_equal(const struct der_span *span, const void *bytes, size_t length);

#endif
