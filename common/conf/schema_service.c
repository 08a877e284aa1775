/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the table: the document, services and their gates.
 */
#include "common/conf/schema_rows.h"

static const struct schema_word family_words[] = {
	{"any", ADDRESS_FAMILY_ANY, "both"},
	{"inet", ADDRESS_FAMILY_INET, "IPv4 only"},
	{"inet6", ADDRESS_FAMILY_INET6, "IPv6 only"},
	{NULL, 0, NULL},
};

static const struct schema_key keepalive_keys[] = {
	{
		.name = "idle",
		.type = SCHEMA_DURATION,
		.gates = SCHEMA_ACCEPT,
		.flags = SCHEMA_OR_ZERO,
		AT(struct conf_keepalive, idle_ms),
		.least = SECOND,
		.most = 32767 * SECOND,
		.standard = "60s",
		.help = "silence before the first probe; 0: no probes",
	},
	{
		.name = "interval",
		.type = SCHEMA_DURATION,
		.gates = SCHEMA_ACCEPT,
		AT(struct conf_keepalive, interval_ms),
		.least = SECOND,
		.most = 32767 * SECOND,
		.standard = "10s",
		.help = "time between probes",
	},
	{
		.name = "count",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_ACCEPT,
		AT(struct conf_keepalive, count),
		.least = 1,
		.most = 127,
		.standard = "6",
		.help = "unanswered probes that end the connection",
	},
};

const struct schema_map schema_keepalive =
	MAP("keepalive", keepalive_keys, struct conf_keepalive, NULL,
	    "TCP keep-alive probes to clients.");

static const struct schema_key accept_keys[] = {
	{
		.name = "address",
		.type = SCHEMA_LISTEN_ADDRESS,
		.gates = SCHEMA_ACCEPT,
		.flags = SCHEMA_OWN | SCHEMA_REQUIRED,
		AT(struct conf_accept, addresses),
		COUNT(struct conf_accept, address_count),
		.help = "where clients come in: HOST:PORT, [V6]:PORT, :PORT "
			"for every local address, unix:/PATH, unix:@NAME, fd:N",
	},
	{
		.name = "backlog",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_ACCEPT,
		AT(struct conf_accept, backlog),
		.least = 1,
		.most = 1U << 20,
		.standard = "4096",
		.help = "connections that may wait to be accepted",
	},
	{
		.name = "reuse_port",
		.type = SCHEMA_BOOLEAN,
		.gates = SCHEMA_ACCEPT,
		AT(struct conf_accept, is_port_reused),
		.standard = "false",
		.help = "`false`: one socket shared by the workers; "
			"`true`: one socket a worker",
	},
	{
		.name = "keepalive",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		AT(struct conf_accept, keepalive),
		.map = &schema_keepalive,
		.help = "TCP keep-alive probes to clients",
	},
	{
		.name = "tls",
		.type = SCHEMA_TLS,
		.gates = SCHEMA_BOTH,
		AT(struct conf_accept, tls),
		.map = &schema_tls,
		.standard = "false",
		.help = "`true`, or a map; absent or `false`: plain",
	},
};

const struct schema_map schema_accept =
	MAP("accept", accept_keys, struct conf_accept, "address",
	    "The accept gate, where clients come in; a scalar or list stands "
	    "for `address`.");

static const struct schema_key connect_keys[] = {
	{
		.name = "address",
		.type = SCHEMA_CONNECT_ADDRESS,
		.gates = SCHEMA_CONNECT,
		.flags = SCHEMA_OWN | SCHEMA_REQUIRED,
		AT(struct conf_connect, addresses),
		COUNT(struct conf_connect, address_count),
		.help = "the backend, several are tried in order: HOST:PORT, "
			"[V6]:PORT, unix:/PATH, unix:@NAME, builtin:whoami, "
			"builtin:echo",
	},
	{
		.name = "address_family",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_CONNECT,
		AT(struct conf_connect, family),
		.words = family_words,
		.standard = "any",
		.help = "which addresses of the backend's name are used",
	},
	{
		.name = "tls",
		.type = SCHEMA_TLS,
		.gates = SCHEMA_BOTH,
		AT(struct conf_connect, tls),
		.map = &schema_tls,
		.standard = "false",
		.help = "`true`, or a map; absent or `false`: plain",
	},
};

