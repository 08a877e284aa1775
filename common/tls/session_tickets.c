/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the order in which OpenSSL calls, 3.0 as 3.5. A ticket comes in: on_key()
 * finds the key, OpenSSL decrypts, on_decrypted() looks at what was remembered,
 * and OpenSSL at the session id context. A ticket goes out: on_session() has
 * the session remember and sets its lifetime, on_key() encrypts. With TLS 1.3
 * OpenSSL has set the session's time to now before on_session(); with TLS 1.2 a
 * resumed session has kept the time and lifetime it was made with, and its new
 * ticket says nothing about it (RFC 5077 3.3 leaves that to us, and OpenSSL has
 * decided).
 *
 * A 0 of on_key() for a ticket of TLS 1.2 sends an empty one, which is none.
 * For TLS 1.3 there is no such thing, and earlier 3.0s send it all the same:
 * session_tickets_due() asks before.
 */
#include "common/tls/session_tickets.h"

#include <stddef.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/openssl_ex_data.h"
#include "common/tls/ticket_keys.h"
#include "common/verify/peer_check.h"
#include "common/verify/peer_session.h"

/* A ticket holds the client's certificate, and its hello has to take tickets
 * back to us. */
#define LEAF_MAX 4096

#define IV_SIZE 16

static int tickets_index = -1;

static void
make_index(void)
{
	tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
						 openssl_ex_data_free);
}

static bool
has_index(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	return CRYPTO_THREAD_run_once(&once, make_index) && tickets_index >= 0;
}

static const struct session_tickets *
tickets_of(const SSL *ssl)
{
	return has_index() ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl),
						 tickets_index)
			   : NULL;
}

static bool
use_hmac(EVP_MAC_CTX *hmac, const struct ticket_key *key)
{
	char digest[] = "SHA256";
	const OSSL_PARAM how[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_init(hmac, key->hmac, key->hmac_length, how) == 1;
}

/* Fetched once, and kept until the process ends: EVP_aes_256_cbc() would be
 * looked up each time. NULL when OpenSSL has none. */
static const EVP_CIPHER *
cipher_of(const struct ticket_key *key)
{
	static EVP_CIPHER *ciphers[2];
	bool is_long = key->aes_length > 16;

	if (!ciphers[is_long])
		ciphers[is_long] = EVP_CIPHER_fetch(
			NULL, is_long ? "AES-256-CBC" : "AES-128-CBC", NULL);
	return ciphers[is_long];
}

static bool
use_cipher(EVP_CIPHER_CTX *cipher, const struct ticket_key *key,
	   const unsigned char *iv, bool is_encrypting)
{
	const EVP_CIPHER *type = cipher_of(key);

	return type && EVP_CipherInit_ex2(cipher, type, key->aes, iv,
					  is_encrypting, NULL) == 1;
}

static int
encrypt(const struct session_tickets *tickets, unsigned char *name,
	unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *hmac)
{
	const struct ticket_key *key = ticket_keys_current(tickets->ring);

	if (!key)
		return 0;
	if (RAND_bytes(iv, IV_SIZE) != 1 ||
	    !use_cipher(cipher, key, iv, true) || !use_hmac(hmac, key))
		return -1;
	memcpy(name, key->name, sizeof(key->name));
	return 1;
}

static int
decrypt(const struct session_tickets *tickets, const unsigned char *name,
	const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *hmac)
{
	const struct ticket_key *key;
	enum ticket_use use = ticket_keys_find(tickets->ring, name, &key);

	if (use == TICKET_UNKNOWN)
		return 0;
	if (!use_cipher(cipher, key, iv, false) || !use_hmac(hmac, key))
		return -1;
	return use == TICKET_OLD ? 2 : 1;
}

/* Can whoever resumes it be told from a stranger? */
static bool
is_remembering(SSL_SESSION *session)
{
	void *bytes = NULL;
	size_t length = 0;

	return SSL_SESSION_get0_ticket_appdata(session, &bytes, &length) &&
	       length > 0;
}

static int
on_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
       EVP_MAC_CTX *hmac, int is_encrypting)
{
	const struct session_tickets *tickets = tickets_of(ssl);

	if (!tickets)
		return 0;
	if (!is_encrypting)
		return decrypt(tickets, name, iv, cipher, hmac);
	return is_remembering(SSL_get_session(ssl))
		       ? encrypt(tickets, name, iv, cipher, hmac)
		       : 0;
}

