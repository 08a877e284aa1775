/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What settings come to: seen from outside, in handshakes with OpenSSL as it
 * comes, and in what is refused and warned of. Verification has a file of its
 * own (test_tls_verify.c).
 */
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include "common/base/file_set.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/signer.h"
#include "common/tls/local_keys.h"
#include "common/tls/tls_policy.h"
#include "common/tls/tls_version.h"
#include "tests/lib/sign_text.h"
#include "tests/lib/test_certificates.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define CONTAINS(text, part) CU_ASSERT(strstr((text), (part)) != NULL)

static const struct position here = {"test.yaml", 12, 5};

/* A client of OpenSSL's against a policy with RSA and ECDSA. */
static struct tls_outcome
try_server(const struct tls_settings *settings, SSL_CTX *client)
{
	const struct tls_fixture *fixture = tls_fixture();
	struct tls_policy *policy = tls_fixture_server(settings);
	SSL_CTX *server =
		tls_fixture_context(policy, fixture->rsa, fixture->ecdsa, NULL);
	struct tls_outcome outcome = tls_fixture_try(client, server);

	SSL_CTX_free(server);
	tls_policy_unref(policy);
	return outcome;
}

static struct tls_outcome
try_server_version(const struct tls_settings *settings, int version)
{
	SSL_CTX *client = tls_fixture_bare_client();
	struct tls_outcome outcome;

	tls_fixture_set_versions(client, version, version);
	outcome = try_server(settings, client);
	SSL_CTX_free(client);
	return outcome;
}

static struct tls_outcome
try_server_ciphers(const struct tls_settings *settings, const char *ciphers)
{
	SSL_CTX *client = tls_fixture_bare_client();
	struct tls_outcome outcome;

	tls_fixture_set_versions(client, 0, TLS1_2_VERSION);
	CU_ASSERT(SSL_CTX_set_cipher_list(client, ciphers));
	outcome = try_server(settings, client);
	SSL_CTX_free(client);
	return outcome;
}

static void
test_profiles(void)
{
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_outcome outcome;

	outcome = try_server_version(&settings, TLS1_3_VERSION);
	CU_ASSERT(outcome.is_established);
	outcome = try_server_version(&settings, TLS1_2_VERSION);
	CU_ASSERT(outcome.is_established);
	CONTAINS(outcome.cipher, "ECDHE-");
	outcome = try_server_version(&settings, TLS1_1_VERSION);
	CU_ASSERT(!outcome.is_established);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_ALERT);
	CONTAINS(outcome.client.text, "protocol_version");

	outcome = try_server_ciphers(&settings, "ECDHE-RSA-AES128-SHA256");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	CONTAINS(outcome.client.text, "handshake_failure");
	outcome = try_server_ciphers(&settings, "AES128-GCM-SHA256");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	outcome = try_server_ciphers(&settings, "DHE-RSA-AES128-GCM-SHA256");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	outcome = try_server_ciphers(&settings, "aNULL:@SECLEVEL=0");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);

	settings.profile = TLS_PROFILE_MODERN;
	CU_ASSERT(try_server_version(&settings, TLS1_3_VERSION).is_established);
	outcome = try_server_version(&settings, TLS1_2_VERSION);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);

	settings.profile = TLS_PROFILE_OLD;
	outcome = try_server_ciphers(&settings, "ECDHE-RSA-AES128-SHA256");
	CU_ASSERT(outcome.is_established);
	outcome = try_server_ciphers(&settings, "AES128-GCM-SHA256");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	outcome = try_server_version(&settings, TLS1_1_VERSION);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
}

/* The order that counts is the client's, but the server's for old and where
 * the operator says so. */
static void
test_order(void)
{
	static const char order[] = "ECDHE-RSA-AES256-GCM-SHA384:"
				    "ECDHE-RSA-AES128-GCM-SHA256";
	struct tls_settings settings = tls_fixture_server_settings();

	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, order).cipher,
			       "ECDHE-RSA-AES256-GCM-SHA384");
	settings.prefer_server_ciphers = TLS_CHOICE_YES;
	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, order).cipher,
			       "ECDHE-RSA-AES128-GCM-SHA256");
	settings.profile = TLS_PROFILE_OLD;
	settings.prefer_server_ciphers = TLS_CHOICE_PROFILE;
	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, order).cipher,
			       "ECDHE-RSA-AES128-GCM-SHA256");
	settings.prefer_server_ciphers = TLS_CHOICE_NO;
	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, order).cipher,
			       "ECDHE-RSA-AES256-GCM-SHA384");
}

