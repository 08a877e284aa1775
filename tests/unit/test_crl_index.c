/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revocation lists: what is read from them is what is answered, what cannot be
 * obeyed is refused, and an index with anything wrong in it is refused or does
 * no harm.
 */
#include "common/verify/crl_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/sealed.h"
#include "common/tls/certificate_create.h"
#include "common/verify/crl_index_parts.h"
#include "common/verify/crl_index_write.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_crl.h"
#include "tests/unit/unit.h"

/* All times here; the year 2030. */
#define NOW  INT64_C(1900000000)
#define DAY  INT64_C(86400)
#define NAME "CRL Root"

struct fixture {
	struct test_identity *root;
	struct test_identity *other; /* of the same name */
	struct test_identity *middle;
	struct test_identity *leaf;
	struct test_identity *sibling;
	struct crl_finding finding;
	struct error error;
};

static void
setup(struct fixture *fixture)
{
	*fixture = (struct fixture){.root = test_ca(NAME, NULL)};
	fixture->other = test_ca(NAME, NULL);
	fixture->middle = test_ca("CRL Middle", fixture->root);
	fixture->leaf = test_leaf("p256", "leaf.example", fixture->root);
	fixture->sibling = test_leaf("p256", "sibling.example", fixture->root);
}

static void
teardown(struct fixture *fixture)
{
	test_identity_free(fixture->sibling);
	test_identity_free(fixture->leaf);
	test_identity_free(fixture->middle);
	test_identity_free(fixture->other);
	test_identity_free(fixture->root);
}

/* A list of the fixture's root that is valid, with the leaf in it. */
static struct test_crl
base_of(const struct fixture *fixture, struct test_crl_entry *entry)
{
	*entry = (struct test_crl_entry){
		.certificate = fixture->leaf->certificate,
		.reason = 1,
		.date = NOW - 7 * DAY,
	};
	return (struct test_crl){
		.issuer = fixture->root,
		.this_update = NOW - DAY,
		.next_update = NOW + DAY,
		.entries = entry,
		.entry_count = 1,
	};
}

/* The lists of count files as an index; NULL with the error. */
static struct crl_index *
index_files(const void *const *files, const size_t *lengths, size_t count,
	    struct error *error)
{
	int descriptor = sealed_begin("lists");
	struct crl_index_writer *writer = crl_index_writer_new(descriptor);
	struct crl_index *index = NULL;
	int added = 0;

	*error = (struct error){0};
	for (size_t i = 0; i < count && added >= 0; i++)
		added = crl_index_writer_add(writer, "/lists.pem", files[i],
					     lengths[i], error);
	if (added >= 0 && crl_index_writer_finish(writer, error) == 0 &&
	    sealed_end(descriptor) == 0)
		index = crl_index_open(descriptor, error);
	CU_ASSERT_EQUAL(!index, error->text[0] != '\0');
	crl_index_writer_free(writer);
	close(descriptor);
	return index;
}

static struct crl_index *
index_lists(const struct test_crl *lists, size_t count, struct error *error)
{
	void *files[4];
	size_t lengths[4];
	struct crl_index *index;

	CU_ASSERT_FATAL(count <= ARRAY_SIZE(files));
	for (size_t i = 0; i < count; i++)
		files[i] = test_crl_der(&lists[i], &lengths[i]);
	index = index_files((const void *const *)files, lengths, count, error);
	for (size_t i = 0; i < count; i++)
		mem_free(files[i]);
	return index;
}

static enum crl_answer
ask_at(struct fixture *fixture, struct crl_index *index,
       const struct test_identity *identity, int64_t now, bool is_expired_good)
{
	return crl_index_check(&index, 1, identity->certificate,
			       identity->issuer->certificate, now,
			       is_expired_good, &fixture->finding);
}

static enum crl_answer
ask(struct fixture *fixture, struct crl_index *index,
    const struct test_identity *identity)
{
	return ask_at(fixture, index, identity, NOW, false);
}

