/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the YAML trees to structs, through the table of keys. A map is read
 * out of layers - defaults, what the service says, enforce - of which the
 * last that has a key gives its value. Private to common/conf.
 *
 * Everything that somebody wrote is read once by itself, with a list for what
 * is wrong with it, and then once more among its layers, without one: so each
 * problem is told once, at its own place, also in a value that another layer
 * covers.
 */
#ifndef SEALOCK_CONF_CONF_READER_H
#define SEALOCK_CONF_CONF_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf/conf_facts.h"
#include "common/conf/conf_tree.h"
#include "common/conf/schema.h"
#include "common/conf/yaml_tree.h"

/* defaults, defaults.GATE, the service's, an entry of hosts, enforce and
 * enforce.GATE, for the connect gate and the accept gate alike. */
#define CONF_LAYERS_MAX 8

struct conf_layer {
	const struct yaml_node *node;
	struct position key_at; /* of the key whose value it is */
	enum conf_origin origin;
	bool is_own;    /* the service (or entry) being read, not what is
			 * under or over it */
	bool is_direct; /* defaults or enforce itself among the layers of a
			 * gate: only what stands in both gates counts */
};

struct conf_layers {
	struct conf_layer layers[CONF_LAYERS_MAX];
	size_t count;
};

struct conf_reader {
	struct error_list *problems; /* NULL: told already */
	struct error_list *warnings; /* or NULL */
	size_t problem_count;        /* told by this reader */
	unsigned int gates;          /* where we are, 0 outside of a gate */
	unsigned int refused;        /* enum schema_flag: keys that may not
				      * stand here */
	const char *place;           /* "defaults", the service's name ... */
	struct conf_facts *facts;
};

/* Add a problem, unless this reader is to be quiet. */
void
conf_complain(struct conf_reader *reader, const struct position *at,
	      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "expected ..., not ..." for a value that is none of the kind. */
void
conf_complain_value(struct conf_reader *reader, const struct schema_key *key,
		    const struct yaml_node *node);

/* Append a layer unless there is no room, which the callers rule out. */
void
conf_layers_add(struct conf_layers *layers, const struct conf_layer *layer);

/* Read a map into a zeroed struct. Values that are wrong leave their field at
 * its default. What was written is added to shown. */
void
conf_read_map(struct conf_reader *reader, const struct schema_map *map,
	      const struct conf_layers *layers, void *target,
	      struct conf_node *shown);

/* One layer over all: a document's node by itself. */
void
conf_read_alone(struct conf_reader *reader, const struct schema_map *map,
		const struct yaml_node *node, enum conf_origin origin,
		void *target, struct conf_node *shown);

/* Unknown keys and keys in the wrong place, of one node. */
void
conf_check_keys(struct conf_reader *reader, const struct schema_map *map,
		const struct yaml_node *node);

/* The rest is called by conf_read_map() for the types of value: node is what
 * was written, or the table's default; base is the struct that the key's
 * offsets count from; shown takes the canonical text. */

/* The text of a scalar, or NULL after a complaint. */
const char *
conf_read_text(struct conf_reader *reader, const struct schema_key *key,
	       const struct yaml_node *node);

/* Call read for each item of a list, or for the single value that stands for
 * a list of one. */
typedef void
conf_read_item(struct conf_reader *reader, const struct schema_key *key,
	       const struct yaml_node *item, void *base,
	       struct conf_node *shown);
void
conf_read_items(struct conf_reader *reader, const struct schema_key *key,
		const struct yaml_node *node, conf_read_item *read, void *base,
		struct conf_node *shown);

/* The field at an offset of a struct. */
void *
conf_field(void *base, size_t offset);

/* Append a zeroed element to the array at the key's offset. */
void *
conf_append(const struct schema_key *key, void *base, size_t size);

/* A new child of a map, with the place and the origin of that layer. */
struct conf_node *
conf_shown_child(struct conf_node *shown, const struct schema_key *key,
		 const struct conf_layer *layer);

/* The `tls` of a gate, if it has one: only the service itself says so. */
void
conf_read_tls(struct conf_reader *reader, const struct schema_key *key,
	      const struct conf_layers *found, void *base,
	      struct conf_node *shown);

/* The entries of `hosts`, each on top of the layers of its gate. */
void
conf_read_hosts(struct conf_reader *reader, const struct schema_key *key,
		const struct conf_layers *gate, const struct conf_layer *layer,
		void *base, struct conf_node *shown);

/* Numbers, words, strings, paths, addresses. */
void
conf_read_value(struct conf_reader *reader, const struct schema_key *key,
		const struct yaml_node *node, void *base,
		struct conf_node *shown);

/* Versions, server name, DH, CAs, secrets. */
void
conf_read_tls_value(struct conf_reader *reader, const struct schema_key *key,
		    const struct yaml_node *node, void *base,
		    struct conf_node *shown);

/* Fingerprints, schemes, public suffixes, rules. */
void
conf_read_verify_value(struct conf_reader *reader, const struct schema_key *key,
		       const struct yaml_node *node, void *base,
		       struct conf_node *shown);

/* One entry of `certificates`, of `log`. */
void
conf_read_certificate(struct conf_reader *reader, const struct schema_key *key,
		      const struct yaml_node *item, void *base,
		      struct conf_node *shown);
void
conf_read_log(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *item, void *base,
	      struct conf_node *shown);

/* Maps whose keys are no rows of the table, merged key by key. */
void
conf_read_commands(struct conf_reader *reader, const struct schema_key *key,
		   const struct conf_layers *layers, void *base,
		   struct conf_node *shown);

/* Free what the keys of a map own in a struct (zeroed fields are legal), not
 * the struct itself; and the same of one key. */
void
conf_clear_map(const struct schema_map *map, void *base);
void
conf_clear_key(const struct schema_key *key, void *base);

#endif
