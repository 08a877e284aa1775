/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms of what is signed: what each allows, and all that is nearly one.
 */
#include "common/tls/sign_form.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/tls/signature_scheme.h"
#include "tests/lib/sign_text.h"
#include "tests/unit/unit.h"

/* An exact copy of the bytes, so that a sanitizer sees a read past them. */
static int
read_form(const void *bytes, size_t length, struct sign_form *form,
	  const char **reason)
{
	AUTO_FREE unsigned char *copy = mem_dup(bytes, length);

	*reason = "";
	return sign_form_read(copy, length, form, reason);
}

static void
check_form(const struct sign_text *text, enum sign_form_kind kind,
	   unsigned int versions)
{
	struct sign_form form = {0};
	const char *reason;

	if (read_form(text->bytes, text->writer.length, &form, &reason) != 0) {
		printf("%s\n", reason);
		CU_FAIL("no form");
		return;
	}
	CU_ASSERT_EQUAL(form.kind, kind);
	CU_ASSERT_EQUAL(form.versions, versions);
}

static void
check_refused_bytes(const void *bytes, size_t length, const char *expected)
{
	struct sign_form form;
	const char *reason;

	CU_ASSERT_EQUAL(read_form(bytes, length, &form, &reason), -1);
	if (!strstr(reason, expected))
		printf("\"%s\" instead of \"%s\"\n", reason, expected);
	CU_ASSERT_PTR_NOT_NULL(strstr(reason, expected));
}

static void
check_refused(const struct sign_text *text, const char *expected)
{
	check_refused_bytes(text->bytes, text->writer.length, expected);
}

#define SERVER_VERSIONS (SIGNATURE_TLS_LEGACY | SIGNATURE_TLS_1_2)

struct group_case {
	uint16_t group;
	size_t point_size;
	unsigned char first;
};

static void
test_groups(void)
{
	static const struct group_case good[] = {
		{22, 65, 4},  {23, 65, 4},    {24, 97, 4},
		{25, 133, 4}, {26, 65, 4},    {27, 97, 4},
		{28, 129, 4}, {29, 32, 0x80}, {30, 56, 0x80},
	};
	static const struct group_case bad[] = {
		{0, 65, 4},  {1, 65, 4},   {19, 49, 4},     {21, 57, 4},
		{31, 65, 4}, {256, 65, 4}, {0x11ec, 65, 4}, {23, 0, 0},
		{23, 1, 0},  {23, 33, 2},  {23, 64, 4},     {23, 66, 4},
		{23, 65, 2}, {23, 65, 3},  {23, 65, 6},     {23, 65, 0},
		{24, 65, 4}, {25, 132, 4}, {29, 31, 0},     {29, 33, 0},
		{29, 65, 4}, {30, 32, 0},  {30, 57, 0},     {28, 128, 4},
	};
	struct sign_text text;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		sign_text_ecdhe(&text, good[i].group, good[i].point_size,
				good[i].first);
		check_form(&text, SIGN_FORM_ECDHE, SERVER_VERSIONS);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sign_text_ecdhe(&text, bad[i].group, bad[i].point_size,
				bad[i].first);
		check_refused(&text, "ECDHE parameters");
	}
	/* Explicit curves. */
	sign_text_ecdhe(&text, 23, 65, 4);
	text.bytes[64] = 1;
	check_refused(&text, "DHE");
	text.bytes[64] = 2;
	check_refused(&text, "DHE");
}

static void
test_dhe(void)
{
	struct sign_text text;

	sign_text_dhe(&text, 256, 2, 1, 1);
	check_refused(&text, "public value");
	sign_text_dhe(&text, 256, 2, 2, 1);
	check_form(&text, SIGN_FORM_DHE, SERVER_VERSIONS);
	sign_text_dhe(&text, 256, 5, 0xfe, 256);
	check_form(&text, SIGN_FORM_DHE, SERVER_VERSIONS);
	sign_text_dhe(&text, 1024, 2, 0x44, 1024);
	check_form(&text, SIGN_FORM_DHE, SERVER_VERSIONS);
	/* A prime of 768 bytes begins with the byte that says ECDHE. */
	sign_text_dhe(&text, 768, 2, 0x44, 768);
	check_form(&text, SIGN_FORM_DHE, SERVER_VERSIONS);

	sign_text_dhe(&text, 255, 2, 0x33, 255);
	check_refused(&text, "2048");
	sign_text_dhe(&text, 1025, 2, 0x33, 256);
	check_refused(&text, "8192");
	sign_text_dhe(&text, 0, 2, 0x33, 256);
	check_refused(&text, "2048");
	sign_text_dhe(&text, 256, 2, 0x33, 256);
	text.bytes[64 + 2] = 0x7f;
	check_refused(&text, "2048");
	sign_text_dhe(&text, 257, 2, 0x33, 256);
	text.bytes[64 + 2] = 0;
	check_refused(&text, "2048");
	sign_text_dhe(&text, 256, 2, 0x33, 256);
	text.bytes[64 + 2 + 255] = 0xfe;
	check_refused(&text, "even");
	sign_text_dhe(&text, 256, 0, 0x33, 256);
	check_refused(&text, "generator");
	sign_text_dhe(&text, 256, 1, 0x33, 256);
	check_refused(&text, "generator");
	sign_text_dhe(&text, 256, 2, 0, 256);
	check_refused(&text, "public value");
	sign_text_dhe(&text, 256, 2, 0, 0);
	check_refused(&text, "public value");
	/* p itself, p - 1, and longer than p. */
	sign_text_dhe(&text, 256, 2, 0xff, 256);
	check_refused(&text, "public value");
	text.bytes[text.writer.length - 1] = 0xfe;
	check_refused(&text, "public value");
	text.bytes[text.writer.length - 1] = 0xfd;
	check_form(&text, SIGN_FORM_DHE, SERVER_VERSIONS);
	sign_text_dhe(&text, 256, 2, 0x33, 257);
	check_refused(&text, "public value");
}