static void
test_holes(void)
{
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_outcome outcome;

	settings.profile = TLS_PROFILE_OLD;
	settings.versions = TLS_VERSION_1_1 | TLS_VERSION_1_3;
	settings.versions_at = here;
	CONTAINS(tls_fixture_server_warning(&settings)->text, "TLSv1.1");
	CONTAINS(tls_fixture_server_warning(&settings)->text, "obsolete");
	CU_ASSERT(tls_fixture_server_warning(&settings)->at.line == here.line);
	outcome = try_server_version(&settings, TLS1_1_VERSION);
	CU_ASSERT_STRING_EQUAL(outcome.version, "TLSv1.1");
	/* It is offered 1.1, which is below 1.2. */
	outcome = try_server_version(&settings, TLS1_2_VERSION);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_NO_SHARED_CIPHER);
	outcome = try_server_version(&settings, TLS1_3_VERSION);
	CU_ASSERT_STRING_EQUAL(outcome.version, "TLSv1.3");
	CU_ASSERT(!try_server_version(&settings, TLS1_VERSION).is_established);

	settings.versions = TLS_VERSION_1_0;
	CU_ASSERT(try_server_version(&settings, TLS1_VERSION).is_established);
	CU_ASSERT(
		!try_server_version(&settings, TLS1_1_VERSION).is_established);
}

/* Versions that nothing could speak are an error when there is no other. */
static void
test_versions_left_out(void)
{
	struct tls_settings settings = tls_fixture_server_settings();
	const struct error *problem;

	settings.versions_at = here;
	settings.versions = TLS_VERSION_SSL2;
	problem = tls_fixture_server_problem(&settings);
	CONTAINS(problem->text, "does not speak SSLv2; it speaks");
	CU_ASSERT(problem->at.line == here.line);
	CU_ASSERT(problem->at.column == here.column);
	settings.versions = TLS_VERSION_1_0 | TLS_VERSION_1_1;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "TLSv1, TLSv1.1 (profile: old has some)");

	/* SSLv23:!SSLv3:!TLSv1_1, as the manual has it. */
	settings.versions = TLS_VERSION_ALL &
			    ~(unsigned int)(TLS_VERSION_SSL3 | TLS_VERSION_1_1);
	CONTAINS(tls_fixture_server_warning(&settings)->text, "TLSv1 left out");
	CU_ASSERT(!try_server_version(&settings, TLS1_VERSION).is_established);
	CU_ASSERT(try_server_version(&settings, TLS1_2_VERSION).is_established);
	settings.versions = TLS_VERSION_SSL2 | TLS_VERSION_1_2;
	CU_ASSERT_STRING_EQUAL(tls_fixture_server_warning(&settings)->text, "");
	CU_ASSERT(
		!try_server_version(&settings, TLS1_3_VERSION).is_established);
}

/* A client with a hole offers the highest range. */
static void
test_client_range(void)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *policy;
	SSL_CTX *client, *server;
	struct tls_outcome outcome;

	settings.profile = TLS_PROFILE_OLD;
	settings.verify.mode = TLS_VERIFY_NONE;
	settings.versions = TLS_VERSION_1_0 | TLS_VERSION_1_2 | TLS_VERSION_1_3;
	CONTAINS(tls_fixture_client_warning(&settings)->text,
		 "TLSv1.2, TLSv1.3, and not TLSv1");
	policy = tls_fixture_client(&settings);
	client = tls_fixture_context(policy, NULL, NULL, NULL);
	server = tls_fixture_bare_server(tls_fixture()->rsa);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT_STRING_EQUAL(outcome.version, "TLSv1.3");
	tls_fixture_set_versions(server, 0, TLS1_2_VERSION);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT_STRING_EQUAL(outcome.version, "TLSv1.2");
	tls_fixture_set_versions(server, 0, TLS1_VERSION);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT(!outcome.is_established);
	settings.versions = TLS_VERSION_1_0 | TLS_VERSION_1_2;
	CONTAINS(tls_fixture_client_warning(&settings)->text,
		 "TLSv1.2, and not TLSv1");
	settings.versions = TLS_VERSION_1_2;
	CU_ASSERT_STRING_EQUAL(tls_fixture_client_warning(&settings)->text, "");
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static const char *
ciphers_problem(char *ciphers)
{
	struct tls_settings settings = tls_fixture_server_settings();
	const struct error *problem;

	settings.ciphers = ciphers;
	settings.ciphers_at = here;
	problem = tls_fixture_server_problem(&settings);
	CU_ASSERT(problem->text[0] == '\0' || problem->at.line == here.line);
	return problem->text;
}

static void
test_ciphers_refused(void)
{
	char empty[] = "", nonsense[] = "nonsense", static_rsa[] = "kRSA";
	char anonymous[] = "aNULL:@SECLEVEL=0", plain[] = "eNULL:@SECLEVEL=0";
	char shared[] = "PSK", named[] = "AES128-SHA:AES256-SHA";
	char level[] = "ECDHE+AES128:@SECLEVEL=5", good[] = "HIGH:!aNULL";

	CONTAINS(ciphers_problem(empty), "selects no cipher");
	CONTAINS(ciphers_problem(nonsense), "\"nonsense\" selects no cipher");
	CONTAINS(ciphers_problem(static_rsa), "without forward secrecy");
	CONTAINS(ciphers_problem(anonymous), "without forward secrecy");
	CONTAINS(ciphers_problem(plain), "without forward secrecy");
	CONTAINS(ciphers_problem(shared), "without forward secrecy");
	CONTAINS(ciphers_problem(named), "without forward secrecy");
	CONTAINS(ciphers_problem(level), "security level 5");
	CU_ASSERT_STRING_EQUAL(ciphers_problem(good), "");
}

