/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathering the certificates of a configuration: keys and what they may sign,
 * what is quarantined, what is taken over, and pairs that are checked later.
 * What comes of it in routes is test_route's.
 */
#include "common/route/certificate_gather.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/certificate_index.h"
#include "common/route/route_findings.h"
#include "common/tls/local_keys.h"
#include "common/tls/signer.h"
#include "tests/lib/conf_fixture.h"
#include "tests/lib/remote_fixture.h"
#include "tests/lib/sign_text.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

struct fixture {
	struct conf_fixture conf;
	struct file_set *files;
	struct test_identity *ca;
	struct error_list problems;
	struct error_list quarantined;
	struct error_list warnings;
	struct certificate_gathering *gathering;
};

static void
setup(struct fixture *fixture)
{
	*fixture = (struct fixture){.files = file_set_new()};
	fixture->ca = test_ca("Gather CA", NULL);
}

/* NAME.crt and NAME.key; the key is another's if that is given. */
static void
add_pair(struct fixture *fixture, const char *directory, const char *name,
	 const struct test_identity *leaf, const struct test_identity *key_of)
{
	AUTO_FREE char *chain = test_pem_chain(leaf);
	AUTO_FREE char *key = test_pem_key(key_of ? key_of : leaf, NULL);
	AUTO_FREE char *chain_path = mem_format("%s/%s.crt", directory, name);
	AUTO_FREE char *key_path = mem_format("%s/%s.key", directory, name);

	test_file_set_add(fixture->files, chain_path, chain, strlen(chain));
	test_file_set_add(fixture->files, key_path, key, strlen(key));
}

static void
add(struct fixture *fixture, const char *name)
{
	struct test_identity *leaf = test_leaf("p256", name, fixture->ca);

	add_pair(fixture, "/etc/sealock", name, leaf, NULL);
	test_identity_free(leaf);
}

static void
gather(struct fixture *fixture, const char *text,
       const struct certificate_gathering *previous)
{
	const struct route_findings findings = {
		&fixture->problems, &fixture->quarantined, &fixture->warnings};

	conf_fixture_load(&fixture->conf, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->conf.conf);
	fixture->gathering = certificate_gather_new(
		fixture->conf.conf, fixture->files, previous, &findings);
}

static void
teardown(struct fixture *fixture)
{
	certificate_gather_free(fixture->gathering);
	conf_fixture_clear(&fixture->conf);
	file_set_free(fixture->files);
	test_identity_free(fixture->ca);
	error_list_clear(&fixture->problems);
	error_list_clear(&fixture->quarantined);
	error_list_clear(&fixture->warnings);
}

static size_t
count_said(const struct error_list *list, const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += strstr(list->errors[i].text, part) != NULL;
	return count;
}

