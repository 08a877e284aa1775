/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clear is: PEM in its usual form; first the leaf, which has not issued itself
 * and has host names; then nothing but authorities, of which one is the leaf's
 * issuer by name and key identifier; one private key, not encrypted, that says
 * it is of the leaf's kind.
 */
#include "common/tls/certificate_glance.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_build.h"
#include "common/tls/certificate_cache.h"
#include "common/tls/certificate_der.h"
#include "common/tls/certificate_key.h"
#include "common/tls/certificate_record.h"
#include "common/tls/certificate_unit.h"
#include "common/tls/pem_block.h"
#include "common/tls/private_key.h"
#include "common/tls/tls_settings.h"

/* Authorities in a file. */
#define AUTHORITIES_MAX 8

OPENSSL_AUTO_FREE(authority_keyid, AUTHORITY_KEYID, AUTHORITY_KEYID_free);
OPENSSL_AUTO_FREE(asn1_time, ASN1_TIME, ASN1_TIME_free);

struct glance {
	const struct certificate_loading *loading;
	unsigned char *leaf; /* its DER */
	size_t leaf_length;
	struct certificate_der der;
	X509 *authorities[AUTHORITIES_MAX]; /* the cache's, referenced */
	size_t authority_count;
	struct key_block key;
};

static void
glance_clear(struct glance *glance)
{
	OPENSSL_secure_clear_free(glance->leaf, glance->leaf_length);
	for (size_t i = 0; i < glance->authority_count; i++)
		X509_free(glance->authorities[i]);
	key_block_clear(&glance->key);
}

static bool
is_authority(X509 *certificate)
{
	return X509_check_ca(certificate) > 0 &&
	       (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN);
}

static bool
take_certificate(struct glance *glance, const struct pem_block *block)
{
	size_t length;
	unsigned char *bytes = pem_block_decode(block, false, &length);
	X509 *authority = NULL;

	if (!bytes)
		return false;
	if (!glance->leaf) {
		glance->leaf = bytes;
		glance->leaf_length = length;
		return certificate_der_read(bytes, length, &glance->der);
	}
	if (glance->authority_count < AUTHORITIES_MAX)
		authority = certificate_cache_decode(glance->loading->cache,
						     bytes, (long)length);
	OPENSSL_secure_clear_free(bytes, length);
	if (!authority)
		return false;
	glance->authorities[glance->authority_count++] = authority;
	return is_authority(authority);
}

static bool
take_key(struct glance *glance, const struct pem_block *block)
{
	size_t length;

	if (glance->key.bytes)
		return false;
	glance->key.bytes = pem_block_decode(block, true, &length);
	if (!glance->key.bytes)
		return false;
	glance->key.length = (long)length;
	glance->key.label = OPENSSL_strndup(block->label, block->label_length);
	glance->key.header = OPENSSL_strdup("");
	return glance->key.label && glance->key.header;
}

static bool
take_all(struct glance *glance, const struct blob *blob, bool has_certificates,
	 bool has_key)
{
	const char *at = (const char *)blob->bytes, *end = at + blob->length;
	struct pem_block block;
	enum pem_result result;

	while ((result = pem_block_next(&at, end, &block)) == PEM_BLOCK) {
		if (has_certificates && pem_block_is(&block, "CERTIFICATE")) {
			if (!take_certificate(glance, &block))
				return false;
		} else if (has_key &&
			   (pem_block_is(&block, "PRIVATE KEY") ||
			    pem_block_is(&block, "EC PRIVATE KEY") ||
			    pem_block_is(&block, "RSA PRIVATE KEY"))) {
			if (!take_key(glance, &block))
				return false;
		} else if (!has_key || !pem_block_is(&block, "EC PARAMETERS")) {
			return false;
		}
	}
	return result == PEM_END;
}

static bool
is_span(const struct der_span *span, const unsigned char *bytes, size_t length)
{
	return span->length == length &&
	       memcmp(span->bytes, bytes, length) == 0;
}

static bool
has_issued(const struct glance *glance, X509 *authority)
{
	const struct der_span *span = &glance->der.authority_key;
	const unsigned char *at = span->bytes, *name;
	AUTO_OPENSSL(authority_keyid) AUTHORITY_KEYID *key = NULL;
	size_t length;

	if (X509_NAME_get0_der(X509_get_subject_name(authority), &name,
			       &length) != 1 ||
	    !is_span(&glance->der.issuer, name, length))
		return false;
	if (!at)
		return true;
	key = d2i_AUTHORITY_KEYID(NULL, &at, (long)span->length);
	return key && X509_check_akid(authority, key) == X509_V_OK;
}