static void
test_ciphers_filtered(void)
{
	char mixed[] = "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:ADH-AES128-SHA:"
		       "@SECLEVEL=1";
	char wide[] = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_outcome outcome;

	settings.ciphers = mixed;
	settings.ciphers_at = here;
	CONTAINS(tls_fixture_server_warning(&settings)->text,
		 "AES128-SHA:ADH-AES128-SHA");
	outcome = try_server_ciphers(&settings, "AES128-SHA:@SECLEVEL=0");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	outcome = try_server_ciphers(&settings, "ECDHE-RSA-AES128-GCM-SHA256");
	CU_ASSERT(outcome.is_established);

	settings.ciphers = wide;
	CONTAINS(tls_fixture_server_warning(&settings)->text, "@SECLEVEL=0");
	outcome =
		try_server_ciphers(&settings, "ALL:COMPLEMENTOFALL:!ECDHE:!DHE:"
					      "@SECLEVEL=0");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	outcome = try_server_ciphers(&settings, "aNULL:eNULL:@SECLEVEL=0");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
}

static void
test_ciphersuites(void)
{
	char chacha[] = "TLS_CHACHA20_POLY1305_SHA256", empty[] = "";
	char misspelt[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA385";
	char old[] = "ECDHE-RSA-AES128-GCM-SHA256";
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_outcome outcome;

	settings.ciphersuites_at = here;
	settings.ciphersuites = chacha;
	outcome = try_server_version(&settings, TLS1_3_VERSION);
	CU_ASSERT_STRING_EQUAL(outcome.cipher, chacha);
	settings.ciphersuites = misspelt;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "ciphersuites: \"TLS_AES_256_GCM_SHA385\"");
	CU_ASSERT(tls_fixture_server_problem(&settings)->at.line == here.line);
	settings.ciphersuites = empty;
	CONTAINS(tls_fixture_server_problem(&settings)->text, "\"\"");
	settings.ciphersuites = old;
	CONTAINS(tls_fixture_server_problem(&settings)->text, old);
}

static void
test_groups(void)
{
	char *p256[] = {(char[]){"P-256"}};
	char *p384[] = {(char[]){"?nosuchgroup"}, (char[]){"secp384r1"}};
	char *unknown[] = {(char[]){"X25519"}, (char[]){"nosuchgroup"}};
	char *none[] = {(char[]){"?nosuchgroup"}};
	char *tricky[] = {(char[]){"X25519:P-256"}};
	struct tls_settings settings = tls_fixture_server_settings();
	SSL_CTX *client = tls_fixture_bare_client();
	struct tls_outcome outcome;

	settings.groups_at = here;
	settings.groups = p256;
	settings.group_count = 1;
	outcome = try_server_version(&settings, TLS1_3_VERSION);
	CU_ASSERT_STRING_EQUAL(outcome.group, "secp256r1");
	settings.groups = p384;
	settings.group_count = 2;
	outcome = try_server_version(&settings, TLS1_3_VERSION);
	CU_ASSERT_STRING_EQUAL(outcome.group, "secp384r1");
	tls_fixture_set_groups(client, "X25519");
	outcome = try_server(&settings, client);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	SSL_CTX_free(client);

	settings.groups = unknown;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "no group \"nosuchgroup\"");
	CU_ASSERT(tls_fixture_server_problem(&settings)->at.line == here.line);
	settings.groups = none;
	settings.group_count = 1;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "none of the groups");
	settings.groups = tricky;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "no group \"X25519:P-256\"");
}

/* Our client has a share for what our server and others would choose: no
 * second round trip. */
static void
test_client_groups(void)
{
	struct tls_settings settings = tls_fixture_client_settings();
	struct tls_policy *policy;
	SSL_CTX *client, *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct tls_outcome outcome;

	settings.verify.mode = TLS_VERIFY_NONE;
	policy = tls_fixture_client(&settings);
	client = tls_fixture_context(policy, NULL, NULL, NULL);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT_STRING_EQUAL(outcome.group,
			       openssl_compat_has_group("X25519MLKEM768")
				       ? "X25519MLKEM768"
				       : "X25519");
	tls_fixture_set_groups(server, "X25519");
	outcome = tls_fixture_try(client, server);
	CU_ASSERT_STRING_EQUAL(outcome.group, "X25519");
	tls_fixture_set_groups(server, "P-384");
	outcome = tls_fixture_try(client, server);
	CU_ASSERT_STRING_EQUAL(outcome.group, "secp384r1");
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

/* Parameters of a group that OpenSSL knows, as a PEM text. */
static char *
dh_parameters(const char *group)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_ENCODER_CTX *encoder;
	EVP_PKEY *parameters = NULL;
	unsigned char *bytes = NULL;
	size_t length = 0;
	char *text;

	CU_ASSERT_FATAL(EVP_PKEY_paramgen_init(maker) > 0);
	CU_ASSERT_FATAL(EVP_PKEY_CTX_set_group_name(maker, group) > 0);
	CU_ASSERT_FATAL(EVP_PKEY_paramgen(maker, &parameters) > 0);
	encoder = OSSL_ENCODER_CTX_new_for_pkey(
		parameters, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS, "PEM",
		"type-specific", NULL);
	CU_ASSERT_FATAL(OSSL_ENCODER_to_data(encoder, &bytes, &length));
	text = mem_strndup((const char *)bytes, length);
	OPENSSL_free(bytes);
	OSSL_ENCODER_CTX_free(encoder);
	EVP_PKEY_free(parameters);
	EVP_PKEY_CTX_free(maker);
	return text;
}

