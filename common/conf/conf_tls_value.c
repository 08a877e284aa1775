/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values that only TLS has: versions, the server name, Diffie-Hellman, CAs,
 * secrets and OpenSSL's own commands.
 */
#include "common/conf/conf_reader.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf_documents.h"
#include "common/conf/name_set.h"
#include "common/net/hostname.h"
#include "common/tls/tls_version.h"

/* SSL_CONF_cmd(3) has none of half that length. */
#define COMMAND_MAX 64

static bool
is_pem(const char *text)
{
	return strncmp(text, "-----BEGIN", 10) == 0;
}

/* One version of a list, or the whole of a string in the grammar. */
static int
parse_versions(struct conf_reader *reader, const struct schema_key *key,
	       const struct yaml_node *node, bool is_item,
	       unsigned int *versions)
{
	const char *text = conf_read_text(reader, key, node);
	struct error error = {0};

	if (!text)
		return -1;
	if (is_item && strchr(text, '!')) {
		conf_complain(reader, &node->at,
			      "`%s`: exclusions go into one string, such as "
			      "\"SSLv23:!SSLv3\", not into a list",
			      key->name);
		return -1;
	}
	if (tls_version_parse(text, versions, &error) == 0)
		return 0;
	if (is_item)
		error_set(&error,
			  "\"%s\" is no TLS version: there are TLSv1, TLSv1.1, "
			  "TLSv1.2 and TLSv1.3",
			  text);
	conf_complain(reader, &node->at, "`%s`: %s", key->name, error.text);
	return -1;
}

static void
read_versions(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *node, unsigned int *versions,
	      struct conf_node *shown)
{
	unsigned int all = 0, one;

	if (node->kind == YAML_TREE_LIST) {
		if (node->item_count == 0)
			conf_complain_value(reader, key, node);
		for (size_t i = 0; i < node->item_count; i++)
			if (parse_versions(reader, key, node->items[i], true,
					   &one) == 0)
				all |= one;
	} else if (parse_versions(reader, key, node, false, &one) == 0) {
		all = one;
	}
	*versions = all;
	for (one = 1; one <= TLS_VERSION_ALL; one <<= 1)
		if (all & one)
			conf_node_add_item(shown, tls_version_name(one),
					   &node->at);
}

static void
read_server_name(struct conf_reader *reader, const struct schema_key *key,
		 const struct yaml_node *node, struct tls_settings *settings,
		 struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	char name[HOSTNAME_MAX + 1] = "";

	if (!text)
		return;
	if (text[0] == '\0') {
		settings->server_name_kind = TLS_SERVER_NAME_NONE;
	} else if (strcmp(text, "pass") == 0) {
		settings->server_name_kind = TLS_SERVER_NAME_PASS;
	} else if (hostname_normalize(text, strlen(text), name) == 0) {
		settings->server_name_kind = TLS_SERVER_NAME_GIVEN;
		settings->server_name = mem_strdup(name);
		text = name;
	} else {
		conf_complain_value(reader, key, node);
		return;
	}
	conf_node_set(shown, text);
}

static void
read_dh(struct conf_reader *reader, const struct schema_key *key,
	const struct yaml_node *node, struct tls_dh *dh,
	struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	bool is_on;

	if (!text)
		return;
	dh->at = node->at;
	if (strcmp(text, "auto") == 0) {
		dh->kind = TLS_DH_AUTO;
	} else if (text_parse_boolean(text, &is_on) == 0 && !is_on) {
		dh->kind = TLS_DH_OFF;
		text = "off";
	} else if (is_pem(text)) {
		dh->kind = TLS_DH_INLINE;
		dh->text = mem_strdup(text);
	} else if (text[0] == '\0' || text_parse_boolean(text, &is_on) == 0) {
		conf_complain_value(reader, key, node);
		return;
	} else {
		dh->kind = TLS_DH_FILE;
		dh->text = conf_path_absolute(reader->facts, &node->at, text);
		text = dh->text;
	}
	conf_node_set(shown, text);
}

static void
read_ca(struct conf_reader *reader, const struct schema_key *key,
	const struct yaml_node *item, void *base, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, item);
	struct tls_ca *ca;

	if (!text)
		return;
	if (text[0] == '\0') {
		conf_complain_value(reader, key, item);
		return;
	}
	ca = conf_append(key, base, sizeof(*ca));
	ca->at = item->at;
	if (strcmp(text, "system") == 0) {
		const char *system = conf_facts_system_ca(reader->facts);

		ca->kind = TLS_CA_SYSTEM;
		ca->text = system ? mem_strdup(system) : NULL;
	} else if (strcmp(text, "none") == 0) {
		ca->kind = TLS_CA_NONE;
	} else if (is_pem(text)) {
		ca->kind = TLS_CA_INLINE;
		ca->text = mem_strdup(text);
	} else {
		ca->kind = TLS_CA_PATH;
		ca->text = conf_path_absolute(reader->facts, &item->at, text);
		text = ca->text;
	}
	conf_node_add_item(shown, text, &item->at);
}

