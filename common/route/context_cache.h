/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SSL_CTXs by what is in them: a policy's digest and the digests of the
 * certificates. Made when first asked for and kept in a bounded LRU, so that
 * 50,000 names cost nothing until their clients come, and equal settings
 * share one context whichever service they stand in.
 */
#ifndef SEALOCK_ROUTE_CONTEXT_CACHE_H
#define SEALOCK_ROUTE_CONTEXT_CACHE_H

#include <stddef.h>
#include <openssl/types.h>

struct certificate_index;
struct context_cache;
struct error;
struct indexed_certificate;
struct tls_policy;

/* At most capacity contexts are kept; those in use by connections live on
 * outside of it. */
struct context_cache *
context_cache_new(size_t capacity);
void
context_cache_free(struct context_cache *cache);

/* The context for a policy with these certificates of the index (at most one
 * of a type); borrowed, valid until the next call. stapled: a set of 1 << type,
 * of those whose staples are sent (staple_table.h). NULL with a sentence when
 * OpenSSL refuses. */
SSL_CTX *
context_cache_get(struct context_cache *cache, const struct tls_policy *policy,
		  const struct certificate_index *index,
		  const struct indexed_certificate *const *certificates,
		  size_t count, unsigned int stapled, struct error *error);

/* The same in a context of the caller's own. */
SSL_CTX *
context_make(const struct tls_policy *policy,
	     const struct certificate_index *index,
	     const struct indexed_certificate *const *certificates,
	     size_t count, unsigned int stapled, struct error *error);

/* How many there are now. */
size_t
context_cache_count(const struct context_cache *cache);

#endif
