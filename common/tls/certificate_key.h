/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private keys out of PEM and DER, and which keys are fit for TLS.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_KEY_H
#define SEALOCK_TLS_CERTIFICATE_KEY_H

#include <openssl/types.h>

#include "common/tls/certificate.h"

struct blob;
struct error;

/* A private key as it was found, not decoded yet. The memory is OpenSSL's. */
struct key_block {
	char *label;  /* PEM: "RSA PRIVATE KEY"; DER: "" */
	char *header; /* PEM: Proc-Type and DEK-Info, or "" */
	unsigned char *bytes;
	long length;
};

/* Wipes the bytes. */
void
key_block_clear(struct key_block *block);

/* PKCS#8, encrypted or not, and the traditional forms, with PEM encryption or
 * without. passphrase: NULL when the operator gave none; nothing is asked.
 * The caller frees the key with EVP_PKEY_free(). NULL with a sentence about
 * "its private key". */
EVP_PKEY *
key_block_decode(const struct key_block *block, const char *passphrase,
		 struct error *error);

/* A pass-phrase out of a file's bytes: without one newline at its end, which
 * editors and echo leave there, and which is cut off in the blob. The pointer
 * is the blob's. NULL with a sentence when there is a NUL byte in it or when it
 * is longer than OpenSSL takes. */
const char *
certificate_passphrase(struct blob *blob, struct error *error);

/* Say why `what` could not be decrypted, from what OpenSSL left in its queue,
 * which is empty then. */
void
certificate_key_decryption_failed(struct error *error, const char *what,
				  const char *passphrase) __attribute__((cold));

/* What a public or private key is for TLS; -1 with a sentence when we refuse
 * it: RSA below 2048 or above 8192 bits, curves other than P-256, P-384 and
 * P-521 or with explicit parameters, DSA and all the rest. */
int
certificate_key_type(EVP_PKEY *key, enum certificate_type *type,
		     struct error *error) __attribute__((warn_unused_result));

#endif
