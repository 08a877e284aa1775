/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of the simple types: numbers, words, strings, paths, addresses.
 */
#include "common/conf/conf_reader.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf_documents.h"
#include "common/conf/log_target.h"
#include "common/net/address.h"
#include "common/net/hostname.h"
#include "common/verify/verify_name.h"

const char *
conf_read_text(struct conf_reader *reader, const struct schema_key *key,
	       const struct yaml_node *node)
{
	if (node->kind == YAML_TREE_SCALAR && !node->is_null)
		return node->text;
	conf_complain_value(reader, key, node);
	return NULL;
}

void
conf_read_items(struct conf_reader *reader, const struct schema_key *key,
		const struct yaml_node *node, conf_read_item *read, void *base,
		struct conf_node *shown)
{
	shown->kind = CONF_NODE_LIST;
	if (node->kind != YAML_TREE_LIST)
		read(reader, key, node, base, shown);
	for (size_t i = 0; i < node->item_count; i++)
		read(reader, key, node->items[i], base, shown);
}

static void
read_boolean(struct conf_reader *reader, const struct schema_key *key,
	     const struct yaml_node *node, void *field, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	bool value;

	if (!text)
		return;
	if (text_parse_boolean(text, &value) != 0) {
		conf_complain_value(reader, key, node);
		return;
	}
	if (key->type == SCHEMA_BOOLEAN)
		*(bool *)field = value;
	else
		*(enum tls_choice *)field =
			value ? TLS_CHOICE_YES : TLS_CHOICE_NO;
	conf_node_set(shown, value ? "true" : "false");
}

static const struct schema_word *
find_word(const struct schema_word *words, const char *text)
{
	for (size_t i = 0; words && words[i].word; i++)
		if (strcmp(words[i].word, text) == 0)
			return &words[i];
	return NULL;
}

static bool
is_in_range(const struct schema_key *key, uint64_t value)
{
	return (value >= key->least && value <= key->most) ||
	       (value == 0 && key->flags & SCHEMA_OR_ZERO);
}

static void
read_unsigned(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *node, void *field,
	      struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	const struct schema_word *word;
	uint64_t value;
	char buffer[32];

	if (!text)
		return;
	word = find_word(key->words, text);
	if (word) {
		*(unsigned int *)field = word->value;
		conf_node_set(shown, word->word);
	} else if (text_parse_unsigned(text, &value) == 0 &&
		   is_in_range(key, value)) {
		*(unsigned int *)field = (unsigned int)value;
		snprintf(buffer, sizeof(buffer), "%ju", (uintmax_t)value);
		conf_node_set(shown, buffer);
	} else {
		conf_complain_value(reader, key, node);
	}
}

static void
read_duration(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *node, void *field,
	      struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	int64_t value;

	if (!text)
		return;
	if (text_parse_duration(text, &value) != 0 ||
	    !is_in_range(key, (uint64_t)value)) {
		conf_complain_value(reader, key, node);
		return;
	}
	*(int64_t *)field = value;
	conf_node_set(shown, text);
}

static void
read_size(struct conf_reader *reader, const struct schema_key *key,
	  const struct yaml_node *node, void *field, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	uint64_t value;

	if (!text)
		return;
	if (text_parse_size(text, &value) != 0 || !is_in_range(key, value)) {
		conf_complain_value(reader, key, node);
		return;
	}
	*(size_t *)field = (size_t)value;
	conf_node_set(shown, text);
}

_Static_assert(sizeof(enum tls_profile) == sizeof(unsigned int),
	       "words are stored as unsigned int");

