/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of what was loaded, with the entry each came from, and an index of
 * names over it.
 */
#include "common/route/certificate_set.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/route/name_index.h"
#include "common/tls/tls_settings.h"

/* A certificate under one name is replaced by a later one of its type only
 * when it is not valid now. */
struct certificate_set {
	unsigned int references;
	struct certificate_list list;
	char **entries; /* for each in the list: what its entry said */
	struct name_index *by_name;
	struct certificate *defaults[CERTIFICATE_TYPE_COUNT];
	size_t default_count;
};

/* What identifies an entry over reloads: the files it names. */
static char *
entry_text(const struct certificate_spec *spec)
{
	return mem_format("%d %s %s", (int)spec->source,
			  spec->path ? spec->path : "",
			  spec->key ? spec->key : "");
}

static bool
is_valid_now(const struct certificate *certificate)
{
	int64_t now = clock_real_ms();

	return certificate->not_before_ms <= now &&
	       now < certificate->not_after_ms;
}

static void
append(struct certificate_set *set, struct certificate *certificate,
       const char *entry)
{
	size_t count = set->list.count;

	certificate_list_add(&set->list, certificate);
	set->entries =
		mem_resize(set->entries, count + 1, sizeof(*set->entries));
	set->entries[count] = mem_strdup(entry);
}

/* The last good copy: what an earlier set had from the same entry. */
static size_t
append_previous(struct certificate_set *set,
		const struct certificate_set *previous, const char *entry)
{
	size_t copied = 0;

	for (size_t i = 0; previous && i < previous->list.count; i++) {
		if (strcmp(previous->entries[i], entry) != 0)
			continue;
		append(set, certificate_ref(previous->list.certificates[i]),
		       entry);
		copied++;
	}
	return copied;
}

/* Of a directory only what is missing now is taken from the set before, and
 * only when its entry had a problem: a file that was removed is gone. */
static size_t
append_previous_missing(struct certificate_set *set,
			const struct certificate_set *previous,
			const char *entry, size_t from)
{
	size_t copied = 0, loaded = set->list.count;

	for (size_t i = 0; previous && i < previous->list.count; i++) {
		struct certificate *old = previous->list.certificates[i];
		bool is_there = false;

		if (strcmp(previous->entries[i], entry) != 0)
			continue;
		for (size_t j = from; j < loaded && !is_there; j++)
			is_there = strcmp(set->list.certificates[j]->source,
					  old->source) == 0;
		if (is_there)
			continue;
		append(set, certificate_ref(old), entry);
		copied++;
	}
	return copied;
}

static void
load_entry(struct certificate_set *set, const struct certificate_spec *spec,
	   const struct file_set *files, const struct certificate_set *previous,
	   struct error_list *broken)
{
	AUTO_FREE char *entry = entry_text(spec);
	struct certificate_list loaded = {0};
	size_t problems = broken->count, from = set->list.count, copied = 0;

	certificate_load(spec, files, &loaded, broken);
	for (size_t i = 0; i < loaded.count; i++)
		append(set, certificate_ref(loaded.certificates[i]), entry);
	certificate_list_clear(&loaded);
	if (broken->count == problems)
		return;
	if (set->list.count == from)
		copied = append_previous(set, previous, entry);
	else
		copied = append_previous_missing(set, previous, entry, from);
	if (copied > 0)
		error_list_addf(broken, &spec->at,
				"the last good copy is served on "
				"(certificates: %zu)",
				copied);
}

static void
warn_of_dates(const struct certificate *certificate, const struct position *at,
	      struct error_list *warnings)
{
	char date[32];
	int64_t now = clock_real_ms();

	if (now >= certificate->not_after_ms)
		error_list_addf(warnings, at, "%s expired on %s",
				certificate->source,
				clock_format(certificate->not_after_ms, date));
	else if (now < certificate->not_before_ms)
		error_list_addf(warnings, at, "%s is not valid before %s",
				certificate->source,
				clock_format(certificate->not_before_ms, date));
}

/* The first one of a type has its place, unless it is not valid now and
 * another one is. */
static void
choose(struct certificate *chosen[CERTIFICATE_TYPE_COUNT],
       struct certificate *candidate)
{
	struct certificate **place = &chosen[candidate->type];

	if (!*place || (!is_valid_now(*place) && is_valid_now(candidate)))
		*place = candidate;
}

static void
choose_all(struct certificate *chosen[CERTIFICATE_TYPE_COUNT],
	   const struct name_value *values)
{
	for (; values; values = values->next)
		choose(chosen, values->value);
}

