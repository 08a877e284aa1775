/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what OpenSSL leaves behind (a return value, an error queue, a verify
 * result, errno) to one result, one kind of fault and one sentence.
 */
#include "common/tls/tls_status.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/proverr.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/verify/peer_check.h"

/* Clearing visits every entry; looking is cheap, and there is rarely one. */
static void
empty_queue(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

void
tls_status_begin(void)
{
	empty_queue();
	errno = 0;
}

/* The state in which nothing of the peer's was understood yet: its first
 * flight is what failed. */
static bool
is_first_flight(const SSL *ssl)
{
	OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);

	return state == TLS_ST_BEFORE || state == TLS_ST_CW_CLNT_HELLO ||
	       state == TLS_ST_CR_SRVR_HELLO || state == TLS_ST_SR_CLNT_HELLO;
}

static enum tls_fault
fault_of_verdict(const struct peer_verdict *verdict)
{
	switch (verdict ? verdict->step : PEER_STEP_NONE) {
	case PEER_STEP_NAME:
		return TLS_FAULT_NAME;
	case PEER_STEP_REVOKED:
		return TLS_FAULT_REVOKED;
	case PEER_STEP_NONE:
	case PEER_STEP_CHAIN:
	case PEER_STEP_RULES:
	case PEER_STEP_OCSP:
		break;
	}
	return TLS_FAULT_CERTIFICATE;
}

static enum tls_fault
fault_of_reason(const SSL *ssl, int reason)
{
	switch (reason) {
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
		return TLS_FAULT_PLAINTEXT;
	case SSL_R_WRONG_VERSION_NUMBER:
		return is_first_flight(ssl) ? TLS_FAULT_PLAINTEXT
					    : TLS_FAULT_PROTOCOL;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_CIPHERS_AVAILABLE:
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNSUPPORTED_SSL_VERSION:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_VERSION_TOO_HIGH:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_WRONG_SIGNATURE_TYPE:
		return TLS_FAULT_NO_SHARED_CIPHER;
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
	case SSL_R_INVALID_STATUS_RESPONSE:
		return fault_of_verdict(peer_check_verdict(ssl));
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
	case SSL_R_NO_CERTIFICATES_RETURNED:
		return TLS_FAULT_NO_CERTIFICATE;
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return TLS_FAULT_EOF;
	case SSL_R_CERT_CB_ERROR:
	case SSL_R_CALLBACK_FAILED:
		return TLS_FAULT_INTERNAL;
	case SSL_AD_REASON_OFFSET + SSL_AD_UNRECOGNIZED_NAME:
		return TLS_FAULT_UNKNOWN_NAME;
	default:
		if (reason >= SSL_AD_REASON_OFFSET &&
		    reason <= SSL_AD_REASON_OFFSET + UINT8_MAX)
			return TLS_FAULT_ALERT;
		return TLS_FAULT_PROTOCOL;
	}
}

/* RFC 8446 6 and the registry: OpenSSL has no words for some of the newer. */
static const char *
alert_name(int alert)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{0, "close_notify"},
		{10, "unexpected_message"},
		{20, "bad_record_mac"},
		{21, "decryption_failed"},
		{22, "record_overflow"},
		{30, "decompression_failure"},
		{40, "handshake_failure"},
		{41, "no_certificate"},
		{42, "bad_certificate"},
		{43, "unsupported_certificate"},
		{44, "certificate_revoked"},
		{45, "certificate_expired"},
		{46, "certificate_unknown"},
		{47, "illegal_parameter"},
		{48, "unknown_ca"},
		{49, "access_denied"},
		{50, "decode_error"},
		{51, "decrypt_error"},
		{60, "export_restriction"},
		{70, "protocol_version"},
		{71, "insufficient_security"},
		{80, "internal_error"},
		{86, "inappropriate_fallback"},
		{90, "user_canceled"},
		{100, "no_renegotiation"},
		{109, "missing_extension"},
		{110, "unsupported_extension"},
		{111, "certificate_unobtainable"},
		{112, "unrecognized_name"},
		{113, "bad_certificate_status_response"},
		{114, "bad_certificate_hash_value"},
		{115, "unknown_psk_identity"},
		{116, "certificate_required"},
		{120, "no_application_protocol"},
		{121, "ech_required"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == alert)
			return names[i].name;
	return "unknown";
}

static const char *
words_of(unsigned long code)
{
	const char *words = code ? ERR_reason_error_string(code) : NULL;

	return words ? words : "no reason given";
}

/* Does the code say why, in the words of TLS? The others are what a library
 * below said, or that one below failed. */
static bool
is_tls_reason(unsigned long code)
{
	return ERR_GET_LIB(code) == ERR_LIB_SSL && !ERR_FATAL_ERROR(code) &&
	       !ERR_COMMON_ERROR(code);
}

