/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a certificate belong to the host that we mean? The one place where a
 * certificate's names are compared with a host's.
 */
#ifndef SEALOCK_VERIFY_VERIFY_NAME_H
#define SEALOCK_VERIFY_VERIFY_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct peer_name;
struct peer_names;
struct public_suffixes;
struct verify_scheme;

/* Check a name that an operator gives, and write it as it is compared, with a
 * NUL, into out, HOSTNAME_MAX + 1 bytes: an IP address as it is, a host name
 * in small letters, an internationalised one as A-labels (RFC 5890). -1 with a
 * sentence (error may be NULL): it is neither, and out is "". */
int
verify_name_normalize(const char *text, char *out, struct error *error)
	__attribute__((warn_unused_result));

/* Is one of the names, under the scheme, the host's? host is a host name in
 * ASCII or an IP address (a zone behind it does not count); what is neither
 * matches nothing. suffixes may be NULL: wildcards are then not asked what
 * they stand for.
 *
 * An IP address is compared, octet by octet, with addresses; a name with names
 * of type DNS, label by label, capitals or not. A wildcard stands for one
 * whole label or, where the scheme allows that, for some bytes of one that is
 * no A-label: in the first label, with another one behind it (RFC 6125 6.4.3,
 * RFC 9525 6.3). A name that is anything but a name (NULs, dots at an end,
 * blanks) matches nothing.
 *
 * *matched (NULL is legal) becomes the name that did it, or NULL: under the
 * scheme none everything passes without one. Needs no memory. */
bool
verify_name_check(const struct verify_scheme *scheme,
		  const struct public_suffixes *suffixes,
		  const struct peer_names *names, const char *host,
		  const struct peer_name **matched)
	__attribute__((warn_unused_result));

/* Why a host was refused, for logs: which name came nearest and what speaks
 * against it, or what names there are; escaped, as long as size allows; with
 * "it" for the certificate. Returns buffer. */
const char *
verify_name_explain(const struct verify_scheme *scheme,
		    const struct public_suffixes *suffixes,
		    const struct peer_names *names, const char *host,
		    char *buffer, size_t size);

#endif
