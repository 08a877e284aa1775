/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each common problem has its cause and its remedy named; what hostile
 * certificates hold stays harmless.
 */
#include "common/verify/peer_advice.h"

#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "tests/lib/test_certificates.h"
#include "tests/unit/unit.h"

#define DAY_SECONDS 86400

static struct test_identity *root, *middle, *web;
static X509_STORE *store;

static void
begin(void)
{
	root = test_ca("Root CA", NULL);
	middle = test_ca("Middle CA", root);
	web = test_leaf("p256", "web.example", middle);
	store = X509_STORE_new();
	X509_STORE_add_cert(store, root->certificate);
}

static void
end(void)
{
	X509_STORE_free(store);
	test_identity_free(web);
	test_identity_free(middle);
	test_identity_free(root);
}

static void
expect(const struct peer_case *peer, const char *const *words)
{
	char text[PEER_ADVICE_MAX];

	peer_advice(peer, text, sizeof(text));
	for (; *words; words++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(text, *words));
		if (!strstr(text, *words))
			fprintf(stderr, "\"%s\" is not in: %s\n", *words, text);
	}
	for (const char *at = text; *at; at++)
		CU_ASSERT_TRUE(*at >= ' ' && *at <= '~');
}

#define EXPECT(peer, ...) expect(peer, (const char *const[]){__VA_ARGS__, NULL})

static struct peer_case
server_case(int error)
{
	return (struct peer_case){
		.error = error,
		.leaf = web->certificate,
		.store = store,
		.name = "web.example",
		.now = (time_t)(clock_real_ms() / 1000),
	};
}

