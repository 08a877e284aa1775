/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of several pairs with one key counts: sorted by key, so that a map of
 * any size takes no longer than it must.
 */
#include "common/conf/yaml_pairs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/conf/yaml_tree.h"

/* Own pairs have rank 0, those of each merged map the next one. */
struct yaml_candidate {
	struct yaml_pair pair;
	size_t rank;
	size_t index;
	bool is_taken;
};

static void
append(struct yaml_candidate **candidates, size_t *count,
       const struct yaml_pair *pair, size_t rank)
{
	if ((*count & (*count - 1)) == 0)
		*candidates = mem_resize(*candidates, *count ? 2 * *count : 1,
					 sizeof(**candidates));
	(*candidates)[*count] = (struct yaml_candidate){
		.pair = *pair,
		.rank = rank,
		.index = *count,
	};
	(*count)++;
}

void
yaml_pairs_add(struct yaml_pairs *pairs, const struct yaml_pair *pair)
{
	append(&pairs->own, &pairs->own_count, pair, 0);
}

void
yaml_pairs_merge(struct yaml_pairs *pairs, const struct yaml_node *map)
{
	pairs->rank++;
	for (size_t i = 0; i < map->pair_count; i++)
		append(&pairs->merged, &pairs->merged_count, &map->pairs[i],
		       pairs->rank);
}

static int
compare(const void *one, const void *other)
{
	const struct yaml_candidate *a =
		*(const struct yaml_candidate *const *)one;
	const struct yaml_candidate *b =
		*(const struct yaml_candidate *const *)other;
	int order = strcmp(a->pair.key->text, b->pair.key->text);

	if (order != 0)
		return order;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Of those with one key, the first of the lowest rank is taken. */
static void
choose(struct yaml_pairs *pairs, yaml_duplicate_key *tell, void *argument)
{
	size_t count = pairs->own_count + pairs->merged_count;
	AUTO_FREE struct yaml_candidate **sorted =
		mem_array(count, sizeof(struct yaml_candidate *));
	const struct yaml_node *first = NULL;

	for (size_t i = 0; i < pairs->own_count; i++)
		sorted[i] = &pairs->own[i];
	for (size_t i = 0; i < pairs->merged_count; i++)
		sorted[pairs->own_count + i] = &pairs->merged[i];
	qsort(sorted, count, sizeof(struct yaml_candidate *), compare);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *key = sorted[i]->pair.key;

		if (!first || strcmp(first->text, key->text) != 0) {
			first = key;
			sorted[i]->is_taken = true;
		} else if (sorted[i]->rank == 0) {
			tell(argument, key, first);
		}
	}
}

static void
take(const struct yaml_candidate *candidates, size_t count,
     struct yaml_node *map)
{
	for (size_t i = 0; i < count; i++)
		if (candidates[i].is_taken)
			map->pairs[map->pair_count++] = candidates[i].pair;
}

void
yaml_pairs_finish(struct yaml_pairs *pairs, struct yaml_node *map,
		  yaml_duplicate_key *tell, void *argument)
{
	choose(pairs, tell, argument);
	map->pairs = mem_array(pairs->own_count + pairs->merged_count,
			       sizeof(*map->pairs));
	take(pairs->own, pairs->own_count, map);
	take(pairs->merged, pairs->merged_count, map);
}

void
yaml_pairs_clear(struct yaml_pairs *pairs)
{
	mem_free(pairs->own);
	mem_free(pairs->merged);
	*pairs = (struct yaml_pairs){0};
}
