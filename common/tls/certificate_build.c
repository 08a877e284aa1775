/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is checked here is checked for every certificate, whatever it came
 * from. Being expired is not: that is for whoever serves it to tell.
 */
#include "common/tls/certificate_build.h"

#include <stdint.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/net/hostname.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_chain.h"
#include "common/tls/certificate_key.h"
#include "common/tls/certificate_parse.h"
#include "common/tls/certificate_record.h"
#include "common/tls/certificate_unit.h"
#include "common/tls/tls_settings.h"

static bool
has_ended(const X509 *certificate)
{
	int64_t start_ms, end_ms;

	return certificate_validity(certificate, &start_ms, &end_ms) != 0 ||
	       end_ms < clock_real_ms();
}

/* Whose key is it? A file that was only ever added to holds the old
 * certificate beside the new one: the first that has not expired counts. */
static X509 *
find_leaf(const STACK_OF(X509) *found, const EVP_PKEY *key)
{
	X509 *leaf = NULL;

	for (int i = 0; i < sk_X509_num(found); i++) {
		X509 *candidate = sk_X509_value(found, i);
		const EVP_PKEY *public_key = X509_get0_pubkey(candidate);

		if (!public_key || EVP_PKEY_eq(public_key, key) != 1)
			continue;
		if (!has_ended(candidate))
			return candidate;
		if (!leaf)
			leaf = candidate;
	}
	return leaf;
}

size_t
certificate_loading_count(const struct certificate_loading *loading)
{
	return loading->units ? loading->units->list->count
			      : loading->list->count;
}

bool
certificate_spec_names(const struct certificate_spec *spec, char ***names,
		       size_t *count)
{
	char name[HOSTNAME_MAX + 1];

	if (spec->name_count == 0 || spec->source == CERTIFICATE_SELF_SIGNED)
		return false;
	*names = mem_array(spec->name_count, sizeof(char *));
	*count = 0;
	for (size_t i = 0; i < spec->name_count; i++) {
		const char *given = spec->names[i];

		if (hostname_pattern_normalize(given, strlen(given), name) == 0)
			(*names)[(*count)++] = mem_strdup(name);
	}
	return true;
}

char *
certificate_source(const char *found_in, const char *key_in)
{
	return !key_in || strcmp(found_in, key_in) == 0
		       ? mem_strdup(found_in)
		       : mem_format("%s and %s", found_in, key_in);
}

static int
set_digests(struct certificate *certificate)
{
	unsigned char *public_key = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->leaf),
				     &public_key);
	int result = -1;

	if (length > 0 &&
	    EVP_Digest(public_key, (size_t)length, certificate->key_id, NULL,
		       EVP_sha256(), NULL) == 1 &&
	    X509_digest(certificate->leaf, EVP_sha256(), certificate->digest,
			NULL) == 1)
		result = 0;
	OPENSSL_free(public_key);
	return result;
}

static struct certificate *
make(const struct certificate_spec *spec, X509 *leaf,
     const STACK_OF(X509) *found, EVP_PKEY *key, struct error *error)
{
	struct certificate *certificate = mem_alloc(sizeof(*certificate));
	const char *failure = NULL;
	X509 *root = NULL;

	certificate->references = 1;
	certificate->is_default = spec->is_default;
	certificate->is_self_issued = spec->source == CERTIFICATE_SELF_SIGNED;
	if (X509_up_ref(leaf))
		certificate->leaf = leaf;
	if (EVP_PKEY_up_ref(key))
		certificate->key = key;
	if (certificate_validity(leaf, &certificate->not_before_ms,
				 &certificate->not_after_ms) != 0)
		failure = "the certificate's validity cannot be read";
	certificate->chain = certificate_chain_build(
		leaf, found, &root, &certificate->is_chain_repaired);
	if (root && sk_X509_num(certificate->chain) == 0 && X509_up_ref(root))
		certificate->issuer = root;
	if (!certificate->leaf || !certificate->key || !certificate->chain ||
	    set_digests(certificate) != 0)
		failure = "OpenSSL is out of memory";
	if (failure) {
		error_set(error, "%s", failure);
		certificate_unref(certificate);
		return NULL;
	}
	if (!certificate_spec_names(spec, &certificate->names,
				    &certificate->name_count))
		certificate->name_count =
			certificate_names(leaf, &certificate->names);
	return certificate;
}

static void
set_mismatch(struct error *error, const char *found_in, const char *key_in)
{
	if (strcmp(found_in, key_in) == 0)
		error_set(error,
			  "%s: its private key does not match a certificate in "
			  "it",
			  found_in);
	else
		error_set(error,
			  "the private key in %s does not match a certificate "
			  "in %s",
			  key_in, found_in);
}

