/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration: the main document and, behind lines of four percent signs,
 * what it includes. Whatever is refused is refused with sentences that have a
 * place; what is accepted is printed, and what is printed is accepted again
 * and is the same. So is what is accepted when its secrets are blanked.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_blank.h"

/* What is longer says nothing new and takes its time. */
#define INPUT_MAX 65536

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
split(const uint8_t *bytes, size_t length, struct conf_documents *documents)
{
	static const char mark[] = "\n%%%%\n";
	const size_t mark_length = sizeof(mark) - 1;
	const char *text = (const char *)bytes;

	for (;;) {
		const char *end = memmem(text, length, mark, mark_length);
		size_t part = end ? (size_t)(end - text) + 1 : length;
		AUTO_FREE char *name =
			mem_format("/etc/sealock/%zu.yaml", documents->count);

		conf_documents_add(documents, name, text, part);
		if (!end)
			return;
		text += part + mark_length - 1;
		length -= part + mark_length - 1;
	}
}

static void
check_sentences(const struct error_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		assert(list->errors[i].at.line > 0);
		assert(list->errors[i].at.column > 0);
		assert(list->errors[i].text[0] != '\0');
		assert(!strpbrk(list->errors[i].text, "\n\r\033"));
	}
}

/* Without the comments, which tell other places the second time. */
static void
strip_origins(char *text)
{
	char *to = text;

	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		char *comment = NULL;

		*end = '\0';
		for (char *found = strstr(line, "  # "); found;
		     found = strstr(found + 1, "  # "))
			comment = found;
		if (comment)
			*comment = '\0';
		memmove(to, line, strlen(line));
		to += strlen(line);
		*to++ = '\n';
		line = end + 1;
	}
	*to = '\0';
}

static char *
print(const struct conf *conf, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	assert(out);
	conf_print(conf, out);
	fclose(out);
	return text;
}

static void
check_printed(const struct conf *conf)
{
	struct conf_documents documents = {0};
	struct error_list problems = {0};
	size_t lengths[2];
	char *texts[2];
	struct conf *again;

	texts[0] = print(conf, &lengths[0]);
	conf_documents_add(&documents, "/printed.yaml", texts[0], lengths[0]);
	again = conf_load(&documents, &problems, NULL);
	assert(again && problems.count == 0);
	texts[1] = print(again, &lengths[1]);
	strip_origins(texts[0]);
	strip_origins(texts[1]);
	assert(strcmp(texts[0], texts[1]) == 0);
	free(texts[0]);
	free(texts[1]);
	conf_free(again);
	conf_documents_clear(&documents);
}

static void
check_blanked(struct conf_documents *documents)
{
	struct error_list problems = {0};
	struct conf *conf;

	for (size_t i = 0; i < documents->count; i++) {
		int result = conf_document_blank(&documents->documents[i],
						 &problems);

		assert(result >= 0);
	}
	conf = conf_load(documents, &problems, NULL);
	assert(conf && problems.count == 0);
	check_printed(conf);
	conf_free(conf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct conf_documents documents = {0};
	struct error_list problems = {0}, warnings = {0};
	struct conf *conf;

	if (length > INPUT_MAX)
		return 0;
	split(bytes, length, &documents);
	conf = conf_load(&documents, &problems, &warnings);
	assert(!conf == (problems.count > 0));
	check_sentences(&problems);
	check_sentences(&warnings);
	if (conf) {
		check_printed(conf);
		check_blanked(&documents);
	}
	conf_free(conf);
	conf_documents_clear(&documents);
	error_list_clear(&problems);
	error_list_clear(&warnings);
	return 0;
}
