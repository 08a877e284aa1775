/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which certificates, policy and context does a client get? Configurations
 * from strings over certificates in memory.
 */
#include "common/route/route.h"

#include <stdio.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/route/context_cache.h"
#include "common/route/route_findings.h"
#include "common/route/route_own.h"
#include "common/tls/client_hello.h"
#include "tests/lib/conf_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_pair.h"
#include "tests/unit/unit.h"

struct fixture {
	struct conf_fixture conf;
	struct file_set *files;
	struct test_identity *ca;
	struct error_list problems;
	struct error_list quarantined;
	struct error_list warnings;
	struct route_own own;
	struct route_table *table; /* of own */
};

static void
setup(struct fixture *fixture)
{
	*fixture = (struct fixture){.files = file_set_new()};
	fixture->ca = test_ca("Route CA", NULL);
}

/* NAME.pem: chain and key of a new identity. */
static void
add_identity(struct fixture *fixture, const char *file, const char *kind,
	     const char *name)
{
	struct test_identity *leaf = test_leaf(kind, name, fixture->ca);
	AUTO_FREE char *chain = test_pem_chain(leaf);
	AUTO_FREE char *key = test_pem_key(leaf, NULL);
	AUTO_FREE char *both = mem_format("%s%s", chain, key);
	AUTO_FREE char *path = mem_format("/etc/sealock/%s", file);

	test_file_set_add(fixture->files, path, both, strlen(both));
	test_identity_free(leaf);
}

static void
load(struct fixture *fixture, const char *text,
     const struct route_own *previous)
{
	struct route_findings findings = {
		&fixture->problems, &fixture->quarantined, &fixture->warnings};

	conf_fixture_load(&fixture->conf, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->conf.conf);
	if (route_own_init(&fixture->own, fixture->conf.conf, fixture->files,
			   previous, &findings) != 0)
		CU_ASSERT_PTR_NULL(fixture->own.routes);
	fixture->table = fixture->own.routes;
}

static void
teardown(struct fixture *fixture)
{
	route_own_clear(&fixture->own);
	conf_fixture_clear(&fixture->conf);
	file_set_free(fixture->files);
	test_identity_free(fixture->ca);
	error_list_clear(&fixture->problems);
	error_list_clear(&fixture->quarantined);
	error_list_clear(&fixture->warnings);
}

static struct client_hello
hello_for(const char *name)
{
	struct client_hello hello = {.has_server_name = name != NULL};

	if (name &&
	    hostname_normalize(name, strlen(name), hello.server_name) == 0)
		hello.is_server_name_valid = true;
	return hello;
}

static enum route_result
choose(struct fixture *fixture, const char *name, struct route_choice *choice)
{
	struct client_hello hello = hello_for(name);
	struct error error = {.text = ""};

	return route_choose(fixture->table, &fixture->table->services[0],
			    &hello, choice, &error);
}

/* OpenSSL's macro takes a string that it does not write to. */
static int
set_algorithms(SSL_CTX *context, const char *algorithms)
{
	AUTO_FREE char *copy = mem_strdup(algorithms);

	return (int)SSL_CTX_set1_sigalgs_list(context, copy);
}

/* The common name that a client sees which offers only these signature
 * algorithms; "" when no handshake comes about. */
static const char *
served(struct fixture *fixture, const char *name, const char *algorithms)
{
	static char common_name[256];
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct route_choice choice;
	struct tls_pair pair;
	X509 *leaf;

	common_name[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(choose(fixture, name, &choice), ROUTE_FOUND);
	if (algorithms)
		CU_ASSERT_EQUAL(set_algorithms(client, algorithms), 1);
	tls_pair_init(&pair, client, choice.context);
	if (tls_pair_handshake(&pair, 0)) {
		leaf = SSL_get1_peer_certificate(
			tls_engine_ssl(pair.client.engine));
		X509_NAME_get_text_by_NID(X509_get_subject_name(leaf),
					  NID_commonName, common_name,
					  sizeof(common_name));
		X509_free(leaf);
	}
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	return common_name;
}

static bool
is_said(const struct error_list *list, const char *part)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strstr(list->errors[i].text, part))
			return true;
	}
	return false;
}