/* What some lists say of the leaf. */
static enum crl_answer
ask_lists(struct fixture *fixture, const struct test_crl *lists, size_t count)
{
	struct crl_index *index = index_lists(lists, count, &fixture->error);
	enum crl_answer found;

	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	found = ask(fixture, index, fixture->leaf);
	crl_index_unref(index);
	return found;
}

static void
test_revoked(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	struct crl_index *index;
	char *issuer;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf), CRL_REVOKED);
	CU_ASSERT_STRING_EQUAL(fixture.finding.source, "/lists.pem");
	CU_ASSERT_STRING_EQUAL(fixture.finding.reason, "keyCompromise");
	CU_ASSERT_EQUAL(fixture.finding.revoked_at, NOW - 7 * DAY);
	CU_ASSERT_EQUAL(fixture.finding.this_update, NOW - DAY);
	CU_ASSERT_EQUAL(fixture.finding.next_update, NOW + DAY);
	CU_ASSERT_FALSE(fixture.finding.is_expired);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.sibling), CRL_GOOD);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.middle), CRL_GOOD);
	CU_ASSERT_EQUAL(crl_index_count(index), 1);
	crl_index_describe(index, 0, &fixture.finding, &issuer);
	CU_ASSERT_STRING_EQUAL(issuer, "CN=" NAME);
	CU_ASSERT_EQUAL(fixture.finding.next_update, NOW + DAY);
	mem_free(issuer);
	crl_index_unref(index);
	teardown(&fixture);
}

static void
test_times(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	struct crl_index *index;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	/* From thisUpdate on, and until nextUpdate. */
	CU_ASSERT_EQUAL(
		ask_at(&fixture, index, fixture.sibling, NOW - DAY, false),
		CRL_GOOD);
	CU_ASSERT_EQUAL(
		ask_at(&fixture, index, fixture.sibling, NOW - DAY - 1, true),
		CRL_NOT_YET_VALID);
	CU_ASSERT_EQUAL(
		ask_at(&fixture, index, fixture.sibling, NOW + DAY - 1, false),
		CRL_GOOD);
	CU_ASSERT_EQUAL(
		ask_at(&fixture, index, fixture.sibling, NOW + DAY, false),
		CRL_EXPIRED);
	CU_ASSERT(fixture.finding.is_expired);
	CU_ASSERT_EQUAL(
		ask_at(&fixture, index, fixture.sibling, NOW + DAY, true),
		CRL_GOOD);
	CU_ASSERT(fixture.finding.is_expired);
	/* What it revoked stays so. */
	CU_ASSERT_EQUAL(ask_at(&fixture, index, fixture.leaf, NOW + DAY, true),
			CRL_REVOKED);
	crl_index_unref(index);

	list.next_update = 0;
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask_at(&fixture, index, fixture.sibling,
			       NOW + 10000 * DAY, false),
			CRL_GOOD);
	crl_index_unref(index);

	/* Beyond 2050 as GeneralizedTime. */
	list.next_update = INT64_C(4102444800);
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask_at(&fixture, index, fixture.sibling,
			       INT64_C(4102444799), false),
			CRL_GOOD);
	CU_ASSERT_EQUAL(ask_at(&fixture, index, fixture.sibling,
			       INT64_C(4102444800), false),
			CRL_EXPIRED);
	crl_index_unref(index);
	teardown(&fixture);
}

static void
test_issuers(void)
{
	static const struct test_crl_extension key_id = {
		"authorityKeyIdentifier", "keyid:always"};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	/* Another's list. */
	list.issuer = fixture.middle;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_MISSING);
	/* One of the same name, which says so, or does not. */
	list.issuer = fixture.other;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_BAD_SIGNATURE);
	list.extensions = &key_id;
	list.extension_count = 1;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_MISSING);
	/* One that pretends. */
	list.issuer = fixture.root;
	list.signer = fixture.other;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_BAD_SIGNATURE);
	list.signer = fixture.leaf;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_BAD_SIGNATURE);
	list.signer = NULL;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_REVOKED);
	/* The same name for X.500, and none. */
	list.issuer_name = "crl   ROOT";
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_REVOKED);
	list.issuer_name = "CRL Roof";
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_MISSING);
	teardown(&fixture);
}

