/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over RFC 5280's structure. Lengths are definite and minimal, as DER
 * has them; all else is not the usual form.
 */
#include "common/tls/certificate_der.h"

#include <string.h>

#include "common/base/mem.h"

enum tag {
	TAG_BOOLEAN = 0x01,
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_OCTETS = 0x04,
	TAG_NULL = 0x05,
	TAG_OID = 0x06,
	TAG_UTC_TIME = 0x17,
	TAG_TIME = 0x18,
	TAG_SEQUENCE = 0x30,
	TAG_VERSION = 0xa0,
	TAG_EXTENSIONS = 0xa3,
};

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

/* The content of an algorithm identifier, whole. */
static const struct {
	const char *bytes;
	size_t length;
	enum certificate_type type;
} algorithms[] = {
	{"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 13,
	 CERTIFICATE_RSA},
	{"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03"
	 "\x01\x07",
	 19, CERTIFICATE_ECDSA},
	{"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", 16,
	 CERTIFICATE_ECDSA},
	{"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23", 16,
	 CERTIFICATE_ECDSA},
	{"\x06\x03\x2b\x65\x70", 5, CERTIFICATE_ED25519},
	{"\x06\x03\x2b\x65\x71", 5, CERTIFICATE_ED448},
};

static const unsigned char subject_alternative_name[] = {0x55, 0x1d, 0x11};
static const unsigned char authority_key_identifier[] = {0x55, 0x1d, 0x23};

/* Take the next element out of a content: its content, and with its head the
 * whole, which may be NULL. */
static bool
take(struct der_span *from, unsigned char *tag, struct der_span *content,
     struct der_span *whole)
{
	const unsigned char *at = from->bytes;
	size_t head = 2, length;

