/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fingerprints: their text, their making, and looking for one among many.
 */
#include "common/verify/fingerprint.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/text.h"

_Static_assert(FINGERPRINT_BYTES_MAX == EVP_MAX_MD_SIZE,
	       "a fingerprint has room for any digest");

OPENSSL_AUTO_FREE(evp_md, EVP_MD, EVP_MD_free);

/* What a bare fingerprint is most likely of. */
static const struct {
	size_t length;
	const char *digest;
} by_length[] = {
	{16, "md5"},    {20, "sha1"},   {28, "sha224"},
	{32, "sha256"}, {48, "sha384"}, {64, "sha512"},
};

/* Pins of one digest, of certificates or of keys. */
struct group {
	EVP_MD *digest;
	bool is_of_key;
	size_t length;
	size_t count;
	unsigned char *bytes; /* count times length */
	int *indices;         /* of each in the list that it came from */
};

struct fingerprint_set {
	struct group *groups;
	size_t count;
};

/* What a digest's name is made of: OpenSSL 3.5 looks past blanks behind it. */
#define NAME_LETTERS                 \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-_/"

/* A digest of a length that is its own, or NULL; EVP_MD_free(). */
static EVP_MD *
find_digest(const char *name)
{
	bool is_name = name[strspn(name, NAME_LETTERS)] == '\0';
	EVP_MD *digest = is_name ? EVP_MD_fetch(NULL, name, NULL) : NULL;
	int size = digest ? EVP_MD_get_size(digest) : 0;

	ERR_clear_error();
	if (size > 0 && size <= FINGERPRINT_BYTES_MAX &&
	    !(EVP_MD_get_flags(digest) & EVP_MD_FLAG_XOF))
		return digest;
	EVP_MD_free(digest);
	return NULL;
}

bool
fingerprint_is_digest(const char *name)
{
	AUTO_OPENSSL(evp_md) EVP_MD *digest = find_digest(name);

	return digest != NULL;
}

static void
put_lower(char *buffer, size_t size, const char *name)
{
	size_t i;

	for (i = 0; i + 1 < size && name[i]; i++)
		buffer[i] = (char)tolower((unsigned char)name[i]);
	buffer[i] = '\0';
}

/* OpenSSL has several names for most digests; the one that everybody knows,
 * if it leads back to the digest, else its first. */
static void
set_digest(struct fingerprint *fingerprint, const EVP_MD *digest)
{
	int number = EVP_MD_get_type(digest);
	const char *known = number == NID_undef ? NULL : OBJ_nid2sn(number);

	put_lower(fingerprint->digest, sizeof(fingerprint->digest),
		  known && EVP_MD_is_a(digest, known)
			  ? known
			  : EVP_MD_get0_name(digest));
}

static int
digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static int
parse_hex(const char *text, struct fingerprint *fingerprint,
	  struct error *error)
{
	size_t digits = 0;

	for (; *text; text++) {
		int value = digit_value(*text);

		if (*text == ':')
			continue;
		if (value < 0) {
			char shown[8];

			text_escape(text, 1, shown, sizeof(shown));
			error_set(error,
				  "a fingerprint is written in hexadecimal, "
				  "such as sha256$5f2c..., and %s is no digit "
				  "of it",
				  shown);
			return -1;
		}
		if (digits == 2 * (size_t)FINGERPRINT_BYTES_MAX) {
			error_set(error,
				  "the fingerprint has more than %d bytes, and "
				  "no digest does",
				  FINGERPRINT_BYTES_MAX);
			return -1;
		}
		fingerprint->bytes[digits / 2] =
			(unsigned char)(fingerprint->bytes[digits / 2] << 4 |
					value);
		digits++;
	}
	fingerprint->length = digits / 2;
	if (digits > 0 && digits % 2 == 0)
		return 0;
	error_set(error,
		  digits == 0 ? "the fingerprint has no digits"
			      : "the fingerprint has an odd number of digits");
	return -1;
}

static const char *
guess_digest(const struct fingerprint *fingerprint, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_length); i++)
		if (by_length[i].length == fingerprint->length)
			return by_length[i].digest;
	error_set(error,
		  "no digest is known by a length of %zu bytes: write its name "
		  "in front, as in sha256$5f2c...",
		  fingerprint->length);
	return NULL;
}

int
fingerprint_parse(const char *text, struct fingerprint *fingerprint,
		  struct error *error)
{
	const char *end = strchr(text, '$');
	const char *hex = end ? end + 1 : text;
	AUTO_FREE char *given =
		end ? mem_strndup(text, (size_t)(end - text)) : NULL;
	AUTO_OPENSSL(evp_md) EVP_MD *digest = NULL;
	struct fingerprint found = {0};
	const char *name = given;