/* Its key usage does not let it sign lists. */
static void
test_bad_issuer(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	struct test_identity *below;
	struct crl_index *index;

	setup(&fixture);
	below = test_leaf("p256", "below.example", fixture.sibling);
	list = base_of(&fixture, &entry);
	list.issuer = fixture.sibling;
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, below), CRL_BAD_ISSUER);
	crl_index_unref(index);
	test_identity_free(below);
	teardown(&fixture);
}

/* Which of several. */
static void
test_newest(void)
{
	static const struct test_crl_extension numbers[] = {
		{"crlNumber", "DER:020107"}, {"crlNumber", "DER:02020100"}};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl lists[3];
	struct crl_index *both[2];

	setup(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		lists[i] = base_of(&fixture, &entry);
	/* A hold that was lifted. */
	lists[1].entry_count = 0;
	lists[1].this_update++;
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 2), CRL_GOOD);
	/* What begins later, or has ended, does not count beside it. */
	lists[2].this_update = NOW + 1;
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 3), CRL_GOOD);
	lists[1].this_update = NOW - 2 * DAY;
	lists[1].next_update = NOW - 1;
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 2), CRL_REVOKED);
	/* A forged one does not, either. */
	lists[1].this_update = NOW;
	lists[1].next_update = NOW + DAY;
	lists[1].signer = fixture.other;
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 2), CRL_REVOKED);
	lists[1].signer = NULL;
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 2), CRL_GOOD);
	/* Of the same second. */
	lists[0].this_update = NOW;
	lists[0].extensions = &numbers[0];
	lists[1].extensions = &numbers[1];
	lists[0].extension_count = lists[1].extension_count = 1;
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 2), CRL_GOOD);
	lists[0].extensions = &numbers[1];
	lists[1].extensions = &numbers[0];
	CU_ASSERT_EQUAL(ask_lists(&fixture, lists, 2), CRL_REVOKED);
	/* In two indexes. */
	lists[1].this_update = NOW - 1;
	for (size_t i = 0; i < 2; i++) {
		both[i] = index_lists(&lists[i], 1, &fixture.error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(both[i]);
	}
	CU_ASSERT_EQUAL(crl_index_check(both, 2, fixture.leaf->certificate,
					fixture.root->certificate, NOW, false,
					&fixture.finding),
			CRL_REVOKED);
	CU_ASSERT_EQUAL(crl_index_check(both + 1, 1, fixture.leaf->certificate,
					fixture.root->certificate, NOW, false,
					&fixture.finding),
			CRL_GOOD);
	CU_ASSERT_EQUAL(crl_index_check(both, 0, fixture.leaf->certificate,
					fixture.root->certificate, NOW, false,
					&fixture.finding),
			CRL_MISSING);
	crl_index_unref(both[0]);
	crl_index_unref(both[1]);
	teardown(&fixture);
}

static void
test_scopes(void)
{
	static const struct test_crl_extension kinds[] = {
		{"issuingDistributionPoint", "critical,onlyuser:TRUE"},
		{"issuingDistributionPoint", "critical,onlyCA:TRUE"},
	};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	struct crl_index *index;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	list.extension_count = 1;
	list.extensions = &kinds[0];
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf), CRL_REVOKED);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.middle), CRL_MISSING);
	crl_index_unref(index);
	list.extensions = &kinds[1];
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf), CRL_MISSING);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.middle), CRL_GOOD);
	crl_index_unref(index);
	teardown(&fixture);
}

