/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificates of one gate, found by server name: a set of the index as
 * those see it who choose. Several may stand under one name, one for each type
 * of key: the client's abilities decide between them, in OpenSSL.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_SET_H
#define SEALOCK_ROUTE_CERTIFICATE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/route/certificate_index.h"

struct certificate_set {
	const struct certificate_index *index; /* lent */
	const struct indexed_set *set;
	const struct indexed_certificate *defaults[CERTIFICATE_TYPE_COUNT];
	size_t default_count;
};

/* The set of that number, below the index's count. */
void
certificate_set_init(struct certificate_set *set,
		     const struct certificate_index *index, size_t number);

bool
certificate_set_is_empty(const struct certificate_set *set);

/* The certificates for a normalized name, at most one of a type, borrowed:
 * of each type the one that names it exactly, else a wildcard's. Returns how
 * many; 0: none has that name. */
size_t
certificate_set_find(
	const struct certificate_set *set, const char *name,
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT]);

/* Those for clients that name nothing that is there: the ones marked as
 * default, else the first one with those of other types for its name. */
size_t
certificate_set_default(
	const struct certificate_set *set,
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT]);

/* The first one of each type that is valid now: what a client has to offer,
 * whose server decides by type. */
size_t
certificate_set_each_type(
	const struct certificate_set *set,
	const struct indexed_certificate *chosen[CERTIFICATE_TYPE_COUNT]);

#endif
