/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which keys may stand where, and what to say of those that may not.
 */
#include "common/conf/conf_reader.h"

#include <assert.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* A map of the table that has a key of that name, as a hint. */
static const struct schema_map *
find_home(const char *name)
{
	for (size_t i = 0; i < schema_map_count; i++) {
		const struct schema_key *key =
			schema_find(schema_maps[i], name);

		if (key && !(key->flags & SCHEMA_SCALAR_ONLY))
			return schema_maps[i];
	}
	return NULL;
}

static bool
may_stand(const struct conf_reader *reader, const struct schema_key *key)
{
	return !(key->flags & (reader->refused | SCHEMA_SCALAR_ONLY)) &&
	       schema_is_on(key, reader->gates);
}

static void
complain_unknown(struct conf_reader *reader, const struct schema_map *map,
		 const struct yaml_node *key)
{
	const char *names[32];
	char known[256] = "";
	size_t count = 0, length = 0;
	const char *nearest;
	const struct schema_map *home;

	assert(map->count <= ARRAY_SIZE(names));
	for (size_t i = 0; i < map->count; i++)
		if (may_stand(reader, &map->keys[i]))
			names[count++] = map->keys[i].name;
	nearest = text_nearest(key->text, names, count);
	home = find_home(key->text);
	if (nearest) {
		conf_complain(reader, &key->at,
			      "unknown key `%.60s` in `%s`, did you mean "
			      "`%s`?",
			      key->text, map->name, nearest);
		return;
	}
	if (home) {
		conf_complain(reader, &key->at,
			      "unknown key `%s` in `%s`: it stands in `%s`",
			      key->text, map->name, home->name);
		return;
	}
	for (size_t i = 0; i < count && length < sizeof(known); i++)
		length += (size_t)snprintf(known + length,
					   sizeof(known) - length, "%s`%s`",
					   i == 0 ? "" : ", ", names[i]);
	conf_complain(reader, &key->at,
		      "unknown key `%.60s` in `%s`, known are %s", key->text,
		      map->name, known);
}

static void
check_key(struct conf_reader *reader, const struct schema_map *map,
	  const struct yaml_node *name)
{
	const struct schema_key *key = schema_find(map, name->text);
	unsigned int refused;

	if (!key || (key->flags & SCHEMA_SCALAR_ONLY)) {
		complain_unknown(reader, map, name);
		return;
	}
	refused = key->flags & reader->refused;
	if (refused & SCHEMA_MAIN_FILE)
		conf_complain(reader, &name->at,
			      "`%s` stands in the main file only: an included "
			      "file holds `services` and nothing else",
			      key->name);
	else if (refused & SCHEMA_OWN)
		conf_complain(reader, &name->at,
			      "`%s` belongs to each service, it cannot stand "
			      "in `%s`",
			      key->name, reader->place);
	else if (refused & SCHEMA_NOT_BY_NAME)
		conf_complain(reader, &name->at,
			      "`%s` is for the whole gate, it cannot stand in "
			      "an entry of `hosts`",
			      key->name);
	else if (!schema_is_on(key, reader->gates))
		conf_complain(
			reader, &name->at,
			reader->gates == SCHEMA_BOTH
				? "`%s` is for the %s gate only: write "
				  "it under `%s`"
				: "`%s` belongs to the %s gate, `%s`",
			key->name,
			key->gates == SCHEMA_ACCEPT ? "accept" : "connect",
			key->gates == SCHEMA_ACCEPT ? "accept" : "connect");
}

void
conf_check_keys(struct conf_reader *reader, const struct schema_map *map,
		const struct yaml_node *node)
{
	const struct schema_key *main_key = schema_main(map);

	if (node->kind == YAML_TREE_MAP)
		for (size_t i = 0; i < node->pair_count; i++)
			check_key(reader, map, node->pairs[i].key);
	else if (!main_key)
		conf_complain(reader, &node->at,
			      "`%s` is a map: expected keys and their values",
			      map->name);
	else if (main_key->flags & reader->refused)
		conf_complain(reader, &node->at,
			      "`%s` of `%s` belongs to each service, it cannot "
			      "stand in `%s`",
			      main_key->name, map->name, reader->place);
}
