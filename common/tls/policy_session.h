/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `session` of a gate comes to: how its contexts have handshakes resumed.
 */
#ifndef SEALOCK_TLS_POLICY_SESSION_H
#define SEALOCK_TLS_POLICY_SESSION_H

#include <stdbool.h>
#include <openssl/types.h>

#include "common/tls/session_ids.h"
#include "common/tls/session_tickets.h"

struct tls_settings;

struct policy_session {
	bool has_tickets; /* accept gate */
	struct session_tickets tickets;
	bool has_ids; /* accept gate */
	struct session_ids ids;
	bool is_client; /* connect gate */
};

/* Fill session, which needs no initialization and holds nothing to be freed. */
void
policy_session_choose(struct policy_session *session,
		      const struct tls_settings *settings, bool is_server);

/* Add what makes contexts differ. Who is let in depends on none of it. */
void
policy_session_hash(const struct policy_session *session, EVP_MD_CTX *hash);

/* Set a context up in which nothing is resumed yet. */
bool
policy_session_install(const struct policy_session *session, SSL_CTX *context);

#endif
