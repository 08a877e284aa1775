/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/tls/policy_session.h"

#include <openssl/ssl.h>

#include "common/base/framed_hash.h"
#include "common/tls/session_client.h"
#include "common/tls/tls_settings.h"

static int64_t
lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void
policy_session_choose(struct policy_session *session,
		      const struct tls_settings *settings, bool is_server)
{
	const struct tls_session_cache *cache = &settings->session.cache;
	const struct tls_tickets *tickets = &settings->session.tickets;
	bool has_cache = settings->session.is_resumed && cache->size > 0;

	*session = (struct policy_session){.has_tickets = false};
	if (!is_server) {
		session->is_client = has_cache;
		return;
	}
	session->has_ids = has_cache;
	session->ids = (struct session_ids){
		.lifetime =
			lesser(cache->timeout_ms, tickets->lifetime_ms) / 1000,
		.number = tickets->number,
		.is_judged_late = settings->verify.ocsp.check != OCSP_CHECK_OFF,
	};
	session->has_tickets =
		ticket_ring_id(&settings->session, session->tickets.ring);
	session->tickets.lifetime = tickets->lifetime_ms / 1000;
	session->tickets.number = tickets->number;
}

void
policy_session_hash(const struct policy_session *session, EVP_MD_CTX *hash)
{
	framed_hash_add_number(hash, session->has_tickets);
	if (session->has_tickets)
		framed_hash_add(hash, session->tickets.ring,
				sizeof(session->tickets.ring));
	framed_hash_add_number(hash, (uint64_t)session->tickets.lifetime);
	framed_hash_add_number(hash, session->tickets.number);
	framed_hash_add_number(hash, session->has_ids);
	framed_hash_add_number(hash, (uint64_t)session->ids.lifetime);
	framed_hash_add_number(hash, session->ids.is_judged_late);
}

bool
policy_session_install(const struct policy_session *session, SSL_CTX *context)
{
	if (session->is_client)
		return session_client_install(context) == 0;
	if (session->has_ids && !session_ids_install(context, &session->ids))
		return false;
	if (!session->has_tickets)
		return true;
	SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
	return session_tickets_install(context, &session->tickets);
}
