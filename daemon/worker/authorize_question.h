/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authorizer is asked: one line of JSON with everything that is known
 * of a client or a backend, described in sealock(8). Whatever a peer has put
 * into its certificates comes out as valid JSON of bounded size.
 */
#ifndef SEALOCK_WORKER_AUTHORIZE_QUESTION_H
#define SEALOCK_WORKER_AUTHORIZE_QUESTION_H

#include <stddef.h>
#include <openssl/types.h>

/* How much of a peer's certificates is told. What is more is counted in
 * names_total and chain_total. */
#define AUTHORIZE_NAMES_MAX       ((size_t)100)
#define AUTHORIZE_NAME_MAX        ((size_t)512)
#define AUTHORIZE_SUBJECT_MAX     ((size_t)2048)
#define AUTHORIZE_CHAIN_MAX       ((size_t)10)
#define AUTHORIZE_CERTIFICATE_MAX ((size_t)16 * 1024) /* of DER, as PEM */

/* What can be said of a peer. Texts may be NULL; nothing is said then. */
struct authorize_facts {
	const char *service;
	const char *gate;   /* "accept", "connect" */
	const char *client; /* HOST:PORT, [HOST]:PORT, or "unix:..." */
	const char *local;
	const char *backend;
	const char *name;        /* what the backend is verified by */
	const char *server_name; /* what was asked for at this gate */
	SSL *ssl;                /* its handshake is over; NULL: plain */
};

/* The line with its newline (mem_free()); NULL in builds without jansson. */
char *
authorize_question_write(const struct authorize_facts *facts);

#endif
