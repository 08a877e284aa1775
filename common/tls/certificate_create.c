/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and certificates of our own making. What stands in a certificate beyond
 * its subject and its times is certificate_extensions.c.
 */
#include "common/tls/certificate_create.h"

#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_extensions.h"

#define SERIAL_BITS      128
#define START_EARLIER    300 /* seconds, for clocks that are late */
#define DAYS_MAX         100000
#define SELF_SIGNED_DAYS 90
#define COMMON_NAME_MAX  64 /* RFC 5280, appendix A: ub-common-name */

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
	time_t now = (time_t)clock_real_s();

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
	names = certificate_make_names(request, error);
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
	    certificate_add_extensions(certificate, request, key, issuer) !=
		    0 ||
	    sign(certificate, issuer ? issuer_key : key) != 0) {
		set_openssl_error(error, "cannot make a certificate");
		return NULL;
	}
	return TAKE(certificate);
}

int
certificate_create_self_signed(const char *const *names, size_t count,
			       struct blob *pem, struct error *error)
{
	const struct certificate_request request = {
		.names = names,
		.name_count = count,
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = SELF_SIGNED_DAYS,
	};
	AUTO_OPENSSL(evp_pkey)
	EVP_PKEY *key = certificate_create_key("p256", error);
	AUTO_OPENSSL(x509) X509 *certificate = NULL;
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_secmem());
	const char *text;
	long length;

	if (key)
		certificate =
			certificate_create(&request, key, NULL, NULL, error);
	if (!certificate)
		return -1;
	if (!out || PEM_write_bio_X509(out, certificate) != 1 ||
	    PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL,
					  NULL) != 1) {
		set_openssl_error(error, "cannot write a certificate");
		return -1;
	}
	length = BIO_get_mem_data(out, &text);
	pem->length = (size_t)length;
	pem->bytes = mem_alloc(pem->length + 1);
	memcpy(pem->bytes, text, pem->length);
	return 0;
}
