/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of peers on both gates, in handshakes: every step of it, what the
 * peer is told, and that nobody passes by accident.
 */
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/tls_policy.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_check.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define CONTAINS(text, part) CU_ASSERT(strstr((text), (part)) != NULL)

#define HOST "web.example.org"
#define DAY  (24 * 3600 * 1000LL)

/* What became of a client's certificate at an accept gate. */
struct admission {
	bool is_established;
	bool has_verdict;
	bool is_confirmed;
	enum peer_step step;
	enum tls_fault fault;
	char text[768];      /* the server's failure */
	char told[768];      /* the client's */
	char admission[128]; /* "ok" */
};

static struct admission
judge(struct tls_pair *pair)
{
	struct admission result = {.is_established = false};
	SSL *ssl = tls_engine_ssl(pair->server.engine);
	const struct peer_verdict *verdict = peer_check_verdict(ssl);

	result.is_established = pair->client.is_established &&
				pair->server.is_established &&
				pair->client.result != TLS_FAILED;
	result.has_verdict = verdict != NULL;
	result.is_confirmed = pair->server.is_established &&
			      peer_check_confirm(ssl, NULL) == 0;
	if (verdict)
		result.step = verdict->step;
	if (verdict && verdict->is_admitted)
		peer_verdict_format_admission(verdict, result.admission,
					      sizeof(result.admission));
	if (pair->server.result == TLS_FAILED) {
		const struct tls_failure *failure =
			tls_engine_failure(pair->server.engine);

		result.fault = failure->fault;
		snprintf(result.text, sizeof(result.text), "%s", failure->text);
	}
	if (pair->client.result == TLS_FAILED)
		snprintf(result.told, sizeof(result.told), "%s",
			 tls_engine_failure(pair->client.engine)->text);
	return result;
}

/* A client with that identity (NULL: none) at a gate with these settings. */
static struct admission
try_version(const struct tls_settings *settings,
	    const struct test_identity *identity, int version)
{
	struct tls_policy *policy = tls_fixture_server(settings);
	SSL_CTX *server =
		tls_fixture_context(policy, tls_fixture()->ecdsa, NULL, NULL);
	SSL_CTX *client = tls_fixture_bare_client();
	struct certificate *certificate = NULL;
	struct admission result;
	struct tls_pair pair;

	tls_fixture_set_versions(client, version, version);
	if (identity) {
		certificate = test_certificate(identity);
		if (!SSL_CTX_use_certificate(client, certificate->leaf) ||
		    !SSL_CTX_use_PrivateKey(client, certificate->key) ||
		    !SSL_CTX_set1_chain(client, certificate->chain))
			abort();
	}
	tls_pair_init(&pair, client, server);
	(void)tls_pair_handshake(&pair, 0);
	result = judge(&pair);
	tls_pair_clear(&pair);
	certificate_unref(certificate);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
	CU_ASSERT(ERR_peek_error() == 0);
	return result;
}

static struct admission
try_gate(const struct tls_settings *settings,
	 const struct test_identity *identity)
{
	return try_version(settings, identity, TLS1_3_VERSION);
}

/* Verifies with the fixture's root. */
static struct tls_settings
gate_settings(enum tls_verify_mode mode)
{
	struct tls_settings settings = tls_fixture_server_settings();

	settings.verify = tls_fixture_client_settings().verify;
	settings.verify.mode = mode;
	return settings;
}

static struct test_identity *
leaf_for(enum certificate_purpose purpose, const char *name)
{
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.purpose = purpose,
		.days = 1,
	};

	return test_identity("p256", &request, tls_fixture()->issuer);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
