/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The formats are told apart by their first bytes and by the shape of the
 * outermost ASN.1 structure, not by trying one decoder after another: what is
 * damaged is then reported as what it is.
 */
#include "common/tls/certificate_parse.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_cache.h"
#include "common/tls/certificate_key.h"
#include "common/tls/certificate_pkcs12.h"

enum der_shape {
	DER_UNKNOWN,
	DER_CERTIFICATE,
	DER_KEY,
	DER_ENCRYPTED_KEY,
	DER_PKCS12,
};

static const char UTF8_MARK[] = "\xef\xbb\xbf";

/*
 * The outermost SEQUENCE tells by its first elements:
 *
 *	SEQUENCE ...			a certificate
 *	SEQUENCE { OID ... } OCTETS	an encrypted key
 *	INTEGER 3, SEQUENCE { OID ... }	PKCS#12
 *	INTEGER ...			any other key
 */
static enum der_shape
shape_of(const unsigned char *bytes, long length)
{
	const unsigned char *at = bytes;
	const unsigned char *end = bytes + length;
	const unsigned char *inner;
	long size;
	int tag, class;

	if (ASN1_get_object(&at, &size, &tag, &class, end - at) & 0x80 ||
	    tag != V_ASN1_SEQUENCE || at >= end)
		return DER_UNKNOWN;
	if (ASN1_get_object(&at, &size, &tag, &class, end - at) & 0x80 ||
	    at >= end)
		return DER_UNKNOWN;
	if (tag == V_ASN1_INTEGER) {
		bool is_three = size == 1 && *at == 3;

		if (size > end - at)
			return DER_UNKNOWN;
		at += size;
		if (is_three && at < end && *at == 0x30)
			return DER_PKCS12;
		return DER_KEY;
	}
	if (tag != V_ASN1_SEQUENCE)
		return DER_UNKNOWN;
	inner = at;
	if (ASN1_get_object(&inner, &size, &tag, &class, end - inner) & 0x80)
		return DER_UNKNOWN;
	return tag == V_ASN1_OBJECT ? DER_ENCRYPTED_KEY : DER_CERTIFICATE;
}

static int
add_certificate(struct certificate_content *content, X509 *certificate)
{
	if (!sk_X509_push(content->certificates, certificate)) {
		X509_free(certificate);
		return -1;
	}
	return 0;
}

/* Takes the block's memory. */
static int
add_key_block(struct certificate_content *content, struct key_block *block,
	      struct error *error)
{
	if (content->block_count == CERTIFICATE_KEYS_MAX) {
		error_set(error, "more than %d private keys are in it",
			  CERTIFICATE_KEYS_MAX);
		return -1;
	}
	content->blocks = mem_resize(content->blocks, content->block_count + 1,
				     sizeof(*content->blocks));
	content->blocks[content->block_count++] = *block;
	*block = (struct key_block){0};
	return 0;
}

static bool
is_certificate_label(const char *label)
{
	return strcmp(label, PEM_STRING_X509) == 0 ||
	       strcmp(label, PEM_STRING_X509_OLD) == 0 ||
	       strcmp(label, PEM_STRING_X509_TRUSTED) == 0;
}

static bool
is_key_label(const char *label)
{
	static const char suffix[] = "PRIVATE KEY";
	size_t length = strlen(label);

	return length >= sizeof(suffix) - 1 &&
	       strcmp(label + length - (sizeof(suffix) - 1), suffix) == 0;
}

static unsigned int
line_at(const unsigned char *bytes, size_t offset)
{
	unsigned int line = 1;

	for (size_t i = 0; i < offset; i++)
		if (bytes[i] == '\n')
			line++;
	return line;
}

/* The first certificate of a file is mostly its own, the others are what it
 * has in common with the files beside it. */
