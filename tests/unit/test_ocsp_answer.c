/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP answers: what is good is found good, and everything that is wrong in any
 * way proves nothing.
 */
#include "common/verify/ocsp_answer.h"

#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/test_ocsp.h"
#include "tests/unit/unit.h"

/* The certificates are of today, and so is the clock. */
#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

struct fixture {
	int64_t now;
	struct test_identity *root;
	struct test_identity *other; /* of the same name */
	struct test_identity *leaf;
	struct test_identity *sibling;
	/* What is to be judged, and how. */
	struct test_ocsp_single single;
	struct test_ocsp answer;
	const struct ocsp_nonce *nonce;
	struct ocsp_judgement judgement;
};

static void
setup(struct fixture *fixture)
{
	*fixture = (struct fixture){.now = (int64_t)time(NULL)};
	fixture->root = test_ca("OCSP Root", NULL);
	fixture->other = test_ca("OCSP Root", NULL);
	fixture->leaf = test_leaf("p256", "leaf.example", fixture->root);
	fixture->sibling = test_leaf("p256", "other.example", fixture->root);
	fixture->single = (struct test_ocsp_single){
		.about = fixture->leaf,
		.this_update = fixture->now - HOUR,
		.next_update = fixture->now + HOUR,
		.revoked_at = fixture->now - 30 * DAY,
		.reason = 1,
	};
	fixture->answer = (struct test_ocsp){
		.signer = fixture->root,
		.singles = &fixture->single,
		.single_count = 1,
	};
}

static void
teardown(struct fixture *fixture)
{
	test_identity_free(fixture->sibling);
	test_identity_free(fixture->leaf);
	test_identity_free(fixture->other);
	test_identity_free(fixture->root);
}

static enum ocsp_status
judge_bytes(struct fixture *fixture, const void *der, size_t length)
{
	const struct ocsp_pair pair = {fixture->leaf->certificate,
				       fixture->root->certificate};
	struct ocsp_judgement *judgement = &fixture->judgement;
	/* An exact copy, so that a read past the end is seen. */
	AUTO_FREE unsigned char *exact = mem_dup(der, length);
	enum ocsp_status status;

	memset(judgement, 0xa5, sizeof(*judgement));
	status = ocsp_answer_judge(exact, length, &pair, fixture->nonce,
				   fixture->now, judgement);
	CU_ASSERT_EQUAL(status, judgement->status);
	CU_ASSERT_EQUAL(status == OCSP_GOOD, judgement->sentence[0] == '\0');
	CU_ASSERT_EQUAL(status == OCSP_UNUSABLE, judgement->valid_until == 0);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	return status;
}

static enum ocsp_status
judge(struct fixture *fixture)
{
	size_t length;
	AUTO_FREE unsigned char *der = test_ocsp_der(&fixture->answer, &length);

	return judge_bytes(fixture, der, length);
}

#define ASSERT_UNUSABLE(fixture, words)                                \
	do {                                                           \
		CU_ASSERT_EQUAL(judge(fixture), OCSP_UNUSABLE);        \
		CU_ASSERT_PTR_NOT_NULL(                                \
			strstr((fixture)->judgement.sentence, words)); \
		if (!strstr((fixture)->judgement.sentence, words))     \
			fprintf(stderr, "%s\n",                        \
				(fixture)->judgement.sentence);        \
	} while (0)

static void
test_good(void)
{
	static const char *const digests[] = {"SHA1", "SHA256", "SHA384",
					      "SHA512"};
	struct fixture fixture;

	setup(&fixture);
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	CU_ASSERT_EQUAL(fixture.judgement.this_update, fixture.now - HOUR);
	CU_ASSERT_EQUAL(fixture.judgement.next_update, fixture.now + HOUR);
	CU_ASSERT_EQUAL(fixture.judgement.valid_until, fixture.now + HOUR);
	fixture.answer.is_by_key = true;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	fixture.answer.digest = "SHA384";
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
		fixture.single.digest = digests[i];
		CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	}
	fixture.single.digest = "MD5";
	ASSERT_UNUSABLE(&fixture, "about another");
	teardown(&fixture);
}

