/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a ticket remembers: what is accepted is written back as the same bytes,
 * and never lets anybody in whom a check has refused.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/verify/peer_session.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	unsigned char memory[PEER_SESSION_MAX];
	struct peer_session known;
	char words[128];

	if (peer_session_parse(bytes, length, &known) != 0)
		return 0;
	if (known.has_certificate) {
		const struct peer_verdict *verdict = &known.verdict;

		assert(verdict->is_admitted);
		assert(verdict->is_pinned || verdict->step == PEER_STEP_NONE);
		peer_verdict_format_admission(verdict, words, sizeof(words));
	}
	assert(peer_session_end(&known, 7200) >= 0);
	assert(peer_session_encode(&known, memory) == length);
	assert(memcmp(memory, bytes, length) == 0);
	peer_session_clear(&known);
	return 0;
}
