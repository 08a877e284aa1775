/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authorizer answers: whatever it is, there is a decision with a
 * sentence fit for a log, and nothing lets anybody in that has not the word
 * true in a single line.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "daemon/worker/authorize_answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char detail[AUTHORIZE_DETAIL_MAX];
	const char *text = length > 0 ? (const char *)bytes : "";
	enum authorizer_decision decision =
		authorize_answer_read(text, length, detail);

	assert(memchr(detail, '\0', sizeof(detail)));
	for (const char *c = detail; *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
	if (decision != AUTHORIZER_ALLOWS) {
		assert(detail[0] != '\0');
		return 0;
	}
	assert(detail[0] == '\0');
	assert(length <= AUTHORIZE_ANSWER_MAX);
	assert(memchr(text, '\n', length) == text + length - 1);
	assert(memmem(text, length, "true", 4));
	return 0;
}
