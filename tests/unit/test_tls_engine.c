/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes through two engines: whatever the sizes and the pieces, all of them
 * arrive; ends, cuts and half messages are told for what they are.
 */
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/tls_engine.h"
#include "tests/lib/tls_fixture.h"
#include "tests/lib/tls_pair.h"
#include "tests/unit/unit.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Numbers that are the same in every run. */
static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static unsigned char *
random_bytes(uint32_t *state, size_t length)
{
	unsigned char *bytes = mem_alloc(length);

	for (size_t i = 0; i < length; i++)
		bytes[i] = (unsigned char)(next_random(state) >> 8);
	return bytes;
}

/* 1 byte to about a megabyte, the small ones as often as the large ones. */
static size_t
random_size(uint32_t *state)
{
	size_t most = (size_t)1 << next_random(state) % 21;

	return 1 + next_random(state) % most;
}

static void
pair_init(struct tls_pair *pair, int version)
{
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->ecdsa);

	tls_fixture_set_versions(client, version, version);
	tls_pair_init(pair, client, server);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

static void
pair_connect(struct tls_pair *pair, int version)
{
	pair_init(pair, version);
	CU_ASSERT_FATAL(tls_pair_handshake(pair, 0));
}

static bool
has_arrived(const struct tls_pair_end *end, const unsigned char *bytes,
	    size_t length)
{
	return end->plain.length == length &&
	       (length == 0 || memcmp(end->plain.bytes, bytes, length) == 0);
}

static void
test_handshake_steps(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		for (size_t step = 0; step < 70; step += 1 + step / 8) {
			struct tls_pair pair;

			pair_init(&pair, versions[i]);
			CU_ASSERT(tls_pair_handshake(&pair, step));
			CU_ASSERT(!tls_engine_is_closed(pair.client.engine));
			CU_ASSERT(!tls_engine_is_holding(pair.client.engine));
			tls_pair_clear(&pair);
		}
	}
}

/* An engine may go at any time. */
static void
test_abandoned(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		for (size_t steps = 0; steps < 40; steps++) {
			struct tls_pair pair;

			pair_init(&pair, versions[i]);
			(void)tls_pair_feed_bytes(&pair.client, "", 0);
			for (size_t j = 0; j < steps; j++) {
				(void)tls_pair_feed(&pair.client, &pair.server,
						    53);
				(void)tls_pair_feed(&pair.server, &pair.client,
						    53);
			}
			/* Nothing to say in the middle of it. */
			if (!pair.client.is_established) {
				size_t before = pair.client.wire.length;

				tls_engine_close(pair.client.engine,
						 &pair.client.wire);
				CU_ASSERT(pair.client.wire.length == before);
			}
			tls_pair_clear(&pair);
		}
	}
	tls_engine_free(NULL);
}

/* Both ways at once, in pieces of any size. */
static void
test_transfer(void)
{
	uint32_t state = 20231;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		for (unsigned int round = 0; round < 12; round++) {
			size_t up = random_size(&state);
			size_t down = random_size(&state);
			AUTO_FREE unsigned char *sent_up =
				random_bytes(&state, up);
			AUTO_FREE unsigned char *sent_down =
				random_bytes(&state, down);
			size_t up_at = 0, down_at = 0;
			struct tls_pair pair;

			pair_connect(&pair, versions[i]);
			while (up_at < up || down_at < down ||
			       pair.client.wire.length > 0 ||
			       pair.server.wire.length > 0) {
				size_t some = random_size(&state);

				if (some > up - up_at)
					some = up - up_at;
				tls_pair_send(&pair.client, sent_up + up_at,
					      some);
				up_at += some;
				some = random_size(&state);
				if (some > down - down_at)
					some = down - down_at;
				tls_pair_send(&pair.server, sent_down + down_at,
					      some);
				down_at += some;
				(void)tls_pair_feed(&pair.client, &pair.server,
						    random_size(&state));
				(void)tls_pair_feed(&pair.server, &pair.client,
						    random_size(&state));
			}
			CU_ASSERT(has_arrived(&pair.server, sent_up, up));
			CU_ASSERT(has_arrived(&pair.client, sent_down, down));
			tls_pair_clear(&pair);
		}
	}
}

/* Whole records of 16 kB, and as few as can be; the output grows at once to
 * what it needs. */
