/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written and has no effect is a mistake: whoever wrote `allow` means
 * somebody to be kept out. What comes from defaults is nobody's. Private to
 * common/conf.
 */
#ifndef SEALOCK_CONF_CHECK_WRITTEN_H
#define SEALOCK_CONF_CHECK_WRITTEN_H

#include <stdbool.h>

struct conf_reader;
struct schema_map;
struct tls_settings;
struct yaml_node;

/* The map under that key, or NULL; map may be NULL, or no map. */
const struct yaml_node *
conf_written_map(const struct yaml_node *map, const char *key);

/* Has something been written there, be it rightly or not? */
bool
conf_is_written(const struct yaml_node *map, const char *key);

/* Complain of those keys (the last is NULL) that are written in `map`, but as
 * something else than what holds without being written: a configuration that
 * was printed has every default in it. */
void
conf_complain_unused(struct conf_reader *reader, const struct schema_map *map,
		     const struct yaml_node *written, const char *const *keys,
		     unsigned int gates, const char *because);

/* A tls map as it was written and what has become of it. */
typedef void
conf_check_tls(struct conf_reader *reader, const struct yaml_node *written,
	       const struct tls_settings *settings, bool is_server);

/* Call it for a gate's tls and for each entry of its hosts; both may be
 * NULL. */
void
conf_check_each_tls(struct conf_reader *reader, const struct yaml_node *tls,
		    const struct tls_settings *settings, bool is_server,
		    conf_check_tls *check);

#endif
