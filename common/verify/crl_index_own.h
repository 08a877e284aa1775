/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index in this process, for the files that make it up.
 */
#ifndef SEALOCK_VERIFY_CRL_INDEX_OWN_H
#define SEALOCK_VERIFY_CRL_INDEX_OWN_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/verify/crl_index_parts.h"

struct crl_finding;

/* Two are enough for a CA that takes a new key. */
#define CRL_KNOWN_KEYS 2

/* Whether a list is signed with a key, by what that key hashes to. */
struct crl_known {
	struct {
		uint8_t key[32];
		bool is_there;
		bool is_good;
	} keys[CRL_KNOWN_KEYS];
	unsigned int next; /* whose place the next one takes */
	bool is_expiry_told;
};

struct crl_index {
	LIST_ENTRY(crl_index) entries;
	unsigned int references;
	dev_t device; /* of the memfd, by which it is known */
	ino_t inode;
	unsigned char *memory;
	size_t size;
	const struct crl_index_header *header;
	const struct crl_list *lists;
	struct crl_known *known; /* of each list */
};

/* A finding that is based on that list. */
void
crl_index_fill(const struct crl_index *index, const struct crl_list *list,
	       struct crl_finding *finding);

#endif
