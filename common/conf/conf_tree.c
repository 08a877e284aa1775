/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes of the effective configuration.
 */
#include "common/conf/conf_tree.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/schema.h"

struct conf_tree *
conf_tree_new(void)
{
	struct conf_tree *tree = mem_alloc(sizeof(*tree));

	tree->global = conf_node_new(NULL);
	tree->global->kind = CONF_NODE_MAP;
	tree->services = conf_node_new(NULL);
	tree->services->kind = CONF_NODE_MAP;
	return tree;
}

void
conf_tree_free(struct conf_tree *tree)
{
	if (!tree)
		return;
	conf_node_free(tree->global);
	conf_node_free(tree->services);
	mem_free(tree);
}

struct conf_node *
conf_node_new(const struct schema_key *key)
{
	struct conf_node *node = mem_alloc(sizeof(*node));

	node->key = key;
	return node;
}

void
conf_node_free(struct conf_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->child_count; i++)
		conf_node_free(node->children[i]);
	mem_free(node->children);
	mem_free(node->name);
	mem_free(node->text);
	mem_free(node);
}

void
conf_node_add(struct conf_node *parent, enum conf_node_kind kind,
	      struct conf_node *child)
{
	size_t count = parent->child_count;

	parent->kind = kind;
	if ((count & (count - 1)) == 0)
		parent->children =
			mem_resize(parent->children, count ? 2 * count : 1,
				   sizeof(struct conf_node *));
	parent->children[parent->child_count++] = child;
}

void
conf_node_set(struct conf_node *node, const char *text)
{
	mem_free(node->text);
	node->kind = CONF_NODE_SCALAR;
	node->text = mem_strdup(text);
}

void
conf_node_add_item(struct conf_node *list, const char *text,
		   const struct position *at)
{
	struct conf_node *item = conf_node_new(NULL);

	conf_node_set(item, text);
	item->origin = list->origin;
	item->at = *at;
	conf_node_add(list, CONF_NODE_LIST, item);
}

void
conf_node_add_pair(struct conf_node *map, const char *name, const char *text,
		   const struct position *at)
{
	struct conf_node *value = conf_node_new(NULL);

	conf_node_set(value, text);
	value->name = mem_strdup(name);
	value->origin = map->origin;
	value->at = *at;
	conf_node_add(map, CONF_NODE_MAP, value);
}

const struct conf_node *
conf_node_find(const struct conf_node *map, const struct schema_key *key)
{
	for (size_t i = 0; map && i < map->child_count; i++)
		if (map->children[i]->key == key)
			return map->children[i];
	return NULL;
}

static bool
text_equal(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

/* 300s and 5m are one duration. */
static bool
scalar_equal(const struct conf_node *one, const struct conf_node *other)
{
	int64_t durations[2];
	uint64_t sizes[2];

	if (!one->text || !other->text || !one->key)
		return text_equal(one->text, other->text);
	if (one->key->type == SCHEMA_DURATION &&
	    text_parse_duration(one->text, &durations[0]) == 0 &&
	    text_parse_duration(other->text, &durations[1]) == 0)
		return durations[0] == durations[1];
	if (one->key->type == SCHEMA_SIZE &&
	    text_parse_size(one->text, &sizes[0]) == 0 &&
	    text_parse_size(other->text, &sizes[1]) == 0)
		return sizes[0] == sizes[1];
	return text_equal(one->text, other->text);
}

bool
conf_node_equal(const struct conf_node *one, const struct conf_node *other)
{
	if (one->kind != other->kind || one->key != other->key ||
	    one->child_count != other->child_count ||
	    !text_equal(one->name, other->name) || !scalar_equal(one, other))
		return false;
	for (size_t i = 0; i < one->child_count; i++)
		if (!conf_node_equal(one->children[i], other->children[i]))
			return false;
	return true;
}

const char *
conf_node_format(const struct conf_node *node, char *buffer, size_t size)
{
	FILE *out = fmemopen(buffer, size, "w");

	if (!out) {
		snprintf(buffer, size, "...");
		return buffer;
	}
	if (node->kind == CONF_NODE_SCALAR)
		fprintf(out, "%s", node->text ? node->text : "");
	for (size_t i = 0; i < node->child_count; i++) {
		const struct conf_node *child = node->children[i];
		const char *name = child->key    ? child->key->name
				   : child->name ? child->name
						 : NULL;

		fprintf(out, "%s", i == 0 ? "" : ", ");
		if (name)
			fprintf(out, "%s: ", name);
		fprintf(out, "%s",
			child->kind == CONF_NODE_SCALAR ? child->text : "...");
	}
	fclose(out);
	buffer[size - 1] = '\0';
	return buffer;
}