/* 2048 bits whose generator is 1. */
static char *
unsound_dh_parameters(void)
{
	static const unsigned char head[] = {0x30, 0x82, 0x01, 0x08, 0x02,
					     0x82, 0x01, 0x01, 0x00};
	unsigned char der[sizeof(head) + 256 + 3], base64[512];
	int length;

	memcpy(der, head, sizeof(head));
	memset(der + sizeof(head), 0xff, 256);
	memcpy(der + sizeof(head) + 256, "\x02\x01\x01", 3);
	length = EVP_EncodeBlock(base64, der, sizeof(der));
	return mem_format("-----BEGIN DH PARAMETERS-----\n%.*s\n"
			  "-----END DH PARAMETERS-----\n",
			  length, (const char *)base64);
}

#define DHE "DHE-RSA-AES128-GCM-SHA256"

static void
test_dh(void)
{
	char ciphers[] = DHE ":ECDHE-RSA-AES128-GCM-SHA256", only[] = DHE;
	char path[] = "/dh.pem", missing[] = "/none.pem", junk[] = "junk";
	AUTO_FREE char *good = dh_parameters("ffdhe2048");
	AUTO_FREE char *weak = dh_parameters("modp_1536");
	AUTO_FREE char *unsound = unsound_dh_parameters();
	struct tls_settings settings = tls_fixture_server_settings();

	settings.ciphers = ciphers;
	settings.dh.at = here;
	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, DHE).cipher, DHE);
	settings.dh.kind = TLS_DH_OFF;
	CU_ASSERT(!try_server_ciphers(&settings, DHE).is_established);
	settings.ciphers = only;
	CONTAINS(tls_fixture_server_problem(&settings)->text, "dh is off");
	settings.dh.kind = TLS_DH_INLINE;
	settings.dh.text = good;
	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, DHE).cipher, DHE);

	test_file_set_add(tls_fixture()->files, path, good, strlen(good));
	settings.dh.kind = TLS_DH_FILE;
	settings.dh.text = path;
	CU_ASSERT_STRING_EQUAL(try_server_ciphers(&settings, DHE).cipher, DHE);
	settings.dh.text = missing;
	CONTAINS(tls_fixture_server_problem(&settings)->text, missing);
	CU_ASSERT(tls_fixture_server_problem(&settings)->at.line == here.line);

	test_file_set_add(tls_fixture()->files, "/dh.junk", junk, 4);
	settings.dh.text = (char[]){"/dh.junk"};
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "dh: /dh.junk: there are no");
	settings.dh.kind = TLS_DH_INLINE;
	settings.dh.text = unsound;
	CONTAINS(tls_fixture_server_problem(&settings)->text, "unsound");
	settings.dh.text = weak;
	CONTAINS(tls_fixture_server_problem(&settings)->text, "1536 bits");
	settings.dh.text = junk;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "no Diffie-Hellman parameters");
}

static struct tls_outcome
try_alpn(const struct tls_settings *settings, const char *wire)
{
	SSL_CTX *client = tls_fixture_bare_client();
	struct tls_outcome outcome;

	if (wire)
		CU_ASSERT(SSL_CTX_set_alpn_protos(
				  client, (const unsigned char *)wire,
				  (unsigned int)strlen(wire)) == 0);
	outcome = try_server(settings, client);
	SSL_CTX_free(client);
	return outcome;
}

static void
test_alpn(void)
{
	char *names[] = {(char[]){"h2"}, (char[]){"http/1.1"}};
	char *empty[] = {(char[]){"h2"}, (char[]){""}};
	char long_name[257];
	char *too_long[] = {long_name};
	char *many[256];
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_outcome outcome;

	/* No list: what clients say is passed over. */
	outcome = try_alpn(&settings, "\2h2");
	CU_ASSERT(outcome.is_established);
	CU_ASSERT_STRING_EQUAL(outcome.alpn, "");

	settings.alpn = names;
	settings.alpn_count = 2;
	CU_ASSERT_STRING_EQUAL(try_alpn(&settings, "\10http/1.1\2h2").alpn,
			       "h2");
	CU_ASSERT_STRING_EQUAL(try_alpn(&settings, "\4http\10http/1.1").alpn,
			       "http/1.1");
	outcome = try_alpn(&settings, NULL);
	CU_ASSERT(outcome.is_established);
	CU_ASSERT_STRING_EQUAL(outcome.alpn, "");
	outcome = try_alpn(&settings, "\1h\3h2c\10http/1.0");
	CU_ASSERT(!outcome.is_established);
	CONTAINS(outcome.client.text, "no_application_protocol");
	CU_ASSERT(outcome.server.fault == TLS_FAULT_PROTOCOL);

	settings.alpn = empty;
	CONTAINS(tls_fixture_server_problem(&settings)->text, "0 bytes");
	memset(long_name, 'a', 256);
	long_name[256] = '\0';
	settings.alpn = too_long;
	settings.alpn_count = 1;
	CONTAINS(tls_fixture_server_problem(&settings)->text, "256 bytes");
	long_name[255] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = long_name;
	settings.alpn = many;
	settings.alpn_count = ARRAY_SIZE(many);
	CONTAINS(tls_fixture_server_problem(&settings)->text, "too long");
}

