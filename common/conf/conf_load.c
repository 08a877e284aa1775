/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents to structs.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_check.h"
#include "common/conf/conf_documents.h"
#include "common/conf/conf_facts.h"
#include "common/conf/conf_reader.h"
#include "common/conf/name_set.h"

#define SERVICE_NAME_MAX 64

struct loading {
	struct conf *conf;
	struct conf_reader reader; /* tells problems */
	struct error_list *warnings;
	const struct yaml_node *defaults; /* NULL: none */
	const struct yaml_node *enforce;
	struct name_set names; /* of services */
};

static const struct schema_key *
document_key(const char *name)
{
	return schema_find(&schema_document, name);
}

/* What the main document has under a key, or NULL. */
static const struct yaml_node *
find_section(const struct yaml_node *root, const char *name)
{
	const struct yaml_pair *pair = yaml_tree_find(root, name);

	return pair && !pair->value->is_null ? pair->value : NULL;
}

static void
check_include(struct loading *loading, const struct yaml_node *include)
{
	const struct schema_key *key = document_key("include");

	if (!include)
		return;
	if (include->kind == YAML_TREE_SCALAR && include->text[0] == '\0')
		conf_complain_value(&loading->reader, key, include);
	if (include->kind == YAML_TREE_MAP)
		conf_complain_value(&loading->reader, key, include);
	for (size_t i = 0; i < include->item_count; i++)
		if (include->items[i]->kind != YAML_TREE_SCALAR ||
		    include->items[i]->text[0] == '\0')
			conf_complain_value(&loading->reader, key,
					    include->items[i]);
}

static void
load_global(struct loading *loading, const struct yaml_node *global)
{
	const struct yaml_node none = {.kind = YAML_TREE_SCALAR,
				       .is_null = true};

	conf_read_alone(&loading->reader, document_key("global")->map,
			global ? global : &none, CONF_ORIGIN_WRITTEN,
			&loading->conf->global, loading->conf->tree->global);
}

/* Read defaults or enforce by itself, for what is wrong in it. */
static const struct yaml_node *
check_base(struct loading *loading, const struct yaml_node *root,
	   const char *name, enum conf_origin origin)
{
	const struct yaml_node *node = find_section(root, name);
	struct schema_defaults scratch = {0};
	struct conf_node *unseen;

	if (!node)
		return NULL;
	unseen = conf_node_new(NULL);
	loading->reader.refused = SCHEMA_OWN;
	loading->reader.place = name;
	conf_read_alone(&loading->reader, &schema_defaults, node, origin,
			&scratch, unseen);
	loading->reader.refused = 0;
	conf_clear_map(&schema_defaults, &scratch);
	conf_node_free(unseen);
	return node->kind == YAML_TREE_MAP ? node : NULL;
}

static bool
is_service_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return length > 0 && length <= SERVICE_NAME_MAX;
}

/* Read a service by itself, for what is wrong in it. */
static void
check_service(struct loading *loading, const struct yaml_node *node)
{
	struct conf_service scratch = {0};
	struct conf_node *unseen = conf_node_new(NULL);

	conf_read_alone(&loading->reader, &schema_service, node,
			CONF_ORIGIN_WRITTEN, &scratch, unseen);
	conf_clear_map(&schema_service, &scratch);
	conf_node_free(unseen);
}

/* Read a service between defaults and enforce into its struct. */
static void
merge_service(struct loading *loading, const struct yaml_node *node,
	      struct conf_service *service, struct conf_node *shown)
{
	struct conf_reader quiet = {
		.warnings = loading->warnings,
		.place = service->name,
		.facts = loading->reader.facts,
	};
	struct conf_layers layers = {.count = 0};
	const struct conf_layer under = {
		.node = loading->defaults,
		.origin = CONF_ORIGIN_DEFAULTS,
	};
	const struct conf_layer own = {
		.node = node,
		.origin = CONF_ORIGIN_WRITTEN,
		.is_own = true,
	};
	const struct conf_layer over = {
		.node = loading->enforce,
		.origin = CONF_ORIGIN_ENFORCE,
	};

