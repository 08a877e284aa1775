/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key managers for remote keys, one for each type and all alike: the public
 * part is an ordinary EVP_PKEY of another provider, which answers all
 * questions about it. There is no private part to export.
 */
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/remote_key_parts.h"

static struct remote_key *
key_new(enum certificate_type type)
{
	struct remote_key *key = mem_alloc(sizeof(*key));

	key->type = type;
	return key;
}

static void
key_free(void *keydata)
{
	struct remote_key *key = keydata;

	if (!key)
		return;
	EVP_PKEY_free(key->public_key);
	mem_free(key);
}

static int
key_has(const void *keydata, int selection)
{
	const struct remote_key *key = keydata;

	if (!key || !key->public_key)
		return 0;
	return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) ||
	       key->is_private;
}

static int
key_match(const void *left, const void *right, int selection)
{
	const struct remote_key *a = left, *b = right;

	if (!a->public_key || !b->public_key)
		return 0;
	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return EVP_PKEY_eq(a->public_key, b->public_key) == 1;
	return EVP_PKEY_parameters_eq(a->public_key, b->public_key) == 1;
}

/* An EVP_PKEY of another provider; selection is EVP_PKEY_PUBLIC_KEY or
 * EVP_PKEY_KEY_PARAMETERS. */
static EVP_PKEY *
public_from(enum certificate_type type, int selection,
	    const OSSL_PARAM parameters[])
{
	AUTO_OPENSSL(evp_pkey_ctx) EVP_PKEY_CTX *maker = NULL;
	AUTO_FREE OSSL_PARAM *copy = NULL;
	EVP_PKEY *key = NULL;
	size_t count = 0;

	while (parameters[count].key)
		count++;
	/* libcrypto's function takes no const. What the parameters point to
	 * may be private, and is not copied. */
	copy = mem_dup(parameters, (count + 1) * sizeof(*parameters));
	maker = EVP_PKEY_CTX_new_from_name(NULL, remote_key_type_name(type),
					   NULL);
	if (maker && EVP_PKEY_fromdata_init(maker) == 1)
		EVP_PKEY_fromdata(maker, &key, selection, copy);
	return key;
}

/* The public part alone, whatever else there may be. */
static EVP_PKEY *
public_part(enum certificate_type type, const EVP_PKEY *key)
{
	OSSL_PARAM *parameters = NULL;
	EVP_PKEY *part = NULL;

	if (EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &parameters) == 1)
		part = public_from(type, EVP_PKEY_PUBLIC_KEY, parameters);
	OSSL_PARAM_free(parameters);
	return part;
}

/* A digest that we do not sign with stays NONE, which fits no RSA scheme. */
static void
note_mandatory_digest(struct remote_key *key)
{
	char name[32] = "";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(
			OSSL_PKEY_PARAM_MANDATORY_DIGEST, name, sizeof(name)),
		OSSL_PARAM_construct_end(),
	};

	if (EVP_PKEY_get_params(key->public_key, parameters) != 1 ||
	    !OSSL_PARAM_modified(&parameters[0]) || name[0] == '\0')
		return;
	key->has_mandatory_digest = true;
	if (signature_digest_parse(name, &key->mandatory_digest) != 0)
		key->mandatory_digest = SIGNATURE_DIGEST_NONE;
}

/* From remote_key_new() a remote key; from the key manager of another provider
 * a public key or parameters, so that libcrypto can compare. */
static int
key_import(void *keydata, int selection, const OSSL_PARAM parameters[])
{
	struct remote_key *key = keydata;
	const OSSL_PARAM *ours =
		OSSL_PARAM_locate_const(parameters, REMOTE_KEY_ORIGIN);
	const void *pointer;

	if (key->public_key)
		return 0;
	if (ours) {
		const struct remote_key_origin *origin;

		if (OSSL_PARAM_get_octet_ptr(ours, &pointer, NULL) != 1)
			return 0;
		origin = pointer;
		key->public_key = public_part(key->type, origin->public_key);
		key->is_private = true;
		key->uses = origin->uses;
		memcpy(key->key_id, origin->key_id, KEY_ID_SIZE);
	} else {
		key->public_key =
			public_from(key->type,
				    selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY
					    ? EVP_PKEY_PUBLIC_KEY
					    : EVP_PKEY_KEY_PARAMETERS,
				    parameters);
	}
	if (!key->public_key)
		return 0;
	note_mandatory_digest(key);
	return 1;
}

