/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authorizer is asked: always one line of JSON of bounded size,
 * whatever a peer has put into its certificates.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "tests/unit/unit.h"

#ifdef HAVE_JANSSON

#include <stdio.h>
#include <string.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_create.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_names.h"
#include "daemon/worker/authorize_certificate.h"
#include "daemon/worker/authorize_json.h"
#include "daemon/worker/authorize_question.h"
#include "tests/lib/named_certificate.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"

#define NAME(kind, text)                                 \
	{                                                \
		PEER_NAME_##kind, text, sizeof(text) - 1 \
	}

/* More than any question is. */
#define QUESTION_MAX ((size_t)1024 * 1024)

/* One line, and what is in it. */
static json_t *
read_line(const char *line)
{
	json_error_t error;
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT_PTR_EQUAL(strchr(line, '\n'), line + strlen(line) - 1);
	CU_ASSERT(strlen(line) < QUESTION_MAX);
	for (const char *c = line; c[1]; c++)
		CU_ASSERT_FATAL((unsigned char)*c >= ' ' && *c != 0x7f);
	return object;
}

static json_t *
ask(const struct authorize_facts *facts)
{
	AUTO_FREE char *line = authorize_question_write(facts);

	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	return read_line(line);
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "(none)";
}

static json_int_t
number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* Connections. */

static void
test_plain(void)
{
	const struct authorize_facts facts = {
		.service = "mail",
		.gate = "accept",
		.client = "192.0.2.7:4711",
		.local = "[2001:db8::1]:25",
	};
	json_t *question = ask(&facts);
	const json_t *client = json_object_get(question, "client");
	const json_t *local = json_object_get(question, "local");

	CU_ASSERT_EQUAL(json_object_size(question), 5);
	CU_ASSERT_EQUAL(number_of(question, "version"), 1);
	CU_ASSERT_STRING_EQUAL(text_of(question, "service"), "mail");
	CU_ASSERT_STRING_EQUAL(text_of(question, "gate"), "accept");
	CU_ASSERT_STRING_EQUAL(text_of(client, "address"), "192.0.2.7");
	CU_ASSERT_EQUAL(number_of(client, "port"), 4711);
	CU_ASSERT_STRING_EQUAL(text_of(local, "address"), "2001:db8::1");
	CU_ASSERT_EQUAL(number_of(local, "port"), 25);
	json_decref(question);
}

static void
test_without_ports(void)
{
	const struct authorize_facts facts = {
		.client = "unix:",
		.local = "unknown",
		.backend = "unix:@a:80",
		.name = "db.example",
	};
	json_t *question = ask(&facts);
	const json_t *client = json_object_get(question, "client");
	const json_t *local = json_object_get(question, "local");
	const json_t *backend = json_object_get(question, "backend");

	CU_ASSERT_STRING_EQUAL(text_of(client, "address"), "unix:");
	CU_ASSERT_EQUAL(json_object_size(client), 1);
	CU_ASSERT_STRING_EQUAL(text_of(local, "address"), "unknown");
	CU_ASSERT_EQUAL(json_object_size(local), 1);
	CU_ASSERT_STRING_EQUAL(text_of(backend, "address"), "unix:@a:80");
	CU_ASSERT_EQUAL(json_object_size(backend), 1);
	CU_ASSERT_STRING_EQUAL(text_of(question, "name"), "db.example");
	json_decref(question);
}

/* A name that is none was escaped when it came, and is once more. */
static void
test_server_name(void)
{
	const struct authorize_facts facts = {
		.server_name = "a\\x00b.example",
	};
	json_t *question = ask(&facts);

	CU_ASSERT_STRING_EQUAL(text_of(question, "sni"), "a\\x5cx00b.example");
	json_decref(question);
}

/* Both ends of a handshake in which both show certificates. */
static void
with_certificates(void (*look)(SSL *client, SSL *server))
{
	const struct tls_fixture *fixture = tls_fixture();
	SSL_CTX *server = tls_fixture_bare_server(fixture->ecdsa);
	SSL_CTX *client = tls_fixture_bare_client();
	struct test_identity *leaf =
		test_leaf("p256", "client.example", fixture->issuer);
	struct tls_pair pair;

	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(server),
			    fixture->root->certificate);
	SSL_CTX_use_certificate(client, leaf->certificate);
	SSL_CTX_use_PrivateKey(client, leaf->key);
	SSL_CTX_add1_chain_cert(client, fixture->issuer->certificate);
	tls_pair_init(&pair, client, server);
	CU_ASSERT_TRUE_FATAL(tls_pair_handshake(&pair, 0));
	look(tls_engine_ssl(pair.client.engine),
	     tls_engine_ssl(pair.server.engine));
	tls_pair_clear(&pair);
	test_identity_free(leaf);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