test_modes(void)
{
	static const enum tls_verify_mode modes[] = {
		TLS_VERIFY_DEFAULT, TLS_VERIFY_NONE, TLS_VERIFY_OPTIONAL,
		TLS_VERIFY_REQUIRED};
	struct test_identity *good =
		leaf_for(CERTIFICATE_FOR_CLIENT, "good.client");
	struct test_identity *self = test_leaf("p256", "self.client", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
			struct tls_settings settings = gate_settings(modes[i]);
			bool asks = modes[i] == TLS_VERIFY_OPTIONAL ||
				    modes[i] == TLS_VERIFY_REQUIRED;
			bool must = modes[i] == TLS_VERIFY_REQUIRED;
			struct admission result =
				try_version(&settings, good, versions[v]);

			CU_ASSERT(result.is_established);
			CU_ASSERT(result.is_confirmed);
			CU_ASSERT(result.has_verdict == asks);
			CU_ASSERT_STRING_EQUAL(result.admission,
					       asks ? "ok" : "");
			result = try_version(&settings, NULL, versions[v]);
			CU_ASSERT(result.is_established == !must);
			CU_ASSERT(result.is_confirmed == !must);
			CU_ASSERT(!result.has_verdict);
			if (must) {
				CU_ASSERT(result.fault ==
					  TLS_FAULT_NO_CERTIFICATE);
				CONTAINS(result.told,
					 versions[v] == TLS1_3_VERSION
						 ? "certificate_required (116)"
						 : "handshake_failure (40)");
			}
			result = try_version(&settings, self, versions[v]);
			CU_ASSERT(result.is_established == !asks);
			CU_ASSERT(result.is_confirmed == !asks);
			if (asks) {
				CU_ASSERT(result.fault ==
					  TLS_FAULT_CERTIFICATE);
				CU_ASSERT(result.step == PEER_STEP_CHAIN);
				CONTAINS(result.told, "unknown_ca (48)");
			}
		}
	test_identity_free(good);
	test_identity_free(self);
}

/* Every refusal has the alert that says what it is. */
static void
test_alerts(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct test_identity *foreign = test_ca("Foreign", NULL);
	struct test_identity *old, *early, *server, *stranger;

	clock_shift(-40 * DAY);
	old = leaf_for(CERTIFICATE_FOR_CLIENT, "old.client");
	clock_shift(5 * DAY);
	early = leaf_for(CERTIFICATE_FOR_CLIENT, "early.client");
	clock_shift(0);
	server = leaf_for(CERTIFICATE_FOR_SERVER, "server.client");
	stranger = test_leaf("p256", "stranger.client", foreign);
	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		const struct {
			const struct test_identity *identity;
			const char *told;
			const char *says;
		} cases[] = {
			{old, "certificate_expired (45)",
			 "has expired (depth 0, subject CN=old.client)"},
			{early, "bad_certificate (42)", "not yet valid"},
			{server, "unsupported_certificate (43)", "purpose"},
			{stranger, "unknown_ca (48)", "issuer"},
		};

		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct admission result = try_version(
				&settings, cases[i].identity, versions[v]);

			CU_ASSERT(!result.is_established);
			CU_ASSERT(!result.is_confirmed);
			CU_ASSERT(result.fault == TLS_FAULT_CERTIFICATE);
			CONTAINS(result.told, cases[i].told);
			CONTAINS(result.text, cases[i].says);
		}
	}
	test_identity_free(old);
	test_identity_free(early);
	test_identity_free(server);
	test_identity_free(stranger);
	test_identity_free(foreign);
}

static void
test_depth_and_partial_chains(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct test_identity *good =
		leaf_for(CERTIFICATE_FOR_CLIENT, "good.client");
	AUTO_FREE char *pem = test_pem_certificate(tls_fixture()->issuer);
	struct tls_ca inner = {.kind = TLS_CA_INLINE, .text = pem};
	struct admission result;

	settings.verify.depth = 1;
	CU_ASSERT(try_gate(&settings, good).is_established);
	settings.verify.depth = 0;
	result = try_gate(&settings, good);
	CU_ASSERT(!result.is_established);
	CONTAINS(result.told, "unknown_ca");
	settings.verify.depth = 10;
	/* An intermediate alone is no anchor unless that is asked for. */
	settings.verify.cas = &inner;
	settings.verify.ca_count = 1;
	CU_ASSERT(!try_gate(&settings, good).is_established);
	settings.verify.is_partial_chain = true;
	CU_ASSERT(try_gate(&settings, good).is_established);
	test_identity_free(good);
}

