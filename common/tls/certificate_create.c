/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and certificates of our own making. Every extension is built as the
 * structure it is, never as OpenSSL's configuration text, so that no name can
 * say more than a name.
 */
#include "common/tls/certificate_create.h"

#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/tls/openssl_auto.h"

#define SERIAL_BITS     128
#define START_EARLIER   300 /* seconds, for clocks that are late */
#define DAYS_MAX        100000
#define COMMON_NAME_MAX 64 /* RFC 5280, appendix A: ub-common-name */

/* The bits of KeyUsage (RFC 5280 4.2.1.3). */
enum key_usage {
	KEY_USAGE_DIGITAL_SIGNATURE = 0,
	KEY_USAGE_KEY_ENCIPHERMENT = 2,
	KEY_USAGE_CERTIFICATE_SIGN = 5,
	KEY_USAGE_CRL_SIGN = 6,
};

struct key_kind {
	const char *name;
	const char *type; /* OpenSSL's */
	unsigned int bits;
	const char *group;
};

static const struct key_kind key_kinds[] = {
	{"rsa2048", "RSA", 2048, NULL},
	{"rsa3072", "RSA", 3072, NULL},
	{"rsa4096", "RSA", 4096, NULL},
	{"p256", "EC", 0, "P-256"},
	{"p384", "EC", 0, "P-384"},
	{"p521", "EC", 0, "P-521"},
	{"ed25519", "ED25519", 0, NULL},
	{"ed448", "ED448", 0, NULL},
	{"rsa-pss2048", "RSA-PSS", 2048, NULL},
};

/* Leave what OpenSSL said about a failure, and an empty queue. */
static void
set_openssl_error(struct error *error, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	error_set(error, "%s: %s", what, reason ? reason : "OpenSSL failed");
	ERR_clear_error();
}

static const struct key_kind *
find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_kinds); i++)
		if (strcmp(key_kinds[i].name, name) == 0)
			return &key_kinds[i];
	return NULL;
}

bool
certificate_has_key_kind(const char *kind)
{
	return find_kind(kind) != NULL;
}

EVP_PKEY *
certificate_create_key(const char *name, struct error *error)
{
	const struct key_kind *kind = find_kind(name);
	AUTO_OPENSSL(evp_pkey_ctx) EVP_PKEY_CTX *maker = NULL;
	OSSL_PARAM parameters[2] = {OSSL_PARAM_END, OSSL_PARAM_END};
	unsigned int bits;
	char group[8];
	EVP_PKEY *key = NULL;

	if (!kind) {
		error_set(error,
			  "\"%s\" is no kind of key; there are rsa2048, "
			  "rsa3072, rsa4096, p256, p384, p521, ed25519, ed448 "
			  "and rsa-pss2048",
			  name);
		return NULL;
	}
	if (kind->bits) {
		bits = kind->bits;
		parameters[0] = OSSL_PARAM_construct_uint(
			OSSL_PKEY_PARAM_RSA_BITS, &bits);
	}
	if (kind->group) {
		strcpy(group, kind->group);
		parameters[0] = OSSL_PARAM_construct_utf8_string(
			OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	}
	maker = EVP_PKEY_CTX_new_from_name(NULL, kind->type, NULL);
	if (!maker || EVP_PKEY_keygen_init(maker) != 1 ||
	    EVP_PKEY_CTX_set_params(maker, parameters) != 1 ||
	    EVP_PKEY_generate(maker, &key) != 1) {
		set_openssl_error(error, "cannot make a key");
		return NULL;
	}
	return key;
}

static int
add_extension(X509 *certificate, int nid, void *value, bool is_critical)
{
	return X509_add1_ext_i2d(certificate, nid, value, is_critical,
				 X509V3_ADD_DEFAULT) == 1
		       ? 0
		       : -1;
}

static int
set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	int result = -1;

	if (number &&
	    BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)))
		result = 0;
	BN_free(number);
	return result;
}

static int
set_validity(X509 *certificate, unsigned int days)
{
	time_t now = (time_t)(clock_real_ms() / 1000);

	if (!X509_time_adj_ex(X509_getm_notBefore(certificate), 0,
			      -START_EARLIER, &now) ||
	    !X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0,
			      &now))
		return -1;
	return 0;
}

/* The subject is the common name, or empty when the only name there is would
 * be too long for one. */
static int
set_subject(X509_NAME *subject, const struct certificate_request *request,
	    struct error *error)
{
	const char *name = request->common_name;

