/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Server names to values, exact before wildcard, in constant time: a hash
 * table of names in which *.example.org stands under its own text and matches
 * one label (RFC 9525 6.3). Several values may stand under one name; they come
 * out in the order in which they went in.
 */
#ifndef SEALOCK_ROUTE_NAME_INDEX_H
#define SEALOCK_ROUTE_NAME_INDEX_H

#include <stddef.h>

struct name_index;

/* The values of one name, linked; borrowed from the index. */
struct name_value {
	struct name_value *next;
	void *value;
};

struct name_index *
name_index_new(void);

/* The values belong to the caller; NULL is legal. */
void
name_index_free(struct name_index *index);

/* Add a value under a normalized name or wildcard (hostname.h); copies the
 * name. The same value twice under one name is kept once. */
void
name_index_add(struct name_index *index, const char *pattern, void *value);

/* The values of exactly this text, or NULL. */
const struct name_value *
name_index_exact(const struct name_index *index, const char *name);

/* The values of the wildcard that matches this name (its first label
 * replaced by "*"), or NULL. */
const struct name_value *
name_index_wildcard(const struct name_index *index, const char *name);

/* How many names there are, wildcards included. */
size_t
name_index_count(const struct name_index *index);

#endif