#define ECDSA "ecdsa_secp256r1_sha256"
#define RSA   "rsa_pss_rsae_sha256"

static void
test_names(void)
{
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "a.example");
	add_identity(&fixture, "wild.pem", "p256", "*.example");
	add_identity(&fixture, "b.pem", "p256", "b.example");
	load(&fixture,
	     "services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
	     "\":1\", tls: {certificates: [a.pem, wild.pem, b.pem]}}}}\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_STRING_EQUAL(served(&fixture, "a.example", NULL),
			       "a.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "b.example", NULL),
			       "b.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "B.Example", NULL),
			       "b.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "c.example", NULL),
			       "*.example");
	/* A wildcard is for one label, and not for none. */
	CU_ASSERT_STRING_EQUAL(served(&fixture, "x.c.example", NULL),
			       "a.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "example", NULL), "a.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "other.test", NULL),
			       "a.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, NULL, NULL), "a.example");
	teardown(&fixture);
}

static void
test_default_is_marked(void)
{
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "a.example");
	add_identity(&fixture, "b.pem", "p256", "b.example");
	load(&fixture,
	     "services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
	     "\":1\", tls: {certificates: [a.pem, {chain: b.pem, default: "
	     "true}]}}}}\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_STRING_EQUAL(served(&fixture, "other.test", NULL),
			       "b.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "a.example", NULL),
			       "a.example");
	teardown(&fixture);
}

static void
test_strict(void)
{
	struct route_choice choice;
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "a.example");
	load(&fixture,
	     "services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
	     "\":1\", tls: {certificates: a.pem, strict_sni: true}}}}\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_EQUAL(choose(&fixture, "a.example", &choice), ROUTE_FOUND);
	CU_ASSERT_EQUAL(choose(&fixture, "b.example", &choice),
			ROUTE_UNKNOWN_NAME);
	CU_ASSERT_EQUAL(choose(&fixture, NULL, &choice), ROUTE_UNKNOWN_NAME);
	CU_ASSERT_EQUAL(choose(&fixture, "no host\n", &choice),
			ROUTE_UNKNOWN_NAME);
	teardown(&fixture);
}

/* Several types of key for one name: the client's abilities decide, and a
 * wildcard stands in for the type that the exact name has not. */
static void
test_types(void)
{
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "ec.pem", "p256", "a.example");
	add_identity(&fixture, "rsa.pem", "rsa2048", "*.example");
	add_identity(&fixture, "ed.pem", "ed25519", "a.example");
	load(&fixture,
	     "services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
	     "\":1\", tls: {certificates: [ec.pem, rsa.pem, ed.pem]}}}}\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_STRING_EQUAL(served(&fixture, "a.example", ECDSA),
			       "a.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "a.example", "ed25519"),
			       "a.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "a.example", RSA), "*.example");
	CU_ASSERT_STRING_EQUAL(served(&fixture, "z.example", RSA), "*.example");
	/* There is no such key for that name. */
	CU_ASSERT_STRING_EQUAL(served(&fixture, "z.example", ECDSA), "");
	teardown(&fixture);
}

static void
test_quarantine(void)
{
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "a.example");
	test_file_set_add(fixture.files, "/etc/sealock/bad.pem", "junk", 4);
	load(&fixture,
	     "services:\n"
	     "  s: {connect: \"127.0.0.1:2\", accept: {address: \":1\",\n"
	     "      tls: {certificates: [bad.pem, a.pem]}}}\n"
	     "  t: {connect: \"127.0.0.1:2\", accept: {address: \":2\",\n"
	     "      tls: {certificates: bad.pem}}}\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_EQUAL(fixture.problems.count, 0);
	CU_ASSERT(is_said(&fixture.quarantined, "bad.pem"));
	CU_ASSERT_STRING_EQUAL(served(&fixture, "a.example", NULL),
			       "a.example");
	CU_ASSERT_FALSE(fixture.table->services[0].is_down);
	CU_ASSERT_TRUE(fixture.table->services[1].is_down);
	teardown(&fixture);
}

