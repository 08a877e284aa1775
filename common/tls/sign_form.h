/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TLS handshake has signed: the three forms that a private key of ours
 * ever puts its name to, recognized byte by byte. Everything else - a digest,
 * a certificate, a text - is no form and is refused.
 */
#ifndef SEALOCK_TLS_SIGN_FORM_H
#define SEALOCK_TLS_SIGN_FORM_H

#include <stddef.h>

enum sign_form_kind {
	/* TLS 1.3 CertificateVerify, RFC 8446 4.4.3: 64 spaces, the context
	 * string, a zero byte, the transcript's hash (32 or 48 bytes). */
	SIGN_FORM_SERVER_VERIFY,
	SIGN_FORM_CLIENT_VERIFY,

	/* TLS 1.2 and earlier ServerKeyExchange, RFC 8422 5.4 and RFC 5246
	 * 7.4.3: both randoms and the parameters, nothing behind them. */
	SIGN_FORM_ECDHE,
	SIGN_FORM_DHE,

	/* A client's CertificateVerify in TLS 1.2 and earlier, RFC 5246 7.4.8:
	 * every handshake message from ClientHello to ClientKeyExchange, in
	 * the order of a full handshake that asks for a certificate. */
	SIGN_FORM_CLIENT_TRANSCRIPT,
};

struct sign_form {
	enum sign_form_kind kind;
	unsigned int versions; /* enum signature_version: in which the message
				* may have been made */
};

/* Recognize a message. Returns -1 with a reason, a constant string, for what
 * is none of the forms or can be read as more than one. Bounded time: linear
 * in length. */
int
sign_form_read(const void *message, size_t length, struct sign_form *form,
	       const char **reason) __attribute__((warn_unused_result));

#endif
