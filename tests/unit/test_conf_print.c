/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is printed from the table: the effective configuration, the JSON
 * Schema, the manual.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/reason.h"
#include "common/conf/conf.h"
#include "common/conf/schema.h"
#include "common/conf/yaml_tree.h"
#include "common/conf/yaml_write.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

static struct conf_fixture fixture;

static const char everything[] =
	"global:\n"
	"  workers: 2\n"
	"  log: [stderr, {to: \"file:x.log\", what: access, format: json}]\n"
	"  resolver: {servers: ['::1']}\n"
	"defaults:\n"
	"  tls: {profile: old}\n"
	"  timeouts: {idle: 90s}\n"
	"enforce:\n"
	"  connect: {tls: {verify: required}}\n"
	"services:\n"
	"  web:\n"
	"    accept:\n"
	"      address: [\":443\", \"unix:w.sock\"]\n"
	"      tls:\n"
	"        versions: \"SSLv23:!SSLv2:!SSLv3\"\n"
	"        alpn: [h2, \"a b\"]\n"
	"        certificates:\n"
	"          - web.pem\n"
	"          - {chain: c, key: 'credential:k', passphrase: {command: "
	"[./p, \"a\\\"\\n\\u2028b\"]}, names: [x.y], default: true}\n"
	"          - pem: |\n"
	"              -----BEGIN PRIVATE KEY-----\n"
	"              hunter2\n"
	"          - {directory: d, passphrase: {file: prompt}}\n"
	"          - {pkcs12: p, passphrase: 'env:X'}\n"
	"          - {self_signed: [localhost, '::1']}\n"
	"        openssl: {Options: -SessionTicket, MinProtocol: 'null'}\n"
	"        hosts:\n"
	"          \"*.x.y\": {profile: modern, certificates: []}\n"
	"    connect:\n"
	"      address: \"DB:1\"\n"
	"      tls:\n"
	"        server_name: \"\"\n"
	"        verify: {mode: none, ca: [system, ca.pem]}\n"
	"    buffers: {max: 65536}\n"
	"  plain:\n"
	"    accept: fd:3\n"
	"    connect: builtin:whoami\n";

static bool
has_line(const char *text, const char *line)
{
	AUTO_FREE char *whole = mem_format("\n%s\n", line);

	if (strstr(text, whole))
		return true;
	fprintf(stderr, "\nmissing: %s\nin:\n%s", line, text);
	return false;
}

static void
test_origins(void)
{
	static const char *const lines[] = {
		"  workers: 2  # /etc/sealock/test.yaml:2",
		"  # max_connections: 100000  # default",
		"  # user: sealock  # default",
		"  # chroot: /var/lib/sealock/empty  # default",
		"    - to: stderr  # /etc/sealock/test.yaml:3",
		"      level: info  # default",
		"    - to: file:/etc/sealock/x.log  # "
		"/etc/sealock/test.yaml:3",
		"    servers: [\"::1\"]  # /etc/sealock/test.yaml:4",
		"      address: [\":443\", unix:/etc/sealock/w.sock]  # "
		"/etc/sealock/test.yaml:13",
		"        profile: old  # defaults /etc/sealock/test.yaml:6",
		"        versions: [TLSv1, TLSv1.1, TLSv1.2, TLSv1.3]  # "
		"/etc/sealock/test.yaml:15",
		"        groups: [\"?X25519MLKEM768\", X25519, P-256, P-384]  "
		"# "
		"profile old",
		"        prefer_server_ciphers: true  # profile old",
		"        alpn: [h2, \"a b\"]  # /etc/sealock/test.yaml:16",
		"          - /etc/sealock/web.pem  # /etc/sealock/test.yaml:18",
		"          - chain: /etc/sealock/c  # "
		"/etc/sealock/test.yaml:19",
		"            key: credential:k  # /etc/sealock/test.yaml:19",
		"            passphrase: {command: [/etc/sealock/p, "
		"\"a\\\"\\n\\u2028b\"]}  # /etc/sealock/test.yaml:19",
		"            default: true  # /etc/sealock/test.yaml:19",
		"          - pem: \"-----BEGIN…\"  # "
		"/etc/sealock/test.yaml:20",
		"            passphrase: {file: /etc/sealock/prompt}  # "
		"/etc/sealock/test.yaml:23",
		"          Options: \"-SessionTicket\"  # "
		"/etc/sealock/test.yaml:26",
		"          MinProtocol: \"null\"  # /etc/sealock/test.yaml:26",
		"          \"*.x.y\":",
		"            profile: modern  # /etc/sealock/test.yaml:28",
		"            certificates: []  # /etc/sealock/test.yaml:28",
		"            versions: [TLSv1, TLSv1.1, TLSv1.2, TLSv1.3]  # "
		"/etc/sealock/test.yaml:15",
		"      address: [db:1]  # /etc/sealock/test.yaml:30",
		"        server_name: \"\"  # /etc/sealock/test.yaml:32",
		"          mode: required  # enforce "
		"/etc/sealock/test.yaml:9",
		"          ca: [system, /etc/sealock/ca.pem]  # "
		"/etc/sealock/test.yaml:33",
		"          # name: the backend's host  # default",
		"      max: 65536  # /etc/sealock/test.yaml:34",
		"      idle: 90s  # defaults /etc/sealock/test.yaml:7",
		"      address: [builtin:whoami]  # "
		"/etc/sealock/test.yaml:37",
		"      tls: false  # default",
	};
	char *text;

	conf_fixture_load(&fixture, everything);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	text = conf_fixture_print(fixture.conf);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		CU_ASSERT(has_line(text, lines[i]));
	CU_ASSERT_PTR_NULL(strstr(text, "hunter2"));
	free(text);
}