static struct fingerprint
pin_of(const struct test_identity *identity, bool is_of_key)
{
	struct fingerprint pin;
	struct error error = {0};

	if (fingerprint_make(identity->certificate, "sha256", is_of_key, &pin,
			     &error) != 0)
		abort();
	return pin;
}

/* A pin outranks everything, and the record says what. */
static void
test_pins(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct tls_ca none = {.kind = TLS_CA_NONE};
	struct test_identity *good =
		leaf_for(CERTIFICATE_FOR_CLIENT, "good.client");
	struct test_identity *self = test_leaf("p256", "self.client", NULL);
	struct test_identity *other = test_leaf("p256", "other.client", NULL);
	struct fingerprint pins[2];
	struct admission result;

	for (int is_of_key = 0; is_of_key < 2; is_of_key++) {
		settings.verify = gate_settings(TLS_VERIFY_REQUIRED).verify;
		pins[0] = pin_of(tls_fixture()->root, is_of_key);
		pins[1] = pin_of(self, is_of_key);
		settings.verify.fingerprints = pins;
		settings.verify.fingerprint_count = 2;
		result = try_gate(&settings, self);
		CU_ASSERT(result.is_established && result.is_confirmed);
		CU_ASSERT_STRING_EQUAL(
			result.admission,
			"pinned, despite: self-signed certificate");
		/* Without a match the other checks decide. */
		result = try_gate(&settings, good);
		CU_ASSERT(result.is_established && result.is_confirmed);
		CU_ASSERT_STRING_EQUAL(result.admission, "ok");
		CU_ASSERT(!try_gate(&settings, other).is_established);
		/* The pin of a CA admits nobody: the leaf's counts. */
		settings.verify.fingerprint_count = 1;
		CU_ASSERT(!try_gate(&settings, self).is_established);
		/* ca: none admits the pinned alone. */
		settings.verify.fingerprint_count = 2;
		settings.verify.cas = &none;
		settings.verify.ca_count = 1;
		result = try_gate(&settings, self);
		CU_ASSERT(result.is_established && result.is_confirmed);
		CU_ASSERT_STRING_EQUAL(result.admission, "pinned");
		result = try_gate(&settings, good);
		CU_ASSERT(!result.is_established && !result.is_confirmed);
		CONTAINS(result.text, "no fingerprint is its");
		CONTAINS(result.told, "unknown_ca");
		CU_ASSERT(!try_gate(&settings, NULL).is_established);
	}
	test_identity_free(good);
	test_identity_free(self);
	test_identity_free(other);
}

/* What a pin outranks leaves nothing behind that ends the handshake when it
 * waits for more, a byte at a time. */
static void
test_pin_in_pieces(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct test_identity *self = test_leaf("p256", "self.client", NULL);
	struct certificate *certificate = test_certificate(self);
	struct fingerprint pin = pin_of(self, false);
	struct tls_policy *policy;
	SSL_CTX *server, *client = tls_fixture_bare_client();

	settings.verify.fingerprints = &pin;
	settings.verify.fingerprint_count = 1;
	policy = tls_fixture_server(&settings);
	server = tls_fixture_context(policy, tls_fixture()->rsa, NULL, NULL);
	if (!SSL_CTX_use_certificate(client, certificate->leaf) ||
	    !SSL_CTX_use_PrivateKey(client, certificate->key))
		abort();
	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		struct tls_pair pair;

		tls_fixture_set_versions(client, versions[v], versions[v]);
		tls_pair_init(&pair, client, server);
		CU_ASSERT(tls_pair_handshake(&pair, 1));
		CU_ASSERT(ERR_peek_error() == 0);
		tls_pair_clear(&pair);
	}
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
	certificate_unref(certificate);
	test_identity_free(self);
}

