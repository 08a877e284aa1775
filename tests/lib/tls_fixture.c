/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See the header.
 */
#include "tests/lib/tls_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/local_keys.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/signer.h"
#include "common/tls/tls_policy.h"
#include "tests/lib/test_certificates.h"

#define HOST "web.example.org"

static struct certificate *
make_leaf(const char *kind, const struct test_identity *issuer)
{
	struct test_identity *leaf = test_leaf(kind, HOST, issuer);
	struct certificate *certificate = test_certificate(leaf);

	test_identity_free(leaf);
	return certificate;
}

const struct tls_fixture *
tls_fixture(void)
{
	static struct tls_fixture fixture;
	char *pem;

	if (fixture.root)
		return &fixture;
	fixture.root = test_ca("Test Root", NULL);
	fixture.issuer = test_ca("Test Issuer", fixture.root);
	fixture.rsa = make_leaf("rsa2048", fixture.issuer);
	fixture.ecdsa = make_leaf("p256", fixture.issuer);
	fixture.ed25519 = make_leaf("ed25519", fixture.issuer);
	fixture.files = file_set_new();
	pem = test_pem_certificate(fixture.root);
	test_file_set_add(fixture.files, "/ca.pem", pem, strlen(pem));
	mem_free(pem);
	return &fixture;
}

struct tls_settings
tls_fixture_server_settings(void)
{
	return (struct tls_settings){.profile = TLS_PROFILE_INTERMEDIATE};
}

struct tls_settings
tls_fixture_client_settings(void)
{
	static char path[] = "/ca.pem";
	static struct tls_ca ca = {
		.at = {"test.yaml", 7, 3},
		.kind = TLS_CA_PATH,
		.text = path,
	};

	return (struct tls_settings){
		.profile = TLS_PROFILE_INTERMEDIATE,
		.verify = {.cas = &ca,
			   .ca_count = 1,
			   .depth = 10,
			   .scheme = *verify_scheme_find("http")},
	};
}

static struct tls_policy *
make(const struct tls_settings *settings, bool is_server,
     struct error_list *problems, struct error_list *warnings)
{
	return (is_server ? tls_policy_new_server : tls_policy_new_client)(
		settings, tls_fixture()->files, problems, warnings);
}

static struct tls_policy *
make_good(const struct tls_settings *settings, bool is_server)
{
	struct error_list problems = {0};
	struct tls_policy *policy = make(settings, is_server, &problems, NULL);

	if (policy && problems.count == 0)
		return policy;
	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "tls_fixture: %s\n", problems.errors[i].text);
	abort();
}

struct tls_policy *
tls_fixture_server(const struct tls_settings *settings)
{
	return make_good(settings, true);
}

struct tls_policy *
tls_fixture_client(const struct tls_settings *settings)
{
	return make_good(settings, false);
}

static const struct error *
complaint(const struct tls_settings *settings, bool is_server, bool is_warning)
{
	static struct error first;
	struct error_list problems = {0}, warnings = {0};
	struct tls_policy *policy =
		make(settings, is_server, &problems, &warnings);
	const struct error_list *list = is_warning ? &warnings : &problems;

	/* One or the other. */
	if (!policy == (problems.count == 0))
		abort();
	first = list->count ? list->errors[0] : (struct error){0};
	tls_policy_unref(policy);
	error_list_clear(&problems);
	error_list_clear(&warnings);
	return &first;
}

const struct error *
tls_fixture_server_problem(const struct tls_settings *settings)
{
	return complaint(settings, true, false);
}

const struct error *
tls_fixture_client_problem(const struct tls_settings *settings)
{
	return complaint(settings, false, false);
}

const struct error *
tls_fixture_server_warning(const struct tls_settings *settings)
{
	return complaint(settings, true, true);
}

const struct error *
tls_fixture_client_warning(const struct tls_settings *settings)
{
	return complaint(settings, false, true);
}

/* In the process's own table, for everything, until the program ends. */
static void
keep_key(const struct certificate *certificate)
{
	struct error error = {0};
	struct local_keys *own = local_keys_own(&error);

	if (own && local_keys_add(own, certificate->key_id, certificate->key,
				  KEY_USE_SERVER | KEY_USE_CLIENT |
					  KEY_USE_DHE | KEY_USE_LEGACY,
				  &error) == 0)
		return;
	fprintf(stderr, "tls_fixture: %s\n", error.text);
	abort();
}

SSL_CTX *
tls_fixture_context(const struct tls_policy *policy, struct certificate *first,
		    struct certificate *second, struct certificate *third)
{
	struct certificate *const all[] = {first, second, third};
	struct error error = {0};
	size_t count = 0;
	SSL_CTX *context;

