/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lists say of a chain: whom they stop, with which words, and until when
 * that they say nothing holds.
 */
#include "common/verify/crl_check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <sys/mman.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/verify/crl_index.h"
#include "common/verify/crl_index_write.h"
#include "common/verify/peer_verdict.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_crl.h"
#include "tests/unit/unit.h"

/* All times here; the year 2030. */
#define NOW INT64_C(1900000000)
#define DAY INT64_C(86400)

struct fixture {
	struct test_identity *root, *other, *middle, *leaf;
	STACK_OF(X509) *chain;
	struct crl_index *indexes[2];
	struct crl_rules rules;
	int64_t valid_until;
	struct crl_refusal refusal;
};

static void
setup(struct fixture *fixture)
{
	*fixture = (struct fixture){.root = test_ca("Check Root", NULL)};
	fixture->other = test_ca("Check Root", NULL);
	fixture->middle = test_ca("Check Middle", fixture->root);
	fixture->leaf = test_leaf("p256", "leaf.example", fixture->middle);
	fixture->chain = sk_X509_new_null();
	if (!sk_X509_push(fixture->chain, fixture->leaf->certificate) ||
	    !sk_X509_push(fixture->chain, fixture->middle->certificate) ||
	    !sk_X509_push(fixture->chain, fixture->root->certificate))
		abort();
	fixture->rules.indexes = fixture->indexes;
}

static void
forget_lists(struct fixture *fixture)
{
	while (fixture->rules.count > 0)
		crl_index_unref(fixture->indexes[--fixture->rules.count]);
}

static void
teardown(struct fixture *fixture)
{
	forget_lists(fixture);
	sk_X509_free(fixture->chain);
	test_identity_free(fixture->leaf);
	test_identity_free(fixture->middle);
	test_identity_free(fixture->other);
	test_identity_free(fixture->root);
}

/* Without an entry, for one day. */
static struct test_crl
list_of(const struct test_identity *issuer)
{
	return (struct test_crl){
		.issuer = issuer,
		.this_update = NOW - DAY,
		.next_update = NOW + DAY,
	};
}

