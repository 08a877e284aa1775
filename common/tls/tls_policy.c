/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts of a policy's values. Everything that is set here is set on every
 * context, so that nothing is left to OpenSSL's defaults or a system-wide
 * openssl.cnf.
 */
#include "common/tls/tls_policy.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/base/openssl_ex_data.h"
#include "common/net/hostname.h"
#include "common/tls/ca_store.h"
#include "common/tls/certificate.h"
#include "common/tls/key_log.h"
#include "common/tls/policy_values.h"
#include "common/tls/remote_key.h"
#include "common/tls/staple_table.h"
#include "common/tls/tls_commands.h"
#include "common/tls/tls_settings.h"
#include "common/tls/tls_status.h"
#include "common/tls/tls_version.h"
#include "common/verify/peer_check.h"
#include "common/verify/peer_ocsp.h"

/* The certificates that a client sends, in bytes. OpenSSL's own limit is 100
 * kB, which stays for backends: it holds for the names of authorities, too,
 * which a server may list by the hundred when it asks for a certificate. */
#define CERTIFICATE_LIST_MAX (32 * 1024)

OPENSSL_AUTO_FREE(ssl, SSL, SSL_free);
OPENSSL_AUTO_FREE(ssl_ctx, SSL_CTX, SSL_CTX_free);

struct tls_policy {
	unsigned int references;
	struct policy_values values;
};

