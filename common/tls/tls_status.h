/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one translation of OpenSSL's results: nobody else calls
 * SSL_get_error() or reads the error queue after an SSL_* call.
 */
#ifndef SEALOCK_TLS_TLS_STATUS_H
#define SEALOCK_TLS_TLS_STATUS_H

#include <stddef.h>
#include <openssl/types.h>

enum tls_result {
	TLS_DONE,
	TLS_WANT_INPUT,
	TLS_WANT_KEY,
	TLS_CLOSED,
	TLS_FAILED,
};

enum tls_fault {
	TLS_FAULT_NONE,
	TLS_FAULT_PROTOCOL,         /* anything that has no row of its own */
	TLS_FAULT_PLAINTEXT,        /* the peer does not speak TLS */
	TLS_FAULT_NO_SHARED_CIPHER, /* nor version, group or signature */
	TLS_FAULT_CERTIFICATE,      /* the peer's was rejected */
	TLS_FAULT_NAME,             /* ... because of its name */
	TLS_FAULT_REVOKED,          /* ... because it has been revoked */
	TLS_FAULT_NO_CERTIFICATE,   /* the peer has shown none */
	TLS_FAULT_ALERT,            /* the peer sent a fatal alert */
	TLS_FAULT_UNKNOWN_NAME,     /* the peer said unrecognized_name */
	TLS_FAULT_EOF,              /* the input ended in the middle */
	TLS_FAULT_KEY,              /* our private key did not sign */
	TLS_FAULT_INTERNAL,         /* memory, a failing provider */
};

struct tls_failure {
	enum tls_fault fault;
	int verify_error; /* X509_V_ERR_*, when a certificate was rejected */
	char text[768];   /* what was wrong, escaped; for the log's detail */
};

/* To be called right before every SSL_* call that tls_status() follows:
 * empties the error queue and errno. */
void
tls_status_begin(void);

/* What did that call's return value mean? TLS_DONE for success; fills failure
 * when the result is TLS_FAILED. The queue is empty afterwards. */
enum tls_result
tls_status(SSL *ssl, int returned, struct tls_failure *failure);

/* The queue's first entry with the words of its last as a sentence, for
 * errors outside of connections; empties it. */
void
tls_status_queue_text(char *buffer, size_t size);

#endif
