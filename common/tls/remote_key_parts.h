/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the provider's parts know of each other; for remote_key*.c only.
 */
#ifndef SEALOCK_TLS_REMOTE_KEY_PARTS_H
#define SEALOCK_TLS_REMOTE_KEY_PARTS_H

#include <stdbool.h>
#include <openssl/core.h>
#include <openssl/types.h>

#include "common/tls/certificate.h"
#include "common/tls/remote_key.h"
#include "common/tls/signature_scheme.h"

/* The one parameter that makes a remote key, known to nobody else: a pointer
 * to a struct remote_key_origin. */
#define REMOTE_KEY_ORIGIN "sealock-origin"

struct remote_key_origin {
	EVP_PKEY *public_key;
	const unsigned char *key_id;
	unsigned int uses;
};

/* Not changed after it was imported. */
struct remote_key {
	enum certificate_type type;
	EVP_PKEY *public_key; /* of another provider */
	bool is_private;      /* has an id; else imported for a comparison */
	unsigned char key_id[KEY_ID_SIZE];
	unsigned int uses;
	bool has_mandatory_digest; /* RSA-PSS keys may be bound to one */
	enum signature_digest mandatory_digest;
};

/* libcrypto's name of a type. */
const char *
remote_key_type_name(enum certificate_type type);

/* What remote_key_install() was given. */
const struct remote_key_functions *
remote_key_functions(void);

extern const OSSL_ALGORITHM remote_key_managers[];
extern const OSSL_ALGORITHM remote_key_signatures[];

#endif
