/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which scalars hold secrets, and what of them: the table of keys leads
 * there. Where that stands in the text is yaml_blank.c's business.
 */
#include "common/conf/conf_blank.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/conf/conf_documents.h"
#include "common/conf/schema.h"
#include "common/conf/yaml_blank.h"
#include "common/conf/yaml_tree.h"

/* What `pem` must begin with. */
#define PEM_START "-----BEGIN"

struct blanking {
	struct yaml_blank yaml;
	struct error_list *problems;
	bool has_secrets;
	bool is_failed;
};

/* What of a PEM text is no secret, each a range of it. */

/* The length of "-----BEGIN LABEL-----" at text, or 0. */
static size_t
boundary_length(const char *text, const char *start, size_t *label_length)
{
	size_t start_length = strlen(start);
	const char *label = text + start_length;

	if (strncmp(text, start, start_length) != 0)
		return 0;
	*label_length = strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .");
	return strncmp(label + *label_length, "-----", 5) == 0
		       ? start_length + *label_length + 5
		       : 0;
}

static bool
is_public_label(const char *label, size_t length)
{
	static const char *const known[] = {
		"CERTIFICATE",   "X509 CERTIFICATE", "TRUSTED CERTIFICATE",
		"PKCS7",         "DH PARAMETERS",    "X9.42 DH PARAMETERS",
		"EC PARAMETERS", "PUBLIC KEY",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i]) == length &&
		    memcmp(known[i], label, length) == 0)
			return true;
	return false;
}

/* The length of the base64 text between two boundaries of that label. */
static size_t
body_length(const char *body, const char *label, size_t label_length)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789+/= \t\r\n";
	static const char start[] = "-----END ";
	size_t length = strspn(body, letters), end_length;

	if (!is_public_label(label, label_length) ||
	    boundary_length(body + length, start, &end_length) == 0 ||
	    end_length != label_length ||
	    memcmp(body + length + sizeof(start) - 1, label, label_length) != 0)
		return 0;
	return length;
}

/* Keep the boundaries and what is public between them: the rest may be a key,
 * or the numbers of one, as openssl prints them with -text. */
static void
mark_pem(const char *text, bool *secret)
{
	static const char begin[] = "-----BEGIN ";
	size_t length = strlen(text);

	memset(secret, true, length);
	for (size_t at = 0; at < length;) {
		size_t label, kept = boundary_length(text + at, begin, &label);

		if (kept > 0)
			kept += body_length(text + at + kept,
					    text + at + sizeof(begin) - 1,
					    label);
		else
			kept = boundary_length(text + at, "-----END ", &label);
		memset(secret + at, false, kept);
		at += kept > 0 ? kept : 1;
	}
	if (strncmp(text, PEM_START, sizeof(PEM_START) - 1) == 0)
		memset(secret, false, sizeof(PEM_START) - 1);
}

static void
mark_query(const char *text, bool *secret)
{
	size_t length = strlen(text), head = strcspn(text, "?");

	if (head < length)
		memset(secret + head + 1, true, length - head - 1);
}

static void
mark_all(const char *text, bool *secret)
{
	memset(secret, true, strlen(text));
}

static void
blank_scalar(struct blanking *blanking, const struct yaml_node *node,
	     void (*mark)(const char *text, bool *secret))
{
	AUTO_FREE bool *secret = NULL;
	size_t length;

	if (node->kind != YAML_TREE_SCALAR)
		return;
	length = strlen(node->text);
	secret = mem_alloc(length * sizeof(*secret));
	mark(node->text, secret);
	if (!memchr(secret, true, length))
		return;
	blanking->has_secrets = true;
	if (yaml_blank_scalar(&blanking->yaml, node, secret) == 0)
		return;
	blanking->is_failed = true;
	error_list_addf(blanking->problems, &node->at,
			"a secret is written in a way that cannot be kept "
			"from other processes: write it as a block (|)");
}

/* From the document's root to such scalars. */

static void
visit_map(struct blanking *blanking, const struct schema_map *map,
	  const struct yaml_node *node);

/* The words behind the program. */
static void
visit_passphrase(struct blanking *blanking, const struct yaml_node *node)
{
	const struct yaml_pair *pair = yaml_tree_find(node, "command");

	for (size_t i = 1; pair && i < pair->value->item_count; i++)
		blank_scalar(blanking, pair->value->items[i], mark_all);
}

static void
visit(struct blanking *blanking, const struct schema_key *key,
      const struct yaml_node *node)
{
	switch ((int)key->type) {
	case SCHEMA_PEM:
		blank_scalar(blanking, node, mark_pem);
		break;
	case SCHEMA_STORE:
		blank_scalar(blanking, node, mark_query);
		break;
	case SCHEMA_SECRET:
		visit_passphrase(blanking, node);
		break;
	case SCHEMA_MAP:
	case SCHEMA_TLS:
		visit_map(blanking, key->map, node);
		break;
	case SCHEMA_CERTIFICATES:
		visit_map(blanking, key->map, node);
		for (size_t i = 0; i < node->item_count; i++)
			visit_map(blanking, key->map, node->items[i]);
		break;
	case SCHEMA_TLS_HOSTS:
	case SCHEMA_SERVICES:
		for (size_t i = 0; i < node->pair_count; i++)
			visit_map(blanking, key->map, node->pairs[i].value);
		break;
	default:
		break;
	}
}

static void
visit_map(struct blanking *blanking, const struct schema_map *map,
	  const struct yaml_node *node)
{
	for (size_t i = 0; i < node->pair_count; i++) {
		const struct schema_key *key =
			schema_find(map, node->pairs[i].key->text);

		if (key)
			visit(blanking, key, node->pairs[i].value);
	}
}

int
conf_document_blank(struct conf_document *document, struct error_list *problems)
{
	AUTO_FREE char *original = mem_dup(document->bytes, document->length);
	struct blanking blanking = {
		.yaml = {original, document->bytes},
		.problems = problems,
	};
	struct error_list ignored = {0};
	struct yaml_tree *tree =
		yaml_tree_parse(conf_document_name(document->name), original,
				document->length, &ignored);

	error_list_clear(&ignored);
	if (tree && tree->root)
		visit_map(&blanking, &schema_document, tree->root);
	yaml_tree_free(tree);
	if (document->length > 0)
		mem_wipe(original, document->length);
	return blanking.is_failed ? -1 : blanking.has_secrets;
}
