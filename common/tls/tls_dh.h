/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Diffie-Hellman parameters of the operator's own (`dh`).
 */
#ifndef SEALOCK_TLS_TLS_DH_H
#define SEALOCK_TLS_TLS_DH_H

#include <openssl/types.h>

struct error;
struct file_set;
struct tls_dh;

/* Fewer bits are an error. */
#define TLS_DH_BITS_MIN 2048

/* Parameters from the file or the text that dh names (PEM or DER, PKCS#3 or
 * X9.42). The caller frees them with EVP_PKEY_free(); NULL with a sentence and
 * dh's position when there are none or they are too weak. */
EVP_PKEY *
tls_dh_load(const struct tls_dh *dh, const struct file_set *files,
	    struct error *error);

#endif
