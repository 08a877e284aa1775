/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Staples in handshakes with backends: what each of them comes to, under each
 * setting, and that a backend that is refused is given nothing.
 */
#include "common/verify/peer_ocsp.h"

#include <string.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/tls_policy.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_check.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_ocsp.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define CONTAINS(text, part) CU_ASSERT(strstr((text), (part)) != NULL)

#define HOST "web.example.org"
#define HOUR INT64_C(3600)

/* What a backend sends along. */
struct staple {
	unsigned char *bytes; /* NULL: nothing */
	size_t length;
};

struct fixture {
	int64_t now;
	struct test_identity *leaf;
	struct test_ocsp_single single;
	struct test_ocsp answer;
	struct tls_settings settings;
	int version;
	/* The outcome. */
	bool is_asked;
	bool is_established;
	bool has_client_finished; /* has the backend heard the end of it? */
	enum tls_fault fault;
	enum peer_step step;
	enum peer_ocsp ocsp;
	bool is_pinned;
	int64_t valid_until;
	size_t questions;
	char text[768];
	char told[768];
};

static void
setup(struct fixture *fixture)
{
	*fixture = (struct fixture){
		.now = (int64_t)time(NULL),
		.leaf = test_leaf("p256", HOST, tls_fixture()->issuer),
		.settings = tls_fixture_client_settings(),
		.version = TLS1_3_VERSION,
	};
	fixture->settings.verify.ocsp.staple = OCSP_STAPLE_TRY;
	fixture->single = (struct test_ocsp_single){
		.about = fixture->leaf,
		.this_update = fixture->now - HOUR,
		.next_update = fixture->now + HOUR,
		.revoked_at = fixture->now - HOUR,
		.reason = -1,
	};
	fixture->answer = (struct test_ocsp){
		.signer = tls_fixture()->issuer,
		.singles = &fixture->single,
		.single_count = 1,
	};
}

static int
on_status(SSL *ssl, void *argument)
{
	const struct staple *staple = argument;
	unsigned char *copy;

	if (!staple->bytes)
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(staple->bytes, staple->length);
	CU_ASSERT(SSL_set_tlsext_status_ocsp_resp(ssl, copy,
						  (long)staple->length) == 1);
	return SSL_TLSEXT_ERR_OK;
}

