/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one file that knows versions of OpenSSL apart (3.0 to 3.5).
 */
#ifndef SEALOCK_TLS_OPENSSL_COMPAT_H
#define SEALOCK_TLS_OPENSSL_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

/* Does the linked library know that group (X25519MLKEM768 from 3.5 on)? */
bool
openssl_compat_has_group(const char *name);

/* Can a client's list say by a * in front of a group that a key share is to be
 * sent for it (3.5 on)? Otherwise there is one for the first group alone. */
bool
openssl_compat_has_key_share_marks(void);

/* The negotiated group's name ("X25519", "secp256r1", "X25519MLKEM768"), or ""
 * when there is none (a TLS 1.2 suite without ECDHE). Valid as long as ssl. */
const char *
openssl_compat_group_name(SSL *ssl);

/* Options that a newer library has and an older one does without, to be set
 * on every context (SSL_OP_NO_RX_CERTIFICATE_COMPRESSION from 3.2 on). */
unsigned long long
openssl_compat_options(void);

#endif
