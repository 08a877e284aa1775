/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's own policy makes the context; what a probe does otherwise is
 * changed in it afterwards.
 */
#include "daemon/cli/probe_context.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/tls_policy.h"
#include "common/tls/tls_settings.h"
#include "common/tls/tls_status.h"
#include "daemon/cli/probe_link.h"
#include "daemon/cli/probe_request.h"

struct probe_identity {
	struct certificate_list certificates; /* none or one */
};

/* Loading. */

static char *
absolute_path(const char *path)
{
	char *found = realpath(path, NULL), *copy;

	copy = mem_strdup(found ? found : path);
	free(found);
	return copy;
}

static int
load(const struct probe_request *request, struct probe_identity *identity,
     struct error *error)
{
	struct certificate_spec spec = {
		.source = request->key ? CERTIFICATE_PAIR : CERTIFICATE_FILE,
		.path = absolute_path(request->certificate),
		.key = request->key ? absolute_path(request->key) : NULL,
	};
	struct file_set *files = file_set_new();
	struct error_list problems = {0};

	file_set_open(files, spec.path, FILE_SECRET, false);
	if (spec.key)
		file_set_open(files, spec.key, FILE_SECRET, false);
	if (request->passphrase_file) {
		spec.passphrase.kind = SECRET_FILE;
		spec.passphrase.name = absolute_path(request->passphrase_file);
		file_set_open(files, spec.passphrase.name, FILE_SECRET, false);
	}
	certificate_load(&spec, files, &identity->certificates, &problems);
	if (problems.count > 0)
		error_set(error, "%s", problems.errors[0].text);
	else if (identity->certificates.count != 1)
		error_set(error,
			  "%s: there are %zu certificates with keys in "
			  "it, not one",
			  request->certificate, identity->certificates.count);
	file_set_free(files);
	certificate_spec_clear(&spec);
	error_list_clear(&problems);
	return identity->certificates.count == 1 ? 0 : -1;
}

struct probe_identity *
probe_identity_new(const struct probe_request *request, struct error *error)
{
	struct probe_identity *identity = mem_alloc(sizeof(*identity));

	if (!request->certificate || load(request, identity, error) == 0)
		return identity;
	probe_identity_free(identity);
	return NULL;
}

void
probe_identity_free(struct probe_identity *identity)
{
	if (!identity)
		return;
	certificate_list_clear(&identity->certificates);
	mem_free(identity);
}

/* Callbacks. */

static int
accept_any(X509_STORE_CTX *verification, void *argument)
{
	(void)argument;
	X509_STORE_CTX_set_error(verification, X509_V_OK);
	return 1;
}

static int
note_request(SSL *ssl, void *argument)
{
	(void)argument;
	probe_link_of(ssl)->is_certificate_asked = true;
	return 1;
}

static int
note_session(SSL *ssl, SSL_SESSION *session)
{
	struct probe_link *link = probe_link_of(ssl);

	/* A copy: what becomes of the connection is another matter. */
	SSL_SESSION_free(link->session);
	link->session = SSL_SESSION_dup(session);
	if (SSL_SESSION_has_ticket(session)) {
		link->tickets++;
		link->ticket_lifetime_s =
			SSL_SESSION_get_ticket_lifetime_hint(session);
	}
	return 0;
}

/* Contexts. */

static SSL_CTX *
default_context(const struct probe_request *request, struct error *error)
{
	struct tls_settings settings = {
		.profile = TLS_PROFILE_INTERMEDIATE,
		.verify = {.mode = TLS_VERIFY_NONE},
		.alpn_count = request->alpn_count,
	};
	struct file_set *files = file_set_new();
	struct error_list problems = {0};
	struct tls_policy *policy;
	SSL_CTX *context = NULL;

	settings.alpn = mem_array(request->alpn_count, sizeof(char *));
	for (size_t i = 0; i < request->alpn_count; i++)
		settings.alpn[i] = mem_strdup(request->alpn[i]);
	policy = tls_policy_new_client(&settings, files, &problems, NULL);
	if (policy)
		context = tls_policy_context(policy, NULL, 0, error);
	else
		error_set(error, "%s", problems.errors[0].text);
	tls_policy_unref(policy);
	error_list_clear(&problems);
	file_set_free(files);
	tls_settings_clear(&settings);
	return context;
}

static bool
use_identity(SSL_CTX *context, const struct probe_identity *identity)
{
	const struct certificate *certificate;

	if (identity->certificates.count == 0)
		return true;
	certificate = identity->certificates.certificates[0];
	return SSL_CTX_use_certificate(context, certificate->leaf) == 1 &&
	       SSL_CTX_use_PrivateKey(context, certificate->key) == 1 &&
	       SSL_CTX_set1_chain(context, certificate->chain) == 1;
}

/* To look on, and to take tickets as any client does. */
static void
observe(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
	SSL_CTX_set_cert_cb(context, note_request, NULL);
	SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(
		context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, note_session);
}

static bool
take_anything(SSL_CTX *context)
{
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_clear_options(context, SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 |
					       SSL_OP_NO_TLSv1_1);
	SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
	return SSL_CTX_set_min_proto_version(context, TLS1_VERSION) &&
	       SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
}

static bool
apply_manner(SSL_CTX *context, unsigned int manner)
{
	char classic_groups[] = "X25519:P-256:P-384", few_groups[] = "P-256";

	if (manner & PROBE_ANYTHING && !take_anything(context))
		return false;
	if (manner & PROBE_CLASSIC_GROUPS &&
	    !SSL_CTX_set1_groups_list(context, classic_groups))
		return false;
	if (manner & PROBE_NO_TLS13 &&
	    !SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION))
		return false;
	if (manner & PROBE_FEW_EXTENSIONS) {
		SSL_CTX_set_options(
			context, SSL_OP_NO_TICKET | SSL_OP_NO_ENCRYPT_THEN_MAC |
					 SSL_OP_NO_EXTENDED_MASTER_SECRET);
		return SSL_CTX_set1_groups_list(context, few_groups) &&
		       SSL_CTX_set_alpn_protos(context, NULL, 0) == 0;
	}
	return SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
}

SSL_CTX *
probe_context_new(const struct probe_request *request,
		  const struct probe_identity *identity, unsigned int manner,
		  int version, struct error *error)
{
	SSL_CTX *context = default_context(request, error);
	char words[160];

	if (!context)
		return NULL;
	observe(context);
	if (use_identity(context, identity) && apply_manner(context, manner) &&
	    (version == 0 || (SSL_CTX_set_max_proto_version(context, version) &&
			      SSL_CTX_set_min_proto_version(context, version))))
		return context;
	tls_status_queue_text(words, sizeof(words));
	error_set(error, "OpenSSL refuses these settings: %s", words);
	SSL_CTX_free(context);
	return NULL;
}
