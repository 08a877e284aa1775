/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is it an index, and right in every part?
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_INDEX_CHECK_H
#define SEALOCK_ROUTE_CERTIFICATE_INDEX_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct index_blob;
struct index_header;
struct index_name;
struct indexed_certificate;
struct indexed_set;

/* The sections in memory. */
struct index_sections {
	const struct index_header *header;
	const struct indexed_set *sets;
	const struct indexed_certificate *certificates;
	const struct index_blob *blobs;
	const struct index_name *names;
	const uint32_t *members;
	const uint32_t *slots;
	const uint32_t *links;
	const char *text;
	const unsigned char *der;
};

/* One pass over everything but the DER, which is decoded when it is needed:
 * counts, numbers, texts, names, and that each name is found. Memory is aligned
 * to 8 bytes and does not change. -1 with a sentence about "it". */
int
certificate_index_check(const void *memory, size_t size,
			struct index_sections *sections, struct error *error)
	__attribute__((warn_unused_result));

#endif
