/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON Schema (draft-07) of a configuration file, for editors. A map of
 * the table becomes one definition for each set of gates it stands on, as its
 * keys are not the same on all of them.
 */
#include <assert.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf.h"
#include "common/conf/json_write.h"
#include "common/conf/schema.h"

#define VARIANTS_MAX 128

struct variant {
	const struct schema_map *map;
	unsigned int gates;
	unsigned int refused;
};

struct schema_writer {
	struct json_writer json;
	struct variant variants[VARIANTS_MAX]; /* referred to so far */
	size_t count;
	struct variant now; /* whose keys are being written */
};

static void
format_name(const struct variant *variant, char *buffer, size_t size)
{
	static const char *const gates[] = {
		[0] = "",
		[SCHEMA_ACCEPT] = "_accept",
		[SCHEMA_CONNECT] = "_connect",
		[SCHEMA_BOTH] = "_both",
	};

	snprintf(buffer, size, "%s%s%s%s", variant->map->name,
		 gates[variant->gates],
		 variant->refused & SCHEMA_OWN ? "_default" : "",
		 variant->refused & SCHEMA_NOT_BY_NAME ? "_host" : "");
}

static void
write_reference(struct schema_writer *writer, const struct variant *variant)
{
	char name[64], reference[128];
	size_t i;

	for (i = 0; i < writer->count; i++)
		if (memcmp(&writer->variants[i], variant, sizeof(*variant)) ==
		    0)
			break;
	assert(i < VARIANTS_MAX);
	if (i == writer->count)
		writer->variants[writer->count++] = *variant;
	format_name(variant, name, sizeof(name));
	snprintf(reference, sizeof(reference), "#/definitions/%s", name);
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "$ref", reference);
	json_write_close(&writer->json, '}');
}

static void
write_type(struct schema_writer *writer, const char *type)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", type);
	json_write_close(&writer->json, '}');
}

static void
write_pattern(struct schema_writer *writer, const char *pattern)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", "string");
	json_write_string(&writer->json, "pattern", pattern);
	json_write_close(&writer->json, '}');
}

static void
write_words(struct schema_writer *writer, const struct schema_word *words)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_open(&writer->json, "enum", '[');
	for (; words->word; words++)
		json_write_string(&writer->json, NULL, words->word);
	json_write_close(&writer->json, ']');
	json_write_close(&writer->json, '}');
}

/* Editors that read YAML 1.2 see strings in yes, no, on and off. */
static void
write_boolean(struct schema_writer *writer)
{
	write_type(writer, "boolean");
	write_pattern(writer, "^(true|TRUE|True|false|FALSE|False|yes|YES|Yes|"
			      "no|NO|No|on|ON|On|off|OFF|Off)$");
}

static void
write_number(struct schema_writer *writer, const struct schema_key *key)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", "integer");
	json_write_number(&writer->json, "minimum", key->least);
	json_write_number(&writer->json, "maximum", key->most);
	json_write_close(&writer->json, '}');
	if (key->words)
		write_words(writer, key->words);
}

static void
write_zero(struct schema_writer *writer)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_number(&writer->json, "const", 0);
	json_write_close(&writer->json, '}');
}

static void
write_secret(struct schema_writer *writer)
{
	static const struct {
		const char *name;
		const char *type;
	} keys[] = {{"file", "string"}, {"command", "array"}};

	write_type(writer, "string");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_write_open(&writer->json, NULL, '{');
		json_write_string(&writer->json, "type", "object");
		json_write_boolean(&writer->json, "additionalProperties",
				   false);
		json_write_open(&writer->json, "required", '[');
		json_write_string(&writer->json, NULL, keys[i].name);
		json_write_close(&writer->json, ']');
		json_write_open(&writer->json, "properties", '{');
		json_write_open(&writer->json, keys[i].name, '{');
		json_write_open(&writer->json, "type", '[');
		json_write_string(&writer->json, NULL, "string");
		if (strcmp(keys[i].type, "string") != 0)
			json_write_string(&writer->json, NULL, keys[i].type);
		json_write_close(&writer->json, ']');
		json_write_close(&writer->json, '}');
		json_write_close(&writer->json, '}');
		json_write_close(&writer->json, '}');
	}
}

static void
write_commands(struct schema_writer *writer)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", "object");
	json_write_open(&writer->json, "additionalProperties", '{');
	json_write_open(&writer->json, "type", '[');
	json_write_string(&writer->json, NULL, "string");
	json_write_string(&writer->json, NULL, "number");
	json_write_string(&writer->json, NULL, "boolean");
	json_write_close(&writer->json, ']');
	json_write_close(&writer->json, '}');
	json_write_close(&writer->json, '}');
}