/* Have the session of a full handshake remember it; false: it cannot. */
static bool
remember(SSL *ssl, SSL_SESSION *session, int64_t handshake_at)
{
	const struct peer_verdict *verdict = peer_check_verdict(ssl);
	const X509 *leaf = SSL_SESSION_get0_peer(session);

	return peer_session_is_settled(verdict, peer_check_policy(ssl)) &&
	       (!leaf || i2d_X509(leaf, NULL) <= LEAF_MAX) &&
	       peer_session_remember(session, handshake_at, verdict) == 0;
}

/* Before a session becomes a ticket. The handshake goes on in any case. */
static int
on_session(SSL *ssl, void *argument)
{
	const struct session_tickets *tickets = argument;
	SSL_SESSION *session = SSL_get_session(ssl);
	struct peer_session known;
	int64_t left;

	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    (SSL_session_reused(ssl) ||
	     !remember(ssl, session, clock_real_s())))
		return 1;
	if (peer_session_recall(session, &known) != 0)
		return 1;
	left = peer_session_end(&known, tickets->lifetime) - clock_real_s();
	/* One whose verdict has just ended. With 0 OpenSSL would find that it
	 * cannot encode the session, and end the connection. */
	if (left <= 0)
		left = 1;
	SSL_SESSION_set_timeout(session, (long)left);
	peer_session_clear(&known);
	return 1;
}

static bool
is_good(SSL *ssl, const struct session_tickets *tickets, SSL_SESSION *session)
{
	return clock_real_s() < peer_session_until(session,
						   peer_check_policy(ssl),
						   tickets->lifetime);
}

/* Is there anything to encrypt with, and is everything that the client's
 * verdict rests on known when its ticket leaves? With TLS 1.2 that is before a
 * responder has answered. */
static bool
is_issuing(const SSL *ssl, const struct session_tickets *tickets)
{
	const struct peer_policy *policy = peer_check_policy(ssl);

	return ticket_keys_current(tickets->ring) &&
	       (SSL_version(ssl) >= TLS1_3_VERSION || !policy ||
		policy->ocsp.check == OCSP_CHECK_OFF);
}

/* A ticket came in, or the word that one is wanted. */
static SSL_TICKET_RETURN
on_decrypted(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
	     size_t name_length, SSL_TICKET_STATUS status, void *argument)
{
	const struct session_tickets *tickets = argument;

	(void)name;
	(void)name_length;
	/* Nothing is promised that could not be kept. */
	if (!is_issuing(ssl, tickets))
		return SSL_TICKET_RETURN_IGNORE;
	if (status == SSL_TICKET_SUCCESS && is_good(ssl, tickets, session))
		return SSL_TICKET_RETURN_USE;
	if (status == SSL_TICKET_SUCCESS_RENEW &&
	    is_good(ssl, tickets, session))
		return SSL_TICKET_RETURN_USE_RENEW;
	return SSL_TICKET_RETURN_IGNORE_RENEW;
}

bool
session_tickets_install(SSL_CTX *context, const struct session_tickets *tickets)
{
	struct session_tickets *own = mem_dup(tickets, sizeof(*tickets));

	if (!has_index() || !SSL_CTX_set_ex_data(context, tickets_index, own)) {
		mem_free(own);
		return false;
	}
	SSL_CTX_set_timeout(context, (long)tickets->lifetime);
	return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_key) &&
	       SSL_CTX_set_session_ticket_cb(context, on_session, on_decrypted,
					     own);
}

unsigned int
session_tickets_due(SSL *ssl, int64_t handshake_at)
{
	const struct session_tickets *tickets = tickets_of(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);

	if (!tickets || !session || SSL_version(ssl) < TLS1_3_VERSION ||
	    !is_issuing(ssl, tickets))
		return 0;
	if (SSL_session_reused(ssl))
		return is_good(ssl, tickets, session);
	return remember(ssl, session, handshake_at) &&
			       is_good(ssl, tickets, session)
		       ? tickets->number
		       : 0;
}
