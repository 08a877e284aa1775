/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hellos of OpenSSL's, at every split, and hellos made byte by byte, most of
 * them wrong.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/tls/client_hello.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_version.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define ALERT_UNEXPECTED_MESSAGE 10
#define ALERT_RECORD_OVERFLOW    22
#define ALERT_ILLEGAL_PARAMETER  47
#define ALERT_DECODE_ERROR       50
#define ALERT_PROTOCOL_VERSION   70

/* Over an exact copy, so that a sanitizer sees a read past its end. */
static enum client_hello_result
parse(const void *bytes, size_t length, struct client_hello *hello,
      uint8_t *alert)
{
	void *copy = mem_dup(bytes, length);
	enum client_hello_result result;

	*alert = 0;
	result = client_hello_parse(copy, length, hello, alert);
	CU_ASSERT((result == CLIENT_HELLO_MORE ||
		   result == CLIENT_HELLO_COMPLETE) ||
		  *alert != 0);
	mem_free(copy);
	return result;
}

/* The handshake message in records of so many bytes. */
static struct tls_output
in_records(const unsigned char *message, size_t length, size_t fragment)
{
	struct tls_output records = {0};

	for (size_t at = 0; at < length; at += fragment) {
		size_t here = length - at < fragment ? length - at : fragment;
		const unsigned char header[] = {22, 3, 1,
						(unsigned char)(here >> 8),
						(unsigned char)here};

		tls_output_append(&records, header, sizeof(header));
		tls_output_append(&records, message + at, here);
	}
	return records;
}

/* Every prefix (of long ones, most) is MORE, the whole is COMPLETE and says the
 * same, whatever follows it. */
static void
check_splits(const struct tls_output *records,
	     const struct client_hello *wanted)
{
	struct client_hello hello;
	struct tls_output more = {0};
	uint8_t alert;

	size_t step = 1 + records->length / 2048;

	for (size_t length = 0; length < records->length; length += step)
		if (parse(records->bytes, length, &hello, &alert) !=
		    CLIENT_HELLO_MORE)
			CU_FAIL("a prefix is not MORE");
	CU_ASSERT(parse(records->bytes, records->length, &hello, &alert) ==
		  CLIENT_HELLO_COMPLETE);
	CU_ASSERT(memcmp(&hello, wanted, sizeof(hello)) == 0);
	tls_output_append(&more, records->bytes, records->length);
	tls_output_append(&more, "\x17\x03\x03\x00\x01x", 6);
	CU_ASSERT(parse(more.bytes, more.length, &hello, &alert) ==
		  CLIENT_HELLO_COMPLETE);
	CU_ASSERT(memcmp(&hello, wanted, sizeof(hello)) == 0);
	mem_free(more.bytes);
}

static void
set_name(struct tls_engine *engine, const char *name)
{
	AUTO_FREE char *copy = mem_strdup(name);

	if (!SSL_set_tlsext_host_name(tls_engine_ssl(engine), copy))
		abort();
}

/* What a client of OpenSSL's says first: parsed whole, and in fragments. */
static struct client_hello
hello_of(SSL_CTX *context, const char *name)
{
	static const size_t fragments[] = {1, 2, 3, 4, 5, 61, 200, 1000};
	struct tls_engine *engine = tls_engine_new_client(context);
	struct tls_input nothing = {0};
	struct tls_output wire = {0};
	struct client_hello hello;
	uint8_t alert;

	if (name)
		set_name(engine, name);
	CU_ASSERT(tls_engine_handshake(engine, &nothing, &wire) ==
		  TLS_WANT_INPUT);
	CU_ASSERT_FATAL(parse(wire.bytes, wire.length, &hello, &alert) ==
			CLIENT_HELLO_COMPLETE);
	check_splits(&wire, &hello);
	for (size_t i = 0; i < ARRAY_SIZE(fragments); i++) {
		struct tls_output records = in_records(
			wire.bytes + 5, wire.length - 5, fragments[i]);

		if (records.length <= CLIENT_HELLO_MAX)
			check_splits(&records, &hello);
		mem_free(records.bytes);
	}
	mem_free(wire.bytes);
	tls_engine_free(engine);
	return hello;
}