/* The PEM of a link is that certificate. */
static void
expect_link(const json_t *chain, size_t index, const X509 *certificate)
{
	const json_t *link = json_array_get(chain, index);
	AUTO_OPENSSL(bio)
	BIO *in = BIO_new_mem_buf(text_of(link, "pem"), -1);
	AUTO_OPENSSL(x509) X509 *read = PEM_read_bio_X509(in, NULL, NULL, NULL);
	char text[FINGERPRINT_TEXT_SIZE];
	struct fingerprint fingerprint;

	CU_ASSERT_PTR_NOT_NULL_FATAL(read);
	CU_ASSERT_EQUAL(X509_cmp(read, certificate), 0);
	CU_ASSERT_EQUAL(fingerprint_make(certificate, "sha256", false,
					 &fingerprint, NULL),
			0);
	CU_ASSERT_STRING_EQUAL(
		text_of(link, "fingerprint"),
		fingerprint_format(&fingerprint, text, sizeof(text)));
}

static void
look_at_both(SSL *client, SSL *server)
{
	const struct authorize_facts facts = {.ssl = server};
	X509 *leaf = SSL_get0_peer_certificate(server);
	json_t *question = ask(&facts);
	const json_t *certificate = json_object_get(question, "certificate");
	const json_t *chain = json_object_get(question, "chain");
	const json_t *names = json_object_get(certificate, "names");

	CU_ASSERT_STRING_EQUAL(text_of(question, "tls_version"), "TLSv1.3");
	CU_ASSERT_STRING_EQUAL(
		text_of(json_object_get(question, "verify"), "result"),
		"unchecked");
	CU_ASSERT_STRING_EQUAL(text_of(certificate, "subject"),
			       "CN=client.example");
	CU_ASSERT_EQUAL(strlen(text_of(certificate, "not_after")),
			strlen("2026-11-22T05:55:23Z"));
	CU_ASSERT_EQUAL(
		strncmp(text_of(certificate, "public_key"), "sha256$pub$", 11),
		0);
	CU_ASSERT_EQUAL(json_array_size(names), 2);
	CU_ASSERT_EQUAL(number_of(certificate, "names_total"), 2);
	CU_ASSERT_STRING_EQUAL(text_of(json_array_get(names, 0), "type"),
			       "dns");
	CU_ASSERT_STRING_EQUAL(text_of(json_array_get(names, 1), "type"), "cn");
	CU_ASSERT_EQUAL(json_array_size(chain), 2);
	CU_ASSERT_EQUAL(number_of(question, "chain_total"), 2);
	expect_link(chain, 0, leaf);
	expect_link(chain, 1, tls_fixture()->issuer->certificate);
	json_decref(question);

	/* On the other side OpenSSL has the leaf in the chain. */
	question = ask(&(struct authorize_facts){.ssl = client});
	chain = json_object_get(question, "chain");
	CU_ASSERT_EQUAL(json_array_size(chain), 2);
	CU_ASSERT_EQUAL(number_of(question, "chain_total"), 2);
	expect_link(chain, 0, SSL_get0_peer_certificate(client));
	json_decref(question);
}

static void
test_certificates(void)
{
	with_certificates(look_at_both);
}

static void
test_no_certificate(void)
{
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->ecdsa);
	SSL_CTX *client = tls_fixture_bare_client();
	struct authorize_facts facts = {.server_name = "web.example.org"};
	struct tls_pair pair;
	json_t *question;

	tls_pair_init(&pair, client, server);
	CU_ASSERT_TRUE_FATAL(tls_pair_handshake(&pair, 0));
	facts.ssl = tls_engine_ssl(pair.server.engine);
	question = ask(&facts);
	CU_ASSERT_STRING_EQUAL(
		text_of(json_object_get(question, "verify"), "result"), "none");
	CU_ASSERT_PTR_NULL(json_object_get(question, "certificate"));
	CU_ASSERT_PTR_NULL(json_object_get(question, "chain"));
	CU_ASSERT_STRING_EQUAL(text_of(question, "sni"), "web.example.org");
	json_decref(question);
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

/* Certificates of all sorts; each goes. */

static json_t *
describe(X509 *certificate)
{
	json_t *made = authorize_certificate_make(certificate);
	AUTO_FREE char *line = authorize_json_line(made);

	json_decref(made);
	X509_free(certificate);
	ERR_clear_error();
	return read_line(line);
}

