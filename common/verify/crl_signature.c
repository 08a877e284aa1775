/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the identifier in a list to OpenSSL's verification.
 */
#include "common/verify/crl_signature.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"

/* SHA-1, which lists of old CAs are still signed with, is the weakest: a list
 * is no text that a stranger chooses. */
#define DIGEST_SIZE_MIN 20

/* RFC 4055 3.1: what is not there. */
#define SALT_LENGTH_DEFAULT 20

/* As much as the longest key has room for, which some fill. */
#define SALT_LENGTH_MAX 2048

static const EVP_MD *
digest_of(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;

	if (!algorithm)
		return EVP_sha1();
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return EVP_get_digestbyobj(object);
}

/* The digest of MGF1, the one mask that there is. */
static const EVP_MD *
mask_digest_of(const X509_ALGOR *mask)
{
	const ASN1_OBJECT *object;
	const EVP_MD *digest;
	const void *value;
	X509_ALGOR *inner;
	int type;

	if (!mask)
		return EVP_sha1();
	X509_ALGOR_get0(&object, &type, &value, mask);
	if (OBJ_obj2nid(object) != NID_mgf1 || type != V_ASN1_SEQUENCE)
		return NULL;
	inner = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
	digest = inner ? digest_of(inner) : NULL;
	X509_ALGOR_free(inner);
	return digest;
}

static bool
find_pss(const X509_ALGOR *algorithm, struct crl_method *method)
{
	RSA_PSS_PARAMS *parameters = NULL;
	const void *value;
	int64_t length = SALT_LENGTH_DEFAULT;
	bool is_good = false;
	int type;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type == V_ASN1_SEQUENCE)
		parameters =
			ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (parameters) {
		method->digest = digest_of(parameters->hashAlgorithm);
		method->mask_digest =
			mask_digest_of(parameters->maskGenAlgorithm);
		is_good = method->digest && method->mask_digest &&
			  (!parameters->saltLength ||
			   ASN1_INTEGER_get_int64(&length,
						  parameters->saltLength)) &&
			  length >= 0 && length <= SALT_LENGTH_MAX &&
			  (!parameters->trailerField ||
			   ASN1_INTEGER_get(parameters->trailerField) == 1);
		method->salt_length = (int)length;
	}
	RSA_PSS_PARAMS_free(parameters);
	return is_good;
}

/* Kinds of keys whose signatures are over a digest of nothing but the list. */
static bool
is_prehashed(int key_type)
{
	return key_type == NID_rsaEncryption || key_type == NID_dsa ||
	       key_type == NID_X9_62_id_ecPublicKey;
}

static bool
find(const X509_ALGOR *algorithm, struct crl_method *method)
{
	const ASN1_OBJECT *object;
	int number, digest;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	number = OBJ_obj2nid(object);
	if (number == NID_rsassaPss) {
		method->is_pss = true;
		method->key_type = NID_rsaEncryption;
		return find_pss(algorithm, method);
	}
	if (!OBJ_find_sigid_algs(number, &digest, &method->key_type))
		return false;
	if (digest == NID_undef)
		return method->key_type == number;
	method->digest = EVP_get_digestbynid(digest);
	return method->digest && is_prehashed(method->key_type);
}

int
crl_method_find(const struct der_span *algorithm, struct crl_method *method,
		struct error *error)
{
	const unsigned char *at = algorithm->bytes;
	X509_ALGOR *decoded =
		d2i_X509_ALGOR(NULL, &at, (long)algorithm->length);
	bool is_found;

	*method = (struct crl_method){0};
	is_found = decoded && find(decoded, method);
	X509_ALGOR_free(decoded);
	ERR_clear_error();
	if (!is_found) {
		error_set(error, "the algorithm of its signature is unknown");
		return -1;
	}
	if (method->digest &&
	    EVP_MD_get_size(method->digest) < DIGEST_SIZE_MIN) {
		error_set(error, "its signature with %s proves nothing",
			  EVP_MD_get0_name(method->digest));
		return -1;
	}
	return 0;
}

/* A key of one kind may have two names: RSA-PSS keys sign PSS alone. */
static bool
is_key_right(const struct crl_method *method, const EVP_PKEY *key)
{
	if (method->is_pss && EVP_PKEY_is_a(key, "RSA-PSS"))
		return true;
	return EVP_PKEY_is_a(key, OBJ_nid2sn(method->key_type)) ||
	       EVP_PKEY_is_a(key, OBJ_nid2ln(method->key_type));
}

static bool
verify_digest(const struct crl_method *method, const struct der_span *digest,
	      const struct der_span *signature, EVP_PKEY *key)
{
	EVP_PKEY_CTX *verifying = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool is_good = verifying && EVP_PKEY_verify_init(verifying) > 0;

	if (is_good && method->is_pss)
		is_good = EVP_PKEY_CTX_set_rsa_padding(
				  verifying, RSA_PKCS1_PSS_PADDING) > 0 &&
			  EVP_PKEY_CTX_set_rsa_pss_saltlen(
				  verifying, method->salt_length) > 0 &&
			  EVP_PKEY_CTX_set_rsa_mgf1_md(verifying,
						       method->mask_digest) > 0;
	is_good =
		is_good &&
		EVP_PKEY_CTX_set_signature_md(verifying, method->digest) > 0 &&
		EVP_PKEY_verify(verifying, signature->bytes, signature->length,
				digest->bytes, digest->length) == 1;
	EVP_PKEY_CTX_free(verifying);
	return is_good;
}

static bool
verify_whole(const struct der_span *list, const struct der_span *signature,
	     EVP_PKEY *key)
{
	EVP_MD_CTX *verifying = EVP_MD_CTX_new();
	bool is_good =
		verifying &&
		EVP_DigestVerifyInit(verifying, NULL, NULL, NULL, key) > 0 &&
		EVP_DigestVerify(verifying, signature->bytes, signature->length,
				 list->bytes, list->length) == 1;

	EVP_MD_CTX_free(verifying);
	return is_good;
}

bool
crl_signature_verify(const struct crl_method *method,
		     const struct der_span *message,
		     const struct der_span *signature, EVP_PKEY *key)
{
	bool is_good = false;

	if (is_key_right(method, key))
		is_good =
			method->digest
				? verify_digest(method, message, signature, key)
				: verify_whole(message, signature, key);
	ERR_clear_error();
	return is_good;
}
