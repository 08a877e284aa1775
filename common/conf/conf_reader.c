/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over maps and layers.
 */
#include "common/conf/conf_reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

/* More than anybody reads: a file that is no configuration of ours. */
#define PROBLEMS_MAX 1000

void
conf_complain(struct conf_reader *reader, const struct position *at,
	      const char *format, ...)
{
	struct error error = {0};
	char sentence[sizeof(error.text)];
	va_list arguments;

	reader->problem_count++;
	if (!reader->problems || reader->problems->count >= PROBLEMS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	error_list_addf(reader->problems, at, "%s", sentence);
}

void
conf_complain_value(struct conf_reader *reader, const struct schema_key *key,
		    const struct yaml_node *node)
{
	char expected[256];

	schema_expected(key, expected, sizeof(expected));
	if (node->kind == YAML_TREE_MAP)
		conf_complain(reader, &node->at,
			      "`%s` is a map here: expected %s", key->name,
			      expected);
	else if (node->kind == YAML_TREE_LIST)
		conf_complain(reader, &node->at,
			      "`%s` is a list here: expected %s", key->name,
			      expected);
	else if (node->is_null)
		conf_complain(reader, &node->at,
			      "`%s` has no value here: expected %s", key->name,
			      expected);
	else if (key->type == SCHEMA_PEM)
		conf_complain(reader, &node->at, "`%s`: expected %s", key->name,
			      expected);
	else
		conf_complain(reader, &node->at,
			      "`%s` is \"%.60s\": expected %s", key->name,
			      node->text, expected);
}

void
conf_layers_add(struct conf_layers *layers, const struct conf_layer *layer)
{
	assert(layers->count < CONF_LAYERS_MAX);
	layers->layers[layers->count++] = *layer;
}

void *
conf_field(void *base, size_t offset)
{
	return (char *)base + offset;
}

void *
conf_append(const struct schema_key *key, void *base, size_t size)
{
	size_t *count = conf_field(base, key->count_offset);
	char *array;

	memcpy(&array, conf_field(base, key->offset), sizeof(array));
	if ((*count & (*count - 1)) == 0)
		array = mem_resize(array, *count ? 2 * *count : 1, size);
	memcpy(conf_field(base, key->offset), &array, sizeof(array));
	memset(array + *count * size, 0, size);
	return array + (*count)++ * size;
}

/* What a layer has for a key, or NULL; an empty value is as good as none. For
 * TLS it is not: whoever wrote `tls:` meant something. */
static const struct yaml_node *
find_in_layer(const struct conf_layer *layer, const struct schema_map *map,
	      const struct schema_key *key, struct position *key_at)
{
	const struct yaml_node *node = layer->node;
	const struct yaml_pair *pair;

	if (layer->is_direct && key->gates != SCHEMA_BOTH)
		return NULL;
	if (node->kind != YAML_TREE_MAP) {
		*key_at = layer->key_at;
		return key == schema_main(map) && !node->is_null ? node : NULL;
	}
	pair = key->flags & SCHEMA_SCALAR_ONLY
		       ? NULL
		       : yaml_tree_find(node, key->name);
	if (!pair || (pair->value->is_null && key->type != SCHEMA_TLS))
		return NULL;
	*key_at = pair->key->at;
	return pair->value;
}

/* The layers of a key. For a gate, defaults and enforce themselves are layers
 * too, each under what it has for that gate. */
static void
find_layers(const struct conf_layers *from, const struct schema_map *map,
	    const struct schema_key *key, struct conf_layers *found)
{
	found->count = 0;
	for (size_t i = 0; i < from->count; i++) {
		struct conf_layer layer = from->layers[i];

		if (map == &schema_service && key->gates != 0 &&
		    layer.origin != CONF_ORIGIN_WRITTEN) {
			struct conf_layer direct = layer;

			direct.is_direct = true;
			conf_layers_add(found, &direct);
		}
		layer.node = find_in_layer(&from->layers[i], map, key,
					   &layer.key_at);
		layer.is_direct = false;
		if (layer.node)
			conf_layers_add(found, &layer);
	}
}

struct conf_node *
conf_shown_child(struct conf_node *shown, const struct schema_key *key,
		 const struct conf_layer *layer)
{
	struct conf_node *child = conf_node_new(key);

	child->origin = layer->origin;
	child->at = layer->node->at;
	conf_node_add(shown, CONF_NODE_MAP, child);
	return child;
}

/* One value of a key that is no map of the table. */
static void
read_leaf(struct conf_reader *reader, const struct schema_key *key,
	  const struct yaml_node *node, void *base, struct conf_node *shown)
{
	if (key->at_offset != 0)
		*(struct position *)conf_field(base, key->at_offset) = node->at;
	switch ((int)key->type) {
	case SCHEMA_LOGS:
		conf_read_items(reader, key, node, conf_read_log, base, shown);
		break;
	case SCHEMA_CERTIFICATES:
		conf_read_items(reader, key, node, conf_read_certificate, base,
				shown);
		break;
	case SCHEMA_VERSIONS:
	case SCHEMA_SERVER_NAME:
	case SCHEMA_DH:
	case SCHEMA_CA:
	case SCHEMA_SECRET:
		conf_read_tls_value(reader, key, node, base, shown);
		break;
	case SCHEMA_FINGERPRINTS:
	case SCHEMA_SCHEME:
	case SCHEMA_SUFFIXES:
	case SCHEMA_RULES:
		conf_read_verify_value(reader, key, node, base, shown);
		break;
	default:
		conf_read_value(reader, key, node, base, shown);
		break;
	}
}

/* Say so when `enforce` changed what a service wrote. */
static void
warn_enforced(struct conf_reader *reader, const struct schema_map *map,
	      const struct schema_key *key, const struct conf_layers *found,
	      const struct conf_node *enforced)
{
	const struct conf_layer *own = NULL;
	struct conf_node *written;
	AUTO_FREE void *scratch = NULL;
	char texts[2][80];

	for (size_t i = 0; i < found->count; i++)
		if (found->layers[i].is_own)
			own = &found->layers[i];
	if (!own || !reader->warnings)
		return;
	scratch = mem_alloc(map->size);
	written = conf_node_new(key);
	read_leaf(reader, key, own->node, scratch, written);
	conf_clear_key(key, scratch);
	if (!conf_node_equal(written, enforced))
		error_list_addf(
			reader->warnings, &own->node->at,
			"service `%s`: `%s` is %s here, but `enforce` (%s:%u) "
			"makes it %s",
			reader->place, key->name,
			conf_node_format(written, texts[0], sizeof(texts[0])),
			enforced->at.file, enforced->at.line,
			conf_node_format(enforced, texts[1], sizeof(texts[1])));
	conf_node_free(written);
}

static void
read_default(struct conf_reader *reader, const struct schema_key *key,
	     void *base)
{
	const char *standard = schema_standard(key, reader->gates);
	struct yaml_node node = {.kind = YAML_TREE_SCALAR};
	struct conf_node *unseen;

	if (key->default_offset != 0)
		*(bool *)conf_field(base, key->default_offset) = true;
	if (!standard)
		return;
	unseen = conf_node_new(key);
	node.text = mem_strdup(standard);
	read_leaf(reader, key, &node, base, unseen);
	mem_free(node.text);
	conf_node_free(unseen);
}

static void
read_written(struct conf_reader *reader, const struct schema_map *map,
	     const struct schema_key *key, const struct conf_layers *found,
	     void *base, struct conf_node *shown)
{
	const struct conf_layer *top = &found->layers[found->count - 1];
	size_t problems = reader->problem_count;
	struct conf_node *child = conf_node_new(key);

	child->origin = top->origin;
	child->at = top->node->at;
	read_leaf(reader, key, top->node, base, child);
	if (reader->problem_count != problems) {
		/* What is half right is not kept: the default is. */
		conf_clear_key(key, base);
		read_default(reader, key, base);
		conf_node_free(child);
		return;
	}
	if (top->origin == CONF_ORIGIN_ENFORCE)
		warn_enforced(reader, map, key, found, child);
	conf_node_add(shown, CONF_NODE_MAP, child);
}

static void
read_submap(struct conf_reader *reader, const struct schema_key *key,
	    const struct conf_layers *found, void *base,
	    struct conf_node *shown)
{
	unsigned int gates = reader->gates;

	if (found->count > 0)
		shown = conf_shown_child(shown, key,
					 &found->layers[found->count - 1]);
	for (size_t i = 0; i < found->count; i++)
		if (key->at_offset != 0 && found->layers[i].is_own)
			*(struct position *)conf_field(base, key->at_offset) =
				found->layers[i].key_at;
	if (gates == 0)
		reader->gates = key->gates;
	conf_read_map(reader, key->map, found, conf_field(base, key->offset),
		      shown);
	reader->gates = gates;
}

static void
read_key(struct conf_reader *reader, const struct schema_map *map,
	 const struct schema_key *key, const struct conf_layers *layers,
	 void *base, struct conf_node *shown)
{
	unsigned int gates = reader->gates;
	struct conf_layers found;

	find_layers(layers, map, key, &found);
	switch ((int)key->type) {
	case SCHEMA_MAP:
		read_submap(reader, key, &found, base, shown);
		return;
	case SCHEMA_TLS:
		if (gates == 0)
			reader->gates = key->gates;
		conf_read_tls(reader, key, &found, base, shown);
		reader->gates = gates;
		return;
	case SCHEMA_TLS_HOSTS:
		if (found.count > 0)
			conf_read_hosts(reader, key, layers,
					&found.layers[found.count - 1], base,
					shown);
		return;
	case SCHEMA_COMMANDS:
		if (found.count > 0)
			conf_read_commands(
				reader, key, &found, base,
				conf_shown_child(shown, key, &found.layers[0]));
		return;
	default:
		if (found.count > 0)
			read_written(reader, map, key, &found, base, shown);
		else
			read_default(reader, key, base);
		return;
	}
}

void
conf_read_map(struct conf_reader *reader, const struct schema_map *map,
	      const struct conf_layers *layers, void *target,
	      struct conf_node *shown)
{
	shown->kind = CONF_NODE_MAP;
	if (reader->problems)
		for (size_t i = 0; i < layers->count; i++)
			conf_check_keys(reader, map, layers->layers[i].node);
	for (size_t i = 0; i < map->count; i++) {
		const struct schema_key *key = &map->keys[i];

		if (!(key->flags & reader->refused) &&
		    schema_is_on(key, reader->gates))
			read_key(reader, map, key, layers, target, shown);
	}
}

void
conf_read_alone(struct conf_reader *reader, const struct schema_map *map,
		const struct yaml_node *node, enum conf_origin origin,
		void *target, struct conf_node *shown)
{
	struct conf_layers layers = {.count = 0};
	const struct conf_layer layer = {
		.node = node,
		.key_at = node->at,
		.origin = origin,
		.is_own = true,
	};

	if (!node->is_null)
		conf_layers_add(&layers, &layer);
	conf_read_map(reader, map, &layers, target, shown);
}
