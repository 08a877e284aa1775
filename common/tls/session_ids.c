/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL makes the ids, and asks and tells us. With TLS 1.2 it tells before
 * the handshake's last message leaves, so that a client which has that message
 * finds its session at whichever worker it comes to next.
 *
 * A place in the cache is found by the hash of session id context and id, so
 * that who brings an id to another policy finds nothing; OpenSSL compares the
 * contexts once more.
 */
#include "common/tls/session_ids.h"

#include <stddef.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/openssl_ex_data.h"
#include "common/tls/session_cache.h"
#include "common/verify/peer_check.h"
#include "common/verify/peer_session.h"

static struct session_cache *cache;

static int ids_index = -1;     /* of SSL_CTX */
static int context_index = -1; /* of SSL */

static void
make_indexes(void)
{
	ids_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
					     openssl_ex_data_free);
	context_index =
		SSL_get_ex_new_index(0, NULL, NULL, NULL, openssl_ex_data_free);
}

static bool
has_indexes(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	return CRYPTO_THREAD_run_once(&once, make_indexes) && ids_index >= 0 &&
	       context_index >= 0;
}

static const struct session_ids *
ids_of(const SSL *ssl)
{
	return has_indexes()
		       ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ids_index)
		       : NULL;
}

static bool
make_key(const unsigned char *context, size_t context_length,
	 const unsigned char *id, size_t id_length,
	 unsigned char key[SESSION_CACHE_KEY_SIZE])
{
	unsigned char both[FRAMED_HASH_SIZE + SSL_MAX_SSL_SESSION_ID_LENGTH];

	if (context_length != FRAMED_HASH_SIZE || id_length == 0 ||
	    id_length > SSL_MAX_SSL_SESSION_ID_LENGTH)
		return false;
	memcpy(both, context, context_length);
	memcpy(both + context_length, id, id_length);
	return EVP_Digest(both, context_length + id_length, key, NULL,
			  EVP_sha256(), NULL) == 1;
}

static bool
make_key_of(const SSL_SESSION *session,
	    unsigned char key[SESSION_CACHE_KEY_SIZE])
{
	unsigned int context_length = 0, id_length = 0;
	const unsigned char *context =
		SSL_SESSION_get0_id_context(session, &context_length);
	const unsigned char *id = SSL_SESSION_get_id(session, &id_length);

	return make_key(context, context_length, id, id_length, key);
}

static void
put(const SSL *ssl, const struct session_ids *ids, SSL_SESSION *session)
{
	int64_t end = peer_session_until(session, peer_check_policy(ssl),
					 ids->lifetime);
	int length = i2d_SSL_SESSION(session, NULL);
	unsigned char key[SESSION_CACHE_KEY_SIZE];
	unsigned char *bytes, *next;

	if (end <= clock_real_s() || length <= 0 ||
	    length > (int)SESSION_SLOT_MAX || !make_key_of(session, key))
		return;
	bytes = next = mem_alloc((size_t)length);
	if (i2d_SSL_SESSION(session, &next) == length)
		(void)session_cache_put(cache, key, bytes, (size_t)length, end);
	mem_wipe(bytes, (size_t)length);
	mem_free(bytes);
}

/* A ticket of TLS 1.3 that is whole by itself is none of ours. */
static bool
is_for_cache(const SSL *ssl, const struct session_ids *ids)
{
	if (SSL_version(ssl) >= TLS1_3_VERSION)
		return SSL_get_options(ssl) & SSL_OP_NO_TICKET;
	return !ids->is_judged_late;
}

/* The reference stays OpenSSL's: bytes are kept. */
static int
on_new(SSL *ssl, SSL_SESSION *session)
{
	const struct session_ids *ids = ids_of(ssl);

	if (!cache || !ids || !is_for_cache(ssl, ids))
		return 0;
	if (SSL_version(ssl) < TLS1_3_VERSION &&
	    peer_session_remember(session, clock_real_s(),
				  peer_check_verdict(ssl)) != 0)
		return 0;
	put(ssl, ids, session);
	return 0;
}

static SSL_SESSION *
find(const SSL *ssl, const unsigned char *id, size_t id_length)
{
	const unsigned char *context = SSL_get_ex_data(ssl, context_index);
	unsigned char key[SESSION_CACHE_KEY_SIZE];
	const unsigned char *bytes;
	size_t length;

	if (!context ||
	    !make_key(context, FRAMED_HASH_SIZE, id, id_length, key))
		return NULL;
	bytes = session_cache_get(cache, key, &length);
	return bytes ? d2i_SSL_SESSION(NULL, &bytes, (long)length) : NULL;
}

static SSL_SESSION *
on_get(SSL *ssl, const unsigned char *id, int id_length, int *is_copied)
{
	const struct session_ids *ids = ids_of(ssl);
	SSL_SESSION *session;

	*is_copied = 0;
	if (!cache || !ids || id_length <= 0)
		return NULL;
	session = find(ssl, id, (size_t)id_length);
	if (session && peer_session_until(session, peer_check_policy(ssl),
					  ids->lifetime) > clock_real_s())
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

/* Its connection has failed, so that it must not be resumed (RFC 5246 7.2.2).
 */
static void
on_remove(SSL_CTX *context, SSL_SESSION *session)
{
	unsigned char key[SESSION_CACHE_KEY_SIZE];

	(void)context;
	if (cache && make_key_of(session, key))
		session_cache_remove(cache, key);
}

void
session_ids_use(struct session_cache *used)
{
	cache = used;
}

bool
session_ids_install(SSL_CTX *context, const struct session_ids *ids)
{
	struct session_ids *own = mem_dup(ids, sizeof(*ids));

	if (!has_indexes() || !SSL_CTX_set_ex_data(context, ids_index, own)) {
		mem_free(own);
		return false;
	}
	/* OpenSSL looks at nothing but the time at which a session began. */
	SSL_CTX_set_timeout(context, (long)ids->lifetime);
	SSL_CTX_set_session_cache_mode(
		context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL |
				 SSL_SESS_CACHE_NO_AUTO_CLEAR);
	SSL_CTX_sess_set_new_cb(context, on_new);
	SSL_CTX_sess_set_get_cb(context, on_get);
	SSL_CTX_sess_set_remove_cb(context, on_remove);
	return true;
}

void
session_ids_expect(SSL *ssl, const unsigned char context[FRAMED_HASH_SIZE])
{
	unsigned char *own;

	if (!ids_of(ssl))
		return;
	own = mem_dup(context, FRAMED_HASH_SIZE);
	if (!SSL_set_ex_data(ssl, context_index, own))
		mem_free(own);
}

void
session_ids_forget(SSL *ssl)
{
	if (!ids_of(ssl))
		return;
	mem_free(SSL_get_ex_data(ssl, context_index));
	(void)SSL_set_ex_data(ssl, context_index, NULL);
}

unsigned int
session_ids_due(SSL *ssl, int64_t handshake_at)
{
	const struct session_ids *ids = ids_of(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);
	int64_t left;

	if (!cache || !ids || !session || SSL_version(ssl) < TLS1_3_VERSION ||
	    !is_for_cache(ssl, ids))
		return 0;
	if (!SSL_session_reused(ssl) &&
	    peer_session_remember(session, handshake_at,
				  peer_check_verdict(ssl)) != 0)
		return 0;
	left = peer_session_until(session, peer_check_policy(ssl),
				  ids->lifetime) -
	       clock_real_s();
	if (left <= 0)
		return 0;
	/* What the client is told. */
	SSL_SESSION_set_timeout(session, (long)left);
	return SSL_session_reused(ssl) ? 1 : ids->number;
}
