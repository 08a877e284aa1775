/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom the connect gate believes: authorities from every source, names, dates,
 * and the client's own certificate.
 */
#include <errno.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "common/base/clock.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/ca_store.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/tls_policy.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define CONTAINS(text, part) CU_ASSERT(strstr((text), (part)) != NULL)

#define HOST "web.example.org"

static const struct position here = {"test.yaml", 12, 5};

/* Our client, with those settings, talks to a server with that certificate. */
static struct tls_outcome
try_client(const struct tls_settings *settings,
	   const struct certificate *certificate, const char *name)
{
	struct tls_policy *policy = tls_fixture_client(settings);
	SSL_CTX *client = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL_CTX *server = tls_fixture_bare_server(certificate);
	struct tls_outcome outcome =
		tls_fixture_try_verified(policy, client, server, name);

	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
	return outcome;
}

static struct tls_outcome
try_identity(const struct test_identity *identity, const char *name)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct certificate *certificate = test_certificate(identity);
	struct tls_outcome outcome = try_client(&settings, certificate, name);

	certificate_unref(certificate);
	return outcome;
}

static struct tls_outcome
try_leaf(const char *certificate_name, const char *name)
{
	struct test_identity *leaf =
		test_leaf("p256", certificate_name, tls_fixture()->issuer);
	struct tls_outcome outcome = try_identity(leaf, name);

	test_identity_free(leaf);
	return outcome;
}

static void
test_good(void)
{
	const struct tls_fixture *fixture = tls_fixture();
	struct tls_settings settings = tls_fixture_client_settings();

	CU_ASSERT(try_client(&settings, fixture->rsa, HOST).is_established);
	CU_ASSERT(try_client(&settings, fixture->ecdsa, "WEB.Example.ORG")
			  .is_established);
	CU_ASSERT(try_client(&settings, fixture->ed25519, HOST).is_established);
	settings.profile = TLS_PROFILE_MODERN;
	settings.verify.mode = TLS_VERIFY_REQUIRED;
	CU_ASSERT(try_client(&settings, fixture->rsa, HOST).is_established);
}

static void
test_names(void)
{
	static const struct {
		const char *certificate;
		const char *wanted;
		bool is_good;
	} cases[] = {
		{"web.example.org", "web.example.org", true},
		{"web.example.org", "example.org", false},
		{"web.example.org", "a.web.example.org", false},
		{"web.example.org", "web.example.com", false},
		{"*.example.org", "web.example.org", true},
		{"*.example.org", "example.org", false},
		{"*.example.org", "a.web.example.org", false},
		{"*.example.org", "web.example.com", false},
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"2001:db8::7", "2001:db8:0::7", true},
		{"2001:db8::7", "2001:db8::8", false},
		{"web.example.org", "192.0.2.7", false},
		{"192.0.2.7", "web.example.org", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tls_outcome outcome =
			try_leaf(cases[i].certificate, cases[i].wanted);

		CU_ASSERT(outcome.is_established == cases[i].is_good);
		if (cases[i].is_good)
			continue;
		CU_ASSERT(outcome.client.fault == TLS_FAULT_NAME);
		CU_ASSERT(outcome.client.verify_error ==
				  X509_V_ERR_HOSTNAME_MISMATCH ||
			  outcome.client.verify_error ==
				  X509_V_ERR_IP_ADDRESS_MISMATCH);
		CONTAINS(outcome.client.text, "mismatch (depth 0, subject CN=");
		CU_ASSERT(outcome.server.fault == TLS_FAULT_ALERT);
	}
}

/* The manual's "when_only": a common name counts where there is no other. */
static void
test_common_name(void)
{
	const char *names[] = {"other.example.org"};
	struct certificate_request request = {
		.common_name = HOST,
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = 1,
	};
	struct test_identity *leaf =
		test_identity("p256", &request, tls_fixture()->issuer);

	CU_ASSERT(try_identity(leaf, HOST).is_established);
	test_identity_free(leaf);
	request.names = names;
	request.name_count = 1;
	leaf = test_identity("p256", &request, tls_fixture()->issuer);
	CU_ASSERT(try_identity(leaf, HOST).client.fault == TLS_FAULT_NAME);
	CU_ASSERT(try_identity(leaf, names[0]).is_established);
	test_identity_free(leaf);
}