static void
judge(struct fixture *fixture, struct tls_pair *pair)
{
	SSL *client = tls_engine_ssl(pair->client.engine);
	SSL *server = tls_engine_ssl(pair->server.engine);
	const struct peer_verdict *verdict = peer_check_verdict(client);
	struct ocsp_pair pairs[8];
	int depths[8];
	bool is_confirmed;

	fixture->is_asked =
		SSL_get_tlsext_status_type(server) == TLSEXT_STATUSTYPE_ocsp;
	fixture->is_established = pair->client.is_established &&
				  pair->client.result != TLS_FAILED;
	fixture->has_client_finished = SSL_is_init_finished(server);
	is_confirmed = pair->client.is_established &&
		       peer_check_confirm(client, NULL) == 0;
	CU_ASSERT_EQUAL(is_confirmed, fixture->is_established);
	fixture->fault = TLS_FAULT_NONE;
	fixture->text[0] = '\0';
	fixture->told[0] = '\0';
	if (pair->client.result == TLS_FAILED) {
		const struct tls_failure *failure =
			tls_engine_failure(pair->client.engine);

		fixture->fault = failure->fault;
		snprintf(fixture->text, sizeof(fixture->text), "%s",
			 failure->text);
	}
	if (pair->server.result == TLS_FAILED)
		snprintf(fixture->told, sizeof(fixture->told), "%s",
			 tls_engine_failure(pair->server.engine)->text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(verdict);
	fixture->step = verdict->step;
	fixture->ocsp = verdict->ocsp;
	fixture->is_pinned = verdict->is_pinned;
	fixture->valid_until = verdict->valid_until;
	fixture->questions =
		peer_ocsp_questions(client, pairs, depths, ARRAY_SIZE(pairs));
	for (size_t i = 0; i < fixture->questions; i++)
		CU_ASSERT_EQUAL(X509_check_issued(pairs[i].issuer,
						  pairs[i].certificate),
				X509_V_OK);
}

static void
connect_with(struct fixture *fixture, struct staple staple)
{
	struct certificate *certificate = test_certificate(fixture->leaf);
	struct tls_policy *policy = tls_fixture_client(&fixture->settings);
	SSL_CTX *client = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL_CTX *server = tls_fixture_bare_server(certificate);
	struct tls_pair pair;

	tls_fixture_set_versions(server, fixture->version, fixture->version);
	SSL_CTX_set_tlsext_status_cb(server, on_status);
	SSL_CTX_set_tlsext_status_arg(server, &staple);
	tls_pair_init(&pair, client, server);
	CU_ASSERT_EQUAL(tls_policy_prepare_client(
				policy, tls_engine_ssl(pair.client.engine),
				NULL, HOST, NULL),
			0);
	(void)tls_pair_handshake(&pair, 0);
	judge(fixture, &pair);
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
	certificate_unref(certificate);
	CU_ASSERT(ERR_peek_error() == 0);
}

static void
connect_stapled(struct fixture *fixture)
{
	struct staple staple;

	staple.bytes = test_ocsp_der(&fixture->answer, &staple.length);
	connect_with(fixture, staple);
	mem_free(staple.bytes);
}

static void
connect_bare(struct fixture *fixture)
{
	connect_with(fixture, (struct staple){NULL, 0});
}

static void
assert_refused(const struct fixture *fixture, enum tls_fault fault,
	       const char *words)
{
	CU_ASSERT_FALSE(fixture->is_established);
	CU_ASSERT_FALSE(fixture->has_client_finished);
	CU_ASSERT_EQUAL(fixture->fault, fault);
	CONTAINS(fixture->text, words);
	CONTAINS(fixture->told, "bad_certificate_status_response");
}

static void
assert_admitted(const struct fixture *fixture, enum peer_ocsp ocsp)
{
	CU_ASSERT_TRUE(fixture->is_established);
	CU_ASSERT_TRUE(fixture->has_client_finished);
	CU_ASSERT_EQUAL(fixture->ocsp, ocsp);
	CU_ASSERT_STRING_EQUAL(fixture->text, "");
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define EACH_VERSION(fixture)                                       \
	for (size_t v = 0; v < ARRAY_SIZE(versions) &&              \
			   ((fixture).version = versions[v], true); \
	     v++)

static void
test_off(void)
{
	struct fixture fixture;

	setup(&fixture);
	fixture.settings.verify.ocsp.staple = OCSP_STAPLE_OFF;
	fixture.single.status = TEST_OCSP_REVOKED;
	EACH_VERSION(fixture)
	{
		connect_stapled(&fixture);
		assert_admitted(&fixture, PEER_OCSP_UNCHECKED);
		CU_ASSERT_FALSE(fixture.is_asked);
	}
	test_identity_free(fixture.leaf);
}

static void
test_try(void)
{
	struct fixture fixture;

	setup(&fixture);
	EACH_VERSION(fixture)
	{
		connect_bare(&fixture);
		assert_admitted(&fixture, PEER_OCSP_NONE);
		CU_ASSERT_TRUE(fixture.is_asked);
		fixture.single.status = TEST_OCSP_GOOD;
		connect_stapled(&fixture);
		assert_admitted(&fixture, PEER_OCSP_GOOD);
		/* What a session remembers ends with it. */
		CU_ASSERT_EQUAL(fixture.valid_until, fixture.now + HOUR);
		fixture.single.status = TEST_OCSP_REVOKED;
		connect_stapled(&fixture);
		assert_refused(&fixture, TLS_FAULT_REVOKED, "revoked on");
		CU_ASSERT_EQUAL(fixture.step, PEER_STEP_REVOKED);
		fixture.single.status = TEST_OCSP_UNKNOWN;
		connect_stapled(&fixture);
		assert_refused(&fixture, TLS_FAULT_CERTIFICATE,
			       "does not know it");
		CU_ASSERT_EQUAL(fixture.step, PEER_STEP_OCSP);
	}
	test_identity_free(fixture.leaf);
}

static void
test_must(void)
{
	unsigned char garbage[] = {'g', 'a', 'r', 'b', 'a', 'g', 'e'};
	struct fixture fixture;

	setup(&fixture);
	fixture.settings.verify.ocsp.staple = OCSP_STAPLE_MUST;
	EACH_VERSION(fixture)
	{
		connect_bare(&fixture);
		assert_refused(&fixture, TLS_FAULT_CERTIFICATE,
			       "sent no OCSP answer");
		fixture.single.status = TEST_OCSP_GOOD;
		connect_stapled(&fixture);
		assert_admitted(&fixture, PEER_OCSP_GOOD);
		fixture.single.status = TEST_OCSP_REVOKED;
		connect_stapled(&fixture);
		assert_refused(&fixture, TLS_FAULT_REVOKED, "revoked on");
		connect_with(&fixture,
			     (struct staple){garbage, sizeof(garbage)});
		assert_refused(&fixture, TLS_FAULT_CERTIFICATE, "not OCSP");
	}
	test_identity_free(fixture.leaf);
}

/* What proves nothing is noted under try, and too little for must. */
static void
test_unusable(void)
{
	struct fixture fixture;
	struct test_identity *other = test_ca("Test Issuer", NULL);
	struct test_identity *sibling =
		test_leaf("p256", HOST, tls_fixture()->issuer);

	setup(&fixture);
	EACH_VERSION(fixture)
	{
		for (int i = 0; i < 10; i++) {
			struct test_ocsp_single single = fixture.single;
			struct test_ocsp answer = fixture.answer;

			switch (i % 5) {
			case 0:
				fixture.single.next_update =
					fixture.now - HOUR / 2;
				break;
			case 1:
				fixture.single.this_update =
					fixture.now + HOUR / 2;
				break;
			case 2:
				fixture.answer.signer = other;
				break;
			case 3:
				fixture.single.about = sibling;
				break;
			default:
				fixture.answer.response = 3;
				break;
			}
			fixture.settings.verify.ocsp.staple =
				i < 5 ? OCSP_STAPLE_TRY : OCSP_STAPLE_MUST;
			connect_stapled(&fixture);
			if (i < 5)
				assert_admitted(&fixture, PEER_OCSP_UNUSABLE);
			else
				assert_refused(&fixture, TLS_FAULT_CERTIFICATE,
					       "verify failed: ");
			fixture.single = single;
			fixture.answer = answer;
		}
	}
	test_identity_free(sibling);
	test_identity_free(other);
	test_identity_free(fixture.leaf);
}

/* An answer about the CA above the server, as a server may send along. */
static void
test_issuer_revoked(void)
{
	struct fixture fixture;
	const struct test_identity *root = tls_fixture()->root;
	struct test_ocsp_single single;

	setup(&fixture);
	single = fixture.single;
	single.about = tls_fixture()->issuer;
	fixture.answer.signer = root;
	fixture.answer.singles = &single;
	EACH_VERSION(fixture)
	{
		single.status = TEST_OCSP_REVOKED;
		connect_stapled(&fixture);
		assert_refused(&fixture, TLS_FAULT_REVOKED, "depth 1");
		single.status = TEST_OCSP_GOOD;
		connect_stapled(&fixture);
		assert_admitted(&fixture, PEER_OCSP_UNUSABLE);
	}
	test_identity_free(fixture.leaf);
}

/* A pin admits whatever else is wrong. */
static void
test_pinned(void)
{
	struct fixture fixture;
	struct fingerprint pin;

	setup(&fixture);
	CU_ASSERT_EQUAL(fingerprint_make(fixture.leaf->certificate, "sha256",
					 false, &pin, NULL),
			0);
	fixture.settings.verify.fingerprints = &pin;
	fixture.settings.verify.fingerprint_count = 1;
	fixture.settings.verify.ocsp.staple = OCSP_STAPLE_MUST;
	EACH_VERSION(fixture)
	{
		connect_bare(&fixture);
		assert_admitted(&fixture, PEER_OCSP_NONE);
		fixture.single.status = TEST_OCSP_REVOKED;
		connect_stapled(&fixture);
		assert_admitted(&fixture, PEER_OCSP_REVOKED);
		CU_ASSERT_EQUAL(fixture.step, PEER_STEP_REVOKED);
		CU_ASSERT_EQUAL(fixture.valid_until, PEER_FOREVER);
	}
	test_identity_free(fixture.leaf);
}

/* Whom a responder is to be asked about. */
static void
test_questions(void)
{
	static const struct {
		enum ocsp_check check;
		bool is_stapled;
		size_t expected;
	} cases[] = {
		{OCSP_CHECK_OFF, false, 0},   {OCSP_CHECK_LEAF, false, 1},
		{OCSP_CHECK_CHAIN, false, 2}, {OCSP_CHECK_OFF, true, 0},
		{OCSP_CHECK_LEAF, true, 0},   {OCSP_CHECK_CHAIN, true, 1},
	};
	struct fixture fixture;

	setup(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture.settings.verify.ocsp.check = cases[i].check;
		if (cases[i].is_stapled)
			connect_stapled(&fixture);
		else
			connect_bare(&fixture);
		CU_ASSERT_EQUAL(fixture.questions, cases[i].expected);
	}
	test_identity_free(fixture.leaf);
}

/* What a responder has said, after a handshake. */
static void
test_answered(void)
{
	static const struct {
		enum ocsp_status status;
		enum tls_ocsp_fail fail;
		bool is_admitted;
		enum peer_step step;
	} cases[] = {
		{OCSP_GOOD, TLS_OCSP_FAIL_SOFT, true, PEER_STEP_NONE},
		{OCSP_GOOD, TLS_OCSP_FAIL_HARD, true, PEER_STEP_NONE},
		{OCSP_UNUSABLE, TLS_OCSP_FAIL_SOFT, true, PEER_STEP_NONE},
		{OCSP_UNUSABLE, TLS_OCSP_FAIL_HARD, false, PEER_STEP_OCSP},
		{OCSP_UNKNOWN, TLS_OCSP_FAIL_SOFT, false, PEER_STEP_OCSP},
		{OCSP_UNKNOWN, TLS_OCSP_FAIL_HARD, false, PEER_STEP_OCSP},
		{OCSP_REVOKED, TLS_OCSP_FAIL_SOFT, false, PEER_STEP_REVOKED},
		{OCSP_REVOKED, TLS_OCSP_FAIL_HARD, false, PEER_STEP_REVOKED},
	};
	static const char *const name = HOST;
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = 1,
		.ocsp_uri = "http://responder.example/",
	};
	struct fixture fixture;

	setup(&fixture);
	test_identity_free(fixture.leaf);
	fixture.leaf = test_identity("p256", &request, tls_fixture()->issuer);
	fixture.settings.verify.ocsp.check = OCSP_CHECK_CHAIN;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		size_t at = i / 2;
		int depth = (int)(i % 2);
		struct ocsp_judgement judgement = {
			.status = cases[at].status,
			.valid_until = fixture.now + HOUR,
		};
		struct certificate *certificate =
			test_certificate(fixture.leaf);
		struct tls_policy *policy;
		SSL_CTX *client, *server = tls_fixture_bare_server(certificate);
		const struct peer_verdict *verdict;
		struct tls_pair pair;
		SSL *ssl;

		if (judgement.status != OCSP_GOOD)
			snprintf(judgement.sentence, sizeof(judgement.sentence),
				 "said so");
		fixture.settings.verify.ocsp.fail = cases[at].fail;
		policy = tls_fixture_client(&fixture.settings);
		client = tls_fixture_context(policy, NULL, NULL, NULL);
		tls_pair_init(&pair, client, server);
		ssl = tls_engine_ssl(pair.client.engine);
		CU_ASSERT_EQUAL(tls_policy_prepare_client(policy, ssl, NULL,
							  HOST, NULL),
				0);
		(void)tls_pair_handshake(&pair, 0);
		CU_ASSERT_EQUAL(peer_check_confirm(ssl, NULL), 0);
		CU_ASSERT_EQUAL(peer_ocsp_answered(ssl, depth, &judgement),
				cases[at].is_admitted);
		/* Whoever asks again hears the same. */
		CU_ASSERT_EQUAL(peer_check_confirm(ssl, NULL) == 0,
				cases[at].is_admitted);
		verdict = peer_check_verdict(ssl);
		CU_ASSERT_EQUAL(verdict->step, cases[at].step);
		/* What is not known is asked again soon, if anybody is there
		 * to ask: the intermediate names nobody. */
		if (judgement.status == OCSP_UNUSABLE)
			CU_ASSERT_EQUAL(verdict->valid_until <=
						fixture.now + 120,
					depth == 0);
		CU_ASSERT_EQUAL(verdict->depth,
				verdict->step == PEER_STEP_NONE ? 0 : depth);
		tls_pair_clear(&pair);
		SSL_CTX_free(client);
		SSL_CTX_free(server);
		tls_policy_unref(policy);
		certificate_unref(certificate);
	}
	test_identity_free(fixture.leaf);
}

