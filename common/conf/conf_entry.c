/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of lists of maps: `certificates` and `log`.
 */
#include "common/conf/conf_reader.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/conf/conf_documents.h"
#include "common/conf/log_target.h"

/* All of them stand in the name under which it is handed to other processes,
 * which has a bound. */
#define SELF_SIGNED_NAMES_MAX 50

static struct conf_node *
shown_entry(struct conf_node *shown, const struct yaml_node *item)
{
	struct conf_node *child = conf_node_new(NULL);

	child->origin = shown->origin;
	child->at = item->at;
	conf_node_add(shown, CONF_NODE_LIST, child);
	return child;
}

void
conf_read_log(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *item, void *base, struct conf_node *shown)
{
	size_t problems = reader->problem_count;
	struct schema_log entry = {0};
	struct conf_log *log;

	if (item->is_null || item->kind == YAML_TREE_LIST) {
		conf_complain_value(reader, key, item);
		return;
	}
	conf_read_alone(reader, key->map, item, shown->origin, &entry,
			shown_entry(shown, item));
	if (entry.to) {
		log = conf_append(key, base, sizeof(*log));
		log->at = item->at;
		log_target_store(entry.to, log);
		log->level = (enum log_level)entry.level;
		log->form = (enum log_form)entry.form;
		log->is_for_events = entry.what & SCHEMA_LOG_EVENTS;
		log->is_for_access = entry.what & SCHEMA_LOG_ACCESS;
	} else if (reader->problem_count == problems) {
		conf_complain(reader, &item->at,
			      "this log needs `to`: stderr, file:PATH or "
			      "syslog");
	}
	conf_clear_map(key->map, &entry);
}

/* Exactly one key says where the certificate comes from. */
static bool
has_one_source(struct conf_reader *reader, const struct schema_map *map,
	       const struct yaml_node *item)
{
	const struct yaml_node *first = NULL;

	for (const char *const *name = map->one_of; *name; name++) {
		const struct yaml_pair *pair = yaml_tree_find(item, *name);

		if (!pair || pair->value->is_null)
			continue;
		if (first) {
			conf_complain(reader, &pair->key->at,
				      "`%s` and `%s` cannot stand in one entry "
				      "of `certificates`: make it two",
				      first->text, pair->key->text);
			return false;
		}
		first = pair->key;
	}
	if (!first)
		conf_complain(reader, &item->at,
			      "an entry of `certificates` needs one of "
			      "`chain`, `pkcs12`, `directory`, `pem`, `store` "
			      "and `self_signed`");
	return first != NULL;
}

/* A key that means nothing beside that source. */
static bool
complain_beside(struct conf_reader *reader, const struct yaml_node *item,
		const char *name, const char *sentence)
{
	const struct yaml_pair *pair = yaml_tree_find(item, name);

	if (!pair || pair->value->is_null)
		return false;
	conf_complain(reader, &pair->key->at, "`%s` %s", name, sentence);
	return true;
}

static bool
is_entry_consistent(struct conf_reader *reader, const struct schema_map *map,
		    const struct yaml_node *item,
		    const struct schema_certificate *entry)
{
	const struct yaml_pair *pair;

	if (item->kind != YAML_TREE_MAP)
		return true;
	if (!has_one_source(reader, map, item))
		return false;
	if (!entry->chain &&
	    complain_beside(reader, item, "key",
			    "goes with `chain`: the other sources hold their "
			    "own key"))
		return false;
	pair = yaml_tree_find(item, "self_signed");
	if (!pair || pair->value->is_null)
		return true;
	if (entry->self_signed_count == 0) {
		conf_complain(reader, &pair->value->at,
			      "`self_signed` needs the names to make it for: "
			      "[localhost]");
		return false;
	}
	if (entry->self_signed_count > SELF_SIGNED_NAMES_MAX) {
		conf_complain(reader, &pair->value->at,
			      "`self_signed` takes at most %d names",
			      SELF_SIGNED_NAMES_MAX);
		return false;
	}
	return !complain_beside(reader, item, "names",
				"means nothing here: those of `self_signed` "
				"are its names") &&
	       !complain_beside(reader, item, "passphrase",
				"means nothing here: nothing is encrypted");
}

