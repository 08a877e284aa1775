/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of one set for the writer of the index: which there are, which
 * certificates stand under each, and the table in which they are found.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_INDEX_NAMES_H
#define SEALOCK_ROUTE_CERTIFICATE_INDEX_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct index_header;
struct index_name;
struct index_source;

struct index_names {
	/* In the order in which they first occur; first_member counts from
	 * members, the text is still 0. */
	struct index_name *names;
	const char **texts; /* borrowed from the certificates */
	uint32_t name_count;
	uint32_t *members; /* numbers of certificates in the set */
	uint32_t member_count;
	uint32_t *slots;
	uint32_t slot_count;
	uint32_t *first_names; /* of each certificate, or INDEX_NONE */
};

/* Make them for a set, with the header's hash key. */
void
index_names_make(const struct index_header *header,
		 const struct index_source *set, struct index_names *names);
void
index_names_clear(struct index_names *names);

#endif
