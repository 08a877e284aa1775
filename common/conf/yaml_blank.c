/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * However a scalar is written, folding, chomping and indenting concern white
 * space alone. So what is not white space stands in the document in the order
 * of the text, character by character, but for the escapes of quoted scalars:
 * both are walked side by side.
 */
#include "common/conf/yaml_blank.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/yaml_tree.h"

/* One character, as it is written. */
struct unit {
	size_t length; /* bytes */
	uint32_t code;
	bool is_plain; /* written as itself */
};

struct walk {
	const char *at;
	const char *end;
	char style; /* its indicator, or 0: plain */
};

/* The text is UTF-8 that yaml_text_length() has looked at. */
static struct unit
character(const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;
	struct unit unit = {.length = 1, .code = bytes[0], .is_plain = true};

	if (bytes[0] < 0x80)
		return unit;
	unit.length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
	unit.code = bytes[0] & (0x7fU >> unit.length);
	for (size_t i = 1; i < unit.length; i++)
		unit.code = unit.code << 6 | (bytes[i] & 0x3fU);
	return unit;
}

static bool
is_space(uint32_t code)
{
	return code == ' ' || code == '\t' || code == '\n' || code == '\r' ||
	       code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* "\x41" and the like, of so many digits. */
static struct unit
numeric_escape(const struct walk *walk, size_t digits)
{
	char number[9] = "";
	struct unit unit = {.length = 2 + digits};

	if ((size_t)(walk->end - walk->at) >= unit.length) {
		memcpy(number, walk->at + 2, digits);
		unit.code = (uint32_t)strtoul(number, NULL, 16);
	}
	return unit;
}

/* In a double-quoted scalar, from the backslash on. Before the end of a line
 * it is as good as white space. */
static struct unit
escape(const struct walk *walk)
{
	static const struct {
		char letter;
		uint32_t code;
	} known[] = {
		{'0', 0},      {'a', 7},      {'b', 8},    {'t', 9},
		{'\t', 9},     {'n', 10},     {'v', 11},   {'f', 12},
		{'r', 13},     {'e', 27},     {'N', 0x85}, {'_', 0xa0},
		{'L', 0x2028}, {'P', 0x2029},
	};
	struct unit unit = character(walk->at + 1);

	if (walk->at[1] == 'x')
		return numeric_escape(walk, 2);
	if (walk->at[1] == 'u')
		return numeric_escape(walk, 4);
	if (walk->at[1] == 'U')
		return numeric_escape(walk, 8);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (walk->at[1] == known[i].letter)
			unit.code = known[i].code;
	unit.length++;
	unit.is_plain = false;
	return unit;
}

static struct unit
next_unit(const struct walk *walk)
{
	struct unit unit;

	if (walk->style == '"' && walk->at[0] == '\\' &&
	    walk->at + 1 < walk->end)
		return escape(walk);
	unit = character(walk->at);
	if (walk->style == '\'' && walk->at[0] == '\'')
		unit = (struct unit){.length = 2, .code = '\''};
	return unit;
}

/* Behind its anchor and its tag, to where its text begins. */
static void
skip_properties(struct walk *walk)
{
	while (walk->at < walk->end) {
		struct unit unit = character(walk->at);

		if (is_space(unit.code)) {
			walk->at += unit.length;
		} else if (unit.code == '#') {
			while (walk->at < walk->end && *walk->at != '\n' &&
			       *walk->at != '\r')
				walk->at++;
		} else if (unit.code == '&' || unit.code == '!') {
			while (walk->at < walk->end &&
			       !is_space(character(walk->at).code))
				walk->at++;
		} else {
			return;
		}
	}
}

/* What says how it is written is no part of it. */
static void
enter(struct walk *walk)
{
	skip_properties(walk);
	if (walk->at == walk->end || !strchr("\"'|>", *walk->at))
		return;
	walk->style = *walk->at++;
	if (walk->style == '"' || walk->style == '\'') {
		if (walk->end > walk->at)
			walk->end--;
		return;
	}
	while (walk->at < walk->end && *walk->at != '\n' && *walk->at != '\r')
		walk->at++;
}

static void
overwrite(const struct yaml_blank *blank, const struct walk *walk,
	  const struct unit *unit)
{
	/* A cross, an ellipsis, a lock. */
	static const char *const signs[] = {"", "x", "\xc3\x97", "\xe2\x80\xa6",
					    "\xf0\x9f\x94\x92"};
	char *to = blank->blanked + (walk->at - blank->original);

	if (unit->is_plain)
		memcpy(to, signs[unit->length], unit->length);
	else
		memset(to, 'x', unit->length);
}

int
yaml_blank_scalar(const struct yaml_blank *blank, const struct yaml_node *node,
		  const bool *secret)
{
	struct walk walk = {
		.at = blank->original + node->begin,
		.end = blank->original + node->end,
	};
	const char *text = node->text;

	enter(&walk);
	for (;;) {
		struct unit unit, wanted;

		while (is_space(character(text).code))
			text += character(text).length;
		while (walk.at < walk.end && is_space(next_unit(&walk).code))
			walk.at += next_unit(&walk).length;
		if (walk.at >= walk.end)
			return *text == '\0' ? 0 : -1;
		unit = next_unit(&walk);
		wanted = character(text);
		if (*text == '\0' || unit.code != wanted.code ||
		    (size_t)(walk.end - walk.at) < unit.length)
			return -1;
		if (secret[text - node->text])
			overwrite(blank, &walk, &unit);
		walk.at += unit.length;
		text += wanted.length;
	}
}