/* A shard is for those certificates that name it. */
static void
test_shards(void)
{
	static const struct test_crl_extension points[] = {
		{"issuingDistributionPoint",
		 "critical,fullname:URI:http://crl.example/1"},
		{"issuingDistributionPoint",
		 "critical,fullname:URI:http://crl.example/2"},
	};
	static const char *const name = "sharded.example";
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_BOTH,
		.days = 30,
		.crl_uri = "http://crl.example/2",
	};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl lists[2];
	struct test_identity *sharded;
	struct crl_index *index;

	setup(&fixture);
	sharded = test_identity("p256", &request, fixture.root);
	for (size_t i = 0; i < 2; i++) {
		lists[i] = base_of(&fixture, &entry);
		lists[i].extensions = &points[i];
		lists[i].extension_count = 1;
	}
	entry.certificate = sharded->certificate;
	lists[0].this_update++;
	lists[0].entry_count = 0;
	index = index_lists(lists, 2, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, sharded), CRL_REVOKED);
	/* It names none, and both are for others. */
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf), CRL_MISSING);
	crl_index_unref(index);
	index = index_lists(lists, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, sharded), CRL_MISSING);
	crl_index_unref(index);
	test_identity_free(sharded);
	teardown(&fixture);
}

static void
test_algorithms(void)
{
	static const struct {
		const char *key;
		const char *digest;
		bool is_pss;
	} cases[] = {
		{"rsa2048", "SHA256", false}, {"rsa2048", "SHA1", false},
		{"rsa2048", "SHA384", true},  {"rsa-pss2048", "SHA256", true},
		{"p256", "SHA512", false},    {"p384", "SHA384", false},
		{"ed25519", NULL, false},     {"ed448", NULL, false},
	};
	const struct certificate_request request = {
		.common_name = NAME,
		.purpose = CERTIFICATE_FOR_CA,
		.days = 30,
	};
	struct fixture fixture;
	struct test_crl_entry entry;

	setup(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_identity *ca =
			test_identity(cases[i].key, &request, NULL);
		struct test_identity *leaf = test_leaf("p256", "a", ca);
		struct test_crl list = base_of(&fixture, &entry);
		struct crl_index *index;

		list.issuer = ca;
		list.digest = cases[i].digest;
		list.is_pss = cases[i].is_pss;
		entry.certificate = leaf->certificate;
		index = index_lists(&list, 1, &fixture.error);
		CU_ASSERT_PTR_NOT_NULL_FATAL(index);
		/* The second time from memory. */
		CU_ASSERT_EQUAL(ask(&fixture, index, leaf), CRL_REVOKED);
		CU_ASSERT_EQUAL(ask(&fixture, index, leaf), CRL_REVOKED);
		/* Keys of other kinds. */
		CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf),
				CRL_BAD_SIGNATURE);
		CU_ASSERT_EQUAL(ask(&fixture, index, leaf), CRL_REVOKED);
		crl_index_unref(index);
		test_identity_free(leaf);
		test_identity_free(ca);
	}
	teardown(&fixture);
}

static void
test_serials(void)
{
	static const char *const serials[] = {
		"0",
		"1",
		"7F",
		"80",
		"FF",
		"0100",
		"8000",
		"-1",
		"-80",
		"-81",
		"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		"7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		"0102030405060708090A0B0C0D0E0F1011121314151617",
	};
	struct test_crl_entry entries[2 * ARRAY_SIZE(serials)];
	struct fixture fixture;
	struct test_crl list;
	struct crl_index *index;
	size_t count = 0;

	setup(&fixture);
	list = base_of(&fixture, entries);
	/* Every second of them is revoked, each twice. */
	for (size_t i = 0; i < ARRAY_SIZE(serials); i += 2) {
		for (int again = 0; again < 2; again++)
			entries[count++] = (struct test_crl_entry){
				.serial = serials[i],
				.reason = -1,
				.date = NOW - DAY + again,
			};
	}
	list.entry_count = count;
	index = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	for (size_t i = 0; i < ARRAY_SIZE(serials); i++) {
		X509 *copy = X509_dup(fixture.leaf->certificate);
		BIGNUM *number = NULL;

		BN_hex2bn(&number, serials[i]);
		BN_to_ASN1_INTEGER(number, X509_get_serialNumber(copy));
		CU_ASSERT_EQUAL(crl_index_check(&index, 1, copy,
						fixture.root->certificate, NOW,
						false, &fixture.finding),
				i % 2 == 0 ? CRL_REVOKED : CRL_GOOD);
		if (i % 2 == 0) {
			CU_ASSERT_EQUAL(fixture.finding.revoked_at, NOW - DAY);
			CU_ASSERT_STRING_EQUAL(fixture.finding.reason,
					       "unspecified");
		}
		BN_free(number);
		X509_free(copy);
	}
	crl_index_unref(index);
	teardown(&fixture);
}

