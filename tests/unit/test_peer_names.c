/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names taken out of certificates: all of them, byte by byte.
 */
#include "common/verify/peer_names.h"

#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "tests/lib/named_certificate.h"
#include "tests/unit/unit.h"

#define NAME(kind, text)                                 \
	{                                                \
		PEER_NAME_##kind, text, sizeof(text) - 1 \
	}

static bool
is_same(const struct peer_name *one, const struct peer_name *other)
{
	return one->kind == other->kind && one->length == other->length &&
	       memcmp(one->bytes, other->bytes, one->length) == 0;
}

/* The names of a certificate are these; the certificate goes. */
static void
expect(X509 *certificate, const struct peer_name *expected, size_t count)
{
	struct peer_names *names = peer_names_new(certificate);

	CU_ASSERT_EQUAL_FATAL(peer_names_count(names), count);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_TRUE(is_same(peer_names_at(names, i), &expected[i]));
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	peer_names_free(names);
	X509_free(certificate);
}

static void
test_every_kind(void)
{
	static const struct peer_name given[] = {
		NAME(DNS, "web.example"),
		NAME(DNS, "*.web.example"),
		NAME(IP, "\xc0\x00\x02\x01"),
		NAME(IP, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
		NAME(EMAIL, "a@web.example"),
		NAME(URI, "spiffe://web.example/a"),
		NAME(OU, "Locks"),
		NAME(CN, "first.example"),
		NAME(OU, "Gates"),
		NAME(CN, "last.example"),
	};
	struct peer_names *names;
	X509 *certificate = named_certificate(given, ARRAY_SIZE(given));

	names = peer_names_new(certificate);
	CU_ASSERT_TRUE(is_same(peer_names_common_name(names), &given[9]));
	CU_ASSERT_TRUE(peer_names_has(names, PEER_NAME_DNS));
	CU_ASSERT_TRUE(peer_names_has(names, PEER_NAME_URI));
	CU_ASSERT_FALSE(peer_names_has(names, PEER_NAME_OTHER));
	peer_names_free(names);
	expect(certificate, given, ARRAY_SIZE(given));
}

static void
test_nothing(void)
{
	X509 *certificate = named_certificate(NULL, 0);
	struct peer_names *names = peer_names_new(certificate);

	CU_ASSERT_PTR_NULL(peer_names_common_name(names));
	for (int kind = 0; kind < PEER_NAME_KIND_COUNT; kind++)
		CU_ASSERT_FALSE(
			peer_names_has(names, (enum peer_name_kind)kind));
	peer_names_free(names);
	expect(certificate, NULL, 0);
	names = peer_names_of_alternatives(NULL);
	CU_ASSERT_EQUAL(peer_names_count(names), 0);
	peer_names_free(names);
	peer_names_free(NULL);
}

/* A NUL ends no name, and nothing is taken for an end. */
static void
test_hostile_bytes(void)
{
	static const struct peer_name given[] = {
		NAME(DNS, "web.example\0.evil.example"),
		NAME(DNS, "\0"),
		NAME(DNS, ""),
		NAME(DNS, " web.example\r\n"),
		NAME(DNS, "b\xfc\x63her.example"),
		NAME(EMAIL, "a\0b@web.example"),
		NAME(URI, "spiffe://web.example/\0\x1b[2J"),
		NAME(CN, "web.example\0.evil.example"),
		NAME(OU, "\0"),
	};

	expect(named_certificate(given, ARRAY_SIZE(given)), given,
	       ARRAY_SIZE(given));
}

static void
test_other_kinds(void)
{
	static const struct peer_name given[] = {
		NAME(IP, "\xc0\x00\x02"),
		NAME(IP, ""),
		NAME(IP, "\xc0\x00\x02\x01\xff\xff\xff\xff"),
		NAME(OTHER, ""),
	};
	static const struct peer_name expected[] = {
		NAME(OTHER, "an IP address of a wrong length"),
		NAME(OTHER, "an IP address of a wrong length"),
		NAME(OTHER, "an IP address of a wrong length"),
		NAME(OTHER, "a directory name"),
	};

	expect(named_certificate(given, ARRAY_SIZE(given)), expected,
	       ARRAY_SIZE(expected));
}

static void
add_general_name(X509 *certificate, GENERAL_NAME *name)
{
	AUTO_OPENSSL(general_names)
	GENERAL_NAMES *alternatives = GENERAL_NAMES_new();

	CU_ASSERT_TRUE_FATAL(sk_GENERAL_NAME_push(alternatives, name) > 0);
	CU_ASSERT_EQUAL_FATAL(
		X509_add1_ext_i2d(certificate, NID_subject_alt_name,
				  alternatives, 0, X509V3_ADD_APPEND),
		1);
}

static void
test_other_name(void)
{
	static const struct peer_name expected[] = {
		NAME(OTHER, "Microsoft User Principal Name")};
	X509 *certificate = X509_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();

	ASN1_STRING_set(text, "a@b", 3);
	ASN1_TYPE_set(value, V_ASN1_UTF8STRING, text);
	GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), value);
	add_general_name(certificate, name);
	expect(certificate, expected, ARRAY_SIZE(expected));
}

/* What cannot be read is no reason to look at the subject instead. */
static void
test_unreadable(void)
{
	static const struct peer_name expected[] = {
		NAME(UNREADABLE, "alternative names that cannot be read"),
		NAME(CN, "web.example"),
	};
	X509 *certificate = named_certificate(&expected[1], 1);
	ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_STRING_set(bytes, "\x30\x05\x82", 3);
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0,
						 bytes);
	CU_ASSERT_TRUE(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(bytes);
	expect(certificate, expected, ARRAY_SIZE(expected));
}

