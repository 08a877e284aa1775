/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two steps, each once over its bytes: the message out of the records that
 * carry it, then the message. What is not needed here is only measured; what
 * it means is OpenSSL's to judge, which reads the same bytes next.
 */
#include "common/tls/client_hello.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/tls/tls_version.h"

#define RECORD_HEADER 5
#define RECORD_MAX    16384

#define MESSAGE_HEADER 4

/* The message alone, without the header of the one record it needs at least. */
#define MESSAGE_MAX (CLIENT_HELLO_MAX - RECORD_HEADER)

#define SESSION_ID_MAX 32

enum {
	CONTENT_CHANGE_CIPHER_SPEC = 20,
	CONTENT_HANDSHAKE = 22,
	CONTENT_APPLICATION = 23,
	HANDSHAKE_CLIENT_HELLO = 1,
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_EARLY_DATA = 42,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	NAME_HOST = 0,
};

/* RFC 8446 6.2 */
enum {
	ALERT_UNEXPECTED_MESSAGE = 10,
	ALERT_RECORD_OVERFLOW = 22,
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_DECODE_ERROR = 50,
	ALERT_PROTOCOL_VERSION = 70,
};

struct message {
	size_t length;
	size_t whole; /* length when all is here; 0: not known yet */
	unsigned char bytes[MESSAGE_MAX];
};