static void
test_revoked(void)
{
	struct fixture fixture;

	setup(&fixture);
	fixture.single.status = TEST_OCSP_REVOKED;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	CU_ASSERT_EQUAL(fixture.judgement.revoked_at, fixture.now - 30 * DAY);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(fixture.judgement.sentence, "(keyCompromise)"));
	fixture.single.reason = -1;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	CU_ASSERT_PTR_NULL(strchr(fixture.judgement.sentence, '('));
	/* No weakness of the answer helps. */
	fixture.single.next_update = fixture.now - HOUR / 2;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	fixture.single.this_update = fixture.now + DAY;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	fixture.answer.digest = "SHA1";
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	fixture.nonce = &(const struct ocsp_nonce){.bytes = {1}};
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	fixture.single.is_critical = true;
	fixture.answer.is_critical = true;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	/* But nobody else may say so. */
	fixture.answer.signer = fixture.other;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_UNUSABLE);
	teardown(&fixture);
}

static void
test_unknown(void)
{
	struct fixture fixture;

	setup(&fixture);
	fixture.single.status = TEST_OCSP_UNKNOWN;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_UNKNOWN);
	fixture.single.next_update = fixture.now - HOUR / 2;
	ASSERT_UNUSABLE(&fixture, "expired");
	teardown(&fixture);
}

static void
test_dates(void)
{
	struct fixture fixture;
	struct test_ocsp_single *single = &fixture.single;

	setup(&fixture);
	single->next_update = fixture.now - OCSP_SKEW;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	single->next_update = fixture.now - OCSP_SKEW - 1;
	ASSERT_UNUSABLE(&fixture, "expired on");
	single->next_update = fixture.now + DAY;
	single->this_update = fixture.now + OCSP_SKEW;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	single->this_update = fixture.now + OCSP_SKEW + 1;
	ASSERT_UNUSABLE(&fixture, "not valid before");
	single->next_update = fixture.now + 1;
	single->this_update = fixture.now + 2;
	ASSERT_UNUSABLE(&fixture, "before it begins");
	/* Without an end of its own. */
	single->next_update = 0;
	single->this_update = fixture.now - HOUR;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	CU_ASSERT_EQUAL(fixture.judgement.next_update, 0);
	CU_ASSERT_EQUAL(fixture.judgement.valid_until,
			fixture.now - HOUR + OCSP_LIFE_UNSAID);
	single->this_update = fixture.now - OCSP_LIFE_UNSAID - OCSP_SKEW - 1;
	ASSERT_UNUSABLE(&fixture, "expired on");
	teardown(&fixture);
}

static void
test_signer(void)
{
	struct fixture fixture;
	struct test_identity *named;

	setup(&fixture);
	/* Of the same name, with another key. */
	fixture.answer.signer = fixture.other;
	ASSERT_UNUSABLE(&fixture, "nobody who may");
	fixture.answer.is_by_key = true;
	ASSERT_UNUSABLE(&fixture, "nobody who may");
	fixture.answer.certificates =
		(const struct test_identity *const[]){fixture.other};
	fixture.answer.certificate_count = 1;
	ASSERT_UNUSABLE(&fixture, "not from the issuer");
	/* The certificate in question, for itself. */
	fixture.answer.signer = fixture.leaf;
	fixture.answer.certificates =
		(const struct test_identity *const[]){fixture.leaf};
	ASSERT_UNUSABLE(&fixture, "signed the answer itself");
	/* Another one of the same issuer. */
	fixture.answer.signer = fixture.sibling;
	fixture.answer.certificates =
		(const struct test_identity *const[]){fixture.sibling};
	ASSERT_UNUSABLE(&fixture, "lacks OCSPSigning");
	/* The issuer in name alone. */
	named = test_ca("Somebody Else", NULL);
	fixture.answer = (struct test_ocsp){
		.signer = fixture.root,
		.named = named,
		.singles = &fixture.single,
		.single_count = 1,
	};
	ASSERT_UNUSABLE(&fixture, "nobody who may");
	test_identity_free(named);
	teardown(&fixture);
}

/* The answer of a delegate, with its certificate. */
static enum ocsp_status
judge_delegate(struct fixture *fixture,
	       const struct test_ocsp_responder *wanted)
{
	struct test_identity *responder = test_ocsp_responder(wanted);
	const struct test_identity *const sent[] = {responder};
	enum ocsp_status status;

	fixture->answer.signer = responder;
	fixture->answer.certificates = sent;
	fixture->answer.certificate_count = 1;
	status = judge(fixture);
	fixture->answer.is_by_key = !fixture->answer.is_by_key;
	CU_ASSERT_EQUAL(judge(fixture), status);
	fixture->answer.certificates = NULL;
	fixture->answer.certificate_count = 0;
	CU_ASSERT_EQUAL(judge(fixture), OCSP_UNUSABLE);
	/* With what is wrong with the certificate in the sentence. */
	fixture->answer.certificates = sent;
	fixture->answer.certificate_count = 1;
	(void)judge(fixture);
	test_identity_free(responder);
	return status;
}

