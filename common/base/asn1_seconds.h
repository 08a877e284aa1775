/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ASN.1's times as numbers.
 */
#ifndef SEALOCK_BASE_ASN1_SECONDS_H
#define SEALOCK_BASE_ASN1_SECONDS_H

#include <stdint.h>
#include <openssl/types.h>

/* Seconds since 1970, also of a GENERALIZEDTIME. -1 when it is no time, or
 * NULL. OpenSSL's error queue is left as it was. */
int
asn1_seconds(const ASN1_TIME *when, int64_t *seconds)
	__attribute__((warn_unused_result));

#endif