static void
test_records(void)
{
	static const size_t sizes[] = {1,     16383, 16384,  16385,
				       65536, 65537, 1000000};
	uint32_t state = 77;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
			AUTO_FREE unsigned char *bytes =
				random_bytes(&state, sizes[j]);
			struct tls_output wire = {0};
			struct tls_pair pair;
			size_t at = 0, records = 0;

			pair_connect(&pair, versions[i]);
			CU_ASSERT(tls_engine_encrypt(pair.client.engine, bytes,
						     sizes[j],
						     &wire) == TLS_DONE);
			while (at < wire.length) {
				CU_ASSERT(wire.bytes[at] ==
					  SSL3_RT_APPLICATION_DATA);
				at += 5 + ((size_t)wire.bytes[at + 3] << 8 |
					   wire.bytes[at + 4]);
				records++;
			}
			CU_ASSERT(at == wire.length);
			CU_ASSERT(records == (sizes[j] + 16383) / 16384);
			CU_ASSERT(wire.capacity - wire.length <
				  4096 + 100 * records);
			mem_free(wire.bytes);
			tls_pair_clear(&pair);
		}
	}
}

static void
test_tiny_records(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		unsigned char bytes[3000];
		uint32_t state = 4;
		struct tls_pair pair;

		pair_connect(&pair, versions[i]);
		for (size_t j = 0; j < sizeof(bytes); j++) {
			bytes[j] = (unsigned char)next_random(&state);
			tls_pair_send(&pair.client, bytes + j, 1);
			tls_pair_send(&pair.client, "", 0);
		}
		CU_ASSERT(tls_pair_feed(&pair.client, &pair.server, SIZE_MAX) ==
			  TLS_WANT_INPUT);
		CU_ASSERT(has_arrived(&pair.server, bytes, sizeof(bytes)));
		tls_pair_clear(&pair);
	}
}

/* What comes with the last message of the handshake stays with the caller. */
static void
test_early_bytes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct tls_pair pair;
		struct tls_pair_end *last, *first;
		struct tls_output flight;
		struct tls_input input;
		size_t handshake;

		/* TLS 1.2 ends with the server's flight, 1.3 with the
		 * client's. */
		pair_init(&pair, versions[i]);
		last = versions[i] == TLS1_2_VERSION ? &pair.server
						     : &pair.client;
		first = last == &pair.server ? &pair.client : &pair.server;
		(void)tls_pair_feed_bytes(&pair.client, "", 0);
		while (!last->is_established)
			(void)(last->wire.length
				       ? tls_pair_feed(last, first, SIZE_MAX)
				       : tls_pair_feed(first, last, SIZE_MAX));
		handshake = last->wire.length;
		tls_pair_send(last, "early", 5);
		flight = last->wire;
		input = (struct tls_input){flight.bytes, flight.length};
		CU_ASSERT(tls_engine_handshake(first->engine, &input,
					       &first->wire) == TLS_DONE);
		CU_ASSERT(input.length == flight.length - handshake);
		CU_ASSERT(input.bytes == flight.bytes + handshake);
		CU_ASSERT(tls_engine_decrypt(first->engine, &input,
					     &first->plain,
					     &first->wire) == TLS_WANT_INPUT);
		CU_ASSERT(
			has_arrived(first, (const unsigned char *)"early", 5));
		tls_pair_clear(&pair);
	}
}

/* One side says that it is done; the other goes on and comes to its own end. */
static void
half_close(struct tls_pair_end *first, struct tls_pair_end *second)
{
	uint32_t state = 99;
	AUTO_FREE unsigned char *bytes = random_bytes(&state, 50000);
	size_t length;

	tls_pair_send(first, bytes, 50000);
	tls_engine_close(first->engine, &first->wire);
	length = first->wire.length;
	tls_engine_close(first->engine, &first->wire);
	CU_ASSERT(first->wire.length == length);
	CU_ASSERT(tls_pair_feed(first, second, SIZE_MAX) == TLS_CLOSED);
	CU_ASSERT(has_arrived(second, bytes, 50000));
	CU_ASSERT(tls_engine_is_closed(second->engine));
	CU_ASSERT(!tls_engine_is_closed(first->engine));

	/* Writing goes on against the peer's end, and reading after ours. */
	for (size_t at = 0; at < 50000; at += 5000) {
		tls_pair_send(second, bytes + at, 5000);
		CU_ASSERT(tls_pair_feed(second, first, SIZE_MAX) ==
			  TLS_WANT_INPUT);
	}
	CU_ASSERT(has_arrived(first, bytes, 50000));
	CU_ASSERT(first->wire.length == 0);
	tls_engine_close(second->engine, &second->wire);
	CU_ASSERT(second->wire.length > 0);
	CU_ASSERT(tls_pair_feed(second, first, SIZE_MAX) == TLS_CLOSED);
	CU_ASSERT(tls_engine_is_closed(first->engine));
	CU_ASSERT(first->wire.length == 0 && second->wire.length == 0);

	/* Whatever follows an end is dropped. */
	CU_ASSERT(tls_pair_feed_bytes(first, "junk", 4) == TLS_CLOSED);
	CU_ASSERT(has_arrived(first, bytes, 50000));
}

