/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of fixed size with linear probing: when it is half full, it stays
 * as it is.
 */
#include "common/tls/certificate_cache.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_chain.h"
#include "common/tls/certificate_record.h"

#define SLOTS       512 /* a power of two */
#define ENTRIES_MAX 256

#define CHAINS_MAX            16
#define CHAIN_AUTHORITIES_MAX 8

struct cached {
	X509 *certificate; /* NULL: free */
	unsigned char *bytes;
	long length;
};

/* A chain that was built before. */
struct known_chain {
	X509 *issuer; /* NULL: free */
	X509 *authorities[CHAIN_AUTHORITIES_MAX];
	size_t authority_count;
	struct der **chain;
	size_t count;
};

struct certificate_cache {
	struct cached slots[SLOTS];
	size_t count;
	struct known_chain chains[CHAINS_MAX];
	size_t next_chain; /* the one to be forgotten next */
};

struct certificate_cache *
certificate_cache_new(void)
{
	return mem_alloc(sizeof(struct certificate_cache));
}

static void
forget_chain(struct known_chain *known)
{
	X509_free(known->issuer);
	for (size_t i = 0; i < known->authority_count; i++)
		X509_free(known->authorities[i]);
	for (size_t i = 0; i < known->count; i++)
		der_unref(known->chain[i]);
	mem_free(known->chain);
	*known = (struct known_chain){0};
}

void
certificate_cache_free(struct certificate_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < CHAINS_MAX; i++)
		forget_chain(&cache->chains[i]);
	for (size_t i = 0; i < SLOTS; i++) {
		X509_free(cache->slots[i].certificate);
		mem_free(cache->slots[i].bytes);
	}
	mem_free(cache);
}

static X509 *
decode(const unsigned char *bytes, long length)
{
	const unsigned char *at = bytes;
	X509 *certificate = d2i_X509(NULL, &at, length);

	if (certificate && at != bytes + length) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

X509 *
certificate_cache_decode(struct certificate_cache *cache,
			 const unsigned char *bytes, long length)
{
	size_t at = (size_t)hash_bytes(bytes, (size_t)length) % SLOTS;
	struct cached *slot;

	while ((slot = &cache->slots[at])->certificate &&
	       (slot->length != length ||
		memcmp(slot->bytes, bytes, (size_t)length) != 0))
		at = (at + 1) % SLOTS;
	if (!slot->certificate) {
		X509 *certificate = decode(bytes, length);

		if (!certificate || cache->count == ENTRIES_MAX)
			return certificate;
		*slot = (struct cached){certificate,
					mem_dup(bytes, (size_t)length), length};
		cache->count++;
	}
	return X509_up_ref(slot->certificate) ? slot->certificate : NULL;
}

static bool
is_chain_of(const struct known_chain *known, const X509 *issuer,
	    X509 *const *authorities, size_t count)
{
	if (known->issuer != issuer || known->authority_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (known->authorities[i] != authorities[i])
			return false;
	return true;
}

/* The issuer and what is above it; NULL when OpenSSL is out of memory. */
static STACK_OF(X509) *
build_chain(X509 *issuer, X509 *const *authorities, size_t count)
{
	AUTO_OPENSSL(x509_stack) STACK_OF(X509) *found = sk_X509_new_null();
	STACK_OF(X509) *chain;
	bool is_repaired;

	if (!found || (X509_get_extension_flags(issuer) & EXFLAG_SS))
		return TAKE(found);
	for (size_t i = 0; i < count; i++)
		if (!X509_add_cert(found, authorities[i], X509_ADD_FLAG_UP_REF))
			return NULL;
	chain = certificate_chain_build(issuer, found, NULL, &is_repaired);
	if (chain &&
	    !X509_add_cert(chain, issuer,
			   X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_PREPEND)) {
		sk_X509_pop_free(chain, X509_free);
		return NULL;
	}
	return chain;
}

static bool
learn_chain(struct known_chain *known, X509 *issuer, X509 *const *authorities,
	    size_t count)
{
	AUTO_OPENSSL(x509_stack)
	STACK_OF(X509) *built = build_chain(issuer, authorities, count);

	forget_chain(known);
	if (!built)
		return false;
	X509_up_ref(issuer);
	known->issuer = issuer;
	for (size_t i = 0; i < count; i++) {
		X509_up_ref(authorities[i]);
		known->authorities[i] = authorities[i];
	}
	known->authority_count = count;
	known->chain =
		mem_array((size_t)sk_X509_num(built), sizeof(struct der *));
	while (known->count < (size_t)sk_X509_num(built)) {
		known->chain[known->count] =
			der_of(sk_X509_value(built, (int)known->count));
		known->count++;
	}
	return true;
}

struct der **
certificate_cache_chain(struct certificate_cache *cache, X509 *issuer,
			X509 *const *authorities, size_t count,
			size_t *chain_count)
{
	struct known_chain *known = NULL;
	struct der **chain;

	assert(count <= CHAIN_AUTHORITIES_MAX);
	for (size_t i = 0; i < CHAINS_MAX && !known; i++)
		if (is_chain_of(&cache->chains[i], issuer, authorities, count))
			known = &cache->chains[i];
	if (!known) {
		known = &cache->chains[cache->next_chain];
		cache->next_chain = (cache->next_chain + 1) % CHAINS_MAX;
		if (!learn_chain(known, issuer, authorities, count))
			return NULL;
	}
	chain = mem_array(known->count, sizeof(struct der *));
	for (size_t i = 0; i < known->count; i++)
		chain[i] = der_ref(known->chain[i]);
	*chain_count = known->count;
	return chain;
}