static void
test_foreign(void)
{
	struct test_identity *ca = test_ca("Foreign \"Root\"", NULL);
	struct test_identity *leaf = test_leaf("p256", HOST, ca);
	struct test_identity *self = test_leaf("p256", HOST, NULL);
	struct tls_outcome outcome = try_identity(leaf, HOST);

	CU_ASSERT(outcome.client.fault == TLS_FAULT_CERTIFICATE);
	CU_ASSERT(outcome.client.verify_error ==
		  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	CONTAINS(outcome.client.text,
		 "certificate verify failed: unable to get local issuer "
		 "certificate (depth 0, subject CN=web.example.org): ");
	CONTAINS(outcome.server.text, "unknown_ca (48)");
	outcome = try_identity(self, HOST);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_CERTIFICATE);
	CONTAINS(outcome.client.text, "self-signed certificate");
	/* A chain that is good but for its end. */
	outcome = try_identity(ca, HOST);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_CERTIFICATE);
	CONTAINS(outcome.client.text, "subject CN=Foreign \\x22Root\\x22");
	test_identity_free(self);
	test_identity_free(leaf);
	test_identity_free(ca);
}

static void
test_dates(void)
{
	const int64_t day = 24 * 3600 * 1000LL;
	struct test_identity *old, *early;
	struct tls_outcome outcome;

	clock_shift(-40 * day);
	old = test_leaf("p256", HOST, tls_fixture()->issuer);
	clock_shift(5 * day);
	early = test_leaf("p256", HOST, tls_fixture()->issuer);
	clock_shift(0);
	outcome = try_identity(old, HOST);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_CERTIFICATE);
	CU_ASSERT(outcome.client.verify_error == X509_V_ERR_CERT_HAS_EXPIRED);
	CONTAINS(outcome.server.text, "certificate_expired");
	outcome = try_identity(early, HOST);
	CU_ASSERT(outcome.client.verify_error == X509_V_ERR_CERT_NOT_YET_VALID);
	test_identity_free(old);
	test_identity_free(early);
}

/* A client's certificate is no server's, and a chain is only so long. */
static void
test_purpose_and_depth(void)
{
	const char *name = HOST;
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_CLIENT,
		.days = 1,
	};
	struct test_identity *leaf =
		test_identity("p256", &request, tls_fixture()->issuer);
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_outcome outcome = try_identity(leaf, HOST);

	CU_ASSERT(outcome.client.fault == TLS_FAULT_CERTIFICATE);
	CU_ASSERT(outcome.client.verify_error == X509_V_ERR_INVALID_PURPOSE);
	test_identity_free(leaf);

	settings.verify.depth = 1;
	CU_ASSERT(
		try_client(&settings, tls_fixture()->rsa, HOST).is_established);
	settings.verify.depth = 0;
	outcome = try_client(&settings, tls_fixture()->rsa, HOST);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_CERTIFICATE);
	CU_ASSERT(outcome.client.verify_error ==
		  X509_V_ERR_CERT_CHAIN_TOO_LONG);
}

static void
test_unverified(void)
{
	struct test_identity *self = test_leaf("p256", HOST, NULL);
	struct certificate *certificate = test_certificate(self);
	struct tls_settings settings = tls_fixture_client_settings();

	settings.verify.mode = TLS_VERIFY_NONE;
	settings.verify.ca_count = 0;
	CU_ASSERT(try_client(&settings, certificate, NULL).is_established);
	certificate_unref(certificate);
	test_identity_free(self);
}

/* No handshake begins without a name that can be verified. */
static void
test_bad_verify_names(void)
{
	static const char *const names[] = {NULL,
					    "",
					    ".",
					    ".example.org",
					    "*.example.org",
					    "exa mple.org",
					    "a..b",
					    "1.2.3.4.5/8"};
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *policy = tls_fixture_client(&settings);
	SSL_CTX *client = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL *ssl = SSL_new(client);
	char long_name[300];

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error error = {0};

		CU_ASSERT(tls_policy_prepare_client(policy, ssl, NULL, names[i],
						    &error) == -1);
		CU_ASSERT(error.text[0] != '\0');
	}
	CU_ASSERT(tls_policy_prepare_client(policy, ssl, long_name, HOST,
					    NULL) == -1);
	CU_ASSERT(tls_policy_prepare_client(policy, ssl, "192.0.2.1", HOST,
					    NULL) == -1);
	/* Never prepared, never handshaken: not confirmed. */
	CU_ASSERT(tls_policy_confirm_client(policy, ssl, NULL) == -1);
	CU_ASSERT(tls_policy_prepare_client(policy, ssl, "Web.Example.Org",
					    HOST, NULL) == 0);
	CU_ASSERT_STRING_EQUAL(
		SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), HOST);
	CU_ASSERT(tls_policy_confirm_client(policy, ssl, NULL) == -1);
	CU_ASSERT(ERR_peek_error() == 0);
	SSL_free(ssl);
	SSL_CTX_free(client);
	tls_policy_unref(policy);
}

