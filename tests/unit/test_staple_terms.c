/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Responders and must-staple in the DER of certificates.
 */
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_record.h"
#include "common/tls/staple_terms.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

struct extension {
	int nid;
	const char *value; /* as in openssl.cnf */
};

static void
add(struct test_identity *identity, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, identity->certificate, identity->certificate,
		       NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	CU_ASSERT_PTR_NOT_NULL_FATAL(extension);
	X509_add_ext(identity->certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* The responder that is found, "" for none; the caller's. */
static char *
find(const char *kind, const struct extension *extensions, size_t count,
     bool *is_must_staple)
{
	struct test_identity *identity =
		test_leaf(kind, "web.example.org", NULL);
	struct staple_terms terms;
	struct der *der;
	char *found;

	for (size_t i = 0; i < count; i++)
		add(identity, extensions[i].nid, extensions[i].value);
	X509_sign(identity->certificate, identity->key,
		  EVP_PKEY_is_a(identity->key, "ED25519") ? NULL
							  : EVP_sha256());
	der = der_of(identity->certificate);
	staple_terms_read(der->bytes, der->length, &terms);
	*is_must_staple = terms.is_must_staple;
	found = terms.responder.bytes
			? mem_strndup((const char *)terms.responder.bytes,
				      terms.responder.length)
			: mem_strdup("");
	/* Nor does it read beyond what is cut off. */
	for (size_t i = 0; i < der->length; i++) {
		AUTO_FREE unsigned char *cut = mem_dup(der->bytes, i);

		staple_terms_read(cut, i, &terms);
	}
	der_unref(der);
	test_identity_free(identity);
	return found;
}

static void
test_responder(void)
{
	static const struct {
		const char *aia;
		const char *found;
	} cases[] = {
		{"OCSP;URI:http://ocsp.example.org/",
		 "http://ocsp.example.org/"},
		{"OCSP;URI:HTTP://ocsp.example.org", "HTTP://ocsp.example.org"},
		{"caIssuers;URI:http://ca.example.org/,OCSP;URI:http://a/",
		 "http://a/"},
		{"OCSP;URI:http://a/,OCSP;URI:http://b/", "http://a/"},
		{"OCSP;URI:ldap://a/,OCSP;URI:http://b/", "http://b/"},
		{"OCSP;DNS:a.example,OCSP;URI:http://b/", "http://b/"},
		{"caIssuers;URI:http://ca.example.org/", ""},
		{"OCSP;URI:https://ocsp.example.org/", ""},
		{"OCSP;URI:http://", ""},
		{"OCSP;URI:http://a b/", ""},
		{"OCSP;URI:ocsp.example.org", ""},
		{"OCSP;DNS:http.example.org", ""},
	};
	static const char *const kinds[] = {"p256", "ed25519", "rsa2048",
					    "rsa-pss2048"};
	bool is_must_staple;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct extension extension = {NID_info_access,
						    cases[i].aia};
		AUTO_FREE char *found =
			find("p256", &extension, 1, &is_must_staple);

		CU_ASSERT_STRING_EQUAL(found, cases[i].found);
		CU_ASSERT_FALSE(is_must_staple);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct extension extension = {NID_info_access,
						    cases[0].aia};
		AUTO_FREE char *found =
			find(kinds[i], &extension, 1, &is_must_staple);

		CU_ASSERT_STRING_EQUAL(found, cases[0].found);
	}
}

static void
test_must_staple(void)
{
	static const struct {
		const char *feature;
		bool is_must_staple;
	} cases[] = {
		{"status_request", true},
		{"status_request,status_request_v2", true},
		{"status_request_v2", false},
		{"1,2,5", true},
		{"261", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct extension extensions[] = {
			{NID_tlsfeature, cases[i].feature},
			{NID_info_access, "OCSP;URI:http://a/"},
		};
		bool is_must_staple;
		AUTO_FREE char *found =
			find("p256", extensions, 2, &is_must_staple);

		CU_ASSERT_EQUAL(is_must_staple, cases[i].is_must_staple);
		CU_ASSERT_STRING_EQUAL(found, "http://a/");
	}
}

static void
test_none(void)
{
	static const struct extension twice[] = {
		{NID_info_access, "OCSP;URI:http://a/"},
		{NID_info_access, "OCSP;URI:http://b/"},
	};
	struct staple_terms terms = {.is_must_staple = true};
	bool is_must_staple;
	AUTO_FREE char *found = find("p256", NULL, 0, &is_must_staple);
	AUTO_FREE char *doubled = find("p256", twice, 2, &is_must_staple);
	AUTO_FREE char *long_url = mem_alloc(1100);
	struct extension extension = {NID_info_access, long_url};

	CU_ASSERT_STRING_EQUAL(found, "");
	CU_ASSERT_STRING_EQUAL(doubled, "");
	memset(long_url, 'a', 1099);
	memcpy(long_url, "OCSP;URI:http://", 16);
	mem_free(TAKE(found));
	found = find("p256", &extension, 1, &is_must_staple);
	CU_ASSERT_STRING_EQUAL(found, "");
	staple_terms_read((const unsigned char *)"", 0, &terms);
	CU_ASSERT_PTR_NULL(terms.responder.bytes);
	CU_ASSERT_FALSE(terms.is_must_staple);
}

UNIT_SUITE(staple_terms, {"responder", test_responder},
	   {"must_staple", test_must_staple}, {"none", test_none});
