/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Staples that change all the time, while clients that ask for them are in the
 * middle of their handshakes: each of them gets a whole one, of its own
 * certificate, that was in force while it was there.
 */
#include <stdint.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/staple_table.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

/* The first ones are those of the servers. */
#define SERVERS 2
#define LEAVES  200

#define VISITS_AT_ONCE 24
#define VISITS         120

/* So little goes at once, that a server stops between its certificate and its
 * staple, too. */
#define WIRE    512
#define CHAIN   10
#define HEAD    8
#define USUALLY 2000

struct churn {
	struct staple_table *table;
	int64_t now_ms;
	uint64_t random;
	uint32_t changes; /* so far */
	unsigned char leaves[LEAVES][STAPLE_DIGEST_SIZE];
	uint32_t
		staples[LEAVES]; /* the change that made it; 0: there is none */
	uint32_t absent[LEAVES]; /* the last change after which it was so */
};

struct visit {
	unsigned int leaf;
	uint32_t staple, since; /* what was in force when it began, and when */
	SSL *client, *server;
};

/* The same ones in each run. */
static uint32_t
draw(struct churn *churn, uint32_t below)
{
	churn->random =
		churn->random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(churn->random >> 33) % below;
}

static unsigned char
byte_of(uint32_t change, unsigned int leaf, size_t place)
{
	return (unsigned char)(change * 31 + leaf * 7 + place * 13);
}

/* Its length and the change that made it, and what follows from those. */
static void
make(unsigned char *bytes, size_t length, uint32_t change, unsigned int leaf)
{
	uint32_t head[2] = {(uint32_t)length, change};

	memcpy(bytes, head, HEAD);
	for (size_t i = HEAD; i < length; i++)
		bytes[i] = byte_of(change, leaf, i);
}

/* The change that made it; 0: it is not whole, or another's. */
static uint32_t
read_whole(const unsigned char *bytes, size_t length, unsigned int leaf)
{
	uint32_t head[2];

	if (length < HEAD)
		return 0;
	memcpy(head, bytes, HEAD);
	if (head[0] != length)
		return 0;
	for (size_t i = HEAD; i < length; i++)
		if (bytes[i] != byte_of(head[1], leaf, i))
			return 0;
	return head[1];
}

static void
check_one(const struct churn *churn, unsigned int leaf)
{
	size_t length = 0;
	const unsigned char *bytes = staple_table_find(
		churn->table, churn->leaves[leaf], churn->now_ms, &length);

	if (churn->staples[leaf] == 0) {
		CU_ASSERT_PTR_NULL_FATAL(bytes);
	} else {
		CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
		CU_ASSERT_EQUAL_FATAL(read_whole(bytes, length, leaf),
				      churn->staples[leaf]);
	}
}

static size_t
draw_length(struct churn *churn)
{
	switch (draw(churn, 16)) {
	case 0:
		return STAPLE_SIZE_MAX;
	case 1:
		return HEAD;
	default:
		return HEAD + draw(churn, USUALLY);
	}
}

/* Another one, none, or one that is over already. */
static void
change(struct churn *churn)
{
	static unsigned char bytes[STAPLE_SIZE_MAX];
	unsigned int leaf = draw(churn, draw(churn, 3) == 0 ? SERVERS : LEAVES);
	unsigned int what = draw(churn, 8);
	int64_t until_ms = churn->now_ms + (what == 0 ? 0 : 3600000);
	size_t length = what == 1 ? 0 : draw_length(churn);

	churn->changes++;
	make(bytes, length > 0 ? length : HEAD, churn->changes, leaf);
	CU_ASSERT_EQUAL_FATAL(staple_table_set(churn->table,
					       churn->leaves[leaf], until_ms,
					       bytes, length),
			      0);
	churn->staples[leaf] = what > 1 ? churn->changes : 0;
	if (what <= 1)
		churn->absent[leaf] = churn->changes;
	check_one(churn, leaf);
	check_one(churn, draw(churn, LEAVES));
}

static void
churn_init(struct churn *churn)
{
	*churn = (struct churn){
		.table = staple_table_new(),
		.now_ms = clock_real_ms(),
		.random = 2026,
	};
	/* Some with the same hash, too. */
	for (unsigned int i = SERVERS; i < LEAVES; i++) {
		churn->leaves[i][0] = (unsigned char)(i % 64);
		churn->leaves[i][STAPLE_DIGEST_SIZE - 1] = (unsigned char)i;
	}
}

static void
churn_finish(struct churn *churn)
{
	for (unsigned int i = 0; i < LEAVES; i++)
		CU_ASSERT_EQUAL(staple_table_set(churn->table, churn->leaves[i],
						 0, NULL, 0),
				0);
	CU_ASSERT_EQUAL(staple_table_count(churn->table), 0);
	staple_table_free(churn->table);
}

/* Clients. */