#define ASSERT_NO_DELEGATE(fixture, wanted, words)                     \
	do {                                                           \
		CU_ASSERT_EQUAL(judge_delegate(fixture, wanted),       \
				OCSP_UNUSABLE);                        \
		CU_ASSERT_PTR_NOT_NULL(                                \
			strstr((fixture)->judgement.sentence, words)); \
	} while (0)

static void
test_delegate(void)
{
	struct fixture fixture;
	struct test_ocsp_responder wanted;

	setup(&fixture);
	wanted = (struct test_ocsp_responder){
		.name = "Responder",
		.issuer = fixture.root,
		.extended_key_usage = "OCSPSigning",
	};
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	wanted.key_usage = "digitalSignature";
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	wanted.key_usage = "nonRepudiation";
	wanted.extended_key_usage = "serverAuth,OCSPSigning";
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	fixture.single.status = TEST_OCSP_REVOKED;
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_REVOKED);
	fixture.single.status = TEST_OCSP_GOOD;
	wanted.key_usage = "keyEncipherment";
	ASSERT_NO_DELEGATE(&fixture, &wanted, "not for signing");
	wanted.key_usage = NULL;
	wanted.extended_key_usage = "serverAuth,clientAuth";
	ASSERT_NO_DELEGATE(&fixture, &wanted, "lacks OCSPSigning");
	wanted.extended_key_usage = "anyExtendedKeyUsage";
	ASSERT_NO_DELEGATE(&fixture, &wanted, "lacks OCSPSigning");
	wanted.extended_key_usage = NULL;
	ASSERT_NO_DELEGATE(&fixture, &wanted, "lacks OCSPSigning");
	/* Another CA's, even of the same name. */
	wanted.extended_key_usage = "OCSPSigning";
	wanted.issuer = fixture.other;
	ASSERT_NO_DELEGATE(&fixture, &wanted, "not from the issuer");
	teardown(&fixture);
}

static void
test_delegate_dates(void)
{
	struct fixture fixture;
	struct test_ocsp_responder wanted;

	setup(&fixture);
	wanted = (struct test_ocsp_responder){
		.name = "Responder",
		.issuer = fixture.root,
		.extended_key_usage = "OCSPSigning",
		.not_before = fixture.now - DAY,
		.not_after = fixture.now + 60,
	};
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	/* It answers no longer than it lives. */
	CU_ASSERT_EQUAL(fixture.judgement.valid_until, fixture.now + 60);
	wanted.not_after = fixture.now - 1;
	ASSERT_NO_DELEGATE(&fixture, &wanted, "has expired");
	wanted.not_before = fixture.now + DAY;
	wanted.not_after = fixture.now + 2 * DAY;
	ASSERT_NO_DELEGATE(&fixture, &wanted, "not valid yet");
	teardown(&fixture);
}

/* The right one may be the last of several of one name, but not of many. */
static void
test_delegates(void)
{
	struct fixture fixture;
	struct test_identity *responders[8];
	struct test_ocsp_responder wanted;

	setup(&fixture);
	wanted = (struct test_ocsp_responder){
		.name = "Responder",
		.issuer = fixture.root,
		.extended_key_usage = "OCSPSigning",
	};
	for (size_t i = 0; i < ARRAY_SIZE(responders); i++)
		responders[i] = test_ocsp_responder(&wanted);
	fixture.answer.certificates =
		(const struct test_identity *const *)responders;
	fixture.answer.certificate_count = ARRAY_SIZE(responders);
	fixture.answer.signer = responders[3];
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	fixture.answer.signer = responders[7];
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_UNUSABLE);
	fixture.answer.is_by_key = true;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	for (size_t i = 0; i < ARRAY_SIZE(responders); i++)
		test_identity_free(responders[i]);
	teardown(&fixture);
}

