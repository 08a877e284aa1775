/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates of our own making, judged by OpenSSL's verification.
 */
#include "common/tls/certificate_create.h"

#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)

/* What OpenSSL says, strictly, of a leaf for this purpose (X509_PURPOSE_…)
 * below a trusted certificate; by way of another one unless that is NULL. */
static int
verify(X509 *leaf, X509 *by_way_of, X509 *trusted, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *check = X509_STORE_CTX_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	int result = X509_V_OK;

	X509_STORE_add_cert(store, trusted);
	X509_STORE_set_flags(store, X509_V_FLAG_X509_STRICT);
	if (by_way_of)
		sk_X509_push(others, by_way_of);
	X509_STORE_CTX_init(check, store, leaf, others);
	X509_STORE_CTX_set_purpose(check, purpose);
	if (X509_verify_cert(check) != 1)
		result = X509_STORE_CTX_get_error(check);
	X509_STORE_CTX_free(check);
	X509_STORE_free(store);
	sk_X509_free(others);
	return result;
}

static void
test_kinds(void)
{
	static const char *const kinds[] = {
		"rsa2048", "rsa3072", "p256",  "p384",
		"p521",    "ed25519", "ed448", "rsa-pss2048",
	};
	static const int bits[] = {2048, 3072, 256, 384, 521, 256, 456, 2048};
	const struct certificate_request authority = {
		.common_name = "Root",
		.purpose = CERTIFICATE_FOR_CA,
		.days = 1,
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct test_identity *root =
			test_identity(kinds[i], &authority, NULL);
		struct test_identity *web =
			test_leaf(kinds[i], "web.example", root);

		CU_ASSERT_EQUAL(EVP_PKEY_get_bits(web->key), bits[i]);
		CU_ASSERT_EQUAL(verify(web->certificate, NULL,
				       root->certificate,
				       X509_PURPOSE_SSL_SERVER),
				X509_V_OK);
		test_identity_free(web);
		test_identity_free(root);
	}
}

static void
test_unknown_kinds(void)
{
	static const char *const kinds[] = {"",        "rsa",  "rsa1024",
					    "RSA2048", "p224", "dsa"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct error error = {0};

		CU_ASSERT_PTR_NULL(certificate_create_key(kinds[i], &error));
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is no kind of key"));
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "rsa-pss2048"));
	}
	CU_ASSERT_PTR_NULL(certificate_create_key("", NULL));
}

static void
test_purposes(void)
{
	static const struct {
		enum certificate_purpose purpose;
		bool is_server, is_client, is_authority;
	} cases[] = {
		{CERTIFICATE_FOR_SERVER, true, false, false},
		{CERTIFICATE_FOR_CLIENT, false, true, false},
		{CERTIFICATE_FOR_BOTH, true, true, false},
		{CERTIFICATE_FOR_CA, true, true, true},
	};
	struct test_identity *root = test_ca("Root", NULL);
	const char *name = "web.example";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct certificate_request request = {
			.names = &name,
			.name_count = 1,
			.purpose = cases[i].purpose,
			.days = 1,
		};
		struct test_identity *made =
			test_identity("p256", &request, root);

		CU_ASSERT_EQUAL(verify(made->certificate, NULL,
				       root->certificate,
				       X509_PURPOSE_SSL_SERVER) == X509_V_OK,
				cases[i].is_server);
		CU_ASSERT_EQUAL(verify(made->certificate, NULL,
				       root->certificate,
				       X509_PURPOSE_SSL_CLIENT) == X509_V_OK,
				cases[i].is_client);
		CU_ASSERT_EQUAL(X509_check_ca(made->certificate) == 1,
				cases[i].is_authority);
		test_identity_free(made);
	}
	test_identity_free(root);
}