	if (!name) {
		name = request->names[0];
		if (strlen(name) > COMMON_NAME_MAX)
			return 0;
	}
	if (name[0] == '\0' ||
	    !X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
					(const unsigned char *)name, -1, -1,
					0)) {
		ERR_clear_error();
		error_set(error,
			  "\"%s\" cannot be a common name: that takes 1 to %d "
			  "characters of UTF-8",
			  name, COMMON_NAME_MAX);
		return -1;
	}
	return 0;
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
		set_openssl_error(error, "cannot make a name");
	return name;
}

/* The caller frees them with GENERAL_NAMES_free(). */
static GENERAL_NAMES *
make_names(const struct certificate_request *request, struct error *error)
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
		set_openssl_error(error, "cannot make the names");
	return TAKE(names);
}

/* The alternative name is critical when it is the only name (RFC 5280
 * 4.2.1.6). */
static int
add_names(X509 *certificate, const struct certificate_request *request)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *names = make_names(request, NULL);
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

static int
add_extensions(X509 *certificate, const struct certificate_request *request,
	       const EVP_PKEY *key, X509 *issuer)
{
	bool is_ca = request->purpose == CERTIFICATE_FOR_CA;

	if (add_basic_constraints(certificate, is_ca) != 0 ||
	    add_key_usage(certificate, request, key) != 0 ||
	    add_extended_key_usage(certificate, request->purpose) != 0 ||
	    add_subject_key_id(certificate) != 0 ||
	    add_authority_key_id(certificate, issuer) != 0 ||
	    add_ocsp_uri(certificate, request->ocsp_uri) != 0 ||
	    add_crl_uri(certificate, request->crl_uri) != 0)
		return -1;
	return 0;
}

/* The digest goes with the signing key's strength; the Edwards curves bring
 * their own. */
static const EVP_MD *
signing_digest(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 384)
		return EVP_sha512();
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256)
		return EVP_sha384();
	return EVP_sha256();
}

static int
sign(X509 *certificate, EVP_PKEY *key)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *signer = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL; /* the signer's */

	if (!signer || EVP_DigestSignInit(signer, &options, signing_digest(key),
					  NULL, key) != 1)
		return -1;
	if (EVP_PKEY_is_a(key, "RSA-PSS") &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) !=
		    1)
		return -1;
	return X509_sign_ctx(certificate, signer) > 0 ? 0 : -1;
}

int
certificate_request_check(const struct certificate_request *request,
			  struct error *error)
{
	AUTO_OPENSSL(general_names) GENERAL_NAMES *names = NULL;
	X509_NAME *subject;
	int result;

	if (request->name_count == 0 && !request->common_name) {
		error_set(error, "a certificate needs a name");
		return -1;
	}
	if (request->days > DAYS_MAX) {
		error_set(error, "%u days are too many: %d is the most",
			  request->days, DAYS_MAX);
		return -1;
	}
	names = make_names(request, error);
	subject = X509_NAME_new();
	result = names && subject ? set_subject(subject, request, error) : -1;
	X509_NAME_free(subject);
	return result;
}

X509 *
certificate_create(const struct certificate_request *request, EVP_PKEY *key,
		   X509 *issuer, EVP_PKEY *issuer_key, struct error *error)
{
	AUTO_OPENSSL(x509) X509 *certificate = NULL;

	if (certificate_request_check(request, error) != 0)
		return NULL;
	if (issuer && X509_check_private_key(issuer, issuer_key) != 1) {
		ERR_clear_error();
		error_set(error, "the issuer's key is not that of its "
				 "certificate");
		return NULL;
	}
	certificate = X509_new();
	if (!certificate || !X509_set_version(certificate, X509_VERSION_3) ||
	    set_serial(certificate) != 0 ||
	    set_validity(certificate, request->days) != 0 ||
	    !X509_set_pubkey(certificate, key) ||
	    set_subject(X509_get_subject_name(certificate), request, NULL) !=
		    0 ||
	    !X509_set_issuer_name(
		    certificate,
		    X509_get_subject_name(issuer ? issuer : certificate)) ||
	    add_names(certificate, request) != 0 ||
	    add_extensions(certificate, request, key, issuer) != 0 ||
	    sign(certificate, issuer ? issuer_key : key) != 0) {
		set_openssl_error(error, "cannot make a certificate");
		return NULL;
	}
	return TAKE(certificate);
}
