/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificate index: what is public of every certificate of a
 * configuration, in one piece of memory that whoever holds the keys writes and
 * all workers map. A certificate costs a worker nothing until a client asks
 * for it.
 *
 * The reader. It comes from another process: certificate_index_open() looks at
 * all of it once, and only then is any of it believed.
 */
#ifndef SEALOCK_ROUTE_CERTIFICATE_INDEX_H
#define SEALOCK_ROUTE_CERTIFICATE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "common/tls/certificate.h"

struct certificate_index;
struct error;

/* No name, and no other number either. */
#define INDEX_NONE UINT32_MAX

/* The certificates of a gate, or of an entry of `hosts` that has its own:
 * sections of the arrays of all. */
struct indexed_set {
	uint32_t first_certificate;
	uint32_t certificate_count;
	uint32_t first_name;
	uint32_t name_count;
	uint32_t first_slot;
	uint32_t slot_count;
};

/* A certificate of a set, in the memory of the index. */
struct indexed_certificate {
	uint8_t key_id[KEY_ID_SIZE];
	uint8_t digest[32]; /* SHA-256 of the leaf's DER */
	int64_t not_before_ms;
	int64_t not_after_ms;
	uint32_t leaf; /* a blob: its DER */
	uint32_t first_link;
	uint32_t link_count; /* of the chain: links are blobs, too */
	uint32_t source;     /* where in the text it is */
	uint32_t source_length;
	uint32_t first_name; /* the name it stands under first, or INDEX_NONE */
	uint32_t issuer;     /* a blob: of the leaf's issuer, or INDEX_NONE */
	uint32_t entry;      /* of `certificates`, whose it is */
	uint8_t type;        /* enum certificate_type */
	uint8_t is_default;
	uint8_t unused[6];
};

/* Map and check what a descriptor of a sealed memfd holds; the descriptor stays
 * the caller's. NULL with a sentence when it is no index, or one with anything
 * wrong in it. Counted, for one thread. */
struct certificate_index *
certificate_index_open(int descriptor, struct error *error);
struct certificate_index *
certificate_index_ref(struct certificate_index *index);

/* NULL is legal. */
void
certificate_index_unref(struct certificate_index *index);

size_t
certificate_index_set_count(const struct certificate_index *index);

/* A set by its number, below the count; its certificates are numbered in the
 * order of the configuration. All borrowed from the index. */
const struct indexed_set *
certificate_index_set(const struct certificate_index *index, size_t number);
const struct indexed_certificate *
certificate_index_certificate(const struct certificate_index *index,
			      const struct indexed_set *set, size_t number);
const char *
certificate_index_source(const struct certificate_index *index,
			 const struct indexed_certificate *certificate);

/* The certificates that stand under exactly this text, a normalized name or a
 * wildcard, in their order: how many. Each of *members is a number for
 * certificate_index_certificate(). */
size_t
certificate_index_find(const struct certificate_index *index,
		       const struct indexed_set *set, const char *name,
		       const uint32_t **members);

/* The name that a certificate stands under first; NULL: none. */
const char *
certificate_index_first_name(const struct certificate_index *index,
			     const struct indexed_set *set,
			     const struct indexed_certificate *certificate);

/* The DER of a leaf, and of its issuer (NULL when it is not known). */
const unsigned char *
certificate_index_leaf(const struct certificate_index *index,
		       const struct indexed_certificate *certificate,
		       size_t *length);
const unsigned char *
certificate_index_issuer(const struct certificate_index *index,
			 const struct indexed_certificate *certificate,
			 size_t *length);

/* A certificate decoded, for a context: leaf and chain, type, digest, key id,
 * dates and source, without private key and names. The caller's reference;
 * NULL with a sentence when its DER is none. */
struct certificate *
certificate_index_decode(const struct certificate_index *index,
			 const struct indexed_certificate *certificate,
			 struct error *error);

#endif
