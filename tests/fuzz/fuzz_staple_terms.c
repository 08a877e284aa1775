/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes for a certificate: what is found in them is in them, and is an
 * address that could be asked.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "common/tls/staple_terms.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct staple_terms terms;

	staple_terms_read(bytes, length, &terms);
	if (!terms.responder.bytes)
		return 0;
	assert(terms.responder.bytes >= bytes &&
	       terms.responder.bytes + terms.responder.length <=
		       bytes + length);
	assert(terms.responder.length > 7 &&
	       strncasecmp((const char *)terms.responder.bytes, "http://", 7) ==
		       0);
	for (size_t i = 0; i < terms.responder.length; i++)
		assert(terms.responder.bytes[i] > ' ' &&
		       terms.responder.bytes[i] <= '~');
	return 0;
}
