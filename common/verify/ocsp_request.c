/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From certificates to a request. Only the end of memory can make it fail.
 */
#include "common/verify/ocsp_request.h"

#include <assert.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"

/* status_request among the TLS features (RFC 7633 4). */
#define FEATURE_STATUS_REQUEST 5

OPENSSL_AUTO_FREE(ocsp_request, OCSP_REQUEST, OCSP_REQUEST_free);

void
ocsp_nonce_make(struct ocsp_nonce *nonce)
{
	int is_made = RAND_bytes(nonce->bytes, sizeof(nonce->bytes));

	assert(is_made == 1);
}

unsigned char *
ocsp_request_new(const struct ocsp_pair *pairs, size_t count,
		 const struct ocsp_nonce *nonce, size_t *length)
{
	AUTO_OPENSSL(ocsp_request) OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *bytes = NULL, *copy;
	int size;

	assert(request && count > 0);
	for (size_t i = 0; i < count; i++) {
		OCSP_CERTID *id = OCSP_cert_to_id(
			EVP_sha1(), pairs[i].certificate, pairs[i].issuer);

		assert(id);
		if (!OCSP_request_add0_id(request, id))
			abort();
	}
	if (nonce) {
		struct ocsp_nonce own = *nonce;
		int is_added = OCSP_request_add1_nonce(request, own.bytes,
						       sizeof(own.bytes));

		assert(is_added);
	}
	size = i2d_OCSP_REQUEST(request, &bytes);
	assert(size > 0);
	copy = mem_dup(bytes, (size_t)size);
	OPENSSL_free(bytes);
	*length = (size_t)size;
	return copy;
}

/* Printable ASCII without a blank: nothing that ends a line of HTTP. */
static bool
take_uri(const ASN1_IA5STRING *string, char *uri)
{
	static const char scheme[] = "http://";
	const unsigned char *bytes = ASN1_STRING_get0_data(string);
	size_t length = (size_t)ASN1_STRING_length(string);

	if (length >= OCSP_URI_SIZE || length < sizeof(scheme) ||
	    OPENSSL_strncasecmp((const char *)bytes, scheme,
				sizeof(scheme) - 1) != 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return false;
	memcpy(uri, bytes, length);
	uri[length] = '\0';
	return true;
}

bool
ocsp_responder_find(X509 *certificate, char *uri)
{
	AUTHORITY_INFO_ACCESS *access;
	bool is_found = false;

	uri[0] = '\0';
	ERR_set_mark();
	access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access) && !is_found;
	     i++) {
		const ACCESS_DESCRIPTION *entry =
			sk_ACCESS_DESCRIPTION_value(access, i);
		const GENERAL_NAME *place = entry->location;

		is_found = OBJ_obj2nid(entry->method) == NID_ad_OCSP &&
			   place->type == GEN_URI &&
			   take_uri(place->d.uniformResourceIdentifier, uri);
	}
	AUTHORITY_INFO_ACCESS_free(access);
	ERR_pop_to_mark();
	return is_found;
}

bool
ocsp_is_staple_demanded(X509 *certificate)
{
	TLS_FEATURE *features;
	bool is_demanded = false;

	ERR_set_mark();
	features = X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL);
	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) ==
		    FEATURE_STATUS_REQUEST)
			is_demanded = true;
	TLS_FEATURE_free(features);
	ERR_pop_to_mark();
	return is_demanded;
}

static void
add_digest(EVP_MD_CTX *hash, int is_made, const unsigned char *digest,
	   unsigned int length)
{
	assert(is_made);
	framed_hash_add(hash, digest, length);
}

void
ocsp_key_make(const struct ocsp_pair *pair, unsigned char *key)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(pair->certificate);
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	int is_made;

	_Static_assert(OCSP_KEY_SIZE == FRAMED_HASH_SIZE,
		       "a key is what a list of values comes to");
	is_made = X509_NAME_digest(X509_get_subject_name(pair->issuer),
				   EVP_sha256(), digest, &length);
	add_digest(hash, is_made, digest, length);
	is_made =
		X509_pubkey_digest(pair->issuer, EVP_sha256(), digest, &length);
	add_digest(hash, is_made, digest, length);
	framed_hash_add_number(hash, (uint64_t)ASN1_STRING_type(serial));
	framed_hash_add(hash, ASN1_STRING_get0_data(serial),
			(size_t)ASN1_STRING_length(serial));
	framed_hash_end(hash, key);
}
