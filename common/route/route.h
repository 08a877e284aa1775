/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a configuration to what a connection needs: which policy, which
 * certificates, which context. Built aside from a configuration, its files and
 * the index of its certificates, by a worker for a new generation and by
 * `sealock check` alike, so that what the one would find wrong the other finds
 * too.
 */
#ifndef SEALOCK_ROUTE_ROUTE_H
#define SEALOCK_ROUTE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/base/framed_hash.h"
#include "common/tls/tls_settings.h"

struct certificate_index;
struct client_hello;
struct conf;
struct conf_service;
struct error;
struct file_set;
struct route_accept;
struct route_findings;
struct tls_policy;

/* The connect gate's TLS. */
struct route_connect {
	struct tls_policy *policy;
	SSL_CTX *context; /* with the client certificates */
	/* Of every setting, CA and CRL content, and the client certificates. */
	unsigned char identity[FRAMED_HASH_SIZE];
};

struct route_service {
	const struct conf_service *conf;
	struct route_accept *accept;   /* NULL: plain */
	struct route_connect *connect; /* NULL: plain */
	bool is_down; /* no certificate could be loaded: it does not start */
};

struct route_table {
	struct route_service *services; /* as conf->services */
	size_t service_count;
	struct certificate_index *index;
	struct context_cache *contexts;
};

/* Build the table over an index of the same configuration, of which it keeps a
 * reference; conf must outlive it, files (certificates are not among those that
 * are read) need not. Findings are added, each once. NULL when there are
 * problems; and when there is no index (NULL), where nothing but the policies
 * is looked at. */
struct route_table *
route_table_new(const struct conf *conf, const struct file_set *files,
		struct certificate_index *index,
		const struct route_findings *findings);

/* NULL is legal. Contexts in use live on with their connections. */
void
route_table_free(struct route_table *table);

enum route_result {
	ROUTE_FOUND,
	ROUTE_UNKNOWN_NAME, /* strict_sni: no certificate for that name */
	ROUTE_FAILED,       /* OpenSSL could not make the context */
};

/* What a client gets. */
struct route_choice {
	SSL_CTX *context; /* borrowed; valid until the next choice */
	/* Of the listener, the entry of `hosts`, every setting, CA and CRL
	 * content, the certificates, and the name that the client has sent: a
	 * session resumes under the same one alone. For
	 * SSL_set_session_id_context(), as contexts are shared. */
	unsigned char session_context[FRAMED_HASH_SIZE];
	enum tls_shutdown shutdown;
};

/* Choose policy and certificates for a hello: the policy of `hosts` for that
 * name, exact before wildcard, else the gate's; for each type of key the
 * certificate for exactly that name, else a wildcard's; when there is none for
 * the name at all the default's, or, under strict_sni, nothing. */
enum route_result
route_choose(struct route_table *table, const struct route_service *service,
	     const struct client_hello *hello, struct route_choice *choice,
	     struct error *error) __attribute__((warn_unused_result));

#endif