int
certificate_build(const struct certificate_loading *loading,
		  const char *found_in, const STACK_OF(X509) *found,
		  const char *key_in, EVP_PKEY *key)
{
	struct error error = {.at = loading->spec->at};
	struct certificate *certificate = NULL;
	enum certificate_type type;
	X509 *leaf = find_leaf(found, key);

	if (!leaf) {
		set_mismatch(&error, found_in, key_in);
	} else if (certificate_key_type(X509_get0_pubkey(leaf), &type,
					&error) != 0 ||
		   certificate_key_type(key, &type, &error) != 0) {
		error_prefix(&error, "%s: ", found_in);
	} else {
		certificate = make(loading->spec, leaf, found, key, &error);
		if (!certificate)
			error_prefix(&error, "%s: ", found_in);
	}
	ERR_clear_error();
	if (!certificate) {
		error_list_add(loading->problems, &error);
		return -1;
	}
	certificate->type = type;
	certificate->source = certificate_source(found_in, key_in);
	if (loading->units) {
		record_list_add(loading->units->list,
				certificate_record_of(certificate));
		certificate_unref(certificate);
	} else {
		certificate_list_add(loading->list, certificate);
	}
	return 0;
}

static void
build_all(const struct certificate_loading *loading, const char *found_in,
	  const STACK_OF(X509) *found, const char *key_in,
	  const struct certificate_content *keys)
{
	for (size_t i = 0; i < certificate_content_key_count(keys); i++) {
		struct error error = {.at = loading->spec->at};
		AUTO_OPENSSL(evp_pkey)
		EVP_PKEY *key = certificate_content_key(
			keys, i, loading->passphrase, &error);

		if (!key) {
			error_prefix(&error, "%s: ", key_in);
			error_list_add(loading->problems, &error);
			continue;
		}
		certificate_build(loading, found_in, found, key_in, key);
	}
}

/* What the time decides today it may decide in another way later. */
static void
note_dates(const struct certificate_content *content,
	   struct certificate_unit *unit)
{
	for (int i = 0; i < sk_X509_num(content->certificates); i++) {
		int64_t start_ms, end_ms;

		if (certificate_validity(
			    sk_X509_value(content->certificates, i), &start_ms,
			    &end_ms) == 0)
			certificate_unit_note_dates(unit, start_ms, end_ms);
	}
}

/* The bytes of a file that the unit has read; NULL: it has not. */
static const struct blob *
find_bytes(const struct certificate_unit *unit, const char *name)
{
	if (!unit || !unit->is_read)
		return NULL;
	if (strcmp(name, unit->name) == 0)
		return &unit->bytes;
	if (unit->key_name && strcmp(name, unit->key_name) == 0)
		return &unit->key_bytes;
	return NULL;
}

int
certificate_read(const struct certificate_loading *loading, const char *name,
		 struct certificate_content *content, struct error *error)
{
	const struct blob *bytes = find_bytes(loading->unit, name);
	AUTO_BLOB struct blob blob = {0};

	*content = (struct certificate_content){0};
	if (!bytes && file_set_read(loading->files, name, &blob, error) != 0)
		return -1;
	if (!bytes)
		bytes = &blob;
	if (certificate_content_parse(bytes->bytes, bytes->length,
				      loading->passphrase, loading->cache,
				      content, error) != 0) {
		error_prefix(error, "%s: ", name);
		return -1;
	}
	if (loading->unit)
		note_dates(content, loading->unit);
	return 0;
}

static void
add_problem(const struct certificate_loading *loading, const char *name,
	    const char *what)
{
	error_list_addf(loading->problems, &loading->spec->at, "%s: %s", name,
			what);
}

void
certificate_load_content(const struct certificate_loading *loading,
			 const char *name,
			 const struct certificate_content *content)
{
	if (sk_X509_num(content->certificates) == 0)
		add_problem(loading, name, certificate_content_lack(content));
	else if (certificate_content_key_count(content) == 0)
		add_problem(loading, name,
			    "there is no private key in it, and no other file "
			    "is named for it");
	else
		build_all(loading, name, content->certificates, name, content);
}

void
certificate_load_with_key(const struct certificate_loading *loading,
			  const char *name,
			  const struct certificate_content *content,
			  const char *key)
{
	struct certificate_content keys;
	struct error error = {.at = loading->spec->at};

	if (sk_X509_num(content->certificates) == 0) {
		add_problem(loading, name, certificate_content_lack(content));
		return;
	}
	if (certificate_read(loading, key, &keys, &error) != 0)
		error_list_add(loading->problems, &error);
	else if (certificate_content_key_count(&keys) == 0)
		add_problem(loading, key,
			    keys.length == 0 ? "it is empty"
					     : "there is no private key in it");
	else
		build_all(loading, name, content->certificates, key, &keys);
	certificate_content_clear(&keys);
}

void
certificate_load_file(const struct certificate_loading *loading,
		      const char *name, const char *key)
{
	struct certificate_unit unit;
	struct certificate_loading within = *loading;
	struct certificate_content content;
	struct error error = {.at = loading->spec->at};

	if (certificate_unit_begin(&unit, loading, name, key))
		return;
	within.unit = &unit;
	if (certificate_read(&within, name, &content, &error) != 0)
		error_list_add(loading->problems, &error);
	else if (key)
		certificate_load_with_key(&within, name, &content, key);
	else
		certificate_load_content(&within, name, &content);
	certificate_content_clear(&content);
	certificate_unit_end(&unit, loading);
}
