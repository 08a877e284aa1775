/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header.
 */
#include "tests/lib/test_ocsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_create.h"
#include "tests/lib/test_certificates.h"

OPENSSL_AUTO_FREE(ocsp_basicresp, OCSP_BASICRESP, OCSP_BASICRESP_free);
OPENSSL_AUTO_FREE(ocsp_response, OCSP_RESPONSE, OCSP_RESPONSE_free);

static void
must(bool is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "test_ocsp: cannot make %s\n", what);
	abort();
}

/* An object identifier of the documentation's arc (2.999), critical. */
static X509_EXTENSION *
make_unknown(void)
{
	ASN1_OBJECT *object = OBJ_txt2obj("2.999.1", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *made;

	must(object && value &&
		     ASN1_OCTET_STRING_set(value, (const unsigned char *)"\5\0",
					   2),
	     "an extension");
	made = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
	must(made, "an extension");
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(value);
	return made;
}

static void
add_single(OCSP_BASICRESP *basic, const struct test_ocsp_single *single)
{
	static const int statuses[] = {
		[TEST_OCSP_GOOD] = V_OCSP_CERTSTATUS_GOOD,
		[TEST_OCSP_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
		[TEST_OCSP_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
	};
	const struct test_identity *issuer =
		single->issuer ? single->issuer : single->about->issuer;
	OCSP_CERTID *id = OCSP_cert_to_id(
		EVP_get_digestbyname(single->digest ? single->digest : "SHA1"),
		single->about->certificate, issuer->certificate);
	ASN1_TIME *begin =
		ASN1_GENERALIZEDTIME_set(NULL, (time_t)single->this_update);
	ASN1_TIME *end =
		ASN1_GENERALIZEDTIME_set(NULL, (time_t)single->next_update);
	ASN1_TIME *revoked =
		ASN1_GENERALIZEDTIME_set(NULL, (time_t)single->revoked_at);
	OCSP_SINGLERESP *made;

	must(id && begin && end && revoked, "a statement");
	made = OCSP_basic_add1_status(basic, id, statuses[single->status],
				      single->reason, revoked, begin,
				      single->next_update ? end : NULL);
	must(made, "a statement");
	if (single->is_critical) {
		X509_EXTENSION *unknown = make_unknown();

		must(OCSP_SINGLERESP_add_ext(made, unknown, -1),
		     "an extension");
		X509_EXTENSION_free(unknown);
	}
	OCSP_CERTID_free(id);
	ASN1_TIME_free(begin);
	ASN1_TIME_free(end);
	ASN1_TIME_free(revoked);
}

static void
add_nonce(OCSP_BASICRESP *basic, const void *nonce, size_t length)
{
	AUTO_FREE unsigned char *copy = mem_dup(nonce, length);

	must(OCSP_basic_add1_nonce(basic, copy, (int)length), "a nonce");
}

/* OpenSSL names the signer by the certificate that it is given, and demands
 * that its key is the one that signs: another name is that of another
 * certificate for that key. */
static X509 *
name_signer(const struct test_ocsp *answer)
{
	const struct test_identity *named =
		answer->named ? answer->named : answer->signer;
	X509 *copy = X509_dup(named->certificate);

	must(copy, "a certificate");
	must(X509_set_pubkey(copy, answer->signer->key), "a certificate");
	return copy;
}

static void
sign(OCSP_BASICRESP *basic, const struct test_ocsp *answer)
{
	AUTO_OPENSSL(x509) X509 *signer = name_signer(answer);
	EVP_PKEY *key = answer->signer->key;
	const EVP_MD *digest = EVP_get_digestbyname(
		answer->digest ? answer->digest : "SHA256");

	if (EVP_PKEY_is_a(key, "ED25519"))
		digest = NULL;
	must(OCSP_basic_sign(basic, signer, key, digest, NULL,
			     OCSP_NOCERTS | (answer->is_by_key ? OCSP_RESPID_KEY
							       : 0)) > 0,
	     "a signature");
}

static OCSP_BASICRESP *
make_basic(const struct test_ocsp *answer)
{
	AUTO_OPENSSL(ocsp_basicresp)
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();

	must(basic, "an answer");
	for (size_t i = 0; i < answer->single_count; i++)
		add_single(basic, &answer->singles[i]);
	if (answer->nonce)
		add_nonce(basic, answer->nonce, answer->nonce_length);
	if (answer->is_critical) {
		X509_EXTENSION *unknown = make_unknown();

		must(OCSP_BASICRESP_add_ext(basic, unknown, -1),
		     "an extension");
		X509_EXTENSION_free(unknown);
	}
	sign(basic, answer);
	for (size_t i = 0; i < answer->certificate_count; i++)
		must(OCSP_basic_add1_cert(basic,
					  answer->certificates[i]->certificate),
		     "a certificate");
	return TAKE(basic);
}

unsigned char *
test_ocsp_der(const struct test_ocsp *answer, size_t *length)
{
	AUTO_OPENSSL(ocsp_basicresp)
	OCSP_BASICRESP *basic = answer->response ? NULL : make_basic(answer);
	AUTO_OPENSSL(ocsp_response)
	OCSP_RESPONSE *response = OCSP_response_create(answer->response, basic);
	unsigned char *bytes = NULL, *copy;
	int size;

	must(response, "an answer");
	size = i2d_OCSP_RESPONSE(response, &bytes);
	must(size > 0, "DER");
	copy = mem_dup(bytes, (size_t)size);
	OPENSSL_free(bytes);
	*length = (size_t)size;
	return copy;
}

static void
add_usage(X509 *certificate, int nid, const char *words)
{
	X509_EXTENSION *made;

	if (!words)
		return;
	made = X509V3_EXT_conf_nid(NULL, NULL, nid, words);
	must(made && X509_add_ext(certificate, made, -1), words);
	X509_EXTENSION_free(made);
}

static void
set_dates(X509 *certificate, const struct test_ocsp_responder *responder)
{
	time_t now = time(NULL);
	time_t begin = responder->not_before ? (time_t)responder->not_before
					     : now - 3600;
	time_t end = responder->not_after ? (time_t)responder->not_after
					  : now + 86400;

	must(ASN1_TIME_set(X509_getm_notBefore(certificate), begin) &&
		     ASN1_TIME_set(X509_getm_notAfter(certificate), end),
	     "dates");
}

struct test_identity *
test_ocsp_responder(const struct test_ocsp_responder *responder)
{
	const struct test_identity *issuer = responder->issuer;
	struct test_identity *identity = mem_alloc(sizeof(*identity));
	struct error error = {0};
	X509 *made = X509_new();
	X509_NAME *name = X509_NAME_new();
	const EVP_MD *digest = EVP_get_digestbyname(
		responder->digest ? responder->digest : "SHA256");

	identity->issuer = issuer;
	identity->key = certificate_create_key(
		responder->kind ? responder->kind : "p256", &error);
	identity->certificate = made;
	must(identity->key && made && name, "a responder");
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					(const unsigned char *)responder->name,
					-1, -1, 0) &&
		     X509_set_subject_name(made, name) &&
		     X509_set_issuer_name(made, X509_get_subject_name(
							issuer->certificate)) &&
		     X509_set_version(made, X509_VERSION_3) &&
		     ASN1_INTEGER_set(X509_get_serialNumber(made), 4711) &&
		     X509_set_pubkey(made, identity->key),
	     "a responder");
	set_dates(made, responder);
	add_usage(made, NID_ext_key_usage, responder->extended_key_usage);
	add_usage(made, NID_key_usage, responder->key_usage);
	must(X509_sign(made, issuer->key, digest) > 0, "a signature");
	X509_NAME_free(name);
	return identity;
}