/* A value that clients strew in to keep servers tolerant (RFC 8701). */
static bool
is_grease(unsigned int value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* What the first bytes of a connection are, when no handshake record. */
static enum client_hello_result
judge_stranger(const unsigned char *bytes, size_t length, uint8_t *alert)
{
	bool is_content = bytes[0] >= CONTENT_CHANGE_CIPHER_SPEC &&
			  bytes[0] <= CONTENT_APPLICATION;

	/* The hello of SSL 2 in which some said that they spoke SSL 3. */
	if (bytes[0] & 0x80) {
		if (length < 3)
			return CLIENT_HELLO_MORE;
		if (bytes[2] == HANDSHAKE_CLIENT_HELLO) {
			*alert = ALERT_PROTOCOL_VERSION;
			return CLIENT_HELLO_MALFORMED;
		}
	}
	if (is_content && length < 2)
		return CLIENT_HELLO_MORE;
	*alert = ALERT_UNEXPECTED_MESSAGE;
	return is_content && bytes[1] == 3 ? CLIENT_HELLO_MALFORMED
					   : CLIENT_HELLO_PLAINTEXT;
}

static bool
is_whole(const struct message *message)
{
	return message->whole && message->length == message->whole;
}

/* Append what a record brings, as far as the message goes. Returns how much
 * of it that was. */
static size_t
message_append(struct message *message, const unsigned char *bytes,
	       size_t length)
{
	size_t taken = 0;

	while (taken < length && !is_whole(message)) {
		size_t wanted =
			(message->whole ? message->whole : MESSAGE_HEADER) -
			message->length;

		if (wanted > length - taken)
			wanted = length - taken;
		memcpy(message->bytes + message->length, bytes + taken, wanted);
		message->length += wanted;
		taken += wanted;
		if (!message->whole && message->length == MESSAGE_HEADER) {
			struct buf_reader header;

			buf_read_init(&header, message->bytes + 1, 3);
			message->whole = MESSAGE_HEADER + buf_read_u24(&header);
			if (message->whole > MESSAGE_MAX)
				break;
		}
	}
	return taken;
}

/* One record's header, or what there is of it. MORE: the rest is missing. */
static enum client_hello_result
check_header(const unsigned char *bytes, size_t length, bool is_first,
	     uint8_t *alert)
{
	if (length == 0)
		return CLIENT_HELLO_MORE;
	if (bytes[0] != CONTENT_HANDSHAKE && is_first)
		return judge_stranger(bytes, length, alert);
	if (bytes[0] != CONTENT_HANDSHAKE) {
		*alert = ALERT_UNEXPECTED_MESSAGE;
		return CLIENT_HELLO_MALFORMED;
	}
	if (length >= 2 && bytes[1] != 3) {
		*alert = is_first ? ALERT_UNEXPECTED_MESSAGE
				  : ALERT_PROTOCOL_VERSION;
		return is_first ? CLIENT_HELLO_PLAINTEXT
				: CLIENT_HELLO_MALFORMED;
	}
	return length < RECORD_HEADER ? CLIENT_HELLO_MORE
				      : CLIENT_HELLO_COMPLETE;
}

/* Gather the message; complete when it ends with a record. */
static enum client_hello_result
gather(const unsigned char *bytes, size_t length, struct message *message,
       uint8_t *alert)
{
	size_t at = 0;

	for (;;) {
		enum client_hello_result result =
			check_header(bytes + at, length - at, at == 0, alert);
		struct buf_reader header;
		size_t record, here, taken;

		if (result != CLIENT_HELLO_COMPLETE)
			return result;
		buf_read_init(&header, bytes + at + 3, 2);
		record = buf_read_u16(&header);
		if (record == 0 || record > RECORD_MAX) {
			*alert = record == 0 ? ALERT_UNEXPECTED_MESSAGE
					     : ALERT_RECORD_OVERFLOW;
			return CLIENT_HELLO_MALFORMED;
		}
		at += RECORD_HEADER;
		here = length - at < record ? length - at : record;
		taken = message_append(message, bytes + at, here);
		if (message->length > 0 &&
		    message->bytes[0] != HANDSHAKE_CLIENT_HELLO) {
			*alert = ALERT_UNEXPECTED_MESSAGE;
			return CLIENT_HELLO_MALFORMED;
		}
		if (message->whole > MESSAGE_MAX)
			return CLIENT_HELLO_TOO_LONG;
		if (is_whole(message)) {
			if (at + taken > CLIENT_HELLO_MAX)
				return CLIENT_HELLO_TOO_LONG;
			if (taken == record)
				return CLIENT_HELLO_COMPLETE;
			*alert = ALERT_UNEXPECTED_MESSAGE;
			return CLIENT_HELLO_MALFORMED;
		}
		if (here < record)
			return CLIENT_HELLO_MORE;
		at += record;
	}
}

/* All of a field that is a vector with a length of its own in front. */
static struct buf_reader
read_vector16(struct buf_reader *field)
{
	struct buf_reader vector = buf_read_sub(field, buf_read_u16(field));

	if (vector.length == 0 || field->length != 0)
		field->failed = true;
	return vector;
}

/* RFC 6066 3, and as OpenSSL has it: one entry, a host's name. */
static bool
read_server_name(struct buf_reader *field, struct client_hello *hello)
{
	struct buf_reader list = read_vector16(field), name;
	const unsigned char *bytes;

	if (buf_read_u8(&list) != NAME_HOST)
		return false;
	name = buf_read_sub(&list, buf_read_u16(&list));
	if (field->failed || list.failed || list.length > 0)
		return false;
	hello->has_server_name = true;
	hello->raw_name_length = name.length < sizeof(hello->raw_name)
					 ? name.length
					 : sizeof(hello->raw_name);
	hello->is_server_name_valid =
		hostname_normalize(name.bytes, name.length,
				   hello->server_name) == 0;
	bytes = buf_read_bytes(&name, hello->raw_name_length);
	if (hello->raw_name_length > 0)
		memcpy(hello->raw_name, bytes, hello->raw_name_length);
	return true;
}

/* RFC 7301 3.1 */
static bool
read_alpn(struct buf_reader *field, struct client_hello *hello)
{
	struct buf_reader list = read_vector16(field);
	size_t used = 0;

	if (field->failed)
		return false;
	while (list.length > 0) {
		uint8_t length = buf_read_u8(&list);
		const unsigned char *name = buf_read_bytes(&list, length);

		if (list.failed || length == 0)
			return false;
		if (length == 2 &&
		    is_grease((unsigned int)name[0] << 8 | name[1]))
			continue;
		if (hello->alpn_count == CLIENT_HELLO_ALPN_MAX ||
		    length > sizeof(hello->alpn_storage) - used)
			continue;
		memcpy(hello->alpn_storage + used, name, length);
		hello->alpn[hello->alpn_count].offset = (uint16_t)used;
		hello->alpn[hello->alpn_count].length = length;
		hello->alpn_count++;
		used += length;
	}
	return true;
}

/* One of OpenSSL's numbers, 0x0300 to 0x0304, as a set; 0: none of them. */
static unsigned int
version_of(unsigned int number)
{
	unsigned int set = TLS_VERSION_SSL3;

	if (number < 0x0300 || number > 0x0304)
		return 0;
	return set << (number - 0x0300);
}

/* RFC 8446 4.2.1 */
static bool
read_versions(struct buf_reader *field, struct client_hello *hello)
{
	struct buf_reader list = buf_read_sub(field, buf_read_u8(field));

	if (field->failed || field->length > 0 || list.length == 0)
		return false;
	while (list.length > 0)
		hello->versions |= version_of(buf_read_u16(&list));
	return !list.failed;
}

/* Without the extension: the one that is named, and what is below it. */
static unsigned int
versions_up_to(unsigned int number)
{
	unsigned int highest = version_of(number > 0x0303 ? 0x0303 : number);

	if (!highest)
		return 0;
	return (highest | (highest - 1)) & ~(unsigned int)TLS_VERSION_SSL2;
}

static bool
read_extension(unsigned int type, struct buf_reader *field,
	       struct client_hello *hello)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return read_server_name(field, hello);
	case EXTENSION_ALPN:
		return read_alpn(field, hello);
	case EXTENSION_SUPPORTED_VERSIONS:
		return read_versions(field, hello);
	case EXTENSION_EARLY_DATA:
		hello->has_early_data = true;
		return field->length == 0;
	default:
		return true;
	}
}

