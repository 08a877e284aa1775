/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every extension is built as the structure it is, never as OpenSSL's
 * configuration text, so that no name can say more than a name.
 */
#include "common/tls/certificate_extensions.h"

#include <stdbool.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/net/hostname.h"
#include "common/tls/certificate_create.h"

/* The bits of KeyUsage (RFC 5280 4.2.1.3). */
enum key_usage {
	KEY_USAGE_DIGITAL_SIGNATURE = 0,
	KEY_USAGE_KEY_ENCIPHERMENT = 2,
	KEY_USAGE_CERTIFICATE_SIGN = 5,
	KEY_USAGE_CRL_SIGN = 6,
};

static int
add_extension(X509 *certificate, int nid, void *value, bool is_critical)
{
	return X509_add1_ext_i2d(certificate, nid, value, is_critical,
				 X509V3_ADD_DEFAULT) == 1
		       ? 0
		       : -1;
}

static void
set_memory_error(struct error *error)
{
	ERR_clear_error();
	error_set(error, "OpenSSL is out of memory");
}

static bool
is_graphic(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool
is_email(const char *name)
{
	const char *at = strrchr(name, '@');
	char host[HOSTNAME_MAX + 1];

	return at && at != name && is_graphic(name) &&
	       hostname_normalize(at + 1, strlen(at + 1), host) == 0;
}

static bool
is_uri(const char *name)
{
	size_t scheme = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789+.-");

	if (scheme == 0 || !is_graphic(name))
		return false;
	return strncmp(name + scheme, "://", 3) == 0 ||
	       strncmp(name, "urn:", 4) == 0;
}

static GENERAL_NAME *
make_text_name(int type, const char *text)
{
	AUTO_OPENSSL(general_name) GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	if (!name || !value || !ASN1_STRING_set(value, text, -1)) {
		ASN1_IA5STRING_free(value);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return TAKE(name);
}

static GENERAL_NAME *
make_address_name(const char *text)
{
	AUTO_OPENSSL(general_name) GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_OCTET_STRING *value = a2i_IPADDRESS(text);

	if (!name || !value) {
		ASN1_OCTET_STRING_free(value);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, GEN_IPADD, value);
	return TAKE(name);
}

static GENERAL_NAME *
make_name(const char *text, struct error *error)
{
	char host[HOSTNAME_MAX + 1];
	GENERAL_NAME *name = NULL;

	if (hostname_is_ip(text)) {
		name = make_address_name(text);
	} else if (is_uri(text)) {
		name = make_text_name(GEN_URI, text);
	} else if (is_email(text)) {
		name = make_text_name(GEN_EMAIL, text);
	} else if (hostname_pattern_normalize(text, strlen(text), host) == 0) {
		name = make_text_name(GEN_DNS, host);
	} else {
		error_set(error,
			  "\"%s\" is no DNS name, IP address, URI or e-mail "
			  "address (an international name is written in its "
			  "xn-- form)",
			  text);
		return NULL;
	}
	if (!name)
		set_memory_error(error);
	return name;
}

GENERAL_NAMES *
certificate_make_names(const struct certificate_request *request,
		       struct error *error)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	for (size_t i = 0; names && i < request->name_count; i++) {
		GENERAL_NAME *name = make_name(request->names[i], error);

		if (!name)
			return NULL;
		if (!sk_GENERAL_NAME_push(names, name)) {
			GENERAL_NAME_free(name);
			GENERAL_NAMES_free(TAKE(names));
		}
	}
	if (!names)
		set_memory_error(error);
	return TAKE(names);
}

/* The alternative name is critical when it is the only name (RFC 5280
 * 4.2.1.6). */
static int
add_names(X509 *certificate, const struct certificate_request *request)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *names = certificate_make_names(request, NULL);
	bool is_alone =
		X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0;

	if (!names)
		return -1;
	if (request->name_count == 0)
		return 0;
	return add_extension(certificate, NID_subject_alt_name, names,
			     is_alone);
}

static int
add_basic_constraints(X509 *certificate, bool is_ca)
{
	BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
	int result = -1;

	if (constraints) {
		constraints->ca = is_ca ? 0xff : 0;
		result = add_extension(certificate, NID_basic_constraints,
				       constraints, true);
	}
	BASIC_CONSTRAINTS_free(constraints);
	return result;
}

static int
add_key_usage(X509 *certificate, const struct certificate_request *request,
	      const EVP_PKEY *key)
{
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	int is_set, result = -1;

	if (!usage)
		return -1;
	is_set = ASN1_BIT_STRING_set_bit(usage, KEY_USAGE_DIGITAL_SIGNATURE, 1);
	if (request->purpose == CERTIFICATE_FOR_CA)
		is_set = is_set &&
			 ASN1_BIT_STRING_set_bit(
				 usage, KEY_USAGE_CERTIFICATE_SIGN, 1) &&
			 ASN1_BIT_STRING_set_bit(usage, KEY_USAGE_CRL_SIGN, 1);
	else if (request->purpose != CERTIFICATE_FOR_CLIENT &&
		 EVP_PKEY_is_a(key, "RSA"))
		is_set = is_set &&
			 ASN1_BIT_STRING_set_bit(usage,
						 KEY_USAGE_KEY_ENCIPHERMENT, 1);
	if (is_set)
		result = add_extension(certificate, NID_key_usage, usage, true);
	ASN1_BIT_STRING_free(usage);
	return result;
}