/* Without the comments, which tell other places. */
static char *
strip_origins(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++) {
		if (strncmp(from, "  # ", 4) == 0)
			while (from[1] != '\n')
				from++;
		else
			*to++ = *from;
	}
	*to = '\0';
	return text;
}

/* What is printed is a configuration, and the same one. */
static void
test_again(void)
{
	char *first, *second;

	conf_fixture_load(&fixture, everything);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.conf);
	first = conf_fixture_print(fixture.conf);
	conf_fixture_load(&fixture, first);
	CU_ASSERT_FATAL(conf_fixture_is_good(&fixture));
	second = conf_fixture_print(fixture.conf);
	CU_ASSERT_STRING_EQUAL(strip_origins(first), strip_origins(second));
	CU_ASSERT_EQUAL(
		fixture.conf->services[0].accept.tls->commands[1].value[0],
		'n');
	CU_ASSERT_STRING_EQUAL(fixture.conf->services[0]
				       .accept.tls->certificates[1]
				       .passphrase.words[1],
			       "a\"\n\xe2\x80\xa8"
			       "b");
	free(first);
	free(second);
}

static void
test_write(void)
{
	static const struct {
		const char *text;
		const char *written;
	} cases[] = {
		{"a", "a"},
		{"a.b:1", "a.b:1"},
		{"/a/b", "/a/b"},
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"a:", "\"a:\""},
		{":1", "\":1\""},
		{"-", "\"-\""},
		{"null", "\"null\""},
		{"~", "\"~\""},
		{"a#b", "\"a#b\""},
		{"*a", "\"*a\""},
		{"a,b", "\"a,b\""},
		{"\"\\\n\t\001", "\"\\\"\\\\\\n\\u0009\\u0001\""},
		{"\xc3\xa4", "\"\xc3\xa4\""},
		{"\xc2\x85\xe2\x80\xa9\xef\xbb\xbf",
		 "\"\\u0085\\u2029\\uFEFF\""},
		{"\xf0\x9f\x94\x92", "\"\xf0\x9f\x94\x92\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = NULL;
		size_t length;
		FILE *out = open_memstream(&text, &length);
		struct error_list problems = {0};
		struct yaml_tree *tree;

		yaml_write_scalar(out, cases[i].text);
		fclose(out);
		CU_ASSERT_STRING_EQUAL(text, cases[i].written);
		tree = yaml_tree_parse("f", text, length, &problems);
		CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
		CU_ASSERT_STRING_EQUAL(tree->root->text, cases[i].text);
		CU_ASSERT(!tree->root->is_null);
		yaml_tree_free(tree);
		free(text);
	}
}

static const struct yaml_node *
member(const struct yaml_node *map, const char *name)
{
	const struct yaml_pair *pair = yaml_tree_find(map, name);

	return pair ? pair->value : NULL;
}

/* Every $ref of a schema is defined in it. */
static void
check_references(const struct yaml_node *node,
		 const struct yaml_node *definitions)
{
	static const char prefix[] = "#/definitions/";

	for (size_t i = 0; i < node->item_count; i++)
		check_references(node->items[i], definitions);
	for (size_t i = 0; i < node->pair_count; i++) {
		const struct yaml_node *value = node->pairs[i].value;

		if (strcmp(node->pairs[i].key->text, "$ref") == 0)
			CU_ASSERT_PTR_NOT_NULL(member(
				definitions, value->text + sizeof(prefix) - 1));
		check_references(value, definitions);
	}
}

