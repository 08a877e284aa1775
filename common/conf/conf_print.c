/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective configuration as YAML that can be loaded again: the table's
 * keys in their order, each with the value that counts and where it is from.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/conf/conf.h"
#include "common/conf/conf_tree.h"
#include "common/conf/schema.h"
#include "common/conf/yaml_write.h"
#include "common/tls/tls_profile.h"
#include "common/tls/tls_version.h"

struct printing {
	FILE *out;
	unsigned int gates;
	unsigned int refused;
	int depth;
	bool is_entry;     /* of a list: only what is written, and defaults */
	bool *is_dash_due; /* the next line is the first of an entry */
	const struct tls_profile_values *profile; /* in tls */
};

static void
indent(const struct printing *printing)
{
	for (int i = 1; i < printing->depth; i++)
		fputs("  ", printing->out);
	if (printing->depth > 0)
		fputs(*printing->is_dash_due ? "- " : "  ", printing->out);
	*printing->is_dash_due = false;
}

static void
print_origin(const struct printing *printing, const struct conf_node *node)
{
	static const char *const words[] = {
		[CONF_ORIGIN_DEFAULTS] = "defaults ",
		[CONF_ORIGIN_WRITTEN] = "",
		[CONF_ORIGIN_ENFORCE] = "enforce ",
	};
	char file[1024] = "";

	if (node->at.file)
		text_escape_line(node->at.file, strlen(node->at.file), file,
				 sizeof(file));
	fprintf(printing->out, "  # %s%s:%u\n", words[node->origin], file,
		node->at.line);
}

/* A value in one line. */
static void
print_inline(const struct printing *printing, const struct conf_node *node)
{
	FILE *out = printing->out;

	if (node->kind == CONF_NODE_SCALAR) {
		yaml_write_scalar(out, node->text ? node->text : "");
		return;
	}
	putc(node->kind == CONF_NODE_LIST ? '[' : '{', out);
	for (size_t i = 0; i < node->child_count; i++) {
		const struct conf_node *child = node->children[i];

		fputs(i == 0 ? "" : ", ", out);
		if (child->name) {
			yaml_write_scalar(out, child->name);
			fputs(": ", out);
		}
		print_inline(printing, child);
	}
	putc(node->kind == CONF_NODE_LIST ? ']' : '}', out);
}

static void
print_name(const struct printing *printing, const char *name)
{
	indent(printing);
	yaml_write_scalar(printing->out, name);
	putc(':', printing->out);
}

/* What an unset key has from the profile. */
static void
print_profile_value(const struct printing *printing,
		    const struct schema_key *key)
{
	const struct tls_profile_values *profile = printing->profile;
	FILE *out = printing->out;

	assert(profile);
	print_name(printing, key->name);
	putc(' ', out);
	if (key->type == SCHEMA_VERSIONS) {
		char versions[128];

		fprintf(out, "[%s]",
			tls_version_format(profile->versions, versions,
					   sizeof(versions)));
	} else if (key->type == SCHEMA_CHOICE) {
		fputs(profile->is_server_order ? "true" : "false", out);
	} else if (key->type == SCHEMA_STRINGS) {
		for (size_t i = 0; i < profile->group_count; i++) {
			fputs(i == 0 ? "[" : ", ", out);
			yaml_write_scalar(out, profile->groups[i]);
		}
		putc(']', out);
	} else {
		yaml_write_scalar(out, strcmp(key->name, "ciphers") == 0
					       ? profile->ciphers
					       : profile->ciphersuites);
	}
	fprintf(out, "  # profile %s\n", profile->name);
}

static void
print_comment(const struct printing *printing, const char *name,
	      const char *value)
{
	indent(printing);
	fprintf(printing->out, "# %s: %s  # default\n", name, value);
}

/* A key that nobody wrote. One without a default that could be written is a
 * comment as a whole; so is one that would mean more if it were written: a
 * default that the machine does not have is passed over. */
static void
print_default(const struct printing *printing, const struct schema_key *key)
{
	const char *standard = schema_standard(key, printing->gates);

	if (key->flags & SCHEMA_BY_PROFILE) {
		print_profile_value(printing, key);
	} else if (standard && key->default_offset != 0) {
		print_comment(printing, key->name, standard);
	} else if (standard) {
		print_name(printing, key->name);
		fputs(schema_is_list(key) ? " [" : " ", printing->out);
		yaml_write_scalar(printing->out, standard);
		fputs(schema_is_list(key) ? "]" : "", printing->out);
		fputs("  # default\n", printing->out);
	} else if (key->otherwise && !printing->is_entry) {
		print_comment(printing, key->name, key->otherwise);
	}
}

static void
print_map(const struct printing *printing, const struct schema_map *map,
	  const struct conf_node *node);

static void
print_submap(const struct printing *printing, const char *name,
	     const struct schema_map *map, const struct conf_node *node,
	     unsigned int gates)
{
	struct printing inside = *printing;

	print_name(printing, name);
	putc('\n', printing->out);
	if (inside.gates == 0)
		inside.gates = gates;
	inside.depth++;
	print_map(&inside, map, node);
}

