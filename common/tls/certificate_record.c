/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies, and atomic counts.
 */
#include "common/tls/certificate_record.h"

#include <assert.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_cache.h"
#include "common/tls/certificate_key.h"
#include "common/tls/private_key.h"

struct der *
der_new(const unsigned char *bytes, size_t length)
{
	struct der *der = mem_alloc(sizeof(*der) + length);

	atomic_init(&der->references, 1);
	der->length = length;
	memcpy(der->bytes, bytes, length);
	return der;
}

struct der *
der_ref(struct der *der)
{
	unsigned int before = atomic_fetch_add(&der->references, 1);

	assert(before > 0);
	return der;
}

void
der_unref(struct der *der)
{
	if (der && atomic_fetch_sub(&der->references, 1) == 1)
		mem_free(der);
}

struct der *
der_of(X509 *certificate)
{
	unsigned char *bytes = NULL;
	int length = i2d_X509(certificate, &bytes);
	struct der *der;

	assert(length > 0);
	der = der_new(bytes, (size_t)length);
	OPENSSL_free(bytes);
	return der;
}

struct certificate_record *
certificate_record_new(void)
{
	struct certificate_record *made = mem_alloc(sizeof(*made));

	atomic_init(&made->references, 1);
	atomic_init(&made->pair, RECORD_PAIR_UNCHECKED);
	return made;
}

struct certificate_record *
certificate_record_of(const struct certificate *from)
{
	struct certificate_record *made = certificate_record_new();

	atomic_init(&made->pair, RECORD_PAIR_RIGHT);
	made->source = mem_strdup(from->source);
	made->leaf = der_of(from->leaf);
	made->chain_count = (size_t)sk_X509_num(from->chain);
	made->chain = mem_array(made->chain_count, sizeof(struct der *));
	for (size_t i = 0; i < made->chain_count; i++)
		made->chain[i] = der_of(sk_X509_value(from->chain, (int)i));
	if (from->issuer)
		made->issuer = der_of(from->issuer);
	made->key = private_key_new(from->key);
	made->type = from->type;
	made->name_count = from->name_count;
	made->names = mem_array(made->name_count, sizeof(char *));
	for (size_t i = 0; i < made->name_count; i++)
		made->names[i] = mem_strdup(from->names[i]);
	made->is_default = from->is_default;
	made->not_before_ms = from->not_before_ms;
	made->not_after_ms = from->not_after_ms;
	memcpy(made->key_id, from->key_id, sizeof(made->key_id));
	memcpy(made->digest, from->digest, sizeof(made->digest));
	return made;
}

struct certificate_record *
certificate_record_ref(struct certificate_record *record)
{
	unsigned int before = atomic_fetch_add(&record->references, 1);

	assert(before > 0);
	return record;
}

void
certificate_record_unref(struct certificate_record *record)
{
	if (!record || atomic_fetch_sub(&record->references, 1) > 1)
		return;
	mem_free(record->source);
	der_unref(record->leaf);
	for (size_t i = 0; i < record->chain_count; i++)
		der_unref(record->chain[i]);
	mem_free(record->chain);
	der_unref(record->issuer);
	private_key_unref(record->key);
	for (size_t i = 0; i < record->name_count; i++)
		mem_free(record->names[i]);
	mem_free(record->names);
	mem_free(record);
}

/* Everything that loading one decoded would have refused it for, or put into
 * another order. */
static bool
is_right(const struct certificate_record *record,
	 struct certificate_cache *cache)
{
	const unsigned char *at = record->leaf->bytes;
	AUTO_OPENSSL(x509)
	X509 *leaf = d2i_X509(NULL, &at, (long)record->leaf->length);
	AUTO_OPENSSL(x509) X509 *issuer = NULL;
	AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = NULL;
	enum certificate_type type;

	if (!leaf || at != record->leaf->bytes + record->leaf->length)
		return false;
	key = private_key_decode(record->key, NULL);
	if (!key || !X509_get0_pubkey(leaf) ||
	    EVP_PKEY_eq(X509_get0_pubkey(leaf), key) != 1 ||
	    certificate_key_type(key, &type, NULL) != 0 ||
	    certificate_key_type(X509_get0_pubkey(leaf), &type, NULL) != 0 ||
	    type != record->type)
		return false;
	if (record->chain_count == 0)
		return true;
	issuer = certificate_cache_decode(cache, record->chain[0]->bytes,
					  (long)record->chain[0]->length);
	return issuer && X509_check_issued(issuer, leaf) == X509_V_OK &&
	       X509_verify(leaf, X509_get0_pubkey(issuer)) == 1;
}

enum record_pair
certificate_record_check(struct certificate_record *record,
			 struct certificate_cache *cache)
{
	enum record_pair pair = atomic_load(&record->pair);

	if (pair != RECORD_PAIR_UNCHECKED)
		return pair;
	pair = is_right(record, cache) ? RECORD_PAIR_RIGHT : RECORD_PAIR_WRONG;
	ERR_clear_error();
	atomic_store(&record->pair, pair);
	return pair;
}

/* The array grows by doubling; its capacity is the power of two that count has
 * reached. */
void
record_list_add(struct record_list *list, struct certificate_record *record)
{
	if ((list->count & (list->count - 1)) == 0)
		list->records = mem_resize(list->records,
					   list->count ? 2 * list->count : 1,
					   sizeof(struct certificate_record *));
	list->records[list->count++] = record;
}

void
record_list_clear(struct record_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		certificate_record_unref(list->records[i]);
	mem_free(list->records);
	*list = (struct record_list){0};
}
