/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is blanked of a document is gone, whatever way it was written in, and
 * nothing else is.
 */
#include "common/conf/conf_blank.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "tests/lib/conf_fixture.h"
#include "tests/unit/unit.h"

/* In every secret of these tests, in its plain form. */
#define MARK "TOPSECRET"

#define KEY_BEGIN  "-----BEGIN PRIVATE KEY-----"
#define KEY_END    "-----END PRIVATE KEY-----"
#define CERT_BEGIN "-----BEGIN CERTIFICATE-----"
#define CERT_END   "-----END CERTIFICATE-----"

static struct conf *
load(const struct conf_documents *documents)
{
	struct error_list problems = {0};
	struct conf *conf = conf_load(documents, &problems, NULL);
	char text[1024];

	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "%s\n",
			error_format(&problems.errors[i], text, sizeof(text)));
	error_list_clear(&problems);
	return conf;
}

/* ASCII, the first byte of another character, or a further one of it. */
static int
class_of(char byte)
{
	return byte & 0x80 ? byte & 0xc0 : 0;
}

/* Lines, columns and what separates tokens. */
static bool
has_same_shape(const char *one, const char *other, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool is_space = strchr(" \t\r\n", one[i]) != NULL;

		if (is_space != (strchr(" \t\r\n", other[i]) != NULL) ||
		    (is_space && one[i] != other[i]) ||
		    class_of(one[i]) != class_of(other[i]))
			return false;
	}
	return true;
}

static const struct certificate_spec *
spec_of(const struct conf *conf, size_t index)
{
	const struct tls_settings *settings = conf->services[0].accept.tls;

	CU_ASSERT_PTR_NOT_NULL_FATAL(settings);
	CU_ASSERT_FATAL(index < settings->certificate_count);
	return &settings->certificates[index];
}

/* Blank a document that is a whole configuration; the new one, which is the
 * caller's. */
static struct conf *
blank(const char *text, int expected)
{
	struct conf_documents documents = {0};
	struct error_list problems = {0};
	struct conf *before, *after;
	AUTO_FREE char *shown[2] = {NULL, NULL};
	size_t length = strlen(text);

	conf_documents_add(&documents, "/etc/a.yaml", text, length);
	before = load(&documents);
	CU_ASSERT_PTR_NOT_NULL_FATAL(before);
	CU_ASSERT_EQUAL(conf_document_blank(&documents.documents[0], &problems),
			expected);
	CU_ASSERT_EQUAL(problems.count, 0);
	CU_ASSERT_EQUAL_FATAL(documents.documents[0].length, length);
	CU_ASSERT(has_same_shape(text, documents.documents[0].bytes, length));
	CU_ASSERT_PTR_NULL(memmem(documents.documents[0].bytes, length, MARK,
				  sizeof(MARK) - 1));
	if (expected == 0)
		CU_ASSERT_EQUAL(
			memcmp(text, documents.documents[0].bytes, length), 0);
	after = load(&documents);
	CU_ASSERT_PTR_NOT_NULL_FATAL(after);
	shown[0] = conf_fixture_print(before);
	shown[1] = conf_fixture_print(after);
	CU_ASSERT_STRING_EQUAL(shown[0], shown[1]);
	free(TAKE(shown[0]));
	free(TAKE(shown[1]));
	conf_free(before);
	conf_documents_clear(&documents);
	error_list_clear(&problems);
	return after;
}

/* A document whose first certificate is this entry. */
static struct conf *
blank_entry(const char *entry, int expected)
{
	AUTO_FREE char *text = mem_format("services:\n"
					  "  s:\n"
					  "    connect: 'h:1'\n"
					  "    accept:\n"
					  "      address: ':1'\n"
					  "      tls:\n"
					  "        certificates:\n"
					  "          - %s\n"
					  "        alpn: [h2]\n",
					  entry);

	return blank(text, expected);
}

