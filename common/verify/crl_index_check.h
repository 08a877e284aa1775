/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is it an index of revocation lists, and right in every part?
 */
#ifndef SEALOCK_VERIFY_CRL_INDEX_CHECK_H
#define SEALOCK_VERIFY_CRL_INDEX_CHECK_H

#include <stddef.h>

struct error;

/* One pass over everything but the DER, which is decoded when it is needed.
 * Memory is aligned to 8 bytes and does not change. -1 with a sentence about
 * "it". */
int
crl_index_check_all(const void *memory, size_t size, struct error *error)
	__attribute__((warn_unused_result));

#endif
