/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tickets of an accept gate, between two engines: who gets how many and when,
 * how long they are good for, and that whatever is wrong with one is a full
 * handshake.
 */
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/certificate_create.h"
#include "common/tls/session_tickets.h"
#include "common/tls/ticket_keys.h"
#include "common/tls/tls_policy.h"
#include "common/verify/peer_check.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define SECOND   1000LL
#define LIFETIME 7200
#define DAY      (24 * 3600)

/* A gate, and a client that keeps what it is given. */
struct scene {
	struct tls_settings settings;
	struct tls_policy *policy;
	SSL_CTX *server, *client;
	struct tls_pair pair;
	struct certificate *certificate; /* the client's, or NULL */
	SSL_SESSION *session;            /* the last one given */
	size_t given;                    /* during the last visit */
	bool is_resumed;                 /* the last visit */
};

static struct ticket_key
key_of(unsigned char name, int64_t from)
{
	struct ticket_key key = {
		.aes_length = 32,
		.hmac_length = 32,
		.from = from,
		.until = from + 10 * DAY,
	};

	memset(key.name, name, sizeof(key.name));
	memset(key.aes, name + 1, key.aes_length);
	memset(key.hmac, name + 2, key.hmac_length);
	return key;
}

/* The ring of these settings, with one key for each letter, each younger than
 * the one before; the last one is current. */
static void
put_ring(const struct tls_settings *settings, const char *names)
{
	unsigned char id[TICKET_RING_ID_SIZE];
	struct ticket_ring *ring;
	int64_t from = clock_real_ms() / 1000 - DAY;

	CU_ASSERT_FATAL(ticket_ring_id(&settings->session, id));
	ring = ticket_ring_new(id);
	for (; *names; names++) {
		struct ticket_key key = key_of((unsigned char)*names, from++);

		/* Small letters: nginx's files of 48 bytes. */
		if (*names >= 'a')
			key.aes_length = key.hmac_length = 16;
		CU_ASSERT_FATAL(ticket_ring_add(ring, &key));
	}
	ticket_keys_put(ring);
}

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct scene *scene = SSL_get_app_data(ssl);

	SSL_SESSION_free(scene->session);
	scene->session = session;
	scene->given++;
	return 1;
}

static struct tls_settings
tickets_settings(void)
{
	struct tls_settings settings = tls_fixture_server_settings();

	settings.session.is_resumed = true;
	settings.session.tickets = (struct tls_tickets){
		.mode = TLS_TICKETS_AUTO,
		.rotate_ms = 12 * 3600 * SECOND,
		.keep = 3,
		.lifetime_ms = LIFETIME * SECOND,
		.number = 2,
	};
	return settings;
}

static void
use_settings(struct scene *scene, const struct tls_settings *settings)
{
	SSL_CTX_free(scene->server);
	tls_policy_unref(scene->policy);
	scene->settings = *settings;
	scene->policy = tls_fixture_server(settings);
	scene->server = tls_fixture_context(scene->policy, tls_fixture()->ecdsa,
					    NULL, NULL);
}

static void
show_certificate(struct scene *scene, const struct test_identity *identity)
{
	scene->certificate = test_certificate(identity);
	if (!SSL_CTX_use_certificate(scene->client, scene->certificate->leaf) ||
	    !SSL_CTX_use_PrivateKey(scene->client, scene->certificate->key) ||
	    !SSL_CTX_set1_chain(scene->client, scene->certificate->chain))
		abort();
}

