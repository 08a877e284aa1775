/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What peers will hold against our own certificates, and nothing against good
 * ones.
 */
#include "common/route/certificate_doubts.h"

#include <stdio.h>
#include <string.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "common/tls/certificate_record.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)

static const struct position nowhere = {0};

static struct test_identity *
identity_for(enum certificate_purpose purpose,
	     const struct test_identity *issuer)
{
	static const char *const names[] = {"web.example"};
	const struct certificate_request request = {
		.names = names,
		.name_count = 1,
		.purpose = purpose,
		.days = 100,
	};

	return test_identity("p256", &request, issuer);
}

/* The one warning there must be has these words; NULL: there is none. */
static void
expect(const struct test_identity *identity, bool is_server, const char *words)
{
	struct certificate *loaded = test_certificate(identity);
	struct certificate_record *record = certificate_record_of(loaded);
	struct error_list warnings = {0};

	certificate_doubt_dates(record, &nowhere, &warnings);
	certificate_doubt_use(record, is_server, &nowhere, &warnings);
	CU_ASSERT_EQUAL(warnings.count, words ? 1 : 0);
	for (size_t i = 0; i < warnings.count; i++) {
		CU_ASSERT_TRUE(words && strstr(warnings.errors[i].text, words));
		if (!words || !strstr(warnings.errors[i].text, words))
			fprintf(stderr, "unexpected: %s\n",
				warnings.errors[i].text);
	}
	error_list_clear(&warnings);
	certificate_record_unref(record);
	certificate_unref(loaded);
}

static void
test_dates(void)
{
	struct test_identity *web = identity_for(CERTIFICATE_FOR_BOTH, NULL);

	expect(web, true, NULL);
	clock_shift(89 * DAY_MS);
	expect(web, true, NULL);
	clock_shift(91 * DAY_MS);
	expect(web, true, "in 8 days: renew it");
	clock_shift(98 * DAY_MS + DAY_MS / 2);
	expect(web, true, "in 1 day: renew it");
	clock_shift(101 * DAY_MS);
	expect(web, true, " expired on ");
	clock_shift(-DAY_MS);
	expect(web, true, " is not valid before ");
	clock_shift(0);
	test_identity_free(web);
}

static void
test_purposes(void)
{
	struct test_identity *ca = test_ca("Root CA", NULL);
	struct test_identity *server = identity_for(CERTIFICATE_FOR_SERVER, ca);
	struct test_identity *client = identity_for(CERTIFICATE_FOR_CLIENT, ca);
	struct test_identity *both = identity_for(CERTIFICATE_FOR_BOTH, ca);

	expect(server, true, NULL);
	expect(server, false, "is for serverAuth only");
	expect(client, true, "is for clientAuth only");
	expect(client, false, NULL);
	expect(both, true, NULL);
	expect(both, false, NULL);
	test_identity_free(both);
	test_identity_free(client);
	test_identity_free(server);
	test_identity_free(ca);
}

static void
test_chains(void)
{
	struct test_identity *ca = test_ca("Root CA", NULL);
	struct test_identity *inner = test_ca("Inner CA", ca);
	struct test_identity *direct = identity_for(CERTIFICATE_FOR_BOTH, ca);
	struct test_identity *web = identity_for(CERTIFICATE_FOR_BOTH, inner);
	struct test_identity *own = identity_for(CERTIFICATE_FOR_BOTH, NULL);
	struct test_identity *all[] = {direct, web, own};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		AUTHORITY_INFO_ACCESS *access = AUTHORITY_INFO_ACCESS_new();
		ACCESS_DESCRIPTION *entry = ACCESS_DESCRIPTION_new();

		entry->method = OBJ_nid2obj(NID_ad_ca_issuers);
		GENERAL_NAME_free(entry->location);
		entry->location =
			a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI,
					 "http://ca.example/ca.der", 0);
		sk_ACCESS_DESCRIPTION_push(access, entry);
		X509_add1_ext_i2d(all[i]->certificate, NID_info_access, access,
				  0, X509V3_ADD_REPLACE);
		AUTHORITY_INFO_ACCESS_free(access);
		X509_sign(all[i]->certificate,
			  all[i]->issuer ? all[i]->issuer->key : all[i]->key,
			  EVP_sha256());
	}
	expect(direct, true,
	       "append its certificate (get it at "
	       "http://ca.example/ca.der)");
	expect(web, true, NULL);
	expect(own, true, NULL);
	test_identity_free(own);
	test_identity_free(web);
	test_identity_free(direct);
	test_identity_free(inner);
	test_identity_free(ca);
}

UNIT_SUITE(certificate_doubts, {"dates", test_dates},
	   {"purposes", test_purposes}, {"chains", test_chains});