static int
key_export(void *keydata, int selection, OSSL_CALLBACK *callback,
	   void *argument)
{
	const struct remote_key *key = keydata;
	OSSL_PARAM *parameters = NULL;
	int result = 0;

	if (!key->public_key || selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
		return 0;
	if (EVP_PKEY_todata(key->public_key, selection, &parameters) == 1)
		result = callback(parameters, argument);
	OSSL_PARAM_free(parameters);
	return result;
}

/* What libcrypto may hand over and ask for; no private part among it. */
static const OSSL_PARAM *
key_transfer_types(int selection)
{
	static const OSSL_PARAM none[] = {OSSL_PARAM_END};
	static const OSSL_PARAM public_types[] = {
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_END,
	};

	if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
		return none;
	return public_types;
}

static int
key_get_params(void *keydata, OSSL_PARAM parameters[])
{
	const struct remote_key *key = keydata;

	return key->public_key &&
	       EVP_PKEY_get_params(key->public_key, parameters) == 1;
}

static const OSSL_PARAM *
key_gettable_params(void *provider_context)
{
	static const OSSL_PARAM gettable[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL,
				       0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
					NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provider_context;
	return gettable;
}

static void *
key_dup(const void *keydata, int selection)
{
	const struct remote_key *key = keydata;
	struct remote_key *copy = mem_dup(key, sizeof(*key));

	if (copy->public_key)
		EVP_PKEY_up_ref(copy->public_key);
	if (!(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY))
		copy->is_private = false;
	return copy;
}

/* Two for each type: a constructor is told nothing of it, nor is the question
 * for the name of the signature algorithm. */
#define KEY_MANAGER(name, type, signature)                                \
	static void *name##_new(void *provider_context)                   \
	{                                                                 \
		(void)provider_context;                                   \
		return key_new(type);                                     \
	}                                                                 \
	static const char *name##_operation(int operation)                \
	{                                                                 \
		return operation == OSSL_OP_SIGNATURE ? signature : NULL; \
	}                                                                 \
	static const OSSL_DISPATCH name##_manager[] = {                   \
		{OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))name##_new},      \
		{OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))key_free},       \
		{OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has},         \
		{OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))key_match},     \
		{OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))key_import},   \
		{OSSL_FUNC_KEYMGMT_IMPORT_TYPES,                          \
		 (void (*)(void))key_transfer_types},                     \
		{OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))key_export},   \
		{OSSL_FUNC_KEYMGMT_EXPORT_TYPES,                          \
		 (void (*)(void))key_transfer_types},                     \
		{OSSL_FUNC_KEYMGMT_GET_PARAMS,                            \
		 (void (*)(void))key_get_params},                         \
		{OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,                       \
		 (void (*)(void))key_gettable_params},                    \
		{OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))key_dup},         \
		{OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,                  \
		 (void (*)(void))name##_operation},                       \
		{0, NULL},                                                \
	};                                                                \
	_Static_assert(1, "")

KEY_MANAGER(rsa, CERTIFICATE_RSA, "RSA");
KEY_MANAGER(rsa_pss, CERTIFICATE_RSA_PSS, "RSA");
KEY_MANAGER(ec, CERTIFICATE_ECDSA, "ECDSA");
KEY_MANAGER(ed25519, CERTIFICATE_ED25519, "ED25519");
KEY_MANAGER(ed448, CERTIFICATE_ED448, "ED448");

/* The names of libcrypto's own: libssl asks whether a key is one of those. */
const OSSL_ALGORITHM remote_key_managers[] = {
	{"RSA:rsaEncryption:1.2.840.113549.1.1.1", "", rsa_manager, NULL},
	{"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "", rsa_pss_manager, NULL},
	{"EC:id-ecPublicKey:1.2.840.10045.2.1", "", ec_manager, NULL},
	{"ED25519:1.3.101.112", "", ed25519_manager, NULL},
	{"ED448:1.3.101.113", "", ed448_manager, NULL},
	{NULL, NULL, NULL, NULL},
};