static void
test_missing_intermediate(void)
{
	struct peer_case peer;
	AUTHORITY_INFO_ACCESS *access;
	STACK_OF(X509) *chain = sk_X509_new_null();

	begin();
	peer = server_case(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	EXPECT(&peer, "the server sent its own certificate alone",
	       "its issuer CN=Middle CA is not among the CAs here",
	       "it is missing in the server's chain file");
	access = AUTHORITY_INFO_ACCESS_new();
	sk_ACCESS_DESCRIPTION_push(access, ACCESS_DESCRIPTION_new());
	sk_ACCESS_DESCRIPTION_value(access, 0)->method =
		OBJ_nid2obj(NID_ad_ca_issuers);
	GENERAL_NAME_free(sk_ACCESS_DESCRIPTION_value(access, 0)->location);
	sk_ACCESS_DESCRIPTION_value(access, 0)->location = a2i_GENERAL_NAME(
		NULL, NULL, NULL, GEN_URI, "http://ca.example/middle.der", 0);
	X509_add1_ext_i2d(web->certificate, NID_info_access, access, 0,
			  X509V3_ADD_REPLACE);
	AUTHORITY_INFO_ACCESS_free(access);
	X509_sign(web->certificate, middle->key, EVP_sha256());
	EXPECT(&peer, "(get it at http://ca.example/middle.der)");

	/* The leaf comes with the chain, or without it. */
	sk_X509_push(chain, web->certificate);
	sk_X509_push(chain, middle->certificate);
	peer.chain = chain;
	EXPECT(&peer, "verify.ca holds a CA named CN=Root CA, but not the key");
	X509_STORE_free(store);
	store = X509_STORE_new();
	peer.store = store;
	EXPECT(&peer, "there is no CA to verify it by", "ca-certificates");
	X509_STORE_add_cert(store, web->certificate);
	EXPECT(&peer, "a chain that does not reach a root",
	       "its issuer CN=Root CA is not");
	sk_X509_free(chain);
	end();
}

static void
test_self_signed(void)
{
	struct test_identity *own = test_leaf("p256", "web.example", NULL);
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct peer_case peer;

	begin();
	peer = server_case(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
	peer.leaf = own->certificate;
	EXPECT(&peer, "is signed by itself", "name it in verify.ca",
	       "fingerprint sha256$");
	peer = server_case(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
	sk_X509_push(chain, root->certificate);
	sk_X509_push(chain, middle->certificate);
	peer.chain = chain;
	EXPECT(&peer, "the root CN=Root CA", "another one of that name");
	X509_STORE_free(store);
	store = X509_STORE_new();
	X509_STORE_add_cert(store, own->certificate);
	peer.store = store;
	EXPECT(&peer, "the root CN=Root CA, which is not trusted here");
	peer.store = NULL;
	EXPECT(&peer, "there is no CA to verify it by");
	sk_X509_free(chain);
	test_identity_free(own);
	end();
}

static void
test_dates(void)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct peer_case peer;

	begin();
	sk_X509_push(chain, middle->certificate);
	peer = server_case(X509_V_ERR_CERT_HAS_EXPIRED);
	peer.now += 35 * DAY_SECONDS;
	EXPECT(&peer, "the server's certificate expired on ", "days ago",
	       "must be renewed");
	CU_ASSERT_PTR_NULL(strstr(
		peer_advice(&peer, (char[PEER_ADVICE_MAX]){0}, PEER_ADVICE_MAX),
		"clock"));
	peer.depth = 1;
	peer.chain = chain;
	EXPECT(&peer, "the CA certificate CN=Middle CA expired on ");
	peer.now += (time_t)20 * 365 * DAY_SECONDS;
	EXPECT(&peer, "is this machine's clock right? It says 20");

	peer = server_case(X509_V_ERR_CERT_NOT_YET_VALID);
	peer.now -= 2 * DAY_SECONDS;
	EXPECT(&peer, "is valid from 20", "the clock of this machine is late");
	peer.now = 1000;
	EXPECT(&peer, "is this machine's clock right? It says 1970-01-01");
	sk_X509_free(chain);
	end();
}

static void
test_purpose(void)
{
	static const char *const names[] = {"web.example"};
	const struct certificate_request request = {
		.names = names,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_CLIENT,
		.days = 5,
	};
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct test_identity *client, *below;
	struct peer_case peer;

	begin();
	client = test_identity("p256", &request, root);
	peer = server_case(X509_V_ERR_INVALID_PURPOSE);
	peer.leaf = client->certificate;
	EXPECT(&peer, "the server's certificate is for clientAuth only",
	       "made for serverAuth");
	below = test_leaf("p256", "below.example", client);
	peer.leaf = below->certificate;
	peer.is_client = true;
	peer.error = X509_V_ERR_INVALID_CA;
	peer.depth = 1;
	sk_X509_push(chain, client->certificate);
	peer.chain = chain;
	EXPECT(&peer, "CN=web.example has signed another certificate",
	       "CA:TRUE", "verify.ca must hold the CA itself");
	sk_X509_free(chain);
	test_identity_free(below);
	test_identity_free(client);
	end();
}

static void
test_names(void)
{
	static const char *const names[] = {
		"a.example", "b.example", "192.0.2.7", "c.example",
		"d.example", "e.example", "f.example", "mailto@example.org",
	};
	const struct certificate_request request = {
		.names = names,
		.name_count = ARRAY_SIZE(names),
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = 5,
	};
	struct test_identity *many;
	struct peer_case peer;

	begin();
	many = test_identity("p256", &request, root);
	peer = server_case(X509_V_ERR_HOSTNAME_MISMATCH);
	peer.leaf = many->certificate;
	EXPECT(&peer,
	       "not for web.example but for a.example, b.example, "
	       "192.0.2.7, c.example, d.example and 2 more",
	       "verify.name");
	peer.leaf = root->certificate;
	EXPECT(&peer, "for Root CA (in its subject alone)", "if that is meant");
	test_identity_free(many);
	end();
}

static void
test_weak(void)
{
	struct peer_case peer;

	begin();
	peer = server_case(X509_V_ERR_EE_KEY_TOO_SMALL);
	EXPECT(&peer, "has a key of 256 bits (EC)", "must be replaced");
	peer.error = X509_V_ERR_CA_MD_TOO_WEAK;
	EXPECT(&peer, "is signed with ecdsa-with-SHA256");
	end();
}

static void
test_crl(void)
{
	static const char *const names[] = {"web.example"};
	const struct certificate_request request = {
		.names = names,
		.name_count = 1,
		.days = 5,
		.crl_uri = "http://ca.example/ca.crl",
	};
	struct test_identity *listed;
	struct peer_case peer;

	begin();
	listed = test_identity("p256", &request, root);
	peer = server_case(X509_V_ERR_UNABLE_TO_GET_CRL);
	peer.leaf = listed->certificate;
	EXPECT(&peer, "holds no list of CN=Root CA",
	       "fetch it from http://ca.example/ca.crl");
	peer.error = X509_V_ERR_CRL_HAS_EXPIRED;
	EXPECT(&peer, "out of date", "http://ca.example/ca.crl");
	peer.error = X509_V_ERR_CERT_REVOKED;
	EXPECT(&peer, "was revoked");
	test_identity_free(listed);
	end();
}

static void
test_ocsp(void)
{
	static const char *const names[] = {"web.example"};
	const struct certificate_request request = {
		.names = names,
		.name_count = 1,
		.days = 5,
		.ocsp_uri = "http://ocsp.example/",
	};
	struct test_identity *answered;
	struct peer_case peer;

	begin();
	answered = test_identity("p256", &request, root);
	peer = server_case(X509_V_ERR_OCSP_VERIFY_NEEDED);
	EXPECT(&peer, "the server's certificate", "names no responder",
	       "cannot demand an answer");
	peer.leaf = answered->certificate;
	EXPECT(&peer, "http://ocsp.example/", "ssl_stapling");
	peer.error = X509_V_ERR_OCSP_VERIFY_FAILED;
	EXPECT(&peer, "http://ocsp.example/");
	peer.is_client = true;
	EXPECT(&peer, "its responder is http://ocsp.example/", "reached");
	peer.error = X509_V_ERR_OCSP_CERT_UNKNOWN;
	EXPECT(&peer, "the client's certificate", "must be replaced");
	test_identity_free(answered);
	end();
}

/* What has no row is left to OpenSSL's words; nothing is ever too long. */
static void
test_bounds(void)
{
	static const char bytes[] = "x\033[2J\n\"\\\0y\xff";
	char text[PEER_ADVICE_MAX];
	X509_NAME *subject;
	struct peer_case peer;
	int errors = 0;

	begin();
	subject = X509_NAME_new();
	for (int i = 0; i < 50; i++)
		X509_NAME_add_entry_by_NID(
			subject, NID_commonName, V_ASN1_UTF8STRING,
			(const unsigned char *)bytes, sizeof(bytes) - 2, -1, 0);
	X509_set_subject_name(web->certificate, subject);
	X509_set_issuer_name(web->certificate, subject);
	X509_NAME_free(subject);
	for (int error = 0; error < 120; error++) {
		peer = server_case(error);
		peer.depth = error % 3;
		for (size_t size = 1; size < sizeof(text); size += 37) {
			memset(text, '!', sizeof(text));
			peer_advice(&peer, text, size);
			CU_ASSERT_TRUE(strlen(text) < size);
		}
		errors += text[0] != '\0';
		EXPECT(&peer, "");
	}
	CU_ASSERT_TRUE(errors > 20 && errors < 60);
	end();
}

UNIT_SUITE(peer_advice, {"missing_intermediate", test_missing_intermediate},
	   {"self_signed", test_self_signed}, {"dates", test_dates},
	   {"purpose", test_purpose}, {"names", test_names},
	   {"weak", test_weak}, {"crl", test_crl}, {"ocsp", test_ocsp},
	   {"bounds", test_bounds});