const struct schema_map schema_connect =
	MAP("connect", connect_keys, struct conf_connect, "address",
	    "The connect gate, where the backend is; a scalar or list stands "
	    "for `address`.");

static const struct schema_key timeout_keys[] = {
	{
		.name = "handshake",
		.type = SCHEMA_DURATION,
		AT(struct conf_timeouts, handshake_ms),
		.least = 10,
		.most = DAY,
		.standard = "10s",
		.help = "the TLS handshake with the client",
	},
	{
		.name = "connect",
		.type = SCHEMA_DURATION,
		AT(struct conf_timeouts, connect_ms),
		.least = 10,
		.most = DAY,
		.standard = "5s",
		.help = "reaching the backend, its TLS handshake included",
	},
	{
		.name = "idle",
		.type = SCHEMA_DURATION,
		AT(struct conf_timeouts, idle_ms),
		.most = YEAR,
		.standard = "10m",
		.help = "silence in both directions; 0: no limit",
	},
	{
		.name = "half_close",
		.type = SCHEMA_DURATION,
		AT(struct conf_timeouts, half_close_ms),
		.most = YEAR,
		.standard = "60s",
		.help = "silence once one side has ended; 0: no limit",
	},
	{
		.name = "write_stall",
		.type = SCHEMA_DURATION,
		AT(struct conf_timeouts, write_stall_ms),
		.most = YEAR,
		.standard = "60s",
		.help = "a side that takes nothing of what waits for it; 0: no "
			"limit",
	},
	{
		.name = "total",
		.type = SCHEMA_DURATION,
		AT(struct conf_timeouts, total_ms),
		.most = YEAR,
		.standard = "0",
		.help = "the whole connection; 0: no limit",
	},
};

const struct schema_map schema_timeouts =
	MAP("timeouts", timeout_keys, struct conf_timeouts, NULL,
	    "How long each part of a connection may take.");

static const struct schema_word authorize_words[] = {
	{"off", 0, "nobody is asked"},
	{NULL, 0, NULL},
};

static const struct schema_key authorize_keys[] = {
	{
		.name = "socket",
		.type = SCHEMA_UNIX_PATH,
		AT(struct conf_authorize, socket),
		WHERE(struct conf_authorize, at),
		.words = authorize_words,
		.standard = "off",
		.help = "where the authorizer listens; it gets one line of "
			"JSON for each connection and answers with one",
	},
	{
		.name = "timeout",
		.type = SCHEMA_DURATION,
		AT(struct conf_authorize, timeout_ms),
		.least = 10,
		.most = DAY,
		.standard = "1s",
		.help = "how long a decision may take; one that is late is a "
			"refusal",
	},
	{
		.name = "backend",
		.type = SCHEMA_BOOLEAN,
		AT(struct conf_authorize, is_backend_asked),
		.standard = "false",
		.help = "`true`: the authorizer is asked about the backend, "
			"too, after its TLS handshake and before it is given a "
			"byte",
	},
};

const struct schema_map schema_authorize =
	MAP("authorize", authorize_keys, struct conf_authorize, "socket",
	    "A program that decides on each client, after its handshake and "
	    "before the backend is reached; a scalar stands for `socket`.");

static const struct schema_key buffer_keys[] = {
	{
		.name = "max",
		.type = SCHEMA_SIZE,
		AT(struct conf_buffers, max),
		.least = 64 << 10,
		.most = 16 << 20,
		.standard = "1M",
		.help = "most bytes held for one direction; a stalled one "
			"falls back to 64k",
	},
};

const struct schema_map schema_buffers =
	MAP("buffers", buffer_keys, struct conf_buffers, NULL,
	    "How much of a connection is held.");

