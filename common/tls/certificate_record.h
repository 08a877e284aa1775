/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate as whoever holds the keys keeps it: its DER, what is served by,
 * and its private key. Small, where an X509 of OpenSSL has some ten kilobytes;
 * shared by the generations that have it, on any thread.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_RECORD_H
#define SEALOCK_TLS_CERTIFICATE_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tls/certificate.h"

struct certificate_cache;
struct private_key;

/* The DER of a certificate, counted. */
struct der {
	atomic_uint references;
	size_t length;
	unsigned char bytes[];
};

struct der *
der_new(const unsigned char *bytes, size_t length);

/* That of a decoded certificate, which keeps its bytes: this cannot fail but
 * for the end of memory. */
struct der *
der_of(X509 *certificate);
struct der *
der_ref(struct der *der);

/* NULL is legal. */
void
der_unref(struct der *der);

/* Does the private key belong to the leaf, and is the leaf the chain's? */
enum record_pair {
	RECORD_PAIR_UNCHECKED, /* both look like it */
	RECORD_PAIR_RIGHT,
	RECORD_PAIR_WRONG,
};

struct certificate_record {
	atomic_uint references;
	_Atomic(enum record_pair) pair;
	char *source;
	struct der *leaf;
	struct der **chain;
	size_t chain_count;
	struct der *issuer; /* the leaf's, when the chain is empty; NULL: it is
			     * not known */
	struct private_key *key;
	enum certificate_type type;
	char **names;
	size_t name_count;
	bool is_default;
	int64_t not_before_ms;
	int64_t not_after_ms;
	unsigned char key_id[KEY_ID_SIZE];
	unsigned char digest[32];
};

/* An empty one. */
struct certificate_record *
certificate_record_new(void);

/* What is worth keeping of a loaded certificate, copied. */
struct certificate_record *
certificate_record_of(const struct certificate *from);
struct certificate_record *
certificate_record_ref(struct certificate_record *record);

/* NULL is legal. */
void
certificate_record_unref(struct certificate_record *record);

/* Decode leaf and key and compare them, if nobody has yet, and the leaf with
 * its issuer; takes a millisecond. cache is for issuers. */
enum record_pair
certificate_record_check(struct certificate_record *record,
			 struct certificate_cache *cache);

/* A growing array of references. */
struct record_list {
	struct certificate_record **records;
	size_t count;
};

/* Takes the reference. */
void
record_list_add(struct record_list *list, struct certificate_record *record);
void
record_list_clear(struct record_list *list);

#endif
