/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format shows itself: a raw key has one of two lengths that no text with a
 * key in it has, YAML begins with a character that is not in base64.
 */
#include "common/route/ticket_file.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/yaml_tree.h"
#include "common/tls/ticket_ring.h"

#define SHORT_SIZE 48
#define LONG_SIZE  80

/* The same in base64. */
#define SHORT_TEXT 64
#define LONG_TEXT  108

/* The last key of a file that is for all time. */
#define FOREVER INT64_MAX

struct parsing {
	const char *name;
	bool is_first;
	struct ticket_ring *ring;
	struct error *error;
};

static int
add(const struct parsing *parsing, const struct ticket_key *key)
{
	if (ticket_ring_add(parsing->ring, key))
		return 0;
	if (parsing->ring->count == TICKET_RING_KEYS_MAX)
		error_set(parsing->error, "%s: more than %d keys",
			  parsing->name, TICKET_RING_KEYS_MAX);
	else
		error_set(parsing->error,
			  "%s: two keys have the same name, the first 16 bytes",
			  parsing->name);
	return -1;
}

/* Two keys of the same length behind a name; is_hmac_first is which. */
static void
split(const unsigned char *bytes, size_t length, bool is_hmac_first,
      struct ticket_key *key)
{
	size_t half = (length - TICKET_KEY_NAME_SIZE) / 2;
	const unsigned char *first = bytes + TICKET_KEY_NAME_SIZE;
	const unsigned char *second = first + half;

	memcpy(key->name, bytes, TICKET_KEY_NAME_SIZE);
	key->aes_length = key->hmac_length = (unsigned int)half;
	memcpy(key->aes, is_hmac_first ? second : first, half);
	memcpy(key->hmac, is_hmac_first ? first : second, half);
}

static int
parse_raw(const struct parsing *parsing, const unsigned char *bytes,
	  size_t length)
{
	struct ticket_key key = {.is_reserve = !parsing->is_first,
				 .until = FOREVER};
	int status;

	split(bytes, length, length == LONG_SIZE, &key);
	status = add(parsing, &key);
	mem_wipe(&key, sizeof(key));
	return status;
}

/* Lines. */

struct line {
	const char *text;
	size_t length;
	unsigned int number;
};

/* The next one that is not blank; false: there is none. */
static bool
next_line(const char **at, const char *end, struct line *line)
{
	while (*at < end) {
		const char *stop = memchr(*at, '\n', (size_t)(end - *at));
		const char *begin = *at;

		if (!stop)
			stop = end;
		*at = stop < end ? stop + 1 : end;
		line->number++;
		while (begin < stop && isspace((unsigned char)*begin))
			begin++;
		while (begin < stop && isspace((unsigned char)stop[-1]))
			stop--;
		if (begin == stop)
			continue;
		line->text = begin;
		line->length = (size_t)(stop - begin);
		return true;
	}
	return false;
}

static size_t
count_lines(const char *text, size_t length)
{
	const char *at = text;
	struct line line = {0};
	size_t count = 0;

	while (next_line(&at, text + length, &line))
		count++;
	return count;
}

/* The key's length, or 0. */
static size_t
decode(const struct line *line, unsigned char bytes[LONG_SIZE + 1])
{
	size_t padding = line->length == LONG_TEXT ? 1 : 0;

	if (line->length != SHORT_TEXT && line->length != LONG_TEXT)
		return 0;
	if (memchr(line->text, '=', line->length - padding) ||
	    (padding > 0 && line->text[LONG_TEXT - 1] != '=') ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)line->text,
			    (int)line->length) < 0)
		return 0;
	return padding > 0 ? LONG_SIZE : SHORT_SIZE;
}

/* The last is the next one, and has to be known before it encrypts. */
static int
parse_lines(const struct parsing *parsing, const char *text, size_t length)
{
	size_t count = count_lines(text, length), index = 0, size;
	size_t encrypts = count > 1 ? count - 2 : 0;
	const char *at = text;
	struct line line = {0};
	int status = 0;

	while (status == 0 && next_line(&at, text + length, &line)) {
		unsigned char bytes[LONG_SIZE + 1] = {0};
		struct ticket_key key = {
			.is_reserve = !parsing->is_first || index != encrypts,
			.until = FOREVER,
		};

		index++;
		size = decode(&line, bytes);
		if (size > 0) {
			split(bytes, size, false, &key);
			status = add(parsing, &key);
		} else {
			error_set(parsing->error,
				  "%s: line %u is no key: expected %d or %d "
				  "bytes in base64, or a file of just so many "
				  "bytes (this one has %zu)",
				  parsing->name, line.number, SHORT_SIZE,
				  LONG_SIZE, length);
			status = -1;
		}
		mem_wipe(bytes, sizeof(bytes));
		mem_wipe(&key, sizeof(key));
	}
	return status;
}

/* YAML. */

/* Of an entry; NULL after an error. */
static const char *
find_text(const struct parsing *parsing, const struct yaml_node *entry,
	  const char *name)
{
	const struct yaml_pair *pair = yaml_tree_find(entry, name);

	if (pair && pair->value->kind == YAML_TREE_SCALAR)
		return pair->value->text;
	error_set(parsing->error, "%s: the entry in line %u has no `%s`",
		  parsing->name, entry->at.line, name);
	return NULL;
}

static int
wrong(const struct parsing *parsing, const struct yaml_node *entry,
      const char *name, const char *expected)
{
	error_set(parsing->error,
		  "%s: `%s` of the entry in line %u is none: expected %s",
		  parsing->name, name, entry->at.line, expected);
	return -1;
}

