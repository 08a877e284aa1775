/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one connection leaves behind: one record, as text or JSON, and the
 * same knowledge for builtin:whoami. Fields that do not apply are left out.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf.h"
#include "common/route/route.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_engine.h"
#include "daemon/worker/access_certificate.h"
#include "daemon/worker/connection.h"

/* With what a log writes before it, a record is one line of PIPE_BUF. */
#define RECORD_MAX 4000

/* For all that follows a text but the detail, which is the last. */
#define RECORD_TAIL 1024
#define RECORD_END  8

/* What a gate's TLS came to. */
struct tls_facts {
	bool is_known;
	const char *version;
	const char *cipher;
	const char *group;
	char alpn[256]; /* escaped for a log line; "": none */
	bool is_resumed;
	struct access_certificate peer;
};

/* NULL: there is none, or its handshake was not completed. */
static SSL *
gate_ssl(const struct gate *gate)
{
	return gate->engine && gate->stream == &stream_tls
		       ? tls_engine_ssl(gate->engine)
		       : NULL;
}

static SSL *
backend_ssl(const struct connection *connection)
{
	return connection->refused ? tls_engine_ssl(connection->refused)
				   : gate_ssl(&connection->connect);
}

static void
learn_tls(SSL *ssl, struct tls_facts *facts)
{
	const unsigned char *alpn = NULL;
	unsigned int alpn_length = 0;

	*facts = (struct tls_facts){.is_known = false};
	if (!ssl)
		return;
	facts->is_known = true;
	facts->version = SSL_get_version(ssl);
	facts->cipher = SSL_get_cipher_name(ssl);
	facts->group = openssl_compat_group_name(ssl);
	facts->is_resumed = SSL_session_reused(ssl);
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_length);
	text_escape(alpn, alpn_length, facts->alpn, sizeof(facts->alpn));
	access_certificate_learn(ssl, &facts->peer);
}

/* A record under construction. Both forms are written through the same calls,
 * so that they cannot differ in what they say. */
struct record {
	enum log_form form;
	char text[RECORD_MAX];
	size_t length;
	size_t tail;          /* a text leaves so much room behind it */
	bool needs_separator; /* something stands there already */
};