static void
read_cas(struct conf_reader *reader, const struct schema_key *key,
	 const struct yaml_node *node, void *base, struct conf_node *shown)
{
	const struct tls_ca *cas;
	size_t count;

	conf_read_items(reader, key, node, read_ca, base, shown);
	if (node->kind == YAML_TREE_LIST && node->item_count == 0)
		conf_complain(reader, &node->at,
			      "`%s` is empty: write none for none at all",
			      key->name);
	memcpy(&cas, conf_field(base, key->offset), sizeof(cas));
	count = *(size_t *)conf_field(base, key->count_offset);
	for (size_t i = 0; count > 1 && i < count; i++)
		if (cas[i].kind == TLS_CA_NONE)
			conf_complain(reader, &cas[i].at,
				      "`%s`: none cannot stand beside others",
				      key->name);
}

static void
read_word(struct conf_reader *reader, const struct schema_key *key,
	  const struct yaml_node *item, void *base, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, item);
	struct secret *secret = base;

	if (!text)
		return;
	secret->words = mem_resize(secret->words, secret->word_count + 1,
				   sizeof(char *));
	secret->words[secret->word_count++] = mem_strdup(text);
	conf_node_add_item(shown, text, &item->at);
}

/* The name in the file set tells the place and not the words, which may be
 * secrets themselves. A program without a slash is looked for in PATH. */
static void
read_command(struct conf_reader *reader, const struct schema_key *key,
	     const struct yaml_node *node, struct secret *secret,
	     struct conf_node *shown)
{
	struct conf_node *words = conf_node_new(NULL);

	words->name = mem_strdup("command");
	words->origin = shown->origin;
	words->at = node->at;
	conf_node_add(shown, CONF_NODE_MAP, words);
	conf_read_items(reader, key, node, read_word, secret, words);
	if (secret->word_count == 0 || secret->words[0][0] == '\0') {
		conf_complain(reader, &node->at,
			      "`command` is a program and its arguments: "
			      "[/usr/bin/pass, show, web]");
		return;
	}
	if (strchr(secret->words[0], '/')) {
		char *path = conf_path_absolute(reader->facts, &node->at,
						secret->words[0]);

		mem_free(secret->words[0]);
		secret->words[0] = path;
		conf_node_set(words->children[0], path);
	}
	secret->kind = SECRET_COMMAND;
	secret->name = mem_format("command:%s (%s:%u:%u)", secret->words[0],
				  node->at.file ? node->at.file : "",
				  node->at.line, node->at.column);
}

static bool
is_prefixed(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void
read_secret_text(struct conf_reader *reader, const struct schema_key *key,
		 const struct yaml_node *node, bool is_path,
		 struct secret *secret, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);

	if (!text)
		return;
	if (text[0] == '\0') {
		conf_complain_value(reader, key, node);
	} else if (!is_path && strcmp(text, "prompt") == 0) {
		/* Its name says what for, which an entry may know better. */
		secret->kind = SECRET_PROMPT;
		secret->name = mem_format("prompt:%s:%u",
					  node->at.file ? node->at.file : "",
					  node->at.line);
		conf_node_set(shown, text);
	} else if (!is_path && is_prefixed(text, "credential:")) {
		const char *name = strchr(text, ':') + 1;

		if (name[0] == '\0' || name[0] == '.' || strchr(name, '/')) {
			conf_complain_value(reader, key, node);
			return;
		}
		secret->kind = SECRET_CREDENTIAL;
		secret->name = mem_strdup(text);
		conf_node_set(shown, text);
	} else if (!is_path && is_prefixed(text, "env:")) {
		if (text[4] == '\0' || strchr(text, '=')) {
			conf_complain_value(reader, key, node);
			return;
		}
		secret->kind = SECRET_ENVIRONMENT;
		secret->name = mem_strdup(text);
		conf_node_set(shown, text);
	} else {
		secret->kind = SECRET_FILE;
		secret->name =
			conf_path_absolute(reader->facts, &node->at, text);
		conf_node_add_pair(shown, "file", secret->name, &node->at);
	}
}

static void
read_secret(struct conf_reader *reader, const struct schema_key *key,
	    const struct yaml_node *node, struct secret *secret,
	    struct conf_node *shown)
{
	const struct yaml_pair *pair;

	secret->at = node->at;
	if (node->kind != YAML_TREE_MAP) {
		read_secret_text(reader, key, node, false, secret, shown);
		return;
	}
	pair = node->pair_count == 1 ? &node->pairs[0] : NULL;
	if (pair && strcmp(pair->key->text, "file") == 0)
		read_secret_text(reader, key, pair->value, true, secret, shown);
	else if (pair && strcmp(pair->key->text, "command") == 0)
		read_command(reader, key, pair->value, secret, shown);
	else
		conf_complain_value(reader, key, node);
}

