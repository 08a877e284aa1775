/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate that consists of names: what a CA would never sign, in no
 * time.
 */
#ifndef SEALOCK_TESTS_NAMED_CERTIFICATE_H
#define SEALOCK_TESTS_NAMED_CERTIFICATE_H

#include <stddef.h>
#include <openssl/types.h>

struct peer_name;

/* Without a key and a signature. Bytes stand in it as they are, in the order
 * given: IP addresses may have any length, PEER_NAME_OTHER becomes a directory
 * name, CNs and OUs are UTF8Strings. No extension without alternative names.
 * The caller frees it with X509_free(). */
X509 *
named_certificate(const struct peer_name *names, size_t count);

#endif
