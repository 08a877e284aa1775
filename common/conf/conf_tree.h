/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective configuration as it would be written: what conf_print() shows
 * and what two values are compared by. Only what somebody wrote is in it; the
 * defaults stand in the table. Private to common/conf.
 */
#ifndef SEALOCK_CONF_CONF_TREE_H
#define SEALOCK_CONF_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

struct schema_key;

/* Who said it; a later one wins over an earlier one. */
enum conf_origin {
	CONF_ORIGIN_DEFAULTS,
	CONF_ORIGIN_WRITTEN, /* in global or in a service */
	CONF_ORIGIN_ENFORCE,
};

enum conf_node_kind {
	CONF_NODE_SCALAR,
	CONF_NODE_LIST,
	CONF_NODE_MAP,
};

struct conf_node {
	enum conf_node_kind kind;
	const struct schema_key *key; /* NULL: an item, or named by ->name */
	char *name;
	char *text; /* SCALAR: paths absolute, never a secret */
	enum conf_origin origin;
	struct position at; /* of the value; no line: nobody wrote it */
	struct conf_node **children; /* LIST, MAP */
	size_t child_count;
};

/* What struct conf keeps. */
struct conf_tree {
	struct conf_node *global;
	struct conf_node *services; /* a map of maps, by name */
};

struct conf_tree *
conf_tree_new(void);
void
conf_tree_free(struct conf_tree *tree);

/* A node without a parent yet, a scalar without text. */
struct conf_node *
conf_node_new(const struct schema_key *key);
void
conf_node_free(struct conf_node *node);

/* Make the parent a map or list, if it is not yet, and hand it the child. */
void
conf_node_add(struct conf_node *parent, enum conf_node_kind kind,
	      struct conf_node *child);

/* Make it a scalar; copies the text. */
void
conf_node_set(struct conf_node *node, const char *text);

/* Append a scalar to a list; copies the text. */
void
conf_node_add_item(struct conf_node *list, const char *text,
		   const struct position *at);

/* Append a pair of a word and a scalar to a map; copies both. */
void
conf_node_add_pair(struct conf_node *map, const char *name, const char *text,
		   const struct position *at);

/* The child of that key, or NULL. */
const struct conf_node *
conf_node_find(const struct conf_node *map, const struct schema_key *key);

/* Would they be written the same? */
bool
conf_node_equal(const struct conf_node *one, const struct conf_node *other);

/* A value in one line, for messages; returns buffer. */
const char *
conf_node_format(const struct conf_node *node, char *buffer, size_t size);

#endif