/* A list of one that nobody wrote, as if its one scalar had been. */
static void
print_default_entry(const struct printing *printing,
		    const struct schema_key *key)
{
	struct printing inside = *printing;

	print_name(printing, key->name);
	putc('\n', printing->out);
	inside.depth += 2;
	inside.is_entry = true;
	*printing->is_dash_due = true;
	print_name(&inside, key->map->main);
	putc(' ', printing->out);
	yaml_write_scalar(printing->out, key->standard);
	fputs("  # default\n", printing->out);
	print_map(&inside, key->map, NULL);
}

static void
print_entries(const struct printing *printing, const struct schema_key *key,
	      const struct conf_node *node)
{
	struct printing inside = *printing;

	print_name(printing, key->name);
	putc('\n', printing->out);
	inside.depth += 2;
	inside.is_entry = true;
	for (size_t i = 0; i < node->child_count; i++) {
		const struct conf_node *entry = node->children[i];
		const struct schema_key *main_key = schema_main(key->map);
		const struct conf_node *scalar =
			main_key->flags & SCHEMA_SCALAR_ONLY
				? conf_node_find(entry, main_key)
				: NULL;

		*printing->is_dash_due = true;
		if (scalar) {
			indent(&inside);
			print_inline(printing, scalar);
			print_origin(printing, scalar);
		} else {
			print_map(&inside, key->map, entry);
		}
	}
}

/* Pairs of names and values, of which each has its own origin. */
static void
print_pairs(const struct printing *printing, const struct schema_key *key,
	    const struct conf_node *node)
{
	struct printing inside = *printing;

	print_name(printing, key->name);
	putc('\n', printing->out);
	inside.depth++;
	for (size_t i = 0; i < node->child_count; i++) {
		print_name(&inside, node->children[i]->name);
		putc(' ', printing->out);
		print_inline(&inside, node->children[i]);
		print_origin(&inside, node->children[i]);
	}
}

static void
print_hosts(const struct printing *printing, const struct schema_key *key,
	    const struct conf_node *node)
{
	struct printing inside = *printing;

	print_name(printing, key->name);
	putc('\n', printing->out);
	inside.depth++;
	inside.refused |= SCHEMA_NOT_BY_NAME;
	for (size_t i = 0; i < node->child_count; i++)
		print_submap(&inside, node->children[i]->name, key->map,
			     node->children[i], 0);
}

static void
print_key(const struct printing *printing, const struct schema_key *key,
	  const struct conf_node *node)
{
	const struct schema_key *main_key =
		key->map && key->map->main
			? schema_find(key->map, key->map->main)
			: NULL;

	if (!node && main_key && main_key->default_offset != 0) {
		print_comment(printing, key->name, main_key->standard);
		return;
	}
	if (key->type == SCHEMA_MAP) {
		print_submap(printing, key->name, key->map, node, key->gates);
		return;
	}
	if (!node && key->type == SCHEMA_LOGS) {
		print_default_entry(printing, key);
		return;
	}
	if (!node) {
		print_default(printing, key);
		return;
	}
	if (key->count_offset != 0 && node->child_count == 0) {
		print_name(printing, key->name);
		fputs(node->kind == CONF_NODE_LIST ? " []" : " {}",
		      printing->out);
		print_origin(printing, node);
		return;
	}
	switch ((int)key->type) {
	case SCHEMA_TLS:
		print_submap(printing, key->name, key->map, node, key->gates);
		break;
	case SCHEMA_LOGS:
	case SCHEMA_CERTIFICATES:
		print_entries(printing, key, node);
		break;
	case SCHEMA_COMMANDS:
		print_pairs(printing, key, node);
		break;
	case SCHEMA_TLS_HOSTS:
		print_hosts(printing, key, node);
		break;
	default:
		print_name(printing, key->name);
		putc(' ', printing->out);
		print_inline(printing, node);
		print_origin(printing, node);
		break;
	}
}

/* The profile that a tls map ends up with. */
static const struct tls_profile_values *
find_profile(const struct conf_node *node)
{
	const struct schema_key *key = schema_find(&schema_tls, "profile");
	const struct conf_node *written = conf_node_find(node, key);
	const char *name = written ? written->text : key->standard;

	for (const struct schema_word *word = key->words; word->word; word++)
		if (strcmp(word->word, name) == 0)
			return tls_profile_values(
				(enum tls_profile)word->value);
	abort();
}

static void
print_map(const struct printing *printing, const struct schema_map *map,
	  const struct conf_node *node)
{
	struct printing inside = *printing;

	if (map == &schema_tls)
		inside.profile = find_profile(node);
	for (size_t i = 0; i < map->count; i++) {
		const struct schema_key *key = &map->keys[i];

		if (!(key->flags & (printing->refused | SCHEMA_SCALAR_ONLY)) &&
		    schema_is_on(key, printing->gates))
			print_key(&inside, key, conf_node_find(node, key));
	}
}

void
conf_print(const struct conf *conf, FILE *out)
{
	bool is_dash_due = false;
	struct printing printing = {.out = out, .is_dash_due = &is_dash_due};
	const struct conf_node *services = conf->tree->services;
	const struct schema_key *global =
		schema_find(&schema_document, "global");

	print_submap(&printing, "global", global->map, conf->tree->global, 0);
	print_name(&printing, "services");
	putc('\n', out);
	printing.depth++;
	for (size_t i = 0; i < services->child_count; i++)
		print_submap(&printing, services->children[i]->name,
			     &schema_service, services->children[i], 0);
}