static void
test_settings(void)
{
	struct tls_settings settings = tls_fixture_client_settings();

	settings.verify.ocsp.fail = TLS_OCSP_FAIL_HARD;
	CONTAINS(tls_fixture_client_problem(&settings)->text, "no effect");
	settings.verify.ocsp.check = OCSP_CHECK_LEAF;
	CU_ASSERT_STRING_EQUAL(tls_fixture_client_problem(&settings)->text, "");
	settings.verify.ocsp.is_nonce = true;
	CU_ASSERT_STRING_EQUAL(tls_fixture_client_problem(&settings)->text, "");
	settings.verify.ocsp.fail = TLS_OCSP_FAIL_SOFT;
	settings.verify.ocsp.check = OCSP_CHECK_OFF;
	CONTAINS(tls_fixture_client_problem(&settings)->text, "no effect");
}

/* What decides who is let in makes another policy, and with it other sessions.
 */
static void
test_digest(void)
{
	struct tls_policy *policies[5];
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_ocsp *ocsp = &settings.verify.ocsp;

	policies[0] = tls_fixture_client(&settings);
	ocsp->staple = OCSP_STAPLE_MUST;
	policies[1] = tls_fixture_client(&settings);
	ocsp->check = OCSP_CHECK_LEAF;
	policies[2] = tls_fixture_client(&settings);
	ocsp->fail = TLS_OCSP_FAIL_HARD;
	policies[3] = tls_fixture_client(&settings);
	ocsp->is_nonce = true;
	policies[4] = tls_fixture_client(&settings);
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		for (size_t k = 0; k < i; k++)
			CU_ASSERT_NOT_EQUAL(
				memcmp(tls_policy_digest(policies[i]),
				       tls_policy_digest(policies[k]), 32),
				0);
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		tls_policy_unref(policies[i]);
}

UNIT_SUITE(peer_ocsp, {"off", test_off}, {"try", test_try}, {"must", test_must},
	   {"unusable", test_unusable}, {"issuer_revoked", test_issuer_revoked},
	   {"pinned", test_pinned}, {"questions", test_questions},
	   {"answered", test_answered}, {"settings", test_settings},
	   {"digest", test_digest});
