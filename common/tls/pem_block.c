/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Line ends are taken out of the base64, then OpenSSL decodes it in one go.
 */
#include "common/tls/pem_block.h"

#include <limits.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/base/mem.h"

static const char BEGIN[] = "-----BEGIN ";
static const char END[] = "-----END ";
static const char DASHES[] = "-----";

static bool
is_space(char byte)
{
	return byte == '\n' || byte == '\r' || byte == ' ' || byte == '\t';
}

/* Pass over a text, which must be there. */
static bool
skip(const char **at, const char *end, const char *text, size_t length)
{
	if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool
skip_line_end(const char **at, const char *end)
{
	if (*at < end && **at == '\r')
		(*at)++;
	return *at == end || *(*at)++ == '\n';
}

enum pem_result
pem_block_next(const char **at, const char *end, struct pem_block *block)
{
	const char *dash;

	while (*at < end && is_space(**at))
		(*at)++;
	if (*at == end)
		return PEM_END;
	if (!skip(at, end, BEGIN, sizeof(BEGIN) - 1))
		return PEM_ODD;
	block->label = *at;
	dash = memchr(*at, '-', (size_t)(end - *at));
	if (!dash)
		return PEM_ODD;
	block->label_length = (size_t)(dash - *at);
	*at = dash;
	if (!skip(at, end, DASHES, sizeof(DASHES) - 1) ||
	    !skip_line_end(at, end))
		return PEM_ODD;
	block->body = *at;
	dash = memchr(*at, '-', (size_t)(end - *at));
	if (!dash || dash == *at || dash[-1] != '\n')
		return PEM_ODD;
	block->body_length = (size_t)(dash - *at);
	*at = dash;
	if (!skip(at, end, END, sizeof(END) - 1) ||
	    !skip(at, end, block->label, block->label_length) ||
	    !skip(at, end, DASHES, sizeof(DASHES) - 1) ||
	    !skip_line_end(at, end))
		return PEM_ODD;
	return PEM_BLOCK;
}

bool
pem_block_is(const struct pem_block *block, const char *label)
{
	return strlen(label) == block->label_length &&
	       memcmp(label, block->label, block->label_length) == 0;
}

/* Base64 without line ends; 0: it is no such thing. */
static size_t
compact(const struct pem_block *block, char *to)
{
	size_t length = 0, padding = 0;

	for (size_t i = 0; i < block->body_length; i++) {
		char byte = block->body[i];

		if (byte == '\n' || byte == '\r')
			continue;
		if (byte == '=')
			padding++;
		else if (padding > 0 || is_space(byte))
			return 0;
		to[length++] = byte;
	}
	return length % 4 == 0 && padding <= 2 ? length : 0;
}

static unsigned char *
decode(const char *text, size_t length, bool is_secret, size_t *decoded)
{
	unsigned char *bytes =
		is_secret ? OPENSSL_secure_malloc(length / 4 * 3) : NULL;
	int got;

	if (!bytes)
		bytes = OPENSSL_malloc(length / 4 * 3);
	if (!bytes)
		return NULL;
	got = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	if (got <= 0) {
		OPENSSL_secure_clear_free(bytes, length / 4 * 3);
		return NULL;
	}
	*decoded = (size_t)got - (text[length - 1] == '=') -
		   (text[length - 2] == '=');
	return bytes;
}

unsigned char *
pem_block_decode(const struct pem_block *block, bool is_secret, size_t *length)
{
	unsigned char *bytes = NULL;
	char *text;
	size_t text_length;

	if (block->body_length > INT_MAX)
		return NULL;
	text = mem_alloc(block->body_length);
	text_length = compact(block, text);
	if (text_length > 0)
		bytes = decode(text, text_length, is_secret, length);
	mem_wipe(text, text_length);
	mem_free(text);
	return bytes;
}
