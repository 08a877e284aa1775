/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL itself reads the strings, in a context made for it; what it selects
 * is then looked at suite by suite.
 */
#include "common/tls/cipher_list.h"

#include <stdint.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_status.h"

OPENSSL_AUTO_FREE(ssl_ctx, SSL_CTX, SSL_CTX_free);

static SSL_CTX *
context_new(struct error *error)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());

	if (context)
		SSL_CTX_set_security_level(context, CIPHER_LIST_LEVEL);
	else
		error_set(error, "OpenSSL cannot make a context");
	return context;
}

static void
join(char **list, const char *name)
{
	char *joined =
		*list ? mem_format("%s:%s", *list, name) : mem_strdup(name);

	mem_free(*list);
	*list = joined;
}

static bool
is_tls13(const SSL_CIPHER *cipher)
{
	return SSL_CIPHER_get_kx_nid(cipher) == NID_kx_any;
}

/* Is there a key that is thrown away, a peer that is known, and a cipher? */
static bool
is_acceptable(const SSL_CIPHER *cipher)
{
	int exchange = SSL_CIPHER_get_kx_nid(cipher);
	int authentication = SSL_CIPHER_get_auth_nid(cipher);

	return (exchange == NID_kx_ecdhe || exchange == NID_kx_dhe) &&
	       (authentication == NID_auth_rsa ||
		authentication == NID_auth_ecdsa) &&
	       SSL_CIPHER_get_cipher_nid(cipher) != NID_undef;
}

/* Does the string name this one, not only a set that it is in? */
static bool
is_named(const char *ciphers, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = ciphers; (at = strstr(at, name)); at += length) {
		bool is_start = at == ciphers || strchr(":, ;", at[-1]);

		if (is_start && (!at[length] || strchr(":, ;", at[length])))
			return true;
	}
	return false;
}

int
cipher_list_select(const char *ciphers, struct cipher_list *list,
		   struct error *error)
{
	AUTO_OPENSSL(ssl_ctx) SSL_CTX *context = context_new(error);
	const STACK_OF(SSL_CIPHER) *suites;

	*list = (struct cipher_list){0};
	if (!context)
		return -1;
	if (!SSL_CTX_set_cipher_list(context, ciphers)) {
		ERR_clear_error();
		error_set(error,
			  "\"%s\" selects no cipher of TLS 1.2 or before",
			  ciphers);
		return -1;
	}
	list->level = SSL_CTX_get_security_level(context);
	suites = SSL_CTX_get_ciphers(context);
	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(suites, i);
		const char *name = SSL_CIPHER_get_name(cipher);

		if (is_tls13(cipher))
			continue;
		if (!is_acceptable(cipher)) {
			if (is_named(ciphers, name))
				join(&list->left_out, name);
			continue;
		}
		join(&list->names, name);
		if (strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.2") != 0)
			list->has_legacy = true;
		if (SSL_CIPHER_get_kx_nid(cipher) == NID_kx_ecdhe)
			list->has_ecdhe = true;
		else
			list->has_dhe = true;
	}
	if (!list->names) {
		error_set(error,
			  "\"%s\" selects only suites without forward secrecy "
			  "or authentication, which are never offered",
			  ciphers);
		cipher_list_clear(list);
		return -1;
	}
	if (!list->left_out)
		list->left_out = mem_strdup("");
	return 0;
}

void
cipher_list_clear(struct cipher_list *list)
{
	mem_free(list->names);
	mem_free(list->left_out);
	*list = (struct cipher_list){0};
}

/* How many suites of TLS 1.3 does the context have, none of them without
 * encryption? */
static int
count_tls13(const SSL_CTX *context)
{
	const STACK_OF(SSL_CIPHER) *suites = SSL_CTX_get_ciphers(context);
	int count = 0;

	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(suites, i);

		if (is_tls13(cipher) &&
		    SSL_CIPHER_get_cipher_nid(cipher) != NID_undef)
			count++;
	}
	return count;
}

char *
ciphersuites_select(const char *ciphersuites, struct error *error)
{
	AUTO_OPENSSL(ssl_ctx) SSL_CTX *context = context_new(error);
	AUTO_FREE char *names = NULL;

	if (!context)
		return NULL;
	for (const char *at = ciphersuites; at;) {
		const char *end = strchr(at, ':');
		AUTO_FREE char *name = end ? mem_strndup(at, (size_t)(end - at))
					   : mem_strdup(at);

		/* OpenSSL passes over names that it does not know. */
		if (!SSL_CTX_set_ciphersuites(context, name) ||
		    count_tls13(context) != 1) {
			ERR_clear_error();
			error_set(error,
				  "\"%s\" is no cipher suite of TLS 1.3 in "
				  "this OpenSSL; there are "
				  "TLS_AES_128_GCM_SHA256, "
				  "TLS_AES_256_GCM_SHA384, "
				  "TLS_CHACHA20_POLY1305_SHA256",
				  name);
			return NULL;
		}
		join(&names, name);
		at = end ? end + 1 : NULL;
	}
	return TAKE(names);
}

char *
groups_select(const char *const *groups, size_t count, struct error *error)
{
	AUTO_OPENSSL(ssl_ctx) SSL_CTX *context = context_new(error);
	AUTO_FREE char *list = NULL;

	if (!context)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		bool is_optional = groups[i][0] == '?';
		const char *name = groups[i] + (is_optional ? 1 : 0);

		if (openssl_compat_has_group(name)) {
			join(&list, name);
		} else if (!is_optional) {
			error_set(error,
				  "this OpenSSL has no group \"%s\" (with a ? "
				  "in front it is left out where it is "
				  "unknown)",
				  name);
			return NULL;
		}
	}
	if (!list) {
		error_set(error, "this OpenSSL has none of the groups");
		return NULL;
	}
	if (!SSL_CTX_set1_groups_list(context, list)) {
		char words[160];

		tls_status_queue_text(words, sizeof(words));
		error_set(error, "OpenSSL refuses the list %s: %s", list,
			  words);
		return NULL;
	}
	return TAKE(list);
}