static void
scene_init(struct scene *scene, int version)
{
	struct tls_settings settings = tickets_settings();

	*scene = (struct scene){.given = 0};
	use_settings(scene, &settings);
	put_ring(&settings, "A");
	scene->client = tls_fixture_bare_client();
	SSL_CTX_set_session_cache_mode(scene->client,
				       SSL_SESS_CACHE_CLIENT |
					       SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(scene->client, on_session);
	tls_fixture_set_versions(scene->client, version, version);
}

static void
scene_clear(struct scene *scene)
{
	ticket_keys_drop_all();
	SSL_SESSION_free(scene->session);
	SSL_CTX_free(scene->client);
	SSL_CTX_free(scene->server);
	tls_policy_unref(scene->policy);
	certificate_unref(scene->certificate);
	CU_ASSERT(ERR_peek_error() == 0);
}

/* Shake hands with the last session, if there is one. */
static void
begin(struct scene *scene)
{
	struct tls_pair *pair = &scene->pair;
	struct error error = {.text = ""};
	char name[] = "web.example.org";
	SSL *client, *server;

	tls_pair_init(pair, scene->client, scene->server);
	client = tls_engine_ssl(pair->client.engine);
	server = tls_engine_ssl(pair->server.engine);
	SSL_set_app_data(client, scene);
	SSL_set_tlsext_host_name(client, name);
	if (scene->session)
		CU_ASSERT_FATAL(SSL_set_session(client, scene->session));
	scene->given = 0;
	CU_ASSERT_FATAL(tls_pair_handshake(pair, 0));
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL_FATAL(peer_check_confirm(server, &error), 0);
	scene->is_resumed = SSL_session_reused(server);
	CU_ASSERT_EQUAL(scene->is_resumed, SSL_session_reused(client));
}

/* A new ticket for a session of TLS 1.2 that was resumed: OpenSSL tells
 * nobody. */
static void
take_renewed(struct scene *scene, SSL *client)
{
	SSL_SESSION *session = SSL_get1_session(client);

	if (session == scene->session || !scene->is_resumed ||
	    SSL_version(client) == TLS1_3_VERSION) {
		SSL_SESSION_free(session);
		return;
	}
	SSL_SESSION_free(scene->session);
	scene->session = session;
	scene->given++;
}

static void
end(struct scene *scene)
{
	struct tls_pair *pair = &scene->pair;

	take_renewed(scene, tls_engine_ssl(pair->client.engine));

	/* Or OpenSSL takes the session for one that ended badly. */
	SSL_set_shutdown(tls_engine_ssl(pair->client.engine),
			 SSL_SENT_SHUTDOWN);
	CU_ASSERT_NOT_EQUAL(pair->client.result, TLS_FAILED);
	CU_ASSERT_NOT_EQUAL(pair->server.result, TLS_FAILED);
	tls_pair_clear(pair);
}

/* Let in, and answered. */
static void
visit(struct scene *scene)
{
	struct tls_pair *pair = &scene->pair;

	begin(scene);
	tls_engine_allow_tickets(pair->server.engine);
	tls_pair_send(&pair->server, "answer", 6);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(pair->client.plain.length, 6);
	end(scene);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
check_numbers(int version, unsigned int number)
{
	bool is_1_3 = version == TLS1_3_VERSION;
	struct tls_settings settings = tickets_settings();
	struct scene scene;

	scene_init(&scene, version);
	settings.session.tickets.number = number;
	use_settings(&scene, &settings);
	visit(&scene);
	CU_ASSERT_FALSE(scene.is_resumed);
	CU_ASSERT_EQUAL(scene.given, is_1_3 ? number : 1);
	for (int i = 0; i < 3; i++) {
		visit(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		/* A ticket of TLS 1.2 is good for more than one time. */
		CU_ASSERT_EQUAL(scene.given, is_1_3);
	}
	scene_clear(&scene);
}

static void
test_numbers(void)
{
	check_numbers(TLS1_2_VERSION, 2);
	for (unsigned int number = 1; number <= 8; number++)
		check_numbers(TLS1_3_VERSION, number);
}

/* Nobody has a ticket before he is let in, or with nothing behind it. */
static void
test_held_back(void)
{
	struct scene scene;
	struct tls_pair *pair = &scene.pair;

	scene_init(&scene, TLS1_3_VERSION);
	begin(&scene);
	tls_pair_send(&pair->server, "a", 1);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(scene.given, 0);
	tls_engine_allow_tickets(pair->server.engine);
	CU_ASSERT_EQUAL(pair->server.wire.length, 0);
	tls_pair_send(&pair->server, "", 0);
	CU_ASSERT_EQUAL(pair->server.wire.length, 0);
	tls_pair_send(&pair->client, "question", 8);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(scene.given, 0);
	tls_pair_send(&pair->server, "answer", 6);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(scene.given, 2);
	tls_pair_send(&pair->server, "more", 4);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(scene.given, 2);
	CU_ASSERT_EQUAL(pair->client.plain.length, 1 + 6 + 4);
	end(&scene);
	scene_clear(&scene);
}

/* Where nothing is left to say there are no tickets, and a proper end. */
static void
test_only_closed(void)
{
	struct scene scene;
	struct tls_pair *pair = &scene.pair;

	scene_init(&scene, TLS1_3_VERSION);
	begin(&scene);
	tls_engine_allow_tickets(pair->server.engine);
	tls_engine_close(pair->server.engine, &pair->server.wire);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(scene.given, 0);
	CU_ASSERT_TRUE(tls_engine_is_closed(pair->client.engine));
	end(&scene);
	scene_clear(&scene);
}

static long
hint(const struct scene *scene)
{
	return (long)SSL_SESSION_get_ticket_lifetime_hint(scene->session);
}

/* Counted from the first handshake, however often it is resumed. */
static void
check_lifetime(int version)
{
	bool is_1_3 = version == TLS1_3_VERSION;
	struct scene scene;

	scene_init(&scene, version);
	visit(&scene);
	CU_ASSERT(hint(&scene) <= LIFETIME && hint(&scene) > LIFETIME - 60);
	for (int i = 1; i < 4; i++) {
		clock_shift(i * (LIFETIME / 4) * SECOND);
		visit(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		if (is_1_3) {
			long left = LIFETIME - i * (LIFETIME / 4);

			CU_ASSERT(hint(&scene) <= left);
			CU_ASSERT(hint(&scene) > left - 60);
		}
	}
	clock_shift(LIFETIME * SECOND);
	visit(&scene);
	CU_ASSERT_FALSE(scene.is_resumed);
	CU_ASSERT_EQUAL(scene.given, is_1_3 ? 2 : 1);
	visit(&scene);
	CU_ASSERT_TRUE(scene.is_resumed);
	clock_shift(0);
	scene_clear(&scene);
}

static void
test_lifetime(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		check_lifetime(versions[i]);
}

/* A shorter lifetime holds for sessions that are there already. */
static void
test_shorter(void)
{
	struct tls_settings settings = tickets_settings();
	struct scene scene;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		scene_init(&scene, versions[i]);
		visit(&scene);
		settings.session.tickets.lifetime_ms = 60 * SECOND;
		use_settings(&scene, &settings);
		visit(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		if (versions[i] == TLS1_3_VERSION)
			CU_ASSERT(hint(&scene) <= 60);
		clock_shift(61 * SECOND);
		visit(&scene);
		CU_ASSERT_FALSE(scene.is_resumed);
		clock_shift(0);
		scene_clear(&scene);
	}
}

static void
check_keys(int version)
{
	struct scene scene;

	scene_init(&scene, version);
	visit(&scene);
	/* An older key: it is good, and there is a new ticket. */
	put_ring(&scene.settings, "AB");
	visit(&scene);
	CU_ASSERT_TRUE(scene.is_resumed);
	CU_ASSERT_EQUAL(scene.given, 1);
	put_ring(&scene.settings, "B");
	visit(&scene);
	CU_ASSERT_TRUE(scene.is_resumed);
	/* Files of 48 bytes. */
	put_ring(&scene.settings, "Bc");
	visit(&scene);
	CU_ASSERT_TRUE(scene.is_resumed);
	put_ring(&scene.settings, "c");
	visit(&scene);
	CU_ASSERT_TRUE(scene.is_resumed);
	/* A key that nobody knows any more. */
	put_ring(&scene.settings, "D");
	visit(&scene);
	CU_ASSERT_FALSE(scene.is_resumed);
	CU_ASSERT_EQUAL(scene.given, version == TLS1_3_VERSION ? 2 : 1);
	visit(&scene);
	CU_ASSERT_TRUE(scene.is_resumed);
	/* No key at all: no ticket is promised, and none is sent. */
	ticket_keys_drop_all();
	visit(&scene);
	CU_ASSERT_FALSE(scene.is_resumed);
	CU_ASSERT_EQUAL(scene.given, 0);
	scene_clear(&scene);
}

static void
test_keys(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		check_keys(versions[i]);
}

/* The session with one bit of its ticket another; NULL behind its end. */
static SSL_SESSION *
with_bit(const SSL_SESSION *session, size_t at)
{
	AUTO_FREE unsigned char *bytes =
		mem_alloc((size_t)i2d_SSL_SESSION(session, NULL));
	const unsigned char *ticket, *from = bytes;
	unsigned char *end = bytes, *found;
	size_t length;

	SSL_SESSION_get0_ticket(session, &ticket, &length);
	if (at >= length)
		return NULL;
	(void)i2d_SSL_SESSION(session, &end);
	found = memmem(bytes, (size_t)(end - bytes), ticket, length);
	CU_ASSERT_FATAL(found != NULL);
	found[at] ^= 1;
	return d2i_SSL_SESSION(NULL, &from, end - bytes);
}

/* One bit anywhere makes it a ticket of nobody's. */
static void
test_forged(void)
{
	struct scene scene;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		SSL_SESSION *good, *bad;
		size_t at = 0;

		scene_init(&scene, versions[i]);
		visit(&scene);
		good = TAKE(scene.session);
		for (; (bad = with_bit(good, at)); at += 11) {
			scene.session = bad;
			visit(&scene);
			CU_ASSERT_FALSE(scene.is_resumed);
			SSL_SESSION_free(TAKE(scene.session));
		}
		CU_ASSERT(at > 100);
		scene.session = good;
		visit(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		scene_clear(&scene);
	}
}

/* verify: required or optional */
static struct tls_settings
verifying(enum tls_verify_mode mode)
{
	struct tls_settings settings = tickets_settings();

	settings.verify = tls_fixture_client_settings().verify;
	settings.verify.mode = mode;
	return settings;
}

/* The verdict is there again, until a certificate of the chain ends. */
static void
test_client_certificate(void)
{
	const struct tls_settings settings = verifying(TLS_VERIFY_REQUIRED);
	struct tls_settings longer = settings;
	struct test_identity *leaf =
		test_leaf("p256", "good.client", tls_fixture()->issuer);

	longer.session.tickets.lifetime_ms = 24 * 3600 * SECOND;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		const struct peer_verdict *verdict;
		struct scene scene;
		SSL *ssl;

		scene_init(&scene, versions[i]);
		use_settings(&scene, &settings);
		show_certificate(&scene, leaf);
		visit(&scene);
		begin(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		ssl = tls_engine_ssl(scene.pair.server.engine);
		verdict = peer_check_verdict(ssl);
		CU_ASSERT_FATAL(verdict != NULL);
		CU_ASSERT_TRUE(verdict->is_admitted);
		CU_ASSERT_EQUAL(X509_cmp(SSL_get0_peer_certificate(ssl),
					 leaf->certificate),
				0);
		end(&scene);
		/* The clock is not OpenSSL's: the certificate has ended, and
		 * is good once more when it is shown again. */
		clock_shift(30LL * DAY * SECOND - 3600 * SECOND);
		use_settings(&scene, &longer);
		put_ring(&longer, "A");
		SSL_SESSION_free(TAKE(scene.session));
		visit(&scene);
		visit(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		clock_shift(30LL * DAY * SECOND + 1800 * SECOND);
		visit(&scene);
		CU_ASSERT_FALSE(scene.is_resumed);
		clock_shift(0);
		scene_clear(&scene);
	}
	test_identity_free(leaf);
}

/* What was let in without a certificate opens no other door. */
static void
test_other_policy(void)
{
	struct tls_settings none = tickets_settings();
	struct tls_settings optional = verifying(TLS_VERIFY_OPTIONAL);
	struct tls_settings required = verifying(TLS_VERIFY_REQUIRED);
	const struct tls_settings *orders[][2] = {
		{&none, &optional}, {&optional, &required},
		{&none, &required}, {&required, &optional},
		{&required, &none}, {&optional, &none},
	};
	struct test_identity *leaf =
		test_leaf("p256", "good.client", tls_fixture()->issuer);

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		for (size_t k = 0; k < ARRAY_SIZE(orders); k++) {
			struct scene scene;

			scene_init(&scene, versions[i]);
			show_certificate(&scene, leaf);
			use_settings(&scene, orders[k][0]);
			visit(&scene);
			use_settings(&scene, orders[k][1]);
			visit(&scene);
			CU_ASSERT_FALSE(scene.is_resumed);
			visit(&scene);
			CU_ASSERT_TRUE(scene.is_resumed);
			scene_clear(&scene);
		}
	test_identity_free(leaf);
}

/* Optional, and none was shown: that is remembered as well. */
static void
test_nobody(void)
{
	const struct tls_settings settings = verifying(TLS_VERIFY_OPTIONAL);
	struct scene scene;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		scene_init(&scene, versions[i]);
		use_settings(&scene, &settings);
		visit(&scene);
		visit(&scene);
		CU_ASSERT_TRUE(scene.is_resumed);
		scene_clear(&scene);
	}
}

/* With a certificate that is too large for a ticket. */
static void
test_too_large(void)
{
	enum {
		NAMES = 300
	};
	const struct tls_settings settings = verifying(TLS_VERIFY_REQUIRED);
	AUTO_FREE char **names = mem_array(NAMES, sizeof(*names));
	const struct certificate_request request = {
		.names = (const char *const *)names,
		.name_count = NAMES,
		.purpose = CERTIFICATE_FOR_CLIENT,
		.days = 1,
	};
	struct test_identity *leaf;

	for (size_t i = 0; i < NAMES; i++)
		names[i] = mem_format("name%zu.example.org", i);
	leaf = test_identity("p256", &request, tls_fixture()->issuer);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct scene scene;

		scene_init(&scene, versions[i]);
		use_settings(&scene, &settings);
		show_certificate(&scene, leaf);
		visit(&scene);
		visit(&scene);
		CU_ASSERT_FALSE(scene.is_resumed);
		if (versions[i] == TLS1_3_VERSION)
			CU_ASSERT_EQUAL(scene.given, 0);
		scene_clear(&scene);
	}
	test_identity_free(leaf);
	for (size_t i = 0; i < NAMES; i++)
		mem_free(names[i]);
}

/* A verdict that waits for a responder comes too late for TLS 1.2. */
static void
test_responder(void)
{
	struct tls_settings settings = verifying(TLS_VERIFY_OPTIONAL);

	settings.verify.ocsp.check = OCSP_CHECK_LEAF;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		bool is_1_3 = versions[i] == TLS1_3_VERSION;
		struct scene scene;

		scene_init(&scene, versions[i]);
		use_settings(&scene, &settings);
		visit(&scene);
		visit(&scene);
		CU_ASSERT_EQUAL(scene.is_resumed, is_1_3);
		CU_ASSERT_EQUAL(scene.session != NULL, is_1_3);
		scene_clear(&scene);
	}
}

static void
test_off(void)
{
	struct tls_settings off = tickets_settings();

	off.session.is_resumed = false;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct scene scene;

		scene_init(&scene, versions[i]);
		visit(&scene);
		/* Nor is a ticket taken that was issued before. */
		use_settings(&scene, &off);
		visit(&scene);
		CU_ASSERT_FALSE(scene.is_resumed);
		if (versions[i] == TLS1_3_VERSION)
			CU_ASSERT_EQUAL(scene.given, 0);
		SSL_SESSION_free(TAKE(scene.session));
		visit(&scene);
		CU_ASSERT_FALSE(scene.session &&
				SSL_SESSION_has_ticket(scene.session));
		scene_clear(&scene);
	}
}

/* How sessions are kept tells contexts apart, and not sessions. */
static void
test_digests(void)
{
	const struct tls_settings base = tickets_settings();
	struct tls_settings others[5];
	struct tls_policy *policy = tls_fixture_server(&base);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = base;
	others[0].session.is_resumed = false;
	others[1].session.tickets.mode = TLS_TICKETS_OFF;
	others[2].session.tickets.lifetime_ms = 60 * SECOND;
	others[3].session.tickets.number = 1;
	others[4].session.tickets.keep = 2;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct tls_policy *other = tls_fixture_server(&others[i]);

		CU_ASSERT_EQUAL(memcmp(tls_policy_digest(policy),
				       tls_policy_digest(other), 32),
				0);
		CU_ASSERT_NOT_EQUAL(memcmp(tls_policy_context_digest(policy),
					   tls_policy_context_digest(other),
					   32),
				    0);
		tls_policy_unref(other);
	}
	tls_policy_unref(policy);
}

