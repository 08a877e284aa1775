/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what was written to what has become of it.
 */
#include "common/conf/conf_check_written.h"

#include <stddef.h>
#include <string.h>

#include "common/conf/conf_reader.h"
#include "common/conf/schema.h"
#include "common/tls/tls_settings.h"

static const struct yaml_node *
find_value(const struct yaml_node *map, const char *key)
{
	const struct yaml_pair *pair = NULL;

	if (map && map->kind == YAML_TREE_MAP)
		pair = yaml_tree_find(map, key);
	return pair ? pair->value : NULL;
}

const struct yaml_node *
conf_written_map(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *value = find_value(map, key);

	return value && value->kind == YAML_TREE_MAP ? value : NULL;
}

bool
conf_is_written(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *value = find_value(map, key);

	return value && !value->is_null &&
	       !(value->kind == YAML_TREE_LIST && value->item_count == 0);
}

static bool
is_default(const struct schema_key *key, const struct yaml_node *value,
	   unsigned int gates)
{
	const char *standard = schema_standard(key, gates);

	if (value->is_null)
		return true;
	if (key->type == SCHEMA_MAP && value->kind == YAML_TREE_MAP) {
		for (size_t i = 0; i < value->pair_count; i++) {
			const struct yaml_pair *pair = &value->pairs[i];
			const struct schema_key *inside =
				schema_find(key->map, pair->key->text);

			if (inside && !is_default(inside, pair->value, gates))
				return false;
		}
		return true;
	}
	if (value->kind == YAML_TREE_LIST && value->item_count == 1)
		value = value->items[0];
	return standard && value->kind == YAML_TREE_SCALAR &&
	       strcmp(value->text, standard) == 0;
}

void
conf_complain_unused(struct conf_reader *reader, const struct schema_map *map,
		     const struct yaml_node *written, const char *const *keys,
		     unsigned int gates, const char *because)
{
	for (; *keys; keys++) {
		const struct yaml_pair *pair = yaml_tree_find(written, *keys);
		const struct schema_key *key = schema_find(map, *keys);

		if (pair && key && !is_default(key, pair->value, gates))
			conf_complain(reader, &pair->key->at,
				      "`%s`: %s, so `%s` is never looked "
				      "at: take one of them out",
				      map->name, because, *keys);
	}
}

/* Entries of `hosts` and what has become of them stand in the same order; one
 * that is no host name has become nothing. */
static void
check_hosts(struct conf_reader *reader, const struct yaml_node *hosts,
	    const struct tls_settings *settings, bool is_server,
	    conf_check_tls *check)
{
	size_t next = 0;

	for (size_t i = 0; i < hosts->pair_count; i++) {
		const struct yaml_pair *pair = &hosts->pairs[i];
		const struct tls_host *host;

		if (next == settings->host_count)
			break;
		host = &settings->hosts[next];
		if (host->at.line != pair->key->at.line ||
		    host->at.column != pair->key->at.column)
			continue;
		next++;
		check(reader, pair->value, host->settings, is_server);
	}
}

void
conf_check_each_tls(struct conf_reader *reader, const struct yaml_node *tls,
		    const struct tls_settings *settings, bool is_server,
		    conf_check_tls *check)
{
	const struct yaml_node *hosts = conf_written_map(tls, "hosts");

	if (!settings)
		return;
	check(reader, tls, settings, is_server);
	if (hosts)
		check_hosts(reader, hosts, settings, is_server, check);
}