static int
choose_h2(SSL *ssl, const unsigned char **out, unsigned char *length,
	  const unsigned char *in, unsigned int in_length, void *argument)
{
	(void)ssl;
	(void)argument;
	CU_ASSERT(in_length == 12);
	CU_ASSERT(memcmp(in, "\2h2\10http/1.1", 12) == 0);
	*out = in + 1;
	*length = 2;
	return SSL_TLSEXT_ERR_OK;
}

static void
test_client_alpn(void)
{
	char *names[] = {(char[]){"h2"}, (char[]){"http/1.1"}};
	struct tls_settings settings = tls_fixture_client_settings();
	SSL_CTX *client, *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct tls_policy *policy;

	settings.verify.mode = TLS_VERIFY_NONE;
	settings.alpn = names;
	settings.alpn_count = 2;
	policy = tls_fixture_client(&settings);
	client = tls_fixture_context(policy, NULL, NULL, NULL);
	SSL_CTX_set_alpn_select_cb(server, choose_h2, NULL);
	CU_ASSERT_STRING_EQUAL(tls_fixture_try(client, server).alpn, "h2");
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static const char *
command_problem(const char *command, const char *value)
{
	struct tls_command commands[] = {
		{here, mem_strdup(command), mem_strdup(value)},
	};
	struct tls_settings settings = tls_fixture_server_settings();
	const struct error *problem;

	settings.commands = commands;
	settings.command_count = 1;
	problem = tls_fixture_server_problem(&settings);
	CU_ASSERT(problem->text[0] == '\0' || problem->at.line == here.line);
	mem_free(commands[0].command);
	mem_free(commands[0].value);
	return problem->text;
}

static void
test_commands(void)
{
	static const char *const own[] = {
		"Groups",      "Curves",     "CipherString", "ciphersuites",
		"MinProtocol", "Protocol",   "DHParameters", "Certificate",
		"VerifyMode",  "NumTickets", "PrivateKey",   "VerifyCAFile"};
	static const char *const undoing[] = {
		"SessionTicket",       "Compression",
		"ClientRenegotiation", "UnsafeLegacyRenegotiation",
		"-NoRenegotiation",    "AllowNoDHEKEX",
		"Bugs,SessionTicket"};

	CU_ASSERT_STRING_EQUAL(command_problem("Options", "-EncryptThenMac"),
			       "");
	CU_ASSERT_STRING_EQUAL(command_problem("Options", "-SessionTicket"),
			       "");
	CU_ASSERT_STRING_EQUAL(
		command_problem("SignatureAlgorithms", "ECDSA+SHA256"), "");
	CU_ASSERT_STRING_EQUAL(command_problem("RecordPadding", "512"), "");
	CONTAINS(command_problem("Opptions", "Bugs"), "\"Opptions\"");
	CONTAINS(command_problem("Options", "NoSuchOption"), "Options refuses");
	CONTAINS(command_problem("SignatureAlgorithms", "nothing"),
		 "SignatureAlgorithms refuses");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		CONTAINS(command_problem(own[i], "x"), own[i]);
	for (size_t i = 0; i < ARRAY_SIZE(undoing); i++)
		CONTAINS(command_problem("Options", undoing[i]), "would undo");
	/* 3.0 has no word for it. */
	CONTAINS(command_problem("Options", "IgnoreUnexpectedEOF"), "Options");
}

static void
test_commands_work(void)
{
	struct tls_command commands[] = {
		{here, (char[]){"SignatureAlgorithms"},
		 (char[]){"RSA-PSS+SHA384"}},
	};
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_outcome outcome;
	SSL_CTX *client = tls_fixture_bare_client();

	settings.commands = commands;
	settings.command_count = 1;
	outcome = try_server(&settings, client);
	CU_ASSERT_STRING_EQUAL(outcome.key, "RSA");
	tls_fixture_set_signatures(client, "ECDSA+SHA256");
	outcome = try_server(&settings, client);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
	SSL_CTX_free(client);
}

/* The client's abilities decide between three certificates. */
static void
test_certificate_types(void)
{
	static const struct {
		const char *algorithms;
		int version;
		const char *key;
	} cases[] = {
		{"ECDSA+SHA256", TLS1_3_VERSION, "EC"},
		{"RSA-PSS+SHA256", TLS1_3_VERSION, "RSA"},
		{"ed25519", TLS1_3_VERSION, "ED25519"},
		{"RSA-PSS+SHA256:ECDSA+SHA256", TLS1_3_VERSION, "RSA"},
		{"ECDSA+SHA256", TLS1_2_VERSION, "EC"},
		{"RSA+SHA256", TLS1_2_VERSION, "RSA"},
		{"ed25519", TLS1_2_VERSION, "ED25519"},
	};
	const struct tls_fixture *fixture = tls_fixture();
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_policy *policy = tls_fixture_server(&settings);
	SSL_CTX *server = tls_fixture_context(policy, fixture->rsa,
					      fixture->ecdsa, fixture->ed25519);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SSL_CTX *client = tls_fixture_bare_client();

		tls_fixture_set_signatures(client, cases[i].algorithms);
		tls_fixture_set_versions(client, 0, cases[i].version);
		CU_ASSERT_STRING_EQUAL(tls_fixture_try(client, server).key,
				       cases[i].key);
		SSL_CTX_free(client);
	}
	/* The policy may go before its contexts. */
	tls_policy_unref(policy);
	SSL_CTX_free(server);
}