static void
test_weak(void)
{
	struct fixture fixture;
	struct test_ocsp_responder wanted;

	setup(&fixture);
	fixture.answer.digest = "SHA1";
	ASSERT_UNUSABLE(&fixture, "SHA1 digest");
	fixture.answer.digest = NULL;
	wanted = (struct test_ocsp_responder){
		.name = "Responder",
		.issuer = fixture.root,
		.extended_key_usage = "OCSPSigning",
		.digest = "SHA1",
	};
	ASSERT_NO_DELEGATE(&fixture, &wanted, "proves nothing");
	wanted.digest = NULL;
	wanted.kind = "ed25519";
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	wanted.kind = "rsa2048";
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	wanted.kind = "rsa-pss2048";
	CU_ASSERT_EQUAL(judge_delegate(&fixture, &wanted), OCSP_GOOD);
	teardown(&fixture);
}

static void
test_about(void)
{
	struct fixture fixture;
	struct test_ocsp_single singles[3];

	setup(&fixture);
	fixture.single.about = fixture.sibling;
	ASSERT_UNUSABLE(&fixture, "about another");
	/* The same serial under another issuer of that name. */
	fixture.single.about = fixture.leaf;
	fixture.single.issuer = fixture.other;
	ASSERT_UNUSABLE(&fixture, "about another");
	/* One of several. */
	fixture.single.issuer = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(singles); i++)
		singles[i] = fixture.single;
	singles[0].about = fixture.sibling;
	singles[0].status = TEST_OCSP_REVOKED;
	singles[2].issuer = fixture.other;
	singles[2].status = TEST_OCSP_REVOKED;
	fixture.answer.singles = singles;
	fixture.answer.single_count = ARRAY_SIZE(singles);
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	fixture.answer.single_count = 0;
	ASSERT_UNUSABLE(&fixture, "about another");
	teardown(&fixture);
}

/* What contradicts itself: the worst counts, in any order. */
static void
test_several(void)
{
	struct fixture fixture;
	struct test_ocsp_single singles[2];

	setup(&fixture);
	singles[0] = fixture.single;
	singles[1] = fixture.single;
	fixture.answer.singles = singles;
	fixture.answer.single_count = 2;
	singles[1].status = TEST_OCSP_REVOKED;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	singles[0].status = TEST_OCSP_REVOKED;
	singles[1].status = TEST_OCSP_GOOD;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_REVOKED);
	singles[0].status = TEST_OCSP_UNKNOWN;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_UNKNOWN);
	singles[0].status = TEST_OCSP_GOOD;
	singles[0].next_update = fixture.now - HOUR / 2;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	singles[0] = fixture.single;
	singles[1].next_update = fixture.now - HOUR / 2;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	/* Of two good ones the sooner end. */
	for (size_t i = 0; i < 2; i++) {
		singles[i].next_update = fixture.now + HOUR / 2;
		singles[1 - i].next_update = fixture.now + 2 * HOUR;
		CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
		CU_ASSERT_EQUAL(fixture.judgement.valid_until,
				fixture.now + HOUR / 2);
	}
	teardown(&fixture);
}

static void
test_nonce(void)
{
	static const struct ocsp_nonce nonce = {.bytes = {1, 2, 3}};
	static const struct ocsp_nonce wrong = {.bytes = {1, 2, 4}};
	struct fixture fixture;

	setup(&fixture);
	fixture.nonce = &nonce;
	ASSERT_UNUSABLE(&fixture, "not made for this request");
	fixture.answer.nonce = nonce.bytes;
	fixture.answer.nonce_length = sizeof(nonce.bytes);
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	fixture.answer.nonce_length--;
	ASSERT_UNUSABLE(&fixture, "not made for this request");
	fixture.answer.nonce_length = 1;
	ASSERT_UNUSABLE(&fixture, "not made for this request");
	fixture.answer.nonce_length = sizeof(nonce.bytes);
	fixture.nonce = &wrong;
	ASSERT_UNUSABLE(&fixture, "not made for this request");
	/* Who has not sent one does not look for it. */
	fixture.nonce = NULL;
	CU_ASSERT_EQUAL(judge(&fixture), OCSP_GOOD);
	teardown(&fixture);
}

static void
test_extensions(void)
{
	struct fixture fixture;

	setup(&fixture);
	fixture.answer.is_critical = true;
	ASSERT_UNUSABLE(&fixture, "unknown here");
	fixture.answer.is_critical = false;
	fixture.single.is_critical = true;
	ASSERT_UNUSABLE(&fixture, "unknown here");
	teardown(&fixture);
}

