/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has signed whom among some certificates, in whatever order they are.
 */
#ifndef SEALOCK_CLI_CERTIFICATE_ISSUERS_H
#define SEALOCK_CLI_CERTIFICATE_ISSUERS_H

#include <stddef.h>
#include <openssl/x509.h>

struct certificate_issuers;

/* The certificates are lent, until certificate_issuers_free(). */
struct certificate_issuers *
certificate_issuers_new(const STACK_OF(X509) *certificates);
void
certificate_issuers_free(struct certificate_issuers *issuers);

/* The position of the one that has signed the one at `index`, from 1; its own
 * position when it is self-signed; 0: none of them has. */
size_t
certificate_issuers_find(const struct certificate_issuers *issuers, int index);

#endif
