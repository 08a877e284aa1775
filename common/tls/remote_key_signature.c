/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signature algorithm of remote keys: gathers what libssl asks for, finds
 * the scheme that it amounts to, and has the message signed elsewhere.
 */
#include <stdint.h>
#include <string.h>
#include <openssl/async.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/tls/key_operation.h"
#include "common/tls/remote_key_parts.h"
#include "common/tls/signer.h"

/* One signature. The key is held by the EVP_PKEY_CTX above us. */
struct signing {
	const struct remote_key *key;
	enum signature_padding padding;
	enum signature_digest digest;
	uint64_t salt_length; /* PSS; SALT_LENGTH_DIGEST: the digest's */
};

#define SALT_LENGTH_DIGEST UINT64_MAX

static void *
signing_new(void *provider_context, const char *properties)
{
	(void)provider_context;
	(void)properties;
	return mem_alloc(sizeof(struct signing));
}

static void
signing_free(void *context)
{
	mem_free(context);
}

static int
set_padding(struct signing *signing, const OSSL_PARAM *parameter)
{
	const char *name = NULL;
	int number = 0;

	if (parameter->data_type == OSSL_PARAM_UTF8_STRING
		    ? OSSL_PARAM_get_utf8_string_ptr(parameter, &name) != 1
		    : OSSL_PARAM_get_int(parameter, &number) != 1)
		return 0;
	if (number == RSA_PKCS1_PSS_PADDING ||
	    (name && strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0)) {
		signing->padding = SIGNATURE_PADDING_PSS;
		return 1;
	}
	if ((number == RSA_PKCS1_PADDING ||
	     (name && strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)) &&
	    signing->key->type == CERTIFICATE_RSA) {
		signing->padding = SIGNATURE_PADDING_PKCS1;
		return 1;
	}
	ERR_raise(ERR_LIB_PROV, PROV_R_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE);
	return 0;
}

/* From "digest" or a number, as a text or as an integer. */
static bool
read_salt_length(const OSSL_PARAM *parameter, uint64_t *length)
{
	const char *text;
	int number;

	if (parameter->data_type == OSSL_PARAM_UTF8_STRING) {
		if (OSSL_PARAM_get_utf8_string_ptr(parameter, &text) != 1)
			return false;
		if (strcmp(text, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) != 0)
			return text_parse_unsigned(text, length) == 0;
		*length = SALT_LENGTH_DIGEST;
		return true;
	}
	if (OSSL_PARAM_get_int(parameter, &number) != 1)
		return false;
	*length = number == RSA_PSS_SALTLEN_DIGEST ? SALT_LENGTH_DIGEST
						   : (uint64_t)number;
	return number == RSA_PSS_SALTLEN_DIGEST || number >= 0;
}

static int
set_salt_length(struct signing *signing, const OSSL_PARAM *parameter)
{
	if (read_salt_length(parameter, &signing->salt_length))
		return 1;
	ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_SALT_LENGTH);
	return 0;
}

/* Is there any scheme with that digest for that key? libssl asks, and takes
 * another digest when there is none. */
static bool
is_digest_possible(const struct remote_key *key, enum signature_digest digest)
{
	const struct signature_scheme *scheme;

	if (key->has_mandatory_digest && digest != key->mandatory_digest)
		return false;
	for (unsigned int i = 0; i < SIGNATURE_SCHEME_COUNT; i++) {
		scheme = signature_scheme_at(i);
		if (scheme->key_type == key->type && scheme->digest == digest &&
		    (scheme->versions != SIGNATURE_TLS_LEGACY ||
		     key->uses & KEY_USE_LEGACY))
			return true;
	}
	return false;
}

static int
set_digest(struct signing *signing, const char *name)
{
	enum signature_digest digest;

	if (signature_digest_parse(name, &digest) != 0 ||
	    !is_digest_possible(signing->key, digest)) {
		ERR_raise_data(ERR_LIB_PROV, PROV_R_DIGEST_NOT_ALLOWED,
			       "digest=%s", name ? name : "");
		return 0;
	}
	signing->digest = digest;
	return 1;
}

/* MGF1's digest can only be the message's. */
static int
check_mgf1_digest(const struct signing *signing, const OSSL_PARAM *parameter)
{
	const char *name;
	enum signature_digest digest;

	if (OSSL_PARAM_get_utf8_string_ptr(parameter, &name) != 1)
		return 0;
	if (signature_digest_parse(name, &digest) == 0 &&
	    digest == signing->digest)
		return 1;
	ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_MGF1_MD);
	return 0;
}