/* The one issuer; NULL when there is none. False: there are several. */
static bool
find_issuer(const struct glance *glance, X509 **issuer)
{
	*issuer = NULL;
	for (size_t i = 0; i < glance->authority_count; i++) {
		if (!has_issued(glance, glance->authorities[i]))
			continue;
		if (*issuer)
			return false;
		*issuer = glance->authorities[i];
	}
	return true;
}

/* The chain from the issuer on, as certificate_chain has it. */
static bool
set_chain(const struct glance *glance, struct certificate_record *record)
{
	X509 *const *authorities = glance->authorities;
	size_t count = glance->authority_count;
	X509 *issuer;

	if (!find_issuer(glance, &issuer))
		return false;
	/* Without its issuer it is sent alone; that is worth a closer look. */
	if (!issuer)
		return count == 0;
	record->chain = certificate_cache_chain(glance->loading->cache, issuer,
						authorities, count,
						&record->chain_count);
	if (record->chain && record->chain_count == 0)
		record->issuer = der_of(issuer);
	return record->chain != NULL;
}

static bool
read_time(const struct der_span *span, int64_t *milliseconds)
{
	const unsigned char *at = span->bytes;
	AUTO_OPENSSL(asn1_time)
	ASN1_TIME *when = d2i_ASN1_TIME(NULL, &at, (long)span->length);

	return when && certificate_time(when, milliseconds) == 0;
}

static bool
set_names(const struct glance *glance, struct certificate_record *record)
{
	const struct der_span *span = &glance->der.names;
	const unsigned char *at = span->bytes;
	AUTO_OPENSSL(general_names) GENERAL_NAMES *names = NULL;

	if (certificate_spec_names(glance->loading->spec, &record->names,
				   &record->name_count))
		return true;
	if (!at)
		return false;
	names = d2i_GENERAL_NAMES(NULL, &at, (long)span->length);
	if (!names || at != span->bytes + span->length)
		return false;
	record->name_count = certificate_names_in(names, &record->names);
	return record->name_count > 0;
}

static bool
set_digests(const struct glance *glance, struct certificate_record *record)
{
	const struct der_span *key = &glance->der.public_key;

	return EVP_Digest(key->bytes, key->length, record->key_id, NULL,
			  EVP_sha256(), NULL) == 1 &&
	       EVP_Digest(glance->leaf, glance->leaf_length, record->digest,
			  NULL, EVP_sha256(), NULL) == 1;
}

static void
note_dates(const struct glance *glance, const struct certificate_record *record,
	   struct certificate_unit *unit)
{
	certificate_unit_note_dates(unit, record->not_before_ms,
				    record->not_after_ms);
	for (size_t i = 0; i < glance->authority_count; i++) {
		int64_t start_ms, end_ms;

		if (certificate_validity(glance->authorities[i], &start_ms,
					 &end_ms) == 0)
			certificate_unit_note_dates(unit, start_ms, end_ms);
	}
}

static bool
look(struct glance *glance, struct certificate_unit *unit,
     struct certificate_record *record)
{
	const struct certificate_der *der = &glance->der;

	if (!take_all(glance, &unit->bytes, true, !unit->key_name) ||
	    (unit->key_name &&
	     !take_all(glance, &unit->key_bytes, false, true)) ||
	    !glance->leaf || !glance->key.bytes ||
	    is_span(&der->subject, der->issuer.bytes, der->issuer.length) ||
	    !certificate_der_is_key(glance->key.bytes,
				    (size_t)glance->key.length,
				    glance->key.label, der) ||
	    !read_time(&der->not_before, &record->not_before_ms) ||
	    !read_time(&der->not_after, &record->not_after_ms) ||
	    !set_names(glance, record) || !set_chain(glance, record) ||
	    !set_digests(glance, record))
		return false;
	note_dates(glance, record, unit);
	record->source = certificate_source(unit->name, unit->key_name);
	record->leaf = der_new(glance->leaf, glance->leaf_length);
	record->key = private_key_new_late(&glance->key);
	record->type = der->type;
	record->is_default = glance->loading->spec->is_default;
	return true;
}

struct certificate_record *
certificate_glance(const struct certificate_loading *loading,
		   struct certificate_unit *unit)
{
	struct certificate_record *record = certificate_record_new();
	struct glance glance = {.loading = loading};
	bool is_clear = look(&glance, unit, record);

	glance_clear(&glance);
	ERR_clear_error();
	if (is_clear)
		return record;
	certificate_record_unref(record);
	return NULL;
}
