/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hangs on OpenSSL's objects (CRYPTO_get_ex_new_index(3)).
 */
#ifndef SEALOCK_BASE_OPENSSL_EX_DATA_H
#define SEALOCK_BASE_OPENSSL_EX_DATA_H

#include <openssl/crypto.h>

/* For indexes whose values are of mem_alloc() and have nothing in them: they go
 * with their object. */
void
openssl_ex_data_free(void *parent, void *value, CRYPTO_EX_DATA *extra,
		     int index, long argument, void *more);

#endif
