/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the table: `session` and what is in it, for both gates.
 */
#include "common/conf/schema_rows.h"

#define CACHE_MOST 1048576

static const struct schema_key cache_keys[] = {
	{
		.name = "size",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_BOTH,
		AT(struct tls_session_cache, size),
		.most = CACHE_MOST,
		.standard = "1000",
		.standard_accept = "0",
		.help = "most sessions in it: on the accept gate those of "
			"clients without tickets, one cache for all workers, "
			"0 is none; on the connect gate sessions with "
			"backends, in each worker",
	},
	{
		.name = "timeout",
		.type = SCHEMA_DURATION,
		.gates = SCHEMA_BOTH,
		AT(struct tls_session_cache, timeout_ms),
		.least = SECOND,
		.most = DAY,
		.standard = "5m",
		.help = "how long a session stays in it: on the accept gate "
			"from its full handshake on, on the connect gate from "
			"when the backend sent it",
	},
};

const struct schema_map schema_session_cache =
	MAP("cache", cache_keys, struct tls_session_cache, "size",
	    "Sessions that we remember; a scalar stands for `size`.");

static const struct schema_word ticket_words[] = {
	{"auto", TLS_TICKETS_AUTO,
	 "keys are made by chance and kept in the state directory"},
	{"files", TLS_TICKETS_FILES,
	 "keys are those of `files`, the same on several machines"},
	{"derived", TLS_TICKETS_DERIVED,
	 "keys follow from `secret` and the clock, the same on every machine "
	 "that has that secret"},
	{"off", TLS_TICKETS_OFF, "no tickets"},
	{NULL, 0, NULL},
};

static const struct schema_key ticket_rows[] = {
	{
		.name = "mode",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, mode),
		WHERE(struct tls_tickets, mode_at),
		.words = ticket_words,
		.standard = "auto",
		.help = "where the keys come from that tickets are encrypted "
			"with",
	},
	{
		.name = "files",
		.type = SCHEMA_PATHS,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, files),
		COUNT(struct tls_tickets, file_count),
		WHERE(struct tls_tickets, files_at),
		.otherwise = "none",
		.help = "key files: 48 or 80 bytes as nginx reads them, the "
			"first file encrypts; lines of base64 as HAProxy "
			"reads them, the last but one encrypts; or h2o's "
			"YAML; what changes comes into force without a "
			"reload",
	},
	{
		.name = "secret",
		.type = SCHEMA_SECRET,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, secret),
		.otherwise = "none",
		.help = "a line of at least 32 characters that keys are "
			"derived from, or two lines while it is changed: both "
			"decrypt, the first encrypts; a path, credential:NAME, "
			"env:NAME, {command: [PROGRAM, ...]} or prompt",
	},
	{
		.name = "rotate",
		.type = SCHEMA_DURATION,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, rotate_ms),
		WHERE(struct tls_tickets, rotate_at),
		.least = 10 * SECOND,
		.most = 30 * DAY,
		.standard = "12h",
		.help = "how long a key encrypts new tickets (auto, derived)",
	},
	{
		.name = "keep",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, keep),
		WHERE(struct tls_tickets, keep_at),
		.least = 1,
		.most = TLS_TICKETS_KEEP_MAX,
		.standard = "3",
		.help = "how many older keys still decrypt (auto, derived)",
	},
	{
		.name = "lifetime",
		.type = SCHEMA_DURATION,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, lifetime_ms),
		WHERE(struct tls_tickets, lifetime_at),
		.least = SECOND,
		.most = DAY,
		.standard = "2h",
		.help = "how long a session can be resumed, counted from its "
			"full handshake, whatever tickets it gets since",
	},
	{
		.name = "number",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_tickets, number),
		.least = 1,
		.most = 8,
		.standard = "2",
		.help = "tickets after a full handshake with TLS 1.3; after a "
			"resumed one it is one",
	},
};

const struct schema_map schema_tickets =
	MAP("tickets", ticket_rows, struct tls_tickets, "mode",
	    "Sessions that clients remember for us, encrypted; a scalar stands "
	    "for `mode`.");

static const struct schema_key session_keys[] = {
	{
		.name = "resume",
		.type = SCHEMA_BOOLEAN,
		.gates = SCHEMA_BOTH,
		AT(struct tls_session, is_resumed),
		.standard = "true",
		.help = "false: every handshake is a full one, whatever the "
			"other keys say",
	},
	{
		.name = "cache",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_BOTH,
		AT(struct tls_session, cache),
		.map = &schema_session_cache,
		.help = "sessions that we remember",
	},
	{
		.name = "tickets",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_session, tickets),
		.map = &schema_tickets,
		.help = "sessions that clients remember for us",
	},
	{
		.name = "key",
		.type = SCHEMA_STRING,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_session, key),
		.most = 255,
		.otherwise = "the address",
		.help = "services with the same key share their sessions, "
			"whatever the backend's address is",
	},
};

const struct schema_map schema_session =
	MAP("session", session_keys, struct tls_session, "resume",
	    "Handshakes that go on from an earlier one; `session: off` has "
	    "every handshake done in full.");