/* One bit a type, as a hello may bring thousands. */
static bool
is_seen_before(uint32_t *seen, unsigned int type)
{
	uint32_t bit = UINT32_C(1) << (type % 32);
	bool is_seen = seen[type / 32] & bit;

	seen[type / 32] |= bit;
	return is_seen;
}

static bool
read_extensions(struct buf_reader *all, struct client_hello *hello,
		uint8_t *alert)
{
	uint32_t seen[(UINT16_MAX + 1) / 32] = {0};
	bool has_versions = false;

	*alert = ALERT_DECODE_ERROR;
	while (all->length > 0) {
		unsigned int type = buf_read_u16(all);
		struct buf_reader field = buf_read_sub(all, buf_read_u16(all));

		if (all->failed)
			return false;
		if (is_grease(type))
			continue;
		if (is_seen_before(seen, type)) {
			*alert = ALERT_ILLEGAL_PARAMETER;
			return false;
		}
		if (!read_extension(type, &field, hello))
			return false;
		has_versions |= type == EXTENSION_SUPPORTED_VERSIONS;
	}
	if (!has_versions)
		hello->versions = versions_up_to(hello->legacy_version);
	return true;
}

static bool
read_message(const struct message *message, struct client_hello *hello,
	     uint8_t *alert)
{
	struct buf_reader body, extensions = {0};
	size_t session_id, suites, methods;

	buf_read_init(&body, message->bytes + MESSAGE_HEADER,
		      message->length - MESSAGE_HEADER);
	hello->legacy_version = buf_read_u16(&body);
	(void)buf_read_bytes(&body, 32);
	session_id = buf_read_u8(&body);
	(void)buf_read_bytes(&body, session_id);
	suites = buf_read_u16(&body);
	(void)buf_read_bytes(&body, suites);
	methods = buf_read_u8(&body);
	(void)buf_read_bytes(&body, methods);
	if (!body.failed && body.length > 0) {
		extensions = buf_read_sub(&body, buf_read_u16(&body));
		/* Bytes that are neither. */
		if (body.length > 0)
			body.failed = true;
	}
	*alert = ALERT_DECODE_ERROR;
	if (body.failed || session_id > SESSION_ID_MAX || suites == 0 ||
	    suites % 2 != 0 || methods == 0)
		return false;
	return read_extensions(&extensions, hello, alert);
}

enum client_hello_result
client_hello_parse(const void *bytes, size_t length, struct client_hello *hello,
		   uint8_t *alert)
{
	struct message message;
	struct client_hello found = {0};
	enum client_hello_result result;

	message.length = 0;
	message.whole = 0;
	result = gather(bytes, length, &message, alert);
	if (result == CLIENT_HELLO_MORE && length >= CLIENT_HELLO_MAX)
		result = CLIENT_HELLO_TOO_LONG;
	if (result == CLIENT_HELLO_TOO_LONG)
		*alert = ALERT_ILLEGAL_PARAMETER;
	if (result != CLIENT_HELLO_COMPLETE)
		return result;
	if (!read_message(&message, &found, alert))
		return CLIENT_HELLO_MALFORMED;
	*hello = found;
	return CLIENT_HELLO_COMPLETE;
}
