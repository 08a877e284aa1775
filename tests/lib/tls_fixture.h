/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What TLS tests share: a small CA with certificates, made once per run, and
 * handshakes between policies and between bare contexts of OpenSSL.
 */
#ifndef SEALOCK_TESTS_TLS_FIXTURE_H
#define SEALOCK_TESTS_TLS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/base/error.h"
#include "common/tls/tls_settings.h"
#include "tests/lib/tls_pair.h"

struct tls_fixture {
	struct test_identity *root;
	struct test_identity *issuer; /* signed by root, signs the others */
	struct certificate *rsa;      /* each for web.example.org */
	struct certificate *ecdsa;
	struct certificate *ed25519;
	struct file_set *files; /* "/ca.pem" is the root's certificate */
};

/* Kept until the program ends. */
const struct tls_fixture *
tls_fixture(void);

/* The intermediate profile; the client's verifies with /ca.pem. */
struct tls_settings
tls_fixture_server_settings(void);
struct tls_settings
tls_fixture_client_settings(void);

/* Policies that must be good; a problem is printed and ends the program. */
struct tls_policy *
tls_fixture_server(const struct tls_settings *settings);
struct tls_policy *
tls_fixture_client(const struct tls_settings *settings);

/* The first problem (or warning) of settings, "" when there is none, valid
 * until the next call. The policy, if there is one, goes again. */
const struct error *
tls_fixture_server_problem(const struct tls_settings *settings);
const struct error *
tls_fixture_client_problem(const struct tls_settings *settings);
const struct error *
tls_fixture_server_warning(const struct tls_settings *settings);
const struct error *
tls_fixture_client_warning(const struct tls_settings *settings);

/* A context for a policy, with up to three certificates (NULL: none), whose
 * keys this process has from then on. */
SSL_CTX *
tls_fixture_context(const struct tls_policy *policy, struct certificate *first,
		    struct certificate *second, struct certificate *third);

/* Contexts with nothing of ours in them: OpenSSL as it comes, security level
 * 0, the server with a certificate. */
SSL_CTX *
tls_fixture_bare_server(const struct certificate *certificate);
SSL_CTX *
tls_fixture_bare_client(void);

/* Settings that must be good; 0 for a version: whatever there is. */
void
tls_fixture_set_versions(SSL_CTX *context, int lowest, int highest);
void
tls_fixture_set_groups(SSL_CTX *context, const char *groups);
void
tls_fixture_set_signatures(SSL_CTX *context, const char *signatures);

/* What one handshake came to. */
struct tls_outcome {
	bool is_established;
	char version[16];
	char cipher[64];
	char group[32];
	char alpn[32];
	char key[16];              /* "RSA", "EC", "ED25519": the server's */
	struct tls_failure client; /* fault NONE when it has not failed */
	struct tls_failure server;
};

/* Both contexts stay the caller's. With a policy the client is prepared for
 * verify_name, and confirmed when established. */
struct tls_outcome
tls_fixture_try(SSL_CTX *client, SSL_CTX *server);
struct tls_outcome
tls_fixture_try_verified(const struct tls_policy *policy, SSL_CTX *client,
			 SSL_CTX *server, const char *verify_name);

#endif
