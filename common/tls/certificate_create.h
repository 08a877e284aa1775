/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Make keys and certificates: the small CA of `sealock cert create`, and the
 * self-signed ones for trying things out.
 */
#ifndef SEALOCK_TLS_CERTIFICATE_CREATE_H
#define SEALOCK_TLS_CERTIFICATE_CREATE_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

struct blob;
struct error;

enum certificate_purpose {
	CERTIFICATE_FOR_SERVER,
	CERTIFICATE_FOR_CLIENT,
	CERTIFICATE_FOR_BOTH,
	CERTIFICATE_FOR_CA,
};

struct certificate_request {
	const char *common_name;  /* NULL: the first name */
	const char *const *names; /* DNS names, IP addresses, URIs and e-mail
				   * addresses, told apart by their form */
	size_t name_count;
	enum certificate_purpose purpose;
	unsigned int days;
	const char *ocsp_uri; /* NULL: none */
	const char *crl_uri;  /* NULL: none */
};

/* A new key: "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521",
 * "ed25519", "ed448", "rsa-pss2048". NULL with a sentence that names the
 * kinds. The caller frees it with EVP_PKEY_free(). */
EVP_PKEY *
certificate_create_key(const char *kind, struct error *error);

/* Is there such a kind? */
bool
certificate_has_key_kind(const char *kind);

/* Can a certificate be made of this? -1 with a sentence when it has no name,
 * one that is none, or too many days. certificate_create() asks the same. */
int
certificate_request_check(const struct certificate_request *request,
			  struct error *error)
	__attribute__((warn_unused_result));

/* A certificate for that key, signed by issuer and issuer_key, or by itself
 * when they are NULL. X.509 v3 with key identifiers, a random 128-bit serial
 * and a start five minutes ago. The caller frees it with X509_free(). */
X509 *
certificate_create(const struct certificate_request *request, EVP_PKEY *key,
		   X509 *issuer, EVP_PKEY *issuer_key, struct error *error);

/* For `self_signed`: a new P-256 key and a server's certificate for these
 * names, for 90 days, as PEM. */
int
certificate_create_self_signed(const char *const *names, size_t count,
			       struct blob *pem, struct error *error)
	__attribute__((warn_unused_result));

#endif