static int
signing_set_params(void *context, const OSSL_PARAM parameters[])
{
	struct signing *signing = context;
	const OSSL_PARAM *found;
	const char *name;

	if (!parameters)
		return 1;
	if (!signing->key)
		return 0;
	found = OSSL_PARAM_locate_const(parameters,
					OSSL_SIGNATURE_PARAM_DIGEST);
	if (found && (OSSL_PARAM_get_utf8_string_ptr(found, &name) != 1 ||
		      !set_digest(signing, name)))
		return 0;
	if (signing->padding == SIGNATURE_PADDING_NONE)
		return 1;
	found = OSSL_PARAM_locate_const(parameters,
					OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (found && !set_padding(signing, found))
		return 0;
	found = OSSL_PARAM_locate_const(parameters,
					OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if (found && !set_salt_length(signing, found))
		return 0;
	found = OSSL_PARAM_locate_const(parameters,
					OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
	return !found || check_mgf1_digest(signing, found);
}

static const OSSL_PARAM *
signing_settable_params(void *context, void *provider_context)
{
	static const OSSL_PARAM settable[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL,
				       0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL,
				       0),
		OSSL_PARAM_END,
	};

	(void)context;
	(void)provider_context;
	return settable;
}

static enum signature_padding
default_padding(enum certificate_type type)
{
	switch (type) {
	case CERTIFICATE_RSA:
		return SIGNATURE_PADDING_PKCS1;
	case CERTIFICATE_RSA_PSS:
		return SIGNATURE_PADDING_PSS;
	case CERTIFICATE_ECDSA:
	case CERTIFICATE_ED25519:
	case CERTIFICATE_ED448:
	case CERTIFICATE_TYPE_COUNT:
		break;
	}
	return SIGNATURE_PADDING_NONE;
}

static int
signing_init(void *context, const char *digest, void *keydata,
	     const OSSL_PARAM parameters[])
{
	struct signing *signing = context;
	const struct remote_key *key = keydata;

	if (key) {
		if (!key->is_private) {
			ERR_raise(ERR_LIB_PROV, PROV_R_NOT_A_PRIVATE_KEY);
			return 0;
		}
		*signing = (struct signing){
			.key = key,
			.padding = default_padding(key->type),
			.salt_length = SALT_LENGTH_DIGEST,
		};
	}
	if (!signing->key) {
		ERR_raise(ERR_LIB_PROV, PROV_R_NO_KEY_SET);
		return 0;
	}
	return set_digest(signing, digest) &&
	       signing_set_params(signing, parameters);
}

/* Through the process's functions; waits, on a paused job or in the call. NULL,
 * or why there is no signature. */
static const char *
sign_elsewhere(const struct remote_key *key, const struct sign_request *request,
	       unsigned char *signature, size_t *length)
{
	const struct remote_key_functions *functions = remote_key_functions();
	struct key_operation *operation = key_operation_current();
	size_t room = *length;

	if (!functions->start || !operation || !ASYNC_get_current_job()) {
		if (functions->sign(key->key_id, request, signature, length) ==
			    0 &&
		    *length <= room)
			return NULL;
		return "there is no signature";
	}
	if (!key_operation_begin(operation, signature, room))
		return "nobody waits for the signature";
	if (functions->start(operation, key->key_id, request) != 0)
		key_operation_lose(operation->number);
	if (key_operation_wait(operation, length))
		return NULL;
	return operation->state == KEY_OPERATION_REFUSED
		       ? "the keeper refused to sign"
		       : "there is no keeper, or it was lost";
}

/* The whole message at once: there is no other way to sign. */
static int
signing_sign(void *context, unsigned char *signature, size_t *length,
	     size_t room, const unsigned char *message, size_t message_length)
{
	const struct signing *signing = context;
	const struct signature_scheme *scheme;
	struct sign_request request = {.message = message,
				       .length = message_length};
	const char *why;
	size_t size;

	if (!signing->key)
		return 0;
	size = (size_t)EVP_PKEY_get_size(signing->key->public_key);
	if (!signature) {
		*length = size;
		return 1;
	}
	scheme = signature_scheme_find(signing->key->type, signing->padding,
				       signing->digest);
	if (!scheme || room < size ||
	    (signing->padding == SIGNATURE_PADDING_PSS &&
	     signing->salt_length != SALT_LENGTH_DIGEST &&
	     signing->salt_length != signature_digest_size(signing->digest))) {
		ERR_raise(ERR_LIB_PROV, PROV_R_FAILED_TO_SIGN);
		return 0;
	}
	request.scheme = scheme->code;
	*length = room;
	why = sign_elsewhere(signing->key, &request, signature, length);
	if (why) {
		ERR_raise_data(ERR_LIB_PROV, PROV_R_FAILED_TO_SIGN, "%s", why);
		return 0;
	}
	return 1;
}

static const OSSL_DISPATCH signature_functions[] = {
	{OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))signing_new},
	{OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))signing_free},
	{OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))signing_init},
	{OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))signing_sign},
	{OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS,
	 (void (*)(void))signing_set_params},
	{OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
	 (void (*)(void))signing_settable_params},
	{0, NULL},
};

/* Under the names of libcrypto's own: it looks for those among the preferred
 * providers first, where an unknown one would cost it a long search. */
const OSSL_ALGORITHM remote_key_signatures[] = {
	{"RSA:rsaEncryption:1.2.840.113549.1.1.1", "", signature_functions,
	 NULL},
	{"ECDSA", "", signature_functions, NULL},
	{"ED25519:1.3.101.112", "", signature_functions, NULL},
	{"ED448:1.3.101.113", "", signature_functions, NULL},
	{NULL, NULL, NULL, NULL},
};
