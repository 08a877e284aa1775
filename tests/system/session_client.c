/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TLS client that does with sessions what libraries keep their users from:
 * brings any session to any port, name and certificate. sessions.py runs it.
 *
 * A line on its input is one visit to an echo behind 127.0.0.1:
 *
 *	port=N [name=HOST] [version=1.2|1.3] [session=HEX] [cert=FILE key=FILE]
 *	[ids=1] [alpn=NAME] [ciphers=LIST] [suites=LIST] [early=1] [data=0]
 *
 * ids=1 offers no tickets to TLS 1.2; early=1 sends its words as early data
 * when the session allows that; data=0 ends behind the handshake. It says on
 * one line what came of it:
 *
 *	ok resumed=0|1 version=TLSvX cipher=NAME alpn=NAME|- early=0|1|2
 *	    session=HEX,HEX...|-
 *	no reason_in_openssls_words
 *
 * A session is what i2d_SSL_SESSION() makes of it, in hex.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define PATIENCE_S   30
#define SESSIONS_MAX 16
#define WORDS        "may I come in?"

struct visit {
	const char *name, *version, *session, *cert, *key, *alpn;
	const char *ciphers, *suites;
	uint16_t port;
	bool has_ids, is_early, is_silent;

	SSL_SESSION *sessions[SESSIONS_MAX];
	size_t session_count;
};

static void
take_word(struct visit *visit, char *word)
{
	char *value = strchr(word, '=');
	struct {
		const char *name;
		const char **value;
	} texts[] = {
		{"name", &visit->name},       {"version", &visit->version},
		{"session", &visit->session}, {"cert", &visit->cert},
		{"key", &visit->key},         {"alpn", &visit->alpn},
		{"ciphers", &visit->ciphers}, {"suites", &visit->suites},
	};

	if (!value)
		return;
	*value++ = '\0';
	if (strcmp(word, "port") == 0)
		visit->port = (uint16_t)atoi(value);
	else if (strcmp(word, "ids") == 0)
		visit->has_ids = atoi(value) != 0;
	else if (strcmp(word, "early") == 0)
		visit->is_early = atoi(value) != 0;
	else if (strcmp(word, "data") == 0)
		visit->is_silent = atoi(value) == 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(word, texts[i].name) == 0)
			*texts[i].value = value;
}

static SSL_SESSION *
session_from_hex(const char *hex)
{
	long length = 0;
	unsigned char *der = OPENSSL_hexstr2buf(hex, &length);
	const unsigned char *at = der;
	SSL_SESSION *session = der ? d2i_SSL_SESSION(NULL, &at, length) : NULL;

	OPENSSL_free(der);
	return session;
}

static void
print_session(SSL_SESSION *session)
{
	unsigned char *der = NULL;
	int length = i2d_SSL_SESSION(session, &der);

	for (int i = 0; i < length; i++)
		printf("%02x", der[i]);
	OPENSSL_free(der);
}

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct visit *visit = SSL_get_app_data(ssl);

	if (visit->session_count == SESSIONS_MAX - 1)
		return 0;
	visit->sessions[visit->session_count++] = session;
	return 1;
}

static bool
set_up(SSL_CTX *settings, const struct visit *visit)
{
	int version = visit->version && strcmp(visit->version, "1.2") == 0
			      ? TLS1_2_VERSION
			      : TLS1_3_VERSION;

	SSL_CTX_set_session_cache_mode(
		settings, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(settings, on_session);
	if (visit->version &&
	    (!SSL_CTX_set_min_proto_version(settings, version) ||
	     !SSL_CTX_set_max_proto_version(settings, version)))
		return false;
	if (visit->has_ids)
		SSL_CTX_set_options(settings, SSL_OP_NO_TICKET);
	if (visit->ciphers &&
	    !SSL_CTX_set_cipher_list(settings, visit->ciphers))
		return false;
	if (visit->suites && !SSL_CTX_set_ciphersuites(settings, visit->suites))
		return false;
	return !visit->cert ||
	       (SSL_CTX_use_certificate_chain_file(settings, visit->cert) ==
			1 &&
		SSL_CTX_use_PrivateKey_file(settings, visit->key,
					    SSL_FILETYPE_PEM) == 1);
}

static bool
set_up_connection(SSL *ssl, struct visit *visit)
{
	unsigned char protocols[256];
	char name[256];
	size_t length = visit->alpn ? strlen(visit->alpn) : 0;

	SSL_set_app_data(ssl, visit);
	/* OpenSSL's macro casts const away, so it gets a copy. */
	snprintf(name, sizeof(name), "%s", visit->name ? visit->name : "");
	if (visit->name && !SSL_set_tlsext_host_name(ssl, name))
		return false;
	if (length > 0 && length < sizeof(protocols)) {
		protocols[0] = (unsigned char)length;
		memcpy(protocols + 1, visit->alpn, length);
		if (SSL_set_alpn_protos(ssl, protocols, (unsigned)length + 1) !=
		    0)
			return false;
	}
	if (visit->session) {
		SSL_SESSION *session = session_from_hex(visit->session);
		bool is_set = session && SSL_set_session(ssl, session) == 1;

		SSL_SESSION_free(session);
		if (!is_set)
			return false;
	}
	return true;
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0)
		return -1;
	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) ==
	    0)
		return descriptor;
	close(descriptor);
	return -1;
}

