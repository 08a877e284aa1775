/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `verify` of a gate comes to: the part of its policy that is about the
 * peer's certificate, with all that its files hold.
 */
#ifndef SEALOCK_TLS_POLICY_PEER_H
#define SEALOCK_TLS_POLICY_PEER_H

#include <stdbool.h>

struct ca_store;
struct error_list;
struct file_set;
struct peer_policy;
struct tls_settings;

struct policy_peer {
	struct peer_policy *policy;   /* NULL: the peer is not verified */
	struct ca_store *authorities; /* what is in it; NULL: `ca: none` */
	struct ca_store *advertised;  /* to clients; NULL: none */
	/* SHA-256 over every setting and what its files hold. */
	unsigned char digest[32];
};

/* Fill peer, which needs no initialization. Problems and warnings are as in
 * policy_values_choose(); with a problem it is good for policy_peer_clear()
 * only. Needs nothing of a daemon. */
void
policy_peer_choose(struct policy_peer *peer,
		   const struct tls_settings *settings,
		   const struct file_set *files, bool is_server,
		   struct error_list *problems, struct error_list *warnings);
void
policy_peer_clear(struct policy_peer *peer);

#endif