/* The first of our protocols that the client knows too (RFC 7301 3.2). */
static int
select_alpn(SSL *ssl, const unsigned char **chosen,
	    unsigned char *chosen_length, const unsigned char *offered,
	    unsigned int offered_length, void *argument)
{
	const struct alpn *ours = argument;

	(void)ssl;
	for (size_t i = 0; i < ours->length; i += 1 + (size_t)ours->bytes[i]) {
		const unsigned char *name = ours->bytes + i + 1;
		unsigned char length = ours->bytes[i];
		unsigned int at = 0;

		while (at < offered_length &&
		       offered[at] < offered_length - at) {
			if (offered[at] == length &&
			    memcmp(name, offered + at + 1, length) == 0) {
				*chosen = name;
				*chosen_length = length;
				return SSL_TLSEXT_ERR_OK;
			}
			at += 1 + (unsigned int)offered[at];
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The name has been used to choose this context, before OpenSSL saw it: tell
 * the client so (RFC 6066 3). */
static int
acknowledge_name(SSL *ssl, int *alert, void *argument)
{
	(void)alert;
	(void)argument;
	return SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

/* The context outlives the policy: it gets a copy of its own. */
static bool
set_server_alpn(SSL_CTX *context, const struct alpn *alpn)
{
	static int index = -1;
	struct alpn *copy;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
						 openssl_ex_data_free);
	copy = mem_dup(alpn, sizeof(*alpn) + alpn->length);
	if (index < 0 || !SSL_CTX_set_ex_data(context, index, copy)) {
		mem_free(copy);
		return false;
	}
	SSL_CTX_set_alpn_select_cb(context, select_alpn, copy);
	return true;
}

static bool
set_versions(SSL_CTX *context, unsigned int versions)
{
	static const struct {
		unsigned int version;
		uint64_t option;
	} holes[] = {
		{TLS_VERSION_SSL3, SSL_OP_NO_SSLv3},
		{TLS_VERSION_1_0, SSL_OP_NO_TLSv1},
		{TLS_VERSION_1_1, SSL_OP_NO_TLSv1_1},
		{TLS_VERSION_1_2, SSL_OP_NO_TLSv1_2},
		{TLS_VERSION_1_3, SSL_OP_NO_TLSv1_3},
	};
	int lowest = 0, highest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
		if (!(versions & holes[i].version)) {
			SSL_CTX_set_options(context, holes[i].option);
			continue;
		}
		highest = tls_version_number(holes[i].version);
		if (!lowest)
			lowest = highest;
	}
	return SSL_CTX_set_min_proto_version(context, 0) &&
	       SSL_CTX_set_max_proto_version(context, highest) &&
	       SSL_CTX_set_min_proto_version(context, lowest);
}

static bool
set_verification(SSL_CTX *context, const struct policy_peer *peer)
{
	STACK_OF(X509_NAME) *names;

	if (!peer->policy) {
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
		return true;
	}
	if (peer_check_install(context, peer->policy) != 0 ||
	    peer_ocsp_install(context, peer->policy) != 0)
		return false;
	if (!peer->advertised)
		return true;
	names = SSL_dup_CA_list(ca_store_names(peer->advertised));
	SSL_CTX_set_client_CA_list(context, names);
	return names != NULL;
}

static bool
set_values(SSL_CTX *context, const struct policy_values *values)
{
	const struct alpn *alpn = values->alpn;

	/* Whatever a system-wide openssl.cnf has put here. */
	SSL_CTX_clear_options(context, SSL_CTX_get_options(context));
	SSL_CTX_set_options(context,
			    tls_commands_options_always() |
				    SSL_OP_ENABLE_MIDDLEBOX_COMPAT |
				    SSL_OP_NO_TICKET |
				    (values->is_server_order
					     ? SSL_OP_CIPHER_SERVER_PREFERENCE
					     : 0));
	/* Chains are sent as they were given. */
	SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (values->is_server)
		SSL_CTX_set_max_cert_list(context, CERTIFICATE_LIST_MAX);
	SSL_CTX_set_security_level(context, values->level);
	SSL_CTX_set_dh_auto(context, values->is_dh_automatic);
	if (values->dh) {
		if (!EVP_PKEY_up_ref(values->dh))
			return false;
		if (!SSL_CTX_set0_tmp_dh_pkey(context, values->dh)) {
			EVP_PKEY_free(values->dh);
			return false;
		}
	}
	if (values->is_server)
		SSL_CTX_set_tlsext_servername_callback(context,
						       acknowledge_name);
	if (alpn && values->is_server && !set_server_alpn(context, alpn))
		return false;
	if (alpn && !values->is_server &&
	    SSL_CTX_set_alpn_protos(context, alpn->bytes,
				    (unsigned int)alpn->length) != 0)
		return false;
	return policy_session_install(&values->session, context) &&
	       SSL_CTX_set_num_tickets(context, 0) &&
	       SSL_CTX_set_max_early_data(context, 0) &&
	       SSL_CTX_set_session_id_context(context, values->digest,
					      POLICY_DIGEST_SIZE) &&
	       set_versions(context, values->versions) &&
	       SSL_CTX_set_cipher_list(context, values->ciphers) &&
	       SSL_CTX_set_ciphersuites(context, values->ciphersuites) &&
	       SSL_CTX_set1_groups_list(context, values->groups) &&
	       set_verification(context, &values->peer);
}

static SSL_CTX *
context_new(const struct policy_values *values, struct error *error)
{
	AUTO_OPENSSL(ssl_ctx)
	SSL_CTX *context = SSL_CTX_new(values->is_server ? TLS_server_method()
							 : TLS_client_method());
	char words[160];

	ERR_clear_error();
	if (!context || !set_values(context, values)) {
		tls_status_queue_text(words, sizeof(words));
		error_set(error, "OpenSSL refuses these settings: %s", words);
		return NULL;
	}
	if (tls_commands_run(values->commands, values->command_count, context,
			     values->is_server, error) != 0) {
		error_prefix(error, "openssl: ");
		return NULL;
	}
	if (values->key_log && key_log_install(context, values->key_log) != 0) {
		error_set(error, "OpenSSL keeps no key log");
		return NULL;
	}
	return TAKE(context);
}

/* Is anything left that TLS 1.2 and before could use at this level? */
static bool
has_usable_suite(SSL_CTX *context)
{
	AUTO_OPENSSL(ssl) SSL *ssl = SSL_new(context);
	STACK_OF(SSL_CIPHER) *suites =
		ssl ? SSL_get1_supported_ciphers(ssl) : NULL;
	bool is_found = false;

	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++)
		if (SSL_CIPHER_get_kx_nid(sk_SSL_CIPHER_value(suites, i)) !=
		    NID_kx_any)
			is_found = true;
	sk_SSL_CIPHER_free(suites);
	return is_found;
}

/* Does OpenSSL take it all together? */
static void
try_out(const struct policy_values *values, const struct tls_settings *settings,
	struct error_list *problems)
{
	struct error error = {.at = settings->at};
	AUTO_OPENSSL(ssl_ctx) SSL_CTX *context = context_new(values, &error);

	if (!context)
		error_list_add(problems, &error);
	else if ((values->versions & ~(unsigned int)TLS_VERSION_1_3) &&
		 !has_usable_suite(context))
		error_list_addf(problems, &settings->ciphers_at,
				"ciphers: none of them may be used at security "
				"level %d",
				values->level);
}

static struct tls_policy *
policy_new(const struct tls_settings *settings, const struct file_set *files,
	   bool is_server, struct error_list *problems,
	   struct error_list *warnings)
{
	struct tls_policy *policy = mem_alloc(sizeof(*policy));
	size_t before = problems->count;

	policy->references = 1;
	policy_values_choose(&policy->values, settings, files, is_server,
			     problems, warnings);
	if (problems->count == before)
		try_out(&policy->values, settings, problems);
	if (problems->count == before)
		return policy;
	tls_policy_unref(policy);
	return NULL;
}

struct tls_policy *
tls_policy_new_server(const struct tls_settings *settings,
		      const struct file_set *files, struct error_list *problems,
		      struct error_list *warnings)
{
	return policy_new(settings, files, true, problems, warnings);
}

struct tls_policy *
tls_policy_new_client(const struct tls_settings *settings,
		      const struct file_set *files, struct error_list *problems,
		      struct error_list *warnings)
{
	return policy_new(settings, files, false, problems, warnings);
}

struct tls_policy *
tls_policy_ref(struct tls_policy *policy)
{
	policy->references++;
	return policy;
}

void
tls_policy_unref(struct tls_policy *policy)
{
	if (!policy || --policy->references > 0)
		return;
	policy_values_clear(&policy->values);
	mem_free(policy);
}

const unsigned char *
tls_policy_digest(const struct tls_policy *policy)
{
	return policy->values.digest;
}

const unsigned char *
tls_policy_context_digest(const struct tls_policy *policy)
{
	return policy->values.context_digest;
}

unsigned int
tls_policy_key_uses(const struct tls_settings *settings, bool is_server)
{
	return policy_values_key_uses(settings, is_server);
}

static int
fail(struct error *error)
{
	char words[160];

	tls_status_queue_text(words, sizeof(words));
	error_set(error, "%s", words);
	return -1;
}

/* The context gets the certificate's public key and its id; the private one
 * signs where it is. */
static int
use_certificate(SSL_CTX *context, const struct certificate *certificate,
		unsigned int uses, struct error *error)
{
	AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = NULL;

	key = remote_key_new(X509_get0_pubkey(certificate->leaf),
			     certificate->key_id, uses, error);
	if (!key)
		return -1;
	/* Certificate and key apart: SSL_CTX_use_cert_and_key() is broken for
	 * keys of a provider in 3.2 to 3.5. */
	if (SSL_CTX_use_certificate(context, certificate->leaf) != 1 ||
	    SSL_CTX_use_PrivateKey(context, key) != 1 ||
	    SSL_CTX_set1_chain(context, certificate->chain) != 1)
		return fail(error);
	if (certificate->is_stapled &&
	    staple_table_attach(context, certificate->leaf,
				certificate->digest) != 0)
		return fail(error);
	return 0;
}

SSL_CTX *
tls_policy_context(const struct tls_policy *policy,
		   struct certificate *const *certificates, size_t count,
		   struct error *error)
{
	AUTO_OPENSSL(ssl_ctx)
	SSL_CTX *context = context_new(&policy->values, error);

	if (!context)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct certificate *certificate = certificates[i];

		if (use_certificate(context, certificate,
				    policy->values.key_uses, error) == 0)
			continue;
		error_prefix(error, "the certificate %s cannot be used: ",
			     certificate->source);
		return NULL;
	}
	return TAKE(context);
}

int
tls_policy_prepare_client(const struct tls_policy *policy, SSL *ssl,
			  const char *server_name, const char *verify_name,
			  struct error *error)
{
	char host[HOSTNAME_MAX + 1];

	assert(!policy->values.is_server);
	if (server_name && server_name[0]) {
		if (hostname_normalize(server_name, strlen(server_name),
				       host) != 0 ||
		    !SSL_set_tlsext_host_name(ssl, host)) {
			ERR_clear_error();
			error_set(error,
				  "\"%s\" cannot be sent as the server "
				  "name",
				  server_name);
			return -1;
		}
	}
	return peer_check_expect(ssl, verify_name, error);
}

int
tls_policy_confirm_client(const struct tls_policy *policy, SSL *ssl,
			  struct error *error)
{
	if (peer_check_policy(ssl) != policy->values.peer.policy) {
		error_set(error, "the server's certificate was not verified");
		return -1;
	}
	return peer_check_confirm(ssl, error);
}