static void
test_chain(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *middle = test_ca("Middle", root);
	struct test_identity *web = test_leaf("p256", "web.example", middle);
	struct test_identity *below = test_leaf("p256", "x.example", web);

	CU_ASSERT_EQUAL(verify(web->certificate, middle->certificate,
			       root->certificate, X509_PURPOSE_SSL_SERVER),
			X509_V_OK);
	CU_ASSERT_EQUAL(verify(web->certificate, NULL, root->certificate,
			       X509_PURPOSE_SSL_SERVER),
			X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	CU_ASSERT_NOT_EQUAL(verify(below->certificate, web->certificate,
				   root->certificate, X509_PURPOSE_SSL_SERVER),
			    X509_V_OK);
	test_identity_free(below);
	test_identity_free(web);
	test_identity_free(middle);
	test_identity_free(root);
}

static void
test_self_signed(void)
{
	struct test_identity *web = test_leaf("p256", "localhost", NULL);

	CU_ASSERT_EQUAL(verify(web->certificate, NULL, web->certificate,
			       X509_PURPOSE_SSL_SERVER),
			X509_V_OK);
	CU_ASSERT_EQUAL(X509_self_signed(web->certificate, 1), 1);
	test_identity_free(web);
}

static void
test_self_signed_pem(void)
{
	static const char *const names[] = {"localhost", "127.0.0.1"};
	static const char *const bad[] = {" ocalhost"};
	AUTO_BLOB struct blob pem = {0}, other = {0}, none = {0};
	int64_t from_ms, to_ms, now_ms = clock_real_ms();
	struct error error = {0};
	STACK_OF(X509) *found;
	X509 *leaf;

	CU_ASSERT_EQUAL_FATAL(
		certificate_create_self_signed(names, 2, &pem, &error), 0);
	CU_ASSERT_EQUAL(strlen((const char *)pem.bytes), pem.length);
	found = certificate_parse_all(pem.bytes, pem.length, NULL, &error);
	CU_ASSERT_EQUAL_FATAL(sk_X509_num(found), 1);
	leaf = sk_X509_value(found, 0);
	CU_ASSERT_EQUAL(verify(leaf, NULL, leaf, X509_PURPOSE_SSL_SERVER),
			X509_V_OK);
	CU_ASSERT_EQUAL(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
	CU_ASSERT_EQUAL(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
	CU_ASSERT_EQUAL(certificate_validity(leaf, &from_ms, &to_ms), 0);
	CU_ASSERT(from_ms <= now_ms);
	CU_ASSERT(to_ms > now_ms + 89 * DAY_MS);
	CU_ASSERT(to_ms < now_ms + 91 * DAY_MS);
	sk_X509_pop_free(found, X509_free);

	CU_ASSERT_EQUAL(
		certificate_create_self_signed(names, 2, &other, &error), 0);
	CU_ASSERT_STRING_NOT_EQUAL((const char *)other.bytes,
				   (const char *)pem.bytes);
	CU_ASSERT_EQUAL(certificate_create_self_signed(bad, 1, &none, &error),
			-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "\" ocalhost\" is no DNS "
						  "name"));
	CU_ASSERT_PTR_NULL(none.bytes);
}

static void
test_names(void)
{
	static const char *const names[] = {"Web.Example",
					    "*.web.example",
					    "127.0.0.1",
					    "2001:DB8::1",
					    "jane@web.example",
					    "spiffe://web.example/a",
					    "urn:uuid:f81d4fae",
					    "_x.example",
					    "xn--bcher-kva.example"};
	const struct certificate_request request = {
		.names = names, .name_count = ARRAY_SIZE(names), .days = 1};
	struct test_identity *web = test_identity("ed25519", &request, NULL);
	X509 *leaf = web->certificate;
	GENERAL_NAMES *found =
		X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	static const int types[] = {GEN_DNS,   GEN_DNS,   GEN_IPADD,
				    GEN_IPADD, GEN_EMAIL, GEN_URI,
				    GEN_URI,   GEN_DNS,   GEN_DNS};
	char text[64];

	CU_ASSERT_EQUAL_FATAL(sk_GENERAL_NAME_num(found),
			      (int)ARRAY_SIZE(types));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		CU_ASSERT_EQUAL(sk_GENERAL_NAME_value(found, (int)i)->type,
				types[i]);
	CU_ASSERT_EQUAL(X509_check_host(leaf, "web.example", 0, 0, NULL), 1);
	CU_ASSERT_EQUAL(X509_check_host(leaf, "a.web.example", 0, 0, NULL), 1);
	CU_ASSERT_EQUAL(X509_check_host(leaf, "example", 0, 0, NULL), 0);
	CU_ASSERT_EQUAL(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
	CU_ASSERT_EQUAL(X509_check_ip_asc(leaf, "2001:db8::1", 0), 1);
	CU_ASSERT_EQUAL(X509_check_email(leaf, "jane@web.example", 0, 0), 1);
	X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName,
				  text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "Web.Example");
	GENERAL_NAMES_free(found);
	test_identity_free(web);
}

static void
expect_refused(const char *common_name, const char *name, unsigned int days,
	       const char *words)
{
	const struct certificate_request request = {
		.common_name = common_name,
		.names = &name,
		.name_count = name ? 1 : 0,
		.days = days,
	};
	struct error error = {0};
	EVP_PKEY *key = certificate_create_key("ed25519", NULL);

	CU_ASSERT_PTR_NULL(
		certificate_create(&request, key, NULL, NULL, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
	EVP_PKEY_free(key);
}

static void
test_refused_names(void)
{
	static const char *const names[] = {
		"",
		"a b",
		"a..b",
		"localhost:443",
		"b\xc3\xbc.de",
		"a,DNS:evil",
		"@a.b",
		"a@b@c d",
		"http:",
		"1.2.3",
		"jane@",
		"jane@-\n",
		"http://a b/",
		"*",
		"a.*.b",
		"web.example.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_refused("x", names[i], 1, "is no DNS name, IP address");
	expect_refused(NULL, NULL, 1, "a certificate needs a name");
	expect_refused("", NULL, 1, "cannot be a common name");
	expect_refused("\xff", NULL, 1, "cannot be a common name");
	expect_refused("12345678901234567890123456789012345678901234567890"
		       "123456789012345",
		       NULL, 1, "cannot be a common name");
	expect_refused("x", NULL, 100001, "days are too many");
}

/* A name too long for the subject stands in the alternative names alone, which
 * are critical then. */
static void
test_long_name(void)
{
	const char *name = "a-label-of-forty-characters-or-some-more."
			   "and-another-one-so-that-it-is-long.example";
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *web = test_leaf("p256", name, root);
	int index =
		X509_get_ext_by_NID(web->certificate, NID_subject_alt_name, -1);

	CU_ASSERT_EQUAL(
		X509_NAME_entry_count(X509_get_subject_name(web->certificate)),
		0);
	CU_ASSERT_EQUAL(X509_EXTENSION_get_critical(
				X509_get_ext(web->certificate, index)),
			1);
	CU_ASSERT_EQUAL(X509_check_host(web->certificate, name, 0, 0, NULL), 1);
	CU_ASSERT_EQUAL(verify(web->certificate, NULL, root->certificate,
			       X509_PURPOSE_SSL_SERVER),
			X509_V_OK);
	test_identity_free(web);
	test_identity_free(root);
}

static void
test_validity(void)
{
	struct test_identity *web = test_leaf("ed25519", "web.example", NULL);
	time_t now = (time_t)(clock_real_ms() / 1000);
	time_t earlier = now - 299, before = now - 302;
	time_t last = now + 30 * 86400 - 2, after = now + 30 * 86400 + 2;
	const ASN1_TIME *start = X509_get0_notBefore(web->certificate);
	const ASN1_TIME *end = X509_get0_notAfter(web->certificate);

	CU_ASSERT_EQUAL(X509_cmp_time(start, &earlier), -1);
	CU_ASSERT_EQUAL(X509_cmp_time(start, &before), 1);
	CU_ASSERT_EQUAL(X509_cmp_time(end, &last), 1);
	CU_ASSERT_EQUAL(X509_cmp_time(end, &after), -1);
	test_identity_free(web);
}

static void
test_serials(void)
{
	struct test_identity *one = test_leaf("ed25519", "web.example", NULL);
	struct test_identity *other = test_leaf("ed25519", "web.example", NULL);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(one->certificate);

	CU_ASSERT_NOT_EQUAL(
		ASN1_INTEGER_cmp(serial,
				 X509_get0_serialNumber(other->certificate)),
		0);
	CU_ASSERT_TRUE(ASN1_STRING_length(serial) > 12);
	CU_ASSERT_TRUE(ASN1_STRING_length(serial) <= 16);
	CU_ASSERT_EQUAL(ASN1_STRING_type(serial), V_ASN1_INTEGER);
	CU_ASSERT_EQUAL(X509_get_version(one->certificate), X509_VERSION_3);
	test_identity_free(one);
	test_identity_free(other);
}

static void
test_key_ids(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *web = test_leaf("p256", "web.example", root);
	const ASN1_OCTET_STRING *own =
		X509_get0_subject_key_id(root->certificate);

	CU_ASSERT_PTR_NOT_NULL_FATAL(own);
	CU_ASSERT_PTR_NOT_NULL_FATAL(
		X509_get0_authority_key_id(web->certificate));
	CU_ASSERT_EQUAL(ASN1_OCTET_STRING_cmp(own, X509_get0_authority_key_id(
							   web->certificate)),
			0);
	CU_ASSERT_EQUAL(ASN1_OCTET_STRING_cmp(own, X509_get0_authority_key_id(
							   root->certificate)),
			0);
	CU_ASSERT_EQUAL(ASN1_STRING_length(own), 20);
	test_identity_free(web);
	test_identity_free(root);
}

static void
test_uris(void)
{
	const char *name = "web.example";
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.days = 1,
		.ocsp_uri = "http://ocsp.example/",
		.crl_uri = "http://crl.example/ca.crl",
	};
	struct test_identity *web = test_identity("ed25519", &request, NULL);
	STACK_OF(OPENSSL_STRING) *uris = X509_get1_ocsp(web->certificate);
	CRL_DIST_POINTS *points = X509_get_ext_d2i(
		web->certificate, NID_crl_distribution_points, NULL, NULL);

	CU_ASSERT_EQUAL_FATAL(sk_OPENSSL_STRING_num(uris), 1);
	CU_ASSERT_STRING_EQUAL(sk_OPENSSL_STRING_value(uris, 0),
			       "http://ocsp.example/");
	CU_ASSERT_EQUAL_FATAL(sk_DIST_POINT_num(points), 1);
	X509_email_free(uris);
	CRL_DIST_POINTS_free(points);
	test_identity_free(web);

	web = test_leaf("ed25519", "web.example", NULL);
	CU_ASSERT_EQUAL(
		X509_get_ext_by_NID(web->certificate, NID_info_access, -1), -1);
	test_identity_free(web);
}

static void
test_wrong_issuer_key(void)
{
	struct test_identity *root = test_ca("Root", NULL);
	struct test_identity *other = test_ca("Root", NULL);
	const struct certificate_request request = {.common_name = "x",
						    .days = 1};
	struct error error = {0};

	CU_ASSERT_PTR_NULL(certificate_create(
		&request, other->key, root->certificate, other->key, &error));
	CU_ASSERT_STRING_EQUAL(error.text, "the issuer's key is not that of "
					   "its certificate");
	test_identity_free(root);
	test_identity_free(other);
}

UNIT_SUITE(certificate_create, {"kinds", test_kinds},
	   {"unknown_kinds", test_unknown_kinds}, {"purposes", test_purposes},
	   {"chain", test_chain}, {"self_signed", test_self_signed},
	   {"self_signed_pem", test_self_signed_pem}, {"names", test_names},
	   {"refused_names", test_refused_names}, {"long_name", test_long_name},
	   {"validity", test_validity}, {"serials", test_serials},
	   {"key_ids", test_key_ids}, {"uris", test_uris},
	   {"wrong_issuer_key", test_wrong_issuer_key});