static void
visit_begin(struct churn *churn, struct visit *visit, SSL_CTX *client,
	    SSL_CTX *const servers[SERVERS])
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	int version = versions[draw(churn, ARRAY_SIZE(versions))];
	unsigned int leaf = draw(churn, SERVERS);
	BIO *ours, *theirs;

	*visit = (struct visit){
		.leaf = leaf,
		.staple = churn->staples[leaf],
		.since = churn->changes,
		.client = SSL_new(client),
		.server = SSL_new(servers[leaf]),
	};
	CU_ASSERT_EQUAL_FATAL(BIO_new_bio_pair(&ours, WIRE, &theirs, WIRE), 1);
	SSL_set_bio(visit->client, ours, ours);
	SSL_set_bio(visit->server, theirs, theirs);
	CU_ASSERT_EQUAL_FATAL(SSL_set_min_proto_version(visit->client, version),
			      1);
	CU_ASSERT_EQUAL_FATAL(SSL_set_max_proto_version(visit->client, version),
			      1);
	SSL_set_connect_state(visit->client);
	SSL_set_accept_state(visit->server);
}

static void
visit_end(struct visit *visit)
{
	SSL_free(visit->client);
	SSL_free(visit->server);
}

static void
check_sent(const struct churn *churn, const struct visit *visit, SSL *ssl,
	   bool must_be_there)
{
	const unsigned char *bytes = NULL;
	long length = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
	uint32_t staple;

	if (length <= 0) {
		if (must_be_there)
			CU_ASSERT_FATAL(visit->staple == 0 ||
					churn->absent[visit->leaf] >
						visit->since);
		return;
	}
	staple = read_whole(bytes, (size_t)length, visit->leaf);
	CU_ASSERT_FATAL(staple != 0);
	CU_ASSERT_FATAL(staple == visit->staple || staple > visit->since);
}

/* One end goes on as far as it can. True: both are there. */
static bool
visit_go_on(struct churn *churn, struct visit *visit)
{
	SSL *ssl = draw(churn, 2) ? visit->client : visit->server;

	if (SSL_do_handshake(ssl) != 1) {
		int why = SSL_get_error(ssl, -1);

		CU_ASSERT_FATAL(why == SSL_ERROR_WANT_READ ||
				why == SSL_ERROR_WANT_WRITE);
	}
	/* A server has it until it is released. */
	check_sent(churn, visit, visit->server, false);
	if (!SSL_is_init_finished(visit->client) ||
	    !SSL_is_init_finished(visit->server))
		return false;
	check_sent(churn, visit, visit->client, true);
	staple_table_release(visit->server);
	return true;
}

/* One server for each type of key. */
static SSL_CTX *
server_of(struct churn *churn, unsigned int leaf,
	  const struct certificate *from)
{
	struct certificate own = *from;
	SSL_CTX *server;

	own.leaf = X509_dup(from->leaf);
	memcpy(churn->leaves[leaf], from->digest, STAPLE_DIGEST_SIZE);
	server = tls_fixture_bare_server(&own);
	for (int i = 0; i < CHAIN; i++)
		CU_ASSERT_EQUAL_FATAL(
			SSL_CTX_add1_chain_cert(server, from->leaf), 1);
	CU_ASSERT_EQUAL_FATAL(
		staple_table_attach(server, own.leaf, from->digest), 0);
	X509_free(own.leaf);
	return server;
}

static void
test_while_clients_ask(void)
{
	const struct tls_fixture *fixture = tls_fixture();
	SSL_CTX *client = tls_fixture_bare_client();
	struct visit visits[VISITS_AT_ONCE];
	SSL_CTX *servers[SERVERS];
	unsigned int over = 0;
	struct churn churn;

	churn_init(&churn);
	servers[0] = server_of(&churn, 0, fixture->ecdsa);
	servers[1] = server_of(&churn, 1, fixture->ed25519);
	SSL_CTX_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
	staple_table_install(churn.table);
	for (size_t i = 0; i < VISITS_AT_ONCE; i++)
		visit_begin(&churn, &visits[i], client, servers);
	while (over < VISITS) {
		struct visit *visit = &visits[draw(&churn, VISITS_AT_ONCE)];

		change(&churn);
		if (!visit_go_on(&churn, visit))
			continue;
		visit_end(visit);
		over++;
		visit_begin(&churn, visit, client, servers);
	}
	staple_table_install(NULL);
	churn_finish(&churn);
	/* What was handed out to them is theirs. */
	for (size_t i = 0; i < VISITS_AT_ONCE; i++) {
		check_sent(&churn, &visits[i], visits[i].server, false);
		visit_end(&visits[i]);
	}
	for (size_t i = 0; i < SERVERS; i++)
		SSL_CTX_free(servers[i]);
	SSL_CTX_free(client);
}

UNIT_SUITE(staple_churn, {"while_clients_ask", test_while_clients_ask});
