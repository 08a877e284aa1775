/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index of revocation lists: what was said of certificates by number, in
 * one piece of memory that is written once (crl_index_write) and that all
 * workers map. A list of a million entries costs a worker nothing, and a
 * look-up in it twenty comparisons.
 *
 * The reader. It comes from another process: crl_index_open() looks at all of
 * it once, and only then is any of it believed.
 */
#ifndef SEALOCK_VERIFY_CRL_INDEX_H
#define SEALOCK_VERIFY_CRL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/types.h>

struct crl_index;
struct error;

/* What the lists say of a certificate. Everything but the first is no. */
enum crl_answer {
	CRL_GOOD,
	CRL_REVOKED,
	CRL_MISSING,       /* there is no list that covers it */
	CRL_EXPIRED,       /* the newest one should have been replaced */
	CRL_NOT_YET_VALID, /* all of them begin in the future */
	CRL_BAD_SIGNATURE, /* none of them is its issuer's */
	CRL_BAD_ISSUER,    /* its issuer may not sign lists (key usage) */
};

/* On which list an answer is based; valid as long as the index. */
struct crl_finding {
	const char *source;  /* NULL: on none */
	int64_t this_update; /* in seconds since 1970 */
	int64_t next_update;
	bool is_expired;    /* GOOD or REVOKED, by a list that has expired */
	bool is_news;       /* and with is_expired_good, for the first time in
			     * this process */
	int64_t revoked_at; /* REVOKED */
	const char *reason; /* REVOKED: RFC 5280's word for it */
};

/* Map and check what a descriptor of a sealed memfd holds; the descriptor stays
 * the caller's. A memfd that is open already is shared, as is what is known of
 * the signatures in it. NULL with a sentence when it is no index, or one with
 * anything wrong in it. Counted, for one thread. */
struct crl_index *
crl_index_open(int descriptor, struct error *error);
struct crl_index *
crl_index_ref(struct crl_index *index);

/* NULL is legal. */
void
crl_index_unref(struct crl_index *index);

/* SHA-256 over what was read; 32 bytes. */
const unsigned char *
crl_index_digest(const struct crl_index *index);

/* Its lists, for messages: the dates and source of one, and who issued it, as a
 * text of the caller's (mem_free()). */
size_t
crl_index_count(const struct crl_index *index);
void
crl_index_describe(const struct crl_index *index, size_t number,
		   struct crl_finding *finding, char **issuer);

/* What do some indexes, taken as one, say of a certificate whose issuer is that
 * one? RFC 5280 6.3.3 without what the writer refuses: of the lists of that
 * issuer that cover the certificate (kind, distribution point) and are signed
 * with its key, the newest that is valid at that time (in seconds) counts, or
 * if there is none, with is_expired_good, the newest that was. What an expired
 * list revokes is revoked in any case. */
enum crl_answer
crl_index_check(struct crl_index *const *indexes, size_t count,
		X509 *certificate, X509 *issuer, int64_t now,
		bool is_expired_good, struct crl_finding *finding);

#endif
