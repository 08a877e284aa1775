/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our reading of a ClientHello against OpenSSL's own: the same bytes go
 * through a server, and what its callbacks see must be what we saw.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/tls/certificate_create.h"
#include "common/tls/client_hello.h"
#include "common/tls/tls_engine.h"
#include "common/tls/tls_version.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What OpenSSL read, in one run. */
static struct {
	bool is_read; /* the message's layout was good */
	bool has_server_name;
	bool has_early_data;
	unsigned int legacy_version;
	char server_name[256]; /* "" as long as it does not say */
	unsigned char alpn[16384];
	size_t alpn_length;
} seen;

static int
see_hello(SSL *ssl, int *alert, void *argument)
{
	const unsigned char *field;
	size_t length;

	(void)alert;
	(void)argument;
	seen.is_read = true;
	seen.legacy_version = SSL_client_hello_get0_legacy_version(ssl);
	seen.has_server_name = SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_server_name, &field, &length);
	seen.has_early_data = SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_early_data, &field, &length);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int
see_name(SSL *ssl, int *alert, void *argument)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)argument;
	if (name) {
		assert(strlen(name) < sizeof(seen.server_name));
		strcpy(seen.server_name, name);
	}
	return SSL_TLSEXT_ERR_OK;
}

static int
see_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
	 const unsigned char *offered, unsigned int offered_length,
	 void *argument)
{
	(void)ssl;
	(void)chosen;
	(void)chosen_length;
	(void)argument;
	if (offered_length <= sizeof(seen.alpn)) {
		memcpy(seen.alpn, offered, offered_length);
		seen.alpn_length = offered_length;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *
server(void)
{
	static SSL_CTX *context;
	static const char *const names[] = {"fuzz.example"};
	const struct certificate_request request = {
		.names = names,
		.name_count = 1,
		.purpose = CERTIFICATE_FOR_SERVER,
		.days = 1,
	};
	struct error error = {0};
	X509 *certificate;
	EVP_PKEY *key;

	if (context)
		return context;
	key = certificate_create_key("p256", &error);
	assert(key);
	certificate = certificate_create(&request, key, NULL, NULL, &error);
	context = SSL_CTX_new(TLS_server_method());
	assert(certificate && context);
	assert(SSL_CTX_use_certificate(context, certificate) &&
	       SSL_CTX_use_PrivateKey(context, key) &&
	       SSL_CTX_set_min_proto_version(context, 0) &&
	       SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0"));
	X509_free(certificate);
	EVP_PKEY_free(key);
	SSL_CTX_set_client_hello_cb(context, see_hello, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, see_name);
	SSL_CTX_set_alpn_select_cb(context, see_alpn, NULL);
	return context;
}

/* Ours are some of what OpenSSL saw, in the same order. */
static void
check_alpn(const struct client_hello *hello)
{
	size_t at = 0, found = 0;

	if (seen.alpn_length == 0)
		return;
	while (at < seen.alpn_length && found < hello->alpn_count) {
		size_t name = seen.alpn[at];

		assert(name < seen.alpn_length - at);
		if (name == hello->alpn[found].length &&
		    memcmp(seen.alpn + at + 1,
			   hello->alpn_storage + hello->alpn[found].offset,
			   name) == 0)
			found++;
		at += 1 + name;
	}
	assert(found == hello->alpn_count);
}

static unsigned int
version_of(int number)
{
	for (unsigned int version = 1; version & TLS_VERSION_ALL; version <<= 1)
		if (tls_version_number(version) == number)
			return version;
	return 0;
}

static void
compare(const struct client_hello *hello, SSL *ssl, enum tls_result result,
	size_t answer)
{
	/* Had it seen less than the whole, it would wait for the rest. */
	assert(seen.is_read || result == TLS_FAILED);
	if (!seen.is_read)
		return;
	assert(seen.legacy_version == hello->legacy_version);
	assert(seen.has_server_name == hello->has_server_name);
	assert(seen.has_early_data == hello->has_early_data);
	if (seen.server_name[0]) {
		assert(strlen(seen.server_name) == hello->raw_name_length);
		assert(memcmp(seen.server_name, hello->raw_name,
			      hello->raw_name_length) == 0);
		if (hello->is_server_name_valid)
			assert(strcasecmp(seen.server_name,
					  hello->server_name) == 0);
	}
	check_alpn(hello);
	if (result != TLS_FAILED && answer > 0)
		assert(hello->versions & version_of(SSL_version(ssl)));
}

static void
check_prefixes(const uint8_t *bytes, size_t length)
{
	struct client_hello hello;
	size_t end = 0;
	uint8_t alert;

	/* Where it ends: the shortest prefix that is whole. */
	for (size_t low = 0, high = length; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (client_hello_parse(bytes, middle, &hello, &alert) ==
		    CLIENT_HELLO_MORE)
			low = middle + 1;
		else
			high = middle;
		end = high;
	}
	for (size_t step = 1 + end / 16, at = 0; at < end; at += step)
		assert(client_hello_parse(bytes, at, &hello, &alert) ==
		       CLIENT_HELLO_MORE);
	assert(client_hello_parse(bytes, end, &hello, &alert) ==
	       CLIENT_HELLO_COMPLETE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct tls_engine *engine = tls_engine_new_server(server());
	struct tls_input input = {bytes, length};
	struct tls_output wire = {0};
	struct client_hello hello;
	enum client_hello_result ours;
	enum tls_result theirs;
	uint8_t alert = 0;

	memset(&seen, 0, sizeof(seen));
	ours = client_hello_parse(bytes, length, &hello, &alert);
	theirs = tls_engine_handshake(engine, &input, &wire);
	switch (ours) {
	case CLIENT_HELLO_COMPLETE:
		compare(&hello, tls_engine_ssl(engine), theirs, wire.length);
		check_prefixes(bytes, length);
		break;
	case CLIENT_HELLO_MORE:
	case CLIENT_HELLO_PLAINTEXT:
		assert(!seen.is_read);
		break;
	case CLIENT_HELLO_TOO_LONG:
	case CLIENT_HELLO_MALFORMED:
		/* We are the stricter of the two. */
		break;
	}
	assert(ours == CLIENT_HELLO_MORE || ours == CLIENT_HELLO_COMPLETE ||
	       alert != 0);
	tls_engine_free(engine);
	mem_free(wire.bytes);
	return 0;
}
