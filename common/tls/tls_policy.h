/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From settings to SSL_CTX: versions, ciphers, groups, Diffie-Hellman, ALPN,
 * verification. A policy is checked in full when it is made, so that whatever
 * is wrong is said by `sealock check`; a context for given certificates is
 * then made when a client first needs it.
 */
#ifndef SEALOCK_TLS_TLS_POLICY_H
#define SEALOCK_TLS_TLS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

struct certificate;
struct error;
struct error_list;
struct file_set;
struct tls_settings;

struct tls_policy;

/* A policy for the accept gate, where we are the TLS server, or the connect
 * gate, where we are the client; counted. Keeps nothing of settings and files.
 * Everything that is wrong is added to problems with its position, warnings
 * too when `warnings` is not NULL; NULL when there were problems. */
struct tls_policy *
tls_policy_new_server(const struct tls_settings *settings,
		      const struct file_set *files, struct error_list *problems,
		      struct error_list *warnings);
struct tls_policy *
tls_policy_new_client(const struct tls_settings *settings,
		      const struct file_set *files, struct error_list *problems,
		      struct error_list *warnings);
struct tls_policy *
tls_policy_ref(struct tls_policy *policy);
void
tls_policy_unref(struct tls_policy *policy);

/* A new context under this policy with these certificates, at most one of a
 * type (enum certificate_type); the caller's reference, SSL_CTX_free(). Its
 * keys are remote ones (remote_key_install() comes first): of a certificate,
 * the leaf, the chain and the key id are looked at, and the private key is
 * wherever this process has things signed. */
SSL_CTX *
tls_policy_context(const struct tls_policy *policy,
		   struct certificate *const *certificates, size_t count,
		   struct error *error);

/* What the keys of certificates under these settings may be asked to sign: a
 * set of enum key_use, from the settings alone, without a file. 0 when
 * something is wrong with them. */
unsigned int
tls_policy_key_uses(const struct tls_settings *settings, bool is_server);

/* SHA-256 over every setting and the content of every file behind it, but for
 * how sessions are kept: the session id context is made of it, and a session
 * that was made under one policy is good for another with the same digest. 32
 * bytes, valid as long as the policy. */
const unsigned char *
tls_policy_digest(const struct tls_policy *policy);

/* The same with how sessions are kept: such policies may share contexts. */
const unsigned char *
tls_policy_context_digest(const struct tls_policy *policy);

/* For one connection as a client, before its handshake: the SNI to send (NULL
 * or "": none) and, unless verification is off, the host name or IP address
 * that the server's certificate must be for. */
int
tls_policy_prepare_client(const struct tls_policy *policy, SSL *ssl,
			  const char *server_name, const char *verify_name,
			  struct error *error)
	__attribute__((warn_unused_result));

/* After a client's handshake: 0 when the server's certificate was verified as
 * the policy demands (asked again of OpenSSL, not remembered), else -1. */
int
tls_policy_confirm_client(const struct tls_policy *policy, SSL *ssl,
			  struct error *error)
	__attribute__((warn_unused_result));

#endif