static void
read_word(struct conf_reader *reader, const struct schema_key *key,
	  const struct yaml_node *node, void *field, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	const struct schema_word *word;
	const char *names[16];
	const char *nearest;
	char expected[256];
	size_t count = 0;

	if (!text)
		return;
	word = find_word(key->words, text);
	if (word) {
		memcpy(field, &word->value, sizeof(word->value));
		conf_node_set(shown, word->word);
		return;
	}
	for (; key->words[count].word && count < ARRAY_SIZE(names); count++)
		names[count] = key->words[count].word;
	nearest = text_nearest(text, names, count);
	if (nearest)
		conf_complain(reader, &node->at,
			      "`%s` is \"%.60s\": expected %s; did you mean "
			      "`%s`?",
			      key->name, text,
			      schema_expected(key, expected, sizeof(expected)),
			      nearest);
	else
		conf_complain_value(reader, key, node);
}

/* Strings of every sort that are kept as they are or nearly so: the text to
 * keep, the caller's, or NULL after a complaint. */
static char *
read_string(struct conf_reader *reader, const struct schema_key *key,
	    const struct yaml_node *node)
{
	static const char credential[] = "credential:";
	const char *text = conf_read_text(reader, key, node);
	char name[HOSTNAME_MAX + 3];

	if (!text)
		return NULL;
	switch ((int)key->type) {
	case SCHEMA_STORE:
	case SCHEMA_STRING:
	case SCHEMA_STRINGS:
		if (text[0] != '\0' &&
		    (key->most == 0 || strlen(text) <= key->most))
			return mem_strdup(text);
		break;
	case SCHEMA_FILE:
		if (strncmp(text, credential, sizeof(credential) - 1) == 0) {
			text += sizeof(credential) - 1;
			if (text[0] == '\0' || text[0] == '.' ||
			    strchr(text, '/'))
				break;
			return mem_strdup(node->text);
		}
		__attribute__((fallthrough));
	case SCHEMA_PATH:
	case SCHEMA_PATHS:
		if (find_word(key->words, text))
			return mem_strdup(text);
		if (text[0] != '\0')
			return conf_path_absolute(reader->facts, &node->at,
						  text);
		break;
	case SCHEMA_PEM:
		if (strncmp(text, "-----BEGIN", 10) == 0)
			return mem_strdup(text);
		break;
	case SCHEMA_HOST:
		if (verify_name_normalize(text, name, NULL) == 0)
			return mem_strdup(name);
		break;
	case SCHEMA_HOSTS:
		if (hostname_is_ip(text))
			return mem_strdup(text);
		if (hostname_pattern_normalize(text, strlen(text), name) == 0)
			return mem_strdup(name);
		break;
	case SCHEMA_SERVERS: {
		struct address address = {0};
		bool is_good = hostname_is_ip(text) ||
			       (address_parse(text, ADDRESS_TO_CONNECT,
					      &address, NULL) == 0 &&
				address.kind == ADDRESS_INET);

		address_clear(&address);
		if (is_good)
			return mem_strdup(text);
		break;
	}
	case SCHEMA_LOG_TARGET:
		if (log_target_is_valid(text))
			return log_target_absolute(reader->facts, &node->at,
						   text);
		break;
	default:
		break;
	}
	conf_complain_value(reader, key, node);
	return NULL;
}

/* The text as it may be shown. */
static char *
shown_text(const struct schema_key *key, const char *text)
{
	size_t head = strcspn(text, "?");

	if (key->type == SCHEMA_PEM)
		return mem_strdup("-----BEGIN…");
	if (key->type == SCHEMA_STORE && text[head] == '?')
		return mem_format("%.*s?…", (int)head, text);
	return mem_strdup(text);
}

static void
read_single_string(struct conf_reader *reader, const struct schema_key *key,
		   const struct yaml_node *node, void *field,
		   struct conf_node *shown)
{
	char *text = read_string(reader, key, node);
	AUTO_FREE char *shown_as = NULL;

	if (!text)
		return;
	*(char **)field = text;
	shown_as = shown_text(key, text);
	conf_node_set(shown, shown_as);
}

static void
read_string_item(struct conf_reader *reader, const struct schema_key *key,
		 const struct yaml_node *item, void *base,
		 struct conf_node *shown)
{
	char *text = read_string(reader, key, item);

	if (!text)
		return;
	*(char **)conf_append(key, base, sizeof(char *)) = text;
	conf_node_add_item(shown, text, &item->at);
}