/* A name, or a scheme of one's own, whose members are words or numbers. */
static void
write_scheme(struct schema_writer *writer)
{
	static const char *const members[] = {
		"check_cn",
		"wildcards_in_alt",
		"wildcards_in_cn",
		"ip_in_cn",
	};

	write_pattern(writer, ".");
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", "object");
	json_write_boolean(&writer->json, "additionalProperties", false);
	json_write_open(&writer->json, "properties", '{');
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_write_open(&writer->json, members[i], '{');
		json_write_open(&writer->json, "type", '[');
		json_write_string(&writer->json, NULL, "string");
		json_write_string(&writer->json, NULL, "number");
		json_write_string(&writer->json, NULL, "boolean");
		json_write_close(&writer->json, ']');
		json_write_close(&writer->json, '}');
	}
	json_write_close(&writer->json, '}');
	json_write_close(&writer->json, '}');
}

/* A map whose keys are names and whose values are maps of the table. */
static void
write_named(struct schema_writer *writer, const struct variant *variant,
	    const char *pattern)
{
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", "object");
	if (pattern) {
		json_write_open(&writer->json, "propertyNames", '{');
		json_write_string(&writer->json, "pattern", pattern);
		json_write_close(&writer->json, '}');
	}
	json_write_open(&writer->json, "additionalProperties", '{');
	json_write_open(&writer->json, "anyOf", '[');
	write_reference(writer, variant);
	json_write_close(&writer->json, ']');
	json_write_close(&writer->json, '}');
	json_write_close(&writer->json, '}');
}

static void
write_map(struct schema_writer *writer, const struct schema_key *key);

/* What one value may be: alternatives for an "anyOf". */
static void
write_value(struct schema_writer *writer, const struct schema_key *key)
{
	switch (key->type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_CHOICE:
		write_boolean(writer);
		break;
	case SCHEMA_UNSIGNED:
		write_number(writer, key);
		break;
	case SCHEMA_DURATION:
		write_pattern(writer, "^([0-9]+(ms|s|m|h|d)|0+)$");
		if (key->least == 0 || key->flags & SCHEMA_OR_ZERO)
			write_zero(writer);
		break;
	case SCHEMA_SIZE:
		write_number(writer, key);
		write_pattern(writer, "^[0-9]+([kKmMgG](iB|B)?|B)?$");
		break;
	case SCHEMA_WORD:
		write_words(writer, key->words);
		break;
	case SCHEMA_STORE:
	case SCHEMA_STRING:
	case SCHEMA_STRINGS:
		/* A scalar is its text, whatever else it looks like. */
		write_pattern(writer, ".");
		write_type(writer, "number");
		write_type(writer, "boolean");
		break;
	case SCHEMA_SERVER_NAME:
		write_type(writer, "string");
		break;
	case SCHEMA_DH:
	case SCHEMA_SUFFIXES:
		write_pattern(writer, ".");
		write_boolean(writer);
		break;
	case SCHEMA_SCHEME:
		write_scheme(writer);
		break;
	case SCHEMA_PEM:
		write_pattern(writer, "^-----BEGIN");
		break;
	case SCHEMA_LOG_TARGET:
		write_pattern(writer, "^(stderr|file:.+|syslog(:[a-z0-9]+)?)$");
		break;
	case SCHEMA_UNIX_PATH:
		write_pattern(writer, "^unix:.+");
		if (key->words)
			write_boolean(writer);
		break;
	case SCHEMA_LISTEN_ADDRESS:
	case SCHEMA_CONNECT_ADDRESS:
		write_pattern(writer, ":");
		break;
	case SCHEMA_PATH:
		write_pattern(writer, ".");
		if (key->words)
			write_boolean(writer);
		break;
	case SCHEMA_PATHS:
	case SCHEMA_FILE:
	case SCHEMA_HOST:
	case SCHEMA_HOSTS:
	case SCHEMA_SERVERS:
	case SCHEMA_VERSIONS:
	case SCHEMA_CA:
	case SCHEMA_FINGERPRINTS:
	case SCHEMA_RULES:
	case SCHEMA_INCLUDE:
		write_pattern(writer, ".");
		break;
	case SCHEMA_SECRET:
		write_secret(writer);
		break;
	case SCHEMA_COMMANDS:
		write_commands(writer);
		break;
	case SCHEMA_MAP:
	case SCHEMA_TLS:
	case SCHEMA_LOGS:
	case SCHEMA_CERTIFICATES:
	case SCHEMA_TLS_HOSTS:
	case SCHEMA_SERVICES:
		write_map(writer, key);
		break;
	}
}

/* The values of a key as they may be written, a list of them too. */
static void
write_values(struct schema_writer *writer, const struct schema_key *key)
{
	write_value(writer, key);
	if (!schema_is_list(key))
		return;
	json_write_open(&writer->json, NULL, '{');
	json_write_string(&writer->json, "type", "array");
	json_write_open(&writer->json, "items", '{');
	json_write_open(&writer->json, "anyOf", '[');
	write_value(writer, key);
	json_write_close(&writer->json, ']');
	json_write_close(&writer->json, '}');
	json_write_close(&writer->json, '}');
}