static bool
has_alpn(const struct client_hello *hello, size_t at, const char *name)
{
	return at < hello->alpn_count &&
	       hello->alpn[at].length == strlen(name) &&
	       memcmp(hello->alpn_storage + hello->alpn[at].offset, name,
		      strlen(name)) == 0;
}

static void
test_openssl_versions(void)
{
	SSL_CTX *context = tls_fixture_bare_client();
	struct client_hello hello;

	tls_fixture_set_versions(context, TLS1_2_VERSION, 0);
	hello = hello_of(context, NULL);
	CU_ASSERT(hello.versions == (TLS_VERSION_1_2 | TLS_VERSION_1_3));
	CU_ASSERT(hello.legacy_version == TLS1_2_VERSION);
	CU_ASSERT(!hello.has_server_name);
	CU_ASSERT(!hello.has_early_data);
	CU_ASSERT(hello.alpn_count == 0);
	tls_fixture_set_versions(context, TLS1_3_VERSION, 0);
	hello = hello_of(context, NULL);
	CU_ASSERT(hello.versions == TLS_VERSION_1_3);
	tls_fixture_set_versions(context, TLS1_2_VERSION, TLS1_2_VERSION);
	hello = hello_of(context, NULL);
	CU_ASSERT(hello.versions == (TLS_VERSION_SSL3 | TLS_VERSION_1_0 |
				     TLS_VERSION_1_1 | TLS_VERSION_1_2));
	tls_fixture_set_versions(context, TLS1_VERSION, TLS1_VERSION);
	hello = hello_of(context, "old.example");
	CU_ASSERT(hello.versions == (TLS_VERSION_SSL3 | TLS_VERSION_1_0));
	CU_ASSERT(hello.legacy_version == TLS1_VERSION);
	CU_ASSERT_STRING_EQUAL(hello.server_name, "old.example");
	SSL_CTX_free(context);
}

static void
test_openssl_names(void)
{
	SSL_CTX *context = tls_fixture_bare_client();
	char long_name[254];
	struct client_hello hello;

	hello = hello_of(context, "Web.EXAMPLE.org");
	CU_ASSERT(hello.has_server_name && hello.is_server_name_valid);
	CU_ASSERT_STRING_EQUAL(hello.server_name, "web.example.org");
	CU_ASSERT(hello.raw_name_length == 15);
	CU_ASSERT(memcmp(hello.raw_name, "Web.EXAMPLE.org", 15) == 0);
	hello = hello_of(context, "192.0.2.1");
	CU_ASSERT(hello.has_server_name && !hello.is_server_name_valid);
	CU_ASSERT_STRING_EQUAL(hello.server_name, "");
	CU_ASSERT(hello.raw_name_length == 9);
	hello = hello_of(context, "web.example.org.");
	CU_ASSERT(hello.has_server_name && !hello.is_server_name_valid);
	hello = hello_of(context, "\x1b[31m%n\n");
	CU_ASSERT(hello.has_server_name && !hello.is_server_name_valid);
	memset(long_name, 'a', sizeof(long_name) - 1);
	for (size_t i = 50; i < sizeof(long_name) - 1; i += 51)
		long_name[i] = '.';
	long_name[sizeof(long_name) - 1] = '\0';
	hello = hello_of(context, long_name);
	CU_ASSERT(hello.is_server_name_valid);
	CU_ASSERT_STRING_EQUAL(hello.server_name, long_name);
	SSL_CTX_free(context);
}