static int
find_port(const char *service, void *argument)
{
	struct conf_reader *reader = argument;

	return conf_facts_port(reader->facts, service);
}

/* Parse an address; relative paths of sockets are made absolute first. */
static int
parse_address(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *node, enum address_use use,
	      struct address *address)
{
	static const char prefix[] = "unix:";
	const size_t length = sizeof(prefix) - 1;
	const char *text = conf_read_text(reader, key, node);
	AUTO_FREE char *absolute = NULL;
	struct error error = {0};

	if (!text)
		return -1;
	if (strncmp(text, prefix, length) == 0 && text[length] != '\0' &&
	    text[length] != '/' && text[length] != '@') {
		AUTO_FREE char *path = conf_path_absolute(
			reader->facts, &node->at, text + length);

		absolute = mem_format("%s%s", prefix, path);
		text = absolute;
	}
	if (address_parse_with(text, use, find_port, reader, address, &error) ==
	    0)
		return 0;
	conf_complain(reader, &node->at, "`%s`: %s", key->name, error.text);
	return -1;
}

static void
read_unix_path(struct conf_reader *reader, const struct schema_key *key,
	       const struct yaml_node *node, void *field,
	       struct conf_node *shown)
{
	const struct schema_word *word = NULL;
	struct address address = {0};
	char buffer[512];

	if (key->words && node->kind == YAML_TREE_SCALAR)
		word = find_word(key->words, node->text);
	if (word) {
		conf_node_set(shown, word->word);
		return;
	}
	if (parse_address(reader, key, node, ADDRESS_TO_LISTEN, &address) != 0)
		return;
	if (address.kind != ADDRESS_UNIX) {
		conf_complain_value(reader, key, node);
		address_clear(&address);
		return;
	}
	*(struct address *)field = address;
	conf_node_set(shown, address_format(&address, buffer, sizeof(buffer)));
}

static void
read_address_item(struct conf_reader *reader, const struct schema_key *key,
		  const struct yaml_node *item, void *base,
		  struct conf_node *shown)
{
	enum address_use use = key->type == SCHEMA_LISTEN_ADDRESS
				       ? ADDRESS_TO_LISTEN
				       : ADDRESS_TO_CONNECT;
	struct address address = {0};
	struct conf_address *appended;
	char buffer[512];

	if (parse_address(reader, key, item, use, &address) != 0)
		return;
	appended = conf_append(key, base, sizeof(*appended));
	appended->address = address;
	appended->at = item->at;
	conf_node_add_item(shown,
			   address_format(&address, buffer, sizeof(buffer)),
			   &item->at);
}

void
conf_read_value(struct conf_reader *reader, const struct schema_key *key,
		const struct yaml_node *node, void *base,
		struct conf_node *shown)
{
	void *field = conf_field(base, key->offset);

	switch ((int)key->type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_CHOICE:
		read_boolean(reader, key, node, field, shown);
		break;
	case SCHEMA_UNSIGNED:
		read_unsigned(reader, key, node, field, shown);
		break;
	case SCHEMA_DURATION:
		read_duration(reader, key, node, field, shown);
		break;
	case SCHEMA_SIZE:
		read_size(reader, key, node, field, shown);
		break;
	case SCHEMA_WORD:
		read_word(reader, key, node, field, shown);
		break;
	case SCHEMA_STRINGS:
	case SCHEMA_PATHS:
	case SCHEMA_HOSTS:
	case SCHEMA_SERVERS:
		conf_read_items(reader, key, node, read_string_item, base,
				shown);
		break;
	case SCHEMA_UNIX_PATH:
		read_unix_path(reader, key, node, field, shown);
		break;
	case SCHEMA_LISTEN_ADDRESS:
	case SCHEMA_CONNECT_ADDRESS:
		conf_read_items(reader, key, node, read_address_item, base,
				shown);
		break;
	default:
		read_single_string(reader, key, node, field, shown);
		break;
	}
}