/* Nobody has said whose certificate to expect: it is nobody's. */
static void
test_unprepared(void)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *policy = tls_fixture_client(&settings);
	SSL_CTX *client = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct error error = {0};
	struct tls_pair pair;

	tls_pair_init(&pair, client, server);
	CU_ASSERT(!tls_pair_handshake(&pair, 0));
	CU_ASSERT(tls_engine_failure(pair.client.engine)->fault ==
		  TLS_FAULT_NAME);
	CU_ASSERT(tls_policy_confirm_client(policy,
					    tls_engine_ssl(pair.client.engine),
					    &error) == -1);
	CONTAINS(error.text, "nobody has said whose certificate");
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

/* OpenSSL is asked again, not a memory of ours. */
static void
test_confirmed_anew(void)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *policy = tls_fixture_client(&settings);
	SSL_CTX *client = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct error error = {0};
	struct tls_pair pair;
	SSL *ssl;

	tls_pair_init(&pair, client, server);
	ssl = tls_engine_ssl(pair.client.engine);
	CU_ASSERT(tls_policy_prepare_client(policy, ssl, HOST, HOST, &error) ==
		  0);
	CU_ASSERT(tls_pair_handshake(&pair, 0));
	CU_ASSERT(tls_policy_confirm_client(policy, ssl, &error) == 0);
	SSL_set_verify_result(ssl, X509_V_ERR_CERT_REVOKED);
	CU_ASSERT(tls_policy_confirm_client(policy, ssl, &error) == -1);
	CONTAINS(error.text, "certificate revoked");
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static const struct error *
authorities_problem(struct tls_ca *cas, size_t count)
{
	struct tls_settings settings = tls_fixture_client_settings();

	settings.at = here;
	settings.verify.cas = cas;
	settings.verify.ca_count = count;
	return tls_fixture_client_problem(&settings);
}

static void
test_authorities_refused(void)
{
	struct file_set *files = tls_fixture()->files;
	const char *empty[] = {"/empty.d/readme"};
	struct tls_ca ca = {.at = here, .kind = TLS_CA_PATH};
	struct tls_ca two[2];

	ca.text = (char[]){"/nowhere.pem"};
	CONTAINS(authorities_problem(&ca, 1)->text, "/nowhere.pem");
	CU_ASSERT(authorities_problem(&ca, 1)->at.line == here.line);
	two[0] = *tls_fixture_client_settings().verify.cas;
	two[1] = ca;
	CONTAINS(authorities_problem(two, 2)->text, "/nowhere.pem");
	test_file_set_add(files, "/junk.pem", "junk\n", 5);
	ca.text = (char[]){"/junk.pem"};
	CONTAINS(authorities_problem(&ca, 1)->text, "/junk.pem: ");
	test_file_set_add(files, empty[0], "hello\n", 6);
	file_set_add_directory(files, "/empty.d", FILE_PUBLIC, empty, 1);
	ca.text = (char[]){"/empty.d"};
	CONTAINS(authorities_problem(&ca, 1)->text,
		 "/empty.d: there is no certificate in it");
	/* Known good content next to it does not make it good. */
	two[1] = ca;
	CONTAINS(authorities_problem(two, 2)->text, "/empty.d");
	file_set_add_directory(files, "/void.d", FILE_PUBLIC, empty, 0);
	ca.text = (char[]){"/void.d"};
	CONTAINS(authorities_problem(&ca, 1)->text, "no file to read");
	ca.kind = TLS_CA_INLINE;
	ca.text = (char[]){"no PEM"};
	CONTAINS(authorities_problem(&ca, 1)->text, "the text given here");
	ca.kind = TLS_CA_SYSTEM;
	ca.text = NULL;
	CONTAINS(authorities_problem(&ca, 1)->text, "ca-certificates");
	ca.kind = TLS_CA_NONE;
	CONTAINS(authorities_problem(&ca, 1)->text, "only fingerprints");
	CU_ASSERT(authorities_problem(NULL, 0)->at.line == here.line);
	CONTAINS(authorities_problem(NULL, 0)->text, "are backends to show?");
}

static void
test_authorities_found(void)
{
	const struct tls_fixture *fixture = tls_fixture();
	const char *children[] = {"/ca.d/gone.pem", "/ca.d/more",
				  "/ca.d/readme", "/ca.d/root.der"};
	AUTO_FREE char *pem = test_pem_certificate(fixture->root);
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_ca ca = {.at = here};
	unsigned char *der = NULL;
	int length = i2d_X509(fixture->root->certificate, &der);

	settings.verify.cas = &ca;
	ca.kind = TLS_CA_INLINE;
	ca.text = pem;
	CU_ASSERT(try_client(&settings, fixture->rsa, HOST).is_established);

	file_set_add_missing(fixture->files, children[0], EACCES, FILE_SECRET);
	file_set_add_directory(fixture->files, children[1], FILE_PUBLIC, NULL,
			       0);
	test_file_set_add(fixture->files, children[2], "hello\n", 6);
	test_file_set_add(fixture->files, children[3], der, (size_t)length);
	OPENSSL_free(der);
	file_set_add_directory(fixture->files, "/ca.d", FILE_PUBLIC, children,
			       4);
	ca.kind = TLS_CA_PATH;
	ca.text = (char[]){"/ca.d"};
	CU_ASSERT(try_client(&settings, fixture->rsa, HOST).is_established);
	CONTAINS(tls_fixture_client_warning(&settings)->text, children[0]);
	ca.kind = TLS_CA_SYSTEM;
	CU_ASSERT(try_client(&settings, fixture->rsa, HOST).is_established);
}