static void
add_list(struct fixture *fixture, const struct test_crl *list)
{
	int descriptor = sealed_begin("list");
	struct crl_index_writer *writer = crl_index_writer_new(descriptor);
	struct error error = {.text = ""};
	struct crl_index *index = NULL;
	size_t length;
	unsigned char *der = test_crl_der(list, &length);

	if (crl_index_writer_add(writer, "/list.pem", der, length, &error) >=
		    0 &&
	    crl_index_writer_finish(writer, &error) == 0 &&
	    sealed_end(descriptor) == 0)
		index = crl_index_open(descriptor, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_FATAL(fixture->rules.count < ARRAY_SIZE(fixture->indexes));
	fixture->indexes[fixture->rules.count++] = index;
	crl_index_writer_free(writer);
	mem_free(der);
	close(descriptor);
}

/* Of what else the chain rests on the first part ends then. */
static bool
passes_until(struct fixture *fixture, int64_t now, int64_t valid_until)
{
	fixture->valid_until = valid_until;
	return crl_check_chain(&fixture->rules, fixture->chain, now,
			       &fixture->valid_until, &fixture->refusal);
}

static bool
passes(struct fixture *fixture, int64_t now)
{
	return passes_until(fixture, now, PEER_FOREVER);
}

static bool
is_refused(struct fixture *fixture, int error, int depth, const char *words)
{
	return !passes(fixture, NOW) && fixture->refusal.error == error &&
	       fixture->refusal.depth == depth &&
	       strstr(fixture->refusal.sentence, words);
}

static void
test_nothing_asked(void)
{
	struct fixture fixture;

	setup(&fixture);
	CU_ASSERT(passes(&fixture, NOW));
	CU_ASSERT_EQUAL(fixture.valid_until, PEER_FOREVER);
	fixture.rules.is_chain = true;
	CU_ASSERT(passes_until(&fixture, NOW, NOW + 5));
	CU_ASSERT_EQUAL(fixture.valid_until, NOW + 5);
	teardown(&fixture);
}

/* A verdict ends with the first of the lists that it rests on. */
static void
test_end(void)
{
	struct fixture fixture;
	struct test_crl list;

	setup(&fixture);
	list = list_of(fixture.middle);
	list.next_update = NOW + 2 * DAY;
	add_list(&fixture, &list);
	CU_ASSERT(passes(&fixture, NOW));
	CU_ASSERT_EQUAL(fixture.valid_until, NOW + 2 * DAY);
	/* Something else ends before it does. */
	CU_ASSERT(passes_until(&fixture, NOW, NOW + DAY));
	CU_ASSERT_EQUAL(fixture.valid_until, NOW + DAY);
	/* The leaf's alone; then both. */
	list = list_of(fixture.root);
	add_list(&fixture, &list);
	CU_ASSERT(passes(&fixture, NOW));
	CU_ASSERT_EQUAL(fixture.valid_until, NOW + 2 * DAY);
	fixture.rules.is_chain = true;
	CU_ASSERT(passes(&fixture, NOW));
	CU_ASSERT_EQUAL(fixture.valid_until, NOW + DAY);
	CU_ASSERT(passes(&fixture, NOW + DAY - 1));
	CU_ASSERT_EQUAL(fixture.valid_until, NOW + DAY);
	CU_ASSERT_FALSE(passes(&fixture, NOW + DAY));
	CU_ASSERT_EQUAL(fixture.refusal.error, X509_V_ERR_CRL_HAS_EXPIRED);
	CU_ASSERT_EQUAL(fixture.refusal.depth, 1);
	/* One without an end ends nothing. */
	forget_lists(&fixture);
	fixture.rules.is_chain = false;
	list = list_of(fixture.middle);
	list.next_update = 0;
	add_list(&fixture, &list);
	CU_ASSERT(passes(&fixture, NOW + 10000 * DAY));
	CU_ASSERT_EQUAL(fixture.valid_until, PEER_FOREVER);
	teardown(&fixture);
}

/* How often has the log been told? */
static size_t
count_lines(int log, const char *words)
{
	char text[4096];
	ssize_t length = pread(log, text, sizeof(text) - 1, 0);
	size_t count = 0;

	CU_ASSERT_FATAL(length >= 0);
	text[length] = '\0';
	for (const char *found = text; (found = strstr(found, words)); found++)
		count++;
	return count;
}

/* Lists that count after their end: none of them ends anything, and each is
 * told once, whoever is asked about first. */
static void
test_expired(void)
{
	struct fixture fixture;

	for (int is_revoked = 0; is_revoked <= 1; is_revoked++) {
		const struct log_sink sink = {
			.descriptor = memfd_create("log", MFD_CLOEXEC),
			.level = LOG_LEVEL_INFO,
			.is_for_events = true,
		};
		struct test_crl_entry entry;
		struct test_crl list;

		setup(&fixture);
		entry = (struct test_crl_entry){
			.certificate = fixture.leaf->certificate,
			.reason = -1,
			.date = NOW - DAY,
		};
		list = list_of(fixture.middle);
		list.entries = &entry;
		list.entry_count = (size_t)is_revoked;
		add_list(&fixture, &list);
		fixture.rules.is_expired_good = true;
		log_configure(&sink, 1);
		CU_ASSERT_EQUAL(passes(&fixture, NOW), !is_revoked);
		CU_ASSERT_EQUAL(count_lines(sink.descriptor, "expired"), 0);
		for (int i = 0; i < 3; i++) {
			CU_ASSERT_EQUAL(passes(&fixture, NOW + 2 * DAY),
					!is_revoked);
			CU_ASSERT_EQUAL(fixture.valid_until, PEER_FOREVER);
			CU_ASSERT_EQUAL(count_lines(sink.descriptor,
						    "a revocation list has "
						    "expired and counts on "
						    "file=\"/list.pem\" "
						    "expired=2030-03-18"),
					1);
		}
		log_configure(NULL, 0);
		teardown(&fixture);
	}
}

static void
test_refusals(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;

	setup(&fixture);
	list = list_of(fixture.root);
	add_list(&fixture, &list);
	CU_ASSERT(is_refused(&fixture, X509_V_ERR_UNABLE_TO_GET_CRL, 0,
			     "no revocation list of its issuer"));
	forget_lists(&fixture);

	list = list_of(fixture.middle);
	add_list(&fixture, &list);
	CU_ASSERT(passes(&fixture, NOW));
	fixture.rules.is_chain = true;
	CU_ASSERT(is_refused(&fixture, X509_V_ERR_UNABLE_TO_GET_CRL, 1,
			     "no revocation list of its issuer"));

	entry = (struct test_crl_entry){
		.certificate = fixture.middle->certificate,
		.reason = 1,
		.date = NOW - 7 * DAY,
	};
	list = list_of(fixture.root);
	list.entries = &entry;
	list.entry_count = 1;
	add_list(&fixture, &list);
	CU_ASSERT(is_refused(&fixture, X509_V_ERR_CERT_REVOKED, 1,
			     "revoked on 2030-03-10 (keyCompromise), says "
			     "/list.pem"));
	fixture.rules.is_chain = false;
	CU_ASSERT(passes(&fixture, NOW));
	forget_lists(&fixture);

	list = list_of(fixture.middle);
	list.next_update = NOW;
	add_list(&fixture, &list);
	CU_ASSERT(is_refused(&fixture, X509_V_ERR_CRL_HAS_EXPIRED, 0,
			     "expired on 2030-03-17: /list.pem"));
	forget_lists(&fixture);

	list = list_of(fixture.middle);
	list.this_update = NOW + 1;
	add_list(&fixture, &list);
	CU_ASSERT(is_refused(&fixture, X509_V_ERR_CRL_NOT_YET_VALID, 0,
			     "not valid before 2030-03-17: /list.pem"));
	forget_lists(&fixture);

	fixture.rules.is_chain = true;
	list = list_of(fixture.middle);
	add_list(&fixture, &list);
	list = list_of(fixture.root);
	list.signer = fixture.other;
	add_list(&fixture, &list);
	CU_ASSERT(is_refused(&fixture, X509_V_ERR_CRL_SIGNATURE_FAILURE, 1,
			     "not signed with the issuer's key"));
	teardown(&fixture);
}

UNIT_SUITE(crl_check, {"nothing asked", test_nothing_asked}, {"end", test_end},
	   {"expired", test_expired}, {"refusals", test_refusals});