/* All ways to write a scalar. The certificate in it stays, the key goes. */
static void
test_styles(void)
{
	static const char *const entries[] = {
		/* Blocks. */
		"pem: |\n"
		"              " KEY_BEGIN "\n"
		"              " MARK "\n"
		"              " KEY_END "\n"
		"              " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "\n",
		"pem: |2-  # the site's\n"
		"              " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "\n"
		"\n"
		"              " KEY_BEGIN "\n"
		"              " MARK "\n"
		"              " KEY_END "\n"
		"\n\n",
		"pem: >+\n"
		"              " KEY_BEGIN "\n"
		"\n"
		"              " MARK "\n"
		"              " MARK "\n"
		"\n"
		"              " KEY_END "\n"
		"              " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "\n",
		/* Plain, over several lines. */
		"pem: " KEY_BEGIN " " MARK "\n"
		"              " MARK "\n"
		"              " KEY_END " " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "\n",
		/* Single quotes. */
		"pem: '" KEY_BEGIN "\n"
		"              " MARK "''" MARK "\n"
		"\n"
		"              " KEY_END "\n"
		"              " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "'\n",
		/* Double quotes, escapes of every kind. */
		"pem: \"" KEY_BEGIN "\\n" MARK "\\\"\\\\\\/\\x54OPSECRET\\u0054"
		"\\U00000054\\t\\_\\N\\L\\P\\ex\\\n"
		"              " MARK "\\n" KEY_END "\\n" CERT_BEGIN
		"\\nCERT+/=\\n" CERT_END "\\n\"\n",
		"pem: \"\\x2d----BEGIN PRIVATE\\x20KEY-----\\n\\\n"
		"              " MARK "\\n" KEY_END "\\n" CERT_BEGIN
		"\\nCERT+/=\\n" CERT_END "\"\n",
		/* Anchors, tags, both, on lines of their own. */
		"pem: &key !!str \"" KEY_BEGIN "\\n" MARK "\\n" KEY_END
		"\\n" CERT_BEGIN "\\nCERT+/=\\n" CERT_END "\"\n",
		"pem: !<tag:yaml.org,2002:str> &key # comment\n"
		"              # another: \"'|\n"
		"              '" KEY_BEGIN "\n"
		"              " MARK " " KEY_END " " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "'\n",
		"pem: ! |\n"
		"              " KEY_BEGIN "\n"
		"              " MARK "\n"
		"              " KEY_END "\n"
		"              " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "\n",
		/* In a flow, with the columns behind it. */
		"{pem: \"" KEY_BEGIN "\\n" MARK "\\n" KEY_END "\\n" CERT_BEGIN
		"\\nCERT+/=\\n" CERT_END "\", names: [a.b]}\n",
		/* A key that is written with an escape. */
		"\"p\\x65m\": \"" KEY_BEGIN "\\n" MARK "\\n" KEY_END
		"\\n" CERT_BEGIN "\\nCERT+/=\\n" CERT_END "\"\n",
		/* Other labels, a key without an end, text around. */
		"pem: |\n"
		"              " CERT_BEGIN "\n"
		"              CERT+/=\n"
		"              " CERT_END "\n"
		"              prime1: "
		"\303\274\342\202\254\360\237\222\251 " MARK "\n"
		"              -----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		"              " MARK "\n"
		"              -----BEGIN RSA PRIVATE KEY-----\n"
		"              Proc-Type: " MARK "\n"
		"              -----BEGIN WHATEVER-----\n"
		"              " MARK "\n",
		/* Lines that end as on another system. */
		"pem: |\r\n"
		"              " KEY_BEGIN "\r\n"
		"              " MARK "\r\n"
		"              " KEY_END "\r\n"
		"              " CERT_BEGIN "\r\n"
		"              CERT+/=\r\n"
		"              " CERT_END "\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		struct conf *conf = blank_entry(entries[i], 1);
		const char *text = spec_of(conf, 0)->path;
		const char *start = strstr(text, CERT_BEGIN);

		CU_ASSERT_PTR_NOT_NULL_FATAL(start);
		start += strlen(CERT_BEGIN) + 1;
		CU_ASSERT_EQUAL(strncmp(start, "CERT+/=", 7), 0);
		CU_ASSERT_EQUAL(strncmp(start + 8, CERT_END, strlen(CERT_END)),
				0);
		CU_ASSERT_PTR_NULL(strstr(text, MARK));
		conf_free(conf);
	}
}

