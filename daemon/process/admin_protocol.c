/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader for the few objects of the admin socket, from tables of their
 * keys. It takes less than JSON (RFC 8259) does, and nothing that is none.
 */
#include "daemon/process/admin_protocol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"

/* Two texts, each character of which may become six, fit an answer. */
#define SENTENCES_MAX 20000

enum value_kind {
	VALUE_BOOLEAN, /* bool */
	VALUE_NUMBER,  /* uint64_t */
	VALUE_STRING,  /* char *, allocated */
};

struct key {
	const char *name;
	enum value_kind kind;
	void *value;
	bool is_there;
};

struct scanner {
	const char *at;
	const char *end;
	struct error *error;
};

static int
fail(struct scanner *scanner, const char *expected)
{
	error_set(scanner->error, "%s was expected", expected);
	return -1;
}

static void
skip_blanks(struct scanner *scanner)
{
	while (scanner->at < scanner->end && memchr(" \t\r\n", *scanner->at, 4))
		scanner->at++;
}

/* The next character that is no blank, if it is this one. */
static bool
take(struct scanner *scanner, char character)
{
	skip_blanks(scanner);
	if (scanner->at == scanner->end || *scanner->at != character)
		return false;
	scanner->at++;
	return true;
}

static bool
take_word(struct scanner *scanner, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(scanner->end - scanner->at) < length ||
	    memcmp(scanner->at, word, length) != 0)
		return false;
	scanner->at += length;
	return true;
}

/* Strings. */

static int
read_hex4(struct scanner *scanner, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit;
		char character;

		if (scanner->at == scanner->end)
			return fail(scanner, "four hexadecimal digits");
		character = *scanner->at++;
		if (character >= 'A' && character <= 'F')
			character = (char)(character - 'A' + 'a');
		digit = memchr(digits, character, 16);
		if (!digit)
			return fail(scanner, "four hexadecimal digits");
		*code = *code << 4 | (uint32_t)(digit - digits);
	}
	return 0;
}

