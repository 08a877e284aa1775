/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members that do not apply are left out.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "daemon/worker/authorize_question.h"

#ifdef HAVE_JANSSON

#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/verify/peer_check.h"
#include "daemon/worker/authorize_certificate.h"
#include "daemon/worker/authorize_json.h"

/* Of this form; goes up when a member changes its meaning. */
#define QUESTION_VERSION 1

/* An address as the log shows it, in two parts. */
static json_t *
make_address(const char *text)
{
	json_t *address = json_object();
	const char *colon = strrchr(text, ':');
	size_t length;

	if (!colon || strncmp(text, "unix:", 5) == 0) {
		authorize_json_put(address, "address", json_string(text));
		return address;
	}
	length = (size_t)(colon - text);
	if (text[0] == '[') {
		text++;
		length -= 2;
	}
	authorize_json_put(address, "address", json_stringn(text, length));
	authorize_json_put(address, "port",
			   json_integer(strtol(colon + 1, NULL, 10)));
	return address;
}

static void
put_address(json_t *question, const char *name, const char *text)
{
	if (text)
		authorize_json_put(question, name, make_address(text));
}

static void
put_text(json_t *question, const char *name, const char *text)
{
	if (text)
		authorize_json_put(question, name,
				   authorize_json_text(text, strlen(text)));
}

static void
put_tls(json_t *question, SSL *ssl)
{
	const unsigned char *alpn = NULL;
	unsigned int alpn_length = 0;

	SSL_get0_alpn_selected(ssl, &alpn, &alpn_length);
	if (alpn_length > 0)
		authorize_json_put(
			question, "alpn",
			authorize_json_text((const char *)alpn, alpn_length));
	put_text(question, "tls_version", SSL_get_version(ssl));
	put_text(question, "cipher", SSL_get_cipher_name(ssl));
}

/* "good", or why it is not. */
static void
put_ocsp(json_t *made, const struct peer_verdict *verdict)
{
	put_text(made, "ocsp", peer_verdict_ocsp(verdict));
	put_text(made, "ocsp_detail", verdict->ocsp_sentence);
}

/* What the gate itself thinks of the peer's certificate. */
static json_t *
make_verdict(const SSL *ssl)
{
	const struct peer_verdict *verdict = peer_check_verdict(ssl);
	json_t *made = json_object();
	char detail[512];

	if (!SSL_get0_peer_certificate(ssl)) {
		put_text(made, "result", "none");
		return made;
	}
	if (!verdict) {
		put_text(made, "result", "unchecked");
		return made;
	}
	put_ocsp(made, verdict);
	if (verdict->step == PEER_STEP_NONE) {
		put_text(made, "result", "ok");
		return made;
	}
	put_text(made, "result", verdict->is_admitted ? "pinned" : "failed");
	authorize_json_put(made, "error", json_integer(verdict->error));
	put_text(made, "detail",
		 peer_verdict_format(verdict, detail, sizeof(detail)));
	return made;
}

/* Leaf first, as the peer sent it. OpenSSL keeps the leaf apart on the accept
 * gate and in the chain on the connect gate. */
static void
put_chain(json_t *question, const SSL *ssl)
{
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	const STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
	json_t *chain = json_array();
	size_t total = (size_t)SSL_is_server(ssl);

	if (SSL_is_server(ssl))
		authorize_json_append(chain, authorize_certificate_link(leaf));
	for (int i = 0; i < sk_X509_num(sent); i++, total++)
		if (total < AUTHORIZE_CHAIN_MAX)
			authorize_json_append(chain,
					      authorize_certificate_link(
						      sk_X509_value(sent, i)));
	authorize_json_put(question, "chain", chain);
	authorize_json_put(question, "chain_total",
			   json_integer((json_int_t)total));
}

char *
authorize_question_write(const struct authorize_facts *facts)
{
	json_t *question = json_object();
	X509 *leaf;
	char *line;

	authorize_json_put(question, "version", json_integer(QUESTION_VERSION));
	put_text(question, "service", facts->service);
	put_text(question, "gate", facts->gate);
	put_address(question, "client", facts->client);
	put_address(question, "local", facts->local);
	put_address(question, "backend", facts->backend);
	put_text(question, "name", facts->name);
	put_text(question, "sni", facts->server_name);
	if (facts->ssl) {
		put_tls(question, facts->ssl);
		authorize_json_put(question, "verify",
				   make_verdict(facts->ssl));
		leaf = SSL_get0_peer_certificate(facts->ssl);
		if (leaf) {
			authorize_json_put(question, "certificate",
					   authorize_certificate_make(leaf));
			put_chain(question, facts->ssl);
		}
		ERR_clear_error();
	}
	line = authorize_json_line(question);
	json_decref(question);
	return line;
}

#else

#include <stddef.h>

/* A configuration that asks somebody is refused before it gets here. */
char *
authorize_question_write(const struct authorize_facts *facts)
{
	(void)facts;
	return NULL;
}

#endif