static void
put(struct record *record, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
put(struct record *record, const char *format, ...)
{
	size_t room = sizeof(record->text) - record->length;
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(record->text + record->length, room, format,
			    arguments);
	va_end(arguments);
	if (written < 0)
		return;
	record->length += (size_t)written < room ? (size_t)written : room - 1;
}

static void
put_name(struct record *record, const char *name)
{
	if (record->needs_separator)
		put(record, record->form == LOG_FORM_JSON ? "," : " ");
	put(record, record->form == LOG_FORM_JSON ? "\"%s\":" : "%s=", name);
	record->needs_separator = true;
}

static bool
is_plain_word(const char *text)
{
	return text[0] != '\0' && text[strcspn(text, " =\\")] == '\0';
}

/* For a text, with the NUL; never 0. */
static size_t
room_left(const struct record *record)
{
	size_t end = sizeof(record->text) - record->tail;

	return record->length < end ? end - record->length : 1;
}

static void
put_text(struct record *record, const char *name, const char *text)
{
	bool is_json = record->form == LOG_FORM_JSON;
	char escaped[1536];
	size_t room;

	if (!text)
		return;
	put_name(record, name);
	room = room_left(record);
	if (room > sizeof(escaped))
		room = sizeof(escaped);
	if (is_json)
		text_escape_json(text, strlen(text), escaped, room);
	else
		text_escape_quoted(text, strlen(text), escaped, room);
	put(record, !is_json && is_plain_word(escaped) ? "%s" : "\"%s\"",
	    escaped);
}

static void
put_number(struct record *record, const char *name, int64_t value)
{
	put_name(record, name);
	put(record, "%" PRId64, value);
}

/* A list in JSON, one text with commas else. */
static void
put_names(struct record *record, const char *name,
	  const struct access_certificate *certificate)
{
	char text[sizeof(certificate->names) + ACCESS_NAMES_MAX] = "";
	size_t length = 0;

	if (record->form != LOG_FORM_JSON) {
		for (size_t i = 0; i < certificate->name_count; i++)
			length += (size_t)snprintf(
				text + length, sizeof(text) - length, "%s%s",
				i > 0 ? "," : "", certificate->names[i]);
		put_text(record, name, text);
		return;
	}
	put_name(record, name);
	put(record, "[");
	for (size_t i = 0; i < certificate->name_count; i++) {
		size_t left = room_left(record);

		if (left < sizeof(text))
			break;
		text_escape_json(certificate->names[i],
				 strlen(certificate->names[i]), text,
				 sizeof(text));
		put(record, "%s\"%s\"", i > 0 ? "," : "", text);
	}
	put(record, "]");
}

static void
put_truth(struct record *record, const char *name, bool value)
{
	put_name(record, name);
	put(record, "%s", value ? "true" : "false");
}

static const char *
or_none(const char *text)
{
	return text && text[0] != '\0' ? text : NULL;
}

/* An object of its own in JSON, a prefix else. */
static void
put_client_certificate(struct record *record,
		       const struct access_certificate *certificate)
{
	bool is_json = record->form == LOG_FORM_JSON;

	if (!certificate->is_known)
		return;
	if (is_json) {
		put_name(record, "client_cert");
		put(record, "{");
		record->needs_separator = false;
	}
	put_text(record, is_json ? "subject" : "client_cert_subject",
		 certificate->subject);
	put_names(record, is_json ? "names" : "client_cert_names", certificate);
	if (certificate->name_total > certificate->name_count)
		put_number(record,
			   is_json ? "names_total" : "client_cert_names_total",
			   (int64_t)certificate->name_total);
	put_text(record, is_json ? "fingerprint" : "client_cert_fingerprint",
		 certificate->fingerprint);
	put_text(record, is_json ? "verify" : "client_cert_verify",
		 certificate->verify);
	if (is_json)
		put(record, "}");
}

/* The client's TLS stands in the record itself, the backend's in an object of
 * its own (in text: with a prefix). */
static void
put_client_tls(struct record *record, const struct tls_facts *facts)
{
	if (!facts->is_known)
		return;
	put_text(record, "alpn", or_none(facts->alpn));
	put_text(record, "tls_version", facts->version);
	put_text(record, "cipher", facts->cipher);
	put_text(record, "group", or_none(facts->group));
	put_truth(record, "resumed", facts->is_resumed);
	put_text(record, "ocsp", facts->peer.ocsp);
	put_client_certificate(record, &facts->peer);
}

static void
put_backend_tls(struct record *record, const struct tls_facts *facts)
{
	bool is_json = record->form == LOG_FORM_JSON;

	if (!facts->is_known)
		return;
	if (is_json) {
		put_name(record, "backend_tls");
		put(record, "{");
		record->needs_separator = false;
	}
	put_text(record, is_json ? "version" : "backend_tls_version",
		 facts->version);
	put_text(record, is_json ? "cipher" : "backend_cipher", facts->cipher);
	put_text(record, is_json ? "group" : "backend_group",
		 or_none(facts->group));
	put_text(record, is_json ? "alpn" : "backend_alpn",
		 or_none(facts->alpn));
	put_truth(record, is_json ? "resumed" : "backend_resumed",
		  facts->is_resumed);
	if (facts->peer.is_known) {
		put_text(record, is_json ? "subject" : "backend_subject",
			 facts->peer.subject);
		put_text(record,
			 is_json ? "fingerprint" : "backend_fingerprint",
			 facts->peer.fingerprint);
		put_text(record, is_json ? "verify" : "backend_verify",
			 facts->peer.verify);
		put_text(record, is_json ? "ocsp" : "backend_ocsp",
			 facts->peer.ocsp);
	}
	if (is_json)
		put(record, "}");
}

static void
write_form(const struct connection *connection, const char *detail,
	   enum log_form form)
{
	struct record record = {.form = form, .tail = RECORD_TAIL};
	struct tls_facts client_tls, backend_tls;
	char text[128];

	learn_tls(gate_ssl(&connection->accept), &client_tls);
	learn_tls(backend_ssl(connection), &backend_tls);
	if (form == LOG_FORM_JSON)
		put(&record, "{");
	put_text(&record, "time", clock_format(clock_real_ms(), text));
	put_text(&record, "service", connection->service->conf->name);
	put_text(&record, "client",
		 peer_address_format(&connection->client, text, sizeof(text)));
	put_text(&record, "local",
		 peer_address_format(&connection->local, text, sizeof(text)));
	put_text(&record, "backend", connection->backend);
	put_text(&record, "sni", connection->server_name);
	put_client_tls(&record, &client_tls);
	put_backend_tls(&record, &backend_tls);
	put_number(&record, "bytes_in", (int64_t)connection->up.bytes);
	put_number(&record, "bytes_out", (int64_t)connection->down.bytes);
	if (connection->handshake_ms >= 0)
		put_number(&record, "handshake_ms", connection->handshake_ms);
	if (connection->connect_ms >= 0)
		put_number(&record, "connect_ms", connection->connect_ms);
	put_number(&record, "duration_ms",
		   connection->now_ms - connection->started_ms);
	put_text(&record, "reason", reason_name(connection->reason));
	record.tail = RECORD_END;
	put_text(&record, "detail", or_none(detail));
	if (form == LOG_FORM_JSON)
		put(&record, "}");
	log_access(form, record.text, record.length);
}

void
access_log_write(const struct connection *connection, const char *detail)
{
	if (log_has_access(LOG_FORM_TEXT))
		write_form(connection, detail, LOG_FORM_TEXT);
	if (log_has_access(LOG_FORM_JSON))
		write_form(connection, detail, LOG_FORM_JSON);
}

char *
access_log_describe(const struct connection *connection)
{
	struct tls_facts tls;
	char client[128], local[128];

	learn_tls(gate_ssl(&connection->accept), &tls);
	peer_address_format(&connection->client, client, sizeof(client));
	peer_address_format(&connection->local, local, sizeof(local));
	if (!tls.is_known)
		return mem_format("service: %s\nclient: %s\nlocal: %s\n"
				  "tls: none\n",
				  connection->service->conf->name, client,
				  local);
	return mem_format(
		"service: %s\nclient: %s\nlocal: %s\n"
		"tls_version: %s\ncipher: %s\ngroup: %s\n"
		"sni: %s\nalpn: %s\nresumed: %s\n",
		connection->service->conf->name, client, local, tls.version,
		tls.cipher, tls.group[0] != '\0' ? tls.group : "none",
		connection->server_name ? connection->server_name : "none",
		tls.alpn[0] != '\0' ? tls.alpn : "none",
		tls.is_resumed ? "yes" : "no");
}
