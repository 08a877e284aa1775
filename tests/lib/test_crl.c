/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header.
 */
#include "tests/lib/test_crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "tests/lib/test_certificates.h"

OPENSSL_AUTO_FREE(x509_crl, X509_CRL, X509_CRL_free);

static void
must(bool is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "test_crl: cannot make %s\n", what);
	abort();
}

static ASN1_INTEGER *
serial_of(const struct test_crl_entry *entry)
{
	ASN1_INTEGER *made;
	BIGNUM *number = NULL;

	if (entry->certificate)
		return ASN1_INTEGER_dup(
			X509_get0_serialNumber(entry->certificate));
	must(BN_hex2bn(&number, entry->serial) > 0, "a serial");
	made = BN_to_ASN1_INTEGER(number, NULL);
	BN_free(number);
	return made;
}

static void
add_reason(X509_REVOKED *revoked, int reason)
{
	ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();

	must(value && ASN1_ENUMERATED_set(value, reason) &&
		     X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value,
					       0, 0),
	     "a reason");
	ASN1_ENUMERATED_free(value);
}

static void
add_entry(X509_CRL *list, const struct test_crl_entry *entry)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_INTEGER *serial = serial_of(entry);
	ASN1_TIME *date = ASN1_TIME_set(NULL, (time_t)entry->date);

	must(revoked && serial && date &&
		     X509_REVOKED_set_serialNumber(revoked, serial) &&
		     X509_REVOKED_set_revocationDate(revoked, date),
	     "an entry");
	if (entry->reason >= 0)
		add_reason(revoked, entry->reason);
	if (entry->issuer) {
		X509_EXTENSION *issuer = X509V3_EXT_conf_nid(
			NULL, NULL, NID_certificate_issuer, entry->issuer);

		must(issuer && X509_REVOKED_add_ext(revoked, issuer, -1),
		     "an issuer");
		X509_EXTENSION_free(issuer);
	}
	must(X509_CRL_add0_revoked(list, revoked), "an entry");
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(date);
}

static void
add_extension(X509_CRL *list, const struct test_crl *crl,
	      const struct test_crl_extension *extension)
{
	X509V3_CTX around;
	X509_EXTENSION *made;

	X509V3_set_ctx(&around, crl->issuer->certificate, NULL, NULL, list, 0);
	made = X509V3_EXT_conf(NULL, &around, extension->name,
			       extension->value);
	must(made && X509_CRL_add_ext(list, made, -1), extension->name);
	X509_EXTENSION_free(made);
}

static void
set_times(X509_CRL *list, const struct test_crl *crl)
{
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)crl->this_update);

	must(time && X509_CRL_set1_lastUpdate(list, time), "a time");
	if (crl->next_update != 0)
		must(ASN1_TIME_set(time, (time_t)crl->next_update) &&
			     X509_CRL_set1_nextUpdate(list, time),
		     "a time");
	ASN1_TIME_free(time);
}

static void
set_issuer(X509_CRL *list, const struct test_crl *crl)
{
	X509_NAME *name;

	if (!crl->issuer_name) {
		must(X509_CRL_set_issuer_name(
			     list,
			     X509_get_subject_name(crl->issuer->certificate)),
		     "an issuer");
		return;
	}
	name = X509_NAME_new();
	must(name &&
		     X509_NAME_add_entry_by_txt(
			     name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)crl->issuer_name, -1, -1,
			     0) &&
		     X509_CRL_set_issuer_name(list, name),
	     "a name");
	X509_NAME_free(name);
}

static void
sign(X509_CRL *list, const struct test_crl *crl)
{
	EVP_PKEY *key = crl->signer ? crl->signer->key : crl->issuer->key;
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *signing = EVP_MD_CTX_new();
	const EVP_MD *digest =
		EVP_get_digestbyname(crl->digest ? crl->digest : "SHA256");
	EVP_PKEY_CTX *how;

	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		digest = NULL;
	must(signing && EVP_DigestSignInit(signing, &how, digest, NULL, key),
	     "a signature");
	if (crl->is_pss)
		must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) >
				     0 &&
			     EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32) > 0,
		     "PSS");
	must(X509_CRL_sign_ctx(list, signing) > 0, "a signature");
}

static X509_CRL *
make(const struct test_crl *crl)
{
	AUTO_OPENSSL(x509_crl) X509_CRL *list = X509_CRL_new();

	must(list && X509_CRL_set_version(list, X509_CRL_VERSION_2), "a list");
	set_issuer(list, crl);
	set_times(list, crl);
	for (size_t i = 0; i < crl->entry_count; i++)
		add_entry(list, &crl->entries[i]);
	for (size_t i = 0; i < crl->extension_count; i++)
		add_extension(list, crl, &crl->extensions[i]);
	sign(list, crl);
	return TAKE(list);
}

unsigned char *
test_crl_der(const struct test_crl *crl, size_t *length)
{
	AUTO_OPENSSL(x509_crl) X509_CRL *list = make(crl);
	unsigned char *bytes = NULL, *copy;
	int size = i2d_X509_CRL(list, &bytes);

	must(size > 0, "DER");
	copy = mem_dup(bytes, (size_t)size);
	OPENSSL_free(bytes);
	*length = (size_t)size;
	return copy;
}

char *
test_crl_pem(const struct test_crl *crl)
{
	AUTO_OPENSSL(x509_crl) X509_CRL *list = make(crl);
	AUTO_OPENSSL(bio) BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long length;

	must(out && PEM_write_bio_X509_CRL(out, list), "PEM");
	length = BIO_get_mem_data(out, &bytes);
	return mem_strndup(bytes, (size_t)length);
}
