/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which certificates want a staple, of whom, and what an answer is worth.
 */
#include <string.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/route/certificate_gather.h"
#include "common/route/certificate_index.h"
#include "common/route/route_findings.h"
#include "common/route/staple_wants.h"
#include "common/tls/certificate_create.h"
#include "tests/lib/conf_fixture.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_ocsp.h"
#include "tests/unit/unit.h"

#define RESPONDER "http://ocsp.example.org/"

struct fixture {
	struct conf_fixture conf;
	struct file_set *files;
	struct test_identity *root;
	struct test_identity *named;  /* with a responder */
	struct test_identity *silent; /* without */
	struct certificate_gathering *gathering;
	struct staple_wants wants;
	struct error_list conflicts;
};

static struct test_identity *
identity(const char *name, const char *ocsp_uri,
	 const struct test_identity *issuer)
{
	const struct certificate_request request = {
		.names = &name,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = 30,
		.ocsp_uri = ocsp_uri,
	};

	return test_identity("p256", &request, issuer);
}

/* NAME.pem: its key, itself, and its issuer if that is wanted. */
static void
add(struct fixture *fixture, const char *name, const struct test_identity *leaf,
    bool has_issuer)
{
	AUTO_FREE char *key = test_pem_key(leaf, NULL);
	AUTO_FREE char *chain = test_pem_certificate(leaf);
	AUTO_FREE char *issuer = test_pem_certificate(fixture->root);
	AUTO_FREE char *all =
		mem_format("%s%s%s", key, chain, has_issuer ? issuer : "");

	test_file_set_add(fixture->files, name, all, strlen(all));
}

static void
setup(struct fixture *fixture, const char *text)
{
	struct error_list problems = {0}, others = {0};
	const struct route_findings findings = {&problems, &others, &others};
	struct certificate_index *index;
	struct error error = {0};

	*fixture = (struct fixture){.files = file_set_new()};
	fixture->root = test_ca("Staple Root", NULL);
	fixture->named = identity("named.example", RESPONDER, fixture->root);
	fixture->silent = identity("silent.example", NULL, fixture->root);
	add(fixture, "/named.pem", fixture->named, true);
	add(fixture, "/lone.pem", fixture->named, false);
	add(fixture, "/silent.pem", fixture->silent, true);
	conf_fixture_load(&fixture->conf, text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->conf.conf);
	fixture->gathering = certificate_gather_new(
		fixture->conf.conf, fixture->files, NULL, &findings);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->gathering);
	index = certificate_index_open(
		certificate_gather_index(fixture->gathering), &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(index);
	staple_wants_find(fixture->conf.conf, index, &fixture->wants,
			  &fixture->conflicts);
	certificate_index_unref(index);
	error_list_clear(&problems);
	error_list_clear(&others);
}

static void
teardown(struct fixture *fixture)
{
	staple_wants_clear(&fixture->wants);
	staple_wants_clear(&fixture->wants);
	error_list_clear(&fixture->conflicts);
	certificate_gather_free(fixture->gathering);
	conf_fixture_clear(&fixture->conf);
	file_set_free(fixture->files);
	test_identity_free(fixture->named);
	test_identity_free(fixture->silent);
	test_identity_free(fixture->root);
}

#define SERVICE(tls)                                                  \
	"services: {s: {connect: \"127.0.0.1:2\", accept: {address: " \
	"\":1\", tls: {" tls "}}}}\n"

static const char *
text_of(const char *text)
{
	return text ? text : "none";
}

