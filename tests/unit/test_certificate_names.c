/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names that a certificate can be asked for by.
 */
#include "common/tls/certificate.h"

#include <string.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_create.h"
#include "common/tls/tls_settings.h"
#include "tests/lib/certificate_attempt.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

static void
test_given_names(void)
{
	struct test_identity *web = test_leaf("p256", "web.example", NULL);
	AUTO_FREE char *certificate = test_pem_certificate(web);
	AUTO_FREE char *key = test_pem_key(web, NULL);
	char one[] = "Other.Example", two[] = "*.other.example";
	char three[] = "no name";
	char *names[] = {one, two, three};
	struct attempt attempt = attempt_new();
	const struct certificate *loaded;

	attempt.spec.names = names;
	attempt.spec.name_count = ARRAY_SIZE(names);
	attempt_text(&attempt, certificate_name, certificate);
	attempt_text(&attempt, key_name, key);
	CU_ASSERT_EQUAL_FATAL(attempt_load(&attempt), 1);
	loaded = attempt.list.certificates[0];
	CU_ASSERT_EQUAL_FATAL(loaded->name_count, 2);
	CU_ASSERT_STRING_EQUAL(loaded->names[0], "other.example");
	CU_ASSERT_STRING_EQUAL(loaded->names[1], "*.other.example");
	attempt_clear(&attempt);
	test_identity_free(web);
}

/* A certificate with these names of type DNS, bytes as they are. */
static X509 *
leaf_with(const char *common_name, const char *const *names,
	  const size_t *lengths, size_t count)
{
	struct test_identity *base = test_leaf("ed25519", "x.example", NULL);
	X509 *leaf = X509_dup(base->certificate);
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *alternatives = GENERAL_NAMES_new();
	X509_NAME *subject = X509_NAME_new();

	X509_EXTENSION_free(X509_delete_ext(
		leaf, X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1)));
	if (common_name)
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					   (const unsigned char *)common_name,
					   -1, -1, 0);
	X509_set_subject_name(leaf, subject);
	X509_NAME_free(subject);
	for (size_t i = 0; i < count; i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *value = ASN1_IA5STRING_new();

		ASN1_STRING_set(value, names[i], (int)lengths[i]);
		GENERAL_NAME_set0_value(name, GEN_DNS, value);
		sk_GENERAL_NAME_push(alternatives, name);
	}
	if (count > 0)
		X509_add1_ext_i2d(leaf, NID_subject_alt_name, alternatives, 0,
				  X509V3_ADD_DEFAULT);
	X509_sign(leaf, base->key, NULL);
	test_identity_free(base);
	return leaf;
}

static void
free_names(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(names[i]);
	mem_free(names);
}

static void
expect_common_name(const char *common_name, const char *expected)
{
	X509 *leaf = leaf_with(common_name, NULL, NULL, 0);
	char **names;
	size_t count = certificate_names(leaf, &names);

	CU_ASSERT_EQUAL(count, expected ? 1 : 0);
	if (expected && count == 1)
		CU_ASSERT_STRING_EQUAL(names[0], expected);
	if (!expected)
		CU_ASSERT_PTR_NULL(names);
	free_names(names, count);
	X509_free(leaf);
}

static void
test_common_name(void)
{
	expect_common_name("Web.Example", "web.example");
	expect_common_name("*.web.example", "*.web.example");
	expect_common_name("xn--bcher-kva.example", "xn--bcher-kva.example");
	expect_common_name("b\xc3\xbc"
			   "cher.example",
			   NULL);
	expect_common_name("Jane Doe", NULL);
	expect_common_name("192.0.2.1", NULL);
	expect_common_name("web.example.", NULL);
	expect_common_name("a*.example", NULL);
	expect_common_name(NULL, NULL);
}

static void
test_alternative_names(void)
{
	static const char *const given[] = {
		"Web.Example",
		"*.Web.Example",
		"web\0.evil.example",
		"xn--bcher-kva.example",
		"b\xfc\x63her.example",
		"",
		"a b",
		"*",
		"*.*.example",
		"192.0.2.1",
		"last.example",
	};
	size_t lengths[ARRAY_SIZE(given)];
	X509 *leaf;
	char **names;
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		lengths[i] = strlen(given[i]);
	lengths[2] = 17;
	leaf = leaf_with("common.example", given, lengths, ARRAY_SIZE(given));
	count = certificate_names(leaf, &names);
	CU_ASSERT_EQUAL_FATAL(count, 4);
	CU_ASSERT_STRING_EQUAL(names[0], "web.example");
	CU_ASSERT_STRING_EQUAL(names[1], "*.web.example");
	CU_ASSERT_STRING_EQUAL(names[2], "xn--bcher-kva.example");
	CU_ASSERT_STRING_EQUAL(names[3], "last.example");
	free_names(names, count);
	X509_free(leaf);

	/* There are names of type DNS, so the common name does not count. */
	lengths[0] = 3;
	leaf = leaf_with("common.example", given + 6, lengths, 1);
	CU_ASSERT_EQUAL(certificate_names(leaf, &names), 0);
	CU_ASSERT_PTR_NULL(names);
	X509_free(leaf);
}

static void
test_thousand_names(void)
{
	const char **given = mem_array(1000, sizeof(*given));
	struct certificate_request request = {
		.names = given, .name_count = 1000, .days = 1};
	struct test_identity *web;
	struct certificate *loaded;
	bool is_equal = true;

	for (int i = 0; i < 1000; i++)
		given[i] = mem_format("host%d.example", i);
	web = test_identity("p256", &request, NULL);
	loaded = test_certificate(web);
	CU_ASSERT_EQUAL_FATAL(loaded->name_count, 1000);
	for (int i = 0; i < 1000; i++)
		is_equal = is_equal && strcmp(loaded->names[i], given[i]) == 0;
	CU_ASSERT_TRUE(is_equal);
	certificate_unref(loaded);
	test_identity_free(web);
	for (int i = 0; i < 1000; i++) {
		char *name;

		memcpy(&name, &given[i], sizeof(name));
		mem_free(name);
	}
	mem_free(given);
}

UNIT_SUITE(certificate_names, {"given_names", test_given_names},
	   {"common_name", test_common_name},
	   {"alternative_names", test_alternative_names},
	   {"thousand_names", test_thousand_names});
