/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a connection ended: one fixed list for the access log, the manual and
 * whatever counts connections. The limits total, write_stall and half_close
 * of `timeouts` end a connection as idle_timeout; the record's detail names
 * the limit.
 */
#ifndef SEALOCK_BASE_REASON_H
#define SEALOCK_BASE_REASON_H

enum reason {
	REASON_NONE, /* still open */
	REASON_DONE,
	REASON_CLIENT_CLOSED,
	REASON_BACKEND_CLOSED,
	REASON_IDLE_TIMEOUT,
	REASON_HANDSHAKE_TIMEOUT,
	REASON_HANDSHAKE_FAILED,
	REASON_NO_SHARED_CIPHER,
	REASON_UNKNOWN_NAME,
	REASON_CLIENT_CERT_REQUIRED,
	REASON_CLIENT_CERT_REJECTED,
	REASON_KEY_UNAVAILABLE,
	REASON_AUTHORIZE_DENIED,
	REASON_CONNECT_FAILED,
	REASON_CONNECT_TIMEOUT,
	REASON_BACKEND_HANDSHAKE_FAILED,
	REASON_BACKEND_CERT_REJECTED,
	REASON_BACKEND_NAME_MISMATCH,
	REASON_BACKEND_REVOKED,
	REASON_NO_BACKEND,
	REASON_TRUNCATED,
	REASON_RESET,
	REASON_PLAINTEXT,
	REASON_SHUTDOWN,
	REASON_ERROR,
	REASON_COUNT,
};

/* The word in the log, "idle_timeout". */
const char *
reason_name(enum reason reason);

/* One sentence for the manual. */
const char *
reason_help(enum reason reason);

#endif