static void
test_openssl_alpn(void)
{
	static const unsigned char grease[] =
		"\2\x0a\x0a\2h2\2\xfa\xfa\10http/1.1\2\x1a\x2a";
	SSL_CTX *context = tls_fixture_bare_client();
	unsigned char many[40 * 4], *end = many;
	struct client_hello hello;

	CU_ASSERT(SSL_CTX_set_alpn_protos(context, grease,
					  sizeof(grease) - 1) == 0);
	hello = hello_of(context, "a.example");
	CU_ASSERT(hello.alpn_count == 3);
	CU_ASSERT(has_alpn(&hello, 0, "h2"));
	CU_ASSERT(has_alpn(&hello, 1, "http/1.1"));
	CU_ASSERT(has_alpn(&hello, 2, "\x1a\x2a"));
	for (unsigned int i = 0; i < 40; i++) {
		*end++ = 3;
		*end++ = (unsigned char)('a' + i % 26);
		*end++ = (unsigned char)('a' + i / 26);
		*end++ = 'x';
	}
	CU_ASSERT(SSL_CTX_set_alpn_protos(context, many, sizeof(many)) == 0);
	hello = hello_of(context, NULL);
	CU_ASSERT(hello.alpn_count == CLIENT_HELLO_ALPN_MAX);
	CU_ASSERT(has_alpn(&hello, 0, "aax"));
	CU_ASSERT(has_alpn(&hello, CLIENT_HELLO_ALPN_MAX - 1, "pax"));
	SSL_CTX_free(context);
}

/* Names that fill what there is to keep them. */
static void
test_openssl_large(void)
{
	SSL_CTX *context = tls_fixture_bare_client();
	unsigned char big[40 * 256];
	struct client_hello hello;

	for (size_t i = 0; i < 40; i++) {
		big[i * 256] = 255;
		memset(big + i * 256 + 1, (int)('a' + i % 26), 255);
	}
	CU_ASSERT(SSL_CTX_set_alpn_protos(context, big, sizeof(big)) == 0);
	if (openssl_compat_has_group("X25519MLKEM768"))
		tls_fixture_set_groups(context, "X25519MLKEM768");
	hello = hello_of(context, "big.example");
	CU_ASSERT(hello.alpn_count == 2);
	CU_ASSERT(hello.alpn[1].length == 255);
	CU_ASSERT(hello.alpn_storage[hello.alpn[1].offset] == 'b');
	CU_ASSERT_STRING_EQUAL(hello.server_name, "big.example");
	SSL_CTX_free(context);
}

/* A hello of our own: head, extensions, and what may be wrong with it. */
struct draft {
	uint16_t legacy_version;
	uint8_t session_id_length;
	uint16_t suites_length;
	uint8_t methods_length;
	const char *extensions; /* as it stands in the message */
	size_t extensions_length;
	bool has_no_extensions;
	int extensions_length_error; /* added to the length field */
	int message_length_error;
};

static const struct draft plain = {
	.legacy_version = 0x0303,
	.suites_length = 2,
	.methods_length = 1,
};

static size_t
compose(const struct draft *draft, unsigned char *message, size_t size)
{
	static const unsigned char zeros[1024];
	struct buf_writer writer;
	size_t body;

	buf_write_init(&writer, message, size);
	buf_write_u32(&writer, 0);
	buf_write_u16(&writer, draft->legacy_version);
	buf_write_bytes(&writer, zeros, 32);
	buf_write_u8(&writer, draft->session_id_length);
	buf_write_bytes(&writer, zeros, draft->session_id_length);
	buf_write_u16(&writer, draft->suites_length);
	buf_write_bytes(&writer, zeros, draft->suites_length);
	buf_write_u8(&writer, draft->methods_length);
	buf_write_bytes(&writer, zeros, draft->methods_length);
	if (!draft->has_no_extensions) {
		buf_write_u16(&writer,
			      (uint16_t)((int)draft->extensions_length +
					 draft->extensions_length_error));
		buf_write_bytes(&writer, draft->extensions,
				draft->extensions_length);
	}
	CU_ASSERT_FATAL(!writer.failed);
	body = (size_t)((int)(writer.length - 4) + draft->message_length_error);
	message[0] = 1;
	message[1] = (unsigned char)(body >> 16);
	message[2] = (unsigned char)(body >> 8);
	message[3] = (unsigned char)body;
	return writer.length;
}

static enum client_hello_result
parse_draft(const struct draft *draft, struct client_hello *hello,
	    uint8_t *alert)
{
	unsigned char message[16384];
	size_t length = compose(draft, message, sizeof(message));
	struct tls_output records = in_records(message, length, 16384);
	enum client_hello_result result =
		parse(records.bytes, records.length, hello, alert);

	mem_free(records.bytes);
	return result;
}

