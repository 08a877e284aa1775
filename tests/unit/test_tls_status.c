/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a failure is called and what is said of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/mem.h"
#include "common/tls/tls_status.h"
#include "tests/lib/tls_fixture.h"
#include "tests/unit/unit.h"

#define CONTAINS(text, part) CU_ASSERT(strstr((text), (part)) != NULL)

/* What an engine says to bytes that come first of all. */
static struct tls_failure
first_bytes(bool is_server, const char *bytes, size_t length)
{
	SSL_CTX *context = is_server
				   ? tls_fixture_bare_server(tls_fixture()->rsa)
				   : tls_fixture_bare_client();
	struct tls_pair pair;
	struct tls_pair_end *end = is_server ? &pair.server : &pair.client;
	struct tls_failure failure = {.fault = TLS_FAULT_NONE};

	tls_pair_init(&pair, context, context);
	if (tls_pair_feed_bytes(end, bytes, length) == TLS_FAILED)
		failure = *tls_engine_failure(end->engine);
	tls_pair_clear(&pair);
	SSL_CTX_free(context);
	CU_ASSERT(ERR_peek_error() == 0);
	return failure;
}

static void
test_plaintext(void)
{
	static const char *const texts[] = {"GET / HTTP/1.0\r\n",
					    "POST / HTTP/1.0\r\n",
					    "HEAD / HTTP",
					    "CONNECT a:443 HTTP/1.1\r\n",
					    "SSH-2.0-OpenSSH_9.2\r\n",
					    "220 mail.example.org ESMTP\r\n",
					    "* OK IMAP4rev1\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct tls_failure failure =
			first_bytes(true, texts[i], strlen(texts[i]));

		CU_ASSERT(failure.fault == TLS_FAULT_PLAINTEXT);
		CU_ASSERT(failure.text[0] != '\0');
		failure = first_bytes(false, texts[i], strlen(texts[i]));
		CU_ASSERT(failure.fault == TLS_FAULT_PLAINTEXT);
		CU_ASSERT(!strstr(failure.text, "error:"));
		CU_ASSERT(!strstr(failure.text, "routines"));
		CU_ASSERT(!strstr(failure.text, ".c:"));
	}
	CU_ASSERT(first_bytes(true, "GET", 3).fault == TLS_FAULT_NONE);
}

