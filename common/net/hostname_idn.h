/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Internationalised host names (RFC 5890) as people write them. Everything
 * else in the tree sees their A-labels.
 */
#ifndef SEALOCK_NET_HOSTNAME_IDN_H
#define SEALOCK_NET_HOSTNAME_IDN_H

struct error;

/* Check a name as hostname_normalize() does, and write it in small letters
 * with a NUL into out, HOSTNAME_MAX + 1 bytes; labels that are not ASCII are
 * UTF-8 and become A-labels (IDNA 2008, UTS #46 without the transition from
 * IDNA 2003). -1 with a sentence, and out is "": it is no such name, or this
 * build has no libidn2. error may be NULL. */
int
hostname_to_ascii(const char *text, char *out, struct error *error)
	__attribute__((warn_unused_result));

/* For `--version`: "libidn2 2.3.3", or that there is none. */
const char *
hostname_idn_library(void);

#endif