#define EXTENSIONS(bytes) \
	.extensions = (bytes), .extensions_length = sizeof(bytes) - 1

static enum client_hello_result
parse_extensions(const char *bytes, size_t length, struct client_hello *hello)
{
	struct draft draft = plain;
	enum client_hello_result result;
	uint8_t alert;

	draft.extensions = bytes;
	draft.extensions_length = length;
	result = parse_draft(&draft, hello, &alert);
	CU_ASSERT(result == CLIENT_HELLO_COMPLETE ||
		  result == CLIENT_HELLO_MALFORMED);
	CU_ASSERT(result == CLIENT_HELLO_COMPLETE ||
		  alert == ALERT_DECODE_ERROR);
	return result;
}

#define ACCEPT(bytes)                                                     \
	CU_ASSERT(parse_extensions((bytes), sizeof(bytes) - 1, &hello) == \
		  CLIENT_HELLO_COMPLETE)
#define REFUSE(bytes)                                                     \
	CU_ASSERT(parse_extensions((bytes), sizeof(bytes) - 1, &hello) == \
		  CLIENT_HELLO_MALFORMED)

static void
test_message(void)
{
	struct draft draft = plain;
	struct client_hello hello;
	uint8_t alert;

	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
	CU_ASSERT(hello.legacy_version == 0x0303);
	draft.has_no_extensions = true;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
	draft.legacy_version = 0x0300;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
	CU_ASSERT(hello.versions == TLS_VERSION_SSL3);
	draft.legacy_version = 0x0200;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
	CU_ASSERT(hello.versions == 0);
	draft.legacy_version = 0x0304;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
	CU_ASSERT(hello.versions ==
		  (TLS_VERSION_ALL &
		   ~(unsigned int)(TLS_VERSION_SSL2 | TLS_VERSION_1_3)));
	draft = plain;
	draft.session_id_length = 32;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
}

static void
test_message_malformed(void)
{
	const struct draft wrong[] = {
		{0x0303, 33, 2, 1, NULL, 0, false, 0, 0},
		{0x0303, 0, 0, 1, NULL, 0, false, 0, 0},
		{0x0303, 0, 3, 1, NULL, 0, false, 0, 0},
		{0x0303, 0, 2, 0, NULL, 0, false, 0, 0},
		{0x0303, 0, 2, 1, NULL, 0, false, 1, 0},
		{0x0303, 0, 2, 1, "\x12\x34\0\0", 4, false, -1, 0},
		{0x0303, 0, 2, 1, "\x12\x34\0\0x", 5, false, 0, 0},
		{0x0303, 0, 2, 1, "\x12\x34\0\0x", 5, false, -1, 0},
		{0x0303, 0, 2, 1, "\x12\x34\0\1", 4, false, 0, 0},
		{0x0303, 0, 2, 1, "\x12\x34\0", 3, false, 0, 0},
		{0x0303, 0, 2, 1, "\x12", 1, false, 0, 0},
	};
	struct client_hello hello;
	uint8_t alert;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CU_ASSERT(parse_draft(&wrong[i], &hello, &alert) ==
			  CLIENT_HELLO_MALFORMED);
		CU_ASSERT(alert == ALERT_DECODE_ERROR);
	}
}

/* A length of the message that does not go with its record. */
static void
test_message_length(void)
{
	struct draft draft = plain;
	struct client_hello hello;
	uint8_t alert;

	draft.message_length_error = 1;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_MORE);
	draft.message_length_error = -1;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) ==
		  CLIENT_HELLO_MALFORMED);
	CU_ASSERT(alert == ALERT_UNEXPECTED_MESSAGE);
	/* Nothing in it. */
	CU_ASSERT(parse("\x16\3\1\0\4\1\0\0\0", 9, &hello, &alert) ==
		  CLIENT_HELLO_MALFORMED);
	CU_ASSERT(alert == ALERT_DECODE_ERROR);
}