static void
test_certificate_refused(void)
{
	AUTO_OPENSSL(evp_pkey) EVP_PKEY *key = EVP_EC_gen("secp256k1");
	AUTO_OPENSSL(x509) X509 *leaf = X509_new();
	struct certificate odd = *tls_fixture()->rsa;
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_policy *policy = tls_fixture_server(&settings);
	struct certificate *one[1] = {&odd};
	struct error error = {0};

	CU_ASSERT_EQUAL(X509_set_pubkey(leaf, key), 1);
	odd.leaf = leaf;
	CU_ASSERT_PTR_NULL(tls_policy_context(policy, one, 1, &error));
	CONTAINS(error.text, "cannot be used: ");
	CONTAINS(error.text, "secp256k1");
	CU_ASSERT(ERR_peek_error() == 0);
	tls_policy_unref(policy);
}

enum form {
	SERVER_VERIFY,
	CLIENT_VERIFY,
	SERVER_ECDHE,
	SERVER_DHE,
	CLIENT_LEGACY, /* with SHA-1 */
	SERVER_LEGACY,
	FORM_COUNT,
};

static bool
signs(EVP_PKEY *key, enum form form)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *operation = EVP_MD_CTX_new();
	const char *digest = form >= CLIENT_LEGACY ? "SHA1" : "SHA256";
	unsigned char signature[SIGNATURE_MAX];
	size_t length = sizeof(signature);
	struct sign_text text;
	bool is_signed;

	switch (form) {
	case SERVER_VERIFY:
		sign_text_verify(&text, SIGN_TEXT_SERVER, 32);
		break;
	case CLIENT_VERIFY:
		sign_text_verify(&text, SIGN_TEXT_CLIENT, 32);
		break;
	case SERVER_ECDHE:
	case SERVER_LEGACY:
		sign_text_ecdhe(&text, 23, 65, 4);
		break;
	case SERVER_DHE:
		sign_text_dhe(&text, 256, 2, 0x33, 256);
		break;
	case CLIENT_LEGACY:
		sign_text_transcript(&text, 0x0301);
		break;
	case FORM_COUNT:
		break;
	}
	is_signed = EVP_DigestSignInit_ex(operation, NULL, digest, NULL, NULL,
					  key, NULL) == 1 &&
		    EVP_DigestSign(operation, signature, &length, text.bytes,
				   text.writer.length) == 1;
	ERR_clear_error();
	return is_signed;
}

/* The forms that a key signs, as bits. */
static unsigned int
signed_forms(EVP_PKEY *key)
{
	unsigned int forms = 0;

	for (enum form form = SERVER_VERIFY; form < FORM_COUNT; form++)
		forms |= signs(key, form) ? 1U << form : 0;
	return forms;
}

/* The key in a context of that policy, which is a remote one. */
static EVP_PKEY *
key_of(SSL_CTX *context)
{
	EVP_PKEY *key = SSL_CTX_get0_privatekey(context);

	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	CU_ASSERT_STRING_EQUAL(
		OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
		"sealock");
	return key;
}

static unsigned int
policy_forms(const struct tls_settings *settings, bool is_server)
{
	struct tls_policy *policy = is_server ? tls_fixture_server(settings)
					      : tls_fixture_client(settings);
	const struct certificate *ecdsa = tls_fixture()->ecdsa;
	SSL_CTX *context =
		tls_fixture_context(policy, tls_fixture()->ecdsa, NULL, NULL);
	struct local_keys *keys = local_keys_new();
	struct error error = {0};
	unsigned int forms;

	/* As the keeper has it: it sees no file. */
	CU_ASSERT_EQUAL(local_keys_add(keys, ecdsa->key_id, ecdsa->key,
				       tls_policy_key_uses(settings, is_server),
				       &error),
			0);
	CU_ASSERT_EQUAL(local_keys_install(keys, &error), 0);
	forms = signed_forms(key_of(context));
	local_keys_free(keys);
	SSL_CTX_free(context);
	tls_policy_unref(policy);
	return forms;
}

