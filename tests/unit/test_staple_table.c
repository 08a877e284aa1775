/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Staples by their leaves, and which of them a client gets.
 */
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/certificate.h"
#include "common/tls/staple_table.h"
#include "common/tls/tls_policy.h"
#include "tests/lib/tls_fixture.h"
#include "tests/lib/tls_pair.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1800000000000)

static int
set(struct staple_table *table, const unsigned char *leaf, int64_t until_ms,
    const char *text)
{
	return staple_table_set(table, leaf, until_ms,
				(const unsigned char *)text, strlen(text));
}

static bool
has(const struct staple_table *table, const unsigned char *leaf, int64_t now_ms,
    const char *text)
{
	size_t length = 0;
	const unsigned char *found =
		staple_table_find(table, leaf, now_ms, &length);

	if (!text)
		return !found;
	return found && length == strlen(text) &&
	       memcmp(found, text, length) == 0;
}

static void
test_until_its_end(void)
{
	static const unsigned char leaf[STAPLE_DIGEST_SIZE] = {1};
	static const unsigned char other[STAPLE_DIGEST_SIZE] = {1, [31] = 1};
	struct staple_table *table = staple_table_new();

	CU_ASSERT(has(table, leaf, NOW, NULL));
	CU_ASSERT_EQUAL(set(table, leaf, NOW + 1000, "good"), 0);
	CU_ASSERT(has(table, leaf, NOW, "good"));
	CU_ASSERT(has(table, other, NOW, NULL));
	CU_ASSERT(has(table, leaf, NOW + 999, "good"));
	CU_ASSERT(has(table, leaf, NOW + 1000, NULL));
	CU_ASSERT_EQUAL(set(table, leaf, NOW + 2000, "better"), 0);
	CU_ASSERT_EQUAL(staple_table_count(table), 1);
	CU_ASSERT(has(table, leaf, NOW + 1000, "better"));
	CU_ASSERT_EQUAL(set(table, leaf, 0, ""), 0);
	CU_ASSERT(has(table, leaf, NOW, NULL));
	CU_ASSERT_EQUAL(set(table, leaf, 0, ""), 0);
	CU_ASSERT_EQUAL(staple_table_count(table), 0);
	staple_table_free(table);
	staple_table_free(NULL);
}

static void
test_too_long(void)
{
	static const unsigned char leaf[STAPLE_DIGEST_SIZE] = {9};
	static const unsigned char bytes[STAPLE_SIZE_MAX + 1];
	struct staple_table *table = staple_table_new();

	CU_ASSERT_EQUAL(set(table, leaf, NOW + 1000, "good"), 0);
	CU_ASSERT_EQUAL(
		staple_table_set(table, leaf, NOW + 1000, bytes, sizeof(bytes)),
		-1);
	/* What it was to replace is gone. */
	CU_ASSERT(has(table, leaf, NOW, NULL));
	CU_ASSERT_EQUAL(staple_table_set(table, leaf, NOW + 1000, bytes,
					 sizeof(bytes) - 1),
			0);
	staple_table_free(table);
}

static void
number_leaf(unsigned char *leaf, unsigned int number)
{
	memset(leaf, 0, STAPLE_DIGEST_SIZE);
	/* Some with the same hash, too. */
	number *= 64;
	memcpy(leaf, &number, sizeof(number));
}

static void
test_many(void)
{
	enum {
		MANY = 3000
	};
	struct staple_table *table = staple_table_new();
	unsigned char leaf[STAPLE_DIGEST_SIZE];
	int64_t now = clock_real_ms();

	for (unsigned int i = 0; i < MANY; i++) {
		AUTO_FREE char *text = mem_format("staple %u", i);

		number_leaf(leaf, i);
		CU_ASSERT_EQUAL_FATAL(set(table, leaf, now + 1000000, text), 0);
	}
	CU_ASSERT_EQUAL(staple_table_count(table), MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		AUTO_FREE char *text = mem_format("staple %u", i);

		number_leaf(leaf, i);
		CU_ASSERT_FATAL(has(table, leaf, now, text));
	}
	staple_table_free(table);
	/* Those that have expired leave room. */
	table = staple_table_new();
	for (unsigned int i = 0; i < MANY; i++) {
		number_leaf(leaf, i);
		CU_ASSERT_EQUAL_FATAL(set(table, leaf, now - 1, "old"), 0);
	}
	CU_ASSERT(staple_table_count(table) <= 64);
	staple_table_free(table);
}