static void
test_server_name(void)
{
	struct client_hello hello;
	unsigned char bytes[300] = "\0\0\1\6\1\4\0\1\1";

	ACCEPT("\0\0\0\6\0\4\0\0\1a");
	CU_ASSERT(hello.is_server_name_valid);
	CU_ASSERT_STRING_EQUAL(hello.server_name, "a");
	/* An empty one is one, but no name. */
	ACCEPT("\0\0\0\5\0\3\0\0\0");
	CU_ASSERT(hello.has_server_name && !hello.is_server_name_valid);
	CU_ASSERT(hello.raw_name_length == 0);
	ACCEPT("\0\0\0\10\0\6\0\0\3a\0b");
	CU_ASSERT(hello.has_server_name && !hello.is_server_name_valid);
	CU_ASSERT(memcmp(hello.raw_name, "a\0b", 3) == 0);
	/* 257 bytes: the first 256 are kept. */
	memcpy(bytes, "\0\0\1\6\1\4\0\1\1", 9);
	memset(bytes + 9, 'a', 257);
	CU_ASSERT(parse_extensions((const char *)bytes, 266, &hello) ==
		  CLIENT_HELLO_COMPLETE);
	CU_ASSERT(!hello.is_server_name_valid);
	CU_ASSERT(hello.raw_name_length == 256);

	REFUSE("\0\0\0\0");
	REFUSE("\0\0\0\2\0\0");
	REFUSE("\0\0\0\3\0\1\0");
	REFUSE("\0\0\0\6\0\4\1\0\1a");
	REFUSE("\0\0\0\6\0\4\0\0\2a");
	REFUSE("\0\0\0\6\0\3\0\0\1a");
	REFUSE("\0\0\0\6\0\5\0\0\1a");
	REFUSE("\0\0\0\7\0\4\0\0\1ax");
	REFUSE("\0\0\0\7\0\5\0\0\1ax");
	REFUSE("\0\0\0\12\0\10\0\0\1a\0\0\1b");
}

static void
test_alpn(void)
{
	struct client_hello hello;

	ACCEPT("\0\x10\0\5\0\3\2h2");
	CU_ASSERT(has_alpn(&hello, 0, "h2"));
	ACCEPT("\0\x10\0\4\0\2\1\0");
	CU_ASSERT(hello.alpn_count == 1);
	CU_ASSERT(hello.alpn_storage[0] == 0);
	REFUSE("\0\x10\0\0");
	REFUSE("\0\x10\0\2\0\0");
	REFUSE("\0\x10\0\3\0\1\0");
	REFUSE("\0\x10\0\6\0\4\2h2\0");
	REFUSE("\0\x10\0\5\0\3\3h2");
	REFUSE("\0\x10\0\5\0\2\2h2");
	REFUSE("\0\x10\0\5\0\4\2h2");
	REFUSE("\0\x10\0\6\0\3\2h2x");
}

static void
test_versions(void)
{
	struct client_hello hello;

	ACCEPT("\0\x2b\0\3\2\3\4");
	CU_ASSERT(hello.versions == TLS_VERSION_1_3);
	ACCEPT("\0\x2b\0\7\6\x7a\x7a\3\4\3\2");
	CU_ASSERT(hello.versions == (TLS_VERSION_1_3 | TLS_VERSION_1_1));
	/* Nothing that anybody knows. */
	ACCEPT("\0\x2b\0\3\2\x7f\x1c");
	CU_ASSERT(hello.versions == 0);
	ACCEPT("\0\x2b\0\5\4\3\5\2\0");
	CU_ASSERT(hello.versions == 0);
	REFUSE("\0\x2b\0\0");
	REFUSE("\0\x2b\0\1\0");
	REFUSE("\0\x2b\0\2\1\3");
	REFUSE("\0\x2b\0\4\3\3\4\3");
	REFUSE("\0\x2b\0\3\4\3\4");
	REFUSE("\0\x2b\0\4\2\3\4x");
}

