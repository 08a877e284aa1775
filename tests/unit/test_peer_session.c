/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session remembers, and what a resumed handshake makes of it.
 */
#include <string.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/tls_policy.h"
#include "common/verify/peer_check.h"
#include "common/verify/peer_session.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define FIRST 1700000000

static const struct peer_session nobody = {.first_at = FIRST};

static struct peer_session
somebody(void)
{
	return (struct peer_session){
		.first_at = FIRST,
		.has_certificate = true,
		.verdict = {.is_admitted = true, .valid_until = FIRST + 60},
	};
}

static char subject[] = "CN=Café, O=\\\"x\\\"";
static char sentence[] = "certificate has expired";

static struct peer_session
somebody_pinned(void)
{
	struct peer_session known = somebody();

	known.verdict.is_pinned = true;
	known.verdict.valid_until = PEER_FOREVER;
	known.verdict.step = PEER_STEP_CHAIN;
	known.verdict.error = X509_V_ERR_CERT_HAS_EXPIRED;
	known.verdict.depth = 1;
	known.verdict.subject = subject;
	known.verdict.sentence = sentence;
	return known;
}

static int
parse(const void *bytes, size_t length, struct peer_session *known)
{
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE unsigned char *exact = mem_dup(bytes, length);

	return peer_session_parse(exact, length, known);
}

