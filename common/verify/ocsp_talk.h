/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said between who wants to know of certificates whether they have
 * been revoked and who finds it out.
 */
#ifndef SEALOCK_VERIFY_OCSP_TALK_H
#define SEALOCK_VERIFY_OCSP_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#include "common/base/buf.h"
#include "common/verify/ocsp_answer.h"

/* So many certificates are asked about at once. */
#define OCSP_ASK_MAX 16

/* Certificates and their issuers, which have been verified. */
struct ocsp_ask {
	struct ocsp_pair pairs[OCSP_ASK_MAX]; /* references */
	size_t count;
	char *http_proxy; /* NULL: none */
	bool is_nonce;
};

/* What has been found out of one of them. */
struct ocsp_told {
	enum ocsp_status status;
	int64_t valid_until; /* seconds since 1970; 0 when unusable */
	char sentence[256];  /* what is wrong, fit to be shown; "" when good */
};

/* -1: it is more than the writer has room for. */
int
ocsp_ask_encode(const struct ocsp_ask *ask, struct buf_writer *writer)
	__attribute__((warn_unused_result));

/* The whole rest of the reader. -1: that is nothing we would have written;
 * ocsp_ask_clear() is needed after 0 alone. */
int
ocsp_ask_decode(struct buf_reader *reader, struct ocsp_ask *ask)
	__attribute__((warn_unused_result));

void
ocsp_ask_clear(struct ocsp_ask *ask);

/* The same certificates, asked about in the same way? */
bool
ocsp_ask_is_same(const struct ocsp_ask *one, const struct ocsp_ask *other);

/* Add a pair, of which references are taken. */
void
ocsp_ask_add(struct ocsp_ask *ask, const struct ocsp_pair *pair);

void
ocsp_told_encode(const struct ocsp_told *told, size_t count,
		 struct buf_writer *writer);

/* The whole rest of the reader, which has to be about count certificates, into
 * as many elements. -1: that is nothing we would have written. */
int
ocsp_told_decode(struct buf_reader *reader, struct ocsp_told *told,
		 size_t count) __attribute__((warn_unused_result));

#endif