static void
test_other_extensions(void)
{
	struct draft draft = plain;
	struct client_hello hello;
	uint8_t alert;

	ACCEPT("\0\x2a\0\0");
	CU_ASSERT(hello.has_early_data);
	REFUSE("\0\x2a\0\1x");
	ACCEPT("\x12\x34\0\3xyz\x0a\x0a\0\0\xff\xff\0\0");
	CU_ASSERT(!hello.has_early_data);
	/* GREASE twice is no harm, anything else is. */
	ACCEPT("\x0a\x0a\0\0\x0a\x0a\0\1x");
	draft.extensions = "\x12\x34\0\0\x12\x34\0\0";
	draft.extensions_length = 8;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) ==
		  CLIENT_HELLO_MALFORMED);
	CU_ASSERT(alert == ALERT_ILLEGAL_PARAMETER);
	draft.extensions = "\0\0\0\6\0\4\0\0\1a\0\0\0\6\0\4\0\0\1b";
	draft.extensions_length = 20;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) ==
		  CLIENT_HELLO_MALFORMED);
	CU_ASSERT(alert == ALERT_ILLEGAL_PARAMETER);
}

static void
test_plaintext(void)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum client_hello_result result;
		uint8_t alert;
	} cases[] = {
		{"", 0, CLIENT_HELLO_MORE, 0},
		{"G", 1, CLIENT_HELLO_PLAINTEXT, ALERT_UNEXPECTED_MESSAGE},
		{"GET / HTTP/1.0\r\n", 16, CLIENT_HELLO_PLAINTEXT,
		 ALERT_UNEXPECTED_MESSAGE},
		{"\0", 1, CLIENT_HELLO_PLAINTEXT, ALERT_UNEXPECTED_MESSAGE},
		{"\x16", 1, CLIENT_HELLO_MORE, 0},
		{"\x16\2", 2, CLIENT_HELLO_PLAINTEXT, ALERT_UNEXPECTED_MESSAGE},
		{"\x16\3", 2, CLIENT_HELLO_MORE, 0},
		{"\x16\3\x09", 3, CLIENT_HELLO_MORE, 0},
		/* An alert, application data, a heartbeat come first. */
		{"\x15", 1, CLIENT_HELLO_MORE, 0},
		{"\x15\3", 2, CLIENT_HELLO_MALFORMED, ALERT_UNEXPECTED_MESSAGE},
		{"\x15x", 2, CLIENT_HELLO_PLAINTEXT, ALERT_UNEXPECTED_MESSAGE},
		{"\x17\3\3", 3, CLIENT_HELLO_MALFORMED,
		 ALERT_UNEXPECTED_MESSAGE},
		{"\x14\3\3", 3, CLIENT_HELLO_MALFORMED,
		 ALERT_UNEXPECTED_MESSAGE},
		{"\x18\3\3", 3, CLIENT_HELLO_PLAINTEXT,
		 ALERT_UNEXPECTED_MESSAGE},
		/* SSL 2 */
		{"\x80", 1, CLIENT_HELLO_MORE, 0},
		{"\x80\x2e", 2, CLIENT_HELLO_MORE, 0},
		{"\x80\x2e\1\3\1", 5, CLIENT_HELLO_MALFORMED,
		 ALERT_PROTOCOL_VERSION},
		{"\x80\x2e\2", 3, CLIENT_HELLO_PLAINTEXT,
		 ALERT_UNEXPECTED_MESSAGE},
		/* Records that cannot be. */
		{"\x16\3\1\0\0", 5, CLIENT_HELLO_MALFORMED,
		 ALERT_UNEXPECTED_MESSAGE},
		{"\x16\3\1\x40\1", 5, CLIENT_HELLO_MALFORMED,
		 ALERT_RECORD_OVERFLOW},
		{"\x16\3\1\0\1\2", 6, CLIENT_HELLO_MALFORMED,
		 ALERT_UNEXPECTED_MESSAGE},
		{"\x16\3\1\0\1\1\x17", 7, CLIENT_HELLO_MALFORMED,
		 ALERT_UNEXPECTED_MESSAGE},
		{"\x16\3\1\0\1\1\x16\2", 8, CLIENT_HELLO_MALFORMED,
		 ALERT_PROTOCOL_VERSION},
		{"\x16\3\1\0\1\1\x16\3\1\0\0", 11, CLIENT_HELLO_MALFORMED,
		 ALERT_UNEXPECTED_MESSAGE},
	};
	struct client_hello hello;
	uint8_t alert;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CU_ASSERT(parse(cases[i].bytes, cases[i].length, &hello,
				&alert) == cases[i].result);
		CU_ASSERT(alert == cases[i].alert);
	}
}