static void
test_verify_block(void)
{
	static const char *const contexts[] = {
		"",
		"TLS 1.3, server CertificateVerifz",
		"TLS 1.3, server certificateVerify",
		"TLS 1.3, server CertificateVerif",
		"TLS 1.3, server CertificateVerifyy",
		"TLS 1.2, server CertificateVerify",
		"TLS 1.3, server delegated credentials",
		" TLS 1.3, server CertificateVerify",
		"TLS 1.3, peer CertificateVerify",
	};
	static const size_t hashes[] = {0,  1,  16, 20, 28, 31,
					33, 47, 49, 63, 64, 65};
	struct sign_text text;

	for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
		sign_text_verify(&text, contexts[i], 48);
		check_refused(&text, "CertificateVerify");
	}
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		sign_text_verify(&text, SIGN_TEXT_SERVER, hashes[i]);
		check_refused(&text, "no suite");
	}
	/* Every prefix, and one space too few. */
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	for (size_t i = 0; i < text.writer.length; i++)
		check_refused_bytes(text.bytes, i, "");
	check_refused_bytes(text.bytes + 1, text.writer.length - 1, "");
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	text.bytes[63] = 0;
	check_refused(&text, "");
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	text.bytes[64 + 33] = ' ';
	check_refused(&text, "context");
}

/* No prefix of a good message is one, nor is it one with a byte behind. */
static void
check_exact(struct sign_text *text)
{
	struct sign_form form;
	const char *reason;

	CU_ASSERT_EQUAL(
		read_form(text->bytes, text->writer.length, &form, &reason), 0);
	for (size_t i = 0; i < text->writer.length; i++)
		check_refused_bytes(text->bytes, i, "");
	buf_write_u8(&text->writer, 0);
	check_refused(text, "");
}

static void
test_exact(void)
{
	struct sign_text text;

	sign_text_ecdhe(&text, 23, 65, 4);
	check_exact(&text);
	sign_text_ecdhe(&text, 29, 32, 9);
	check_exact(&text);
	sign_text_dhe(&text, 256, 2, 0x33, 256);
	check_exact(&text);
	sign_text_transcript(&text, 0x0303);
	check_exact(&text);
	sign_text_transcript(&text, 0x0301);
	check_exact(&text);
}

static void
test_transcript_order(void)
{
	struct sign_text text;

	/* The least there can be: RSA key exchange, no status. */
	sign_text_init(&text);
	sign_text_client_hello(&text);
	sign_text_server_hello(&text, 0x0303);
	sign_text_certificates(&text, 100);
	sign_text_certificate_request(&text, 0x0303);
	sign_text_message(&text, 14, 0);
	sign_text_certificates(&text, 100);
	sign_text_message(&text, 16, 2);
	check_form(&text, SIGN_FORM_CLIENT_TRANSCRIPT, SIGNATURE_TLS_1_2);

	/* Nobody asked for a certificate. */
	sign_text_init(&text);
	sign_text_client_hello(&text);
	sign_text_server_hello(&text, 0x0303);
	sign_text_certificates(&text, 100);
	sign_text_message(&text, 12, 100);
	sign_text_message(&text, 14, 0);
	sign_text_certificates(&text, 100);
	sign_text_message(&text, 16, 2);
	check_refused(&text, "handshake");

	/* A hello alone; a second one; no key exchange at the end. */
	sign_text_init(&text);
	sign_text_client_hello(&text);
	check_refused(&text, "handshake");
	sign_text_client_hello(&text);
	check_refused(&text, "handshake");
	sign_text_transcript(&text, 0x0303);
	text.writer.length -= 4 + 66;
	check_refused(&text, "handshake");

	/* One that goes on after the signature, and one that begins with the
	 * server's hello. */
	sign_text_transcript(&text, 0x0303);
	sign_text_message(&text, 20, 12);
	check_refused(&text, "handshake");
	sign_text_init(&text);
	sign_text_server_hello(&text, 0x0303);
	sign_text_certificates(&text, 100);
	check_refused(&text, "");
}

struct flaw {
	size_t offset;
	unsigned char value;
};