/* What a KeyUpdate makes OpenSSL write comes first. */
static void
test_key_update(void)
{
	struct scene scene;
	struct tls_pair *pair = &scene.pair;

	scene_init(&scene, TLS1_3_VERSION);
	begin(&scene);
	CU_ASSERT_FATAL(SSL_key_update(tls_engine_ssl(pair->client.engine),
				       SSL_KEY_UPDATE_REQUESTED));
	tls_pair_send(&pair->client, "x", 1);
	tls_engine_allow_tickets(pair->server.engine);
	tls_pair_settle(pair);
	tls_pair_send(&pair->server, "answer", 6);
	tls_pair_settle(pair);
	tls_pair_send(&pair->server, "more", 4);
	tls_pair_settle(pair);
	CU_ASSERT_EQUAL(scene.given, 2);
	CU_ASSERT_EQUAL(pair->client.plain.length, 6 + 4);
	end(&scene);
	scene_clear(&scene);
}

UNIT_SUITE(session_tickets, {"numbers", test_numbers},
	   {"held_back", test_held_back}, {"only_closed", test_only_closed},
	   {"lifetime", test_lifetime}, {"shorter", test_shorter},
	   {"keys", test_keys}, {"forged", test_forged},
	   {"client_certificate", test_client_certificate},
	   {"other_policy", test_other_policy}, {"nobody", test_nobody},
	   {"too_large", test_too_large}, {"responder", test_responder},
	   {"off", test_off}, {"digests", test_digests},
	   {"key_update", test_key_update});