/* What a prompt is about: the file that is encrypted. */
static void
name_prompt(struct certificate_spec *spec)
{
	struct secret *secret = &spec->passphrase;
	bool is_inline = spec->source == CERTIFICATE_INLINE;

	if (secret->kind != SECRET_PROMPT)
		return;
	mem_free(secret->name);
	if (is_inline)
		secret->name = mem_format("prompt:%s:%u", spec->at.file,
					  spec->at.line);
	else
		secret->name = mem_format("prompt:%s",
					  spec->key ? spec->key : spec->path);
}

/* Entries with the same names share one. */
static char *
self_signed_path(const struct certificate_spec *spec)
{
	char *path = mem_format("self_signed:%s", spec->names[0]);

	for (size_t i = 1; i < spec->name_count; i++) {
		char *longer = mem_format("%s,%s", path, spec->names[i]);

		mem_free(path);
		path = longer;
	}
	return path;
}

/* A URI that OpenSSL would open as a file is one: it is opened, and given to
 * other processes, like any other. What is left are tokens and the like. */
static void
fill_store(struct conf_facts *facts, char *uri, const struct position *at,
	   struct certificate_spec *spec)
{
	static const char *const prefixes[] = {"file://localhost/", "file:///",
					       "file:/"};

	spec->source = CERTIFICATE_STORE;
	spec->path = uri;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		if (strncasecmp(uri, prefixes[i], length) != 0 ||
		    uri[length] == '/')
			continue;
		spec->source = CERTIFICATE_FILE;
		spec->path = mem_strdup(uri + length - 1);
		break;
	}
	if (!strchr(uri, ':')) {
		spec->source = CERTIFICATE_FILE;
		spec->path = conf_path_absolute(facts, at, uri);
	}
	if (spec->path != uri)
		mem_free(uri);
}

/* Move what the rows filled to where it belongs. */
static void
fill_spec(struct conf_facts *facts, struct schema_certificate *entry,
	  struct certificate_spec *spec)
{
	if (entry->chain) {
		spec->source = CERTIFICATE_PAIR;
		spec->path = TAKE(entry->chain);
		spec->key = TAKE(entry->key);
	} else if (entry->pkcs12) {
		spec->source = CERTIFICATE_PKCS12;
		spec->path = TAKE(entry->pkcs12);
	} else if (entry->directory) {
		spec->source = CERTIFICATE_DIRECTORY;
		spec->path = TAKE(entry->directory);
	} else if (entry->pem) {
		spec->source = CERTIFICATE_INLINE;
		spec->path = TAKE(entry->pem);
	} else if (entry->store) {
		fill_store(facts, TAKE(entry->store), &spec->at, spec);
	} else if (entry->self_signed) {
		spec->source = CERTIFICATE_SELF_SIGNED;
		spec->names = TAKE(entry->self_signed);
		spec->name_count = entry->self_signed_count;
		entry->self_signed_count = 0;
		spec->path = self_signed_path(spec);
	} else {
		spec->source = CERTIFICATE_FILE;
		spec->path = TAKE(entry->file);
	}
	if (entry->names) {
		spec->names = TAKE(entry->names);
		spec->name_count = entry->name_count;
		entry->name_count = 0;
	}
	spec->passphrase = entry->passphrase;
	entry->passphrase = (struct secret){0};
	spec->is_default = entry->is_default;
	spec->staple = entry->staple;
	entry->staple = (struct tls_staple){0};
	name_prompt(spec);
}

void
conf_read_certificate(struct conf_reader *reader, const struct schema_key *key,
		      const struct yaml_node *item, void *base,
		      struct conf_node *shown)
{
	size_t problems = reader->problem_count;
	struct schema_certificate entry = {0};
	struct certificate_spec *spec;

	if (item->is_null || item->kind == YAML_TREE_LIST) {
		conf_complain_value(reader, key, item);
		return;
	}
	conf_read_alone(reader, key->map, item, shown->origin, &entry,
			shown_entry(shown, item));
	if (is_entry_consistent(reader, key->map, item, &entry) &&
	    reader->problem_count == problems) {
		spec = conf_append(key, base, sizeof(*spec));
		spec->at = item->at;
		fill_spec(reader->facts, &entry, spec);
	}
	conf_clear_map(key->map, &entry);
}
