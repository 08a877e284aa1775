/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML document as a tree whose every node knows where it was written.
 * Anchors, aliases and merge keys are resolved here and nowhere else: an
 * alias is the anchor's own node once more, so that a tree takes no more
 * memory than its text, however often it refers to itself. Types are not
 * looked at: a scalar is its text.
 */
#ifndef SEALOCK_CONF_YAML_TREE_H
#define SEALOCK_CONF_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

/* Bounds of a document. */
#define YAML_TREE_BYTES_MAX    ((size_t)16 << 20)
#define YAML_TREE_EVENTS_MAX   1000000
#define YAML_TREE_DEPTH_MAX    64
#define YAML_TREE_EXPANDED_MAX 100000

enum yaml_kind {
	YAML_TREE_SCALAR,
	YAML_TREE_LIST,
	YAML_TREE_MAP,
};

struct yaml_pair {
	struct yaml_node *key; /* a scalar, never null */
	struct yaml_node *value;
};

struct yaml_node {
	enum yaml_kind kind;
	struct position at;
	char *text;   /* SCALAR: without a NUL byte inside */
	size_t begin; /* SCALAR: of its bytes in the document, anchor, tag and
		       */
	size_t end;   /* quotes included */
	bool is_null; /* SCALAR: plain and empty, ~ or null */
	bool is_open; /* while it is being read: an alias to it has no end */
	struct yaml_node **items; /* LIST */
	size_t item_count;
	struct yaml_pair *pairs; /* MAP: no key twice, merged ones last */
	size_t pair_count;
	size_t weight;          /* nodes in it, aliases counted as copies */
	unsigned int height;    /* levels in it, itself included */
	struct yaml_node *next; /* of all nodes of the tree */
};

struct yaml_tree {
	struct yaml_node *root; /* NULL: the document is empty */
	struct yaml_node *nodes;
};

/* Parse one document. Everything that is wrong is added to problems with its
 * position; NULL when that leaves no tree (bad YAML or UTF-8, a bound
 * exceeded, more than one document). Duplicate keys, unknown tags and keys
 * that are no scalars are problems too, but the tree goes on without them, so
 * that what is in it can be looked at. The file's name is kept in positions
 * and not copied. */
struct yaml_tree *
yaml_tree_parse(const char *file, const void *bytes, size_t length,
		struct error_list *problems);
void
yaml_tree_free(struct yaml_tree *tree);

/* The pair of that key, or NULL; NULL too when the node is no map. */
const struct yaml_pair *
yaml_tree_find(const struct yaml_node *map, const char *key);

#endif