/* The code point of an escape that began with \u. */
static int
read_code(struct scanner *scanner, uint32_t *code)
{
	uint32_t low;

	if (read_hex4(scanner, code) != 0)
		return -1;
	if (*code == 0 || (*code >= 0xdc00 && *code <= 0xdfff))
		return fail(scanner, "a character");
	if (*code < 0xd800 || *code > 0xdbff)
		return 0;
	if (!take_word(scanner, "\\u") || read_hex4(scanner, &low) != 0 ||
	    low < 0xdc00 || low > 0xdfff)
		return fail(scanner, "the second half of a surrogate pair");
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

static size_t
encode_utf8(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static int
read_escape(struct scanner *scanner, char *out, size_t *length)
{
	static const char shorts[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	uint32_t code;
	char character;

	if (scanner->at == scanner->end)
		return fail(scanner, "an escaped character");
	character = *scanner->at++;
	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2)
		if (shorts[i] == character) {
			out[(*length)++] = shorts[i + 1];
			return 0;
		}
	if (character != 'u')
		return fail(scanner, "an escaped character");
	if (read_code(scanner, &code) != 0)
		return -1;
	*length += encode_utf8(code, out + *length);
	return 0;
}

/* The caller's memory, NULL on failure. No escape is shorter than what it
 * stands for, so the input's length is enough. */
static char *
read_string(struct scanner *scanner)
{
	AUTO_FREE char *out = NULL;
	size_t length = 0;

	if (!take(scanner, '"')) {
		fail(scanner, "a string");
		return NULL;
	}
	out = mem_alloc((size_t)(scanner->end - scanner->at) + 1);
	while (scanner->at < scanner->end && *scanner->at != '"') {
		char character = *scanner->at++;

		if ((unsigned char)character < 0x20) {
			fail(scanner, "a string without control characters");
			return NULL;
		}
		if (character != '\\')
			out[length++] = character;
		else if (read_escape(scanner, out, &length) != 0)
			return NULL;
	}
	if (!take(scanner, '"')) {
		fail(scanner, "the end of a string");
		return NULL;
	}
	return mem_strndup(out, length);
}

/* Values. */

static int
read_boolean(struct scanner *scanner, bool *value)
{
	skip_blanks(scanner);
	*value = take_word(scanner, "true");
	if (*value || take_word(scanner, "false"))
		return 0;
	return fail(scanner, "true or false");
}

static int
read_number(struct scanner *scanner, uint64_t *value)
{
	char digits[24];
	size_t length = 0;

	skip_blanks(scanner);
	while (scanner->at < scanner->end && *scanner->at >= '0' &&
	       *scanner->at <= '9' && length < sizeof(digits) - 1)
		digits[length++] = *scanner->at++;
	digits[length] = '\0';
	if ((length > 1 && digits[0] == '0') ||
	    text_parse_unsigned(digits, value) != 0)
		return fail(scanner, "a whole number");
	return 0;
}

static int
read_value(struct scanner *scanner, struct key *key)
{
	switch (key->kind) {
	case VALUE_BOOLEAN:
		return read_boolean(scanner, key->value);
	case VALUE_NUMBER:
		return read_number(scanner, key->value);
	case VALUE_STRING:
		break;
	}
	*(char **)key->value = read_string(scanner);
	return *(char **)key->value ? 0 : -1;
}

static int
read_member(struct scanner *scanner, struct key *keys, size_t count)
{
	AUTO_FREE char *name = read_string(scanner);

	if (!name)
		return -1;
	if (!take(scanner, ':'))
		return fail(scanner, "a colon");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (keys[i].is_there) {
			error_set(scanner->error, "\"%s\" stands there twice",
				  name);
			return -1;
		}
		keys[i].is_there = true;
		return read_value(scanner, &keys[i]);
	}
	error_set(scanner->error, "\"%s\" is not known", name);
	return -1;
}

static int
read_object(const char *text, size_t length, struct key *keys, size_t count,
	    struct error *error)
{
	struct scanner scanner = {
		.at = text,
		.end = text + length,
		.error = error,
	};

	if (!take(&scanner, '{'))
		return fail(&scanner, "an object");
	if (!take(&scanner, '}')) {
		do {
			if (read_member(&scanner, keys, count) != 0)
				return -1;
		} while (take(&scanner, ','));
		if (!take(&scanner, '}'))
			return fail(&scanner, "a comma or the object's end");
	}
	skip_blanks(&scanner);
	if (scanner.at < scanner.end)
		return fail(&scanner, "the line's end");
	return 0;
}

/* Requests. */

static const char *const commands[] = {
	[ADMIN_RELOAD] = "reload",
	[ADMIN_STOP] = "stop",
	[ADMIN_TICKETS_SHOW] = "tickets show",
	[ADMIN_TICKETS_ROTATE] = "tickets rotate",
};

static int
find_command(const char *name, enum admin_command *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i], name) == 0) {
			*command = (enum admin_command)i;
			return 0;
		}
	return -1;
}

const char *
admin_command_name(enum admin_command command)
{
	return commands[command];
}

int
admin_request_parse(const char *line, size_t length,
		    struct admin_request *request, struct error *error)
{
	AUTO_FREE char *command = NULL;
	struct key keys[] = {
		{"command", VALUE_STRING, &command, false},
		{"now", VALUE_BOOLEAN, &request->is_now, false},
	};

	*request = (struct admin_request){0};
	if (read_object(line, length, keys, ARRAY_SIZE(keys), error) != 0)
		return -1;
	if (!command) {
		error_set(error, "\"command\" is missing");
		return -1;
	}
	if (find_command(command, &request->command) != 0) {
		error_set(error,
			  "there is no command \"%s\": there are reload, stop, "
			  "tickets show and tickets rotate",
			  command);
		return -1;
	}
	if (keys[1].is_there && request->command != ADMIN_STOP) {
		error_set(error, "\"now\" goes with stop");
		return -1;
	}
	return 0;
}

