/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format, for its writer and its reader. Numbers are the machine's own, as
 * the index never leaves it.
 *
 *	header
 *	of each list, in the order in which they were read:
 *		dates		i64: when each certificate was revoked
 *		reasons		u8
 *		serials		a byte of length, the serial number, zeros, so
 *				that all have one size; in the order of
 *				memcmp(3)
 *		issuer		DER
 *		key id
 *		number
 *		algorithm	DER
 *		signature
 *		names		DER
 *		source		text with its NUL
 *		message		what was signed: its digest, or itself
 *		zeros up to a multiple of 8
 *	lists		struct crl_list, by issuer, the newest first
 */
#ifndef SEALOCK_VERIFY_CRL_INDEX_PARTS_H
#define SEALOCK_VERIFY_CRL_INDEX_PARTS_H

#include <stdint.h>

#include "common/verify/crl_parse.h"

#define CRL_INDEX_MAGIC 0x31786e6c72636c73 /* "slcrlnx1" */

#define CRL_INDEX_LISTS_MAX  65536U
#define CRL_INDEX_SOURCE_MAX 4096

#define CRL_INDEX_DIGEST_SIZE 32

struct crl_index_header {
	uint64_t magic;
	uint64_t size;  /* of it all */
	uint64_t lists; /* where they are */
	uint32_t list_count;
	uint32_t unused;
	uint8_t digest[CRL_INDEX_DIGEST_SIZE]; /* of what was read */
};

struct crl_list {
	uint64_t at; /* where its parts begin, a multiple of 8 */
	int64_t this_update;
	int64_t next_update;
	uint32_t issuer_hash; /* of the canonical name */
	uint32_t scope;       /* enum crl_scope */
	uint32_t entry_count;
	uint32_t serial_size; /* with the byte of its length; 0: no entries */
	uint32_t issuer_length;
	uint32_t key_id_length; /* 0: it names no key */
	uint32_t number_length; /* 0: it has none */
	uint32_t algorithm_length;
	uint32_t signature_length;
	uint32_t names_length; /* 0: it is no shard */
	uint32_t source_length;
	uint32_t message_length;
};

/* Where each part of a list begins, from the start of the index. */
struct crl_layout {
	uint64_t dates;
	uint64_t reasons;
	uint64_t serials;
	uint64_t issuer;
	uint64_t key_id;
	uint64_t number;
	uint64_t algorithm;
	uint64_t signature;
	uint64_t names;
	uint64_t source;
	uint64_t message;
	uint64_t end; /* a multiple of 8 */
};

/* Cannot overflow for an `at` below half of all numbers. */
void
crl_layout_compute(const struct crl_list *list, struct crl_layout *layout);

#endif
