/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper believes nothing that a worker says about a message: it reads the
 * message. A worker that was taken over can have its own handshakes signed -
 * it could have spoken them anyway - but no certificate request, no revocation
 * and no other protocol's login.
 */
#include "common/tls/sign_form.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/tls/signature_scheme.h"

#define RANDOM_SIZE 32

#define VERIFY_SPACES 64

/* With its terminating zero, which is the form's. */
#define VERIFY_CONTEXT_SIZE 34

static const unsigned char server_context[VERIFY_CONTEXT_SIZE] =
	"TLS 1.3, server CertificateVerify";
static const unsigned char client_context[VERIFY_CONTEXT_SIZE] =
	"TLS 1.3, client CertificateVerify";

static bool
is_all_spaces(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != ' ')
			return false;
	return true;
}

/* What follows the spaces; NULL when it is right, else what is wrong. */
static const char *
read_verify(struct buf_reader *reader, enum sign_form_kind *kind)
{
	const unsigned char *context =
		buf_read_bytes(reader, VERIFY_CONTEXT_SIZE);

	if (!context)
		return "a CertificateVerify block that is too short";
	if (memcmp(context, server_context, VERIFY_CONTEXT_SIZE) == 0)
		*kind = SIGN_FORM_SERVER_VERIFY;
	else if (memcmp(context, client_context, VERIFY_CONTEXT_SIZE) == 0)
		*kind = SIGN_FORM_CLIENT_VERIFY;
	else
		return "a CertificateVerify block with a foreign context";
	/* Every suite of TLS 1.3 hashes with SHA-256 or SHA-384. */
	if (reader->length != 32 && reader->length != 48)
		return "a CertificateVerify block with a hash of no suite";
	return NULL;
}

/* Named groups (RFC 8422 5.1.1, RFC 7027) and how long a point is; 0x04 and
 * two coordinates where it is uncompressed, else the bare coordinate. */
struct group {
	uint16_t code;
	uint8_t point_size;
	bool is_uncompressed;
};

static const struct group groups[] = {
	{22, 65, true},  /* secp256k1 */
	{23, 65, true},  /* secp256r1 */
	{24, 97, true},  /* secp384r1 */
	{25, 133, true}, /* secp521r1 */
	{26, 65, true},  /* brainpoolP256r1 */
	{27, 97, true},  /* brainpoolP384r1 */
	{28, 129, true}, /* brainpoolP512r1 */
	{29, 32, false}, /* x25519 */
	{30, 56, false}, /* x448 */
};

#define CURVE_TYPE_NAMED 3

/* What follows the curve's type. */
static const char *
read_ecdhe(struct buf_reader *reader)
{
	const struct group *group = NULL;
	const unsigned char *point;
	uint16_t code;
	uint8_t size;

	code = buf_read_u16(reader);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].code == code)
			group = &groups[i];
	if (!group)
		return "ECDHE parameters with an unknown group";
	size = buf_read_u8(reader);
	point = buf_read_bytes(reader, size);
	if (!point || size != group->point_size)
		return "ECDHE parameters with a point of the wrong size";
	if (group->is_uncompressed && point[0] != 0x04)
		return "ECDHE parameters with a malformed point";
	if (reader->length > 0)
		return "bytes behind ECDHE parameters";
	return NULL;
}

#define DHE_PRIME_MIN 256 /* bytes */
#define DHE_PRIME_MAX 1024

/* 1 < number < limit, both big-endian; limit has no leading zeros. */
static bool
is_number_within(struct buf_reader number, const unsigned char *limit,
		 size_t limit_length)
{
	while (number.length > 0 && number.bytes[0] == 0) {
		number.bytes++;
		number.length--;
	}
	if (number.length == 0 || (number.length == 1 && number.bytes[0] == 1))
		return false;
	if (number.length != limit_length)
		return number.length < limit_length;
	return memcmp(number.bytes, limit, limit_length) < 0;
}

