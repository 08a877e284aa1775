/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory TLS pairs. Every span that an engine is given lives in an exact copy
 * of its own, so that a sanitizer sees a read past its end.
 */
#include "tests/lib/tls_pair.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void
tls_pair_init(struct tls_pair *pair, SSL_CTX *client, SSL_CTX *server)
{
	*pair = (struct tls_pair){0};
	pair->client.engine = tls_engine_new_client(client);
	pair->server.engine = tls_engine_new_server(server);
	if (!pair->client.engine || !pair->server.engine)
		abort();
	pair->client.result = TLS_WANT_INPUT;
	pair->server.result = TLS_WANT_INPUT;
}

static void
clear_end(struct tls_pair_end *end)
{
	tls_engine_free(end->engine);
	mem_free(end->wire.bytes);
	mem_free(end->plain.bytes);
	*end = (struct tls_pair_end){0};
}

void
tls_pair_clear(struct tls_pair *pair)
{
	clear_end(&pair->client);
	clear_end(&pair->server);
}

static void
take(struct tls_pair_end *end, struct tls_input *input)
{
	if (end->result == TLS_FAILED)
		return;
	if (!end->is_established) {
		end->result =
			tls_engine_handshake(end->engine, input, &end->wire);
		if (end->result != TLS_DONE)
			return;
		end->is_established = true;
	}
	end->result =
		tls_engine_decrypt(end->engine, input, &end->plain, &end->wire);
}

enum tls_result
tls_pair_feed_bytes(struct tls_pair_end *to, const void *bytes, size_t length)
{
	unsigned char *copy = mem_dup(bytes, length);
	struct tls_input input = {copy, length};

	take(to, &input);
	mem_free(copy);
	return to->result;
}

enum tls_result
tls_pair_feed(struct tls_pair_end *from, struct tls_pair_end *to, size_t length)
{
	unsigned char *copy;
	struct tls_input input;

	if (length > from->wire.length)
		length = from->wire.length;
	if (length == 0)
		return to->result;
	copy = mem_dup(from->wire.bytes, length);
	from->wire.length -= length;
	memmove(from->wire.bytes, from->wire.bytes + length, from->wire.length);
	input = (struct tls_input){copy, length};
	take(to, &input);
	mem_free(copy);
	return to->result;
}

void
tls_pair_settle(struct tls_pair *pair)
{
	while (pair->client.wire.length > 0 || pair->server.wire.length > 0) {
		(void)tls_pair_feed(&pair->client, &pair->server,
				    pair->client.wire.length);
		(void)tls_pair_feed(&pair->server, &pair->client,
				    pair->server.wire.length);
	}
}

bool
tls_pair_handshake(struct tls_pair *pair, size_t step)
{
	if (step == 0)
		step = SIZE_MAX;
	tls_pair_feed_bytes(&pair->client, "", 0);
	while (pair->client.wire.length > 0 || pair->server.wire.length > 0) {
		(void)tls_pair_feed(&pair->client, &pair->server, step);
		(void)tls_pair_feed(&pair->server, &pair->client, step);
	}
	return pair->client.is_established && pair->server.is_established;
}

void
tls_pair_send(struct tls_pair_end *from, const void *bytes, size_t length)
{
	from->result =
		tls_engine_encrypt(from->engine, bytes, length, &from->wire);
	if (from->result != TLS_DONE)
		abort();
}