/* JSON is YAML, so our own parser reads the schema. */
static void
test_schema(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct error_list problems = {0};
	const struct yaml_node *properties, *definitions, *tls;
	struct yaml_tree *tree;

	conf_print_schema(out);
	fclose(out);
	tree = yaml_tree_parse("schema", text, length, &problems);
	CU_ASSERT_EQUAL(problems.count, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
	properties = member(tree->root, "properties");
	definitions = member(tree->root, "definitions");
	CU_ASSERT_PTR_NOT_NULL_FATAL(properties);
	CU_ASSERT_PTR_NOT_NULL_FATAL(definitions);
	CU_ASSERT_EQUAL(properties->pair_count, schema_document.count);
	check_references(tree->root, definitions);
	/* Each gate has its own keys. */
	tls = member(member(definitions, "tls_accept"), "properties");
	CU_ASSERT_PTR_NOT_NULL(member(tls, "alpn"));
	CU_ASSERT_PTR_NOT_NULL(member(tls, "hosts"));
	tls = member(member(definitions, "tls_connect"), "properties");
	CU_ASSERT_PTR_NULL(member(tls, "alpn"));
	CU_ASSERT_PTR_NOT_NULL(member(tls, "verify"));
	tls = member(member(definitions, "tls_both_default"), "properties");
	CU_ASSERT_PTR_NULL(member(tls, "alpn"));
	CU_ASSERT_PTR_NOT_NULL(member(tls, "profile"));
	tls = member(member(definitions, "tls_accept_host"), "properties");
	CU_ASSERT_PTR_NOT_NULL(member(tls, "alpn"));
	CU_ASSERT_PTR_NULL(member(tls, "hosts"));
	CU_ASSERT_PTR_NULL(member(tls, "strict_sni"));
	tls = member(member(definitions, "accept_accept_default"),
		     "properties");
	CU_ASSERT_PTR_NULL(member(tls, "address"));
	yaml_tree_free(tree);
	free(text);
}

/* Nothing of the table is missing in the manual. */
static void
test_manual(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	conf_print_manual(out);
	fclose(out);
	for (size_t i = 0; i < schema_map_count; i++) {
		AUTO_FREE char *section =
			mem_format(".SS %s", schema_maps[i]->name);

		CU_ASSERT(has_line(text, section));
		for (size_t k = 0; k < schema_maps[i]->count; k++) {
			const struct schema_key *key = &schema_maps[i]->keys[k];
			AUTO_FREE char *name =
				mem_format("\\fB%s\\fR", key->name);

			if (!(key->flags & SCHEMA_SCALAR_ONLY))
				CU_ASSERT(has_line(text, name));
		}
	}
	for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		AUTO_FREE char *name =
			mem_format("\\fB%s\\fR", reason_name((enum reason)i));

		CU_ASSERT(has_line(text, name));
	}
	CU_ASSERT_PTR_NULL(strchr(text, '`'));
	/* A sentence that begins with a key, and a map in another one. */
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n\\fBstrict_sni\\fR is set"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\nStands at \\fBglobal\\fR.\\fBlog\\fR.\n"));
	free(text);
}

/* The table itself: help is there, defaults are what they say. */
static void
test_table(void)
{
	for (size_t i = 0; i < schema_map_count; i++)
		for (size_t k = 0; k < schema_maps[i]->count; k++) {
			const struct schema_key *key = &schema_maps[i]->keys[k];
			char expected[256];

			CU_ASSERT_PTR_NOT_NULL_FATAL(key->help);
			CU_ASSERT(strlen(key->help) > 0);
			CU_ASSERT(key->help[strlen(key->help) - 1] != '.');
			CU_ASSERT(!(key->standard && key->otherwise) ||
				  key->standard_accept);
			CU_ASSERT(strlen(schema_expected(key, expected,
							 sizeof(expected))) >
				  0);
			CU_ASSERT(strlen(expected) < sizeof(expected) - 1);
			CU_ASSERT_PTR_EQUAL(
				schema_find(schema_maps[i], key->name), key);
		}
}

static void
test_end(void)
{
	conf_fixture_clear(&fixture);
}

UNIT_SUITE(conf_print, {"origins", test_origins}, {"again", test_again},
	   {"write", test_write}, {"schema", test_schema},
	   {"manual", test_manual}, {"table", test_table}, {"end", test_end});