static void
test_half_close(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct tls_pair pair;

		pair_connect(&pair, versions[i]);
		half_close(&pair.client, &pair.server);
		tls_pair_clear(&pair);
		pair_connect(&pair, versions[i]);
		half_close(&pair.server, &pair.client);
		tls_pair_clear(&pair);
	}
}

/* Cut after each byte of the last records, close_notify included: what came
 * before is there, and it is never an end. */
static void
test_truncation(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		size_t length = SIZE_MAX;

		for (size_t cut = 0; cut < length; cut++) {
			struct tls_pair pair;
			size_t first;

			pair_connect(&pair, versions[i]);
			tls_pair_send(&pair.client, "whole", 5);
			first = pair.client.wire.length;
			tls_pair_send(&pair.client, "the last one", 12);
			tls_engine_close(pair.client.engine, &pair.client.wire);
			length = pair.client.wire.length - first;
			CU_ASSERT(tls_pair_feed(&pair.client, &pair.server,
						first + cut) == TLS_WANT_INPUT);
			CU_ASSERT(!tls_engine_is_closed(pair.server.engine));
			CU_ASSERT(pair.server.plain.length == 5 ||
				  pair.server.plain.length == 17);
			CU_ASSERT(memcmp(pair.server.plain.bytes,
					 "wholethe last one",
					 pair.server.plain.length) == 0);
			/* The rest makes it one. */
			CU_ASSERT(tls_pair_feed(&pair.client, &pair.server,
						SIZE_MAX) == TLS_CLOSED);
			CU_ASSERT(pair.server.plain.length == 17);
			tls_pair_clear(&pair);
		}
	}
}

/* A flipped bit anywhere in a record: no byte of it comes out, the peer is
 * told, and what came before stays. */
static void
test_corruption(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		size_t length = SIZE_MAX;

		for (size_t at = 5; at < length; at++) {
			struct tls_pair pair;
			size_t first;

			pair_connect(&pair, versions[i]);
			tls_pair_send(&pair.client, "good", 4);
			first = pair.client.wire.length;
			tls_pair_send(&pair.client, "worse", 5);
			length = pair.client.wire.length - first;
			pair.client.wire.bytes[first + at] ^= 1;
			CU_ASSERT(tls_pair_feed(&pair.client, &pair.server,
						SIZE_MAX) == TLS_FAILED);
			CU_ASSERT(
				tls_engine_failure(pair.server.engine)->fault ==
				TLS_FAULT_PROTOCOL);
			CU_ASSERT(has_arrived(&pair.server,
					      (const unsigned char *)"good",
					      4));
			tls_engine_close(pair.server.engine, NULL);
			CU_ASSERT(tls_pair_feed(&pair.server, &pair.client,
						SIZE_MAX) == TLS_FAILED);
			CU_ASSERT_STRING_EQUAL(
				tls_engine_failure(pair.client.engine)->text,
				"the peer sent the alert bad_record_mac (20)");
			CU_ASSERT(ERR_peek_error() == 0);
			tls_pair_clear(&pair);
		}
	}
}

/* New keys, asked for from either side, while bytes flow both ways. */
static void
test_key_update(void)
{
	uint32_t state = 5;
	AUTO_FREE unsigned char *bytes = random_bytes(&state, 200000);
	struct tls_pair pair;

	pair_connect(&pair, TLS1_3_VERSION);
	for (size_t at = 0; at < 200000; at += 2000) {
		struct tls_pair_end *asks =
			at / 2000 % 2 ? &pair.server : &pair.client;

		CU_ASSERT(SSL_key_update(
			tls_engine_ssl(asks->engine),
			at / 2000 % 3 ? SSL_KEY_UPDATE_REQUESTED
				      : SSL_KEY_UPDATE_NOT_REQUESTED));
		tls_pair_send(&pair.client, bytes + at, 2000);
		tls_pair_send(&pair.server, bytes + at, 2000);
		(void)tls_pair_feed(&pair.client, &pair.server,
				    next_random(&state) % 6000);
		(void)tls_pair_feed(&pair.server, &pair.client,
				    next_random(&state) % 6000);
	}
	tls_pair_settle(&pair);
	CU_ASSERT(has_arrived(&pair.client, bytes, 200000));
	CU_ASSERT(has_arrived(&pair.server, bytes, 200000));
	tls_pair_clear(&pair);
}