/* Without a verdict it was OpenSSL alone that verified. */
static void
describe_refusal(const SSL *ssl, struct tls_failure *failure)
{
	static const char lead[] = "certificate verify failed: ";
	const struct peer_verdict *verdict = peer_check_verdict(ssl);
	char *text = failure->text + sizeof(lead) - 1;
	size_t room = sizeof(failure->text) - (sizeof(lead) - 1);

	memcpy(failure->text, lead, sizeof(lead));
	failure->verify_error = (int)SSL_get_verify_result(ssl);
	if (verdict)
		peer_verdict_format(verdict, text, room);
	else
		snprintf(text, room, "%s",
			 X509_verify_cert_error_string(failure->verify_error));
}

/* Is that what remote keys leave behind, in a sentence of ours? */
static bool
is_key_failure(unsigned long code, int flags)
{
	return ERR_GET_LIB(code) == ERR_LIB_PROV &&
	       ERR_GET_REASON(code) == PROV_R_FAILED_TO_SIGN &&
	       (flags & ERR_TXT_STRING);
}

static void
describe(const SSL *ssl, struct tls_failure *failure)
{
	unsigned long first = 0, chosen = 0, code;
	const char *words;
	int alert, flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &words, &flags))) {
		if (is_key_failure(code, flags)) {
			failure->fault = TLS_FAULT_KEY;
			snprintf(failure->text, sizeof(failure->text), "%s",
				 words);
			empty_queue();
			return;
		}
		if (!first)
			first = code;
		if (!chosen && is_tls_reason(code))
			chosen = code;
	}
	if (!chosen) {
		failure->fault = TLS_FAULT_INTERNAL;
		snprintf(failure->text, sizeof(failure->text), "%s",
			 words_of(first));
		return;
	}
	failure->fault = fault_of_reason(ssl, ERR_GET_REASON(chosen));
	switch (failure->fault) {
	case TLS_FAULT_CERTIFICATE:
	case TLS_FAULT_NAME:
	case TLS_FAULT_REVOKED:
		describe_refusal(ssl, failure);
		break;
	case TLS_FAULT_NO_CERTIFICATE:
		snprintf(failure->text, sizeof(failure->text),
			 "no certificate came");
		break;
	case TLS_FAULT_ALERT:
	case TLS_FAULT_UNKNOWN_NAME:
		alert = ERR_GET_REASON(chosen) - SSL_AD_REASON_OFFSET;
		snprintf(failure->text, sizeof(failure->text),
			 "the peer sent the alert %s (%d)", alert_name(alert),
			 alert);
		break;
	case TLS_FAULT_NONE:
	case TLS_FAULT_PROTOCOL:
	case TLS_FAULT_PLAINTEXT:
	case TLS_FAULT_NO_SHARED_CIPHER:
	case TLS_FAULT_EOF:
	case TLS_FAULT_KEY:
	case TLS_FAULT_INTERNAL:
		if (first == chosen)
			snprintf(failure->text, sizeof(failure->text), "%s",
				 words_of(chosen));
		else
			snprintf(failure->text, sizeof(failure->text), "%s: %s",
				 words_of(chosen), words_of(first));
		break;
	}
}

enum tls_result
tls_status(SSL *ssl, int returned, struct tls_failure *failure)
{
	int system = errno;

	switch (SSL_get_error(ssl, returned)) {
	case SSL_ERROR_NONE:
		empty_queue();
		return TLS_DONE;
	case SSL_ERROR_ZERO_RETURN:
		empty_queue();
		return TLS_CLOSED;
	case SSL_ERROR_WANT_READ:
		empty_queue();
		return TLS_WANT_INPUT;
	case SSL_ERROR_WANT_ASYNC:
	case SSL_ERROR_WANT_ASYNC_JOB:
		empty_queue();
		return TLS_WANT_KEY;
	case SSL_ERROR_SYSCALL:
		*failure = (struct tls_failure){.fault = TLS_FAULT_EOF};
		snprintf(failure->text, sizeof(failure->text), "%s",
			 system ? strerror(system) : "unexpected end");
		empty_queue();
		return TLS_FAILED;
	case SSL_ERROR_SSL:
		*failure = (struct tls_failure){.fault = TLS_FAULT_NONE};
		describe(ssl, failure);
		return TLS_FAILED;
	default:
		/* What nobody here asks for: a callback that wants to be
		 * called again, an output that is full. */
		*failure = (struct tls_failure){.fault = TLS_FAULT_INTERNAL};
		snprintf(failure->text, sizeof(failure->text),
			 "unexpected state %s", SSL_state_string_long(ssl));
		empty_queue();
		return TLS_FAILED;
	}
}

void
tls_status_queue_text(char *buffer, size_t size)
{
	unsigned long first = 0, last = 0, code;
	char details[128] = "";
	const char *more;
	int flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &more, &flags))) {
		if (!first) {
			first = code;
			if (flags & ERR_TXT_STRING)
				text_escape(more, strlen(more), details,
					    sizeof(details));
		}
		last = code;
	}
	snprintf(buffer, size, "%s%s%s%s%s%s", words_of(first),
		 details[0] ? " (" : "", details, details[0] ? ")" : "",
		 last != first ? ": " : "",
		 last != first ? words_of(last) : "");
}