static void
test_too_long(void)
{
	static unsigned char message[CLIENT_HELLO_MAX];
	struct draft draft = plain;
	struct tls_output records;
	struct client_hello hello;
	size_t length;
	uint8_t alert;

	/* Said to be long: known from the header on. */
	CU_ASSERT(parse("\x16\3\1\1\0\1\0\x3f\xf7", 9, &hello, &alert) ==
		  CLIENT_HELLO_MORE);
	CU_ASSERT(parse("\x16\3\1\1\0\1\0\x3f\xf8", 9, &hello, &alert) ==
		  CLIENT_HELLO_TOO_LONG);
	CU_ASSERT(alert == ALERT_ILLEGAL_PARAMETER);
	CU_ASSERT(parse("\x16\3\1\1\0\1\xff\xff\xff", 9, &hello, &alert) ==
		  CLIENT_HELLO_TOO_LONG);

	/* As long as may be, in one record and in too many. */
	memset(message, 0, sizeof(message));
	message[0] = 0x12;
	message[2] = (unsigned char)((CLIENT_HELLO_MAX - 56) >> 8);
	message[3] = (unsigned char)((CLIENT_HELLO_MAX - 56) & 0xff);
	draft.extensions = (const char *)message;
	draft.extensions_length = CLIENT_HELLO_MAX - 52;
	CU_ASSERT(parse_draft(&draft, &hello, &alert) == CLIENT_HELLO_COMPLETE);
	{
		static unsigned char whole[CLIENT_HELLO_MAX];

		length = compose(&draft, whole, sizeof(whole));
		CU_ASSERT(length == CLIENT_HELLO_MAX - 5);
		records = in_records(whole, length, 10000);
	}
	CU_ASSERT(records.length == CLIENT_HELLO_MAX + 5);
	CU_ASSERT(parse(records.bytes, CLIENT_HELLO_MAX - 1, &hello, &alert) ==
		  CLIENT_HELLO_MORE);
	for (size_t i = CLIENT_HELLO_MAX; i <= records.length; i++)
		CU_ASSERT(parse(records.bytes, i, &hello, &alert) ==
			  CLIENT_HELLO_TOO_LONG);
	mem_free(records.bytes);
}

/* Whatever single byte is changed: an answer, and no read past the end. */
static void
test_mutations(void)
{
	SSL_CTX *context = tls_fixture_bare_client();
	struct tls_engine *engine = tls_engine_new_client(context);
	struct tls_input nothing = {0};
	struct tls_output wire = {0};
	struct client_hello hello;
	uint8_t alert;

	set_name(engine, "a.example");
	CU_ASSERT(tls_engine_handshake(engine, &nothing, &wire) ==
		  TLS_WANT_INPUT);
	for (size_t i = 0; i < wire.length; i++) {
		unsigned char saved = wire.bytes[i];

		for (size_t value = 0; value < 256; value += 1 + i % 7) {
			wire.bytes[i] = (unsigned char)value;
			(void)parse(wire.bytes, wire.length, &hello, &alert);
		}
		wire.bytes[i] = saved;
	}
	mem_free(wire.bytes);
	tls_engine_free(engine);
	SSL_CTX_free(context);
}

UNIT_SUITE(client_hello, {"openssl_versions", test_openssl_versions},
	   {"openssl_names", test_openssl_names},
	   {"openssl_alpn", test_openssl_alpn},
	   {"openssl_large", test_openssl_large}, {"message", test_message},
	   {"message_malformed", test_message_malformed},
	   {"message_length", test_message_length},
	   {"server_name", test_server_name}, {"alpn", test_alpn},
	   {"versions", test_versions},
	   {"other_extensions", test_other_extensions},
	   {"plaintext", test_plaintext}, {"too_long", test_too_long},
	   {"mutations", test_mutations});
