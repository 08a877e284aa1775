/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be called a host name.
 */
#include "common/net/hostname.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#define LABEL_MAX 63

/* Digits alone, or 0x and more: no top-level domain is called so, but the
 * odd spellings of IPv4 addresses (127.1, 0x7f000001) end like that and would
 * be taken for addresses further on. */
static bool
is_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static int
normalize(const unsigned char *bytes, size_t length, char *out)
{
	size_t label = 0; /* where the last one starts */

	if (length == 0 || length > HOSTNAME_MAX)
		return -1;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = bytes[i];

		if (byte == '.') {
			if (i == label || i - label > LABEL_MAX)
				return -1;
			label = i + 1;
		} else if (byte >= 'A' && byte <= 'Z') {
			byte = (unsigned char)(byte - 'A' + 'a');
		} else if (!(byte >= 'a' && byte <= 'z') &&
			   !(byte >= '0' && byte <= '9') && byte != '-' &&
			   byte != '_') {
			return -1;
		}
		out[i] = (char)byte;
	}
	out[length] = '\0';
	if (length == label || length - label > LABEL_MAX)
		return -1;
	return is_number(out + label) ? -1 : 0;
}

int
hostname_normalize(const void *bytes, size_t length, char *out)
{
	if (normalize(bytes, length, out) == 0)
		return 0;
	out[0] = '\0';
	return -1;
}

int
hostname_pattern_normalize(const void *bytes, size_t length, char *out)
{
	const unsigned char *byte = bytes;

	if (length < 2 || byte[0] != '*' || byte[1] != '.')
		return hostname_normalize(bytes, length, out);
	if (length > HOSTNAME_MAX ||
	    normalize(byte + 2, length - 2, out + 2) != 0) {
		out[0] = '\0';
		return -1;
	}
	memcpy(out, byte, 2);
	return 0;
}

bool
hostname_is_wildcard(const char *pattern)
{
	return pattern[0] == '*' && pattern[1] == '.';
}

int
hostname_wildcard_for(const char *name, char *pattern)
{
	const char *rest = strchr(name, '.');
	size_t length;

	if (!rest || rest == name)
		return -1;
	length = strlen(rest);
	if (length + 1 > HOSTNAME_MAX)
		return -1;
	pattern[0] = '*';
	memcpy(pattern + 1, rest, length + 1);
	return 0;
}

bool
hostname_is_ip(const char *text)
{
	const char *zone = strchr(text, '%');
	char bare[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (!zone)
		return inet_pton(AF_INET, text, &address) == 1 ||
		       inet_pton(AF_INET6, text, &address) == 1;
	if ((size_t)(zone - text) >= sizeof(bare) || zone[1] == '\0' ||
	    strlen(zone + 1) >= IF_NAMESIZE)
		return false;
	memcpy(bare, text, (size_t)(zone - text));
	bare[zone - text] = '\0';
	return inet_pton(AF_INET6, bare, &address) == 1;
}
