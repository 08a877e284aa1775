/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages as TLS has them signed, byte by byte.
 */
#include "tests/lib/sign_text.h"

#include <string.h>

void
sign_text_init(struct sign_text *text)
{
	memset(text, 0, sizeof(*text));
	buf_write_init(&text->writer, text->bytes, sizeof(text->bytes));
}

void
sign_text_fill(struct sign_text *text, unsigned char value, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_write_u8(&text->writer, value);
}

void
sign_text_u24(struct sign_text *text, size_t value)
{
	buf_write_u8(&text->writer, (uint8_t)(value >> 16));
	buf_write_u16(&text->writer, (uint16_t)value);
}

void
sign_text_verify(struct sign_text *text, const char *context,
		 size_t hash_length)
{
	sign_text_init(text);
	sign_text_fill(text, ' ', 64);
	buf_write_bytes(&text->writer, context, strlen(context) + 1);
	sign_text_fill(text, 0xab, hash_length);
}

static void
make_randoms(struct sign_text *text)
{
	sign_text_init(text);
	sign_text_fill(text, 0xc1, 32);
	sign_text_fill(text, 0x5e, 32);
}

void
sign_text_ecdhe(struct sign_text *text, uint16_t group, size_t point_size,
		unsigned char first)
{
	make_randoms(text);
	buf_write_u8(&text->writer, 3);
	buf_write_u16(&text->writer, group);
	buf_write_u8(&text->writer, (uint8_t)point_size);
	if (point_size > 0)
		buf_write_u8(&text->writer, first);
	if (point_size > 1)
		sign_text_fill(text, 0x77, point_size - 1);
}

/* A prime of that many bytes (it only has to look like one), a generator and
 * a public value of one byte repeated. */
void
sign_text_dhe(struct sign_text *text, size_t prime_size,
	      unsigned char generator, unsigned char public_value,
	      size_t public_size)
{
	make_randoms(text);
	buf_write_u16(&text->writer, (uint16_t)prime_size);
	sign_text_fill(text, 0xff, prime_size);
	buf_write_u16(&text->writer, 1);
	buf_write_u8(&text->writer, generator);
	buf_write_u16(&text->writer, (uint16_t)public_size);
	sign_text_fill(text, public_value, public_size);
}

void
sign_text_client_hello(struct sign_text *text)
{
	buf_write_u8(&text->writer, 1);
	sign_text_u24(text, 2 + 32 + 1 + 2 + 4 + 2 + 2 + 8);
	buf_write_u16(&text->writer, 0x0303);
	sign_text_fill(text, 0xc1, 32);
	buf_write_u8(&text->writer, 0);
	buf_write_u16(&text->writer, 4);
	buf_write_u32(&text->writer, 0xc02bc02f);
	buf_write_u8(&text->writer, 1);
	buf_write_u8(&text->writer, 0);
	buf_write_u16(&text->writer, 8);
	buf_write_u16(&text->writer, 23);
	buf_write_u16(&text->writer, 0);
	buf_write_u16(&text->writer, 22);
	buf_write_u16(&text->writer, 0);
}

void
sign_text_server_hello(struct sign_text *text, uint16_t version)
{
	buf_write_u8(&text->writer, 2);
	sign_text_u24(text, 2 + 32 + 1 + 2 + 1);
	buf_write_u16(&text->writer, version);
	sign_text_fill(text, 0x5e, 32);
	buf_write_u8(&text->writer, 0);
	buf_write_u16(&text->writer, 0xc02b);
	buf_write_u8(&text->writer, 0);
}

void
sign_text_message(struct sign_text *text, uint8_t type, size_t length)
{
	buf_write_u8(&text->writer, type);
	sign_text_u24(text, length);
	sign_text_fill(text, 0x11, length);
}

void
sign_text_certificates(struct sign_text *text, size_t certificate_size)
{
	buf_write_u8(&text->writer, 11);
	sign_text_u24(text, 3 + 3 + certificate_size);
	sign_text_u24(text, 3 + certificate_size);
	sign_text_u24(text, certificate_size);
	sign_text_fill(text, 0x30, certificate_size);
}

void
sign_text_certificate_request(struct sign_text *text, uint16_t version)
{
	buf_write_u8(&text->writer, 13);
	sign_text_u24(text, version == 0x0303 ? 2 + 4 + 2 : 2 + 2);
	buf_write_u8(&text->writer, 1);
	buf_write_u8(&text->writer, 64);
	if (version == 0x0303) {
		buf_write_u16(&text->writer, 2);
		buf_write_u16(&text->writer, 0x0403);
	}
	buf_write_u16(&text->writer, 0);
}

void
sign_text_transcript(struct sign_text *text, uint16_t version)
{
	sign_text_init(text);
	sign_text_client_hello(text);
	sign_text_server_hello(text, version);
	sign_text_certificates(text, 600);
	sign_text_message(text, 22, 100);
	sign_text_message(text, 12, 150);
	sign_text_certificate_request(text, version);
	sign_text_message(text, 14, 0);
	sign_text_certificates(text, 500);
	sign_text_message(text, 16, 66);
}
