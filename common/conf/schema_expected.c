/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each type of value is, in words.
 */
#include "common/conf/schema.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

/* "a, b or c" */
static size_t
list_words(const struct schema_word *words, char *buffer, size_t size)
{
	size_t length = 0;

	buffer[0] = '\0';
	for (size_t i = 0; words[i].word && length < size; i++)
		length +=
			(size_t)snprintf(buffer + length, size - length, "%s%s",
					 i == 0              ? ""
					 : words[i + 1].word ? ", "
							     : " or ",
					 words[i].word);
	return length < size ? length : size - 1;
}

/* A type beside words of its own. */
static void
expect_words(const struct schema_key *key, const char *type, char *buffer,
	     size_t size)
{
	size_t length = 0;

	if (key->words) {
		length = list_words(key->words, buffer, size);
		length += (size_t)snprintf(buffer + length, size - length,
					   " or ");
	}
	snprintf(buffer + length, size - length, "%s", type);
}

static void
expect_number(const struct schema_key *key, char *buffer, size_t size)
{
	char range[64];

	snprintf(range, sizeof(range), "a number from %ju to %ju",
		 (uintmax_t)key->least, (uintmax_t)key->most);
	expect_words(key, range, buffer, size);
}

static void
expect_duration(const struct schema_key *key, char *buffer, size_t size)
{
	char least[32], most[32];

	text_format_duration((int64_t)key->least, least, sizeof(least));
	text_format_duration((int64_t)key->most, most, sizeof(most));
	snprintf(buffer, size,
		 "%sa duration such as 500ms, 30s, 5m, 12h or 7d, from %s to "
		 "%s",
		 key->flags & SCHEMA_OR_ZERO ? "0 or " : "", least, most);
}

static void
expect_size(const struct schema_key *key, char *buffer, size_t size)
{
	char least[32], most[32];

	text_format_size(key->least, least, sizeof(least));
	text_format_size(key->most, most, sizeof(most));
	snprintf(buffer, size, "a size such as 4096, 64k or 1M, from %s to %s",
		 least, most);
}

static const char *
expected_words(enum schema_type type)
{
	switch (type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_CHOICE:
		return "true or false";
	case SCHEMA_STORE:
	case SCHEMA_STRING:
		return "a string";
	case SCHEMA_PATH:
		return "a path";
	case SCHEMA_FILE:
		return "a path or credential:NAME";
	case SCHEMA_HOST:
		return "a host name or an IP address";
	case SCHEMA_PEM:
		return "PEM text that begins with -----BEGIN";
	case SCHEMA_PATHS:
		return "a path or a list of paths";
	case SCHEMA_STRINGS:
		return "a string or a list of strings";
	case SCHEMA_HOSTS:
		return "a host name, *. and a name, an IP address, or a list "
		       "of them";
	case SCHEMA_SERVERS:
		return "an IP address, with or without a port, or a list of "
		       "them";
	case SCHEMA_LOG_TARGET:
		return "stderr, file:PATH or syslog[:FACILITY]";
	case SCHEMA_UNIX_PATH:
		return "unix:/PATH";
	case SCHEMA_LISTEN_ADDRESS:
	case SCHEMA_CONNECT_ADDRESS:
		return "an address or a list of addresses";
	case SCHEMA_VERSIONS:
		return "versions such as [TLSv1.2, TLSv1.3], or a string such "
		       "as \"SSLv23:!SSLv3\"";
	case SCHEMA_SERVER_NAME:
		return "a host name, \"\" for none, or pass";
	case SCHEMA_DH:
		return "auto, off, a path, or PEM text";
	case SCHEMA_CA:
		return "system, none, a path, PEM text, or a list of them";
	case SCHEMA_FINGERPRINTS:
		return "a fingerprint such as sha256$HEX or sha256$pub$HEX, or "
		       "a list of them";
	case SCHEMA_SCHEME:
		return "a protocol such as http, smtp or rfc2818, none, or a "
		       "map of check_cn, wildcards_in_alt, wildcards_in_cn and "
		       "ip_in_cn";
	case SCHEMA_SUFFIXES:
		return "builtin, off, or a path";
	case SCHEMA_RULES:
		return "a name or a list of names";
	case SCHEMA_SECRET:
		return "a path, credential:NAME, env:NAME, {command: [PROGRAM, "
		       "ARGUMENT]} or prompt";
	case SCHEMA_COMMANDS:
		return "a map of SSL_CONF commands and their values";
	case SCHEMA_MAP:
		return "a map of keys";
	case SCHEMA_TLS:
		return "true, false, or a map of keys";
	case SCHEMA_LOGS:
		return "stderr, file:PATH, syslog[:FACILITY], a map with `to`, "
		       "or a list of them";
	case SCHEMA_CERTIFICATES:
		return "a path, a map, or a list of them";
	case SCHEMA_TLS_HOSTS:
		return "a map of server names, each with keys of `tls`";
	case SCHEMA_SERVICES:
		return "a map of services by name";
	case SCHEMA_INCLUDE:
		return "a path, a pattern, or a list of them";
	case SCHEMA_UNSIGNED:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
	case SCHEMA_WORD:
		break;
	}
	return "";
}

const char *
schema_expected(const struct schema_key *key, char *buffer, size_t size)
{
	if (key->type == SCHEMA_UNSIGNED)
		expect_number(key, buffer, size);
	else if (key->type == SCHEMA_DURATION)
		expect_duration(key, buffer, size);
	else if (key->type == SCHEMA_SIZE)
		expect_size(key, buffer, size);
	else if (key->type == SCHEMA_WORD)
		(void)list_words(key->words, buffer, size);
	else
		expect_words(key, expected_words(key->type), buffer, size);
	return buffer;
}
