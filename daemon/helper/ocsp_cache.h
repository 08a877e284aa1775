/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has been found out about certificates, for as long as it holds: at most
 * so many, and of those that are too many the ones go that nobody has asked
 * about for the longest time.
 */
#ifndef SEALOCK_HELPER_OCSP_CACHE_H
#define SEALOCK_HELPER_OCSP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/verify/ocsp_talk.h"

struct ocsp_cache;

struct ocsp_cache *
ocsp_cache_new(size_t size);

/* NULL is legal. */
void
ocsp_cache_free(struct ocsp_cache *cache);

/* How many there may be from now on. */
void
ocsp_cache_set_size(struct ocsp_cache *cache, size_t size);

size_t
ocsp_cache_count(const struct ocsp_cache *cache);

/* What is known now (seconds since 1970) under a key of OCSP_KEY_SIZE bytes.
 * False: nothing. */
bool
ocsp_cache_find(struct ocsp_cache *cache, const unsigned char *key, int64_t now,
		struct ocsp_told *told);

/* Keep it until then, in place of what was known. */
void
ocsp_cache_put(struct ocsp_cache *cache, const unsigned char *key, int64_t now,
	       int64_t until, const struct ocsp_told *told);

#endif