/* What each service has from `defaults` is told once, at its place. */
static void
test_nothing_can_start(void)
{
	struct fixture fixture;

	setup(&fixture);
	test_file_set_add(fixture.files, "/etc/sealock/bad.pem", "junk", 4);
	load(&fixture,
	     "defaults: {accept: {tls: {certificates: bad.pem}}}\n"
	     "services:\n"
	     "  s: {accept: {address: \":1\", tls: true},\n"
	     "      connect: \"127.0.0.1:2\"}\n"
	     "  t: {accept: {address: \":2\", tls: true},\n"
	     "      connect: \"127.0.0.1:2\"}\n",
	     NULL);
	CU_ASSERT_PTR_NULL(fixture.table);
	CU_ASSERT_EQUAL_FATAL(fixture.problems.count, 2);
	CU_ASSERT(is_said(&fixture.problems, "bad.pem"));
	CU_ASSERT(is_said(&fixture.problems, "no service can start"));
	CU_ASSERT_EQUAL(fixture.problems.errors[1].at.line, 3);
	CU_ASSERT_EQUAL(fixture.quarantined.count, 0);
	teardown(&fixture);
}

/* A worker tells nothing but the problems when there are some. */
static void
test_every_problem_is_told(void)
{
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "a.example");
	test_file_set_add(fixture.files, "/etc/sealock/bad.pem", "junk", 4);
	test_file_set_add(fixture.files, "/etc/sealock/ca.pem", "junk", 4);
	load(&fixture,
	     "services:\n"
	     "  s: {accept: {address: \":1\",\n"
	     "        tls: {certificates: [bad.pem, a.pem]}},\n"
	     "      connect: {address: \"b.example:2\",\n"
	     "        tls: {verify: {ca: ca.pem}}}}\n",
	     NULL);
	CU_ASSERT_PTR_NULL(fixture.table);
	CU_ASSERT_EQUAL(fixture.problems.count, 2);
	CU_ASSERT(is_said(&fixture.problems, "bad.pem"));
	CU_ASSERT(is_said(&fixture.problems, "ca.pem"));
	CU_ASSERT_EQUAL(fixture.quarantined.count, 0);
	teardown(&fixture);
}

