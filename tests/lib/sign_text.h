/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages as TLS has them signed, and parts to make wrong ones of, for the
 * tests of whoever reads or signs them. What is in them is arbitrary: they
 * are well-formed, no more.
 */
#ifndef SEALOCK_TESTS_SIGN_TEXT_H
#define SEALOCK_TESTS_SIGN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* A message under construction: writer.length of bytes. */
struct sign_text {
	unsigned char bytes[8192];
	struct buf_writer writer;
};

void
sign_text_init(struct sign_text *text);

/* Append. */
void
sign_text_fill(struct sign_text *text, unsigned char value, size_t count);
void
sign_text_u24(struct sign_text *text, size_t value);

#define SIGN_TEXT_SERVER "TLS 1.3, server CertificateVerify"
#define SIGN_TEXT_CLIENT "TLS 1.3, client CertificateVerify"

/* TLS 1.3: spaces, that context with its zero byte, a hash. */
void
sign_text_verify(struct sign_text *text, const char *context,
		 size_t hash_length);

/* Both randoms and a point of that size that begins with that byte. */
void
sign_text_ecdhe(struct sign_text *text, uint16_t group, size_t point_size,
		unsigned char first);

/* Both randoms, a prime of that many bytes (it only has to look like one), a
 * generator of one byte, and a public value of one byte repeated. */
void
sign_text_dhe(struct sign_text *text, size_t prime_size,
	      unsigned char generator, unsigned char public_value,
	      size_t public_size);

/* A client's handshake up to its ClientKeyExchange; version is the one in the
 * ServerHello. */
void
sign_text_transcript(struct sign_text *text, uint16_t version);

/* Append handshake messages. The lengths of the hellos with their headers. */
#define SIGN_TEXT_CLIENT_HELLO_LENGTH (4 + 2 + 32 + 1 + 2 + 4 + 2 + 2 + 8)
#define SIGN_TEXT_SERVER_HELLO_LENGTH (4 + 2 + 32 + 1 + 2 + 1)
void
sign_text_client_hello(struct sign_text *text);
void
sign_text_server_hello(struct sign_text *text, uint16_t version);
void
sign_text_certificates(struct sign_text *text, size_t certificate_size);
void
sign_text_certificate_request(struct sign_text *text, uint16_t version);
void
sign_text_message(struct sign_text *text, uint8_t type, size_t length);

#endif
