/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML map in the making: its own pairs, and those of the maps that are
 * merged into it (`<<`). Private to common/conf.
 */
#ifndef SEALOCK_CONF_YAML_PAIRS_H
#define SEALOCK_CONF_YAML_PAIRS_H

#include <stddef.h>

struct yaml_candidate;
struct yaml_node;
struct yaml_pair;

struct yaml_pairs {
	struct yaml_candidate *own;
	size_t own_count;
	struct yaml_candidate *merged;
	size_t merged_count;
	size_t rank; /* of the last map that was merged */
};

typedef void
yaml_duplicate_key(void *argument, const struct yaml_node *key,
		   const struct yaml_node *first);

void
yaml_pairs_add(struct yaml_pairs *pairs, const struct yaml_pair *pair);

/* Of several merged maps the first that has a key wins. */
void
yaml_pairs_merge(struct yaml_pairs *pairs, const struct yaml_node *map);

/* Give the map the pairs that count: its own ones, then what is merged and
 * none of them has, each in its order. Every own key that was there before is
 * told. */
void
yaml_pairs_finish(struct yaml_pairs *pairs, struct yaml_node *map,
		  yaml_duplicate_key *tell, void *argument);
void
yaml_pairs_clear(struct yaml_pairs *pairs);

#endif
