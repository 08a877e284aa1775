/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry by entry, and then a look at all of them together.
 */
#include "common/route/gathered_set.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/route/gathered_certificate.h"
#include "common/route/name_index.h"
#include "common/tls/tls_settings.h"

/* What identifies an entry over reloads: the files it names. */
static char *
entry_text(const char *service, const struct certificate_spec *spec)
{
	return mem_format("%s\n%d %s %s", service, (int)spec->source,
			  spec->path ? spec->path : "",
			  spec->key ? spec->key : "");
}

/* The array grows by doubling; its capacity is the power of two that count has
 * reached. */
static void
append(struct gathered_set *set, struct gathered_certificate *certificate)
{
	if ((set->count & (set->count - 1)) == 0)
		set->certificates = mem_resize(
			set->certificates, set->count ? 2 * set->count : 1,
			sizeof(struct gathered_certificate *));
	set->certificates[set->count++] = certificate;
}

static bool
has_source(const struct gathered_set *set, size_t from, size_t to,
	   const char *source)
{
	for (size_t i = from; i < to; i++)
		if (strcmp(set->certificates[i]->source, source) == 0)
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
	size_t copied = 0, loaded = set->count;

	for (; value && copied == 0; value = value->next) {
		const struct gathered_entry *old = value->value;

		for (size_t i = 0; i < old->count; i++) {
			struct gathered_certificate *one =
				old->set->certificates[old->first + i];

			if (has_source(set, from, loaded, one->source))
				continue;
			append(set, gathered_certificate_ref(one));
			copied++;
		}
	}
	return copied;
}

static void
load_entry(struct gathered_set *set, struct gathered_entry *entry,
	   const struct certificate_spec *spec, const struct file_set *files,
	   const struct name_index *past, struct error_list *broken)
{
	struct certificate_list loaded = {0};
	size_t problems = broken->count, copied;

	certificate_load(spec, files, &loaded, broken);
	for (size_t i = 0; i < loaded.count; i++)
		append(set, gathered_certificate_new(loaded.certificates[i]));
	certificate_list_clear(&loaded);
	if (broken->count == problems)
		return;
	copied = append_past(set, past, entry->text, entry->first);
	if (copied > 0)
		error_list_addf(broken, &spec->at,
				"the last good copy is served on "
				"(certificates: %zu)",
				copied);
}

static void
warn_of_dates(const struct gathered_certificate *certificate,
	      const struct position *at, struct error_list *warnings)
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

static void
warn_of_name(const struct gathered_certificate *certificate, const char *name,
	     const struct name_value *others, const struct position *at,
	     struct error_list *warnings)
{
	for (; others; others = others->next) {
		const struct gathered_certificate *other = others->value;

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

	for (size_t i = 0; i < set->count; i++) {
		struct gathered_certificate *one = set->certificates[i];

		for (size_t n = 0; n < one->name_count; n++) {
			const char *name = one->names[n];

			warn_of_name(one, name, name_index_exact(by_name, name),
				     at, warnings);
			name_index_add(by_name, name, one);
		}
	}
	name_index_free(by_name);
}

void
gathered_set_load(struct gathered_set *set, const char *service,
		  const struct tls_settings *settings,
		  const struct file_set *files, const struct name_index *past,
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
		entry->first = set->count;
		load_entry(set, entry, spec, files, past, broken);
		entry->count = set->count - entry->first;
		for (size_t j = entry->first; j < set->count; j++)
			warn_of_dates(set->certificates[j], &spec->at,
				      warnings);
	}
	warn_of_names(set, &settings->at, warnings);
}

void
gathered_set_clear(struct gathered_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		gathered_certificate_unref(set->certificates[i]);
	mem_free(set->certificates);
	for (size_t i = 0; i < set->entry_count; i++)
		mem_free(set->entries[i].text);
	mem_free(set->entries);
	*set = (struct gathered_set){0};
}