static void
test_refusals(void)
{
	static const int responses[] = {
		OCSP_RESPONSE_STATUS_MALFORMEDREQUEST,
		OCSP_RESPONSE_STATUS_INTERNALERROR,
		OCSP_RESPONSE_STATUS_TRYLATER,
		OCSP_RESPONSE_STATUS_SIGREQUIRED,
		OCSP_RESPONSE_STATUS_UNAUTHORIZED,
	};
	struct fixture fixture;

	setup(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(responses); i++) {
		fixture.answer.response = responses[i];
		ASSERT_UNUSABLE(&fixture, "the responder says");
	}
	teardown(&fixture);
}

/* Every answer that lacks its end, has something behind it, or one bit of which
 * is another one, proves nothing. */
static void
test_bytes(void)
{
	struct fixture fixture;
	size_t length;
	AUTO_FREE unsigned char *der = NULL;
	AUTO_FREE unsigned char *more = NULL;

	setup(&fixture);
	der = test_ocsp_der(&fixture.answer, &length);
	for (size_t i = 0; i < length; i++)
		CU_ASSERT_EQUAL(judge_bytes(&fixture, der, i), OCSP_UNUSABLE);
	more = mem_alloc(OCSP_ANSWER_MAX + 1);
	memcpy(more, der, length);
	CU_ASSERT_EQUAL(judge_bytes(&fixture, more, length), OCSP_GOOD);
	CU_ASSERT_EQUAL(judge_bytes(&fixture, more, length + 1), OCSP_UNUSABLE);
	CU_ASSERT_EQUAL(judge_bytes(&fixture, more, OCSP_ANSWER_MAX),
			OCSP_UNUSABLE);
	CU_ASSERT_EQUAL(judge_bytes(&fixture, more, OCSP_ANSWER_MAX + 1),
			OCSP_UNUSABLE);
	CU_ASSERT_PTR_NOT_NULL(strstr(fixture.judgement.sentence, "64 kB"));
	for (size_t i = 0; i < length; i++) {
		der[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(judge_bytes(&fixture, der, length),
				    OCSP_GOOD);
		der[i] ^= 1;
	}
	teardown(&fixture);
}

/* As many statements as there is room for. */
static void
test_huge(void)
{
	struct fixture fixture;
	size_t count = 500, length;
	struct test_ocsp_single *singles;
	AUTO_FREE unsigned char *der = NULL;

	setup(&fixture);
	singles = mem_array(count, sizeof(*singles));
	for (size_t i = 0; i < count; i++)
		singles[i] = fixture.single;
	fixture.answer.singles = singles;
	fixture.answer.single_count = count;
	der = test_ocsp_der(&fixture.answer, &length);
	CU_ASSERT(length > OCSP_ANSWER_MAX / 2 && length <= OCSP_ANSWER_MAX);
	CU_ASSERT_EQUAL(judge_bytes(&fixture, der, length), OCSP_GOOD);
	mem_free(singles);
	teardown(&fixture);
}

/* What OpenSSL's own command would make of it. */
static void
test_request(void)
{
	struct fixture fixture;
	struct ocsp_nonce nonce, another;
	unsigned char key[OCSP_KEY_SIZE], other[OCSP_KEY_SIZE];
	struct ocsp_pair pairs[2];
	AUTO_FREE unsigned char *der = NULL;
	const unsigned char *at;
	OCSP_REQUEST *request;
	ASN1_INTEGER *serial;
	size_t length;

	setup(&fixture);
	pairs[0] = (struct ocsp_pair){fixture.leaf->certificate,
				      fixture.root->certificate};
	pairs[1] = (struct ocsp_pair){fixture.sibling->certificate,
				      fixture.root->certificate};
	ocsp_nonce_make(&nonce);
	ocsp_nonce_make(&another);
	CU_ASSERT_NOT_EQUAL(memcmp(&nonce, &another, sizeof(nonce)), 0);
	der = ocsp_request_new(pairs, 2, &nonce, &length);
	at = der;
	request = d2i_OCSP_REQUEST(NULL, &at, (long)length);
	CU_ASSERT_PTR_NOT_NULL_FATAL(request);
	CU_ASSERT_EQUAL(OCSP_request_onereq_count(request), 2);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT(OCSP_id_get0_info(
			NULL, NULL, NULL, &serial,
			OCSP_onereq_get0_id(
				OCSP_request_onereq_get0(request, i))));
		CU_ASSERT_EQUAL(
			ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(
							 pairs[i].certificate)),
			0);
	}
	CU_ASSERT(OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce,
					      -1) >= 0);
	OCSP_REQUEST_free(request);
	ocsp_key_make(&pairs[0], key);
	ocsp_key_make(&pairs[1], other);
	CU_ASSERT_NOT_EQUAL(memcmp(key, other, sizeof(key)), 0);
	ocsp_key_make(&pairs[0], other);
	CU_ASSERT_EQUAL(memcmp(key, other, sizeof(key)), 0);
	pairs[0].issuer = fixture.other->certificate;
	ocsp_key_make(&pairs[0], other);
	CU_ASSERT_NOT_EQUAL(memcmp(key, other, sizeof(key)), 0);
	teardown(&fixture);
}

