/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL calls us for each session that it is given: in TLS 1.3 for each
 * ticket, any time after the handshake. In older versions the session is there
 * at the end of the handshake, when it is not known yet whether it is worth
 * keeping, so that one is asked for when it is.
 */
#include "common/tls/session_client.h"

#include <stdbool.h>
#include <stdint.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/session_store.h"
#include "common/verify/peer_check.h"
#include "common/verify/peer_session.h"

/* However often a session is renewed by new tickets: after this many seconds a
 * backend shows its certificate again. */
#define LIFETIME (24 * 60 * 60)

/* What hangs on an SSL. */
struct resumption {
	struct session_backend *backend;
	const SSL_SESSION *offered; /* to be compared, not looked at; NULL */
	bool is_kept;               /* what comes is kept */
	int64_t valid_until;        /* ... until then */
};

static int resumption_index = -1;

static void
free_resumption(void *parent, void *pointer, CRYPTO_EX_DATA *extra, int index,
		long argument, void *more)
{
	struct resumption *resumption = pointer;

	(void)parent;
	(void)extra;
	(void)index;
	(void)argument;
	(void)more;
	if (!resumption)
		return;
	session_backend_unref(resumption->backend);
	mem_free(resumption);
}

static void
make_index(void)
{
	resumption_index =
		SSL_get_ex_new_index(0, NULL, NULL, NULL, free_resumption);
}

static bool
has_index(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	return CRYPTO_THREAD_run_once(&once, make_index) &&
	       resumption_index >= 0;
}

static struct resumption *
resumption_of(const SSL *ssl)
{
	return has_index() ? SSL_get_ex_data(ssl, resumption_index) : NULL;
}

/* The reference stays OpenSSL's: a copy is kept. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	const struct resumption *resumption = resumption_of(ssl);

	if (resumption && resumption->is_kept)
		session_backend_keep(resumption->backend, session,
				     resumption->valid_until);
	return 0;
}

int
session_client_install(SSL_CTX *context)
{
	if (!has_index())
		return -1;
	SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(
		context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
	return 0;
}

void
session_client_offer(SSL *ssl, struct session_backend *backend)
{
	struct resumption *resumption;
	SSL_SESSION *session;

	if (!has_index())
		return;
	resumption = mem_alloc(sizeof(*resumption));
	resumption->backend = session_backend_ref(backend);
	if (!SSL_set_ex_data(ssl, resumption_index, resumption)) {
		session_backend_unref(backend);
		mem_free(resumption);
		return;
	}
	session = session_backend_take(backend);
	if (session &&
	    peer_session_until(session, peer_check_policy(ssl), LIFETIME) >
		    clock_real_s() &&
	    SSL_set_session(ssl, session))
		resumption->offered = session;
	SSL_SESSION_free(session);
}

void
session_client_keep(SSL *ssl)
{
	struct resumption *resumption = resumption_of(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);

	if (!resumption || !session)
		return;
	/* Tickets that come are made of this session, and remember what it
	 * does. */
	if (!SSL_session_reused(ssl) &&
	    peer_session_remember(session, clock_real_s(),
				  peer_check_verdict(ssl)) != 0)
		return;
	resumption->valid_until =
		peer_session_until(session, peer_check_policy(ssl), LIFETIME);
	resumption->is_kept = true;
	/* One that was resumed is there already, unless it was renewed. */
	if (SSL_version(ssl) < TLS1_3_VERSION && session != resumption->offered)
		session_backend_keep(resumption->backend, session,
				     resumption->valid_until);
}

void
session_client_failed(SSL *ssl)
{
	const struct resumption *resumption = resumption_of(ssl);

	if (resumption && resumption->offered)
		session_backend_forget(resumption->backend);
}
