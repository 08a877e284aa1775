/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is loaded in one go: a file with certificates and keys, or one with its
 * key's. A unit is known by its content; what an earlier loading made of the
 * same content is taken over from there. So that not even all content has to be
 * read, it is known by its files' stamps, too: the same file, of the same size,
 * last changed at the same time.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_UNIT_H
#define SEALOCK_TLS_CERTIFICATE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/file_set.h"

struct certificate_cache;
struct certificate_loading;
struct certificate_record;
struct certificate_spec;
struct record_list;

#define UNIT_DIGEST_SIZE 32

/* What came of units, by their digests. Only looked at once it is made, by any
 * thread. */
struct certificate_units;
struct certificate_units *
certificate_units_new(void);

/* NULL is legal. */
void
certificate_units_free(struct certificate_units *units);

/* Certificates that are loaded as records. */
struct unit_loading {
	struct record_list *list;               /* what is loaded */
	struct certificate_units *units;        /* to be filled */
	struct certificate_cache *cache;        /* what many have in common */
	const struct certificate_units *before; /* NULL: there are none */
	/* What all units of an entry have in common. */
	unsigned char digest[UNIT_DIGEST_SIZE];
};

/* Begin with the units of an entry: its digest. */
void
unit_loading_begin(struct unit_loading *loading,
		   const struct certificate_spec *spec, const char *passphrase);

/* One unit while it is loaded. */
struct certificate_unit {
	const char *name;
	const char *key_name; /* NULL: the key is in the same file */
	struct blob bytes;
	struct blob key_bytes;
	bool is_read;
	/* Until then nothing depends on the time: what is valid now stays so,
	 * what is not as well. */
	int64_t good_until_ms;
	unsigned char digest[UNIT_DIGEST_SIZE];
	bool has_stamp;
	unsigned char stamp[UNIT_DIGEST_SIZE];
	size_t first;    /* of the records that came of it */
	size_t problems; /* before it */
};

/* Read a unit's files. True: it is loaded, from before or at a glance; else it
 * is to be loaded the long way, for which the bytes are there, and to be ended.
 * Where records are not asked for, nothing is done. */
bool
certificate_unit_begin(struct certificate_unit *unit,
		       const struct certificate_loading *loading,
		       const char *name, const char *key_name);

/* Note that there is a certificate with these dates in it. */
void
certificate_unit_note_dates(struct certificate_unit *unit,
			    int64_t not_before_ms, int64_t not_after_ms);

/* Remember what came of it, unless there were problems; wipes the bytes. */
void
certificate_unit_end(struct certificate_unit *unit,
		     const struct certificate_loading *loading);

#endif
