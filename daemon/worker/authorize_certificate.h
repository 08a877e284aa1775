/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer's certificate as an authorizer is told of it. Only where there is
 * jansson.
 */
#ifndef SEALOCK_WORKER_AUTHORIZE_CERTIFICATE_H
#define SEALOCK_WORKER_AUTHORIZE_CERTIFICATE_H

#include <openssl/types.h>

struct json_t;

/* The leaf: subject, issuer, serial, names, dates, fingerprints. */
struct json_t *
authorize_certificate_make(X509 *certificate);

/* One of the chain: subject, fingerprint, PEM. */
struct json_t *
authorize_certificate_link(X509 *certificate);

#endif