/* removeFromCRL takes nothing in, and nothing out. */
static void
test_removed(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	entry.reason = 8;
	CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_GOOD);
	teardown(&fixture);
}

static void
test_refused_lists(void)
{
	static const struct {
		struct test_crl_extension extension;
		const char *word;
	} cases[] = {
		{{"deltaCRL", "critical,DER:020101"}, "delta"},
		{{"issuingDistributionPoint", "critical,indirectCRL:TRUE"},
		 "indirect"},
		{{"issuingDistributionPoint",
		  "critical,onlysomereasons:keyCompromise"},
		 "onlySomeReasons"},
		{{"issuingDistributionPoint", "critical,onlyAA:TRUE"},
		 "attribute"},
		{{"1.2.3.4", "critical,DER:0500"}, "critical"},
		{{"2.5.29.99", "critical,DER:0500"}, "critical"},
		{{"crlNumber", "DER:0500"}, "number"},
		{{"authorityKeyIdentifier", "DER:0500"}, "key identifier"},
		{{"issuingDistributionPoint", "DER:0500"}, "malformed"},
		/* [0] [1] a relative name */
		{{"issuingDistributionPoint", "DER:3006a004a1023100"},
		 "relative"},
		{{"issuingDistributionPoint", "DER:3004a002a000"}, "malformed"},
		{{"issuingDistributionPoint", "DER:30068101ff8201ff"},
		 "nobody"},
	};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_identity *rsa;
	struct test_crl list;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	list.extension_count = 1;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		list.extensions = &cases[i].extension;
		CU_ASSERT_PTR_NULL(index_lists(&list, 1, &fixture.error));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(fixture.error.text, cases[i].word));
	}
	list.extension_count = 0;
	entry.issuer = "critical,DER:3003820161";
	CU_ASSERT_PTR_NULL(index_lists(&list, 1, &fixture.error));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.error.text, "other issuers"));
	entry.issuer = NULL;
	/* With ECDSA there never was such an algorithm. */
	rsa = test_leaf("rsa2048", "a", NULL);
	list.signer = rsa;
	list.digest = "MD5";
	CU_ASSERT_PTR_NULL(index_lists(&list, 1, &fixture.error));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.error.text, "MD5"));
	test_identity_free(rsa);
	teardown(&fixture);
}

/* One that is known and not critical changes nothing. */
static void
test_taken_lists(void)
{
	static const struct test_crl_extension cases[] = {
		{"1.2.3.4", "DER:0500"},
		{"2.5.29.99", "DER:0500"},
		{"freshestCRL", "URI:http://crl.example/delta"},
		{"issuerAltName", "DNS:ca.example"},
		{"issuingDistributionPoint", "DER:3000"},
		{"authorityKeyIdentifier", "keyid:always,issuer:always"},
	};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	list.extension_count = 1;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		list.extensions = &cases[i];
		CU_ASSERT_EQUAL(ask_lists(&fixture, &list, 1), CRL_REVOKED);
	}
	teardown(&fixture);
}

static struct crl_index *
index_text(const char *text, struct error *error)
{
	const void *file = text;
	size_t length = strlen(text);

	return index_files(&file, &length, 1, error);
}