size_t
admin_request_format(const struct admin_request *request, char *buffer)
{
	const char *now = "";

	if (request->command == ADMIN_STOP)
		now = request->is_now ? ",\"now\":true" : ",\"now\":false";
	return (size_t)snprintf(buffer, ADMIN_REQUEST_MAX,
				"{\"command\":\"%s\"%s}\n",
				commands[request->command], now);
}

/* Answers. */

int
admin_answer_parse(const char *line, size_t length, struct admin_answer *answer,
		   struct error *error)
{
	uint64_t exit = 0;
	struct key keys[] = {
		{"ok", VALUE_BOOLEAN, &answer->is_ok, false},
		{"generation", VALUE_NUMBER, &answer->generation, false},
		{"exit", VALUE_NUMBER, &exit, false},
		{"error", VALUE_STRING, &answer->error, false},
		{"warnings", VALUE_STRING, &answer->warnings, false},
		{"text", VALUE_STRING, &answer->text, false},
	};
	int status;

	*answer = (struct admin_answer){0};
	status = read_object(line, length, keys, ARRAY_SIZE(keys), error);
	if (status == 0 && (!keys[0].is_there || exit > 255)) {
		error_set(error, "the answer makes no sense");
		status = -1;
	}
	if (status != 0) {
		admin_answer_clear(answer);
		return -1;
	}
	answer->exit = (unsigned int)exit;
	if (!answer->error)
		answer->error = mem_strdup("");
	if (!answer->warnings)
		answer->warnings = mem_strdup("");
	if (!answer->text)
		answer->text = mem_strdup("");
	return 0;
}

void
admin_answer_clear(struct admin_answer *answer)
{
	mem_free(answer->error);
	mem_free(answer->warnings);
	mem_free(answer->text);
	*answer = (struct admin_answer){0};
}

static char *
format_text(const char *key, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	size_t size = 6 * length + 1;
	AUTO_FREE char *escaped = mem_alloc(size);

	if (length == 0)
		return mem_strdup("");
	text_escape_json(text, length, escaped, size);
	return mem_format(",\"%s\":\"%s\"", key, escaped);
}

char *
admin_answer_format(const struct admin_answer *answer, size_t *length)
{
	AUTO_FREE char *error = format_text("error", answer->error);
	AUTO_FREE char *warnings = format_text("warnings", answer->warnings);
	AUTO_FREE char *text = format_text("text", answer->text);
	char generation[48] = "", exit[24] = "";
	char *line;

	if (answer->generation > 0)
		snprintf(generation, sizeof(generation),
			 ",\"generation\":%" PRIu64, answer->generation);
	if (answer->exit > 0)
		snprintf(exit, sizeof(exit), ",\"exit\":%u", answer->exit);
	line = mem_format("{\"ok\":%s%s%s%s%s%s}\n",
			  answer->is_ok ? "true" : "false", generation, error,
			  exit, warnings, text);
	*length = strlen(line);
	return line;
}

char *
admin_sentences(const struct error_list *sentences)
{
	char *text = mem_alloc(SENTENCES_MAX + 64);
	size_t used = 0;

	for (size_t i = 0; i < sentences->count; i++) {
		char sentence[1024];
		size_t length;

		error_format(&sentences->errors[i], sentence, sizeof(sentence));
		length = strlen(sentence);
		if (used + length + 1 > SENTENCES_MAX) {
			snprintf(text + used, 64, "\n... and %zu more",
				 sentences->count - i);
			return text;
		}
		if (i > 0)
			text[used++] = '\n';
		memcpy(text + used, sentence, length);
		used += length;
	}
	text[used] = '\0';
	return text;
}
