/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a worker may say to the helper about certificates, and the helper to a
 * worker: what is taken can be written again, and comes to the same.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/verify/ocsp_talk.h"

#define WRITTEN_MAX 65536

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
try_ask(const uint8_t *bytes, size_t length)
{
	static unsigned char written[WRITTEN_MAX];
	struct ocsp_ask ask, again;
	struct buf_writer writer;
	struct buf_reader reader;

	buf_read_init(&reader, bytes, length);
	if (ocsp_ask_decode(&reader, &ask) != 0)
		return;
	assert(ask.count > 0 && ask.count <= OCSP_ASK_MAX);
	for (size_t i = 0; i < ask.count; i++) {
		unsigned char key[OCSP_KEY_SIZE];
		char responder[OCSP_URI_SIZE];

		assert(ask.pairs[i].certificate && ask.pairs[i].issuer);
		ocsp_key_make(&ask.pairs[i], key);
		(void)ocsp_responder_find(ask.pairs[i].certificate, responder);
		assert(memchr(responder, '\0', sizeof(responder)));
	}
	buf_write_init(&writer, written, sizeof(written));
	if (ocsp_ask_encode(&ask, &writer) == 0) {
		buf_read_init(&reader, written, writer.length);
		assert(ocsp_ask_decode(&reader, &again) == 0);
		assert(ocsp_ask_is_same(&ask, &again));
		ocsp_ask_clear(&again);
	}
	ocsp_ask_clear(&ask);
}

static void
try_told(const uint8_t *bytes, size_t length)
{
	unsigned char written[8192];
	struct ocsp_told told[OCSP_ASK_MAX];
	struct buf_writer writer;
	struct buf_reader reader;
	size_t count;

	if (length == 0 || bytes[0] > OCSP_ASK_MAX)
		return;
	count = bytes[0];
	buf_read_init(&reader, bytes + 1, length - 1);
	if (ocsp_told_decode(&reader, told, count) != 0)
		return;
	buf_write_init(&writer, written, sizeof(written));
	ocsp_told_encode(told, count, &writer);
	assert(!writer.failed && writer.length == length - 1);
	assert(memcmp(written, bytes + 1, writer.length) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length <= WRITTEN_MAX)
		try_ask(bytes, length);
	try_told(bytes, length);
	return 0;
}