static int
hex_digit(char letter)
{
	static const char digits[] = "0123456789abcdef";
	const char *at =
		letter ? strchr(digits, tolower((unsigned char)letter)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Exactly so many bytes. */
static bool
parse_hex(const char *text, unsigned char *bytes, size_t length)
{
	if (strlen(text) != 2 * length)
		return false;
	for (size_t i = 0; i < length; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

static int
parse_algorithms(const struct parsing *parsing, const struct yaml_node *entry,
		 struct ticket_key *key)
{
	const char *cipher = find_text(parsing, entry, "cipher");
	const char *hash = cipher ? find_text(parsing, entry, "hash") : NULL;

	if (!hash)
		return -1;
	if (strcasecmp(cipher, "AES-256-CBC") == 0)
		key->aes_length = 32;
	else if (strcasecmp(cipher, "AES-128-CBC") == 0)
		key->aes_length = 16;
	else
		return wrong(parsing, entry, "cipher",
			     "AES-256-CBC or AES-128-CBC");
	if (strcasecmp(hash, "SHA256") != 0 &&
	    strcasecmp(hash, "SHA2-256") != 0 &&
	    strcasecmp(hash, "SHA-256") != 0)
		return wrong(parsing, entry, "hash", "SHA256");
	/* h2o's are as long as a block of the hash. */
	key->hmac_length = 64;
	return 0;
}

static int
parse_keys(const struct parsing *parsing, const struct yaml_node *entry,
	   struct ticket_key *key)
{
	const char *name = find_text(parsing, entry, "name");
	const char *text = name ? find_text(parsing, entry, "key") : NULL;
	unsigned char bytes[TICKET_KEY_AES_MAX + TICKET_KEY_HMAC_MAX];
	int status = 0;

	if (!text)
		return -1;
	if (!parse_hex(name, key->name, sizeof(key->name)))
		return wrong(parsing, entry, "name", "16 bytes in hex");
	if (parse_hex(text, bytes, key->aes_length + key->hmac_length)) {
		memcpy(key->aes, bytes, key->aes_length);
		memcpy(key->hmac, bytes + key->aes_length, key->hmac_length);
	} else {
		status = wrong(parsing, entry, "key",
			       key->aes_length == 32 ? "96 bytes in hex"
						     : "80 bytes in hex");
	}
	mem_wipe(bytes, sizeof(bytes));
	return status;
}

static int
parse_time(const struct parsing *parsing, const struct yaml_node *entry,
	   const char *name, int64_t *seconds)
{
	const char *text = find_text(parsing, entry, name);
	uint64_t value;

	if (!text)
		return -1;
	if (text_parse_unsigned(text, &value) != 0 || value >= INT64_MAX)
		return wrong(parsing, entry, name, "seconds since 1970");
	*seconds = (int64_t)value;
	return 0;
}

static int
parse_times(const struct parsing *parsing, const struct yaml_node *entry,
	    struct ticket_key *key)
{
	int64_t last;

	if (parse_time(parsing, entry, "not_before", &key->from) != 0 ||
	    parse_time(parsing, entry, "not_after", &last) != 0)
		return -1;
	if (last < key->from)
		return wrong(parsing, entry, "not_after",
			     "what is not before `not_before`");
	key->until = last + 1;
	return 0;
}

static int
parse_entry(const struct parsing *parsing, const struct yaml_node *entry)
{
	struct ticket_key key = {.is_reserve = !parsing->is_first};
	int status = -1;

	if (entry->kind != YAML_TREE_MAP) {
		error_set(parsing->error,
			  "%s: line %u is no entry: expected a map of name, "
			  "cipher, hash, key, not_before and not_after",
			  parsing->name, entry->at.line);
		return -1;
	}
	if (parse_algorithms(parsing, entry, &key) == 0 &&
	    parse_keys(parsing, entry, &key) == 0 &&
	    parse_times(parsing, entry, &key) == 0)
		status = add(parsing, &key);
	mem_wipe(&key, sizeof(key));
	return status;
}

/* What the parser of YAML has to say may have the text in it. */
static int
parse_yaml(const struct parsing *parsing, const char *text, size_t length)
{
	struct error_list problems = {0};
	struct yaml_tree *tree =
		yaml_tree_parse(parsing->name, text, length, &problems);
	const struct yaml_node *root = tree ? tree->root : NULL;
	int status = 0;

	if (problems.count > 0) {
		error_set(parsing->error, "%s: line %u is no good YAML",
			  parsing->name, problems.errors[0].at.line);
		status = -1;
	} else if (!root || root->kind != YAML_TREE_LIST ||
		   root->item_count == 0) {
		error_set(parsing->error,
			  "%s: expected a list of keys, each with name, "
			  "cipher, hash, key, not_before and not_after",
			  parsing->name);
		status = -1;
	}
	for (size_t i = 0; status == 0 && i < root->item_count; i++)
		status = parse_entry(parsing, root->items[i]);
	error_list_clear(&problems);
	yaml_tree_free(tree);
	return status;
}

int
ticket_file_parse(const char *name, const void *bytes, size_t length,
		  bool is_first, struct ticket_ring *ring, struct error *error)
{
	const struct parsing parsing = {name, is_first, ring, error};
	const char *text = bytes, *at = text;
	struct line line = {0};

	if (length == SHORT_SIZE || length == LONG_SIZE)
		return parse_raw(&parsing, bytes, length);
	if (!next_line(&at, text + length, &line)) {
		error_set(error, "%s is empty: expected a key", name);
		return -1;
	}
	if (strchr("-[#%{", line.text[0]))
		return parse_yaml(&parsing, text, length);
	return parse_lines(&parsing, text, length);
}
