/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences that travel: what READY and FAILED carry. A position goes as the
 * text in front of the sentence, as nobody on the other side has its file.
 */
#include "daemon/process/generation_transfer.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* Room that is kept for the last sentence. */
#define MORE_SIZE 64

void
generation_problems_write(struct buf_writer *writer,
			  const struct error_list *problems)
{
	char text[sizeof(problems->errors->text)];

	for (size_t i = 0; i < problems->count; i++) {
		error_format(&problems->errors[i], text, sizeof(text));
		if (writer->capacity - writer->length <
		    4 + strlen(text) + MORE_SIZE) {
			snprintf(text, sizeof(text), "... and %zu more",
				 problems->count - i);
			buf_write_string(writer, text);
			return;
		}
		buf_write_string(writer, text);
	}
}

int
generation_problems_read(struct buf_reader *reader, struct error_list *problems)
{
	while (reader->length > 0 && !reader->failed) {
		char *text AUTO_FREE = buf_read_string(reader);
		struct error problem = {0};

		if (!text)
			break;
		error_set(&problem, "%s", text);
		error_list_add(problems, &problem);
	}
	return reader->failed ? -1 : 0;
}