static void
test_pem(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	AUTO_FREE char *first = NULL, *second = NULL, *all = NULL,
		       *certificate = NULL, *cut = NULL;
	struct crl_index *index;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	first = test_crl_pem(&list);
	list.issuer = fixture.middle;
	second = test_crl_pem(&list);
	certificate = test_pem_certificate(fixture.leaf);
	all = mem_format("of the root\n%s%sof another\n%s%s", first,
			 certificate, second, certificate);
	index = index_text(all, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(crl_index_count(index), 2);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf), CRL_REVOKED);
	crl_index_unref(index);
	/* No list in it. */
	index = index_text(certificate, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(crl_index_count(index), 0);
	crl_index_unref(index);
	index = index_text("", &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(crl_index_count(index), 0);
	crl_index_unref(index);
	/* One that was cut off. */
	cut = mem_format("%s%.*s", first, (int)strlen(second) - 40, second);
	CU_ASSERT_PTR_NULL(index_text(cut, &fixture.error));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.error.text, "no PEM"));
	mem_free(cut);
	cut = mem_format("%s-----BEGIN X509 CRL-----\nMAA=\n"
			 "-----END X509 CRL-----\n",
			 first);
	CU_ASSERT_PTR_NULL(index_text(cut, &fixture.error));
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.error.text, "list 2: "));
	teardown(&fixture);
}

/* Each prefix of a list is none; whatever one byte is, nothing breaks. */
static void
test_broken_lists(void)
{
	static const struct test_crl_extension point = {
		"issuingDistributionPoint",
		"critical,onlyuser:TRUE,fullname:URI:http://crl.example/1"};
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	AUTO_FREE unsigned char *bytes = NULL;
	struct crl_index *index;
	size_t length;

	setup(&fixture);
	list = base_of(&fixture, &entry);
	list.extensions = &point;
	list.extension_count = 1;
	bytes = test_crl_der(&list, &length);
	for (size_t i = 1; i < length; i++) {
		const void *file = bytes;

		CU_ASSERT_PTR_NULL(index_files(&file, &i, 1, &fixture.error));
	}
	for (size_t i = 0; i < length; i++) {
		const void *file = bytes;

		bytes[i] ^= 0x11;
		index = index_files(&file, &length, 1, &fixture.error);
		if (index)
			CU_ASSERT_NOT_EQUAL(ask(&fixture, index, fixture.leaf),
					    CRL_GOOD);
		crl_index_unref(index);
		bytes[i] ^= 0x11;
	}
	teardown(&fixture);
}

