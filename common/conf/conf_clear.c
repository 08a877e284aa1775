/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Freeing what the table's keys own.
 */
#include "common/conf/conf_reader.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/net/address.h"
#include "common/tls/tls_settings.h"
#include "common/verify/fingerprint.h"

/* Free one element of a list of structs. */
static void
clear_element(const struct schema_key *key, void *element)
{
	switch ((int)key->type) {
	case SCHEMA_STRINGS:
	case SCHEMA_PATHS:
	case SCHEMA_HOSTS:
	case SCHEMA_SERVERS:
		mem_free(*(char **)element);
		break;
	case SCHEMA_LISTEN_ADDRESS:
	case SCHEMA_CONNECT_ADDRESS:
		address_clear(&((struct conf_address *)element)->address);
		break;
	case SCHEMA_LOGS:
		mem_free(((struct conf_log *)element)->path);
		break;
	case SCHEMA_CERTIFICATES:
		certificate_spec_clear(element);
		break;
	case SCHEMA_CA:
		mem_free(((struct tls_ca *)element)->text);
		break;
	case SCHEMA_RULES:
		peer_rule_clear(element);
		break;
	case SCHEMA_COMMANDS:
		mem_free(((struct tls_command *)element)->command);
		mem_free(((struct tls_command *)element)->value);
		break;
	case SCHEMA_TLS_HOSTS:
		tls_host_clear(element);
		break;
	case SCHEMA_SERVICES:
		mem_free(((struct conf_service *)element)->name);
		conf_clear_map(key->map, element);
		break;
	default:
		break;
	}
}

static size_t
element_size(enum schema_type type)
{
	switch ((int)type) {
	case SCHEMA_LISTEN_ADDRESS:
	case SCHEMA_CONNECT_ADDRESS:
		return sizeof(struct conf_address);
	case SCHEMA_LOGS:
		return sizeof(struct conf_log);
	case SCHEMA_CERTIFICATES:
		return sizeof(struct certificate_spec);
	case SCHEMA_CA:
		return sizeof(struct tls_ca);
	case SCHEMA_FINGERPRINTS:
		return sizeof(struct fingerprint);
	case SCHEMA_RULES:
		return sizeof(struct peer_rule);
	case SCHEMA_COMMANDS:
		return sizeof(struct tls_command);
	case SCHEMA_TLS_HOSTS:
		return sizeof(struct tls_host);
	case SCHEMA_SERVICES:
		return sizeof(struct conf_service);
	default:
		return sizeof(char *);
	}
}

static void
clear_list(const struct schema_key *key, void *base)
{
	size_t *count = conf_field(base, key->count_offset);
	void *field = conf_field(base, key->offset);
	char *array;

	memcpy(&array, field, sizeof(array));
	for (size_t i = 0; i < *count; i++)
		clear_element(key, array + i * element_size(key->type));
	mem_free(array);
	memset(field, 0, sizeof(array));
	*count = 0;
}

static void
clear_string(void *field)
{
	char **text = field;

	mem_free(*text);
	*text = NULL;
}

static void
clear_tls(void *field)
{
	struct tls_settings **settings = field;

	if (*settings)
		tls_settings_clear(*settings);
	mem_free(*settings);
	*settings = NULL;
}

void
conf_clear_key(const struct schema_key *key, void *base)
{
	void *field = conf_field(base, key->offset);

	if (key->count_offset != 0) {
		clear_list(key, base);
		return;
	}
	switch ((int)key->type) {
	case SCHEMA_STORE:
	case SCHEMA_STRING:
	case SCHEMA_PATH:
	case SCHEMA_FILE:
	case SCHEMA_HOST:
	case SCHEMA_PEM:
	case SCHEMA_LOG_TARGET:
		clear_string(field);
		break;
	case SCHEMA_SERVER_NAME:
		clear_string(field);
		((struct tls_settings *)base)->server_name_kind =
			TLS_SERVER_NAME_BACKEND;
		break;
	case SCHEMA_UNIX_PATH:
		address_clear(field);
		break;
	case SCHEMA_DH:
		clear_string(&((struct tls_dh *)field)->text);
		break;
	case SCHEMA_SUFFIXES:
		clear_string(&((struct tls_suffixes *)field)->path);
		break;
	case SCHEMA_SECRET:
		secret_clear(field);
		break;
	case SCHEMA_MAP:
		conf_clear_map(key->map, field);
		break;
	case SCHEMA_TLS:
		clear_tls(field);
		break;
	default:
		break;
	}
}

void
conf_clear_map(const struct schema_map *map, void *base)
{
	for (size_t i = 0; i < map->count; i++)
		conf_clear_key(&map->keys[i], base);
}
