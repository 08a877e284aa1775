/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking things up in the table of keys. Its rows are in schema_global.c and
 * the files of its subjects, in the order in which they are printed;
 * help is one line that begins in lower case and has no full stop.
 */
#include "common/conf/schema.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/conf/schema_rows.h"

#define FIRST_RELEASE "0.1"

const struct schema_map *const schema_maps[] = {
	&schema_document,      &schema_global,   &schema_user,
	&schema_log,           &schema_resolver, &schema_defaults,
	&schema_service,       &schema_accept,   &schema_keepalive,
	&schema_connect,       &schema_tls,      &schema_certificate,
	&schema_staple,        &schema_verify,   &schema_crl,
	&schema_ocsp,          &schema_allow,    &schema_session,
	&schema_session_cache, &schema_tickets,  &schema_timeouts,
	&schema_authorize,     &schema_buffers,
};

const size_t schema_map_count = ARRAY_SIZE(schema_maps);

const struct schema_key *
schema_find(const struct schema_map *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i].name, name) == 0)
			return &map->keys[i];
	return NULL;
}

const struct schema_key *
schema_main(const struct schema_map *map)
{
	return map->main ? schema_find(map, map->main) : NULL;
}

bool
schema_is_on(const struct schema_key *key, unsigned int gates)
{
	return key->gates == 0 || (gates & ~key->gates) == 0;
}

const char *
schema_standard(const struct schema_key *key, unsigned int gates)
{
	if (!key->standard_accept || !(gates & SCHEMA_ACCEPT))
		return key->standard;
	return gates == SCHEMA_ACCEPT && key->standard_accept[0] != '\0'
		       ? key->standard_accept
		       : NULL;
}

const char *
schema_since(const struct schema_key *key)
{
	return key->since ? key->since : FIRST_RELEASE;
}

bool
schema_is_list(const struct schema_key *key)
{
	switch ((int)key->type) {
	case SCHEMA_VERSIONS:
	case SCHEMA_INCLUDE:
		return true;
	case SCHEMA_COMMANDS:
	case SCHEMA_TLS_HOSTS:
	case SCHEMA_SERVICES:
		return false;
	default:
		return key->count_offset != 0;
	}
}
