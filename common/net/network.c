/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks.
 */
#include "common/net/network.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/text.h"

/* The bits of byte number `index` that belong to the prefix. */
static unsigned char
mask_at(const struct network *network, size_t index)
{
	unsigned int before = (unsigned int)index * 8;
	unsigned int bits =
		network->prefix > before ? network->prefix - before : 0;

	return (unsigned char)(bits >= 8 ? 0xffU : 0xff00U >> bits);
}

static int
parse_address(const char *text, struct network *network)
{
	if (inet_pton(AF_INET, text, network->bytes) == 1) {
		network->length = 4;
		network->prefix = 32;
		return 0;
	}
	if (inet_pton(AF_INET6, text, network->bytes) == 1) {
		network->length = 16;
		network->prefix = 128;
		return 0;
	}
	return -1;
}

int
network_parse(const char *text, struct network *network, struct error *error)
{
	struct network found = {0};
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN], meant[NETWORK_TEXT_SIZE];
	bool is_clean = true;
	uint64_t prefix;

	if (length < sizeof(address)) {
		memcpy(address, text, length);
		address[length] = '\0';
	}
	if (length >= sizeof(address) || parse_address(address, &found) != 0) {
		error_set(error,
			  "\"%.60s\" is neither an IP address nor a network "
			  "such as 192.0.2.0/24",
			  text);
		return -1;
	}
	if (slash) {
		if (text_parse_unsigned(slash + 1, &prefix) != 0 ||
		    prefix > found.prefix) {
			error_set(error,
				  "\"%.60s\": behind the slash stands a number "
				  "of bits from 0 to %u",
				  text, found.prefix);
			return -1;
		}
		found.prefix = (unsigned int)prefix;
	}
	for (size_t i = 0; i < found.length; i++) {
		unsigned char kept = found.bytes[i] & mask_at(&found, i);

		is_clean = is_clean && kept == found.bytes[i];
		found.bytes[i] = kept;
	}
	if (!is_clean) {
		error_set(error,
			  "\"%.60s\" has bits behind its prefix: the network "
			  "is %s",
			  text, network_format(&found, meant, sizeof(meant)));
		return -1;
	}
	*network = found;
	return 0;
}

const char *
network_format(const struct network *network, char *buffer, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(network->length == 4 ? AF_INET : AF_INET6, network->bytes,
		  address, sizeof(address));
	if (network->prefix == network->length * 8)
		snprintf(buffer, size, "%s", address);
	else
		snprintf(buffer, size, "%s/%u", address, network->prefix);
	return buffer;
}

bool
network_contains(const struct network *network, const void *address,
		 size_t length)
{
	const unsigned char *bytes = address;

	if (length != network->length)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((bytes[i] & mask_at(network, i)) != network->bytes[i])
			return false;
	return true;
}