static void
test_transcript_messages(void)
{
	const size_t suites = 4 + 2 + 32 + 1, compressions = suites + 2 + 4;
	const size_t server_hello = SIGN_TEXT_CLIENT_HELLO_LENGTH;
	const size_t certificates =
		server_hello + SIGN_TEXT_SERVER_HELLO_LENGTH;
	const size_t request =
		certificates + 4 + 3 + 3 + 600 + 4 + 100 + 4 + 150;
	const struct flaw flaws[] = {
		{4, 2},                /* ClientHello: version 2.3 */
		{suites - 1, 33},      /* a long session id */
		{suites + 1, 3},       /* one suite and a half */
		{suites + 1, 0},       /* none, and what follows moves */
		{compressions, 0},     /* no compression method */
		{compressions + 3, 7}, /* extensions that are not all */
		{server_hello - 1, 1}, /* one that is longer than the block */
		{server_hello + 4 + 2 + 32, 33}, /* ServerHello: the id */
		{server_hello + 4 + 2 + 32 + 1 + 2, 1}, /* compression */
		{certificates + 4 + 2, 0}, /* Certificate: a short list */
		{certificates + 4 + 5, 0xff},
		{request + 4, 0},     /* CertificateRequest: no types */
		{request + 4 + 3, 1}, /* half a scheme */
		{request + 4 + 3, 0}, /* none */
		{request + 4 + 7, 1}, /* names that are not there */
	};
	static const uint16_t versions[] = {0x0000, 0x0002, 0x0300, 0x0304,
					    0x0403, 0xfefd, 0x7f1c};
	struct sign_text text;

	for (size_t i = 0; i < ARRAY_SIZE(flaws); i++) {
		sign_text_transcript(&text, 0x0303);
		CU_ASSERT_NOT_EQUAL(text.bytes[flaws[i].offset],
				    flaws[i].value);
		text.bytes[flaws[i].offset] = flaws[i].value;
		check_refused(&text, "handshake");
	}
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		sign_text_transcript(&text, versions[i]);
		check_refused(&text, "handshake");
	}
	sign_text_transcript(&text, 0x0302);
	check_form(&text, SIGN_FORM_CLIENT_TRANSCRIPT, SIGNATURE_TLS_LEGACY);
}

/* Parameters whose numbers are a client's handshake: signed as neither. */
static void
test_two_meanings(void)
{
	const size_t hello_body = 2 + 32 + 1 + 32 + 2 + 2 + 1 + 1 + 2 + 1024;
	struct sign_text text;
	size_t prime_end, public_at;

	sign_text_init(&text);
	buf_write_u8(&text.writer, 1);
	sign_text_u24(&text, hello_body);
	buf_write_u16(&text.writer, 0x0303);
	sign_text_fill(&text, 0xc1, 32);
	buf_write_u8(&text.writer, 32);
	/* The prime's length is in the session id, 64 bytes into it all. */
	sign_text_fill(&text, 0x55, 25);
	buf_write_u16(&text.writer, 1000);
	sign_text_fill(&text, 0xff, 5);
	buf_write_u16(&text.writer, 2);
	buf_write_u16(&text.writer, 0xc02b);
	buf_write_u8(&text.writer, 1);
	buf_write_u8(&text.writer, 0);
	buf_write_u16(&text.writer, 1024);
	/* One extension nobody knows, with the rest of the numbers. */
	buf_write_u16(&text.writer, 0x7777);
	buf_write_u16(&text.writer, 1020);
	prime_end = 64 + 2 + 1000;
	sign_text_fill(&text, 0xff, prime_end - text.writer.length);
	buf_write_u16(&text.writer, 1);
	buf_write_u8(&text.writer, 2);
	public_at = text.writer.length;
	buf_write_u16(&text.writer, 0);
	sign_text_fill(&text, 0x33, 4 + hello_body - text.writer.length);
	sign_text_server_hello(&text, 0x0303);
	sign_text_certificates(&text, 100);
	sign_text_certificate_request(&text, 0x0303);
	sign_text_message(&text, 14, 0);
	sign_text_certificates(&text, 100);
	sign_text_message(&text, 16, 66);
	text.bytes[public_at] =
		(unsigned char)((text.writer.length - public_at - 2) >> 8);
	text.bytes[public_at + 1] =
		(unsigned char)(text.writer.length - public_at - 2);
	check_refused(&text, "two meanings");

	/* With one byte more it is a handshake still, and no parameters. */
	text.bytes[public_at + 1] += 1;
	check_form(&text, SIGN_FORM_CLIENT_TRANSCRIPT, SIGNATURE_TLS_1_2);
	/* And parameters alone when the handshake has another end. */
	text.bytes[public_at + 1] -= 1;
	text.bytes[text.writer.length - 67] = 65;
	check_form(&text, SIGN_FORM_DHE, SERVER_VERSIONS);
}

UNIT_SUITE(sign_form, {"groups", test_groups}, {"dhe", test_dhe},
	   {"verify_block", test_verify_block}, {"exact", test_exact},
	   {"transcript_order", test_transcript_order},
	   {"transcript_messages", test_transcript_messages},
	   {"two_meanings", test_two_meanings});