	if (end && strncasecmp(hex, "pub$", 4) == 0) {
		found.is_of_key = true;
		hex += 4;
	}
	if (given && strcasecmp(given, "pub") == 0) {
		error_set(error,
			  "the digest goes in front: sha256$pub$5f2c...");
		return -1;
	}
	if (parse_hex(hex, &found, error) != 0)
		return -1;
	if (!name)
		name = guess_digest(&found, error);
	if (!name)
		return -1;
	digest = find_digest(name);
	if (!digest) {
		char shown[80];

		text_escape(name, strlen(name), shown, sizeof(shown));
		error_set(error,
			  "OpenSSL has no digest \"%s\" of a fixed length",
			  shown);
		return -1;
	}
	if (found.length != (size_t)EVP_MD_get_size(digest)) {
		error_set(error,
			  "the fingerprint has %zu bytes, but %s makes %d",
			  found.length, name, EVP_MD_get_size(digest));
		return -1;
	}
	set_digest(&found, digest);
	*fingerprint = found;
	return 0;
}

const char *
fingerprint_format(const struct fingerprint *fingerprint, char *buffer,
		   size_t size)
{
	char hex[2 * FINGERPRINT_BYTES_MAX + 1];

	text_hex(fingerprint->bytes, fingerprint->length, hex);
	snprintf(buffer, size, "%s$%s%s", fingerprint->digest,
		 fingerprint->is_of_key ? "pub$" : "", hex);
	return buffer;
}

/* FINGERPRINT_BYTES_MAX bytes; their number, or 0. */
static size_t
compute(const X509 *certificate, const EVP_MD *digest, bool is_of_key,
	unsigned char *bytes)
{
	unsigned int length = 0;
	int is_good =
		is_of_key ? X509_pubkey_digest(certificate, digest, bytes,
					       &length)
			  : X509_digest(certificate, digest, bytes, &length);

	ERR_clear_error();
	return is_good ? length : 0;
}

int
fingerprint_make(const X509 *certificate, const char *digest_name,
		 bool is_of_key, struct fingerprint *fingerprint,
		 struct error *error)
{
	AUTO_OPENSSL(evp_md) EVP_MD *digest = find_digest(digest_name);

	if (!digest) {
		error_set(error,
			  "OpenSSL has no digest \"%.40s\" of a fixed length",
			  digest_name);
		return -1;
	}
	*fingerprint = (struct fingerprint){.is_of_key = is_of_key};
	fingerprint->length =
		compute(certificate, digest, is_of_key, fingerprint->bytes);
	if (fingerprint->length == 0) {
		error_set(error, "the certificate has no such fingerprint");
		return -1;
	}
	set_digest(fingerprint, digest);
	return 0;
}

static struct group *
find_group(struct fingerprint_set *set, const struct fingerprint *pin)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->groups[i].is_of_key == pin->is_of_key &&
		    EVP_MD_is_a(set->groups[i].digest, pin->digest))
			return &set->groups[i];
	return NULL;
}

static struct group *
add_group(struct fingerprint_set *set, const struct fingerprint *pin,
	  struct error *error)
{
	EVP_MD *digest = find_digest(pin->digest);
	struct group *group;

	if (!digest || (size_t)EVP_MD_get_size(digest) != pin->length) {
		EVP_MD_free(digest);
		error_set(error, "OpenSSL has no digest \"%s\" any more",
			  pin->digest);
		return NULL;
	}
	set->groups =
		mem_resize(set->groups, set->count + 1, sizeof(*set->groups));
	group = &set->groups[set->count++];
	*group = (struct group){.digest = digest,
				.is_of_key = pin->is_of_key,
				.length = pin->length};
	return group;
}

static void
add_pin(struct group *group, const struct fingerprint *pin, size_t index)
{
	assert(pin->length == group->length && index <= INT_MAX);
	group->bytes =
		mem_resize(group->bytes, group->count + 1, group->length);
	memcpy(group->bytes + group->count * group->length, pin->bytes,
	       group->length);
	group->indices = mem_resize(group->indices, group->count + 1,
				    sizeof(*group->indices));
	group->indices[group->count++] = (int)index;
}

struct fingerprint_set *
fingerprint_set_new(const struct fingerprint *list, size_t count,
		    struct error *error)
{
	struct fingerprint_set *set = mem_alloc(sizeof(*set));

	for (size_t i = 0; i < count; i++) {
		struct group *group = find_group(set, &list[i]);

		if (!group)
			group = add_group(set, &list[i], error);
		if (!group) {
			fingerprint_set_free(set);
			return NULL;
		}
		add_pin(group, &list[i], i);
	}
	return set;
}

void
fingerprint_set_free(struct fingerprint_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++) {
		EVP_MD_free(set->groups[i].digest);
		mem_free(set->groups[i].bytes);
		mem_free(set->groups[i].indices);
	}
	mem_free(set->groups);
	mem_free(set);
}

int
fingerprint_set_find(const struct fingerprint_set *set, const X509 *certificate)
{
	unsigned char bytes[FINGERPRINT_BYTES_MAX];
	int found = -1;

	for (size_t i = 0; i < set->count; i++) {
		const struct group *group = &set->groups[i];

		if (compute(certificate, group->digest, group->is_of_key,
			    bytes) != group->length)
			continue;
		for (size_t k = 0; k < group->count; k++)
			if (CRYPTO_memcmp(bytes,
					  group->bytes + k * group->length,
					  group->length) == 0)
				found = group->indices[k];
	}
	return found;
}