static void
write_map(struct schema_writer *writer, const struct schema_key *key)
{
	struct variant inside = writer->now;
	const struct schema_key *main_key = schema_main(key->map);

	inside.map = key->map;
	if (inside.gates == 0)
		inside.gates = key->gates;
	/* defaults and enforce hold no keys of a service's own. */
	if (key->map == &schema_defaults)
		inside.refused |= SCHEMA_OWN;
	if (key->type == SCHEMA_SERVICES) {
		write_named(writer, &inside, "^[A-Za-z0-9._-]{1,64}$");
		return;
	}
	if (key->type == SCHEMA_TLS_HOSTS) {
		inside.refused |= SCHEMA_NOT_BY_NAME;
		write_named(writer, &inside, NULL);
		return;
	}
	if (key->type == SCHEMA_TLS && !(inside.refused & SCHEMA_OWN))
		write_boolean(writer);
	if (main_key && !(main_key->flags & inside.refused))
		write_values(writer, main_key);
	write_reference(writer, &inside);
}

static void
write_default(struct schema_writer *writer, const struct schema_key *key)
{
	const char *standard = schema_standard(key, writer->now.gates);
	uint64_t number;
	bool value;

	if (!standard)
		return;
	if (text_parse_unsigned(standard, &number) == 0)
		json_write_number(&writer->json, "default", number);
	else if (text_parse_boolean(standard, &value) == 0)
		json_write_boolean(&writer->json, "default", value);
	else
		json_write_string(&writer->json, "default", standard);
}

static bool
may_stand(const struct schema_writer *writer, const struct schema_key *key)
{
	return !(key->flags & (writer->now.refused | SCHEMA_SCALAR_ONLY)) &&
	       schema_is_on(key, writer->now.gates);
}

/* An empty value is as good as none, but for TLS. */
static void
write_key(struct schema_writer *writer, const struct schema_key *key)
{
	json_write_open(&writer->json, key->name, '{');
	json_write_string(&writer->json, "description", key->help);
	write_default(writer, key);
	json_write_open(&writer->json, "anyOf", '[');
	write_values(writer, key);
	if (key->type != SCHEMA_TLS)
		write_type(writer, "null");
	json_write_close(&writer->json, ']');
	json_write_close(&writer->json, '}');
}

static void
write_required(struct schema_writer *writer, const struct schema_map *map)
{
	bool is_any = false;

	for (size_t i = 0; i < map->count; i++)
		if (map->keys[i].flags & SCHEMA_REQUIRED &&
		    may_stand(writer, &map->keys[i]))
			is_any = true;
	if (is_any) {
		json_write_open(&writer->json, "required", '[');
		for (size_t i = 0; i < map->count; i++)
			if (map->keys[i].flags & SCHEMA_REQUIRED &&
			    may_stand(writer, &map->keys[i]))
				json_write_string(&writer->json, NULL,
						  map->keys[i].name);
		json_write_close(&writer->json, ']');
	}
	if (!map->one_of)
		return;
	json_write_open(&writer->json, "oneOf", '[');
	for (const char *const *name = map->one_of; *name; name++) {
		json_write_open(&writer->json, NULL, '{');
		json_write_open(&writer->json, "required", '[');
		json_write_string(&writer->json, NULL, *name);
		json_write_close(&writer->json, ']');
		json_write_close(&writer->json, '}');
	}
	json_write_close(&writer->json, ']');
}

/* The members of an object's schema. */
static void
write_keys(struct schema_writer *writer, const struct schema_map *map)
{
	json_write_string(&writer->json, "description", map->help);
	json_write_string(&writer->json, "type", "object");
	json_write_boolean(&writer->json, "additionalProperties", false);
	write_required(writer, map);
	json_write_open(&writer->json, "properties", '{');
	for (size_t i = 0; i < map->count; i++)
		if (may_stand(writer, &map->keys[i]))
			write_key(writer, &map->keys[i]);
	json_write_close(&writer->json, '}');
}

void
conf_print_schema(FILE *out)
{
	struct schema_writer writer = {
		.json = {.out = out},
		.now = {.map = &schema_document},
	};

	json_write_open(&writer.json, NULL, '{');
	json_write_string(&writer.json, "$schema",
			  "http://json-schema.org/draft-07/schema#");
	json_write_string(&writer.json, "title", "sealock.yaml");
	write_keys(&writer, &schema_document);
	json_write_open(&writer.json, "definitions", '{');
	/* Each definition may refer to further ones. */
	for (size_t i = 0; i < writer.count; i++) {
		char name[64];

		writer.now = writer.variants[i];
		format_name(&writer.now, name, sizeof(name));
		json_write_open(&writer.json, name, '{');
		write_keys(&writer, writer.now.map);
		json_write_close(&writer.json, '}');
	}
	json_write_close(&writer.json, '}');
	json_write_close(&writer.json, '}');
}