static struct certificate_index *
open_index(const struct fixture *fixture)
{
	struct error error = {0};
	struct certificate_index *index = certificate_index_open(
		certificate_gather_index(fixture->gathering), &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	return index;
}

/* What the first certificate of a set may have signed. */
static unsigned int
uses_of(const struct fixture *fixture, const struct local_keys *keys,
	size_t number)
{
	struct certificate_index *index = open_index(fixture);
	const struct indexed_certificate *one = certificate_index_certificate(
		index, certificate_index_set(index, number), 0);
	unsigned int uses;

	local_keys_find(keys, one->key_id, &uses);
	certificate_index_unref(index);
	return uses;
}

static void
test_keys(void)
{
	struct local_keys *keys = local_keys_new();
	struct fixture fixture;

	setup(&fixture);
	add(&fixture, "a");
	add(&fixture, "b");
	add(&fixture, "c");
	gather(&fixture,
	       "services:\n"
	       "  s: {accept: {address: \":1\", tls: {certificates:\n"
	       "        {chain: a.crt, key: a.key},\n"
	       "        hosts: {old.example: {profile: old,\n"
	       "          versions: [TLSv1.1, TLSv1.2]},\n"
	       "          own.example: {certificates:\n"
	       "            {chain: b.crt, key: b.key}}}}},\n"
	       "      connect: {address: \"b.example:2\", tls: {verify: none,\n"
	       "        certificates: {chain: c.crt, key: c.key}}}}\n"
	       "  t: {accept: \":2\", connect: {address: \"b.example:2\",\n"
	       "        tls: {verify: none, certificates:\n"
	       "          {chain: b.crt, key: b.key}}}}\n",
	       NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.gathering);
	CU_ASSERT_EQUAL(certificate_gather_key_count(fixture.gathering), 3);
	certificate_gather_add_keys(fixture.gathering, keys);
	CU_ASSERT_EQUAL(local_keys_count(keys), 3);
	/* A host of the gate has it for older versions, too. */
	CU_ASSERT(uses_of(&fixture, keys, 0) & KEY_USE_LEGACY);
	CU_ASSERT(uses_of(&fixture, keys, 0) & KEY_USE_SERVER);
	CU_ASSERT(!(uses_of(&fixture, keys, 0) & KEY_USE_CLIENT));
	/* At an accept gate here, at a connect gate there. */
	CU_ASSERT_EQUAL(uses_of(&fixture, keys, 1),
			KEY_USE_SERVER | KEY_USE_CLIENT);
	CU_ASSERT_EQUAL(uses_of(&fixture, keys, 2), KEY_USE_CLIENT);
	CU_ASSERT_EQUAL(uses_of(&fixture, keys, 3),
			KEY_USE_SERVER | KEY_USE_CLIENT);
	/* Another generation's are counted apart. */
	certificate_gather_add_keys(fixture.gathering, keys);
	certificate_gather_remove_keys(fixture.gathering, keys);
	CU_ASSERT_EQUAL(local_keys_count(keys), 3);
	certificate_gather_remove_keys(fixture.gathering, keys);
	CU_ASSERT_EQUAL(local_keys_count(keys), 0);
	local_keys_free(keys);
	certificate_gather_free(certificate_gather_ref(fixture.gathering));
	certificate_gather_free(NULL);
	teardown(&fixture);
}

/* What a client has to offer cannot be left out. */
static void
test_connect_gate(void)
{
	struct fixture fixture;

	setup(&fixture);
	add(&fixture, "a");
	gather(&fixture,
	       "services:\n"
	       "  s: {accept: {address: \":1\", tls: {certificates: \n"
	       "        [{chain: a.crt, key: a.key}, none.pem]}},\n"
	       "      connect: {address: \"b.example:2\", tls: {verify: none,\n"
	       "        certificates: {chain: a.crt, key: none.key}}}}\n",
	       NULL);
	CU_ASSERT_PTR_NULL(fixture.gathering);
	CU_ASSERT_EQUAL(fixture.problems.count, 2);
	CU_ASSERT_EQUAL(count_said(&fixture.problems, "none.key"), 1);
	CU_ASSERT_EQUAL(count_said(&fixture.problems, "none.pem"), 1);
	CU_ASSERT_EQUAL(fixture.quarantined.count, 0);
	teardown(&fixture);
}

static void
test_services_and_hosts_without(void)
{
	struct fixture fixture;

	setup(&fixture);
	add(&fixture, "a");
	gather(&fixture,
	       "services:\n"
	       "  s: {connect: \"127.0.0.1:2\", accept: {address: \":1\",\n"
	       "      tls: {certificates: {chain: a.crt, key: a.key}, hosts:\n"
	       "        {b.example: {certificates: none.pem}}}}}\n"
	       "  t: {connect: \"127.0.0.1:2\", accept: {address: \":2\",\n"
	       "      tls: {certificates: none.pem}}}\n",
	       NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.gathering);
	CU_ASSERT_EQUAL(fixture.quarantined.count, 4);
	CU_ASSERT_EQUAL(count_said(&fixture.quarantined, "none.pem"), 2);
	CU_ASSERT_EQUAL(count_said(&fixture.quarantined,
				   "service s, host b.example: none of its "
				   "certificates can be served"),
			1);
	CU_ASSERT_EQUAL(count_said(&fixture.quarantined,
				   "service t has no certificate"),
			1);
	teardown(&fixture);
}

enum {
	MANY = 510,
	WRONG = 505
};

/* MANY pairs in a directory, of which one has another's key. */
static void
add_many(struct fixture *fixture)
{
	char *names[2 * MANY];

	for (int i = 0; i < MANY; i++) {
		AUTO_FREE char *name = mem_format("%03d", i);
		AUTO_FREE char *host = mem_format("h%03d.example", i);
		struct test_identity *leaf =
			test_leaf("p256", host, fixture->ca);

		add_pair(fixture, "/etc/sealock/d", name, leaf,
			 i == WRONG ? fixture->ca : NULL);
		test_identity_free(leaf);
		names[2 * i] = mem_format("/etc/sealock/d/%s.crt", name);
		names[2 * i + 1] = mem_format("/etc/sealock/d/%s.key", name);
	}
	file_set_add_directory(fixture->files, "/etc/sealock/d", FILE_SECRET,
			       (const char *const *)names, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		mem_free(names[i]);
}

static const char many[] =
	"services: {s: {connect: \"127.0.0.1:2\", accept: {address: \":1\", "
	"tls: {certificates: {directory: d}}}}}\n";

static size_t
count_under(const struct fixture *fixture, const char *name)
{
	struct certificate_index *index = open_index(fixture);
	const uint32_t *members;
	size_t count = certificate_index_find(
		index, certificate_index_set(index, 0), name, &members);

	certificate_index_unref(index);
	return count;
}

/* Sign with the key of a certificate that stands under a name. */
static bool
signs(const struct fixture *fixture, const struct local_keys *keys,
      const char *name)
{
	struct certificate_index *index = open_index(fixture);
	const struct indexed_set *set = certificate_index_set(index, 0);
	const uint32_t *members;
	unsigned char signature[SIGNATURE_MAX];
	size_t length = sizeof(signature);
	struct sign_text text;
	struct error error = {0};
	bool is_signed;

	CU_ASSERT_EQUAL_FATAL(
		certificate_index_find(index, set, name, &members), 1);
	sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
	is_signed = local_keys_sign(keys,
				    certificate_index_certificate(index, set,
								  members[0])
					    ->key_id,
				    &(struct sign_request){0x0403, text.bytes,
							   text.writer.length},
				    signature, &length, &error) == 0;
	certificate_index_unref(index);
	return is_signed;
}

struct checking {
	struct certificate_gathering *gathering;
	size_t wrong;
};

static void *
check_pairs(void *argument)
{
	static const atomic_bool never;
	struct checking *checking = argument;

	checking->wrong =
		certificate_gather_check_pairs(checking->gathering, &never);
	return NULL;
}

static void
test_many(void)
{
	static const atomic_bool at_once = true;
	struct local_keys *keys = local_keys_new();
	struct fixture fixture, after;
	struct checking checking;
	pthread_t thread;

	setup(&fixture);
	add_many(&fixture);
	gather(&fixture, many, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.gathering);
	/* It looks right. */
	CU_ASSERT_EQUAL(fixture.quarantined.count, 0);
	CU_ASSERT_EQUAL(certificate_gather_key_count(fixture.gathering), MANY);
	CU_ASSERT_EQUAL(count_under(&fixture, "h505.example"), 1);
	CU_ASSERT_EQUAL(
		certificate_gather_check_pairs(fixture.gathering, &at_once), 0);

	/* Keys are decoded while others look at them. */
	certificate_gather_add_keys(fixture.gathering, keys);
	checking = (struct checking){.gathering = fixture.gathering};
	CU_ASSERT_EQUAL_FATAL(
		pthread_create(&thread, NULL, check_pairs, &checking), 0);
	for (int i = 500; i < MANY; i++) {
		AUTO_FREE char *name = mem_format("h%03d.example", i);

		CU_ASSERT(signs(&fixture, keys, name));
	}
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(checking.wrong, 1);
	certificate_gather_remove_keys(fixture.gathering, keys);

	/* The next gathering knows, and the wrong copy is not a good one. */
	setup(&after);
	file_set_free(after.files);
	after.files = TAKE(fixture.files);
	gather(&after, many, fixture.gathering);
	CU_ASSERT_PTR_NOT_NULL_FATAL(after.gathering);
	CU_ASSERT_EQUAL(after.quarantined.count, 1);
	CU_ASSERT_EQUAL(count_said(&after.quarantined,
				   "the private key in /etc/sealock/d/505.key "
				   "does not match a certificate in "
				   "/etc/sealock/d/505.crt"),
			1);
	CU_ASSERT_EQUAL(count_under(&after, "h505.example"), 0);
	CU_ASSERT_EQUAL(count_under(&after, "h506.example"), 1);
	CU_ASSERT_EQUAL(certificate_gather_key_count(after.gathering),
			MANY - 1);
	teardown(&after);
	fixture.files = file_set_new();
	teardown(&fixture);
	local_keys_free(keys);
}

UNIT_SUITE(certificate_gather, {"keys", test_keys},
	   {"connect_gate", test_connect_gate},
	   {"services_and_hosts_without", test_services_and_hosts_without},
	   {"many", test_many});
