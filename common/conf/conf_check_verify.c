/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written and has no effect is a mistake: whoever wrote `allow` means
 * somebody to be kept out.
 */
#include "common/conf/conf_check_verify.h"

#include <stddef.h>
#include <string.h>

#include "common/conf/conf_reader.h"
#include "common/conf/schema_rows.h"
#include "common/tls/tls_settings.h"

static const struct yaml_node *
find_map(const struct yaml_node *map, const char *key)
{
	const struct yaml_pair *pair = NULL;

	if (map && map->kind == YAML_TREE_MAP)
		pair = yaml_tree_find(map, key);
	return pair && pair->value->kind == YAML_TREE_MAP ? pair->value : NULL;
}

/* Is it what holds without being written? Then nobody has meant anything by
 * it: a configuration that was printed has every default in it. */
static bool
is_default(const struct schema_key *key, const struct yaml_node *value,
	   unsigned int gates)
{
	const char *standard = schema_standard(key, gates);

	if (value->is_null)
		return true;
	if (key->type == SCHEMA_MAP && value->kind == YAML_TREE_MAP) {
		for (size_t i = 0; i < value->pair_count; i++) {
			const struct yaml_pair *pair = &value->pairs[i];
			const struct schema_key *inside =
				schema_find(key->map, pair->key->text);

			if (inside && !is_default(inside, pair->value, gates))
				return false;
		}
		return true;
	}
	if (value->kind == YAML_TREE_LIST && value->item_count == 1)
		value = value->items[0];
	return standard && value->kind == YAML_TREE_SCALAR &&
	       strcmp(value->text, standard) == 0;
}

static void
complain_of(struct conf_reader *reader, const struct yaml_node *verify,
	    const char *const *keys, unsigned int gates, const char *because)
{
	for (; *keys; keys++) {
		const struct yaml_pair *pair = yaml_tree_find(verify, *keys);
		const struct schema_key *key =
			schema_find(&schema_verify, *keys);

		if (pair && key && !is_default(key, pair->value, gates))
			conf_complain(reader, &pair->key->at,
				      "`verify`: %s, so `%s` is never looked "
				      "at: take one of them out",
				      because, *keys);
	}
}

static bool
is_ca_none(const struct tls_verify *verify)
{
	return verify->ca_count == 1 && verify->cas[0].kind == TLS_CA_NONE;
}

/* One map of `verify` and what has become of it. */
static void
check_map(struct conf_reader *reader, const struct yaml_node *written,
	  const struct tls_verify *verify, bool is_server)
{
	/* policy_crl looks after `crl`. */
	static const char *const all[] = {
		"ca",
		"advertise_ca",
		"name",
		"depth",
		"allow",
		"scheme",
		"public_suffix",
		"partial_chain",
		"fingerprints",
		NULL,
	};
	static const char *const beside_pins[] = {
		"name",          "depth", "partial_chain", "scheme", "allow",
		"public_suffix", NULL,
	};
	static const char *const of_names[] = {"name", "public_suffix", NULL};
	unsigned int gates = is_server ? SCHEMA_ACCEPT : SCHEMA_CONNECT;

	if (tls_verify_mode_of(verify, is_server) == TLS_VERIFY_NONE)
		complain_of(reader, written, all, gates, "its mode is none");
	else if (is_ca_none(verify))
		complain_of(reader, written, beside_pins, gates,
			    "with `ca: none` only fingerprints count");
	else if (verify->scheme.is_none)
		complain_of(reader, written, of_names, gates,
			    "with `scheme: none` no name is compared");
}

/* Entries of `hosts` and what has become of them stand in the same order; one
 * that is no host name has become nothing. */
static void
check_hosts(struct conf_reader *reader, const struct yaml_node *hosts,
	    const struct tls_settings *settings, bool is_server)
{
	size_t next = 0;

	for (size_t i = 0; i < hosts->pair_count; i++) {
		const struct yaml_pair *pair = &hosts->pairs[i];
		const struct tls_host *host;
		const struct yaml_node *verify;

		if (next == settings->host_count)
			break;
		host = &settings->hosts[next];
		if (host->at.line != pair->key->at.line ||
		    host->at.column != pair->key->at.column)
			continue;
		next++;
		verify = find_map(pair->value, "verify");
		if (verify)
			check_map(reader, verify, &host->settings->verify,
				  is_server);
	}
}

void
conf_check_verify(struct conf_reader *reader, const struct yaml_node *tls,
		  const struct tls_settings *settings, bool is_server)
{
	const struct yaml_node *verify = find_map(tls, "verify");
	const struct yaml_node *hosts = find_map(tls, "hosts");

	if (!settings)
		return;
	if (verify)
		check_map(reader, verify, &settings->verify, is_server);
	if (hosts)
		check_hosts(reader, hosts, settings, is_server);
}
