/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tls map of a gate, and its entries by name.
 */
#include "common/conf/conf_reader.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/name_set.h"
#include "common/net/hostname.h"

/* Does the gate have TLS? Only the service itself says so. */
static bool
is_tls_wanted(struct conf_reader *reader, const struct schema_key *key,
	      const struct conf_layers *found, struct position *at)
{
	bool is_wanted = false;

	for (size_t i = 0; i < found->count; i++) {
		const struct conf_layer *layer = &found->layers[i];

		if (!layer->is_own)
			continue;
		*at = layer->key_at;
		if (layer->node->kind == YAML_TREE_MAP) {
			is_wanted = true;
		} else if (reader->refused & SCHEMA_OWN) {
			conf_complain(reader, &layer->node->at,
				      "`tls` in `%s` is a map of what gates "
				      "with TLS have in common: it cannot "
				      "switch TLS on or off",
				      reader->place);
		} else if (layer->node->kind != YAML_TREE_SCALAR ||
			   text_parse_boolean(layer->node->text, &is_wanted) !=
				   0) {
			conf_complain_value(reader, key, layer->node);
		}
	}
	return is_wanted;
}

void
conf_read_tls(struct conf_reader *reader, const struct schema_key *key,
	      const struct conf_layers *found, void *base,
	      struct conf_node *shown)
{
	struct conf_layers maps = {.count = 0};
	struct tls_settings *settings;
	struct position at = {0};

	if (!is_tls_wanted(reader, key, found, &at))
		return;
	for (size_t i = 0; i < found->count; i++)
		if (found->layers[i].node->kind == YAML_TREE_MAP)
			conf_layers_add(&maps, &found->layers[i]);
	settings = mem_alloc(sizeof(*settings));
	settings->at = at;
	*(struct tls_settings **)conf_field(base, key->offset) = settings;
	conf_read_map(
		reader, key->map, &maps, settings,
		conf_shown_child(shown, key, &found->layers[found->count - 1]));
}

/* The layers of one entry of `hosts`: what the gate has, the entry itself,
 * and what is enforced over both. */
static void
layers_of_host(const struct conf_layers *gate, const struct yaml_pair *entry,
	       enum conf_origin origin, struct conf_layers *layers)
{
	const struct conf_layer own = {
		.node = entry->value,
		.key_at = entry->key->at,
		.origin = origin,
		.is_own = true,
	};
	bool is_added = false;

	for (size_t i = 0; i < gate->count; i++) {
		struct conf_layer layer = gate->layers[i];

		if (layer.origin == CONF_ORIGIN_ENFORCE && !is_added) {
			conf_layers_add(layers, &own);
			is_added = true;
		}
		layer.is_own = false;
		conf_layers_add(layers, &layer);
	}
	if (!is_added)
		conf_layers_add(layers, &own);
}

static void
read_host(struct conf_reader *reader, const struct schema_key *key,
	  const struct conf_layers *gate, const struct yaml_pair *entry,
	  const char *pattern, void *base, struct conf_node *shown)
{
	struct conf_reader by_name = *reader;
	struct conf_layers layers = {.count = 0};
	struct tls_host *host = conf_append(key, base, sizeof(*host));
	struct conf_node *child = conf_node_new(NULL);

	child->name = mem_strdup(pattern);
	child->origin = shown->origin;
	child->at = entry->value->at;
	conf_node_add(shown, CONF_NODE_MAP, child);
	host->at = entry->key->at;
	host->pattern = mem_strdup(pattern);
	host->settings = mem_alloc(sizeof(*host->settings));
	host->settings->at = entry->key->at;
	by_name.refused |= SCHEMA_NOT_BY_NAME;
	/* By itself for its own problems, else on top of its gate. */
	if (reader->problems)
		conf_read_alone(&by_name, key->map, entry->value, shown->origin,
				host->settings, child);
	else {
		layers_of_host(gate, entry, shown->origin, &layers);
		conf_read_map(&by_name, key->map, &layers, host->settings,
			      child);
	}
	reader->problem_count = by_name.problem_count;
}

void
conf_read_hosts(struct conf_reader *reader, const struct schema_key *key,
		const struct conf_layers *gate, const struct conf_layer *layer,
		void *base, struct conf_node *shown)
{
	const struct yaml_node *node = layer->node;
	struct name_set names = {0};

	if (node->kind != YAML_TREE_MAP) {
		conf_complain_value(reader, key, node);
		return;
	}
	shown = conf_shown_child(shown, key, layer);
	shown->kind = CONF_NODE_MAP;
	for (size_t i = 0; i < node->pair_count; i++) {
		const struct yaml_pair *entry = &node->pairs[i];
		const char *text = entry->key->text;
		const struct position *earlier;
		char pattern[HOSTNAME_MAX + 3];

		if (hostname_pattern_normalize(text, strlen(text), pattern) !=
		    0) {
			conf_complain(reader, &entry->key->at,
				      "`%.80s` in `hosts` is no host name, nor "
				      "*. and a name",
				      text);
			continue;
		}
		earlier = name_set_add(&names, pattern, &entry->key->at);
		if (earlier)
			conf_complain(reader, &entry->key->at,
				      "duplicate entry `%s` in `hosts`: it "
				      "stands in line %u already",
				      pattern, earlier->line);
		else if (entry->value->kind != YAML_TREE_MAP)
			conf_complain(reader, &entry->value->at,
				      "an entry of `hosts` is a map of keys of "
				      "`tls`");
		else
			read_host(reader, key, gate, entry, pattern, base,
				  shown);
	}
	name_set_clear(&names);
}
