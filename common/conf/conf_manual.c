/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference part of sealock.yaml(5) as man(7) source: a section of maps
 * and their keys, and one of the reasons in the access log.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/reason.h"
#include "common/conf/conf.h"
#include "common/conf/schema.h"

/* Text of a paragraph: `words` in bold, and nothing that roff would take for
 * a request. */
static void
print_text(FILE *out, const char *text)
{
	bool is_bold = false;

	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '`') {
			is_bold = !is_bold;
			fputs(is_bold ? "\\fB" : "\\fR", out);
		} else if (*text == '\\') {
			fputs("\\e", out);
		} else if (*text == '-') {
			fputs("\\-", out);
		} else {
			putc(*text, out);
		}
	}
}

/* One line that is a sentence, whatever the table has. */
static void
print_sentence(FILE *out, const char *text)
{
	AUTO_FREE char *sentence = mem_strdup(text);

	sentence[0] = (char)toupper((unsigned char)text[0]);
	print_text(out, sentence);
	fputs(text[strlen(text) - 1] == '.' ? "\n" : ".\n", out);
}

static void
print_words(FILE *out, const struct schema_word *words)
{
	for (; words->word; words++) {
		if (!words->help)
			continue;
		fputs(".br\n", out);
		fprintf(out, "\\fI%s\\fR: ", words->word);
		print_text(out, words->help);
		putc('\n', out);
	}
}

static void
print_key(FILE *out, const struct schema_key *key)
{
	char expected[256];

	fputs(".TP\n\\fB", out);
	print_text(out,
		   key->flags & SCHEMA_SCALAR_ONLY ? "(a scalar)" : key->name);
	fputs("\\fR\n", out);
	print_sentence(out, key->help);
	fputs(".br\nValue: ", out);
	print_text(out, schema_expected(key, expected, sizeof(expected)));
	fputs(".\n", out);
	if (key->flags & SCHEMA_REQUIRED)
		fputs("Required.\n", out);
	if (key->standard || key->otherwise) {
		fputs("Default: ", out);
		print_text(out, key->standard ? key->standard : key->otherwise);
		if (key->standard_accept) {
			fputs("; on the accept gate: ", out);
			print_text(out, key->standard_accept[0] != '\0'
						? key->standard_accept
						: key->otherwise);
		}
		fputs(".\n", out);
	}
	if (key->type != SCHEMA_MAP &&
	    (key->gates == SCHEMA_ACCEPT || key->gates == SCHEMA_CONNECT))
		fprintf(out, "On the %s gate only.\n",
			key->gates == SCHEMA_ACCEPT ? "accept" : "connect");
	fprintf(out, "Since %s.\n", schema_since(key));
	if (key->words)
		print_words(out, key->words);
}

/* The keys under which a map stands. */
static void
print_places(FILE *out, const struct schema_map *map)
{
	bool is_first = true;

	for (size_t i = 0; i < schema_map_count; i++)
		for (size_t k = 0; k < schema_maps[i]->count; k++) {
			const struct schema_key *key = &schema_maps[i]->keys[k];

			if (key->map != map)
				continue;
			fputs(is_first ? "Stands at " : ", ", out);
			if (schema_maps[i] != &schema_document)
				fprintf(out, "\\fB%s\\fR.",
					schema_maps[i]->name);
			fprintf(out, "\\fB%s\\fR", key->name);
			is_first = false;
		}
	if (!is_first)
		fputs(".\n", out);
}

void
conf_print_manual(FILE *out)
{
	fputs(".SH KEYS\n", out);
	for (size_t i = 0; i < schema_map_count; i++) {
		const struct schema_map *map = schema_maps[i];

		fprintf(out, ".SS %s\n", map->name);
		print_sentence(out, map->help);
		print_places(out, map);
		for (size_t k = 0; k < map->count; k++)
			print_key(out, &map->keys[k]);
	}
	fputs(".SH REASONS\n"
	      "Why a connection ended, \\fBreason\\fR in the access log:\n",
	      out);
	for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		fputs(".TP\n\\fB", out);
		print_text(out, reason_name((enum reason)i));
		fputs("\\fR\n", out);
		print_sentence(out, reason_help((enum reason)i));
	}
}
