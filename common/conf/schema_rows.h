/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rows of the table are written with, and the maps that stand in
 * others. Only the files of the table include it.
 */
#ifndef SEALOCK_CONF_SCHEMA_ROWS_H
#define SEALOCK_CONF_SCHEMA_ROWS_H

#include "common/base/mem.h"
#include "common/conf/schema.h"

#define SECOND ((uint64_t)1000)
#define DAY    (86400 * SECOND)
#define YEAR   (365 * DAY)

#define AT(type, field)    .offset = offsetof(type, field)
#define COUNT(type, field) .count_offset = offsetof(type, field)
#define WHERE(type, field) .at_offset = offsetof(type, field)

#define MAP(map_name, rows, type, main_key, help_text)                   \
	{                                                                \
		.name = (map_name), .help = (help_text), .keys = (rows), \
		.count = ARRAY_SIZE(rows), .main = (main_key),           \
		.size = sizeof(type)                                     \
	}

extern const struct schema_map schema_accept;
extern const struct schema_map schema_allow;
extern const struct schema_map schema_authorize;
extern const struct schema_map schema_buffers;
extern const struct schema_map schema_certificate;
extern const struct schema_map schema_connect;
extern const struct schema_map schema_crl;
extern const struct schema_map schema_global;
extern const struct schema_map schema_keepalive;
extern const struct schema_map schema_log;
extern const struct schema_map schema_ocsp;
extern const struct schema_map schema_resolver;
extern const struct schema_map schema_session;
extern const struct schema_map schema_session_cache;
extern const struct schema_map schema_tickets;
extern const struct schema_map schema_staple;
extern const struct schema_map schema_timeouts;
extern const struct schema_map schema_user;
extern const struct schema_map schema_verify;

#endif