static const char *
read_dhe(struct buf_reader *reader)
{
	struct buf_reader prime = buf_read_sub(reader, buf_read_u16(reader));
	struct buf_reader generator =
		buf_read_sub(reader, buf_read_u16(reader));
	struct buf_reader public_value =
		buf_read_sub(reader, buf_read_u16(reader));
	unsigned char limit[DHE_PRIME_MAX];

	if (reader->failed)
		return "DHE parameters that are cut off";
	if (reader->length > 0)
		return "bytes behind DHE parameters";
	if (prime.length < DHE_PRIME_MIN || prime.length > DHE_PRIME_MAX ||
	    prime.bytes[0] == 0 ||
	    (prime.length == DHE_PRIME_MIN && prime.bytes[0] < 0x80))
		return "a DHE prime of fewer than 2048 or more than 8192 bits";
	if (prime.bytes[prime.length - 1] % 2 == 0)
		return "a DHE prime that is even";
	memcpy(limit, prime.bytes, prime.length);
	limit[prime.length - 1] -= 1;
	if (!is_number_within(generator, limit, prime.length))
		return "a DHE generator that is out of range";
	if (!is_number_within(public_value, limit, prime.length))
		return "a DHE public value that is out of range";
	return NULL;
}

static const char *
read_key_exchange(struct buf_reader reader, enum sign_form_kind *kind)
{
	const char *ecdhe_reason = NULL, *dhe_reason;
	struct buf_reader named;

	if (!buf_read_bytes(&reader, RANDOM_SIZE) ||
	    !buf_read_bytes(&reader, RANDOM_SIZE) || reader.length == 0)
		return "too short for anything that is signed in TLS";
	/* A 3 says ECDHE with a named group, or begins a prime of 768 bytes at
	 * least: both readings are tried. */
	named = reader;
	*kind = SIGN_FORM_ECDHE;
	if (buf_read_u8(&named) == CURVE_TYPE_NAMED) {
		ecdhe_reason = read_ecdhe(&named);
		if (!ecdhe_reason)
			return NULL;
	}
	*kind = SIGN_FORM_DHE;
	dhe_reason = read_dhe(&reader);
	return dhe_reason && ecdhe_reason ? ecdhe_reason : dhe_reason;
}

/* The end of a hello: nothing, or a block of extensions that fills it. */
static bool
is_extension_block(struct buf_reader *reader)
{
	struct buf_reader block;

	if (reader->length == 0)
		return !reader->failed;
	block = buf_read_sub(reader, buf_read_u16(reader));
	while (block.length > 0) {
		buf_read_u16(&block);
		buf_read_bytes(&block, buf_read_u16(&block));
	}
	return !block.failed && !reader->failed && reader->length == 0;
}

static bool
is_client_hello(struct buf_reader *body)
{
	struct buf_reader session, suites, compressions;

	if (buf_read_u8(body) != 3)
		return false;
	buf_read_u8(body);
	buf_read_bytes(body, RANDOM_SIZE);
	session = buf_read_sub(body, buf_read_u8(body));
	suites = buf_read_sub(body, buf_read_u16(body));
	compressions = buf_read_sub(body, buf_read_u8(body));
	return session.length <= 32 && suites.length > 0 &&
	       suites.length % 2 == 0 && compressions.length > 0 &&
	       is_extension_block(body);
}

static bool
is_server_hello(struct buf_reader *body, unsigned int *versions)
{
	struct buf_reader session;

	switch (buf_read_u16(body)) {
	case 0x0301:
	case 0x0302:
		*versions = SIGNATURE_TLS_LEGACY;
		break;
	case 0x0303:
		*versions = SIGNATURE_TLS_1_2;
		break;
	default:
		return false;
	}
	buf_read_bytes(body, RANDOM_SIZE);
	session = buf_read_sub(body, buf_read_u8(body));
	buf_read_u16(body); /* the suite */
	return session.length <= 32 && buf_read_u8(body) == 0 &&
	       is_extension_block(body);
}

static bool
is_certificate_request(struct buf_reader *body, unsigned int versions)
{
	struct buf_reader types = buf_read_sub(body, buf_read_u8(body));
	struct buf_reader list;

	if (versions == SIGNATURE_TLS_1_2) {
		list = buf_read_sub(body, buf_read_u16(body));
		if (list.length == 0 || list.length % 2 != 0)
			return false;
	}
	buf_read_sub(body, buf_read_u16(body)); /* names of authorities */
	return types.length > 0 && !body->failed && body->length == 0;
}

static bool
is_certificate_list(struct buf_reader *body)
{
	struct buf_reader list = buf_read_sub(body, buf_read_u24(body));

	while (list.length > 0)
		buf_read_bytes(&list, buf_read_u24(&list));
	return !list.failed && !body->failed && body->length == 0;
}

