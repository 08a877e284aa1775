/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a gate's TLS settings come to: the profile's values where the operator
 * said nothing, files read, and everything seen to be something that the
 * linked OpenSSL takes. tls_policy makes contexts of it.
 */
#ifndef SEALOCK_TLS_POLICY_VALUES_H
#define SEALOCK_TLS_POLICY_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/tls/policy_peer.h"
#include "common/tls/policy_session.h"

struct error_list;
struct file_set;
struct key_log;
struct tls_command;
struct tls_settings;

#define POLICY_DIGEST_SIZE 32

/* Protocol names as they travel: each behind a byte with its length. */
struct alpn {
	size_t length;
	unsigned char bytes[];
};

struct policy_values {
	bool is_server;
	bool is_server_order;  /* whose order of ciphers counts */
	unsigned int versions; /* enum tls_version, all of them spoken */
	unsigned int key_uses; /* enum key_use: what its keys may sign */
	int level;             /* OpenSSL's security level */
	char *ciphers;
	char *ciphersuites;
	char *groups;
	bool is_dh_automatic;
	EVP_PKEY *dh;            /* NULL: none of the operator's own */
	struct alpn *alpn;       /* NULL: none */
	struct policy_peer peer; /* how the peer is verified */
	struct policy_session session;
	struct key_log *key_log; /* NULL: none */
	struct tls_command *commands;
	size_t command_count;
	/* SHA-256 over every setting and what the files hold, but for how
	 * sessions are kept; and over that, too. */
	unsigned char digest[POLICY_DIGEST_SIZE];
	unsigned char context_digest[POLICY_DIGEST_SIZE];
};

/* Fill values, which need no initialization. What is wrong is added to
 * problems, and then the values are good for policy_values_clear() only;
 * warnings may be NULL. */
void
policy_values_choose(struct policy_values *values,
		     const struct tls_settings *settings,
		     const struct file_set *files, bool is_server,
		     struct error_list *problems, struct error_list *warnings);

/* The key_uses of these settings, without a file read; 0 when something is
 * wrong with them. */
unsigned int
policy_values_key_uses(const struct tls_settings *settings, bool is_server);

void
policy_values_clear(struct policy_values *values);

#endif