/* Close the gaps. */
static size_t
pack(struct certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	size_t count = 0;

	for (size_t type = 0; type < CERTIFICATE_TYPE_COUNT; type++) {
		struct certificate *one = TAKE(chosen[type]);

		if (one)
			chosen[count++] = one;
	}
	return count;
}

size_t
certificate_set_find(const struct certificate_set *set, const char *name,
		     struct certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	struct certificate *wild[CERTIFICATE_TYPE_COUNT] = {NULL};

	memset(chosen, 0, CERTIFICATE_TYPE_COUNT * sizeof(*chosen));
	choose_all(chosen, name_index_exact(set->by_name, name));
	choose_all(wild, name_index_wildcard(set->by_name, name));
	for (size_t type = 0; type < CERTIFICATE_TYPE_COUNT; type++) {
		if (!chosen[type])
			chosen[type] = wild[type];
	}
	return pack(chosen);
}

size_t
certificate_set_default(const struct certificate_set *set,
			struct certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	memcpy(chosen, set->defaults, CERTIFICATE_TYPE_COUNT * sizeof(*chosen));
	return set->default_count;
}

size_t
certificate_set_each_type(const struct certificate_set *set,
			  struct certificate *chosen[CERTIFICATE_TYPE_COUNT])
{
	memset(chosen, 0, CERTIFICATE_TYPE_COUNT * sizeof(*chosen));
	for (size_t i = 0; i < set->list.count; i++)
		choose(chosen, set->list.certificates[i]);
	return pack(chosen);
}

static void
find_defaults(struct certificate_set *set)
{
	struct certificate *first;
	bool is_marked = false;

	for (size_t i = 0; i < set->list.count; i++) {
		struct certificate *one = set->list.certificates[i];

		if (!one->is_default)
			continue;
		is_marked = true;
		if (!set->defaults[one->type])
			set->defaults[one->type] = one;
	}
	if (!is_marked && set->list.count > 0) {
		first = set->list.certificates[0];
		if (first->name_count > 0)
			certificate_set_find(set, first->names[0],
					     set->defaults);
		else
			set->defaults[first->type] = first;
	}
	set->default_count = pack(set->defaults);
}

static void
index_names(struct certificate_set *set, const struct position *at,
	    struct error_list *warnings)
{
	for (size_t i = 0; i < set->list.count; i++) {
		struct certificate *one = set->list.certificates[i];

		for (size_t n = 0; n < one->name_count; n++) {
			const struct name_value *value =
				name_index_exact(set->by_name, one->names[n]);

			for (; value; value = value->next) {
				const struct certificate *other = value->value;

				if (other->type != one->type ||
				    memcmp(other->digest, one->digest,
					   sizeof(one->digest)) == 0)
					continue;
				error_list_addf(
					warnings, at,
					"%s is in %s and in %s, with keys of "
					"one type: the first one that is "
					"valid is served",
					one->names[n], other->source,
					one->source);
				break;
			}
			name_index_add(set->by_name, one->names[n], one);
		}
	}
}

struct certificate_set *
certificate_set_new(const struct tls_settings *settings,
		    const struct file_set *files,
		    const struct certificate_set *previous,
		    struct error_list *broken, struct error_list *warnings)
{
	struct certificate_set *set = mem_alloc(sizeof(*set));

	set->references = 1;
	set->by_name = name_index_new();
	for (size_t i = 0; i < settings->certificate_count; i++) {
		const struct certificate_spec *spec =
			&settings->certificates[i];
		size_t from = set->list.count;

		load_entry(set, spec, files, previous, broken);
		for (size_t j = from; j < set->list.count; j++)
			warn_of_dates(set->list.certificates[j], &spec->at,
				      warnings);
	}
	index_names(set, &settings->at, warnings);
	find_defaults(set);
	return set;
}

struct certificate_set *
certificate_set_ref(struct certificate_set *set)
{
	set->references++;
	return set;
}

void
certificate_set_unref(struct certificate_set *set)
{
	if (!set || --set->references > 0)
		return;
	for (size_t i = 0; i < set->list.count; i++)
		mem_free(set->entries[i]);
	mem_free(set->entries);
	certificate_list_clear(&set->list);
	name_index_free(set->by_name);
	mem_free(set);
}

bool
certificate_set_is_empty(const struct certificate_set *set)
{
	return set->list.count == 0;
}
