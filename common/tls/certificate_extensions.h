/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names and the other extensions of a certificate that is being made.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_EXTENSIONS_H
#define SEALOCK_TLS_CERTIFICATE_EXTENSIONS_H

#include <openssl/types.h>
#include <openssl/x509v3.h>

struct certificate_request;
struct error;

/* The request's names, told apart by their form; the caller frees them with
 * GENERAL_NAMES_free(). NULL with a sentence about the first that is none. */
GENERAL_NAMES *
certificate_make_names(const struct certificate_request *request,
		       struct error *error);

/* Add everything that the request's names and purpose ask for, to a
 * certificate that has its subject and its public key already. issuer is NULL
 * for a self-signed one. -1: OpenSSL failed, and its queue says why. */
int
certificate_add_extensions(X509 *certificate,
			   const struct certificate_request *request,
			   const EVP_PKEY *key, X509 *issuer)
	__attribute__((warn_unused_result));

#endif
