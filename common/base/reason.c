/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a connection ended.
 */
#include "common/base/reason.h"

#include <assert.h>

static const struct {
	const char *name;
	const char *help;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = {"none", "The connection is still open."},
	[REASON_DONE] = {"done", "Both sides ended in good order."},
	[REASON_CLIENT_CLOSED] =
		{"client_closed",
		 "The client went away while the backend was still open, or "
		 "before there was one, or answered our close_notify with a "
		 "bare FIN."},
	[REASON_BACKEND_CLOSED] =
		{"backend_closed",
		 "The backend went away while the client was still open, or "
		 "answered our close_notify with a bare FIN."},
	[REASON_IDLE_TIMEOUT] =
		{"idle_timeout",
		 "A limit of timeouts was reached while relaying: idle, total, "
		 "write_stall or half_close; detail says which."},
	[REASON_HANDSHAKE_TIMEOUT] =
		{"handshake_timeout",
		 "The client did not finish its TLS handshake within "
		 "timeouts.handshake."},
	[REASON_HANDSHAKE_FAILED] =
		{"handshake_failed",
		 "The TLS handshake with the client failed; detail has the "
		 "alert or what was wrong."},
	[REASON_NO_SHARED_CIPHER] =
		{"no_shared_cipher",
		 "The client offers no protocol version, cipher suite, group "
		 "or signature algorithm that the accept gate permits."},
	[REASON_UNKNOWN_NAME] =
		{"unknown_name",
		 "`strict_sni` is set and the client named no server, or one "
		 "that no certificate is for."},
	[REASON_CLIENT_CERT_REQUIRED] =
		{"client_cert_required",
		 "`verify` demands a certificate, and the client has shown "
		 "none."},
	[REASON_CLIENT_CERT_REJECTED] =
		{"client_cert_rejected",
		 "The client's certificate does not pass what `verify` "
		 "demands; detail has why, and of which certificate."},
	[REASON_KEY_UNAVAILABLE] =
		{"key_unavailable",
		 "There was no signature for the TLS handshake with the client "
		 "or the backend: the keeper was lost, did not answer in time "
		 "or refused; detail says which."},
	[REASON_AUTHORIZE_DENIED] =
		{"authorize_denied",
		 "The authorizer did not allow it: it said no, or there was no "
		 "answer of its that could be used within authorize.timeout; "
		 "detail says which."},
	[REASON_CONNECT_FAILED] =
		{"connect_failed",
		 "None of the backend's addresses could be connected to; "
		 "detail has what the last one answered."},
	[REASON_CONNECT_TIMEOUT] =
		{"connect_timeout",
		 "The backend could not be reached, or its handshake did not "
		 "finish, within timeouts.connect."},
	[REASON_BACKEND_HANDSHAKE_FAILED] =
		{"backend_handshake_failed",
		 "The TLS handshake with the backend failed for another reason "
		 "than its certificate."},
	[REASON_BACKEND_CERT_REJECTED] =
		{"backend_cert_rejected",
		 "The backend's certificate does not verify; detail has why."},
	[REASON_BACKEND_NAME_MISMATCH] =
		{"backend_name_mismatch",
		 "The backend's certificate is valid but for another name."},
	[REASON_BACKEND_REVOKED] =
		{"backend_revoked",
		 "The backend's certificate has been revoked, by a list or by "
		 "OCSP, or whether it has cannot be told and `verify.crl` "
		 "demands it."},
	[REASON_NO_BACKEND] =
		{"no_backend",
		 "There is no address to connect to: the backend's name does "
		 "not resolve."},
	[REASON_TRUNCATED] =
		{"truncated",
		 "A side ended its TLS connection without close_notify, so "
		 "that what it sent may be cut short; the other side was told "
		 "by a reset."},
	[REASON_RESET] = {"reset", "A side reset its connection."},
	[REASON_PLAINTEXT] =
		{"plaintext",
		 "The client spoke something other than TLS to a gate that "
		 "expects TLS."},
	[REASON_SHUTDOWN] =
		{"shutdown",
		 "The daemon stopped, or reload_grace was over, before the "
		 "connection had ended."},
	[REASON_ERROR] =
		{"error",
		 "Something failed in sealock itself or in the system; detail "
		 "and the event log have it."},
};

const char *
reason_name(enum reason reason)
{
	assert((unsigned int)reason < REASON_COUNT);
	return reasons[reason].name;
}

const char *
reason_help(enum reason reason)
{
	assert((unsigned int)reason < REASON_COUNT);
	return reasons[reason].help;
}