/* What was read twice is there once; the digest tells contents apart. */
static void
test_copies(void)
{
	struct fixture fixture;
	struct test_crl_entry entry;
	struct test_crl list;
	AUTO_FREE unsigned char *bytes = NULL;
	struct crl_index *one, *other;
	const void *files[2];
	size_t lengths[2];
	int descriptor = sealed_begin("lists");
	struct crl_index_writer *writer = crl_index_writer_new(descriptor);

	setup(&fixture);
	list = base_of(&fixture, &entry);
	bytes = test_crl_der(&list, &lengths[0]);
	lengths[1] = lengths[0];
	files[0] = files[1] = bytes;
	one = index_files(files, lengths, 2, &fixture.error);
	other = index_files(files, lengths, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(one);
	CU_ASSERT_PTR_NOT_NULL_FATAL(other);
	CU_ASSERT_EQUAL(crl_index_count(one), 1);
	CU_ASSERT_PTR_NOT_EQUAL(one, other);
	CU_ASSERT_EQUAL(
		memcmp(crl_index_digest(one), crl_index_digest(other), 32), 0);
	crl_index_unref(other);
	list.this_update++;
	other = index_lists(&list, 1, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(other);
	CU_ASSERT_NOT_EQUAL(
		memcmp(crl_index_digest(one), crl_index_digest(other), 32), 0);
	crl_index_unref(other);
	crl_index_unref(one);
	/* The same memory is opened once. */
	CU_ASSERT_EQUAL(crl_index_writer_finish(writer, &fixture.error), 0);
	CU_ASSERT_PTR_NULL(crl_index_open(descriptor, &fixture.error));
	CU_ASSERT_EQUAL(sealed_end(descriptor), 0);
	one = crl_index_open(descriptor, &fixture.error);
	other = crl_index_open(descriptor, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(one);
	CU_ASSERT_PTR_EQUAL(one, other);
	crl_index_unref(one);
	crl_index_unref(other);
	crl_index_writer_free(writer);
	close(descriptor);
	teardown(&fixture);
}

/* An index from a process that is not to be trusted. */

static unsigned char *
index_bytes(struct fixture *fixture, size_t *size)
{
	struct test_crl_entry entries[2];
	struct test_crl list = base_of(fixture, entries);
	int descriptor = sealed_begin("lists");
	struct crl_index_writer *writer = crl_index_writer_new(descriptor);
	const char *seed = getenv("SEALOCK_CRL_INDEX_SEED");
	unsigned char *made;

	entries[1] = (struct test_crl_entry){.serial = "77", .reason = -1};
	list.entry_count = 2;
	for (int i = 0; i < 2; i++) {
		size_t length;
		AUTO_FREE unsigned char *der = test_crl_der(&list, &length);

		CU_ASSERT_EQUAL_FATAL(crl_index_writer_add(writer, "/lists",
							   der, length, NULL),
				      1);
		list.issuer = fixture->middle;
	}
	CU_ASSERT_EQUAL_FATAL(crl_index_writer_finish(writer, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(sealed_end(descriptor), 0);
	CU_ASSERT_EQUAL_FATAL(sealed_length(descriptor, size), 0);
	made = mem_alloc(*size);
	CU_ASSERT_EQUAL_FATAL(sealed_read(descriptor, made, *size), 0);
	if (seed) {
		FILE *out = fopen(seed, "wb");

		fwrite(made, 1, *size, out);
		fclose(out);
	}
	crl_index_writer_free(writer);
	close(descriptor);
	return made;
}

static struct crl_index *
open_bytes(const void *bytes, size_t size, struct error *error)
{
	int descriptor = sealed_new("lists", bytes, size);
	struct crl_index *index;

	*error = (struct error){0};
	index = crl_index_open(descriptor, error);
	CU_ASSERT_EQUAL(!index, error->text[0] != '\0');
	close(descriptor);
	return index;
}

static void
test_hostile_index(void)
{
	static const unsigned char values[] = {0x00, 0x80, 0xff};
	struct fixture fixture;
	AUTO_FREE unsigned char *bytes = NULL;
	struct crl_index *index;
	size_t size, refused = 0;

	setup(&fixture);
	bytes = index_bytes(&fixture, &size);
	index = open_bytes(bytes, size, &fixture.error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.leaf), CRL_REVOKED);
	CU_ASSERT_EQUAL(ask(&fixture, index, fixture.sibling), CRL_GOOD);
	crl_index_unref(index);
	for (size_t i = 0; i < size; i++)
		CU_ASSERT_PTR_NULL(open_bytes(bytes, i, &fixture.error));
	for (size_t i = 0; i < size; i++) {
		unsigned char before = bytes[i];

		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			bytes[i] = values[j];
			index = open_bytes(bytes, size, &fixture.error);
			refused += !index;
			if (index)
				ask(&fixture, index, fixture.leaf);
			crl_index_unref(index);
		}
		bytes[i] = before;
	}
	CU_ASSERT(refused > 300);
	teardown(&fixture);
}

UNIT_SUITE(crl_index, {"revoked", test_revoked}, {"times", test_times},
	   {"issuers", test_issuers}, {"bad_issuer", test_bad_issuer},
	   {"newest", test_newest}, {"scopes", test_scopes},
	   {"shards", test_shards}, {"algorithms", test_algorithms},
	   {"serials", test_serials}, {"removed", test_removed},
	   {"refused_lists", test_refused_lists},
	   {"taken_lists", test_taken_lists}, {"pem", test_pem},
	   {"broken_lists", test_broken_lists}, {"copies", test_copies},
	   {"hostile_index", test_hostile_index});
