/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry by entry, and then a look at all of them together.
 */
#include "common/route/gathered_set.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/route/certificate_doubts.h"
#include "common/route/name_index.h"
#include "common/tls/certificate_unit.h"
#include "common/tls/tls_settings.h"

/* Of more certificates than somebody looks at one by one only the first are
 * decoded for what is to be said of them. */
#define LOOKED_AT_MAX 100

/* What identifies an entry over reloads: the files it names. It is kept as long
 * as the gathering, and an inline key or the PIN of a token would be in it:
 * hence its digest alone. */
static char *
entry_text(const char *service, const struct certificate_spec *spec)
{
	AUTO_FREE char *text = mem_format(
		"%s\n%d %s %s", service, (int)spec->source,
		spec->path ? spec->path : "", spec->key ? spec->key : "");
	unsigned char digest[32];
	char *hex = mem_alloc(2 * sizeof(digest) + 1);

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) !=
	    1)
		abort(); /* SHA-256 is there */
	mem_wipe(text, strlen(text));
	text_hex(digest, sizeof(digest), hex);
	return hex;
}

static bool
has_source(const struct gathered_set *set, size_t from, size_t to,
	   const char *source)
{
	for (size_t i = from; i < to; i++)
		if (strcmp(set->records.records[i]->source, source) == 0)
			return true;
	return false;
}

/* The last good copies: what the same entry had earlier. Of a directory only
 * what is missing now, and only when the entry had a problem: a file that was
 * removed is gone. */
static size_t
append_past(struct gathered_set *set, const struct name_index *past,
	    const char *entry, size_t from)
{
	const struct name_value *value =
		past ? name_index_exact(past, entry) : NULL;
	size_t copied = 0, loaded = set->records.count;

	for (; value && copied == 0; value = value->next) {
		const struct gathered_entry *old = value->value;

		for (size_t i = 0; i < old->count; i++) {
			struct certificate_record *one =
				old->set->records.records[old->first + i];

			if (has_source(set, from, loaded, one->source) ||
			    atomic_load(&one->pair) == RECORD_PAIR_WRONG)
				continue;
			record_list_add(&set->records,
					certificate_record_ref(one));
			copied++;
		}
	}
	return copied;
}

static void
load_entry(struct gathered_set *set, const struct gathered_entry *entry,
	   const struct certificate_spec *spec,
	   const struct gathered_sources *sources, struct error_list *broken)
{
	struct unit_loading units = {
		.list = &set->records,
		.units = sources->units,
		.before = sources->before,
		.cache = sources->cache,
	};
	size_t problems = broken->count, copied;

	certificate_load_records(spec, sources->files, &units, broken);
	if (broken->count == problems)
		return;
	copied = append_past(set, sources->past, entry->text, entry->first);
	if (copied > 0)
		error_list_addf(broken, &spec->at,
				"the last good copy is served on "
				"(certificates: %zu)",
				copied);
}

static void
warn_of_name(const struct certificate_record *certificate, const char *name,
	     const struct name_value *others, const struct position *at,
	     struct error_list *warnings)
{
	for (; others; others = others->next) {
		const struct certificate_record *other = others->value;

		if (other->type != certificate->type ||
		    memcmp(other->digest, certificate->digest,
			   sizeof(other->digest)) == 0)
			continue;
		error_list_addf(warnings, at,
				"%s is in %s and in %s, with keys of one type: "
				"the first one that is valid is served",
				name, other->source, certificate->source);
		return;
	}
}

static void
warn_of_names(const struct gathered_set *set, const struct position *at,
	      struct error_list *warnings)
{
	struct name_index *by_name = name_index_new();

	for (size_t i = 0; i < set->records.count; i++) {
		struct certificate_record *one = set->records.records[i];

		for (size_t n = 0; n < one->name_count; n++) {
			const char *name = one->names[n];

			warn_of_name(one, name, name_index_exact(by_name, name),
				     at, warnings);
			name_index_add(by_name, name, one);
		}
	}
	name_index_free(by_name);
}

static void
warn_of_entry(const struct gathered_entry *entry, bool is_server,
	      const struct position *at, struct error_list *warnings)
{
	for (size_t i = 0; i < entry->count; i++) {
		const struct certificate_record *one =
			entry->set->records.records[entry->first + i];

		certificate_doubt_dates(one, at, warnings);
		if (entry->first + i < LOOKED_AT_MAX)
			certificate_doubt_use(one, is_server, at, warnings);
	}
}

static void
number_records(struct gathered_set *set)
{
	set->record_entries =
		mem_array(set->records.count, sizeof(*set->record_entries));
	for (size_t i = 0; i < set->entry_count; i++)
		for (size_t n = 0; n < set->entries[i].count; n++)
			set->record_entries[set->entries[i].first + n] =
				(uint32_t)i;
}

void
gathered_set_load(struct gathered_set *set, const char *service,
		  const struct tls_settings *settings, bool is_server,
		  const struct gathered_sources *sources,
		  struct error_list *broken, struct error_list *warnings)
{
	*set = (struct gathered_set){
		.entries = mem_array(settings->certificate_count,
				     sizeof(*set->entries)),
		.entry_count = settings->certificate_count,
	};
	for (size_t i = 0; i < set->entry_count; i++) {
		const struct certificate_spec *spec =
			&settings->certificates[i];
		struct gathered_entry *entry = &set->entries[i];

		entry->set = set;
		entry->text = entry_text(service, spec);
		entry->first = set->records.count;
		load_entry(set, entry, spec, sources, broken);
		entry->count = set->records.count - entry->first;
		warn_of_entry(entry, is_server, &spec->at, warnings);
	}
	number_records(set);
	warn_of_names(set, &settings->at, warnings);
}

void
gathered_set_clear(struct gathered_set *set)
{
	record_list_clear(&set->records);
	mem_free(set->record_entries);
	for (size_t i = 0; i < set->entry_count; i++)
		mem_free(set->entries[i].text);
	mem_free(set->entries);
	*set = (struct gathered_set){0};
}
