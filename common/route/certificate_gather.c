/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Set by set, in the order of the configuration.
 */
#include "common/route/certificate_gather.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/certificate_index_write.h"
#include "common/route/certificate_places.h"
#include "common/tls/certificate_cache.h"
#include "common/tls/certificate_unit.h"
#include "common/route/gathered_keys.h"
#include "common/route/gathered_set.h"
#include "common/route/name_index.h"
#include "common/route/route_findings.h"
#include "common/tls/tls_policy.h"

struct certificate_gathering {
	atomic_uint references;
	struct gathered_set *sets;
	size_t set_count;
	/* What entries of accept gates had, for those who come later. */
	struct name_index *past;
	struct certificate_units *units;
	struct gathered_keys keys;
	int index;
};

/* One certificate_gather_new() under way. */
struct gather {
	struct certificate_gathering *made;
	struct certificate_places places;
	struct gathered_sources sources;
	struct route_findings found;
};

struct certificate_gathering *
certificate_gather_ref(struct certificate_gathering *gathering)
{
	unsigned int before = atomic_fetch_add(&gathering->references, 1);

	assert(before > 0);
	return gathering;
}

void
certificate_gather_free(struct certificate_gathering *gathering)
{
	if (!gathering || atomic_fetch_sub(&gathering->references, 1) > 1)
		return;
	if (gathering->index >= 0)
		close(gathering->index);
	gathered_keys_clear(&gathering->keys);
	name_index_free(gathering->past);
	certificate_units_free(gathering->units);
	for (size_t i = 0; i < gathering->set_count; i++)
		gathered_set_clear(&gathering->sets[i]);
	mem_free(gathering->sets);
	mem_free(gathering);
}

/* The set of a place that has its own. */
static void
load_set(const struct gather *gather, const struct certificate_place *place)
{
	struct gathered_set *set = &gather->made->sets[place->set];
	struct gathered_sources sources = gather->sources;

	if (!place->is_server)
		sources.past = NULL;
	gathered_set_load(set, place->service->name, place->settings,
			  place->is_server, &sources,
			  place->is_server ? gather->found.quarantined
					   : gather->found.problems,
			  gather->found.warnings);
	for (size_t i = 0; place->is_server && i < set->entry_count; i++)
		name_index_add(gather->made->past, set->entries[i].text,
			       &set->entries[i]);
}

/* A host that is worse off than its gate. */
static void
check_host(const struct gather *gather, const struct certificate_place *gate,
	   const struct certificate_place *host)
{
	const struct gathered_set *sets = gather->made->sets;

	if (sets[host->set].records.count == 0 &&
	    sets[gate->set].records.count > 0)
		error_list_addf(gather->found.quarantined, &host->host->at,
				"service %s, host %s: none of its certificates "
				"can be served",
				host->service->name, host->host->pattern);
}

static void
load_sets(const struct gather *gather)
{
	const struct certificate_place *gate = NULL;
	size_t loaded = 0;

	for (size_t i = 0; i < gather->places.count; i++) {
		const struct certificate_place *place =
			&gather->places.places[i];

		if (place->set == loaded) {
			load_set(gather, place);
			loaded++;
		}
		if (place->host)
			check_host(gather, gate, place);
		else
			gate = place;
	}
}

static bool
is_down(const struct gather *gather, const struct certificate_place *place)
{
	return place->is_server && !place->host &&
	       gather->made->sets[place->set].records.count == 0;
}

/* One service that is down is the others' good luck; all of them are nobody's.
 */
static void
check_any_starts(const struct gather *gather, const struct conf *conf)
{
	size_t down = 0;

	for (size_t i = 0; i < gather->places.count; i++)
		down += is_down(gather, &gather->places.places[i]);
	if (down == 0)
		return;
	if (down == conf->service_count) {
		error_list_addf(gather->found.problems, &conf->services[0].at,
				"no service can start: none has a certificate "
				"that can be served");
		return;
	}
	for (size_t i = 0; i < gather->places.count; i++) {
		const struct certificate_place *place =
			&gather->places.places[i];

		if (is_down(gather, place))
			error_list_addf(gather->found.quarantined,
					&place->settings->at,
					"service %s has no certificate that "
					"can be served and does not start",
					place->service->name);
	}
}