/* A reply that is asked of us leaves before our next byte (RFC 8446 4.6.3). */
static void
test_key_update_reply(void)
{
	struct tls_pair pair;
	SSL *client;
	size_t plain, replied;

	pair_connect(&pair, TLS1_3_VERSION);
	client = tls_engine_ssl(pair.client.engine);
	tls_pair_send(&pair.server, "x", 1);
	plain = pair.server.wire.length;
	tls_pair_settle(&pair);
	CU_ASSERT(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED));
	tls_pair_send(&pair.client, "y", 1);
	CU_ASSERT(tls_pair_feed(&pair.client, &pair.server, SIZE_MAX) ==
		  TLS_WANT_INPUT);
	CU_ASSERT(pair.server.wire.length == 0);
	tls_pair_send(&pair.server, "z", 1);
	replied = pair.server.wire.length;
	CU_ASSERT(replied > plain && replied < 3 * plain);
	tls_pair_settle(&pair);
	CU_ASSERT(has_arrived(&pair.client, (const unsigned char *)"xz", 2));
	tls_pair_clear(&pair);
}

/* Nothing follows our close_notify: no reply, and no alert either. */
static void
test_silence_after_close(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct tls_pair pair;

		pair_connect(&pair, versions[i]);
		tls_engine_close(pair.server.engine, &pair.server.wire);
		tls_pair_settle(&pair);
		CU_ASSERT(tls_engine_is_closed(pair.client.engine));
		if (versions[i] == TLS1_3_VERSION)
			CU_ASSERT(SSL_key_update(
				tls_engine_ssl(pair.client.engine),
				SSL_KEY_UPDATE_REQUESTED));
		tls_pair_send(&pair.client, "x", 1);
		CU_ASSERT(tls_pair_feed(&pair.client, &pair.server, SIZE_MAX) ==
			  TLS_WANT_INPUT);
		CU_ASSERT(has_arrived(&pair.server, (const unsigned char *)"x",
				      1));
		CU_ASSERT(tls_pair_feed_bytes(&pair.server,
					      "\x17\3\3\0\24junkjunkjunkjunkju"
					      "nk",
					      25) == TLS_FAILED);
		CU_ASSERT(pair.server.wire.length == 0);
		tls_pair_clear(&pair);
	}
}

/* A ticket that is larger than the records it comes in. */
static int
add_baggage(SSL *ssl, void *argument)
{
	static const unsigned char baggage[3000];

	(void)argument;
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), baggage,
					       sizeof(baggage));
}

static SSL_TICKET_RETURN
take_baggage(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
	     size_t name_length, SSL_TICKET_STATUS status, void *argument)
{
	(void)ssl;
	(void)session;
	(void)name;
	(void)name_length;
	(void)status;
	(void)argument;
	return SSL_TICKET_RETURN_IGNORE;
}

/* The client has the first piece of a ticket. */
static void
pair_connect_half_ticket(struct tls_pair *pair)
{
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->ecdsa);
	struct tls_output tickets;

	tls_fixture_set_versions(client, TLS1_3_VERSION, 0);
	CU_ASSERT(SSL_CTX_set_max_send_fragment(server, 512) == 1);
	CU_ASSERT(SSL_CTX_set_num_tickets(server, 1));
	CU_ASSERT(SSL_CTX_set_session_ticket_cb(server, add_baggage,
						take_baggage, NULL));
	tls_pair_init(pair, client, server);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	(void)tls_pair_feed_bytes(&pair->client, "", 0);
	while (!pair->server.is_established)
		(void)(pair->server.wire.length
			       ? tls_pair_feed(&pair->server, &pair->client,
					       SIZE_MAX)
			       : tls_pair_feed(&pair->client, &pair->server,
					       SIZE_MAX));
	tickets = pair->server.wire;
	CU_ASSERT_FATAL(tickets.length > 3000);
	CU_ASSERT(tls_pair_feed(&pair->server, &pair->client,
				5 + ((size_t)tickets.bytes[3] << 8 |
				     tickets.bytes[4])) == TLS_WANT_INPUT);
	CU_ASSERT(!tls_engine_is_holding(pair->client.engine));
}

