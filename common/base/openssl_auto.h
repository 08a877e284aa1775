/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL's objects as variables that go when they leave their scope, as
 * AUTO_FREE does for our own memory; TAKE() moves one out.
 */
#ifndef SEALOCK_BASE_OPENSSL_AUTO_H
#define SEALOCK_BASE_OPENSSL_AUTO_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define OPENSSL_AUTO_FREE(name, type, release)                       \
	static inline void openssl_auto_free_##name(type **variable) \
	{                                                            \
		release(*variable);                                  \
	}                                                            \
	_Static_assert(1, "")

static inline void
openssl_free_x509_stack(STACK_OF(X509) *certificates)
{
	sk_X509_pop_free(certificates, X509_free);
}

OPENSSL_AUTO_FREE(bio, BIO, BIO_free_all);
OPENSSL_AUTO_FREE(evp_pkey, EVP_PKEY, EVP_PKEY_free);
OPENSSL_AUTO_FREE(evp_pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free);
OPENSSL_AUTO_FREE(evp_md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);
OPENSSL_AUTO_FREE(general_name, GENERAL_NAME, GENERAL_NAME_free);
OPENSSL_AUTO_FREE(general_names, GENERAL_NAMES, GENERAL_NAMES_free);
OPENSSL_AUTO_FREE(pkcs12, PKCS12, PKCS12_free);
OPENSSL_AUTO_FREE(pkcs8, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);
OPENSSL_AUTO_FREE(x509, X509, X509_free);
OPENSSL_AUTO_FREE(x509_sig, X509_SIG, X509_SIG_free);
OPENSSL_AUTO_FREE(x509_stack, STACK_OF(X509), openssl_free_x509_stack);

/* AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = NULL; */
#define AUTO_OPENSSL(name) __attribute__((cleanup(openssl_auto_free_##name)))

#endif
