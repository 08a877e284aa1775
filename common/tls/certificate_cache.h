/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One copy of what thousands of files share: the same few intermediates stand
 * in every chain file of a directory, and decoding one takes OpenSSL longer
 * than anything else about it.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_CACHE_H
#define SEALOCK_TLS_CERTIFICATE_CACHE_H

#include <stddef.h>
#include <openssl/types.h>

struct certificate_cache;
struct der;

struct certificate_cache *
certificate_cache_new(void);

/* NULL is legal. */
void
certificate_cache_free(struct certificate_cache *cache);

/* Decode a certificate, or hand out the one that was decoded from the same
 * bytes before; it is shared then and not to be changed. The caller frees it
 * with X509_free(). NULL when the bytes are not one certificate and nothing
 * else. The cache holds a bounded number, those that came first. */
X509 *
certificate_cache_decode(struct certificate_cache *cache,
			 const unsigned char *bytes, long length);

/* The chain that begins with this issuer and goes on among authorities (the
 * cache's own, the issuer is one of them), without a root: DER, shared by all
 * that have the same one. The array (mem_free()) and its references are the
 * caller's; never NULL but at the end of OpenSSL's memory. */
struct der **
certificate_cache_chain(struct certificate_cache *cache, X509 *issuer,
			X509 *const *authorities, size_t count,
			size_t *chain_count);

#endif