	if (from->length < 2 || (at[0] & 0x1f) == 0x1f)
		return false;
	length = at[1];
	if (length >= 0x80) {
		size_t count = length & 0x7f;

		if (count == 0 || count > 3 || from->length < 2 + count)
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

static bool
take_tag(struct der_span *from, unsigned char wanted, struct der_span *content,
	 struct der_span *whole)
{
	unsigned char tag;

	return take(from, &tag, content, whole) && tag == wanted;
}

static bool
is_equal(const struct der_span *span, const void *bytes, size_t length)
{
	return span->length == length &&
	       memcmp(span->bytes, bytes, length) == 0;
}

static bool
read_version(struct der_span *from)
{
	struct der_span explicit, number;

	return take_tag(from, TAG_VERSION, &explicit, NULL) &&
	       take_tag(&explicit, TAG_INTEGER, &number, NULL) &&
	       explicit.length == 0 && is_equal(&number, "\x02", 1);
}

static bool
read_time(struct der_span *from, struct der_span *time)
{
	struct der_span content;
	unsigned char tag;

	return take(from, &tag, &content, time) &&
	       (tag == TAG_UTC_TIME || tag == TAG_TIME);
}

static bool
read_validity(struct der_span *from, struct certificate_der *found)
{
	struct der_span times;

	return take_tag(from, TAG_SEQUENCE, &times, NULL) &&
	       read_time(&times, &found->not_before) &&
	       read_time(&times, &found->not_after) && times.length == 0;
}

/* The modulus has so many bits. */
static bool
is_rsa_size(struct der_span key)
{
	struct der_span numbers, modulus;
	size_t bits;

	if (!take_tag(&key, TAG_SEQUENCE, &numbers, NULL) || key.length > 0 ||
	    !take_tag(&numbers, TAG_INTEGER, &modulus, NULL))
		return false;
	if (modulus.length > 0 && modulus.bytes[0] == 0) {
		modulus.bytes++;
		modulus.length--;
	}
	if (modulus.length == 0 || modulus.length > RSA_BITS_MAX / 8 ||
	    modulus.bytes[0] == 0)
		return false;
	bits = 8 * modulus.length;
	for (unsigned int top = modulus.bytes[0]; !(top & 0x80); top <<= 1)
		bits--;
	return bits >= RSA_BITS_MIN;
}

static bool
read_public_key(struct der_span *from, struct certificate_der *found)
{
	struct der_span info, bits;

	if (!take_tag(from, TAG_SEQUENCE, &info, &found->public_key) ||
	    !take_tag(&info, TAG_SEQUENCE, &found->algorithm, NULL) ||
	    !take_tag(&info, TAG_BITS, &bits, NULL) || info.length > 0 ||
	    bits.length < 2 || bits.bytes[0] != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (!is_equal(&found->algorithm, algorithms[i].bytes,
			      algorithms[i].length))
			continue;
		found->type = algorithms[i].type;
		if (found->type != CERTIFICATE_RSA)
			return true;
		return is_rsa_size(
			(struct der_span){bits.bytes + 1, bits.length - 1});
	}
	return false;
}

static bool
read_extension(struct der_span extension, struct certificate_der *found)
{
	struct der_span id, content, *wanted = NULL;
	unsigned char tag;

	if (!take_tag(&extension, TAG_OID, &id, NULL) ||
	    !take(&extension, &tag, &content, NULL))
		return false;
	if (tag == TAG_BOOLEAN && !take(&extension, &tag, &content, NULL))
		return false;
	if (tag != TAG_OCTETS || extension.length > 0)
		return false;
	if (is_equal(&id, subject_alternative_name,
		     sizeof(subject_alternative_name)))
		wanted = &found->names;
	else if (is_equal(&id, authority_key_identifier,
			  sizeof(authority_key_identifier)))
		wanted = &found->authority_key;
	if (!wanted)
		return true;
	/* Twice is once too often. */
	if (wanted->bytes)
		return false;
	*wanted = content;
	return true;
}

static bool
read_extensions(struct der_span *from, struct certificate_der *found)
{
	struct der_span explicit, list, extension;

	if (!take_tag(from, TAG_EXTENSIONS, &explicit, NULL) ||
	    !take_tag(&explicit, TAG_SEQUENCE, &list, NULL) ||
	    explicit.length > 0)
		return false;
	while (list.length > 0)
		if (!take_tag(&list, TAG_SEQUENCE, &extension, NULL) ||
		    !read_extension(extension, found))
			return false;
	return true;
}

bool
certificate_der_read(const unsigned char *bytes, size_t length,
		     struct certificate_der *found)
{
	struct der_span all = {bytes, length}, outer, signed_part, ignored;

	*found = (struct certificate_der){.type = CERTIFICATE_TYPE_COUNT};
	return take_tag(&all, TAG_SEQUENCE, &outer, NULL) && all.length == 0 &&
	       take_tag(&outer, TAG_SEQUENCE, &signed_part, NULL) &&
	       take_tag(&outer, TAG_SEQUENCE, &ignored, NULL) &&
	       take_tag(&outer, TAG_BITS, &ignored, NULL) &&
	       outer.length == 0 && read_version(&signed_part) &&
	       take_tag(&signed_part, TAG_INTEGER, &ignored, NULL) &&
	       take_tag(&signed_part, TAG_SEQUENCE, &ignored, NULL) &&
	       take_tag(&signed_part, TAG_SEQUENCE, &ignored, &found->issuer) &&
	       read_validity(&signed_part, found) &&
	       take_tag(&signed_part, TAG_SEQUENCE, &ignored,
			&found->subject) &&
	       read_public_key(&signed_part, found) &&
	       read_extensions(&signed_part, found) && signed_part.length == 0;
}

static bool
is_pkcs8(struct der_span all, const struct certificate_der *of)
{
	struct der_span outer, number, algorithm, key;

	return take_tag(&all, TAG_SEQUENCE, &outer, NULL) && all.length == 0 &&
	       take_tag(&outer, TAG_INTEGER, &number, NULL) &&
	       number.length == 1 &&
	       take_tag(&outer, TAG_SEQUENCE, &algorithm, NULL) &&
	       is_equal(&algorithm, of->algorithm.bytes,
			of->algorithm.length) &&
	       take_tag(&outer, TAG_OCTETS, &key, NULL) && key.length > 0;
}

bool
certificate_der_is_key(const unsigned char *bytes, size_t length,
		       const char *label, const struct certificate_der *of)
{
	struct der_span all = {bytes, length}, outer, number;

	if (strcmp(label, "PRIVATE KEY") == 0)
		return is_pkcs8(all, of);
	if (strcmp(label, "EC PRIVATE KEY") == 0
		    ? of->type != CERTIFICATE_ECDSA
		    : strcmp(label, "RSA PRIVATE KEY") != 0 ||
			      of->type != CERTIFICATE_RSA)
		return false;
	return take_tag(&all, TAG_SEQUENCE, &outer, NULL) && all.length == 0 &&
	       take_tag(&outer, TAG_INTEGER, &number, NULL) &&
	       number.length == 1;
}
