/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL over a BIO of our own, whose reading end is the caller's span and
 * whose writing end is the caller's buffer, both lent for one call: no bytes
 * are copied into memory BIOs and out again.
 */
#include "common/tls/tls_engine.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/key_operation.h"
#include "common/tls/session_ids.h"
#include "common/tls/session_tickets.h"

/* What a record adds to its content, for the worst of suites: header, nonce,
 * the largest MAC and a block of padding. */
#define RECORD_OVERHEAD 96

/* Never grow by less than this. */
#define OUTPUT_MIN 4096

/* Once more than this is held, nothing more is taken. */
#define HELD_MAX (1024 * 1024)

/* A peer may send messages after the handshake (KeyUpdate, tickets, attempts
 * to renegotiate), and each costs us more than it costs the peer. More than
 * this in a second is an attack, or more KeyUpdates than that while no data
 * moves between them. */
#define MESSAGES_A_SECOND 100
#define UPDATES_IN_A_ROW  4

struct tls_engine {
	SSL *ssl;
	struct tls_input *input; /* during a call, else NULL */
	struct tls_output *wire; /* the same */
	struct tls_output held;  /* plaintext; see tls_engine_is_holding() */
	/* Until the handshake is complete; NULL: signing takes place in the
	 * call. */
	struct key_operation *operation;
	struct tls_failure *failure; /* NULL: none; no SSL_* I/O call after */
	bool is_dead;                /* the caller knows of the failure */
	bool is_established;
	bool is_closed;     /* the peer's close_notify came */
	bool is_close_due;  /* ours follows what is held */
	bool is_close_sent; /* ours is out: nothing may follow it */
	bool are_tickets_due;
	int64_t established_at; /* in seconds since 1970 */
	/* Of the peer's messages after the handshake. */
	bool is_flooded;
	int64_t second_ms; /* when the current one began */
	unsigned int messages;
	unsigned int updates; /* since data moved, and in this second */
};

void
tls_output_reserve(struct tls_output *output, size_t length)
{
	size_t needed, capacity;

	if (output->capacity - output->length >= length)
		return;
	assert(length <= SIZE_MAX - output->length);
	needed = output->length + length;
	capacity = output->capacity + output->capacity / 2;
	if (capacity < needed)
		capacity = needed;
	if (capacity < OUTPUT_MIN)
		capacity = OUTPUT_MIN;
	output->bytes = mem_resize(output->bytes, capacity, 1);
	output->capacity = capacity;
}

void
tls_output_append(struct tls_output *output, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	tls_output_reserve(output, length);
	memcpy(output->bytes + output->length, bytes, length);
	output->length += length;
}

static int
span_read(BIO *bio, char *out, size_t size, size_t *got)
{
	struct tls_engine *engine = BIO_get_data(bio);
	struct tls_input *input = engine->input;

	BIO_clear_retry_flags(bio);
	*got = 0;
	if (!input || input->length == 0 || engine->is_flooded) {
		BIO_set_retry_read(bio);
		return 0;
	}
	if (size > input->length)
		size = input->length;
	memcpy(out, input->bytes, size);
	input->bytes += size;
	input->length -= size;
	*got = size;
	return 1;
}

static int
span_write(BIO *bio, const char *bytes, size_t length, size_t *taken)
{
	struct tls_engine *engine = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	assert(engine->wire);
	/* OpenSSL answers with alerts also after our close_notify, which must
	 * be the last that the peer sees (RFC 8446 6.1). */
	if (!engine->is_close_sent)
		tls_output_append(engine->wire, bytes, length);
	*taken = length;
	return 1;
}

static long
span_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *span_method;

static void
make_span_method(void)
{
	BIO_METHOD *method = BIO_meth_new(
		BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "span");

	if (method && BIO_meth_set_read_ex(method, span_read) &&
	    BIO_meth_set_write_ex(method, span_write) &&
	    BIO_meth_set_ctrl(method, span_control))
		span_method = method;
	else
		BIO_meth_free(method);
}

