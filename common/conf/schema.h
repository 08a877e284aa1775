/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * THE table of keys. The loader, the checker, `check --print`, the JSON
 * Schema and the reference part of the manual read it, so they cannot
 * disagree. A new key is one row (in the schema_*.c of its subject) and one
 * place that uses its field.
 */
#ifndef SEALOCK_CONF_SCHEMA_H
#define SEALOCK_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf/conf.h"

/* What a value is, and what stands at its offset. */
enum schema_type {
	SCHEMA_BOOLEAN,        /* bool */
	SCHEMA_CHOICE,         /* enum tls_choice: a boolean */
	SCHEMA_UNSIGNED,       /* unsigned int */
	SCHEMA_DURATION,       /* int64_t, milliseconds */
	SCHEMA_SIZE,           /* size_t, bytes */
	SCHEMA_WORD,           /* an enum */
	SCHEMA_STRING,         /* char * */
	SCHEMA_PATH,           /* char *, made absolute */
	SCHEMA_FILE,           /* the same, or credential:NAME */
	SCHEMA_HOST,           /* char *, a host name or an IP address */
	SCHEMA_PEM,            /* char *, inline: never printed */
	SCHEMA_STORE,          /* char *, a URI: its query is never printed */
	SCHEMA_STRINGS,        /* char ** */
	SCHEMA_PATHS,          /* char **, made absolute */
	SCHEMA_HOSTS,          /* char **, host names, wildcards, addresses */
	SCHEMA_SERVERS,        /* char **, IP addresses with or without port */
	SCHEMA_LOG_TARGET,     /* char *: stderr, file:PATH, syslog:FACILITY */
	SCHEMA_UNIX_PATH,      /* struct address, unix:/PATH; a word: none */
	SCHEMA_LISTEN_ADDRESS, /* struct conf_address * */
	SCHEMA_CONNECT_ADDRESS,
	SCHEMA_VERSIONS,     /* unsigned int, enum tls_version */
	SCHEMA_SERVER_NAME,  /* struct schema_server_name */
	SCHEMA_DH,           /* struct tls_dh */
	SCHEMA_CA,           /* struct tls_ca * */
	SCHEMA_FINGERPRINTS, /* struct fingerprint * */
	SCHEMA_SCHEME,       /* struct verify_scheme */
	SCHEMA_SUFFIXES,     /* struct tls_suffixes */
	SCHEMA_RULES,        /* struct peer_rule *, of the kind that the key is
			      * called by */
	SCHEMA_SECRET,       /* struct secret */
	SCHEMA_COMMANDS,     /* struct tls_command *: words and their values */
	SCHEMA_MAP,          /* a struct, filled by ->map */
	SCHEMA_TLS,  /* struct tls_settings *: NULL unless it is there */
	SCHEMA_LOGS, /* struct conf_log *, each filled by ->map */
	SCHEMA_CERTIFICATES, /* struct certificate_spec *, the same */
	SCHEMA_TLS_HOSTS,    /* struct tls_host *, by name */
	SCHEMA_SERVICES,     /* struct conf_service *, by name */
	SCHEMA_INCLUDE,      /* no field: conf_documents_read() has done it */
};

/* On which gate a key may stand; both: on either. 0: it has to do with none. */
enum schema_gate {
	SCHEMA_ACCEPT = 1 << 0,
	SCHEMA_CONNECT = 1 << 1,
	SCHEMA_BOTH = SCHEMA_ACCEPT | SCHEMA_CONNECT,
};

enum schema_flag {
	SCHEMA_OR_ZERO = 1 << 0,     /* 0 is legal though below the least */
	SCHEMA_BY_PROFILE = 1 << 1,  /* the profile says what an unset one is */
	SCHEMA_OWN = 1 << 2,         /* in a service, not in defaults */
	SCHEMA_NOT_BY_NAME = 1 << 3, /* not in an entry of `hosts` */
	SCHEMA_SCALAR_ONLY = 1 << 4, /* has no name: the map is a scalar */
	SCHEMA_REQUIRED = 1 << 6,    /* the map means nothing without it */
	SCHEMA_MAIN_FILE = 1 << 5,   /* not in an included file */
};

struct schema_word {
	const char *word; /* NULL: the last one */
	unsigned int value;
	const char *help;
};

struct schema_map;

struct schema_key {
	const char *name;
	enum schema_type type;
	unsigned int gates;
	unsigned int flags;
	size_t offset;
	size_t count_offset;   /* of a list's size_t; 0: no list */
	size_t at_offset;      /* of a struct position; 0: none */
	size_t default_offset; /* of a bool: not written; 0: none */
	uint64_t least;        /* UNSIGNED, DURATION, SIZE */
	uint64_t most;
	const struct schema_word *words; /* WORD; of UNSIGNED, PATH and
					  * UNIX_PATH: what may stand instead */
	const struct schema_map *map;
	const char *standard; /* the default, as it would be written; NULL: */
	const char *standard_accept; /* another one on the accept gate; "": none
				      * there, NULL: the same */
	const char *otherwise;       /* what holds when it is not written */
	const char *since;           /* NULL: the first release */
	const char *help;
};

struct schema_map {
	const char *name; /* for headings and messages */
	const char *help;
	const struct schema_key *keys;
	size_t count;
	const char *main; /* a scalar (or list) is this key's value, or NULL */
	const char *const *one_of; /* exactly one of these must stand in it;
				    * ends with NULL; or NULL */
	size_t size;               /* of the struct */
};

/* What the rows of some maps fill before it goes into its final struct. */
struct schema_defaults {
	struct conf_accept accept;
	struct conf_connect connect;
	struct conf_timeouts timeouts;
	struct conf_authorize authorize;
	struct conf_buffers buffers;
	struct tls_settings *tls;
};

struct schema_log {
	char *to;
	unsigned int level;
	unsigned int what; /* SCHEMA_LOG_EVENTS | SCHEMA_LOG_ACCESS */
	unsigned int form;
};

#define SCHEMA_LOG_EVENTS 1U
#define SCHEMA_LOG_ACCESS 2U

struct schema_certificate {
	char *file;
	char *chain;
	char *key;
	char *pkcs12;
	char *directory;
	char *pem;
	char *store;
	char **self_signed;
	size_t self_signed_count;
	struct secret passphrase;
	char **names;
	size_t name_count;
	bool is_default;
	struct tls_staple staple;
};

/* The document, and what it is made of. */
extern const struct schema_map schema_document;
extern const struct schema_map schema_service;
extern const struct schema_map schema_defaults;
extern const struct schema_map schema_tls;

/* All maps, each once, those that stand in others after them. */
extern const struct schema_map *const schema_maps[];
extern const size_t schema_map_count;

/* The row of that name, or NULL. */
const struct schema_key *
schema_find(const struct schema_map *map, const char *name);

/* The row that a scalar in place of the map fills, or NULL. */
const struct schema_key *
schema_main(const struct schema_map *map);

/* May the row stand on all of these gates? */
bool
schema_is_on(const struct schema_key *key, unsigned int gates);

/* The default on these gates, or NULL. */
const char *
schema_standard(const struct schema_key *key, unsigned int gates);

/* The release since which the key is there. */
const char *
schema_since(const struct schema_key *key);

/* What is expected of a value, in words, for messages and the manual: "a
 * duration such as 500ms, 30s, 5m, 12h or 7d". Returns buffer. */
const char *
schema_expected(const struct schema_key *key, char *buffer, size_t size);

/* Is the value a list, so that a single one stands for a list of one? */
bool
schema_is_list(const struct schema_key *key);

#endif
