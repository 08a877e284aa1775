/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to OpenSSL, asked of handshakes that have failed, too.
 */
#include "daemon/cli/probe_session.h"

#include <stdio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/text.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_engine.h"
#include "daemon/cli/probe_link.h"

static void
read_key_exchange(struct probe_session *session, SSL *ssl)
{
	EVP_PKEY *key = NULL;
	const char *type;

	if (SSL_get_peer_tmp_key(ssl, &key) != 1)
		return;
	type = EVP_PKEY_get0_type_name(key);
	snprintf(session->key_exchange, sizeof(session->key_exchange),
		 "%s, %d bits", type ? type : "unknown",
		 EVP_PKEY_get_bits(key));
	EVP_PKEY_free(key);
}

static const char *
signature_name(SSL *ssl)
{
	int digest = NID_undef, type = NID_undef;

	if (SSL_get_peer_signature_type_nid(ssl, &type) != 1)
		return "";
	/* Ed25519 has no digest of its own. */
	if (SSL_get_peer_signature_nid(ssl, &digest) != 1 ||
	    digest == NID_undef)
		return OBJ_nid2sn(type);
	switch (type) {
	case EVP_PKEY_RSA_PSS:
		return digest == NID_sha256   ? "RSA-PSS with SHA-256"
		       : digest == NID_sha384 ? "RSA-PSS with SHA-384"
		       : digest == NID_sha512 ? "RSA-PSS with SHA-512"
					      : "RSA-PSS";
	case EVP_PKEY_RSA:
		return digest == NID_sha256   ? "RSA with SHA-256"
		       : digest == NID_sha384 ? "RSA with SHA-384"
		       : digest == NID_sha512 ? "RSA with SHA-512"
		       : digest == NID_sha1   ? "RSA with SHA-1"
					      : "RSA with MD5 and SHA-1";
	case EVP_PKEY_EC:
		return digest == NID_sha256   ? "ECDSA with SHA-256"
		       : digest == NID_sha384 ? "ECDSA with SHA-384"
		       : digest == NID_sha512 ? "ECDSA with SHA-512"
					      : "ECDSA with SHA-1";
	default:
		return OBJ_nid2sn(type);
	}
}

void
probe_session_read(struct probe_session *session, const struct probe_link *link)
{
	const unsigned char *alpn;
	unsigned int length;
	SSL *ssl;

	*session = (struct probe_session){
		.version = "", .cipher = "", .group = "", .signature = ""};
	if (!link || !link->engine)
		return;
	ssl = tls_engine_ssl(link->engine);
	/* Before a ServerHello the version is only what was offered. */
	if (!SSL_get_current_cipher(ssl))
		return;
	session->version = SSL_get_version(ssl);
	session->cipher = SSL_get_cipher_name(ssl);
	session->group = openssl_compat_group_name(ssl);
	read_key_exchange(session, ssl);
	session->signature = signature_name(ssl);
	SSL_get0_alpn_selected(ssl, &alpn, &length);
	text_escape(alpn, length, session->alpn, sizeof(session->alpn));
	session->has_extended_master_secret =
		SSL_version(ssl) >= TLS1_3_VERSION ||
		SSL_get_extms_support(ssl) == 1;
	session->has_safe_renegotiation =
		SSL_version(ssl) >= TLS1_3_VERSION ||
		SSL_get_secure_renegotiation_support(ssl) == 1;
	session->chain = SSL_get_peer_cert_chain(ssl);
	session->authorities = SSL_get0_peer_CA_list(ssl);
	ERR_clear_error();
}
