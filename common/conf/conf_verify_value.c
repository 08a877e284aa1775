/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values that only `verify` has.
 */
#include "common/conf/conf_reader.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf_documents.h"
#include "common/verify/fingerprint.h"

static void
complain_error(struct conf_reader *reader, const struct schema_key *key,
	       const struct position *at, const struct error *error)
{
	conf_complain(reader, at, "`%s`: %s", key->name, error->text);
}

static void
read_fingerprint(struct conf_reader *reader, const struct schema_key *key,
		 const struct yaml_node *item, void *base,
		 struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, item);
	struct fingerprint fingerprint;
	struct error error = {0};
	char written[FINGERPRINT_TEXT_SIZE];

	if (!text)
		return;
	if (fingerprint_parse(text, &fingerprint, &error) != 0) {
		complain_error(reader, key, &item->at, &error);
		return;
	}
	memcpy(conf_append(key, base, sizeof(fingerprint)), &fingerprint,
	       sizeof(fingerprint));
	fingerprint_format(&fingerprint, written, sizeof(written));
	conf_node_add_item(shown, written, &item->at);
}

static void
read_rule(struct conf_reader *reader, const struct schema_key *key,
	  const struct yaml_node *item, void *base, struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, item);
	struct peer_rule rule = {.text = NULL};
	struct error error = {0};
	enum peer_name_kind kind;

	if (!text)
		return;
	if (peer_rule_kind_find(key->name, &kind) != 0 ||
	    peer_rule_parse(kind, text, &rule, &error) != 0) {
		complain_error(reader, key, &item->at, &error);
		return;
	}
	memcpy(conf_append(key, base, sizeof(rule)), &rule, sizeof(rule));
	conf_node_add_item(shown, rule.text, &item->at);
}

static void
read_scheme_member(struct conf_reader *reader, const struct schema_key *key,
		   const struct yaml_pair *pair, struct verify_scheme *scheme,
		   struct conf_node *shown)
{
	const char *value = conf_read_text(reader, key, pair->value);
	struct error error = {0};

	if (!value)
		return;
	if (verify_scheme_set(scheme, pair->key->text, value, &error) != 0)
		complain_error(reader, key, &pair->value->at, &error);
	else
		conf_node_add_pair(shown, pair->key->text, value,
				   &pair->value->at);
}

static void
read_scheme(struct conf_reader *reader, const struct schema_key *key,
	    const struct yaml_node *node, struct verify_scheme *scheme,
	    struct conf_node *shown)
{
	const struct verify_scheme *found;
	const char *text;

	*scheme = (struct verify_scheme){.is_none = false};
	if (node->kind == YAML_TREE_MAP) {
		if (node->pair_count == 0)
			conf_complain_value(reader, key, node);
		for (size_t i = 0; i < node->pair_count; i++)
			read_scheme_member(reader, key, &node->pairs[i], scheme,
					   shown);
		return;
	}
	text = conf_read_text(reader, key, node);
	found = text ? verify_scheme_find(text) : NULL;
	if (found) {
		*scheme = *found;
		conf_node_set(shown, text);
	} else if (text) {
		conf_complain_value(reader, key, node);
	}
}

static void
read_suffixes(struct conf_reader *reader, const struct schema_key *key,
	      const struct yaml_node *node, struct tls_suffixes *suffixes,
	      struct conf_node *shown)
{
	const char *text = conf_read_text(reader, key, node);
	bool is_on;

	if (!text)
		return;
	suffixes->at = node->at;
	if (strcmp(text, "builtin") == 0) {
		suffixes->kind = TLS_SUFFIX_BUILTIN;
	} else if (text_parse_boolean(text, &is_on) == 0 && !is_on) {
		suffixes->kind = TLS_SUFFIX_OFF;
		text = "off";
	} else if (text[0] == '\0' || text_parse_boolean(text, &is_on) == 0) {
		conf_complain_value(reader, key, node);
		return;
	} else {
		suffixes->kind = TLS_SUFFIX_FILE;
		suffixes->path =
			conf_path_absolute(reader->facts, &node->at, text);
		text = suffixes->path;
	}
	conf_node_set(shown, text);
}

void
conf_read_verify_value(struct conf_reader *reader, const struct schema_key *key,
		       const struct yaml_node *node, void *base,
		       struct conf_node *shown)
{
	void *field = conf_field(base, key->offset);

	switch ((int)key->type) {
	case SCHEMA_FINGERPRINTS:
		conf_read_items(reader, key, node, read_fingerprint, base,
				shown);
		break;
	case SCHEMA_RULES:
		conf_read_items(reader, key, node, read_rule, base, shown);
		break;
	case SCHEMA_SCHEME:
		read_scheme(reader, key, node, field, shown);
		break;
	default:
		read_suffixes(reader, key, node, field, shown);
		break;
	}
}
