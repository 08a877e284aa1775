/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes to certificates and keys: PEM, DER or PKCS#12, told apart by content.
 * Nothing here opens a file, and nothing ever asks on a terminal.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_PARSE_H
#define SEALOCK_TLS_CERTIFICATE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>
#include <openssl/x509.h>

struct certificate_cache;
struct error;
struct key_block;

/* More keys than anyone has in one file: each is compared with each
 * certificate. */
#define CERTIFICATE_KEYS_MAX 8

enum certificate_form {
	CERTIFICATE_FORM_NONE, /* none of the others */
	CERTIFICATE_FORM_PEM,
	CERTIFICATE_FORM_DER,
	CERTIFICATE_FORM_PKCS12,
};

/* What some bytes hold. Keys stay as they were found until they are asked
 * for: a chain file may hold an encrypted one that nobody needs. */
struct certificate_content {
	enum certificate_form form;
	size_t length;                /* of the bytes */
	STACK_OF(X509) *certificates; /* in the order found; never NULL */
	struct key_block *blocks;     /* private keys of PEM or DER */
	size_t block_count;
	EVP_PKEY *keys[CERTIFICATE_KEYS_MAX]; /* those of PKCS#12 */
	size_t key_count;
	size_t other_count;              /* PEM blocks that are neither */
	struct certificate_cache *cache; /* lent while parsing; or NULL */
};

/* Find what is there; content must be cleared afterwards, in any case. Bytes
 * that are none of the formats are no error: form is NONE and there is nothing
 * in the content. -1 with a sentence about "it" ("it is ...") when a
 * certificate is damaged or a PKCS#12 file does not open. passphrase is NULL
 * when the operator gave none; cache may be NULL. */
int
certificate_content_parse(const void *bytes, size_t length,
			  const char *passphrase,
			  struct certificate_cache *cache,
			  struct certificate_content *content,
			  struct error *error)
	__attribute__((warn_unused_result));
void
certificate_content_clear(struct certificate_content *content);

/* Private keys in the content, and one of them, decrypted if need be; the
 * caller frees it with EVP_PKEY_free(). NULL with a sentence about "its
 * private key". */
size_t
certificate_content_key_count(const struct certificate_content *content);
EVP_PKEY *
certificate_content_key(const struct certificate_content *content, size_t index,
			const char *passphrase, struct error *error);

/* Why content holds no certificate: "it is empty" and so on. */
const char *
certificate_content_lack(const struct certificate_content *content);

#endif