static X509 *
decode_pem_certificate(const struct certificate_content *content,
		       const struct key_block *block)
{
	const unsigned char *at = block->bytes;
	X509 *certificate;

	if (strcmp(block->label, PEM_STRING_X509_TRUSTED) == 0)
		certificate = d2i_X509_AUX(NULL, &at, block->length);
	else if (content->cache && sk_X509_num(content->certificates) > 0)
		return certificate_cache_decode(content->cache, block->bytes,
						block->length);
	else
		certificate = d2i_X509(NULL, &at, block->length);
	if (certificate && at != block->bytes + block->length) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

static bool
is_end_of_pem(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM &&
	       ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* One block that PEM_read_bio() made, into the content; takes its memory. */
static int
take_pem_block(struct certificate_content *content, struct key_block *block,
	       struct error *error)
{
	X509 *certificate;

	if (is_key_label(block->label))
		return add_key_block(content, block, error);
	if (!is_certificate_label(block->label)) {
		content->other_count++;
		return 0;
	}
	certificate = decode_pem_certificate(content, block);
	if (!certificate || add_certificate(content, certificate) != 0) {
		error_set(error, "the certificate cannot be decoded");
		return -1;
	}
	return 0;
}

static int
parse_pem(const unsigned char *bytes, size_t length,
	  struct certificate_content *content, struct error *error)
{
	AUTO_OPENSSL(bio) BIO *in = BIO_new_mem_buf(bytes, (int)length);
	struct key_block block = {0};
	int result = 0;

	if (!in) {
		error_set(error, "it cannot be read: OpenSSL is out of memory");
		return -1;
	}
	while (result == 0 && PEM_read_bio(in, &block.label, &block.header,
					   &block.bytes, &block.length) == 1) {
		content->form = CERTIFICATE_FORM_PEM;
		result = take_pem_block(content, &block, error);
		key_block_clear(&block);
	}
	if (result == 0 && is_end_of_pem())
		return 0;
	content->form = CERTIFICATE_FORM_PEM;
	if (result == 0)
		error_set(error, "the PEM block cannot be decoded");
	error_prefix(error, "it is damaged before line %u: ",
		     line_at(bytes, length - (size_t)BIO_pending(in)));
	return -1;
}

/* Certificates one behind the other; there is mostly one. */
static int
parse_der_certificates(const unsigned char *bytes, long length,
		       struct certificate_content *content, struct error *error)
{
	const unsigned char *at = bytes;

	content->form = CERTIFICATE_FORM_DER;
	while (at < bytes + length) {
		X509 *certificate = d2i_X509(NULL, &at, bytes + length - at);

		if (!certificate ||
		    add_certificate(content, certificate) != 0) {
			error_set(error,
				  "it is damaged: the DER at byte %td is no "
				  "certificate",
				  at - bytes);
			return -1;
		}
	}
	return 0;
}

static int
parse_der_key(const unsigned char *bytes, long length,
	      struct certificate_content *content, struct error *error)
{
	struct key_block block = {
		.label = OPENSSL_strdup(""),
		.header = OPENSSL_strdup(""),
		.bytes = OPENSSL_memdup(bytes, (size_t)length),
		.length = length,
	};

	content->form = CERTIFICATE_FORM_DER;
	if (!block.label || !block.header || !block.bytes) {
		error_set(error, "it cannot be read: OpenSSL is out of memory");
		key_block_clear(&block);
		return -1;
	}
	return add_key_block(content, &block, error);
}

static int
parse_der(const unsigned char *bytes, long length, const char *passphrase,
	  struct certificate_content *content, struct error *error)
{
	switch (shape_of(bytes, length)) {
	case DER_CERTIFICATE:
		return parse_der_certificates(bytes, length, content, error);
	case DER_KEY:
	case DER_ENCRYPTED_KEY:
		return parse_der_key(bytes, length, content, error);
	case DER_PKCS12:
		content->form = CERTIFICATE_FORM_PKCS12;
		return certificate_pkcs12_open(bytes, length, passphrase,
					       content, error);
	case DER_UNKNOWN:
		break;
	}
	/* "0" is 0x30: it may be words in front of PEM. */
	return parse_pem(bytes, (size_t)length, content, error);
}

int
certificate_content_parse(const void *bytes, size_t length,
			  const char *passphrase,
			  struct certificate_cache *cache,
			  struct certificate_content *content,
			  struct error *error)
{
	const unsigned char *at = bytes;
	int result;

	*content =
		(struct certificate_content){.length = length, .cache = cache};
	content->certificates = sk_X509_new_null();
	if (!content->certificates) {
		error_set(error, "it cannot be read: OpenSSL is out of memory");
		return -1;
	}
	if (length > INT_MAX) {
		error_set(error, "it is too large");
		return -1;
	}
	if (length >= 3 && memcmp(at, UTF8_MARK, 3) == 0) {
		at += 3;
		length -= 3;
	}
	ERR_clear_error();
	if (length > 0 && at[0] == 0x30)
		result =
			parse_der(at, (long)length, passphrase, content, error);
	else
		result = parse_pem(at, length, content, error);
	ERR_clear_error();
	return result;
}

void
certificate_content_clear(struct certificate_content *content)
{
	for (size_t i = 0; i < content->block_count; i++)
		key_block_clear(&content->blocks[i]);
	mem_free(content->blocks);
	for (size_t i = 0; i < content->key_count; i++)
		EVP_PKEY_free(content->keys[i]);
	sk_X509_pop_free(content->certificates, X509_free);
	*content = (struct certificate_content){0};
}

size_t
certificate_content_key_count(const struct certificate_content *content)
{
	return content->block_count + content->key_count;
}

EVP_PKEY *
certificate_content_key(const struct certificate_content *content, size_t index,
			const char *passphrase, struct error *error)
{
	assert(index < certificate_content_key_count(content));
	if (index < content->block_count)
		return key_block_decode(&content->blocks[index], passphrase,
					error);
	index -= content->block_count;
	return EVP_PKEY_up_ref(content->keys[index]) ? content->keys[index]
						     : NULL;
}

const char *
certificate_content_lack(const struct certificate_content *content)
{
	if (content->length == 0)
		return "it is empty";
	if (content->form == CERTIFICATE_FORM_NONE)
		return "it is neither PEM nor DER nor PKCS#12, or damaged";
	return "there is no certificate in it";
}

STACK_OF(X509) *
certificate_parse_all(const void *bytes, size_t length, const char *passphrase,
		      struct error *error)
{
	struct certificate_content content;
	STACK_OF(X509) *found = NULL;

	if (certificate_content_parse(bytes, length, passphrase, NULL, &content,
				      error) == 0) {
		if (sk_X509_num(content.certificates) > 0)
			found = TAKE(content.certificates);
		else
			error_set(error, "%s",
				  certificate_content_lack(&content));
	}
	certificate_content_clear(&content);
	return found;
}