/* What a client of that type of key is sent; "": nothing. The caller frees. */
static char *
shake_hands(SSL_CTX *server, int version, const char *signatures, bool is_asked)
{
	SSL_CTX *client = tls_fixture_bare_client();
	const unsigned char *answer = NULL;
	struct tls_pair pair;
	char *text;
	long length;

	tls_fixture_set_versions(client, version, version);
	tls_fixture_set_signatures(client, signatures);
	if (is_asked)
		SSL_CTX_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
	tls_pair_init(&pair, client, server);
	CU_ASSERT_FATAL(tls_pair_handshake(&pair, 0));
	length = SSL_get_tlsext_status_ocsp_resp(
		tls_engine_ssl(pair.client.engine), &answer);
	text = length > 0 ? mem_strndup((const char *)answer, (size_t)length)
			  : mem_strdup("");
	staple_table_release(tls_engine_ssl(pair.server.engine));
	CU_ASSERT(SSL_get_tlsext_status_ocsp_resp(
			  tls_engine_ssl(pair.server.engine), &answer) <= 0);
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	return text;
}

#define IS_SENT(server, version, signatures, is_asked, text)                  \
	do {                                                                  \
		AUTO_FREE char *sent = shake_hands((server), (version),       \
						   (signatures), (is_asked)); \
		CU_ASSERT_STRING_EQUAL(sent, (text));                         \
	} while (0)

#define RSA   "rsa_pss_rsae_sha256"
#define ECDSA "ECDSA+SHA256"

static struct certificate
stapled(const struct certificate *from)
{
	struct certificate made = *from;

	made.leaf = X509_dup(from->leaf);
	made.is_stapled = true;
	return made;
}

static void
check_versions(SSL_CTX *server, const char *rsa, const char *ecdsa)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		IS_SENT(server, versions[i], RSA ":" ECDSA, false, "");
		IS_SENT(server, versions[i], RSA, true, rsa);
		IS_SENT(server, versions[i], ECDSA ":" RSA, true, ecdsa);
	}
}

/* RSA and ECDSA side by side get each its own. */
static void
test_each_its_own(void)
{
	const struct tls_fixture *fixture = tls_fixture();
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_policy *policy = tls_fixture_server(&settings);
	struct certificate rsa = stapled(fixture->rsa);
	struct certificate ecdsa = stapled(fixture->ecdsa);
	struct staple_table *table = staple_table_new();
	int64_t now = clock_real_ms();
	SSL_CTX *server = tls_fixture_context(policy, &rsa, &ecdsa, NULL);

	/* Nobody has installed a table. */
	check_versions(server, "", "");
	staple_table_install(table);
	check_versions(server, "", "");
	CU_ASSERT_EQUAL(set(table, rsa.digest, now + 60000, "of RSA"), 0);
	check_versions(server, "of RSA", "");
	CU_ASSERT_EQUAL(set(table, ecdsa.digest, now + 60000, "of ECDSA"), 0);
	check_versions(server, "of RSA", "of ECDSA");
	CU_ASSERT_EQUAL(set(table, rsa.digest, now - 1, "of the past"), 0);
	check_versions(server, "", "of ECDSA");
	SSL_CTX_free(server);
	/* One of them is not to be stapled. */
	CU_ASSERT_EQUAL(set(table, rsa.digest, now + 60000, "of RSA"), 0);
	server = tls_fixture_context(policy, fixture->rsa, &ecdsa, NULL);
	check_versions(server, "", "of ECDSA");
	SSL_CTX_free(server);
	staple_table_install(NULL);
	staple_table_free(table);
	X509_free(rsa.leaf);
	X509_free(ecdsa.leaf);
	tls_policy_unref(policy);
}

UNIT_SUITE(staple_table, {"until_its_end", test_until_its_end},
	   {"too_long", test_too_long}, {"many", test_many},
	   {"each_its_own", test_each_its_own});