	if (under.node)
		conf_layers_add(&layers, &under);
	conf_layers_add(&layers, &own);
	if (over.node)
		conf_layers_add(&layers, &over);
	conf_read_map(&quiet, &schema_service, &layers, service, shown);
}

static void
load_service(struct loading *loading, const struct yaml_pair *pair)
{
	const struct schema_key *key = document_key("services");
	const struct position *earlier;
	const char *name = pair->key->text;
	struct conf_service *service;
	struct conf_node *shown;

	if (!is_service_name(name)) {
		conf_complain(&loading->reader, &pair->key->at,
			      "`%.80s` is no name for a service: letters, "
			      "digits, dots, hyphens and underscores, at most "
			      "%d",
			      name, SERVICE_NAME_MAX);
		return;
	}
	earlier = name_set_add(&loading->names, name, &pair->key->at);
	if (earlier)
		conf_complain(&loading->reader, &pair->key->at,
			      "there are two services `%s`, the other one is "
			      "at %s:%u",
			      name, earlier->file, earlier->line);
	loading->reader.place = name;
	if (pair->value->is_null) {
		conf_complain(&loading->reader, &pair->key->at,
			      "service `%s` is empty: it needs `accept` and "
			      "`connect`",
			      name);
		return;
	}
	check_service(loading, pair->value);
	if (pair->value->kind != YAML_TREE_MAP || earlier)
		return;
	service = conf_append(key, loading->conf, sizeof(*service));
	service->name = mem_strdup(name);
	service->at = pair->key->at;
	shown = conf_node_new(NULL);
	shown->name = mem_strdup(name);
	shown->origin = CONF_ORIGIN_WRITTEN;
	shown->at = pair->key->at;
	conf_node_add(loading->conf->tree->services, CONF_NODE_MAP, shown);
	merge_service(loading, pair->value, service, shown);
	conf_check_service(&loading->reader, pair->value, service);
}

static void
load_services(struct loading *loading, const struct yaml_node *services)
{
	if (!services)
		return;
	if (services->kind != YAML_TREE_MAP) {
		conf_complain_value(&loading->reader, document_key("services"),
				    services);
		return;
	}
	for (size_t i = 0; i < services->pair_count; i++)
		load_service(loading, &services->pairs[i]);
}

/* An included file may be empty: its services are commented out. */
static bool
is_document_map(struct loading *loading, const char *file,
		const struct yaml_node *root, bool is_main)
{
	const struct position start = {file, 1, 1};

	if (!root || root->is_null) {
		if (is_main)
			conf_complain(&loading->reader, &start,
				      "the file is empty: expected `services`");
		return false;
	}
	if (root->kind != YAML_TREE_MAP) {
		conf_complain(&loading->reader, &root->at,
			      "a configuration is a map of keys: expected "
			      "`services`");
		return false;
	}
	return true;
}

static void
load_document(struct loading *loading, const char *file,
	      const struct yaml_tree *tree, bool is_main)
{
	const struct yaml_node *root = tree->root;

	if (!is_document_map(loading, file, root, is_main))
		return;
	loading->reader.refused = is_main ? 0 : SCHEMA_MAIN_FILE;
	conf_check_keys(&loading->reader, &schema_document, root);
	loading->reader.refused = 0;
	if (is_main) {
		check_include(loading, find_section(root, "include"));
		load_global(loading, find_section(root, "global"));
		loading->defaults = check_base(loading, root, "defaults",
					       CONF_ORIGIN_DEFAULTS);
		loading->enforce = check_base(loading, root, "enforce",
					      CONF_ORIGIN_ENFORCE);
	}
	load_services(loading, find_section(root, "services"));
}

