/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which one of several: exact before wildcard, the first before the later, but
 * one that is valid now before one that is not.
 */
#include "common/route/certificate_set.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"

static bool
is_valid_now(const struct indexed_certificate *certificate)
{
	int64_t now = clock_real_ms();

	return certificate->not_before_ms <= now &&
	       now < certificate->not_after_ms;
}

static const struct indexed_certificate *
certificate_at(const struct certificate_set *set, size_t number)
{
	return certificate_index_certificate(set->index, set->set, number);
}

/* The first one of a type has its place, unless it is not valid now and
 * another one is. */
static void
choose(const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT],
       const struct indexed_certificate *candidate)
{
	const struct indexed_certificate **place = &chosen[candidate->type];

	if (!*place || (!is_valid_now(*place) && is_valid_now(candidate)))
		*place = candidate;
}

static void
choose_under(const struct certificate_set *set,
	     const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT],
	     const char *name)
{
	const uint32_t *members;
	size_t count =
		certificate_index_find(set->index, set->set, name, &members);

	for (size_t i = 0; i < count; i++)
		choose(chosen, certificate_at(set, members[i]));
}

/* Close the gaps. */
static size_t
pack(const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	size_t count = 0;

	for (size_t type = 0; type < CERTIFICATE_TYPE_COUNT; type++) {
		const struct indexed_certificate *one = TAKE(chosen[type]);

		if (one)
			chosen[count++] = one;
	}
	return count;
}

size_t
certificate_set_find(
	const struct certificate_set *set, const char *name,
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	const struct indexed_certificate *wild[CERTIFICATE_TYPE_COUNT] = {NULL};
	char pattern[HOSTNAME_MAX + 1];

	memset(chosen, 0, CERTIFICATE_TYPE_COUNT * sizeof(*chosen));
	choose_under(set, chosen, name);
	if (hostname_wildcard_for(name, pattern) == 0)
		choose_under(set, wild, pattern);
	for (size_t type = 0; type < CERTIFICATE_TYPE_COUNT; type++) {
		if (!chosen[type])
			chosen[type] = wild[type];
	}
	return pack(chosen);
}

size_t
certificate_set_default(
	const struct certificate_set *set,
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	memcpy(chosen, set->defaults, CERTIFICATE_TYPE_COUNT * sizeof(*chosen));
	return set->default_count;
}

size_t
certificate_set_each_type(
	const struct certificate_set *set,
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	memset(chosen, 0, CERTIFICATE_TYPE_COUNT * sizeof(*chosen));
	for (size_t i = 0; i < set->set->certificate_count; i++)
		choose(chosen, certificate_at(set, i));
	return pack(chosen);
}

static void
find_defaults(struct certificate_set *set)
{
	const struct indexed_certificate *first;
	const char *name;
	bool is_marked = false;

	for (size_t i = 0; i < set->set->certificate_count; i++) {
		const struct indexed_certificate *one = certificate_at(set, i);

		if (!one->is_default)
			continue;
		is_marked = true;
		if (!set->defaults[one->type])
			set->defaults[one->type] = one;
	}
	if (!is_marked && set->set->certificate_count > 0) {
		first = certificate_at(set, 0);
		name = certificate_index_first_name(set->index, set->set,
						    first);
		if (name)
			certificate_set_find(set, name, set->defaults);
		else
			set->defaults[first->type] = first;
	}
	set->default_count = pack(set->defaults);
}

void
certificate_set_init(struct certificate_set *set,
		     const struct certificate_index *index, size_t number)
{
	*set = (struct certificate_set){
		.index = index,
		.set = certificate_index_set(index, number),
	};
	find_defaults(set);
}

bool
certificate_set_is_empty(const struct certificate_set *set)
{
	return set->set->certificate_count == 0;
}