static void
test_holding(void)
{
	uint32_t state = 6;
	AUTO_FREE unsigned char *bytes = random_bytes(&state, 30000);
	struct tls_pair pair;

	pair_connect_half_ticket(&pair);
	tls_pair_send(&pair.client, bytes, 10000);
	CU_ASSERT(tls_engine_is_holding(pair.client.engine));
	CU_ASSERT(pair.client.wire.length == 0);
	tls_pair_send(&pair.client, bytes + 10000, 10000);
	/* A piece more does not free it, the rest does. */
	CU_ASSERT(tls_pair_feed(&pair.server, &pair.client, 600) ==
		  TLS_WANT_INPUT);
	CU_ASSERT(tls_engine_is_holding(pair.client.engine));
	CU_ASSERT(tls_pair_feed(&pair.server, &pair.client, SIZE_MAX) ==
		  TLS_WANT_INPUT);
	CU_ASSERT(!tls_engine_is_holding(pair.client.engine));
	CU_ASSERT(pair.client.wire.length > 20000);
	tls_pair_send(&pair.client, bytes + 20000, 10000);
	tls_pair_settle(&pair);
	CU_ASSERT(has_arrived(&pair.server, bytes, 30000));
	tls_pair_clear(&pair);
}

static void
test_holding_close(void)
{
	struct tls_pair pair;

	/* The end follows what is held. */
	pair_connect_half_ticket(&pair);
	tls_pair_send(&pair.client, "last words", 10);
	tls_engine_close(pair.client.engine, &pair.client.wire);
	tls_engine_close(pair.client.engine, &pair.client.wire);
	CU_ASSERT(pair.client.wire.length == 0);
	tls_pair_settle(&pair);
	CU_ASSERT(has_arrived(&pair.server, (const unsigned char *)"last words",
			      10));
	CU_ASSERT(tls_engine_is_closed(pair.server.engine));
	CU_ASSERT(pair.server.result == TLS_CLOSED);
	tls_pair_clear(&pair);

	/* ... or comes alone. */
	pair_connect_half_ticket(&pair);
	tls_engine_close(pair.client.engine, &pair.client.wire);
	CU_ASSERT(pair.client.wire.length == 0);
	tls_pair_settle(&pair);
	CU_ASSERT(pair.server.result == TLS_CLOSED);
	tls_pair_clear(&pair);

	/* Freed with something held. */
	pair_connect_half_ticket(&pair);
	tls_pair_send(&pair.client, "lost", 4);
	tls_pair_clear(&pair);
}

/* Holding has an end. */
static void
test_holding_bound(void)
{
	uint32_t state = 8;
	AUTO_FREE unsigned char *bytes = random_bytes(&state, 400000);
	enum tls_result result = TLS_DONE;
	struct tls_pair pair;
	size_t taken = 0;

	pair_connect_half_ticket(&pair);
	while (result == TLS_DONE && taken < 10000000) {
		result = tls_engine_encrypt(pair.client.engine, bytes, 400000,
					    &pair.client.wire);
		taken += 400000;
	}
	CU_ASSERT(result == TLS_FAILED);
	CU_ASSERT(taken < 2000000);
	CU_ASSERT(tls_engine_failure(pair.client.engine)->fault ==
		  TLS_FAULT_PROTOCOL);
	tls_pair_clear(&pair);
}

/* A client that is no engine of ours: it sends messages without data. */
struct updater {
	SSL *ssl;
	BIO *in;
	BIO *out;
	struct tls_pair_end server;
};

/* Give the server what the client has written. */
static enum tls_result
updater_pass(struct updater *updater)
{
	char *bytes;
	long length = BIO_get_mem_data(updater->out, &bytes);
	enum tls_result result =
		tls_pair_feed_bytes(&updater->server, bytes, (size_t)length);

	(void)BIO_reset(updater->out);
	BIO_write(updater->in, updater->server.wire.bytes,
		  (int)updater->server.wire.length);
	updater->server.wire.length = 0;
	return result;
}

static void
updater_connect(struct updater *updater)
{
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->ecdsa);

	*updater = (struct updater){.ssl = SSL_new(client)};
	updater->in = BIO_new(BIO_s_mem());
	updater->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(updater->in, -1);
	BIO_set_mem_eof_return(updater->out, -1);
	SSL_set_bio(updater->ssl, updater->in, updater->out);
	SSL_set_connect_state(updater->ssl);
	updater->server.engine = tls_engine_new_server(server);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	while (SSL_do_handshake(updater->ssl) != 1)
		(void)updater_pass(updater);
	(void)updater_pass(updater);
	CU_ASSERT_FATAL(updater->server.is_established);
	CU_ASSERT_FATAL(SSL_version(updater->ssl) == TLS1_3_VERSION);
}