/* Whether the echo came back. */
static bool
talk(SSL *ssl, bool is_early, bool is_silent)
{
	char answer[sizeof(WORDS)];
	size_t got = 0;
	bool is_sent = false;

	if (is_early && SSL_SESSION_get_max_early_data(SSL_get0_session(ssl))) {
		size_t written;

		if (SSL_write_early_data(ssl, WORDS, sizeof(WORDS), &written) !=
		    1)
			return false;
		is_sent = true;
	}
	if (SSL_connect(ssl) != 1)
		return false;
	if (is_silent)
		return true;
	if (is_sent &&
	    SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_REJECTED)
		is_sent = false;
	if (!is_sent && SSL_write(ssl, WORDS, sizeof(WORDS)) <= 0)
		return false;
	while (got < sizeof(answer)) {
		int result = SSL_read(ssl, answer + got,
				      (int)(sizeof(answer) - got));

		if (result <= 0)
			return false;
		got += (size_t)result;
	}
	return memcmp(answer, WORDS, sizeof(WORDS)) == 0;
}

static void
print_success(SSL *ssl, struct visit *visit)
{
	const unsigned char *alpn;
	unsigned length;

	/* Of a new ticket in a resumed handshake of TLS 1.2 OpenSSL's callback
	 * is not told. */
	if (SSL_version(ssl) < TLS1_3_VERSION && SSL_session_reused(ssl))
		visit->sessions[visit->session_count++] = SSL_get1_session(ssl);
	SSL_get0_alpn_selected(ssl, &alpn, &length);
	printf("ok resumed=%d version=%s cipher=%s alpn=%.*s early=%d "
	       "session=",
	       SSL_session_reused(ssl), SSL_get_version(ssl),
	       SSL_get_cipher_name(ssl), length ? (int)length : 1,
	       length ? (const char *)alpn : "-",
	       SSL_get_early_data_status(ssl));
	for (size_t i = 0; i < visit->session_count; i++) {
		if (i > 0)
			putchar(',');
		print_session(visit->sessions[i]);
	}
	puts(visit->session_count > 0 ? "" : "-");
}

static void
print_failure(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	fputs("no ", stdout);
	for (const char *at = reason ? reason : "end"; *at; at++)
		putchar(*at == ' ' ? '_' : *at);
	putchar('\n');
}

static void
make(struct visit *visit)
{
	SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	int descriptor = -1;

	ERR_clear_error();
	if (settings && set_up(settings, visit) && (ssl = SSL_new(settings)) &&
	    set_up_connection(ssl, visit) &&
	    (descriptor = connect_to(visit->port)) >= 0 &&
	    SSL_set_fd(ssl, descriptor) &&
	    talk(ssl, visit->is_early, visit->is_silent)) {
		print_success(ssl, visit);
		SSL_shutdown(ssl);
	} else {
		print_failure();
	}
	fflush(stdout);
	for (size_t i = 0; i < visit->session_count; i++)
		SSL_SESSION_free(visit->sessions[i]);
	SSL_free(ssl);
	SSL_CTX_free(settings);
	if (descriptor >= 0)
		close(descriptor);
}

int
main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		struct visit visit = {0};
		char *rest = NULL;

		for (char *word = strtok_r(line, " \n", &rest); word;
		     word = strtok_r(NULL, " \n", &rest))
			take_word(&visit, word);
		make(&visit);
	}
	free(line);
	return 0;
}
