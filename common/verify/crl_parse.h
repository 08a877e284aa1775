/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A revocation list (RFC 5280 5) taken apart in place: a million entries take
 * no memory but their table. What could not be obeyed is refused, with the
 * reason: a list that was read in part would let through whom it revokes.
 */
#ifndef SEALOCK_VERIFY_CRL_PARSE_H
#define SEALOCK_VERIFY_CRL_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/der.h"

struct error;

/* A list that has no nextUpdate. */
#define CRL_NEVER INT64_MAX

/* Longer serial numbers are refused; RFC 5280 4.1.2.2 has 20 bytes. */
#define CRL_SERIAL_MAX 40

/* Whose certificates it covers, of its issuer's. */
enum crl_scope {
	CRL_SCOPE_USERS = 1 << 0, /* end entities' alone */
	CRL_SCOPE_CAS = 1 << 1,   /* CAs' alone */
	CRL_SCOPE_ALL = 0,
};

struct crl_entry {
	const unsigned char *serial; /* of an INTEGER, the content */
	uint64_t head; /* its first eight bytes as a number, zeros behind a
			* shorter one: most of them differ in it */
	uint8_t length;
	uint8_t reason; /* RFC 5280 5.3.1; 0: unspecified */
	int64_t date;   /* in seconds since 1970 */
};

struct crl_parsed {
	struct der_span signed_part;
	struct der_span issuer;    /* the whole name */
	struct der_span algorithm; /* the whole identifier */
	struct der_span signature; /* without the count of unused bits */
	struct der_span key_id;    /* of the issuer's key; may be none */
	struct der_span number;    /* may be none */
	/* Of the distribution point that it is a shard for, GeneralNames one
	 * after the other; may be none. */
	struct der_span names;
	int64_t this_update;
	int64_t next_update; /* or CRL_NEVER */
	unsigned int scope;  /* enum crl_scope */
	struct crl_entry *entries;
	size_t count;
};

/* Everything points into bytes but the entries, which are the caller's for
 * crl_parsed_clear(), also after a failure. -1 with a sentence. */
int
crl_parse(const void *bytes, size_t length, struct crl_parsed *list,
	  struct error *error) __attribute__((warn_unused_result));
void
crl_parsed_clear(struct crl_parsed *list);

#endif