/* Junk in the middle is no plaintext peer. */
static void
test_later_junk(void)
{
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct tls_pair pair;

	tls_pair_init(&pair, client, server);
	CU_ASSERT(tls_pair_handshake(&pair, 0));
	CU_ASSERT(tls_pair_feed_bytes(&pair.server, "GET / HTTP/1.0\r\n", 16) ==
		  TLS_FAILED);
	CU_ASSERT(tls_engine_failure(pair.server.engine)->fault ==
		  TLS_FAULT_PROTOCOL);
	tls_pair_clear(&pair);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

/* Nothing in common, whatever it is that is not. */
static void
test_nothing_shared(void)
{
	static const struct {
		int client_version;
		int server_version;
		const char *client_ciphers;
		const char *client_groups;
		const char *client_signatures;
		const char *says;
	} cases[] = {
		{TLS1_2_VERSION, TLS1_3_VERSION, NULL, NULL, NULL, ""},
		{TLS1_3_VERSION, TLS1_2_VERSION, NULL, NULL, NULL, ""},
		{TLS1_2_VERSION, 0, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL, NULL,
		 "no shared cipher"},
		{TLS1_3_VERSION, 0, NULL, "P-521", NULL,
		 "no suitable key share"},
		{TLS1_3_VERSION, 0, NULL, NULL, "ECDSA+SHA256",
		 "no suitable signature algorithm"},
		{TLS1_2_VERSION, 0, "ECDHE", "P-521", NULL, "no shared cipher"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SSL_CTX *client = tls_fixture_bare_client();
		SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
		struct tls_outcome outcome;

		tls_fixture_set_versions(client, cases[i].client_version,
					 cases[i].client_version);
		tls_fixture_set_versions(server, cases[i].server_version,
					 cases[i].server_version);
		tls_fixture_set_groups(server, "X25519:P-256");
		if (cases[i].client_ciphers)
			CU_ASSERT(SSL_CTX_set_cipher_list(
				client, cases[i].client_ciphers));
		if (cases[i].client_groups)
			tls_fixture_set_groups(client, cases[i].client_groups);
		if (cases[i].client_signatures)
			tls_fixture_set_signatures(client,
						   cases[i].client_signatures);
		outcome = tls_fixture_try(client, server);
		CU_ASSERT(!outcome.is_established);
		CU_ASSERT(outcome.server.fault == TLS_FAULT_NO_SHARED_CIPHER);
		CONTAINS(outcome.server.text, cases[i].says);
		CU_ASSERT(outcome.client.fault == TLS_FAULT_ALERT);
		CONTAINS(outcome.client.text, "the peer sent the alert ");
		SSL_CTX_free(client);
		SSL_CTX_free(server);
	}
}

/* Every alert that a peer can send in answer to a ClientHello. */
static void
test_alerts(void)
{
	for (unsigned int alert = 0; alert < 256; alert++) {
		const char record[] = {21, 3, 3, 0, 2, 2, (char)alert};
		struct tls_failure failure =
			first_bytes(false, record, sizeof(record));
		char number[8];

		if (alert == 0) {
			CU_ASSERT(failure.fault == TLS_FAULT_EOF ||
				  failure.fault == TLS_FAULT_ALERT);
			continue;
		}
		CU_ASSERT(failure.fault == (alert == SSL_AD_UNRECOGNIZED_NAME
						    ? TLS_FAULT_UNKNOWN_NAME
						    : TLS_FAULT_ALERT));
		snprintf(number, sizeof(number), "(%u)", alert);
		CONTAINS(failure.text, number);
	}
	/* An end in the middle of it. */
	CU_ASSERT(first_bytes(false, "\x15\3\3\0\2\1\0", 7).fault ==
		  TLS_FAULT_EOF);
	CONTAINS(first_bytes(false, "\x15\3\3\0\2\2\x70", 7).text,
		 "alert unrecognized_name (112)");
	CONTAINS(first_bytes(false, "\x15\3\3\0\2\2\x74", 7).text,
		 "alert certificate_required (116)");
	CONTAINS(first_bytes(false, "\x15\3\3\0\2\2\xff", 7).text,
		 "alert unknown (255)");
}

static int
refuse_name(SSL *ssl, int *alert, void *argument)
{
	(void)ssl;
	(void)argument;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void
test_unknown_name(void)
{
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct tls_outcome outcome;

	SSL_CTX_set_tlsext_servername_callback(server, refuse_name);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT(outcome.client.fault == TLS_FAULT_UNKNOWN_NAME);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

/* Over BIOs that know an end, as a command's own socket does. */
static enum tls_result
handshake_over(BIO *in, BIO *out, struct tls_failure *failure)
{
	SSL_CTX *context = tls_fixture_bare_client();
	SSL *ssl = SSL_new(context);
	enum tls_result result;

	SSL_set_bio(ssl, in, out);
	tls_status_begin();
	result = tls_status(ssl, SSL_connect(ssl), failure);
	SSL_free(ssl);
	SSL_CTX_free(context);
	CU_ASSERT(ERR_peek_error() == 0);
	return result;
}

static void
test_ends(void)
{
	BIO *empty = BIO_new(BIO_s_mem());
	struct tls_failure failure;
	int pipes[2];

	BIO_set_mem_eof_return(empty, 0);
	CU_ASSERT(handshake_over(empty, BIO_new(BIO_s_mem()), &failure) ==
		  TLS_FAILED);
	CU_ASSERT(failure.fault == TLS_FAULT_EOF);
	CONTAINS(failure.text, "unexpected eof");

	CU_ASSERT_FATAL(pipe(pipes) == 0);
	close(pipes[0]);
	CU_ASSERT(handshake_over(BIO_new(BIO_s_mem()),
				 BIO_new_fd(pipes[1], BIO_CLOSE),
				 &failure) == TLS_FAILED);
	CU_ASSERT(failure.fault == TLS_FAULT_EOF);
	CU_ASSERT_STRING_EQUAL(failure.text, strerror(EPIPE));

	CU_ASSERT(handshake_over(BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()),
				 &failure) == TLS_WANT_INPUT);
}

/* Earlier errors of somebody else's do not count. */
static void
test_leftovers(void)
{
	struct tls_failure failure;

	ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
	errno = EBADF;
	CU_ASSERT(handshake_over(BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()),
				 &failure) == TLS_WANT_INPUT);
}

static int
fail_inside(SSL *ssl, void *argument)
{
	(void)ssl;
	(void)argument;
	ERR_raise(ERR_LIB_PROV, ERR_R_MALLOC_FAILURE);
	return 0;
}

static void
test_internal(void)
{
	SSL_CTX *client = tls_fixture_bare_client();
	SSL_CTX *server = tls_fixture_bare_server(tls_fixture()->rsa);
	struct tls_outcome outcome;

	SSL_CTX_set_cert_cb(server, fail_inside, NULL);
	outcome = tls_fixture_try(client, server);
	CU_ASSERT(outcome.server.fault == TLS_FAULT_INTERNAL);
	CONTAINS(outcome.server.text, "malloc failure");
	SSL_CTX_free(client);
	SSL_CTX_free(server);
}

static void
test_queue_text(void)
{
	char text[200], small[12];

	ERR_clear_error();
	tls_status_queue_text(text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "no reason given");
	ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
	tls_status_queue_text(text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "no shared cipher");
	CU_ASSERT(ERR_peek_error() == 0);
	ERR_raise_data(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER, "%s", "a\n\"b");
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_VALUE);
	tls_status_queue_text(text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text,
			       "no shared cipher (a\\x0a\\x22b): bad value");
	CU_ASSERT(ERR_peek_error() == 0);
	ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
	tls_status_queue_text(small, sizeof(small));
	CU_ASSERT_STRING_EQUAL(small, "no shared c");
}

UNIT_SUITE(tls_status, {"plaintext", test_plaintext},
	   {"later_junk", test_later_junk},
	   {"nothing_shared", test_nothing_shared}, {"alerts", test_alerts},
	   {"unknown_name", test_unknown_name}, {"ends", test_ends},
	   {"leftovers", test_leftovers}, {"internal", test_internal},
	   {"queue_text", test_queue_text});
