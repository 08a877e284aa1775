/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates travel as DER, outcomes as numbers and sentences.
 */
#include "common/verify/ocsp_talk.h"

#include <assert.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"

static int
write_certificate(X509 *certificate, struct buf_writer *writer)
{
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);

	if (length <= 0)
		return -1;
	buf_write_u32(writer, (uint32_t)length);
	buf_write_bytes(writer, der, (size_t)length);
	OPENSSL_free(der);
	return 0;
}

/* A chain's links follow one another: an issuer that is the next certificate
 * is not written twice. */
static bool
is_issuer_next(const struct ocsp_ask *ask, size_t index)
{
	return index + 1 < ask->count &&
	       X509_cmp(ask->pairs[index].issuer,
			ask->pairs[index + 1].certificate) == 0;
}

int
ocsp_ask_encode(const struct ocsp_ask *ask, struct buf_writer *writer)
{
	buf_write_u8(writer, ask->is_nonce);
	buf_write_string(writer, ask->http_proxy);
	buf_write_u8(writer, (uint8_t)ask->count);
	for (size_t i = 0; i < ask->count; i++) {
		bool is_next = is_issuer_next(ask, i);

		if (write_certificate(ask->pairs[i].certificate, writer) != 0)
			return -1;
		buf_write_u8(writer, is_next);
		if (!is_next &&
		    write_certificate(ask->pairs[i].issuer, writer) != 0)
			return -1;
	}
	return writer->failed ? -1 : 0;
}

static X509 *
read_certificate(struct buf_reader *reader)
{
	uint32_t length = buf_read_u32(reader);
	const unsigned char *bytes = buf_read_bytes(reader, length);
	const unsigned char *end = bytes;
	AUTO_OPENSSL(x509) X509 *certificate = NULL;

	if (!bytes)
		return NULL;
	ERR_set_mark();
	certificate = d2i_X509(NULL, &end, (long)length);
	ERR_pop_to_mark();
	return certificate && end == bytes + length ? TAKE(certificate) : NULL;
}

static int
read_pair(struct buf_reader *reader, struct ocsp_ask *ask, size_t index)
{
	struct ocsp_pair *pair = &ask->pairs[index];
	uint8_t is_next;

	pair->certificate = read_certificate(reader);
	if (!pair->certificate)
		return -1;
	if (index > 0 && !ask->pairs[index - 1].issuer) {
		X509_up_ref(pair->certificate);
		ask->pairs[index - 1].issuer = pair->certificate;
	}
	is_next = buf_read_u8(reader);
	if (is_next)
		return is_next == 1 && index + 1 < ask->count ? 0 : -1;
	pair->issuer = read_certificate(reader);
	return pair->issuer ? 0 : -1;
}

static int
read_pairs(struct buf_reader *reader, struct ocsp_ask *ask)
{
	ask->count = buf_read_u8(reader);
	if (ask->count == 0 || ask->count > OCSP_ASK_MAX)
		return -1;
	for (size_t i = 0; i < ask->count; i++)
		if (read_pair(reader, ask, i) != 0)
			return -1;
	return reader->length == 0 && !reader->failed ? 0 : -1;
}

int
ocsp_ask_decode(struct buf_reader *reader, struct ocsp_ask *ask)
{
	uint8_t is_nonce;

	*ask = (struct ocsp_ask){0};
	is_nonce = buf_read_u8(reader);
	ask->is_nonce = is_nonce == 1;
	ask->http_proxy = buf_read_string(reader);
	if (is_nonce <= 1 && ask->http_proxy && read_pairs(reader, ask) == 0)
		return 0;
	ocsp_ask_clear(ask);
	return -1;
}

void
ocsp_ask_clear(struct ocsp_ask *ask)
{
	for (size_t i = 0; i < ARRAY_SIZE(ask->pairs); i++) {
		X509_free(ask->pairs[i].certificate);
		X509_free(ask->pairs[i].issuer);
	}
	mem_free(ask->http_proxy);
	*ask = (struct ocsp_ask){0};
}

static const char *
or_empty(const char *text)
{
	return text ? text : "";
}

bool
ocsp_ask_is_same(const struct ocsp_ask *one, const struct ocsp_ask *other)
{
	if (one->count != other->count || one->is_nonce != other->is_nonce ||
	    strcmp(or_empty(one->http_proxy), or_empty(other->http_proxy)) != 0)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (X509_cmp(one->pairs[i].certificate,
			     other->pairs[i].certificate) != 0 ||
		    X509_cmp(one->pairs[i].issuer, other->pairs[i].issuer) != 0)
			return false;
	return true;
}

void
ocsp_ask_add(struct ocsp_ask *ask, const struct ocsp_pair *pair)
{
	assert(ask->count < OCSP_ASK_MAX);
	X509_up_ref(pair->certificate);
	X509_up_ref(pair->issuer);
	ask->pairs[ask->count++] = *pair;
}

void
ocsp_told_encode(const struct ocsp_told *told, size_t count,
		 struct buf_writer *writer)
{
	for (size_t i = 0; i < count; i++) {
		buf_write_u8(writer, (uint8_t)told[i].status);
		buf_write_u64(writer, (uint64_t)told[i].valid_until);
		buf_write_string(writer, told[i].sentence);
	}
}

static int
read_told(struct buf_reader *reader, struct ocsp_told *told)
{
	uint8_t status = buf_read_u8(reader);
	uint64_t until = buf_read_u64(reader);
	AUTO_FREE char *sentence = buf_read_string(reader);

	if (status > OCSP_REVOKED || until > INT64_MAX || !sentence ||
	    strlen(sentence) >= sizeof(told->sentence))
		return -1;
	told->status = (enum ocsp_status)status;
	told->valid_until = (int64_t)until;
	memcpy(told->sentence, sentence, strlen(sentence) + 1);
	return 0;
}

int
ocsp_told_decode(struct buf_reader *reader, struct ocsp_told *told,
		 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (read_told(reader, &told[i]) != 0)
			return -1;
	return reader->length == 0 && !reader->failed ? 0 : -1;
}
