/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table by digest, whose own bytes serve as the hash. What has expired
 * goes when room is needed.
 */
#include "common/tls/staple_table.h"

#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/openssl_ex_data.h"

#define SLOTS_MIN   64
#define STAPLES_MAX ((size_t)1 << 18)

struct staple {
	LIST_ENTRY(staple) entries;
	unsigned char leaf[STAPLE_DIGEST_SIZE];
	int64_t until_ms;
	size_t length;
	unsigned char bytes[];
};

LIST_HEAD(staple_slot, staple);

struct staple_table {
	struct staple_slot *slots;
	size_t slot_count; /* a power of two */
	size_t count;
};

/* Callbacks of OpenSSL find it here: a process has one. */
static const struct staple_table *installed;

struct staple_table *
staple_table_new(void)
{
	struct staple_table *table = mem_alloc(sizeof(*table));

	table->slot_count = SLOTS_MIN;
	table->slots = mem_array(SLOTS_MIN, sizeof(*table->slots));
	return table;
}

static struct staple_slot *
slot_of(const struct staple_table *table, const unsigned char *leaf)
{
	uint64_t hash;

	memcpy(&hash, leaf, sizeof(hash));
	return &table->slots[hash & (table->slot_count - 1)];
}

static struct staple *
find(const struct staple_table *table, const unsigned char *leaf)
{
	struct staple *staple;

	LIST_FOREACH (staple, slot_of(table, leaf), entries)
		if (memcmp(staple->leaf, leaf, sizeof(staple->leaf)) == 0)
			return staple;
	return NULL;
}

static void
drop(struct staple_table *table, struct staple *staple)
{
	LIST_REMOVE(staple, entries);
	mem_free(staple);
	table->count--;
}

/* Those that end before that time. */
static void
drop_until(struct staple_table *table, int64_t until_ms)
{
	for (size_t i = 0; i < table->slot_count; i++) {
		struct staple *staple, *next;

		for (staple = LIST_FIRST(&table->slots[i]); staple;
		     staple = next) {
			next = LIST_NEXT(staple, entries);
			if (staple->until_ms <= until_ms)
				drop(table, staple);
		}
	}
}

void
staple_table_free(struct staple_table *table)
{
	if (!table)
		return;
	drop_until(table, INT64_MAX);
	mem_free(table->slots);
	mem_free(table);
}

static void
grow(struct staple_table *table)
{
	struct staple_slot *before = table->slots;
	size_t before_count = table->slot_count;

	table->slot_count *= 2;
	table->slots = mem_array(table->slot_count, sizeof(*table->slots));
	for (size_t i = 0; i < before_count; i++) {
		struct staple *staple;

		while ((staple = LIST_FIRST(&before[i]))) {
			LIST_REMOVE(staple, entries);
			LIST_INSERT_HEAD(slot_of(table, staple->leaf), staple,
					 entries);
		}
	}
	mem_free(before);
}

int
staple_table_set(struct staple_table *table,
		 const unsigned char leaf[STAPLE_DIGEST_SIZE], int64_t until_ms,
		 const unsigned char *bytes, size_t length)
{
	struct staple *staple = find(table, leaf);

	if (staple)
		drop(table, staple);
	if (length == 0)
		return 0;
	if (table->count == table->slot_count)
		drop_until(table, clock_real_ms());
	if (length > STAPLE_SIZE_MAX || table->count == STAPLES_MAX)
		return -1;
	if (table->count == table->slot_count)
		grow(table);
	staple = mem_alloc(sizeof(*staple) + length);
	memcpy(staple->leaf, leaf, sizeof(staple->leaf));
	staple->until_ms = until_ms;
	staple->length = length;
	memcpy(staple->bytes, bytes, length);
	LIST_INSERT_HEAD(slot_of(table, leaf), staple, entries);
	table->count++;
	return 0;
}

const unsigned char *
staple_table_find(const struct staple_table *table,
		  const unsigned char leaf[STAPLE_DIGEST_SIZE], int64_t now_ms,
		  size_t *length)
{
	const struct staple *staple = find(table, leaf);

	if (!staple || now_ms >= staple->until_ms)
		return NULL;
	*length = staple->length;
	return staple->bytes;
}

size_t
staple_table_count(const struct staple_table *table)
{
	return table->count;
}

void
staple_table_install(const struct staple_table *table)
{
	installed = table;
}

/* Where a leaf keeps its digest: to hash it in each handshake would be a
 * waste. */
static int
digest_index(void)
{
	static int index = -1;

	if (index < 0)
		index = X509_get_ex_new_index(0, NULL, NULL, NULL,
					      openssl_ex_data_free);
	return index;
}

/* The client asks; the certificate has been chosen. */
static int
on_status(SSL *ssl, void *argument)
{
	const X509 *leaf = SSL_get_certificate(ssl);
	const unsigned char *digest =
		leaf ? X509_get_ex_data(leaf, digest_index()) : NULL;
	const unsigned char *bytes = NULL;
	unsigned char *copy;
	size_t length;

	(void)argument;
	if (installed && digest)
		bytes = staple_table_find(installed, digest, clock_real_ms(),
					  &length);
	if (!bytes)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(bytes, length);
	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)length);
	return SSL_TLSEXT_ERR_OK;
}

int
staple_table_attach(SSL_CTX *context, X509 *leaf,
		    const unsigned char digest[STAPLE_DIGEST_SIZE])
{
	unsigned char *copy;

	if (digest_index() < 0)
		return -1;
	SSL_CTX_set_tlsext_status_cb(context, on_status);
	if (X509_get_ex_data(leaf, digest_index()))
		return 0;
	copy = mem_dup(digest, STAPLE_DIGEST_SIZE);
	if (X509_set_ex_data(leaf, digest_index(), copy) == 1)
		return 0;
	mem_free(copy);
	return -1;
}

void
staple_table_release(SSL *ssl)
{
	SSL_set_tlsext_status_ocsp_resp(ssl, NULL, 0);
}