static void
test_rules(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct peer_rule rule = {.text = NULL};
	struct test_identity *bob =
		leaf_for(CERTIFICATE_FOR_CLIENT, "bob.test");
	struct test_identity *eve =
		leaf_for(CERTIFICATE_FOR_CLIENT, "eve.test");
	struct error error = {0};
	struct admission result;

	CU_ASSERT_FATAL(
		peer_rule_parse(PEER_NAME_DNS, "bob.test", &rule, &error) == 0);
	settings.verify.allow.lists[PEER_NAME_DNS].rules = &rule;
	settings.verify.allow.lists[PEER_NAME_DNS].count = 1;
	CU_ASSERT(try_gate(&settings, bob).is_established);
	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		result = try_version(&settings, eve, versions[v]);
		CU_ASSERT(!result.is_established && !result.is_confirmed);
		CU_ASSERT(result.step == PEER_STEP_RULES);
		CU_ASSERT(result.fault == TLS_FAULT_CERTIFICATE);
		CONTAINS(result.told, "certificate_unknown (46)");
		CONTAINS(result.text, "bob.test");
		CONTAINS(result.text, "eve.test");
	}
	settings.verify.mode = TLS_VERIFY_OPTIONAL;
	CONTAINS(tls_fixture_server_warning(&settings)->text, "verify.allow");
	peer_rule_clear(&rule);
	test_identity_free(bob);
	test_identity_free(eve);
}

/* A verdict that nobody made does not let anybody in, and neither does one of
 * OpenSSL's without ours. */
static void
test_confirmation(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct tls_policy *policy = tls_fixture_server(&settings);
	SSL_CTX *server =
		tls_fixture_context(policy, tls_fixture()->ecdsa, NULL, NULL);
	SSL *ssl = SSL_new(server);
	struct error error = {0};

	CU_ASSERT(peer_check_policy(ssl) != NULL);
	CU_ASSERT(peer_check_verdict(ssl) == NULL);
	CU_ASSERT(peer_check_confirm(ssl, &error) == -1);
	CONTAINS(error.text, "no certificate came");
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	CU_ASSERT(peer_check_confirm(ssl, &error) == -1);
	CONTAINS(error.text, "was not verified");
	SSL_free(ssl);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static void
test_settings_refused(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	struct tls_ca none = {.at = {"test.yaml", 7, 3}, .kind = TLS_CA_NONE};

	settings.verify.cas = &none;
	CU_ASSERT(tls_fixture_server_problem(&settings)->at.line == 7);
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "only fingerprints");
	settings.verify.ca_count = 0;
	settings.verify.at.line = 9;
	CU_ASSERT(tls_fixture_server_problem(&settings)->at.line == 9);
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "has to be named");
	settings = tls_fixture_client_settings();
	settings.verify.mode = TLS_VERIFY_OPTIONAL;
	CONTAINS(tls_fixture_client_problem(&settings)->text,
		 "no optional on the connect gate");
}

static int
advertised_count(const struct tls_settings *settings)
{
	struct tls_policy *policy = tls_fixture_server(settings);
	SSL_CTX *server = tls_fixture_context(policy, NULL, NULL, NULL);
	const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(server);
	int count = sk_X509_NAME_num(names);

	SSL_CTX_free(server);
	tls_policy_unref(policy);
	return count;
}

