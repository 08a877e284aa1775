/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The OCSP answers (staples) that a worker has at hand. Whoever fetches them
 * has judged them and says until when each is good; here they are found by the
 * digest of the leaf that they are about, so that a certificate never goes out
 * with another one's, and none is sent when its time is over.
 */
#ifndef SEALOCK_TLS_STAPLE_TABLE_H
#define SEALOCK_TLS_STAPLE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

#define STAPLE_DIGEST_SIZE 32

/* Answers that are longer are no staples: OpenSSL's clients end a handshake of
 * TLS 1.2 whose CertificateStatus is longer than 16384 bytes, four of which are
 * not the answer's. Usual ones have half a kilobyte to two. */
#define STAPLE_SIZE_MAX 16380

/* For one thread. */
struct staple_table;

struct staple_table *
staple_table_new(void);

/* NULL is legal. */
void
staple_table_free(struct staple_table *table);

/* Have these bytes (copied) in place of what is there for that leaf, good until
 * then (milliseconds since 1970); none at all: there is no staple for it. -1:
 * they are too long, or there are too many. */
int
staple_table_set(struct staple_table *table,
		 const unsigned char leaf[STAPLE_DIGEST_SIZE], int64_t until_ms,
		 const unsigned char *bytes, size_t length)
	__attribute__((warn_unused_result));

/* The staple for that leaf; NULL: there is none that is good now. Borrowed
 * until the table is changed. */
const unsigned char *
staple_table_find(const struct staple_table *table,
		  const unsigned char leaf[STAPLE_DIGEST_SIZE], int64_t now_ms,
		  size_t *length);

size_t
staple_table_count(const struct staple_table *table);

/* The table that contexts of this process look into from now on; NULL: none. */
void
staple_table_install(const struct staple_table *table);

/* Have clients that ask for it (RFC 6066 8) sent the staple of this leaf, when
 * the context comes to use it: of several certificates each has its own. -1 at
 * the end of OpenSSL's memory. */
int
staple_table_attach(SSL_CTX *context, X509 *leaf,
		    const unsigned char digest[STAPLE_DIGEST_SIZE])
	__attribute__((warn_unused_result));

/* The handshake is over: the copy that was sent is not needed any more. */
void
staple_table_release(SSL *ssl);

#endif