enum handshake_type {
	HANDSHAKE_CLIENT_HELLO = 1,
	HANDSHAKE_SERVER_HELLO = 2,
	HANDSHAKE_CERTIFICATE = 11,
	HANDSHAKE_SERVER_KEY_EXCHANGE = 12,
	HANDSHAKE_CERTIFICATE_REQUEST = 13,
	HANDSHAKE_SERVER_HELLO_DONE = 14,
	HANDSHAKE_CLIENT_KEY_EXCHANGE = 16,
	HANDSHAKE_CERTIFICATE_STATUS = 22,
};

struct step {
	enum handshake_type type;
	bool is_optional;
};

/* RFC 5246 7.3, RFC 6066 8: the messages before a client's
 * CertificateVerify. */
static const struct step steps[] = {
	{HANDSHAKE_CLIENT_HELLO, false},
	{HANDSHAKE_SERVER_HELLO, false},
	{HANDSHAKE_CERTIFICATE, false},
	{HANDSHAKE_CERTIFICATE_STATUS, true},
	{HANDSHAKE_SERVER_KEY_EXCHANGE, true},
	{HANDSHAKE_CERTIFICATE_REQUEST, false},
	{HANDSHAKE_SERVER_HELLO_DONE, false},
	{HANDSHAKE_CERTIFICATE, false},
	{HANDSHAKE_CLIENT_KEY_EXCHANGE, false},
};

static bool
is_message_sound(enum handshake_type type, struct buf_reader *body,
		 unsigned int *versions)
{
	switch (type) {
	case HANDSHAKE_CLIENT_HELLO:
		return is_client_hello(body);
	case HANDSHAKE_SERVER_HELLO:
		return is_server_hello(body, versions);
	case HANDSHAKE_CERTIFICATE:
		return is_certificate_list(body);
	case HANDSHAKE_CERTIFICATE_REQUEST:
		return is_certificate_request(body, *versions);
	case HANDSHAKE_SERVER_HELLO_DONE:
		return body->length == 0;
	case HANDSHAKE_SERVER_KEY_EXCHANGE:
	case HANDSHAKE_CLIENT_KEY_EXCHANGE:
	case HANDSHAKE_CERTIFICATE_STATUS:
		return body->length > 0;
	}
	return false;
}

static const char *
read_transcript(struct buf_reader reader, unsigned int *versions)
{
	*versions = 0;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct buf_reader body;

		if (steps[i].is_optional && reader.length > 0 &&
		    reader.bytes[0] != steps[i].type)
			continue;
		if (buf_read_u8(&reader) != steps[i].type)
			return "a handshake in another order";
		body = buf_read_sub(&reader, buf_read_u24(&reader));
		if (reader.failed)
			return "a handshake that is cut off";
		if (!is_message_sound(steps[i].type, &body, versions))
			return "a malformed handshake message";
	}
	if (reader.length > 0)
		return "bytes behind the last handshake message";
	return NULL;
}

int
sign_form_read(const void *message, size_t length, struct sign_form *form,
	       const char **reason)
{
	struct buf_reader reader;
	const char *exchange_reason, *transcript_reason;

	buf_read_init(&reader, message, length);
	if (length >= VERIFY_SPACES && is_all_spaces(message, VERIFY_SPACES)) {
		buf_read_bytes(&reader, VERIFY_SPACES);
		form->versions = SIGNATURE_TLS_1_3;
		*reason = read_verify(&reader, &form->kind);
		return *reason ? -1 : 0;
	}
	/* The first 64 bytes of a key exchange are arbitrary and its numbers
	 * nearly so: one can be made that is a client's transcript as well.
	 * Chance does not make any, so nobody needs them signed. */
	exchange_reason = read_key_exchange(reader, &form->kind);
	transcript_reason = read_transcript(reader, &form->versions);
	if (!exchange_reason && !transcript_reason) {
		*reason = "a message of two meanings";
		return -1;
	}
	if (!transcript_reason) {
		form->kind = SIGN_FORM_CLIENT_TRANSCRIPT;
		return 0;
	}
	if (!exchange_reason) {
		form->versions = SIGNATURE_TLS_LEGACY | SIGNATURE_TLS_1_2;
		return 0;
	}
	*reason = reader.length > 0 && reader.bytes[0] == HANDSHAKE_CLIENT_HELLO
			  ? transcript_reason
			  : exchange_reason;
	return -1;
}