static bool
is_same_text(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

/* Do both come to the same uses? Hosts mostly have what their gate has. */
static bool
are_uses_alike(const struct tls_settings *one, const struct tls_settings *other)
{
	return one->profile == other->profile &&
	       one->versions == other->versions &&
	       one->dh.kind == other->dh.kind &&
	       is_same_text(one->ciphers, other->ciphers);
}

static void
collect_keys(const struct gather *gather)
{
	struct certificate_gathering *made = gather->made;
	AUTO_FREE unsigned int *uses =
		mem_array(made->set_count, sizeof(*uses));
	const struct certificate_place *last = NULL;
	unsigned int last_uses = 0;

	for (size_t i = 0; i < gather->places.count; i++) {
		const struct certificate_place *place =
			&gather->places.places[i];

		if (place->set == CERTIFICATE_PLACE_NO_SET)
			continue;
		if (!last || last->is_server != place->is_server ||
		    !are_uses_alike(last->settings, place->settings))
			last_uses = tls_policy_key_uses(place->settings,
							place->is_server);
		last = place;
		uses[place->set] |= last_uses;
	}
	for (size_t i = 0; i < made->set_count; i++)
		for (size_t j = 0; j < made->sets[i].records.count; j++)
			gathered_keys_add(&made->keys,
					  made->sets[i].records.records[j],
					  uses[i]);
}

static void
write_index(const struct gather *gather)
{
	struct certificate_gathering *made = gather->made;
	AUTO_FREE struct index_source *sources =
		mem_array(made->set_count, sizeof(*sources));
	struct error error = {0};

	for (size_t i = 0; i < made->set_count; i++)
		sources[i] = (struct index_source){
			made->sets[i].records.records,
			made->sets[i].record_entries,
			made->sets[i].records.count,
		};
	made->index = certificate_index_write(sources, made->set_count, &error);
	if (made->index < 0)
		error_list_add(gather->found.problems, &error);
}

struct certificate_gathering *
certificate_gather_new(const struct conf *conf, const struct file_set *files,
		       const struct certificate_gathering *previous,
		       const struct route_findings *findings)
{
	struct error_list problems = {0}, quarantined = {0}, warnings = {0};
	struct certificate_gathering *made = mem_alloc(sizeof(*made));
	struct gather gather = {
		.made = made,
		.sources = {.files = files},
		.found = {&problems, &quarantined, &warnings},
	};
	bool is_usable;

	atomic_init(&made->references, 1);
	made->index = -1;
	made->past = name_index_new();
	made->units = certificate_units_new();
	gather.sources.units = made->units;
	gather.sources.cache = certificate_cache_new();
	if (previous) {
		gather.sources.past = previous->past;
		gather.sources.before = previous->units;
	}
	certificate_places_list(conf, &gather.places);
	made->set_count = gather.places.set_count;
	made->sets = mem_array(made->set_count, sizeof(*made->sets));
	load_sets(&gather);
	check_any_starts(&gather, conf);
	if (problems.count == 0) {
		collect_keys(&gather);
		write_index(&gather);
	}
	is_usable = problems.count == 0;
	route_findings_add(findings, &gather.found);
	certificate_cache_free(gather.sources.cache);
	certificate_places_clear(&gather.places);
	error_list_clear(&problems);
	error_list_clear(&quarantined);
	error_list_clear(&warnings);
	if (is_usable)
		return made;
	certificate_gather_free(made);
	return NULL;
}

int
certificate_gather_index(const struct certificate_gathering *gathering)
{
	return gathering->index;
}

size_t
certificate_gather_key_count(const struct certificate_gathering *gathering)
{
	return gathering->keys.count;
}

void
certificate_gather_add_keys(const struct certificate_gathering *gathering,
			    struct local_keys *keys)
{
	gathered_keys_give(&gathering->keys, keys);
}

void
certificate_gather_remove_keys(const struct certificate_gathering *gathering,
			       struct local_keys *keys)
{
	gathered_keys_take(&gathering->keys, keys);
}

size_t
certificate_gather_check_pairs(struct certificate_gathering *gathering,
			       const atomic_bool *stop)
{
	struct certificate_cache *cache = certificate_cache_new();
	size_t wrong = 0;

	for (size_t i = 0; i < gathering->set_count; i++) {
		const struct record_list *records = &gathering->sets[i].records;

		for (size_t j = 0; j < records->count && !atomic_load(stop);
		     j++)
			wrong += certificate_record_check(records->records[j],
							  cache) ==
				 RECORD_PAIR_WRONG;
	}
	certificate_cache_free(cache);
	return wrong;
}