static bool
is_same_text(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

static void
check_round_trip(const struct peer_session *known)
{
	unsigned char bytes[PEER_SESSION_MAX + 1], again[PEER_SESSION_MAX];
	size_t length = peer_session_encode(known, bytes);
	struct peer_session read;

	CU_ASSERT_FATAL(length > 0 && length <= PEER_SESSION_MAX);
	CU_ASSERT_EQUAL_FATAL(parse(bytes, length, &read), 0);
	CU_ASSERT_EQUAL(read.first_at, known->first_at);
	CU_ASSERT_EQUAL(read.has_certificate, known->has_certificate);
	CU_ASSERT_EQUAL(read.verdict.is_admitted, known->has_certificate);
	CU_ASSERT_EQUAL(read.verdict.is_pinned, known->verdict.is_pinned);
	CU_ASSERT_EQUAL(read.verdict.valid_until, known->verdict.valid_until);
	CU_ASSERT_EQUAL(read.verdict.ocsp, known->verdict.ocsp);
	CU_ASSERT_EQUAL(read.verdict.step, known->verdict.step);
	CU_ASSERT_EQUAL(read.verdict.error, known->verdict.error);
	CU_ASSERT_EQUAL(read.verdict.depth, known->verdict.depth);
	CU_ASSERT(is_same_text(read.verdict.subject, known->verdict.subject));
	CU_ASSERT(is_same_text(read.verdict.sentence, known->verdict.sentence));
	CU_ASSERT_EQUAL(peer_session_encode(&read, again), length);
	CU_ASSERT_EQUAL(memcmp(again, bytes, length), 0);
	peer_session_clear(&read);
	for (size_t cut = 0; cut < length; cut++)
		CU_ASSERT_EQUAL(parse(bytes, cut, &read), -1);
	bytes[length] = 0;
	CU_ASSERT_EQUAL(parse(bytes, length + 1, &read), -1);
}

static void
test_round_trip(void)
{
	struct peer_session one = somebody();
	struct peer_session pinned = somebody_pinned();

	check_round_trip(&nobody);
	check_round_trip(&one);
	one.verdict.ocsp = PEER_OCSP_GOOD;
	check_round_trip(&one);
	pinned.verdict.ocsp = PEER_OCSP_REVOKED;
	check_round_trip(&pinned);
	pinned.verdict.subject = NULL;
	check_round_trip(&pinned);
}

/* Anything else in one place of what is good. */
static void
check_refused(const struct peer_session *known, size_t at, unsigned char byte)
{
	unsigned char bytes[PEER_SESSION_MAX];
	size_t length = peer_session_encode(known, bytes);
	struct peer_session read;

	CU_ASSERT_FATAL(at < length && bytes[at] != byte);
	bytes[at] = byte;
	CU_ASSERT_EQUAL(parse(bytes, length, &read), -1);
}

static void
test_refused(void)
{
	enum {
		FORM = 0,
		FIRST_AT = 1,
		FLAGS = 9,
		UNTIL = 10,
		OCSP = 18,
		STEP = 19
	};
	enum {
		ERROR = 20,
		DEPTH = 24,
		SUBJECT = 28
	};
	const struct peer_session one = somebody();
	struct peer_session pinned = somebody_pinned();
	unsigned char zeros[PEER_SESSION_MAX + 1] = {1};
	AUTO_FREE char *long_text = mem_alloc(PEER_SESSION_MAX + 1);
	struct peer_session read;

	check_refused(&nobody, FORM, 0);
	check_refused(&nobody, FORM, 1);
	check_refused(&nobody, FORM, 3);
	check_refused(&nobody, FIRST_AT, 0x80);
	check_refused(&nobody, FLAGS, 4);
	check_refused(&nobody, FLAGS, 2);
	check_refused(&nobody, FLAGS, 1);
	check_refused(&one, FLAGS, 0);
	check_refused(&one, UNTIL, 0xff);
	check_refused(&one, OCSP, PEER_OCSP_UNKNOWN);
	check_refused(&one, OCSP, PEER_OCSP_REVOKED);
	check_refused(&pinned, OCSP, PEER_OCSP_REVOKED + 1);
	check_refused(&one, STEP, PEER_STEP_CHAIN);
	check_refused(&pinned, FLAGS, 1);
	check_refused(&pinned, STEP, PEER_STEP_NONE);
	check_refused(&pinned, STEP, PEER_STEP_OCSP + 1);
	check_refused(&pinned, ERROR, 0x80);
	check_refused(&pinned, ERROR + 3, X509_V_OK);
	check_refused(&pinned, DEPTH, 0xff);
	check_refused(&pinned, SUBJECT, 1);
	check_refused(&pinned, SUBJECT + 4, '\n');
	check_refused(&pinned, SUBJECT + 4, 0x7f);
	check_refused(&pinned, SUBJECT + 4, 0);
	CU_ASSERT_EQUAL(parse(zeros, sizeof(zeros), &read), -1);
	memset(long_text, 'x', PEER_SESSION_MAX);
	pinned.verdict.sentence = long_text;
	CU_ASSERT_EQUAL(peer_session_encode(&pinned, zeros), 0);
}

static void
test_end(void)
{
	struct peer_session one = somebody();

	CU_ASSERT_EQUAL(peer_session_end(&nobody, 7200), FIRST + 7200);
	CU_ASSERT_EQUAL(peer_session_end(&nobody, INT64_MAX), INT64_MAX);
	CU_ASSERT_EQUAL(peer_session_end(&one, 7200), FIRST + 60);
	CU_ASSERT_EQUAL(peer_session_end(&one, 59), FIRST + 59);
	one.verdict.valid_until = PEER_FOREVER;
	CU_ASSERT_EQUAL(peer_session_end(&one, 7200), FIRST + 7200);
	CU_ASSERT_EQUAL(peer_session_end(&one, INT64_MAX), INT64_MAX);
}

static void
test_in_a_session(void)
{
	SSL_SESSION *session = SSL_SESSION_new();
	const struct peer_session pinned = somebody_pinned();
	const struct peer_verdict refused = {.is_admitted = false};
	struct peer_session read;

	CU_ASSERT_EQUAL(peer_session_recall(NULL, &read), -1);
	CU_ASSERT_EQUAL(peer_session_recall(session, &read), -1);
	CU_ASSERT_EQUAL(peer_session_remember(session, FIRST, &refused), -1);
	CU_ASSERT_EQUAL(peer_session_recall(session, &read), -1);
	CU_ASSERT_EQUAL(SSL_SESSION_set1_ticket_appdata(session, "x", 1), 1);
	CU_ASSERT_EQUAL(peer_session_recall(session, &read), -1);
	CU_ASSERT_EQUAL(peer_session_remember(session, FIRST, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(peer_session_recall(session, &read), 0);
	CU_ASSERT_FALSE(read.has_certificate);
	peer_session_clear(&read);
	CU_ASSERT_EQUAL(peer_session_remember(session, FIRST, &pinned.verdict),
			0);
	CU_ASSERT_EQUAL_FATAL(peer_session_recall(session, &read), 0);
	CU_ASSERT_EQUAL(read.first_at, FIRST);
	CU_ASSERT_STRING_EQUAL(read.verdict.sentence, sentence);
	peer_session_clear(&read);
	SSL_SESSION_free(session);
}

/* Ten minutes, as sealock.yaml(5) has it, and no clock is that exact. */
static void
test_in_the_future(void)
{
	SSL_SESSION *session = SSL_SESSION_new();
	struct peer_session read = {0};

	for (int ahead = -86400; ahead <= 86400; ahead += 60) {
		CU_ASSERT_EQUAL_FATAL(
			peer_session_remember(session, clock_real_s() + ahead,
					      NULL),
			0);
		CU_ASSERT_EQUAL(peer_session_recall(session, &read),
				ahead <= 600 ? 0 : -1);
		peer_session_clear(&read);
	}
	SSL_SESSION_free(session);
}

/* A gate that demands certificates, and two handshakes of one client. */
struct scene {
	struct tls_policy *policy;
	SSL_CTX *server, *client;
	SSL_SESSION *session; /* the client's last */
	struct certificate *certificate;
	struct test_identity *identity;
	bool is_remembering;
};

static int
on_ticket(SSL *ssl, void *argument)
{
	const struct scene *scene = argument;

	if (scene->is_remembering && !SSL_session_reused(ssl))
		CU_ASSERT_EQUAL(peer_session_remember(SSL_get_session(ssl),
						      FIRST,
						      peer_check_verdict(ssl)),
				0);
	return 1;
}

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct scene *scene = SSL_get_app_data(ssl);

	SSL_SESSION_free(scene->session);
	scene->session = session;
	return 1;
}

static void
scene_init(struct scene *scene)
{
	struct tls_settings settings = tls_fixture_server_settings();

	*scene = (struct scene){.is_remembering = true};
	settings.verify = tls_fixture_client_settings().verify;
	settings.verify.mode = TLS_VERIFY_REQUIRED;
	scene->policy = tls_fixture_server(&settings);
	scene->server = tls_fixture_context(scene->policy, tls_fixture()->ecdsa,
					    NULL, NULL);
	SSL_CTX_clear_options(scene->server, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(scene->server, 1);
	SSL_CTX_set_session_ticket_cb(scene->server, on_ticket, NULL, scene);
	scene->client = tls_fixture_bare_client();
	SSL_CTX_set_session_cache_mode(scene->client,
				       SSL_SESS_CACHE_CLIENT |
					       SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(scene->client, on_session);
	scene->identity =
		test_leaf("p256", "good.client", tls_fixture()->issuer);
	scene->certificate = test_certificate(scene->identity);
	if (!SSL_CTX_use_certificate(scene->client, scene->certificate->leaf) ||
	    !SSL_CTX_use_PrivateKey(scene->client, scene->certificate->key) ||
	    !SSL_CTX_set1_chain(scene->client, scene->certificate->chain))
		abort();
}

static void
scene_clear(struct scene *scene)
{
	SSL_SESSION_free(scene->session);
	SSL_CTX_free(scene->client);
	SSL_CTX_free(scene->server);
	tls_policy_unref(scene->policy);
	certificate_unref(scene->certificate);
	test_identity_free(scene->identity);
	CU_ASSERT(ERR_peek_error() == 0);
}

/* Shake hands, with the last session if there is one. */
static void
visit(struct scene *scene, struct tls_pair *pair, int version)
{
	SSL *client;

	tls_fixture_set_versions(scene->client, version, version);
	tls_pair_init(pair, scene->client, scene->server);
	client = tls_engine_ssl(pair->client.engine);
	SSL_set_app_data(client, scene);
	if (scene->session)
		CU_ASSERT_FATAL(SSL_set_session(client, scene->session));
	CU_ASSERT_FATAL(tls_pair_handshake(pair, 0));
	tls_pair_settle(pair);
	/* Or OpenSSL takes the session for one that ended badly. */
	SSL_set_shutdown(client, SSL_SENT_SHUTDOWN);
}

static void
check_resumed(int version)
{
	struct error error = {.text = ""};
	const struct peer_verdict *verdict;
	struct tls_pair pair;
	struct scene scene;
	SSL *ssl;

	scene_init(&scene);
	visit(&scene, &pair, version);
	ssl = tls_engine_ssl(pair.server.engine);
	CU_ASSERT_FALSE(SSL_session_reused(ssl));
	CU_ASSERT_EQUAL(peer_check_confirm(ssl, &error), 0);
	verdict = peer_check_verdict(ssl);
	CU_ASSERT_FATAL(verdict != NULL);
	CU_ASSERT(verdict->valid_until > clock_real_ms() / 1000);
	CU_ASSERT(verdict->valid_until < PEER_FOREVER);
	tls_pair_clear(&pair);
	visit(&scene, &pair, version);
	ssl = tls_engine_ssl(pair.server.engine);
	CU_ASSERT_TRUE(SSL_session_reused(ssl));
	CU_ASSERT_PTR_NULL(peer_check_verdict(ssl));
	CU_ASSERT_EQUAL(peer_check_confirm(ssl, &error), 0);
	verdict = peer_check_verdict(ssl);
	CU_ASSERT_FATAL(verdict != NULL);
	CU_ASSERT_TRUE(verdict->is_admitted);
	CU_ASSERT_EQUAL(peer_check_confirm(ssl, &error), 0);
	tls_pair_clear(&pair);
	scene_clear(&scene);
}

static void
check_forgotten(int version)
{
	struct error error = {.text = ""};
	struct tls_pair pair;
	struct scene scene;
	SSL *ssl;

	scene_init(&scene);
	scene.is_remembering = false;
	visit(&scene, &pair, version);
	tls_pair_clear(&pair);
	visit(&scene, &pair, version);
	ssl = tls_engine_ssl(pair.server.engine);
	CU_ASSERT_TRUE(SSL_session_reused(ssl));
	CU_ASSERT_EQUAL(peer_check_confirm(ssl, &error), -1);
	CU_ASSERT_STRING_EQUAL(error.text,
			       "the peer's certificate was not verified");
	CU_ASSERT_PTR_NULL(peer_check_verdict(ssl));
	tls_pair_clear(&pair);
	scene_clear(&scene);
}

static void
test_resumed(void)
{
	check_resumed(TLS1_3_VERSION);
	check_resumed(TLS1_2_VERSION);
}

/* Without a word on the peer nobody is let in. */
static void
test_forgotten(void)
{
	check_forgotten(TLS1_3_VERSION);
	check_forgotten(TLS1_2_VERSION);
}

UNIT_SUITE(peer_session, {"round_trip", test_round_trip},
	   {"refused", test_refused}, {"end", test_end},
	   {"in_a_session", test_in_a_session},
	   {"in_the_future", test_in_the_future}, {"resumed", test_resumed},
	   {"forgotten", test_forgotten});