/* The file is broken at a reload: what was served is served on. */
static void
test_last_good_copy(void)
{
	static const char text[] =
		"services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
		"\":1\", tls: {certificates: [a.pem, b.pem]}}}}\n";
	struct fixture before, after;

	setup(&before);
	setup(&after);
	add_identity(&before, "a.pem", "p256", "a.example");
	add_identity(&before, "b.pem", "p256", "b.example");
	load(&before, text, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(before.table);
	test_file_set_add(after.files, "/etc/sealock/a.pem", "junk", 4);
	add_identity(&after, "b.pem", "p256", "b.example");
	load(&after, text, &before.own);
	CU_ASSERT_PTR_NOT_NULL_FATAL(after.table);
	CU_ASSERT(is_said(&after.quarantined, "last good copy"));
	teardown(&before);
	CU_ASSERT_STRING_EQUAL(served(&after, "a.example", NULL), "a.example");
	CU_ASSERT_STRING_EQUAL(served(&after, "b.example", NULL), "b.example");
	teardown(&after);
}

static void
test_hosts(void)
{
	struct route_choice lax, strict;
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "*.example");
	load(&fixture,
	     "services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
	     "\":1\", tls: {certificates: a.pem, hosts: {admin.example: "
	     "{versions: [TLSv1.3]}, \"*.old.example\": {shutdown: none}}}}}}"
	     "\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_EQUAL(choose(&fixture, "www.example", &lax), ROUTE_FOUND);
	CU_ASSERT_EQUAL(SSL_CTX_get_options(lax.context) & SSL_OP_NO_TLSv1_2,
			0);
	CU_ASSERT_EQUAL(choose(&fixture, "admin.example", &strict),
			ROUTE_FOUND);
	CU_ASSERT_PTR_NOT_EQUAL(lax.context, strict.context);
	CU_ASSERT(SSL_CTX_get_min_proto_version(strict.context) ==
			  TLS1_3_VERSION ||
		  (SSL_CTX_get_options(strict.context) & SSL_OP_NO_TLSv1_2));
	CU_ASSERT_EQUAL(choose(&fixture, "x.old.example", &lax), ROUTE_FOUND);
	CU_ASSERT_EQUAL(lax.shutdown, TLS_SHUTDOWN_NONE);
	teardown(&fixture);
}

/* Equal settings share a context; the cache is bounded. */
static void
test_contexts(void)
{
	struct route_choice one, other;
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "*.example");
	load(&fixture,
	     "services: {s: {connect: \"127.0.0.1:2\", accept: {address: "
	     "\":1\", tls: {certificates: a.pem}}}}\n",
	     NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
	CU_ASSERT_EQUAL(context_cache_count(fixture.table->contexts), 0);
	CU_ASSERT_EQUAL(choose(&fixture, "a.example", &one), ROUTE_FOUND);
	CU_ASSERT_EQUAL(choose(&fixture, "b.example", &other), ROUTE_FOUND);
	CU_ASSERT_PTR_EQUAL(one.context, other.context);
	for (int i = 0; i < 100; i++) {
		char name[64];

		snprintf(name, sizeof(name), "n%d.example", i);
		CU_ASSERT_EQUAL(choose(&fixture, name, &other), ROUTE_FOUND);
	}
	CU_ASSERT_EQUAL(context_cache_count(fixture.table->contexts), 1);
	teardown(&fixture);
}

/* The session id context of a client that asks a service for a name. */
static void
session_context(struct fixture *fixture, size_t service, const char *name,
		unsigned char *context)
{
	struct client_hello hello = hello_for(name);
	struct route_choice choice;
	struct error error = {.text = ""};

	CU_ASSERT_EQUAL_FATAL(route_choose(fixture->table,
					   &fixture->table->services[service],
					   &hello, &choice, &error),
			      ROUTE_FOUND);
	memcpy(context, choice.session_context, FRAMED_HASH_SIZE);
}

/* Another listener, entry of hosts, setting or certificate: other sessions.
 * The same of all: the same, in another process too. */
static void
test_session_contexts(void)
{
	static const char text[] =
		"services:\n"
		"  one: &one\n"
		"    connect: 127.0.0.1:2\n"
		"    accept:\n"
		"      address: ':1'\n"
		"      tls:\n"
		"        certificates: [a.pem, b.pem]\n"
		"        hosts:\n"
		"          x.a.example: {}\n"
		"          y.a.example: {}\n"
		"          z.a.example: {versions: [TLSv1.3]}\n"
		"  two: {<<: *one, accept: {address: ':3', tls: {certificates: "
		"[a.pem, b.pem]}}}\n";
	static const struct {
		size_t service;
		const char *name;
	} clients[] = {
		{0, "w.a.example"}, {0, "v.a.example"}, {0, "x.a.example"},
		{0, "y.a.example"}, {0, "z.a.example"}, {0, "w.b.example"},
		{1, "w.a.example"},
	};
	unsigned char contexts[ARRAY_SIZE(clients)][FRAMED_HASH_SIZE];
	unsigned char again[FRAMED_HASH_SIZE];
	struct fixture fixture;

	setup(&fixture);
	add_identity(&fixture, "a.pem", "p256", "*.a.example");
	add_identity(&fixture, "b.pem", "p256", "*.b.example");
	for (int round = 0; round < 2; round++) {
		load(&fixture, text, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.table);
		for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
			session_context(&fixture, clients[i].service,
					clients[i].name, again);
			if (round == 0)
				memcpy(contexts[i], again, sizeof(again));
			CU_ASSERT_EQUAL(
				memcmp(contexts[i], again, sizeof(again)), 0);
		}
		session_context(&fixture, 0, "W.A.Example", again);
		CU_ASSERT_EQUAL(memcmp(contexts[0], again, sizeof(again)), 0);
		route_own_clear(&fixture.own);
		conf_fixture_clear(&fixture.conf);
	}
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(memcmp(contexts[i], contexts[j],
						   FRAMED_HASH_SIZE),
					    0);
	teardown(&fixture);
}

UNIT_SUITE(route, {"names", test_names},
	   {"default_is_marked", test_default_is_marked},
	   {"strict", test_strict}, {"types", test_types},
	   {"quarantine", test_quarantine},
	   {"nothing_can_start", test_nothing_can_start},
	   {"every_problem_is_told", test_every_problem_is_told},
	   {"last_good_copy", test_last_good_copy}, {"hosts", test_hosts},
	   {"contexts", test_contexts},
	   {"session_contexts", test_session_contexts});
