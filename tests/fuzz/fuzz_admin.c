/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of the admin socket, as a request and as an answer. What is taken must
 * come back from being written as the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "daemon/process/admin_protocol.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
try_request(const char *line, size_t length)
{
	char written[ADMIN_REQUEST_MAX];
	struct admin_request request, again;
	struct error error = {0};

	if (admin_request_parse(line, length, &request, &error) != 0)
		return;
	length = admin_request_format(&request, written);
	if (admin_request_parse(written, length, &again, &error) != 0 ||
	    again.command != request.command || again.is_now != request.is_now)
		abort();
}

static void
try_answer(const char *line, size_t length)
{
	struct admin_answer answer, again;
	struct error error = {0};
	AUTO_FREE char *written = NULL;

	if (admin_answer_parse(line, length, &answer, &error) != 0)
		return;
	written = admin_answer_format(&answer, &length);
	if (admin_answer_parse(written, length, &again, &error) != 0 ||
	    again.is_ok != answer.is_ok || again.exit != answer.exit ||
	    again.generation != answer.generation)
		abort();
	admin_answer_clear(&answer);
	admin_answer_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE char *line = mem_dup(bytes, length);

	try_request(line, length);
	try_answer(line, length);
	return 0;
}