static void
test_advertised(void)
{
	struct tls_settings settings = gate_settings(TLS_VERIFY_REQUIRED);
	AUTO_FREE char *issuer = test_pem_certificate(tls_fixture()->issuer);
	AUTO_FREE char *root = test_pem_certificate(tls_fixture()->root);
	AUTO_FREE char *both = mem_format("%s%s%s", issuer, root, issuer);
	struct tls_ca given = {.kind = TLS_CA_INLINE, .text = both};
	struct tls_ca none = {.kind = TLS_CA_NONE};

	CU_ASSERT(advertised_count(&settings) == 1);
	settings.verify.advertised = &given;
	settings.verify.advertised_count = 1;
	CU_ASSERT(advertised_count(&settings) == 2);
	settings.verify.advertised = &none;
	CU_ASSERT(advertised_count(&settings) <= 0);
}

/* Whatever is set makes another policy: sessions of one are not the other's.
 */
static void
test_digests(void)
{
	struct tls_settings all[9];
	struct tls_policy *policies[ARRAY_SIZE(all)];
	struct tls_ca none = {.kind = TLS_CA_NONE};
	struct peer_rule rule = {.text = (char[]){"a"}};
	struct fingerprint pin = pin_of(tls_fixture()->root, false);

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = gate_settings(TLS_VERIFY_REQUIRED);
	all[1].verify.mode = TLS_VERIFY_OPTIONAL;
	all[2].verify.depth = 3;
	all[3].verify.is_partial_chain = true;
	all[4].verify.advertised = &none;
	all[4].verify.advertised_count = 1;
	all[5].verify.fingerprints = &pin;
	all[5].verify.fingerprint_count = 1;
	all[6].verify.allow.lists[PEER_NAME_CN].rules = &rule;
	all[6].verify.allow.lists[PEER_NAME_CN].count = 1;
	all[7].verify.allow.lists[PEER_NAME_OU].rules = &rule;
	all[7].verify.allow.lists[PEER_NAME_OU].count = 1;
	all[8].verify.mode = TLS_VERIFY_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		policies[i] = tls_fixture_server(&all[i]);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t k = 0; k < i; k++)
			CU_ASSERT(memcmp(tls_policy_digest(policies[i]),
					 tls_policy_digest(policies[k]),
					 32) != 0);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		tls_policy_unref(policies[i]);
}

/* A backend's pin outranks its name, too. */
static void
test_pinned_backend(void)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct test_identity *self = test_leaf("p256", "other.test", NULL);
	struct certificate *certificate = test_certificate(self);
	struct fingerprint pin = pin_of(self, true);
	struct tls_ca none = {.kind = TLS_CA_NONE};
	struct tls_policy *policy;
	SSL_CTX *client, *server = tls_fixture_bare_server(certificate);

	settings.verify.fingerprints = &pin;
	settings.verify.fingerprint_count = 1;
	for (int i = 0; i < 3; i++) {
		struct tls_outcome outcome;

		policy = tls_fixture_client(&settings);
		client = tls_fixture_context(policy, NULL, NULL, NULL);
		outcome = tls_fixture_try_verified(policy, client, server,
						   i == 1 ? NULL : HOST);
		CU_ASSERT(outcome.is_established == (i < 2));
		SSL_CTX_free(client);
		tls_policy_unref(policy);
		/* Then the pin alone, for which there is no need of a name;
		 * then another one. */
		settings.verify.cas = &none;
		settings.verify.ca_count = 1;
		if (i == 1)
			pin.bytes[7] ^= 1;
	}
	SSL_CTX_free(server);
	certificate_unref(certificate);
	test_identity_free(self);
}

UNIT_SUITE(peer_check, {"modes", test_modes}, {"alerts", test_alerts},
	   {"depth_and_partial_chains", test_depth_and_partial_chains},
	   {"pins", test_pins}, {"pin_in_pieces", test_pin_in_pieces},
	   {"rules", test_rules}, {"confirmation", test_confirmation},
	   {"settings_refused", test_settings_refused},
	   {"advertised", test_advertised}, {"digests", test_digests},
	   {"pinned_backend", test_pinned_backend});
