/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format, for its writer and its reader. Numbers are the machine's own, as
 * the index never leaves it. Sections follow one another without a gap, and
 * each element's parts follow those of the one before: there is one way only to
 * write an index, and every number in it can be foretold.
 *
 *	header
 *	sets		struct indexed_set
 *	certificates	struct indexed_certificate, set by set
 *	blobs		struct index_blob: where a DER is; each is there once
 *	names		struct index_name, set by set
 *	members		u32: for each name its certificates, in their set
 *	slots		u32: for each set a hash table of names, in their set
 *			plus one; 0 is free
 *	links		u32: for each certificate the blobs of its chain
 *	text		names, then sources, each with a NUL
 *	DER
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_INDEX_PARTS_H
#define SEALOCK_ROUTE_CERTIFICATE_INDEX_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_MAGIC 0x3178646e6b636c73 /* "slckndx1" */

/* How far from its place in the table a name may stand. */
#define INDEX_PROBES_MAX 64

/* At least so many slots a name: a table is nowhere crowded. */
#define INDEX_SLOTS_PER_NAME 4

/* Certificates in a chain; longer ones than certificate_chain makes. */
#define INDEX_LINKS_MAX 64

/* A source that is longer is cut off by the writer. */
#define INDEX_SOURCE_MAX 16384

#define INDEX_DER_MAX ((uint32_t)16 << 20)

struct index_header {
	uint64_t magic;
	uint64_t size;        /* of it all */
	uint64_t hash_key[2]; /* SipHash, of the certificates */
	uint32_t set_count;
	uint32_t certificate_count;
	uint32_t blob_count;
	uint32_t name_count;
	uint32_t member_count;
	uint32_t slot_count;
	uint32_t link_count;
	uint32_t text_size;
	uint64_t der_size;
};

struct index_blob {
	uint64_t offset; /* in the DER */
	uint32_t length;
	uint32_t unused;
};

struct index_name {
	uint32_t text;
	uint32_t length;
	uint32_t first_member;
	uint32_t member_count;
	uint32_t slot; /* in the set's table */
};

/* Where each section begins. */
struct index_layout {
	uint64_t sets;
	uint64_t certificates;
	uint64_t blobs;
	uint64_t names;
	uint64_t members;
	uint64_t slots;
	uint64_t links;
	uint64_t text;
	uint64_t der;
	uint64_t size;
};

/* What the counts of a header come to; they cannot overflow. False: der_size is
 * beyond everything. */
bool
index_layout_compute(const struct index_header *header,
		     struct index_layout *layout);

/* The slot where a name would like to stand. */
uint32_t
index_home(const struct index_header *header, uint32_t slot_count,
	   const char *name, size_t length);

#endif