static int
add_extended_key_usage(X509 *certificate, enum certificate_purpose purpose)
{
	EXTENDED_KEY_USAGE *usage;
	int is_set = 1, result = -1;

	if (purpose == CERTIFICATE_FOR_CA)
		return 0;
	usage = EXTENDED_KEY_USAGE_new();
	if (!usage)
		return -1;
	/* Objects of the static table: nothing to free. */
	if (purpose != CERTIFICATE_FOR_CLIENT)
		is_set = is_set && sk_ASN1_OBJECT_push(
					   usage, OBJ_nid2obj(NID_server_auth));
	if (purpose != CERTIFICATE_FOR_SERVER)
		is_set = is_set && sk_ASN1_OBJECT_push(
					   usage, OBJ_nid2obj(NID_client_auth));
	if (is_set)
		result = add_extension(certificate, NID_ext_key_usage, usage,
				       false);
	EXTENDED_KEY_USAGE_free(usage);
	return result;
}

/* SHA-1 over the public key's bits (RFC 5280 4.2.1.2, method 1): an
 * identifier, no more. */
static ASN1_OCTET_STRING *
make_key_id(const X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

	if (id &&
	    X509_pubkey_digest(certificate, EVP_sha1(), digest, &length) &&
	    ASN1_OCTET_STRING_set(id, digest, (int)length))
		return id;
	ASN1_OCTET_STRING_free(id);
	return NULL;
}

static int
add_subject_key_id(X509 *certificate)
{
	ASN1_OCTET_STRING *id = make_key_id(certificate);
	int result = -1;

	if (id)
		result = add_extension(certificate, NID_subject_key_identifier,
				       id, false);
	ASN1_OCTET_STRING_free(id);
	return result;
}

/* The issuer's own word for its key, if it has one. OpenSSL's accessor is not
 * for a certificate that is still growing: it would remember for good which
 * extensions there were. */
static int
add_authority_key_id(X509 *certificate, X509 *issuer)
{
	const ASN1_OCTET_STRING *given =
		issuer ? X509_get0_subject_key_id(issuer) : NULL;
	AUTHORITY_KEYID *id;
	int result = -1;

	if (issuer && !given)
		return 0;
	id = AUTHORITY_KEYID_new();
	if (!id)
		return -1;
	id->keyid =
		given ? ASN1_OCTET_STRING_dup(given) : make_key_id(certificate);
	if (id->keyid)
		result = add_extension(certificate,
				       NID_authority_key_identifier, id, false);
	AUTHORITY_KEYID_free(id);
	return result;
}

static int
add_ocsp_uri(X509 *certificate, const char *uri)
{
	AUTHORITY_INFO_ACCESS *access;
	ACCESS_DESCRIPTION *description;
	int result = -1;

	if (!uri)
		return 0;
	access = AUTHORITY_INFO_ACCESS_new();
	description = ACCESS_DESCRIPTION_new();
	if (description) {
		GENERAL_NAME_free(description->location);
		description->location = make_text_name(GEN_URI, uri);
		ASN1_OBJECT_free(description->method);
		description->method = OBJ_nid2obj(NID_ad_OCSP);
	}
	if (access && description && description->location &&
	    sk_ACCESS_DESCRIPTION_push(access, description)) {
		description = NULL;
		result = add_extension(certificate, NID_info_access, access,
				       false);
	}
	ACCESS_DESCRIPTION_free(description);
	AUTHORITY_INFO_ACCESS_free(access);
	return result;
}

static int
add_crl_uri(X509 *certificate, const char *uri)
{
	CRL_DIST_POINTS *points;
	DIST_POINT *point;
	GENERAL_NAME *name;
	int result = -1;

	if (!uri)
		return 0;
	points = CRL_DIST_POINTS_new();
	point = DIST_POINT_new();
	name = make_text_name(GEN_URI, uri);
	if (point && (point->distpoint = DIST_POINT_NAME_new()) != NULL) {
		point->distpoint->type = 0; /* fullName */
		point->distpoint->name.fullname = GENERAL_NAMES_new();
	}
	if (points && name && point && point->distpoint &&
	    point->distpoint->name.fullname &&
	    sk_GENERAL_NAME_push(point->distpoint->name.fullname, name)) {
		name = NULL;
		if (sk_DIST_POINT_push(points, point)) {
			point = NULL;
			result = add_extension(certificate,
					       NID_crl_distribution_points,
					       points, false);
		}
	}
	GENERAL_NAME_free(name);
	DIST_POINT_free(point);
	CRL_DIST_POINTS_free(points);
	return result;
}

int
certificate_add_extensions(X509 *certificate,
			   const struct certificate_request *request,
			   const EVP_PKEY *key, X509 *issuer)
{
	bool is_ca = request->purpose == CERTIFICATE_FOR_CA;

	if (add_names(certificate, request) != 0 ||
	    add_basic_constraints(certificate, is_ca) != 0 ||
	    add_key_usage(certificate, request, key) != 0 ||
	    add_extended_key_usage(certificate, request->purpose) != 0 ||
	    add_subject_key_id(certificate) != 0 ||
	    add_authority_key_id(certificate, issuer) != 0 ||
	    add_ocsp_uri(certificate, request->ocsp_uri) != 0 ||
	    add_crl_uri(certificate, request->crl_uri) != 0)
		return -1;
	return 0;
}
