/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over RFC 5280's structure.
 */
#include "common/tls/certificate_der.h"

#include <string.h>

#include "common/base/mem.h"

/* [0] and [3] of a certificate. */
#define TAG_VERSION    DER_CONSTRUCTED_0
#define TAG_EXTENSIONS (DER_CONSTRUCTED_0 + 3)

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

static bool
read_version(struct der_span *from)
{
	struct der_span explicit, number;

	return der_take_tag(from, TAG_VERSION, &explicit, NULL) &&
	       der_take_tag(&explicit, DER_INTEGER, &number, NULL) &&
	       explicit.length == 0 && der_is_equal(&number, "\x02", 1);
}

static bool
read_time(struct der_span *from, struct der_span *time)
{
	struct der_span content;
	unsigned char tag;

	return der_take(from, &tag, &content, time) &&
	       (tag == DER_UTC_TIME || tag == DER_TIME);
}

static bool
read_validity(struct der_span *from, struct certificate_der *found)
{
	struct der_span times;

	return der_take_tag(from, DER_SEQUENCE, &times, NULL) &&
	       read_time(&times, &found->not_before) &&
	       read_time(&times, &found->not_after) && times.length == 0;
}

/* The modulus has so many bits. */
static bool
is_rsa_size(struct der_span key)
{
	struct der_span numbers, modulus;
	size_t bits;

	if (!der_take_tag(&key, DER_SEQUENCE, &numbers, NULL) ||
	    key.length > 0 ||
	    !der_take_tag(&numbers, DER_INTEGER, &modulus, NULL))
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

	if (!der_take_tag(from, DER_SEQUENCE, &info, &found->public_key) ||
	    !der_take_tag(&info, DER_SEQUENCE, &found->algorithm, NULL) ||
	    !der_take_tag(&info, DER_BITS, &bits, NULL) || info.length > 0 ||
	    bits.length < 2 || bits.bytes[0] != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (!der_is_equal(&found->algorithm, algorithms[i].bytes,
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
take_extension(struct der_span *list, struct der_span *id,
	       struct der_span *content)
{
	struct der_span extension;
	unsigned char tag;

	if (!der_take_tag(list, DER_SEQUENCE, &extension, NULL) ||
	    !der_take_tag(&extension, DER_OID, id, NULL) ||
	    !der_take(&extension, &tag, content, NULL))
		return false;
	if (tag == DER_BOOLEAN && !der_take(&extension, &tag, content, NULL))
		return false;
	return tag == DER_OCTETS && extension.length == 0;
}

static bool
note_extension(const struct der_span *id, const struct der_span *content,
	       struct certificate_der *found)
{
	struct der_span *wanted = NULL;

	if (der_is_equal(id, subject_alternative_name,
			 sizeof(subject_alternative_name)))
		wanted = &found->names;
	else if (der_is_equal(id, authority_key_identifier,
			      sizeof(authority_key_identifier)))
		wanted = &found->authority_key;
	if (!wanted)
		return true;
	/* Twice is once too often. */
	if (wanted->bytes)
		return false;
	*wanted = *content;
	return true;
}

static bool
read_extensions(struct der_span *from, struct certificate_der *found)
{
	struct der_span explicit, list, id, content;

	if (!der_take_tag(from, TAG_EXTENSIONS, &explicit, NULL) ||
	    !der_take_tag(&explicit, DER_SEQUENCE, &list, NULL) ||
	    explicit.length > 0)
		return false;
	while (list.length > 0)
		if (!take_extension(&list, &id, &content) ||
		    !note_extension(&id, &content, found))
			return false;
	return true;
}

bool
certificate_der_read(const unsigned char *bytes, size_t length,
		     struct certificate_der *found)
{
	struct der_span all = {bytes, length}, outer, signed_part, ignored;

	*found = (struct certificate_der){.type = CERTIFICATE_TYPE_COUNT};
	return der_take_tag(&all, DER_SEQUENCE, &outer, NULL) &&
	       all.length == 0 &&
	       der_take_tag(&outer, DER_SEQUENCE, &signed_part, NULL) &&
	       der_take_tag(&outer, DER_SEQUENCE, &ignored, NULL) &&
	       der_take_tag(&outer, DER_BITS, &ignored, NULL) &&
	       outer.length == 0 && read_version(&signed_part) &&
	       der_take_tag(&signed_part, DER_INTEGER, &ignored, NULL) &&
	       der_take_tag(&signed_part, DER_SEQUENCE, &ignored, NULL) &&
	       der_take_tag(&signed_part, DER_SEQUENCE, &ignored,
			    &found->issuer) &&
	       read_validity(&signed_part, found) &&
	       der_take_tag(&signed_part, DER_SEQUENCE, &ignored,
			    &found->subject) &&
	       read_public_key(&signed_part, found) &&
	       read_extensions(&signed_part, found) && signed_part.length == 0;
}

/* [1] and [2], unique identifiers, which nobody has any more. */
static void
skip_identifiers(struct der_span *from)
{
	static const unsigned char tags[] = {DER_PRIMITIVE_0 + 1,
					     DER_PRIMITIVE_0 + 2};
	struct der_span ignored;

	for (size_t i = 0; i < sizeof(tags); i++)
		if (der_is_next(from, tags[i]) &&
		    !der_take_tag(from, tags[i], &ignored, NULL))
			return;
}

bool
certificate_der_extension(const unsigned char *bytes, size_t length,
			  const unsigned char *oid, size_t oid_length,
			  struct der_span *content)
{
	struct der_span all = {bytes, length}, outer, signed_part, ignored;
	struct der_span explicit, list, id, found;
	bool is_found = false;

	if (!der_take_tag(&all, DER_SEQUENCE, &outer, NULL) ||
	    !der_take_tag(&outer, DER_SEQUENCE, &signed_part, NULL) ||
	    !read_version(&signed_part) ||
	    !der_take_tag(&signed_part, DER_INTEGER, &ignored, NULL))
		return false;
	/* The algorithm, issuer, validity, subject and public key. */
	for (int i = 0; i < 5; i++)
		if (!der_take_tag(&signed_part, DER_SEQUENCE, &ignored, NULL))
			return false;
	skip_identifiers(&signed_part);
	if (!der_take_tag(&signed_part, TAG_EXTENSIONS, &explicit, NULL) ||
	    !der_take_tag(&explicit, DER_SEQUENCE, &list, NULL))
		return false;
	while (list.length > 0) {
		if (!take_extension(&list, &id, &found))
			return false;
		if (!der_is_equal(&id, oid, oid_length))
			continue;
		if (is_found)
			return false;
		is_found = true;
		*content = found;
	}
	return is_found;
}

static bool
is_pkcs8(struct der_span all, const struct certificate_der *of)
{
	struct der_span outer, number, algorithm, key;

	return der_take_tag(&all, DER_SEQUENCE, &outer, NULL) &&
	       all.length == 0 &&
	       der_take_tag(&outer, DER_INTEGER, &number, NULL) &&
	       number.length == 1 &&
	       der_take_tag(&outer, DER_SEQUENCE, &algorithm, NULL) &&
	       der_is_equal(&algorithm, of->algorithm.bytes,
			    of->algorithm.length) &&
	       der_take_tag(&outer, DER_OCTETS, &key, NULL) && key.length > 0;
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
	return der_take_tag(&all, DER_SEQUENCE, &outer, NULL) &&
	       all.length == 0 &&
	       der_take_tag(&outer, DER_INTEGER, &number, NULL) &&
	       number.length == 1;
}
