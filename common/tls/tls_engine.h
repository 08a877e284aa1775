/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a TLS connection without any I/O: bytes in, bytes out. Input is
 * a span of the caller's that shrinks from its front as OpenSSL takes from
 * it; output is appended to a buffer of the caller's that grows as needed. So
 * writing never blocks, WANT_WRITE and the rule of the same buffer do not
 * exist, and tests and fuzzers drive it without sockets.
 *
 * Between calls an engine holds nothing of the caller's.
 */
#ifndef SEALOCK_TLS_TLS_ENGINE_H
#define SEALOCK_TLS_TLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/types.h>

#include "common/tls/tls_status.h"

struct tls_input {
	const unsigned char *bytes;
	size_t length;
};

/* Zeroed is valid and empty. The memory is mem_resize()d as needed and freed
 * by its owner. */
struct tls_output {
	unsigned char *bytes;
	size_t length;
	size_t capacity;
};

/* Room for this many more bytes. */
void
tls_output_reserve(struct tls_output *output, size_t length);
void
tls_output_append(struct tls_output *output, const void *bytes, size_t length);

struct key_operation;
struct tls_engine;

/* Takes its own reference of the context. NULL when OpenSSL cannot make one
 * (out of memory). */
struct tls_engine *
tls_engine_new_server(SSL_CTX *context);
struct tls_engine *
tls_engine_new_client(SSL_CTX *context);

/* NULL is legal, also in the middle of a handshake and while a signature is
 * under way. Sends nothing. */
void
tls_engine_free(struct tls_engine *engine);

/* Before the handshake: let it pause for signatures that are made elsewhere
 * (key_operation.h) instead of waiting in the call. When it can go on, ready()
 * is called, from whoever got the answer and never from a call on an engine;
 * it may go on with this handshake, and free this engine. What this takes
 * goes when the handshake is complete. */
void
tls_engine_set_async(struct tls_engine *engine,
		     void (*ready)(struct key_operation *operation,
				   void *argument),
		     void *argument);

/* Does the handshake wait for a signature? */
bool
tls_engine_is_paused(const struct tls_engine *engine);

/* For settings before the handshake and questions after it; no I/O calls. */
SSL *
tls_engine_ssl(struct tls_engine *engine);

/* Go on with the handshake. Bytes behind its last message are left in input.
 *	TLS_DONE	it is complete
 *	TLS_WANT_INPUT	all input is taken, more is needed
 *	TLS_WANT_KEY	a signature is under way, only after
 *			tls_engine_set_async(): the next call is due at
 *			ready(), with what is left in input first; one before
 *			takes and writes nothing
 *	TLS_FAILED	see tls_engine_failure(); an alert may be in wire
 * wire may have grown with any result and must be sent. */
enum tls_result
tls_engine_handshake(struct tls_engine *engine, struct tls_input *input,
		     struct tls_output *wire)
	__attribute__((warn_unused_result));

/* Decrypt all input, and what the engine holds, to the end of plain. The
 * engine takes all input: the caller bounds what it passes in.
 *	TLS_WANT_INPUT	all is taken and there is no close_notify
 *	TLS_CLOSED	the peer's close_notify came; what followed is dropped
 *	TLS_FAILED	plain holds what came before
 * Post-handshake messages may make wire grow. */
enum tls_result
tls_engine_decrypt(struct tls_engine *engine, struct tls_input *input,
		   struct tls_output *plain, struct tls_output *wire)
	__attribute__((warn_unused_result));

/* Encrypt all of it. TLS_DONE or TLS_FAILED. Not after tls_engine_close(). */
enum tls_result
tls_engine_encrypt(struct tls_engine *engine, const void *bytes, size_t length,
		   struct tls_output *wire) __attribute__((warn_unused_result));

/* A peer that has sent half of a post-handshake message keeps OpenSSL from
 * writing until the rest is here. What was to be encrypted meanwhile, or our
 * close_notify, is held, and a later tls_engine_decrypt() puts it into its
 * wire. As long as this is true, take nothing more from where the bytes come
 * from: the engine refuses to hold without bound. */
bool
tls_engine_is_holding(const struct tls_engine *engine);

/* A server's client has been let in: from now on it may have tickets of TLS
 * 1.3. They leave with the next bytes that are encrypted. */
void
tls_engine_allow_tickets(struct tls_engine *engine);

/* Append our close_notify, once, and only when the handshake is complete and
 * the engine has not failed; otherwise nothing. While the engine is holding it
 * follows what is held. Reading goes on as before. */
void
tls_engine_close(struct tls_engine *engine, struct tls_output *wire);

/* Did the peer's close_notify come? */
bool
tls_engine_is_closed(const struct tls_engine *engine);

/* Why the last call returned TLS_FAILED; valid as long as the engine. */
const struct tls_failure *
tls_engine_failure(const struct tls_engine *engine);

#endif