/* Problems in the order in which somebody reads the files. */
struct sorted {
	struct error error;
	size_t document;
	size_t index;
};

static int
compare_sorted(const void *one, const void *other)
{
	const struct sorted *a = one, *b = other;

	if (a->document != b->document)
		return a->document < b->document ? -1 : 1;
	if (a->error.at.line != b->error.at.line)
		return a->error.at.line < b->error.at.line ? -1 : 1;
	if (a->error.at.column != b->error.at.column)
		return a->error.at.column < b->error.at.column ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

static size_t
document_index(const char *const *files, size_t count, const char *file)
{
	for (size_t i = 0; i < count; i++)
		if (files[i] == file)
			return i + 1;
	return 0;
}

static bool
is_same_error(const struct error *one, const struct error *other)
{
	return one->at.file == other->at.file &&
	       one->at.line == other->at.line &&
	       one->at.column == other->at.column &&
	       strcmp(one->text, other->text) == 0;
}

/* A key of defaults that is wrong for several services is told once. */
static void
sort_errors(struct error_list *list, const char *const *files, size_t count)
{
	AUTO_FREE struct sorted *sorted = NULL;
	size_t kept = 0;

	if (!list || list->count == 0)
		return;
	sorted = mem_array(list->count, sizeof(*sorted));
	for (size_t i = 0; i < list->count; i++) {
		sorted[i].error = list->errors[i];
		sorted[i].index = i;
		sorted[i].document =
			document_index(files, count, list->errors[i].at.file);
	}
	qsort(sorted, list->count, sizeof(*sorted), compare_sorted);
	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 ||
		    !is_same_error(&list->errors[kept - 1], &sorted[i].error))
			list->errors[kept++] = sorted[i].error;
	list->count = kept;
}

static void
load_documents(struct loading *loading, const struct conf_documents *documents,
	       const char **files)
{
	struct error_list *problems = loading->reader.problems;
	struct yaml_tree *main_tree = NULL;

	for (size_t i = 0; i < documents->count; i++) {
		const struct conf_document *document = &documents->documents[i];
		struct yaml_tree *tree;

		files[i] = conf_document_name(document->name);
		tree = yaml_tree_parse(files[i], document->bytes,
				       document->length, problems);
		if (tree)
			load_document(loading, files[i], tree, i == 0);
		/* Its defaults and enforce are needed to the end. */
		if (i == 0)
			main_tree = tree;
		else
			yaml_tree_free(tree);
	}
	yaml_tree_free(main_tree);
	if (problems->count == 0 && loading->conf->service_count == 0) {
		const struct position start = {files[0], 1, 1};

		conf_complain(&loading->reader, &start,
			      "there is no service: expected at least one "
			      "under `services`");
	}
	conf_check_addresses(&loading->reader, loading->conf);
}

struct conf *
conf_load(const struct conf_documents *documents, struct error_list *problems,
	  struct error_list *warnings)
{
	struct conf_facts *facts =
		documents->facts ? documents->facts : conf_facts_new();
	struct loading loading = {
		.conf = mem_alloc(sizeof(*loading.conf)),
		.reader = {.problems = problems, .facts = facts},
		.warnings = warnings,
	};
	AUTO_FREE const char **files =
		mem_array(documents->count, sizeof(const char *));

	assert(documents->count > 0);
	loading.conf->tree = conf_tree_new();
	load_documents(&loading, documents, files);
	name_set_clear(&loading.names);
	if (facts != documents->facts)
		conf_facts_free(facts);
	sort_errors(problems, files, documents->count);
	sort_errors(warnings, files, documents->count);
	if (problems->count == 0)
		return loading.conf;
	conf_free(loading.conf);
	return NULL;
}

void
conf_free(struct conf *conf)
{
	if (!conf)
		return;
	conf_clear_key(document_key("global"), conf);
	conf_clear_key(document_key("services"), conf);
	conf_tree_free(conf->tree);
	mem_free(conf);
}
