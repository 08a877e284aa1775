/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of versions: what is taken is a set that reads back as the same
 * from its own words, and what is refused is explained and changes nothing.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/tls_version.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_accepted(unsigned int versions)
{
	unsigned int again = 0;
	char text[128];

	assert(versions && !(versions & ~(unsigned int)TLS_VERSION_ALL));
	tls_version_format(versions, text, sizeof(text));
	for (char *comma; (comma = strchr(text, ','));)
		*comma = ':';
	assert(tls_version_parse(text, &again, NULL) == 0);
	assert(again == versions);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	AUTO_FREE char *text = mem_strndup((const char *)bytes, length);
	unsigned int versions = 77, one = tls_version_parse_one(text);
	struct error error = {0};

	assert((one & (one - 1)) == 0);
	if (one)
		assert(tls_version_parse_one(tls_version_name(one)) == one);
	if (tls_version_parse(text, &versions, &error) == 0)
		check_accepted(versions);
	else
		assert(versions == 77 && error.text[0] != '\0');
	if (one)
		assert(versions == one);
	return 0;
}
