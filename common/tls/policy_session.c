/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/tls/policy_session.h"

#include <openssl/ssl.h>

#include "common/base/framed_hash.h"
#include "common/tls/tls_settings.h"

void
policy_session_choose(struct policy_session *session,
		      const struct tls_settings *settings, bool is_server)
{
	const struct tls_tickets *tickets = &settings->session.tickets;

	*session = (struct policy_session){.has_tickets = false};
	if (!is_server)
		return;
	session->has_tickets =
		ticket_ring_id(&settings->session, session->tickets.ring);
	session->tickets.lifetime = tickets->lifetime_ms / 1000;
	session->tickets.number = tickets->number;
}

void
policy_session_hash(const struct policy_session *session, EVP_MD_CTX *hash)
{
	framed_hash_add_number(hash, session->has_tickets);
	if (!session->has_tickets)
		return;
	framed_hash_add(hash, session->tickets.ring,
			sizeof(session->tickets.ring));
	framed_hash_add_number(hash, (uint64_t)session->tickets.lifetime);
	framed_hash_add_number(hash, session->tickets.number);
}

bool
policy_session_install(const struct policy_session *session, SSL_CTX *context)
{
	if (!session->has_tickets)
		return true;
	SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
	return session_tickets_install(context, &session->tickets);
}
