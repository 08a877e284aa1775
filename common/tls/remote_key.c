/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The provider itself: how it is made known, and how its keys are made.
 */
#include "common/tls/remote_key.h"

#include <assert.h>
#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "common/base/error.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_key.h"
#include "common/tls/remote_key_parts.h"

static struct remote_key_functions functions;

/* A library context of its own, for the life of the process. In the default
 * one libcrypto would try our key managers, too, for every public key that it
 * decodes: 3 % of a TLS client's handshake. A key finds its own algorithms
 * wherever it is used. */
static OSSL_LIB_CTX *library;

static const char *const type_names[CERTIFICATE_TYPE_COUNT] = {
	[CERTIFICATE_RSA] = "RSA",     [CERTIFICATE_RSA_PSS] = "RSA-PSS",
	[CERTIFICATE_ECDSA] = "EC",    [CERTIFICATE_ED25519] = "ED25519",
	[CERTIFICATE_ED448] = "ED448",
};

const char *
remote_key_type_name(enum certificate_type type)
{
	return type_names[type];
}

const struct remote_key_functions *
remote_key_functions(void)
{
	return &functions;
}

static const OSSL_ALGORITHM *
query_operation(void *context, int operation, int *is_not_to_be_cached)
{
	(void)context;
	*is_not_to_be_cached = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return remote_key_managers;
	case OSSL_OP_SIGNATURE:
		return remote_key_signatures;
	default:
		return NULL;
	}
}

static int
initialize(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *from_core,
	   const OSSL_DISPATCH **from_us, void **context)
{
	static const OSSL_DISPATCH provider_functions[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION,
		 (void (*)(void))query_operation},
		{0, NULL},
	};

	(void)core;
	(void)from_core;
	*from_us = provider_functions;
	*context = NULL;
	return 1;
}

int
remote_key_install(const struct remote_key_functions *wanted,
		   struct error *error)
{
	OSSL_LIB_CTX *made;

	assert(wanted->sign);
	functions = *wanted;
	if (library)
		return 0;
	made = OSSL_LIB_CTX_new();
	if (!made ||
	    OSSL_PROVIDER_add_builtin(made, "sealock", initialize) != 1 ||
	    !OSSL_PROVIDER_load(made, "sealock")) {
		error_set(error, "OpenSSL does not take our provider");
		ERR_clear_error();
		OSSL_LIB_CTX_free(made);
		return -1;
	}
	library = made;
	return 0;
}

EVP_PKEY *
remote_key_new(EVP_PKEY *public_key, const unsigned char key_id[KEY_ID_SIZE],
	       unsigned int uses, struct error *error)
{
	struct remote_key_origin origin = {public_key, key_id, uses};
	void *pointer = &origin;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_ptr(REMOTE_KEY_ORIGIN, &pointer,
					       sizeof(origin)),
		OSSL_PARAM_construct_end(),
	};
	AUTO_OPENSSL(evp_pkey_ctx) EVP_PKEY_CTX *maker = NULL;
	enum certificate_type type;
	EVP_PKEY *key = NULL;

	assert(library);
	if (certificate_key_type(public_key, &type, error) != 0)
		return NULL;
	maker = EVP_PKEY_CTX_new_from_name(library, type_names[type], NULL);
	if (!maker || EVP_PKEY_fromdata_init(maker) != 1 ||
	    EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEYPAIR, parameters) != 1) {
		error_set(error, "OpenSSL cannot make a remote key");
		ERR_clear_error();
		return NULL;
	}
	return key;
}