/* Nothing is hidden between the boundaries of something public. */
static void
test_disguised(void)
{
	static const char *const entries[] = {
		"pem: \"" CERT_BEGIN "\\n" KEY_BEGIN "\\n" MARK "\\n" KEY_END
		"\\n" CERT_END "\"\n",
		"pem: \"" CERT_BEGIN "\\n" MARK "\\n-----END PKCS7-----\"\n",
		"pem: \"" CERT_BEGIN "\\n" MARK "\"\n",
		"pem: \"-----BEGIN" MARK "\"\n",
		"pem: \"-----BEGIN X-----" MARK "\"\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		conf_free(blank_entry(entries[i], 1));
}

static void
test_nothing_secret(void)
{
	static const char *const entries[] = {
		"a.pem",
		"{pem: \"" CERT_BEGIN "\\nAAAA\\n" CERT_END "\"}",
		"{store: 'pkcs11:object=web'}",
		"{chain: a, passphrase: 'env:TOPSECRE'}",
		"{chain: a, passphrase: {command: [/bin/pass]}}",
		"{chain: a, passphrase: {command: /bin/pass}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		conf_free(blank_entry(entries[i], 0));
}

static void
test_store(void)
{
	struct conf *conf;

	conf = blank_entry("store: \"pkcs11:object=web?pin-value=" MARK "\"\n",
			   1);
	CU_ASSERT_EQUAL(
		strncmp(spec_of(conf, 0)->path, "pkcs11:object=web?x", 19), 0);
	conf_free(conf);
}

/* Its program is part of its name. conf_print() shows the words. */
static void
test_command(void)
{
	static const char text[] =
		"defaults: {tls: {certificates: {chain: a, passphrase: "
		"{command: [/bin/pass, show, \"a b\", 'c']}}}}\n";
	static const char expected[] =
		"defaults: {tls: {certificates: {chain: a, passphrase: "
		"{command: [/bin/pass, xxxx, \"x x\", 'x']}}}}\n";
	struct conf_documents documents = {0};
	struct error_list problems = {0};

	conf_documents_add(&documents, "a", text, sizeof(text) - 1);
	CU_ASSERT_EQUAL(conf_document_blank(&documents.documents[0], &problems),
			1);
	CU_ASSERT_EQUAL(memcmp(documents.documents[0].bytes, expected,
			       sizeof(expected) - 1),
			0);
	conf_documents_clear(&documents);
}

/* Wherever the table has it, and through aliases. */
static void
test_places(void)
{
	struct conf *conf = blank(
		"\xef\xbb\xbf# \303\274\n"
		"defaults:\n"
		"  accept:\n"
		"    tls:\n"
		"      certificates: {pem: \"" KEY_BEGIN MARK KEY_END "\"}\n"
		"enforce: {}\n"
		"services:\n"
		"  s:\n"
		"    connect:\n"
		"      address: 'h:1'\n"
		"      tls:\n"
		"        verify:\n"
		"          ca: &ca |\n"
		"            " CERT_BEGIN "\n"
		"            CERT\n"
		"            " CERT_END "\n"
		"        certificates: [{pem: *ca}, {pem: &both \"" KEY_BEGIN
			MARK "\"}, {pem: *both}]\n"
		"    accept:\n"
		"      address: ':1'\n"
		"      tls:\n"
		"        certificates: &list\n"
		"          - &one {pem: *both, names: [d.de]} # \303\274\n"
		"          - <<: *one\n"
		"            default: true\n"
		"        hosts:\n"
		"          a.b: {certificates: *list}\n"
		"          c.d: {certificates: {pem: '" KEY_BEGIN MARK "'}}\n",
		1);

	CU_ASSERT_PTR_NOT_NULL(strstr(
		conf->services[0].connect.tls->verify.cas[0].text, "CERT\n"));
	conf_free(conf);
}

/* What is used for something else, too, stays good for that. */
static void
test_other_use(void)
{
	static const char text[] =
		"services:\n"
		"  s:\n"
		"    accept: ':1'\n"
		"    connect:\n"
		"      address: 'h:1'\n"
		"      tls:\n"
		"        verify: {ca: &a '" KEY_BEGIN MARK KEY_END
		" " CERT_BEGIN " CERT " CERT_END "'}\n"
		"        certificates: {pem: *a}\n";
	struct conf_documents documents = {0};
	struct error_list problems = {0};
	struct conf *conf;

	conf_documents_add(&documents, "a", text, sizeof(text) - 1);
	CU_ASSERT_EQUAL(conf_document_blank(&documents.documents[0], &problems),
			1);
	conf = load(&documents);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	CU_ASSERT_STRING_EQUAL(
		conf->services[0].connect.tls->verify.cas[0].text,
		KEY_BEGIN "xxxxxxxxx" KEY_END " " CERT_BEGIN " CERT " CERT_END);
	conf_free(conf);
	conf_documents_clear(&documents);
}

static void
test_no_yaml(void)
{
	static const char *const texts[] = {
		"",
		"a: [",
		"- pem: " MARK "\n",
		"pem: " MARK "\n",
		"~",
		"services: {s: {accept: {tls: {certificates: {pem: [a]}}}}}",
		"services: {s: {accept: {tls: {certificates: {pem: {a: b}}}}}}",
		"services: {s: {accept: {tls: {certificates: {pem: }}}}}",
		"\xff\xfe",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct conf_documents documents = {0};
		struct error_list problems = {0};

		conf_documents_add(&documents, "a", texts[i], strlen(texts[i]));
		CU_ASSERT_EQUAL(
			conf_document_blank(&documents.documents[0], &problems),
			0);
		CU_ASSERT_EQUAL(problems.count, 0);
		conf_documents_clear(&documents);
	}
}

UNIT_SUITE(conf_blank, {"styles", test_styles}, {"disguised", test_disguised},
	   {"nothing_secret", test_nothing_secret}, {"store", test_store},
	   {"command", test_command}, {"places", test_places},
	   {"other_use", test_other_use}, {"no_yaml", test_no_yaml});
