/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private keys that are somewhere else: an OpenSSL provider, built in, whose
 * keys are a public key and an id. libssl takes such a key for a private one;
 * when it signs with it, the whole message goes to functions of the process,
 * to the keeper or to a table of keys of its own (local_keys).
 *
 * SSL_CTX_use_certificate() and SSL_CTX_use_PrivateKey() are to be called
 * apart, the certificate first: SSL_CTX_use_cert_and_key() crashes with keys
 * of a provider in OpenSSL 3.2 to 3.5.
 */
#ifndef SEALOCK_TLS_REMOTE_KEY_H
#define SEALOCK_TLS_REMOTE_KEY_H

#include <stddef.h>
#include <openssl/types.h>

#include "common/tls/certificate.h"

struct error;
struct key_operation;
struct sign_request;

/* How this process has something signed. Both may be called on the 32 kB stack
 * of an asynchronous job. The request and its message stay where they are
 * until sign() returns, or the operation is no longer pending. */
struct remote_key_functions {
	/* Sign now. length is the room in signature, then the signature's
	 * length. Returns -1 when there is none. */
	int (*sign)(const unsigned char key_id[KEY_ID_SIZE],
		    const struct sign_request *request,
		    unsigned char *signature, size_t *length);

	/* Begin to sign, and have key_operation_answer() or one of its
	 * sisters called with the operation's number, now or later. Returns
	 * -1 when that cannot be. Other operations must be left alone here: a
	 * lost channel is told to them from the event loop. One that has to
	 * wait sets the operation's cancel(). Used where an
	 * asynchronous job can wait for it (see key_operation.h); NULL: nothing
	 * is asynchronous here. */
	int (*start)(struct key_operation *operation,
		     const unsigned char key_id[KEY_ID_SIZE],
		     const struct sign_request *request);
};

/* Once before the first remote_key_new(); again, only to replace the functions
 * (which are copied). The provider is in a library context of its own: nothing
 * but remote keys ever meets it. */
int
remote_key_install(const struct remote_key_functions *functions,
		   struct error *error) __attribute__((warn_unused_result));

/* A key for SSL_CTX_use_PrivateKey(): the public part of public_key (the
 * certificate's), and what it is called where it is. uses is a set of enum
 * key_use: without KEY_USE_LEGACY, libssl is told that the key does not sign
 * with SHA-1. remote_key_install() comes first. The caller's reference,
 * EVP_PKEY_free(). */
EVP_PKEY *
remote_key_new(EVP_PKEY *public_key, const unsigned char key_id[KEY_ID_SIZE],
	       unsigned int uses, struct error *error);

#endif