/* A key signs what its policy may need, and no more. */
static void
test_key_uses(void)
{
	static const unsigned int server = 1 << SERVER_VERIFY |
					   1 << SERVER_ECDHE,
				  client = 1 << CLIENT_VERIFY;
	char ciphers[] = DHE ":ECDHE-ECDSA-AES128-GCM-SHA256";
	AUTO_FREE char *parameters = dh_parameters("ffdhe2048");
	struct tls_settings settings = tls_fixture_server_settings();

	CU_ASSERT_EQUAL(policy_forms(&settings, true), server);
	settings.ciphers = ciphers;
	CU_ASSERT_EQUAL(policy_forms(&settings, true),
			server | 1 << SERVER_DHE);
	settings.versions = TLS_VERSION_1_3;
	CU_ASSERT_EQUAL(policy_forms(&settings, true), server);
	settings.versions = 0;
	settings.dh.kind = TLS_DH_OFF;
	CU_ASSERT_EQUAL(policy_forms(&settings, true), server);
	settings.dh.kind = TLS_DH_INLINE;
	settings.dh.text = parameters;
	CU_ASSERT_EQUAL(policy_forms(&settings, true),
			server | 1 << SERVER_DHE);
	settings = tls_fixture_server_settings();
	settings.profile = TLS_PROFILE_OLD;
	CU_ASSERT(!(policy_forms(&settings, true) & 1 << SERVER_LEGACY));
	settings.versions = TLS_VERSION_1_1 | TLS_VERSION_1_2;
	CU_ASSERT(policy_forms(&settings, true) & 1 << SERVER_LEGACY);

	/* Nothing where there is no policy. */
	settings.versions = TLS_VERSION_SSL3;
	CU_ASSERT_EQUAL(tls_policy_key_uses(&settings, true), 0);

	settings = tls_fixture_client_settings();
	CU_ASSERT_EQUAL(policy_forms(&settings, false), client);
	settings.ciphers = ciphers;
	CU_ASSERT_EQUAL(policy_forms(&settings, false), client);
	settings = tls_fixture_client_settings();
	settings.profile = TLS_PROFILE_OLD;
	CU_ASSERT_EQUAL(policy_forms(&settings, false), client);
	settings.versions = TLS_VERSION_1_1 | TLS_VERSION_1_2;
	CU_ASSERT_EQUAL(policy_forms(&settings, false),
			client | 1 << CLIENT_LEGACY);
}

