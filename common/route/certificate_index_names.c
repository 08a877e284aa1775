/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names first, each with how many certificates it has, then those by name.
 */
#include "common/route/certificate_index_names.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/route/certificate_index.h"
#include "common/route/certificate_index_parts.h"
#include "common/route/certificate_index_write.h"
#include "common/tls/certificate_record.h"

/* A certificate stands under a name. */
struct use {
	uint32_t name;
	uint32_t certificate;
};

struct uses {
	struct use *uses;
	size_t count;
	/* The certificate that used a name last, plus one: it may have a name
	 * twice, and stands under it once. */
	uint32_t *last_users;
};

static size_t
count_names(const struct index_source *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->certificates[i]->name_count;
	return count;
}

/* The number of a name, a new one if need be; INDEX_NONE when it would stand
 * too far from its place. */
static uint32_t
enter(const struct index_header *header, struct index_names *names,
      const char *text)
{
	size_t length = strlen(text);
	uint32_t at = index_home(header, names->slot_count, text, length);

	for (unsigned int i = 0; i < INDEX_PROBES_MAX; i++) {
		uint32_t number = names->slots[at];

		if (number == 0) {
			number = names->name_count++;
			names->slots[at] = number + 1;
			names->names[number] = (struct index_name){
				.length = (uint32_t)length, .slot = at};
			names->texts[number] = text;
			return number;
		}
		if (strcmp(names->texts[number - 1], text) == 0)
			return number - 1;
		at = (at + 1) & (names->slot_count - 1);
	}
	return INDEX_NONE;
}

static bool
enter_all(const struct index_header *header, const struct index_source *set,
	  struct index_names *names, struct uses *uses)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct certificate_record *one = set->certificates[i];

		names->first_names[i] = INDEX_NONE;
		for (size_t n = 0; n < one->name_count; n++) {
			uint32_t number = enter(header, names, one->names[n]);

			if (number == INDEX_NONE)
				return false;
			if (n == 0)
				names->first_names[i] = number;
			if (uses->last_users[number] == i + 1)
				continue;
			uses->last_users[number] = (uint32_t)i + 1;
			names->names[number].member_count++;
			uses->uses[uses->count++] =
				(struct use){number, (uint32_t)i};
		}
	}
	return true;
}

/* By name, and under each in the order of the certificates. */
static void
sort_members(struct index_names *names, const struct uses *uses)
{
	AUTO_FREE uint32_t *ends = mem_array(names->name_count, sizeof(*ends));
	uint32_t at = 0;

	for (uint32_t i = 0; i < names->name_count; i++) {
		names->names[i].first_member = ends[i] = at;
		at += names->names[i].member_count;
	}
	names->members = mem_array(at, sizeof(*names->members));
	names->member_count = at;
	for (size_t i = 0; i < uses->count; i++)
		names->members[ends[uses->uses[i].name]++] =
			uses->uses[i].certificate;
}

void
index_names_make(const struct index_header *header,
		 const struct index_source *set, struct index_names *names)
{
	size_t most = count_names(set);
	struct uses uses = {.uses = mem_array(most, sizeof(struct use))};
	uint32_t slot_count = 1;
	bool is_entered = false;

	while (slot_count < INDEX_SLOTS_PER_NAME * most)
		slot_count *= 2;
	*names = (struct index_names){
		.names = mem_array(most, sizeof(*names->names)),
		.texts = mem_array(most, sizeof(*names->texts)),
		.first_names =
			mem_array(set->count, sizeof(*names->first_names)),
	};
	/* Once is enough but for one set in a billion of billions. */
	for (; !is_entered; slot_count *= 2) {
		mem_free(names->slots);
		mem_free(uses.last_users);
		names->slots = mem_array(slot_count, sizeof(*names->slots));
		names->slot_count = slot_count;
		names->name_count = 0;
		uses.last_users = mem_array(most, sizeof(*uses.last_users));
		uses.count = 0;
		is_entered = enter_all(header, set, names, &uses);
	}
	if (most == 0)
		names->slot_count = 0;
	sort_members(names, &uses);
	mem_free(uses.uses);
	mem_free(uses.last_users);
}

void
index_names_clear(struct index_names *names)
{
	mem_free(names->names);
	mem_free(names->texts);
	mem_free(names->members);
	mem_free(names->slots);
	mem_free(names->first_names);
	*names = (struct index_names){0};
}