	while (count < ARRAY_SIZE(all) && all[count])
		keep_key(all[count++]);
	context = tls_policy_context(policy, all, count, &error);
	if (!context) {
		fprintf(stderr, "tls_fixture: %s\n", error.text);
		abort();
	}
	return context;
}

static SSL_CTX *
bare(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context || !SSL_CTX_set_min_proto_version(context, 0) ||
	    !SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0"))
		abort();
	return context;
}

SSL_CTX *
tls_fixture_bare_server(const struct certificate *certificate)
{
	SSL_CTX *context = bare(TLS_server_method());

	if (!SSL_CTX_use_certificate(context, certificate->leaf) ||
	    !SSL_CTX_use_PrivateKey(context, certificate->key) ||
	    !SSL_CTX_set1_chain(context, certificate->chain))
		abort();
	return context;
}

SSL_CTX *
tls_fixture_bare_client(void)
{
	return bare(TLS_client_method());
}

void
tls_fixture_set_versions(SSL_CTX *context, int lowest, int highest)
{
	if (!SSL_CTX_set_min_proto_version(context, 0) ||
	    !SSL_CTX_set_max_proto_version(context, highest) ||
	    !SSL_CTX_set_min_proto_version(context, lowest))
		abort();
}

void
tls_fixture_set_groups(SSL_CTX *context, const char *groups)
{
	AUTO_FREE char *copy = mem_strdup(groups);

	if (!SSL_CTX_set1_groups_list(context, copy))
		abort();
}

void
tls_fixture_set_signatures(SSL_CTX *context, const char *signatures)
{
	AUTO_FREE char *copy = mem_strdup(signatures);

	if (!SSL_CTX_set1_sigalgs_list(context, copy))
		abort();
}

static struct tls_outcome
judge(struct tls_pair *pair)
{
	struct tls_outcome outcome = {0};
	SSL *ssl = tls_engine_ssl(pair->client.engine);
	const unsigned char *alpn = NULL;
	unsigned int alpn_length = 0;
	X509 *peer;

	outcome.is_established = pair->client.is_established &&
				 pair->server.is_established &&
				 pair->client.result != TLS_FAILED &&
				 pair->server.result != TLS_FAILED;
	if (pair->client.result == TLS_FAILED)
		outcome.client = *tls_engine_failure(pair->client.engine);
	if (pair->server.result == TLS_FAILED)
		outcome.server = *tls_engine_failure(pair->server.engine);
	if (!outcome.is_established)
		return outcome;
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_length);
	peer = SSL_get0_peer_certificate(ssl);
	snprintf(outcome.version, sizeof(outcome.version), "%s",
		 SSL_get_version(ssl));
	snprintf(outcome.cipher, sizeof(outcome.cipher), "%s",
		 SSL_get_cipher_name(ssl));
	snprintf(outcome.group, sizeof(outcome.group), "%s",
		 openssl_compat_group_name(ssl));
	if (alpn)
		snprintf(outcome.alpn, sizeof(outcome.alpn), "%.*s",
			 (int)alpn_length, (const char *)alpn);
	snprintf(outcome.key, sizeof(outcome.key), "%s",
		 EVP_PKEY_get0_type_name(X509_get0_pubkey(peer)));
	return outcome;
}

struct tls_outcome
tls_fixture_try(SSL_CTX *client, SSL_CTX *server)
{
	struct tls_pair pair;
	struct tls_outcome outcome;

	tls_pair_init(&pair, client, server);
	(void)tls_pair_handshake(&pair, 0);
	outcome = judge(&pair);
	tls_pair_clear(&pair);
	return outcome;
}

struct tls_outcome
tls_fixture_try_verified(const struct tls_policy *policy, SSL_CTX *client,
			 SSL_CTX *server, const char *verify_name)
{
	struct tls_pair pair;
	struct tls_outcome outcome;
	struct error error = {0};
	SSL *ssl;

	tls_pair_init(&pair, client, server);
	ssl = tls_engine_ssl(pair.client.engine);
	if (tls_policy_prepare_client(policy, ssl, NULL, verify_name, &error) !=
	    0) {
		fprintf(stderr, "tls_fixture: %s\n", error.text);
		abort();
	}
	(void)tls_pair_handshake(&pair, 0);
	outcome = judge(&pair);
	if ((tls_policy_confirm_client(policy, ssl, &error) == 0) !=
	    pair.client.is_established)
		abort();
	tls_pair_clear(&pair);
	return outcome;
}