static BIO *
span_new(struct tls_engine *engine)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
	BIO *bio;

	if (!CRYPTO_THREAD_run_once(&once, make_span_method) || !span_method)
		return NULL;
	bio = BIO_new(span_method);
	if (bio)
		BIO_set_data(bio, engine);
	return bio;
}

static struct tls_engine *
engine_new(SSL_CTX *context)
{
	struct tls_engine *engine = mem_alloc(sizeof(*engine));
	BIO *bio;

	engine->ssl = SSL_new(context);
	bio = engine->ssl ? span_new(engine) : NULL;
	if (!bio) {
		ERR_clear_error();
		tls_engine_free(engine);
		return NULL;
	}
	SSL_set_bio(engine->ssl, bio, bio);
	/* Whoever waits for more input must have been given all there is, and
	 * what follows the handshake must stay with the caller. */
	SSL_set_mode(engine->ssl,
		     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	SSL_set_read_ahead(engine->ssl, 0);
	return engine;
}

struct tls_engine *
tls_engine_new_server(SSL_CTX *context)
{
	struct tls_engine *engine = engine_new(context);

	if (engine)
		SSL_set_accept_state(engine->ssl);
	return engine;
}

struct tls_engine *
tls_engine_new_client(SSL_CTX *context)
{
	struct tls_engine *engine = engine_new(context);

	if (engine)
		SSL_set_connect_state(engine->ssl);
	return engine;
}

void
tls_engine_set_async(struct tls_engine *engine,
		     void (*ready)(struct key_operation *operation,
				   void *argument),
		     void *argument)
{
	assert(!engine->is_established && !engine->operation);
	engine->operation = mem_alloc(sizeof(*engine->operation));
	engine->operation->ready = ready;
	engine->operation->argument = argument;
	SSL_set_mode(engine->ssl, SSL_MODE_ASYNC);
}

bool
tls_engine_is_paused(const struct tls_engine *engine)
{
	return engine->operation && SSL_waiting_for_async(engine->ssl);
}

/* The handshake is over: reading and writing need no fibres. */
static void
clear_async(struct tls_engine *engine)
{
	if (!engine->operation)
		return;
	SSL_clear_mode(engine->ssl, SSL_MODE_ASYNC);
	mem_free(TAKE(engine->operation));
}

/* A job that waits for a signature has to fail before its SSL can go; the
 * alert that it writes is for nobody. */
static void
abandon(struct tls_engine *engine)
{
	struct tls_output scratch = {0};

	engine->wire = &scratch;
	key_operation_abandon(engine->operation, engine->ssl);
	engine->wire = NULL;
	mem_free(scratch.bytes);
}

static void
forget_held(struct tls_engine *engine)
{
	if (engine->held.bytes)
		mem_wipe(engine->held.bytes, engine->held.capacity);
	mem_free(engine->held.bytes);
	engine->held = (struct tls_output){0};
}

void
tls_engine_free(struct tls_engine *engine)
{
	if (!engine)
		return;
	if (engine->operation)
		abandon(engine);
	/* An end without close_notify says nothing against the session. */
	if (engine->is_established && !engine->failure)
		SSL_set_shutdown(engine->ssl,
				 SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(engine->ssl);
	mem_free(engine->operation);
	forget_held(engine);
	mem_free(engine->failure);
	mem_free(engine);
}

SSL *
tls_engine_ssl(struct tls_engine *engine)
{
	return engine->ssl;
}

bool
tls_engine_is_closed(const struct tls_engine *engine)
{
	return engine->is_closed;
}

bool
tls_engine_is_holding(const struct tls_engine *engine)
{
	return engine->held.length > 0 || engine->is_close_due;
}

const struct tls_failure *
tls_engine_failure(const struct tls_engine *engine)
{
	assert(engine->failure);
	return engine->failure;
}

/* Lend the caller's memory to the BIO. False when the engine has failed in a
 * call that could not say so. */
static bool
lend(struct tls_engine *engine, struct tls_input *input,
     struct tls_output *wire)
{
	assert(!engine->is_dead);
	if (engine->failure) {
		engine->is_dead = true;
		return false;
	}
	engine->input = input;
	engine->wire = wire;
	return true;
}

static void
take_back(struct tls_engine *engine)
{
	engine->input = NULL;
	engine->wire = NULL;
}

/* What a call into OpenSSL came to; keeps the failure. */
static enum tls_result
settle(struct tls_engine *engine, int returned)
{
	struct tls_failure failure;
	enum tls_result result = tls_status(engine->ssl, returned, &failure);

	if (result == TLS_FAILED)
		engine->failure = mem_dup(&failure, sizeof(failure));
	return result;
}

static enum tls_result
fail(struct tls_engine *engine, enum tls_fault fault, const char *text)
{
	struct tls_failure failure = {.fault = fault};

	assert(strlen(text) < sizeof(failure.text));
	strcpy(failure.text, text);
	engine->failure = mem_dup(&failure, sizeof(failure));
	return TLS_FAILED;
}

/* The end of a call: its result is what the caller gets to know. */
static enum tls_result
report(struct tls_engine *engine, enum tls_result result)
{
	take_back(engine);
	if (result == TLS_FAILED)
		engine->is_dead = true;
	return result;
}

static void
on_message(int is_ours, int version, int type, const void *bytes, size_t length,
	   SSL *ssl, void *argument)
{
	struct tls_engine *engine = argument;
	const unsigned char *message = bytes;
	int64_t now_ms;

	(void)version;
	(void)ssl;
	if (is_ours || type != SSL3_RT_HANDSHAKE || length == 0)
		return;
	now_ms = clock_monotonic_ms();
	if (now_ms - engine->second_ms >= 1000) {
		engine->second_ms = now_ms;
		engine->messages = 0;
		engine->updates = 0;
	}
	engine->messages++;
	engine->updates += message[0] == SSL3_MT_KEY_UPDATE;
	/* OpenSSL goes on as long as there is input: let there be none. */
	engine->is_flooded = engine->messages > MESSAGES_A_SECOND ||
			     engine->updates > UPDATES_IN_A_ROW;
}

static void
establish(struct tls_engine *engine)
{
	engine->is_established = true;
	engine->established_at = clock_real_s();
	SSL_set_msg_callback(engine->ssl, on_message);
	SSL_set_msg_callback_arg(engine->ssl, engine);
}

enum tls_result
tls_engine_handshake(struct tls_engine *engine, struct tls_input *input,
		     struct tls_output *wire)
{
	enum tls_result result;
	int returned;

	assert(!engine->is_established);
	if (!lend(engine, input, wire))
		return TLS_FAILED;
	tls_status_begin();
	key_operation_enter(engine->operation);
	returned = SSL_do_handshake(engine->ssl);
	key_operation_leave();
	result = settle(engine, returned);
	if (result == TLS_DONE) {
		establish(engine);
		clear_async(engine);
	} else if (result == TLS_CLOSED) {
		result = fail(engine, TLS_FAULT_EOF,
			      "the peer closed in the middle of the handshake");
	}
	assert(result != TLS_WANT_INPUT || input->length == 0);
	return report(engine, result);
}

/* Write what was held, as soon as OpenSSL lets us. */
static enum tls_result
write_held(struct tls_engine *engine)
{
	enum tls_result result;
	size_t written;

	tls_status_begin();
	result = settle(engine, SSL_write_ex(engine->ssl, engine->held.bytes,
					     engine->held.length, &written));
	if (result == TLS_DONE)
		forget_held(engine);
	return result;
}

static void
send_close(struct tls_engine *engine)
{
	int returned;

	engine->is_close_due = false;
	tls_status_begin();
	returned = SSL_shutdown(engine->ssl);
	/* 0: sent, and the peer's has not come yet. */
	if (returned < 0)
		(void)settle(engine, returned);
	else
		engine->is_close_sent = true;
}

/* After reading: what waited for the rest of a message goes out now. */
static enum tls_result
catch_up(struct tls_engine *engine, enum tls_result result)
{
	if (engine->held.length > 0 && write_held(engine) == TLS_FAILED)
		return TLS_FAILED;
	if (engine->is_close_due && engine->held.length == 0 &&
	    !SSL_in_init(engine->ssl))
		send_close(engine);
	if (engine->failure)
		return TLS_FAILED;
	/* The rest of a message that is not whole will never come, and nothing
	 * can be written before it. */
	if (engine->is_closed && SSL_in_init(engine->ssl))
		return fail(engine, TLS_FAULT_PROTOCOL,
			    "the peer closed in the middle of a message");
	return result;
}

enum tls_result
tls_engine_decrypt(struct tls_engine *engine, struct tls_input *input,
		   struct tls_output *plain, struct tls_output *wire)
{
	enum tls_result result = TLS_CLOSED;

	assert(engine->is_established);
	if (!lend(engine, input, wire))
		return TLS_FAILED;
	/* All of the input and a record begun earlier fit without growing in
	 * the loop, which wants room for one record at each turn. */
	tls_output_reserve(plain, input->length + 2 * SSL3_RT_MAX_PLAIN_LENGTH);
	while (!engine->is_closed) {
		size_t got = 0;

		tls_output_reserve(plain, SSL3_RT_MAX_PLAIN_LENGTH);
		tls_status_begin();
		result = settle(
			engine,
			SSL_read_ex(engine->ssl, plain->bytes + plain->length,
				    plain->capacity - plain->length, &got));
		plain->length += got;
		if (got > 0)
			engine->updates = 0;
		if (engine->is_flooded && result != TLS_FAILED)
			result = fail(engine, TLS_FAULT_PROTOCOL,
				      "the peer sends too many messages");
		if (result == TLS_CLOSED)
			engine->is_closed = true;
		else if (result != TLS_DONE)
			break;
	}
	if (engine->is_closed)
		input->length = 0;
	if (result != TLS_FAILED)
		result = catch_up(engine, result);
	assert(result == TLS_FAILED || input->length == 0);
	return report(engine, result);
}

void
tls_engine_allow_tickets(struct tls_engine *engine)
{
	engine->are_tickets_due = true;
}

/* OpenSSL writes them in front of what is written next, which must not fail to
 * come: until then it does nothing else. What it has begun to do by itself
 * (answering a KeyUpdate, reading half a message) comes first; they wait. */
static void
make_tickets(struct tls_engine *engine)
{
	unsigned int count;

	if (!engine->are_tickets_due || SSL_in_init(engine->ssl))
		return;
	engine->are_tickets_due = false;
	count = session_tickets_due(engine->ssl, engine->established_at);
	if (count == 0)
		count = session_ids_due(engine->ssl, engine->established_at);
	while (count-- > 0 && SSL_new_session_ticket(engine->ssl))
		;
}

enum tls_result
tls_engine_encrypt(struct tls_engine *engine, const void *bytes, size_t length,
		   struct tls_output *wire)
{
	enum tls_result result = TLS_DONE;
	size_t written;

	assert(engine->is_established);
	assert(!engine->is_close_sent && !engine->is_close_due);
	if (!lend(engine, NULL, wire))
		return TLS_FAILED;
	if (length == 0)
		return report(engine, TLS_DONE);
	engine->updates = 0;
	if (engine->held.length > 0) {
		if (engine->held.length > HELD_MAX)
			return report(engine,
				      fail(engine, TLS_FAULT_PROTOCOL,
					   "the peer does not end a message"));
		tls_output_append(&engine->held, bytes, length);
		return report(engine, TLS_DONE);
	}
	tls_output_reserve(wire, length + (length / SSL3_RT_MAX_PLAIN_LENGTH +
					   2) * RECORD_OVERHEAD);
	tls_status_begin();
	make_tickets(engine);
	result = settle(engine,
			SSL_write_ex(engine->ssl, bytes, length, &written));
	if (result == TLS_WANT_INPUT) {
		tls_output_append(&engine->held, bytes, length);
		result = TLS_DONE;
	}
	return report(engine, result);
}

void
tls_engine_close(struct tls_engine *engine, struct tls_output *wire)
{
	if (!engine->is_established || engine->failure ||
	    engine->is_close_sent || engine->is_close_due)
		return;
	engine->wire = wire;
	if (engine->held.length > 0 || SSL_in_init(engine->ssl))
		engine->is_close_due = true;
	else
		send_close(engine);
	take_back(engine);
}