static void
test_twice(void)
{
	static const struct peer_name given[] = {NAME(DNS, "web.example")};
	static const struct peer_name expected[] = {
		NAME(UNREADABLE, "alternative names that cannot be read")};
	X509 *certificate = named_certificate(given, 1);
	GENERAL_NAME *name = GENERAL_NAME_new();

	GENERAL_NAME_set0_value(name, GEN_DIRNAME, X509_NAME_new());
	add_general_name(certificate, name);
	expect(certificate, expected, ARRAY_SIZE(expected));
}

/* The bytes are set in place: OpenSSL lets no subject into a certificate that
 * it cannot read itself, and this shall not depend on it. */
static X509 *
with_subject(int type, const char *bytes, int length)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(
		NULL, NID_commonName, type, (const unsigned char *)"xxxx", 4);

	X509_NAME_add_entry(subject, entry, -1, 0);
	X509_NAME_ENTRY_free(entry);
	ASN1_STRING_set(
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, 0)),
		bytes, length);
	return certificate;
}

static void
expect_common_name(int type, const char *bytes, size_t length,
		   const char *expected)
{
	const struct peer_name name = {PEER_NAME_CN, expected,
				       strlen(expected)};

	expect(with_subject(type, bytes, (int)length), &name, 1);
}

static void
test_string_types(void)
{
	expect_common_name(V_ASN1_PRINTABLESTRING, "b.example", 9, "b.example");
	expect_common_name(V_ASN1_IA5STRING, "b.example", 9, "b.example");
	expect_common_name(V_ASN1_T61STRING, "b\xfc", 2, "b\xc3\xbc");
	expect_common_name(V_ASN1_BMPSTRING, "\0b\0\xfc", 4, "b\xc3\xbc");
	expect_common_name(V_ASN1_UNIVERSALSTRING, "\0\0\0b\0\0\0\xfc", 8,
			   "b\xc3\xbc");
	expect_common_name(V_ASN1_UTF8STRING, "b\xc3\xbc", 3, "b\xc3\xbc");
	/* What is none of its type is there, and nothing equals it. */
	expect_common_name(V_ASN1_BMPSTRING, "\0b\0", 3, "");
	expect_common_name(V_ASN1_UTF8STRING, "b\xc3", 2, "");
	expect_common_name(V_ASN1_UTF8STRING, "b\xc0\x80", 3, "");
}

/* Two CNs in one RDN. */
static void
test_several_in_one(void)
{
	static const struct peer_name expected[] = {NAME(CN, "a.example"),
						    NAME(CN, "b.example"),
						    NAME(OU, "Locks")};
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_NAME_new();

	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)"a.example", -1, -1,
				   0);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const unsigned char *)"b.example", -1, -1,
				   -1);
	X509_NAME_add_entry_by_txt(subject, "OU", MBSTRING_ASC,
				   (const unsigned char *)"Locks", -1, -1, 0);
	X509_set_subject_name(certificate, subject);
	X509_NAME_free(subject);
	expect(certificate, expected, ARRAY_SIZE(expected));
}

/* Milliseconds, that is: nothing is looked at again for each name. */
static void
test_ten_thousand(void)
{
	enum {
		COUNT = 10000,
		WIDTH = 32
	};
	AUTO_FREE struct peer_name *given = mem_array(COUNT, sizeof(*given));
	AUTO_FREE char *text = mem_array(COUNT, WIDTH);
	X509 *certificate;
	int64_t started;

	for (size_t i = 0; i < COUNT; i++) {
		int length =
			snprintf(text + i * WIDTH, WIDTH, "host%zu.example", i);

		given[i] = (struct peer_name){PEER_NAME_DNS, text + i * WIDTH,
					      (size_t)length};
	}
	certificate = named_certificate(given, COUNT);
	started = clock_monotonic_ms();
	expect(certificate, given, COUNT);
	CU_ASSERT_TRUE(clock_monotonic_ms() - started < 2000);
}

static void
expect_format(const struct peer_name *name, const char *expected)
{
	char buffer[64];

	CU_ASSERT_STRING_EQUAL(peer_name_format(name, buffer, sizeof(buffer)),
			       expected);
}

static void
test_format(void)
{
	static const struct peer_name names[] = {
		NAME(DNS, "web\0.\"example"),
		NAME(IP, "\xc0\x00\x02\x01"),
		NAME(IP, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
	};
	char small[8];

	expect_format(&names[0], "web\\x00.\\x22example");
	expect_format(&names[1], "192.0.2.1");
	expect_format(&names[2], "2001:db8::1");
	CU_ASSERT_STRING_EQUAL(
		peer_name_format(&names[1], small, sizeof(small)), "192....");
	CU_ASSERT_STRING_EQUAL(peer_name_kind_word(PEER_NAME_DNS), "dns");
	CU_ASSERT_STRING_EQUAL(peer_name_kind_word(PEER_NAME_OU), "ou");
}

UNIT_SUITE(peer_names, {"every_kind", test_every_kind},
	   {"nothing", test_nothing}, {"hostile_bytes", test_hostile_bytes},
	   {"other_kinds", test_other_kinds}, {"other_name", test_other_name},
	   {"unreadable", test_unreadable}, {"twice", test_twice},
	   {"string_types", test_string_types},
	   {"several_in_one", test_several_in_one},
	   {"ten_thousand", test_ten_thousand}, {"format", test_format});