static void
add_extension(X509 *certificate, int nid, const char *words)
{
	X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, NULL, nid, words);

	CU_ASSERT_PTR_NOT_NULL_FATAL(made);
	CU_ASSERT(X509_add_ext(certificate, made, -1));
	X509_EXTENSION_free(made);
}

static void
assert_responder(const char *access, const char *expected)
{
	X509 *certificate = X509_new();
	char uri[OCSP_URI_SIZE];

	add_extension(certificate, NID_info_access, access);
	CU_ASSERT_EQUAL(ocsp_responder_find(certificate, uri),
			expected[0] != '\0');
	CU_ASSERT_STRING_EQUAL(uri, expected);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	X509_free(certificate);
}

static void
test_responder(void)
{
	AUTO_FREE char *long_one =
		mem_format("OCSP;URI:http://o.example/%01000d", 0);
	AUTO_FREE char *too_long =
		mem_format("OCSP;URI:http://o.example/%01024d", 0);
	X509 *plain = X509_new();
	char uri[OCSP_URI_SIZE];

	CU_ASSERT_FALSE(ocsp_responder_find(plain, uri));
	X509_free(plain);
	assert_responder("OCSP;URI:http://o.example", "http://o.example");
	assert_responder("OCSP;URI:HTTP://o.example/x?y",
			 "HTTP://o.example/x?y");
	assert_responder("caIssuers;URI:http://c.example,"
			 "OCSP;URI:ldap://l.example,"
			 "OCSP;URI:https://s.example,"
			 "OCSP;URI:http://o.example/,"
			 "OCSP;URI:http://p.example/",
			 "http://o.example/");
	assert_responder("caIssuers;URI:http://c.example", "");
	assert_responder("OCSP;URI:https://s.example", "");
	assert_responder("OCSP;URI:http://", "");
	assert_responder("OCSP;DNS:o.example", "");
	assert_responder("OCSP;URI:http://o.example/a b", "");
	assert_responder("OCSP;URI:http://o.example/\r\nHost: x", "");
	assert_responder(long_one, long_one + sizeof("OCSP;URI:") - 1);
	assert_responder(too_long, "");
}

static void
test_staple_demanded(void)
{
	static const struct {
		const char *words;
		bool is_demanded;
	} cases[] = {
		{"status_request", true},
		{"status_request_v2", false},
		{"status_request_v2,status_request", true},
		{"23", false},
	};
	X509 *plain = X509_new();

	CU_ASSERT_FALSE(ocsp_is_staple_demanded(plain));
	X509_free(plain);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		X509 *certificate = X509_new();

		add_extension(certificate, NID_tlsfeature, cases[i].words);
		CU_ASSERT_EQUAL(ocsp_is_staple_demanded(certificate),
				cases[i].is_demanded);
		X509_free(certificate);
	}
}

UNIT_SUITE(ocsp_answer, {"good", test_good}, {"revoked", test_revoked},
	   {"unknown", test_unknown}, {"dates", test_dates},
	   {"signer", test_signer}, {"delegate", test_delegate},
	   {"delegate_dates", test_delegate_dates},
	   {"delegates", test_delegates}, {"weak", test_weak},
	   {"about", test_about}, {"several", test_several},
	   {"nonce", test_nonce}, {"extensions", test_extensions},
	   {"refusals", test_refusals}, {"bytes", test_bytes},
	   {"huge", test_huge}, {"request", test_request},
	   {"responder", test_responder},
	   {"staple_demanded", test_staple_demanded});