static void
updater_clear(struct updater *updater)
{
	SSL_free(updater->ssl);
	tls_engine_free(updater->server.engine);
	mem_free(updater->server.wire.bytes);
	mem_free(updater->server.plain.bytes);
	clock_shift(0);
}

static void
updater_update(struct updater *updater)
{
	CU_ASSERT(SSL_key_update(updater->ssl, SSL_KEY_UPDATE_REQUESTED));
	CU_ASSERT(SSL_do_handshake(updater->ssl) == 1);
}

static void
test_updates_in_a_row(void)
{
	struct updater updater;

	updater_connect(&updater);
	/* Four are well, again behind data of the one or the other, and again
	 * in the next second. */
	for (int turn = 0; turn < 4; turn++) {
		for (int i = 0; i < 4; i++)
			updater_update(&updater);
		CU_ASSERT(updater_pass(&updater) == TLS_WANT_INPUT);
		if (turn == 0) {
			CU_ASSERT(SSL_write(updater.ssl, "x", 1) == 1);
		} else if (turn == 1) {
			tls_pair_send(&updater.server, "y", 1);
		} else {
			clock_shift(1000 * turn);
		}
	}
	/* The fifth is not, and what is behind it does not count. */
	CU_ASSERT(SSL_write(updater.ssl, "z", 1) == 1);
	for (int i = 0; i < 5; i++)
		updater_update(&updater);
	CU_ASSERT(SSL_write(updater.ssl, "late", 4) == 4);
	CU_ASSERT(updater_pass(&updater) == TLS_FAILED);
	CU_ASSERT(has_arrived(&updater.server, (const unsigned char *)"xz", 2));
	CU_ASSERT(tls_engine_failure(updater.server.engine)->fault ==
		  TLS_FAULT_PROTOCOL);
	updater_clear(&updater);
}

static void
test_messages_a_second(void)
{
	struct updater updater;

	updater_connect(&updater);
	for (int second = 0; second < 3; second++) {
		clock_shift(1000 * second);
		for (int i = 0; i < 100; i++) {
			updater_update(&updater);
			CU_ASSERT(SSL_write(updater.ssl, "x", 1) == 1);
			CU_ASSERT(updater_pass(&updater) == TLS_WANT_INPUT);
		}
	}
	updater_update(&updater);
	CU_ASSERT(updater_pass(&updater) == TLS_FAILED);
	CU_ASSERT(updater.server.plain.length == 300);
	updater_clear(&updater);
}

static void
test_output(void)
{
	struct tls_output output = {0};
	size_t capacity, growths = 0;

	tls_output_append(&output, "", 0);
	CU_ASSERT(output.bytes == NULL && output.capacity == 0);
	tls_output_reserve(&output, 10);
	CU_ASSERT(output.capacity >= 10 && output.length == 0);
	capacity = output.capacity;
	for (unsigned int i = 0; i < 100000; i++) {
		const unsigned char bytes[] = {(unsigned char)i,
					       (unsigned char)(i >> 8)};

		tls_output_append(&output, bytes, sizeof(bytes));
		growths += output.capacity != capacity;
		capacity = output.capacity;
	}
	CU_ASSERT(output.length == 200000);
	CU_ASSERT(output.bytes[199998] == (unsigned char)99999);
	CU_ASSERT(growths < 20);
	tls_output_reserve(&output, output.capacity - output.length);
	CU_ASSERT(output.capacity == capacity);
	mem_free(output.bytes);
}

UNIT_SUITE(tls_engine, {"handshake_steps", test_handshake_steps},
	   {"abandoned", test_abandoned}, {"transfer", test_transfer},
	   {"records", test_records}, {"tiny_records", test_tiny_records},
	   {"early_bytes", test_early_bytes}, {"half_close", test_half_close},
	   {"truncation", test_truncation}, {"corruption", test_corruption},
	   {"key_update", test_key_update},
	   {"key_update_reply", test_key_update_reply},
	   {"silence_after_close", test_silence_after_close},
	   {"holding", test_holding}, {"holding_close", test_holding_close},
	   {"holding_bound", test_holding_bound},
	   {"updates_in_a_row", test_updates_in_a_row},
	   {"messages_a_second", test_messages_a_second},
	   {"output", test_output});
