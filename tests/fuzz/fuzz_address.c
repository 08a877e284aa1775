/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first byte is the use, the rest the text: what is accepted is formatted
 * and read back as the same, and what is refused leaves nothing behind.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/address.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_accepted(const struct address *address, enum address_use use)
{
	struct address again;
	struct socket_address socket;
	struct error error = {0};
	char text[1024], shown[1024];

	address_format(address, text, sizeof(text));
	assert(address_parse(text, use, &again, &error) == 0);
	assert(address_equal(address, &again));
	address_clear(&again);
	if (address_to_socket(address, &socket, &error) == 0)
		assert(socket_address_format(&socket, shown,
					     sizeof(shown))[0] != '\0');
	else
		assert(error.text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	enum address_use use;
	struct address address;
	struct error error = {0};
	AUTO_FREE char *text = NULL;

	if (length == 0)
		return 0;
	use = bytes[0] == 'L' ? ADDRESS_TO_LISTEN : ADDRESS_TO_CONNECT;
	text = mem_strndup((const char *)bytes + 1, length - 1);
	if (address_parse(text, use, &address, &error) == 0)
		check_accepted(&address, use);
	else
		assert(error.text[0] != '\0' && !address.host);
	address_clear(&address);
	return 0;
}