static void
test_found(void)
{
	static const struct {
		const char *text;
		size_t count;
		const char *responder; /* of the first */
		const char *file;
		bool is_must;
	} cases[] = {
		{SERVICE("certificates: [/named.pem, /silent.pem]"), 1,
		 RESPONDER, NULL, false},
		{SERVICE("certificates: [/silent.pem]"), 0, NULL, NULL, false},
		{SERVICE("certificates: [/silent.pem], staple: must"), 1, NULL,
		 NULL, true},
		{SERVICE("certificates: [/named.pem, /named.pem]"), 1,
		 RESPONDER, NULL, false},
		{SERVICE("certificates: [/named.pem], staple: off"), 0, NULL,
		 NULL, false},
		{SERVICE("certificates: [{chain: /named.pem, staple: off}, "
			 "/silent.pem]"),
		 0, NULL, NULL, false},
		{SERVICE("certificates: [{chain: /named.pem, staple: must}], "
			 "staple: off"),
		 1, RESPONDER, NULL, true},
		{SERVICE("certificates: [/silent.pem, /named.pem], staple: "
			 "{responder: \"http://other/\"}"),
		 2, "http://other/", NULL, false},
		{SERVICE("certificates: [{chain: /named.pem, staple: {file: "
			 "/a.der}}]"),
		 1, NULL, "/a.der", false},
		/* A host with its gate's certificates in another way. */
		{SERVICE("certificates: [/named.pem], staple: off, hosts: "
			 "{www.example: {staple: must}}"),
		 1, RESPONDER, NULL, true},
		/* What we show to backends is theirs to ask about. */
		{"services: {s: {accept: \":1\", connect: {address: "
		 "\"127.0.0.1:2\", tls: {certificates: [/named.pem], verify: "
		 "none}}}}\n",
		 0, NULL, NULL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct staple_want *want;
		struct fixture fixture;

		setup(&fixture, cases[i].text);
		CU_ASSERT_EQUAL(fixture.wants.count, cases[i].count);
		if (fixture.wants.count > 0) {
			want = &fixture.wants.wants[0];
			CU_ASSERT_STRING_EQUAL(text_of(want->responder),
					       text_of(cases[i].responder));
			CU_ASSERT_STRING_EQUAL(text_of(want->file),
					       text_of(cases[i].file));
			CU_ASSERT_EQUAL(want->is_must, cases[i].is_must);
			CU_ASSERT_EQUAL(want->at.line, 1);
		}
		CU_ASSERT_EQUAL(fixture.conflicts.count, 0);
		teardown(&fixture);
	}
}

/* A gate with one certificate, and the same one in a way of their own for two
 * hosts, each staple in a line that tells it. */
#define THREE(gate, first, second)                                    \
	"services: {s: {connect: \"127.0.0.1:2\", accept: {address: " \
	"\":1\", tls: {certificates: [/named.pem],\n staple: " gate   \
	",\n hosts: {a.example: {\n staple: " first                   \
	"}, b.example: {\n staple: "                                  \
	"" second "}}}}}}\n"

/* One certificate in several places: nothing that any of them says is lost. */
static void
test_merged(void)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *responder, *file;
		bool is_must;
		const char *conflict; /* NULL: none */
		unsigned int conflict_line;
	} cases[] = {
		{THREE("auto", "auto", "auto"), 2, RESPONDER, NULL, false, NULL,
		 0},
		{THREE("auto", "must", "auto"), 4, RESPONDER, NULL, true, NULL,
		 0},
		{THREE("auto", "off", "must"), 5, RESPONDER, NULL, true, NULL,
		 0},
		{THREE("must", "auto", "must"), 2, RESPONDER, NULL, true, NULL,
		 0},
		{THREE("auto", "{file: /a.der}", "auto"), 2, NULL, "/a.der",
		 false, NULL, 0},
		{THREE("{file: /a.der}", "must", "auto"), 4, NULL, "/a.der",
		 true, NULL, 0},
		{THREE("auto", "{responder: \"http://other/\"}", "must"), 5,
		 "http://other/", NULL, true, NULL, 0},
		{THREE("must", "{responder: \"http://other/\"}",
		       "{responder: \"http://other/\", mode: must}"),
		 2, "http://other/", NULL, true, NULL, 0},
		/* Of two the first. */
		{THREE("auto", "{responder: \"http://other/\"}",
		       "{responder: \"http://third/\"}"),
		 2, "http://other/", NULL, false, "http://third/ is not used",
		 5},
		{THREE("auto", "{file: /a.der}", "{responder: \"http://b/\"}"),
		 2, NULL, "/a.der", false, "as it is from /a.der", 5},
		{THREE("auto", "{responder: \"http://b/\"}",
		       "{file: /a.der, mode: must}"),
		 5, "http://b/", NULL, true, "/a.der is not used", 5},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct staple_want *want;
		struct fixture fixture;

		setup(&fixture, cases[i].text);
		CU_ASSERT_EQUAL_FATAL(fixture.wants.count, 1);
		want = fixture.wants.wants;
		CU_ASSERT_STRING_EQUAL(text_of(want->responder),
				       text_of(cases[i].responder));
		CU_ASSERT_STRING_EQUAL(text_of(want->file),
				       text_of(cases[i].file));
		CU_ASSERT_EQUAL(want->is_must, cases[i].is_must);
		CU_ASSERT_EQUAL(want->at.line, cases[i].line);
		CU_ASSERT_EQUAL(fixture.conflicts.count,
				cases[i].conflict ? 1 : 0);
		if (cases[i].conflict && fixture.conflicts.count == 1) {
			const struct error *error = fixture.conflicts.errors;

			CU_ASSERT_EQUAL(error->at.line, cases[i].conflict_line);
			CU_ASSERT_PTR_NOT_NULL(
				strstr(error->text, cases[i].conflict));
		}
		teardown(&fixture);
	}
}