static const struct schema_key service_keys[] = {
	{
		.name = "accept",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		.flags = SCHEMA_REQUIRED,
		AT(struct conf_service, accept),
		WHERE(struct conf_service, accept.at),
		.map = &schema_accept,
		.help = "where clients come in",
	},
	{
		.name = "connect",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_CONNECT,
		.flags = SCHEMA_REQUIRED,
		AT(struct conf_service, connect),
		WHERE(struct conf_service, connect.at),
		.map = &schema_connect,
		.help = "where the backend is",
	},
	{
		.name = "timeouts",
		.type = SCHEMA_MAP,
		AT(struct conf_service, timeouts),
		.map = &schema_timeouts,
		.help = "how long each part of a connection may take",
	},
	{
		.name = "authorize",
		.type = SCHEMA_MAP,
		AT(struct conf_service, authorize),
		.map = &schema_authorize,
		.help = "a program that decides on each client",
	},
	{
		.name = "buffers",
		.type = SCHEMA_MAP,
		AT(struct conf_service, buffers),
		.map = &schema_buffers,
		.help = "how much of a connection is held",
	},
};

const struct schema_map schema_service =
	MAP("service", service_keys, struct conf_service, NULL,
	    "One service: two gates, joined.");

static const struct schema_key defaults_keys[] = {
	{
		.name = "accept",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		AT(struct schema_defaults, accept),
		.map = &schema_accept,
		.help = "for the accept gate",
	},
	{
		.name = "connect",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_CONNECT,
		AT(struct schema_defaults, connect),
		.map = &schema_connect,
		.help = "for the connect gate",
	},
	{
		.name = "timeouts",
		.type = SCHEMA_MAP,
		AT(struct schema_defaults, timeouts),
		.map = &schema_timeouts,
		.help = "how long each part of a connection may take",
	},
	{
		.name = "authorize",
		.type = SCHEMA_MAP,
		AT(struct schema_defaults, authorize),
		.map = &schema_authorize,
		.help = "a program that decides on each client",
	},
	{
		.name = "buffers",
		.type = SCHEMA_MAP,
		AT(struct schema_defaults, buffers),
		.map = &schema_buffers,
		.help = "how much of a connection is held",
	},
	{
		.name = "tls",
		.type = SCHEMA_TLS,
		.gates = SCHEMA_BOTH,
		AT(struct schema_defaults, tls),
		.map = &schema_tls,
		.help = "what both gates have, for each gate that has TLS",
	},
};

const struct schema_map schema_defaults =
	MAP("defaults", defaults_keys, struct schema_defaults, NULL,
	    "For every service; `tls` is for those gates that have TLS of "
	    "their own and does not switch it on or off.");

static const struct schema_key document_keys[] = {
	{
		.name = "include",
		.type = SCHEMA_INCLUDE,
		.flags = SCHEMA_MAIN_FILE,
		.otherwise = "none",
		.help = "further files, patterns allowed, whose `services` "
			"are added; they may hold nothing else",
	},
	{
		.name = "global",
		.type = SCHEMA_MAP,
		.flags = SCHEMA_MAIN_FILE,
		.offset = offsetof(struct conf, global),
		.map = &schema_global,
		.help = "what concerns the whole program",
	},
	{
		.name = "defaults",
		.type = SCHEMA_MAP,
		.flags = SCHEMA_MAIN_FILE,
		.map = &schema_defaults,
		.help = "for every service that does not say otherwise",
	},
	{
		.name = "enforce",
		.type = SCHEMA_MAP,
		.flags = SCHEMA_MAIN_FILE,
		.map = &schema_defaults,
		.help = "the same keys, but these win over every service and "
			"every entry of `hosts`",
	},
	{
		.name = "services",
		.type = SCHEMA_SERVICES,
		.offset = offsetof(struct conf, services),
		.count_offset = offsetof(struct conf, service_count),
		.map = &schema_service,
		.help = "the services by name (letters, digits, dots, hyphens, "
			"underscores)",
	},
};

const struct schema_map schema_document = MAP(
	"document", document_keys, struct conf, NULL, "A configuration file.");