/* Contexts and policies with the same authorities hold one store. */
static void
test_authorities_shared(void)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *one = tls_fixture_client(&settings);
	struct tls_policy *two = tls_fixture_client(&settings);
	struct tls_ca twice[2] = {settings.verify.cas[0],
				  settings.verify.cas[0]};
	struct tls_policy *other;
	SSL_CTX *a = tls_fixture_context(one, NULL, NULL, NULL);
	SSL_CTX *b = tls_fixture_context(one, NULL, NULL, NULL);
	SSL_CTX *c = tls_fixture_context(two, NULL, NULL, NULL), *d;

	CU_ASSERT_PTR_EQUAL(SSL_CTX_get_cert_store(a),
			    SSL_CTX_get_cert_store(b));
	CU_ASSERT_PTR_EQUAL(SSL_CTX_get_cert_store(a),
			    SSL_CTX_get_cert_store(c));
	CU_ASSERT(memcmp(tls_policy_digest(one), tls_policy_digest(two), 32) ==
		  0);
	settings.verify.cas = twice;
	settings.verify.ca_count = 2;
	other = tls_fixture_client(&settings);
	d = tls_fixture_context(other, NULL, NULL, NULL);
	CU_ASSERT(SSL_CTX_get_cert_store(a) != SSL_CTX_get_cert_store(d));
	CU_ASSERT(memcmp(tls_policy_digest(one), tls_policy_digest(other),
			 32) != 0);
	tls_policy_unref(one);
	tls_policy_unref(two);
	tls_policy_unref(other);
	SSL_CTX_free(a);
	SSL_CTX_free(b);
	SSL_CTX_free(c);
	SSL_CTX_free(d);
}

/* A server that asks gets our certificate, with its chain. */
static void
test_client_certificate(void)
{
	const struct tls_fixture *fixture = tls_fixture();
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *policy = tls_fixture_client(&settings);
	SSL_CTX *with = tls_fixture_context(policy, fixture->ecdsa, NULL, NULL);
	SSL_CTX *without = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL_CTX *server = tls_fixture_bare_server(fixture->rsa);
	struct tls_outcome outcome;

	X509_STORE_add_cert(SSL_CTX_get_cert_store(server),
			    fixture->root->certificate);
	SSL_CTX_set_verify(server,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);
	outcome = tls_fixture_try_verified(policy, with, server, HOST);
	CU_ASSERT(outcome.is_established);
	outcome = tls_fixture_try_verified(policy, without, server, HOST);
	CU_ASSERT(!outcome.is_established);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_CERTIFICATE);
	CU_ASSERT_STRING_EQUAL(outcome.server.text, "no certificate came");
	CU_ASSERT(outcome.client.fault == TLS_FAULT_ALERT);
	CONTAINS(outcome.client.text, "certificate_required (116)");
	SSL_CTX_free(with);
	SSL_CTX_free(without);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static void
test_verify_name_setting(void)
{
	struct tls_settings settings = tls_fixture_client_settings();

	settings.at = here;
	settings.verify.name = (char[]){""};
	CONTAINS(tls_fixture_client_problem(&settings)->text,
		 "verify.name: \"\"");
	settings.verify.name = (char[]){".example.org"};
	CU_ASSERT(tls_fixture_client_problem(&settings)->at.line == here.line);
	settings.verify.name = (char[]){"192.0.2.1"};
	CU_ASSERT_STRING_EQUAL(tls_fixture_client_problem(&settings)->text, "");
}

UNIT_SUITE(tls_verify, {"good", test_good}, {"names", test_names},
	   {"common_name", test_common_name}, {"foreign", test_foreign},
	   {"dates", test_dates}, {"purpose_and_depth", test_purpose_and_depth},
	   {"unverified", test_unverified},
	   {"bad_verify_names", test_bad_verify_names},
	   {"unprepared", test_unprepared},
	   {"confirmed_anew", test_confirmed_anew},
	   {"authorities_refused", test_authorities_refused},
	   {"authorities_found", test_authorities_found},
	   {"authorities_shared", test_authorities_shared},
	   {"client_certificate", test_client_certificate},
	   {"verify_name_setting", test_verify_name_setting});