/* No resumption of any kind, whatever the client would like. */
static void
test_no_resumption(void)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_policy *policy = tls_fixture_server(&settings);
	SSL_CTX *server =
		tls_fixture_context(policy, tls_fixture()->ecdsa, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		SSL_CTX *client = tls_fixture_bare_client();
		SSL_SESSION *session;
		struct tls_pair pair;
		SSL *ssl;

		tls_fixture_set_versions(client, 0, versions[i]);
		tls_pair_init(&pair, client, server);
		CU_ASSERT(tls_pair_handshake(&pair, 0));
		session = SSL_get1_session(tls_engine_ssl(pair.client.engine));
		CU_ASSERT(!SSL_SESSION_has_ticket(session));
		CU_ASSERT(!SSL_SESSION_is_resumable(session));
		tls_pair_clear(&pair);

		tls_pair_init(&pair, client, server);
		ssl = tls_engine_ssl(pair.client.engine);
		(void)SSL_set_session(ssl, session);
		CU_ASSERT(tls_pair_handshake(&pair, 0));
		CU_ASSERT(!SSL_session_reused(ssl));
		tls_pair_clear(&pair);
		SSL_SESSION_free(session);
		SSL_CTX_free(client);
	}
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static void
test_no_renegotiation(void)
{
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_policy *policy = tls_fixture_server(&settings);
	SSL_CTX *server =
		tls_fixture_context(policy, tls_fixture()->ecdsa, NULL, NULL);
	SSL_CTX *client = tls_fixture_bare_client();
	struct tls_pair pair;

	tls_fixture_set_versions(client, 0, TLS1_2_VERSION);
	tls_pair_init(&pair, client, server);
	CU_ASSERT(tls_pair_handshake(&pair, 0));
	CU_ASSERT(SSL_renegotiate(tls_engine_ssl(pair.client.engine)));
	/* The ClientHello leaves with the attempt to read. */
	(void)tls_pair_feed_bytes(&pair.client, "", 0);
	CU_ASSERT(pair.client.wire.length > 100);
	CU_ASSERT(tls_pair_feed(&pair.client, &pair.server, SIZE_MAX) ==
		  TLS_WANT_INPUT);
	/* A warning, and nothing like a ServerHello. */
	CU_ASSERT(pair.server.wire.length < 60);
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

/* A client that names a server is told that the name was used. */
static void
test_name_acknowledged(void)
{
	struct tls_settings settings = tls_fixture_server_settings();
	struct tls_policy *policy = tls_fixture_server(&settings);
	SSL_CTX *server =
		tls_fixture_context(policy, tls_fixture()->ecdsa, NULL, NULL);
	SSL_CTX *client = tls_fixture_bare_client();

	for (int i = 0; i < 2; i++) {
		AUTO_FREE char *name = mem_strdup("web.example.org");
		struct tls_pair pair;
		SSL *ssl;

		tls_pair_init(&pair, client, server);
		ssl = tls_engine_ssl(pair.client.engine);
		if (i == 0 && !SSL_set_tlsext_host_name(ssl, name))
			CU_FAIL("no name can be set");
		CU_ASSERT(tls_pair_handshake(&pair, 0));
		CU_ASSERT((SSL_SESSION_get0_hostname(SSL_get0_session(ssl)) !=
			   NULL) == (i == 0));
		tls_pair_clear(&pair);
	}
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	tls_policy_unref(policy);
}

static bool
has_same_digest(const struct tls_settings *one,
		const struct tls_settings *other)
{
	struct tls_policy *a = tls_fixture_server(one);
	struct tls_policy *b = tls_fixture_server(other);
	bool is_same =
		memcmp(tls_policy_digest(a), tls_policy_digest(b), 32) == 0;

	tls_policy_unref(a);
	tls_policy_unref(b);
	return is_same;
}

static void
test_digest(void)
{
	char ciphers[] = "ECDHE-RSA-AES128-GCM-SHA256";
	char suites[] = "TLS_AES_128_GCM_SHA256";
	char *groups[] = {(char[]){"P-256"}};
	char *alpn[] = {(char[]){"h2"}};
	struct tls_command commands[] = {
		{here, (char[]){"RecordPadding"}, (char[]){"512"}},
	};
	AUTO_FREE char *dh2048 = dh_parameters("ffdhe2048");
	AUTO_FREE char *dh3072 = dh_parameters("ffdhe3072");
	const struct tls_settings base = tls_fixture_server_settings();
	struct tls_settings other = base, more;

	other.at = here;
	other.versions = TLS_VERSION_1_2 | TLS_VERSION_1_3;
	CU_ASSERT(has_same_digest(&base, &other));
	other.versions = TLS_VERSION_1_2;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.ciphers = ciphers;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.ciphersuites = suites;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.groups = groups;
	other.group_count = 1;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.alpn = alpn;
	other.alpn_count = 1;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.commands = commands;
	other.command_count = 1;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.prefer_server_ciphers = TLS_CHOICE_YES;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.is_sni_strict = true;
	CU_ASSERT(!has_same_digest(&base, &other));
	other = base;
	other.dh.kind = TLS_DH_INLINE;
	other.dh.text = dh2048;
	CU_ASSERT(!has_same_digest(&base, &other));
	more = other;
	CU_ASSERT(has_same_digest(&more, &other));
	more.dh.text = dh3072;
	CU_ASSERT(!has_same_digest(&more, &other));
}

/* Several problems are told together, and counted references end well. */
static void
test_many_problems(void)
{
	char nonsense[] = "nonsense";
	char *groups[] = {nonsense};
	struct tls_settings settings = tls_fixture_server_settings();
	struct error_list problems = {0};
	struct tls_policy *policy;

	settings.ciphers = nonsense;
	settings.ciphersuites = nonsense;
	settings.groups = groups;
	settings.group_count = 1;
	settings.dh.kind = TLS_DH_INLINE;
	settings.dh.text = nonsense;
	CU_ASSERT_PTR_NULL(tls_policy_new_server(
		&settings, tls_fixture()->files, &problems, NULL));
	CU_ASSERT(problems.count == 4);
	CU_ASSERT(ERR_peek_error() == 0);
	error_list_clear(&problems);

	settings = tls_fixture_server_settings();
	settings.verify.mode = TLS_VERIFY_REQUIRED;
	CONTAINS(tls_fixture_server_problem(&settings)->text,
		 "are clients to show?");
	settings.verify.mode = TLS_VERIFY_NONE;
	policy = tls_fixture_server(&settings);
	CU_ASSERT_PTR_EQUAL(tls_policy_ref(policy), policy);
	tls_policy_unref(policy);
	tls_policy_unref(policy);
	tls_policy_unref(NULL);
}

UNIT_SUITE(tls_policy, {"profiles", test_profiles}, {"order", test_order},
	   {"holes", test_holes}, {"versions_left_out", test_versions_left_out},
	   {"client_range", test_client_range},
	   {"ciphers_refused", test_ciphers_refused},
	   {"ciphers_filtered", test_ciphers_filtered},
	   {"ciphersuites", test_ciphersuites}, {"groups", test_groups},
	   {"client_groups", test_client_groups}, {"dh", test_dh},
	   {"alpn", test_alpn}, {"client_alpn", test_client_alpn},
	   {"commands", test_commands}, {"commands_work", test_commands_work},
	   {"certificate_types", test_certificate_types},
	   {"certificate_refused", test_certificate_refused},
	   {"key_uses", test_key_uses}, {"no_resumption", test_no_resumption},
	   {"no_renegotiation", test_no_renegotiation},
	   {"name_acknowledged", test_name_acknowledged},
	   {"digest", test_digest}, {"many_problems", test_many_problems});