void
conf_read_tls_value(struct conf_reader *reader, const struct schema_key *key,
		    const struct yaml_node *node, void *base,
		    struct conf_node *shown)
{
	void *field = conf_field(base, key->offset);

	switch ((int)key->type) {
	case SCHEMA_VERSIONS:
		read_versions(reader, key, node, field, shown);
		break;
	case SCHEMA_SERVER_NAME:
		read_server_name(reader, key, node, base, shown);
		break;
	case SCHEMA_DH:
		read_dh(reader, key, node, field, shown);
		break;
	case SCHEMA_CA:
		read_cas(reader, key, node, base, shown);
		break;
	default:
		read_secret(reader, key, node, field, shown);
		break;
	}
}

/* A command of the lower layers that a higher one has too: OpenSSL does not
 * tell capitals from small letters. */
static struct tls_command *
find_command(const struct schema_key *key, void *base, const char *name,
	     size_t count)
{
	struct tls_command *commands;

	memcpy(&commands, conf_field(base, key->offset), sizeof(commands));
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(commands[i].command, name) == 0)
			return &commands[i];
	return NULL;
}

/* Say so when `enforce` changed what a service wrote. */
static void
warn_command(struct conf_reader *reader, const struct conf_node *written,
	     enum conf_origin origin, const struct yaml_node *value)
{
	if (origin != CONF_ORIGIN_ENFORCE || !reader->warnings ||
	    written->origin != CONF_ORIGIN_WRITTEN ||
	    strcmp(written->text, value->text) == 0)
		return;
	error_list_addf(reader->warnings, &written->at,
			"service `%s`: `%s` is %.80s here, but `enforce` "
			"(%s:%u) makes it %.80s",
			reader->place, written->name, written->text,
			value->at.file, value->at.line, value->text);
}

static void
read_command_pair(struct conf_reader *reader, const struct schema_key *key,
		  const struct yaml_pair *pair, size_t lower, void *base,
		  struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, pair->value);
	struct tls_command *command;

	if (!text)
		return;
	command = find_command(key, base, pair->key->text, lower);
	if (!command) {
		command = conf_append(key, base, sizeof(*command));
		conf_node_add_pair(shown, pair->key->text, text,
				   &pair->value->at);
	} else {
		size_t count = *(size_t *)conf_field(base, key->count_offset);
		struct tls_command *commands;
		struct conf_node *child;

		memcpy(&commands, conf_field(base, key->offset),
		       sizeof(commands));
		assert(shown->child_count == count);
		child = shown->children[command - commands];
		warn_command(reader, child, shown->origin, pair->value);
		conf_node_set(child, text);
		mem_free(child->name);
		child->name = mem_strdup(pair->key->text);
		child->at = pair->value->at;
		child->origin = shown->origin;
	}
	mem_free(command->command);
	mem_free(command->value);
	command->at = pair->key->at;
	command->command = mem_strdup(pair->key->text);
	command->value = mem_strdup(text);
}

static void
read_command_layer(struct conf_reader *reader, const struct schema_key *key,
		   const struct yaml_node *node, void *base,
		   struct conf_node *shown)
{
	size_t lower = *(size_t *)conf_field(base, key->count_offset);
	struct name_set names = {0};

	if (node->kind != YAML_TREE_MAP) {
		conf_complain_value(reader, key, node);
		return;
	}
	for (size_t i = 0; i < node->pair_count; i++) {
		const struct yaml_node *word = node->pairs[i].key;
		AUTO_FREE char *name = mem_strdup(word->text);
		const struct position *earlier;

		for (char *letter = name; *letter; letter++)
			*letter = (char)tolower((unsigned char)*letter);
		earlier = name_set_add(&names, name, &word->at);
		if (strlen(name) > COMMAND_MAX)
			conf_complain(reader, &word->at,
				      "`%.60s`...: no command of OpenSSL is "
				      "that long",
				      word->text);
		else if (earlier)
			conf_complain(reader, &word->at,
				      "duplicate command `%.60s`: it stands in "
				      "line %u already",
				      word->text, earlier->line);
		else
			read_command_pair(reader, key, &node->pairs[i], lower,
					  base, shown);
	}
	name_set_clear(&names);
}

void
conf_read_commands(struct conf_reader *reader, const struct schema_key *key,
		   const struct conf_layers *layers, void *base,
		   struct conf_node *shown)
{
	shown->kind = CONF_NODE_MAP;
	for (size_t i = 0; i < layers->count; i++) {
		shown->origin = layers->layers[i].origin;
		read_command_layer(reader, key, layers->layers[i].node, base,
				   shown);
	}
}