static void
test_issuers(void)
{
	struct error error = {0};
	struct fixture fixture;
	unsigned char *request;
	size_t length = 0;

	setup(&fixture, SERVICE("certificates: [/named.pem]"));
	request = staple_want_request(&fixture.wants, fixture.wants.wants,
				      &length, &error);
	CU_ASSERT_PTR_NOT_NULL(request);
	CU_ASSERT(length > 50);
	mem_free(request);
	teardown(&fixture);
	setup(&fixture, SERVICE("certificates: [/lone.pem]"));
	CU_ASSERT_EQUAL_FATAL(fixture.wants.count, 1);
	CU_ASSERT_PTR_NULL(staple_want_request(
		&fixture.wants, fixture.wants.wants, &length, &error));
	CU_ASSERT(strstr(error.text, "its issuer is not known") != NULL);
	teardown(&fixture);
}

static void
check(const struct fixture *fixture, const struct test_ocsp_single *single,
      int64_t now, enum ocsp_status status, const char *sentence)
{
	const struct test_ocsp answer = {
		.singles = single,
		.single_count = 1,
		.signer = fixture->root,
	};
	struct ocsp_judgement judgement;
	size_t length;
	AUTO_FREE unsigned char *der = test_ocsp_der(&answer, &length);

	CU_ASSERT_EQUAL(staple_want_judge(&fixture->wants, fixture->wants.wants,
					  der, length, now, &judgement),
			status);
	CU_ASSERT_EQUAL(judgement.status, status);
	CU_ASSERT(strstr(judgement.sentence, sentence) != NULL);
	if (status == OCSP_GOOD) {
		CU_ASSERT(judgement.valid_until > now);
		CU_ASSERT_EQUAL(judgement.this_update, single->this_update);
	}
}

/* Good to its very end, though others are more patient. */
static void
test_judged(void)
{
	static const char garbage[] = "no answer";
	struct ocsp_judgement judgement;
	struct fixture fixture;
	const int64_t now = 1900000000;
	struct test_ocsp_single single = {
		.this_update = now - 3600,
		.next_update = now + 60,
		.revoked_at = now - 7200,
		.reason = -1,
	};

	setup(&fixture, SERVICE("certificates: [/named.pem]"));
	single.about = fixture.named;
	check(&fixture, &single, now, OCSP_GOOD, "");
	check(&fixture, &single, now + 59, OCSP_GOOD, "");
	check(&fixture, &single, now + 60, OCSP_UNUSABLE, "expired");
	check(&fixture, &single, now + 61, OCSP_UNUSABLE, "expired");
	check(&fixture, &single, now + 9999, OCSP_UNUSABLE, "");
	single.status = TEST_OCSP_REVOKED;
	check(&fixture, &single, now, OCSP_REVOKED, "revoked");
	single.status = TEST_OCSP_UNKNOWN;
	check(&fixture, &single, now, OCSP_UNKNOWN, "");
	single.status = TEST_OCSP_GOOD;
	single.about = fixture.silent;
	check(&fixture, &single, now, OCSP_UNUSABLE, "");
	CU_ASSERT_EQUAL(staple_want_judge(&fixture.wants, fixture.wants.wants,
					  garbage, sizeof(garbage), now,
					  &judgement),
			OCSP_UNUSABLE);
	CU_ASSERT(judgement.sentence[0] != '\0');
	teardown(&fixture);
}

UNIT_SUITE(staple_wants, {"found", test_found}, {"merged", test_merged},
	   {"issuers", test_issuers}, {"judged", test_judged});