static void
test_hostile_names(void)
{
	static const struct peer_name given[] = {
		NAME(DNS, "web.example\0.evil.example"),
		NAME(DNS, "web.example\\x00.evil.example"),
		NAME(DNS, "b\xfc\x63her.example"),
		NAME(URI, "spiffe://a/\x1b[2J\"\n"),
		NAME(IP, "\xc0\x00\x02\x01"),
		NAME(OTHER, ""),
		NAME(CN, "Schl\xc3\xbcssel \"1\""),
	};
	static const char *const expected[] = {
		"web.example\\x00.evil.example",
		"web.example\\x5cx00.evil.example",
		"b\\xfccher.example",
		"spiffe://a/\\x1b[2J\\x22\\x0a",
		"192.0.2.1",
		"a directory name",
		"Schl\xc3\xbcssel \"1\"",
	};
	json_t *certificate =
		describe(named_certificate(given, ARRAY_SIZE(given)));
	const json_t *names = json_object_get(certificate, "names");

	CU_ASSERT_EQUAL_FATAL(json_array_size(names), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		CU_ASSERT_STRING_EQUAL(
			text_of(json_array_get(names, i), "value"),
			expected[i]);
	CU_ASSERT_STRING_EQUAL(text_of(certificate, "subject"),
			       "CN=Schl\xc3\xbcssel \\\"1\\\"");
	json_decref(certificate);
}

/* Ten thousand, and one that is longer than all of them. */
static void
test_many_names(void)
{
	const size_t count = 10000, length = (size_t)1024 * 1024;
	AUTO_FREE struct peer_name *given = mem_array(count, sizeof(*given));
	AUTO_FREE char *bytes = mem_alloc(length);
	json_t *certificate;

	memset(bytes, '\xff', length);
	for (size_t i = 0; i < count; i++)
		given[i] = (struct peer_name){PEER_NAME_DNS, bytes,
					      AUTHORIZE_NAME_MAX};
	given[7].length = AUTHORIZE_NAME_MAX + 1;
	given[8].length = length;
	certificate = describe(named_certificate(given, count));
	CU_ASSERT_EQUAL(number_of(certificate, "names_total"),
			(json_int_t)count);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(certificate, "names")),
			AUTHORIZE_NAMES_MAX - 2);
	json_decref(certificate);
}

/* What cannot be said is null and no empty string. */
static void
test_unreadable(void)
{
	AUTO_FREE char *bytes = mem_alloc(AUTHORIZE_SUBJECT_MAX + 1);
	const struct peer_name name = {PEER_NAME_CN, bytes,
				       AUTHORIZE_SUBJECT_MAX + 1};
	X509 *certificate;
	json_t *made;

	memset(bytes, 1, name.length);
	certificate = named_certificate(&name, 1);
	ASN1_STRING_set(X509_get_serialNumber(certificate), bytes, 1000);
	made = describe(certificate);
	CU_ASSERT_TRUE(json_is_null(json_object_get(made, "subject")));
	CU_ASSERT_TRUE(json_is_null(json_object_get(made, "serial")));
	CU_ASSERT_TRUE(json_is_null(json_object_get(made, "not_before")));
	/* There is an issuer, without a name. */
	CU_ASSERT_STRING_EQUAL(text_of(made, "issuer"), "");
	json_decref(made);
}

/* A certificate of that many bytes and more has no PEM. */
static void
test_large(void)
{
	const struct tls_fixture *fixture = tls_fixture();
	AUTO_FREE const char **names = mem_array(1000, sizeof(*names));
	AUTO_FREE char *texts = mem_alloc(1000 * 32);
	const struct certificate_request request = {
		.names = names, .name_count = 1000, .days = 1};
	struct test_identity *leaf;
	json_t *link;

	for (size_t i = 0; i < 1000; i++) {
		snprintf(texts + 32 * i, 32, "n%zu.large.web.example", i);
		names[i] = texts + 32 * i;
	}
	leaf = test_identity("p256", &request, fixture->issuer);
	link = authorize_certificate_link(leaf->certificate);
	CU_ASSERT_TRUE(json_is_null(json_object_get(link, "pem")));
	CU_ASSERT_EQUAL(strlen(text_of(link, "fingerprint")), 7 + 64);
	json_decref(link);
	test_identity_free(leaf);
}

UNIT_SUITE(authorize_question, {"plain", test_plain},
	   {"without_ports", test_without_ports},
	   {"server_name", test_server_name},
	   {"certificates", test_certificates},
	   {"no_certificate", test_no_certificate},
	   {"hostile_names", test_hostile_names},
	   {"many_names", test_many_names}, {"unreadable", test_unreadable},
	   {"large", test_large});

#endif
