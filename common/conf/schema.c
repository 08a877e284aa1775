/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of keys. Rows stand in the order in which they are printed; help
 * is one line that begins in lower case and has no full stop.
 */
#include "common/conf/schema.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/base/mem.h"
#include "common/base/text.h"

#define FIRST_RELEASE "0.1"

#define SECOND ((uint64_t)1000)
#define DAY    (86400 * SECOND)
#define YEAR   (365 * DAY)

#define AT(type, field)    .offset = offsetof(type, field)
#define COUNT(type, field) .count_offset = offsetof(type, field)
#define WHERE(type, field) .at_offset = offsetof(type, field)

#define MAP(map_name, rows, type, main_key, help_text)                   \
	{                                                                \
		.name = (map_name), .help = (help_text), .keys = (rows), \
		.count = ARRAY_SIZE(rows), .main = (main_key),           \
		.size = sizeof(type)                                     \
	}

static const struct schema_word auto_words[] = {
	{"auto", 0, NULL},
	{NULL, 0, NULL},
};

static const struct schema_word level_words[] = {
	{"error", LOG_LEVEL_ERROR, "what sealock could not do"},
	{"warn", LOG_LEVEL_WARN, "what should be looked at"},
	{"info", LOG_LEVEL_INFO, "starts, reloads, peers at fault"},
	{"debug", LOG_LEVEL_DEBUG, "each step of a connection"},
	{"trace", LOG_LEVEL_TRACE, "each event"},
	{NULL, 0, NULL},
};

static const struct schema_word what_words[] = {
	{"both", SCHEMA_LOG_EVENTS | SCHEMA_LOG_ACCESS, NULL},
	{"events", SCHEMA_LOG_EVENTS, "what happens to sealock"},
	{"access", SCHEMA_LOG_ACCESS, "one record a connection"},
	{NULL, 0, NULL},
};

static const struct schema_word form_words[] = {
	{"text", LOG_FORM_TEXT, "for people"},
	{"json", LOG_FORM_JSON, "one object a line"},
	{NULL, 0, NULL},
};

static const struct schema_word family_words[] = {
	{"any", ADDRESS_FAMILY_ANY, "both"},
	{"inet", ADDRESS_FAMILY_INET, "IPv4 only"},
	{"inet6", ADDRESS_FAMILY_INET6, "IPv6 only"},
	{NULL, 0, NULL},
};

static const struct schema_word profile_words[] = {
	{"modern", TLS_PROFILE_MODERN, "TLS 1.3 only"},
	{"intermediate", TLS_PROFILE_INTERMEDIATE, "TLS 1.2 and 1.3"},
	{"old", TLS_PROFILE_OLD, "the same, with suites of before 2014"},
	{NULL, 0, NULL},
};

static const struct schema_word shutdown_words[] = {
	{"fast", TLS_SHUTDOWN_FAST,
	 "send close_notify, do not wait for the peer's"},
	{"full", TLS_SHUTDOWN_FULL, "wait for the peer's close_notify"},
	{"none", TLS_SHUTDOWN_NONE, "send none"},
	{NULL, 0, NULL},
};

static const struct schema_word verify_words[] = {
	{"none", TLS_VERIFY_NONE, "anybody may answer: for trying things out"},
	{"required", TLS_VERIFY_REQUIRED,
	 "the certificate must be valid and for the right name"},
	{NULL, 0, NULL},
};

static const struct schema_key log_keys[] = {
	{
		.name = "to",
		.type = SCHEMA_LOG_TARGET,
		.flags = SCHEMA_REQUIRED,
		AT(struct schema_log, to),
		.help = "where the lines go: stderr, file:PATH, or "
			"syslog[:FACILITY]",
	},
	{
		.name = "level",
		.type = SCHEMA_WORD,
		AT(struct schema_log, level),
		.words = level_words,
		.standard = "info",
		.help = "events up to this level",
	},
	{
		.name = "what",
		.type = SCHEMA_WORD,
		AT(struct schema_log, what),
		.words = what_words,
		.standard = "both",
		.help = "events, access records, or both",
	},
	{
		.name = "format",
		.type = SCHEMA_WORD,
		AT(struct schema_log, form),
		.words = form_words,
		.standard = "text",
		.help = "the form of a line",
	},
};

static const struct schema_map log_map =
	MAP("log", log_keys, struct schema_log, "to",
	    "One output of the log; a scalar stands for `to`.");

static const struct schema_key resolver_keys[] = {
	{
		.name = "servers",
		.type = SCHEMA_SERVERS,
		AT(struct conf_resolver, servers),
		COUNT(struct conf_resolver, server_count),
		.otherwise = "those of resolv.conf",
		.help = "name servers to ask, each an IP address with or "
			"without a port",
	},
	{
		.name = "refresh",
		.type = SCHEMA_DURATION,
		AT(struct conf_resolver, refresh_ms),
		.least = SECOND,
		.most = DAY,
		.standard = "30s",
		.help = "how often the backends' names are looked up again",
	},
	{
		.name = "timeout",
		.type = SCHEMA_DURATION,
		AT(struct conf_resolver, timeout_ms),
		.least = 100,
		.most = 60 * SECOND,
		.standard = "2s",
		.help = "how long one question may take",
	},
};

static const struct schema_map resolver_map =
	MAP("resolver", resolver_keys, struct conf_resolver, NULL,
	    "How names of backends are resolved.");

static const struct schema_key global_keys[] = {
	{
		.name = "workers",
		.type = SCHEMA_UNSIGNED,
		AT(struct conf_global, workers),
		.least = 1,
		.most = 256,
		.words = auto_words,
		.standard = "auto",
		.help = "processes that relay; auto is one for each CPU "
			"available",
	},
	{
		.name = "max_connections",
		.type = SCHEMA_UNSIGNED,
		AT(struct conf_global, max_connections),
		.least = 1,
		.most = 10000000,
		.standard = "100000",
		.help = "over all services; beyond it accepting pauses",
	},
	{
		.name = "shutdown_grace",
		.type = SCHEMA_DURATION,
		AT(struct conf_global, shutdown_grace_ms),
		.most = YEAR,
		.standard = "30s",
		.help = "how long connections may finish when sealock stops",
	},
	{
		.name = "reload_grace",
		.type = SCHEMA_DURATION,
		AT(struct conf_global, reload_grace_ms),
		.most = YEAR,
		.standard = "0",
		.help = "how long connections of an older configuration may "
			"live; 0 is as long as they like",
	},
	{
		.name = "pid_file",
		.type = SCHEMA_PATH,
		AT(struct conf_global, pid_file),
		.default_offset =
			offsetof(struct conf_global, is_pid_file_default),
		.standard = "/run/sealock.pid",
		.help = "holds the process number while sealock runs; the "
			"default is skipped where it cannot be written",
	},
	{
		.name = "log",
		.type = SCHEMA_LOGS,
		AT(struct conf_global, logs),
		COUNT(struct conf_global, log_count),
		.map = &log_map,
		.standard = "stderr",
		.help = "where events and access records go, any number of "
			"outputs",
	},
	{
		.name = "admin",
		.type = SCHEMA_ADMIN_ADDRESS,
		AT(struct conf_global, admin),
		WHERE(struct conf_global, admin_at),
		.default_offset =
			offsetof(struct conf_global, is_admin_default),
		.standard = "unix:/run/sealock/admin.sock",
		.help = "the socket that the sealock command talks to; the "
			"default is skipped where it cannot be made",
	},
	{
		.name = "resolver",
		.type = SCHEMA_MAP,
		AT(struct conf_global, resolver),
		.map = &resolver_map,
		.help = "how names of backends are resolved",
	},
};

static const struct schema_map global_map =
	MAP("global", global_keys, struct conf_global, NULL,
	    "What concerns the whole program.");

static const struct schema_key certificate_keys[] = {
	{
		.name = "file",
		.type = SCHEMA_FILE,
		.flags = SCHEMA_SCALAR_ONLY,
		AT(struct schema_certificate, file),
		.help = "a scalar: a file with a certificate, its chain and "
			"its key (PEM, DER or PKCS#12), or a directory",
	},
	{
		.name = "chain",
		.type = SCHEMA_FILE,
		AT(struct schema_certificate, chain),
		.help = "a file with the certificate and its chain",
	},
	{
		.name = "key",
		.type = SCHEMA_FILE,
		AT(struct schema_certificate, key),
		.otherwise = "the file of `chain`",
		.help = "the private key of `chain`",
	},
	{
		.name = "pkcs12",
		.type = SCHEMA_FILE,
		AT(struct schema_certificate, pkcs12),
		.help = "a PKCS#12 file with all of it",
	},
	{
		.name = "directory",
		.type = SCHEMA_PATH,
		AT(struct schema_certificate, directory),
		.help = "every certificate in it, links followed",
	},
	{
		.name = "pem",
		.type = SCHEMA_PEM,
		AT(struct schema_certificate, pem),
		.help = "certificate, chain and key as PEM text in this place",
	},
	{
		.name = "store",
		.type = SCHEMA_STRING,
		AT(struct schema_certificate, store),
		.help = "an OSSL_STORE URI, such as pkcs11:object=web",
	},
	{
		.name = "self_signed",
		.type = SCHEMA_HOSTS,
		AT(struct schema_certificate, self_signed),
		COUNT(struct schema_certificate, self_signed_count),
		.help = "made at start for these names, for trying things out",
	},
	{
		.name = "passphrase",
		.type = SCHEMA_SECRET,
		AT(struct schema_certificate, passphrase),
		.help = "of an encrypted key or PKCS#12 file: a path, "
			"credential:NAME, env:NAME, {command: [PROGRAM, ...]} "
			"or prompt",
	},
	{
		.name = "names",
		.type = SCHEMA_HOSTS,
		.gates = SCHEMA_ACCEPT,
		AT(struct schema_certificate, names),
		COUNT(struct schema_certificate, name_count),
		.otherwise = "the names in the certificate",
		.help = "the server names it is used for",
	},
	{
		.name = "default",
		.type = SCHEMA_BOOLEAN,
		.gates = SCHEMA_ACCEPT,
		AT(struct schema_certificate, is_default),
		.standard = "false",
		.help = "also used for clients that ask for no name or an "
			"unknown one; without any such entry the first is",
	},
};

static const char *const certificate_sources[] = {
	"chain", "pkcs12", "directory", "pem", "store", "self_signed", NULL,
};

static const struct schema_map certificate_map = {
	.name = "certificates",
	.help = "One entry of `certificates`: a scalar is a file or directory, "
		"a map has exactly one of `chain`, `pkcs12`, `directory`, "
		"`pem`, `store` and `self_signed`.",
	.keys = certificate_keys,
	.count = ARRAY_SIZE(certificate_keys),
	.main = "file",
	.one_of = certificate_sources,
	.size = sizeof(struct schema_certificate),
};

static const struct schema_key verify_keys[] = {
	{
		.name = "mode",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, mode),
		.words = verify_words,
		.standard = "required",
		.help = "whether the peer's certificate is checked",
	},
	{
		.name = "ca",
		.type = SCHEMA_CA,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, cas),
		COUNT(struct tls_verify, ca_count),
		.standard = "system",
		.help = "whose certificates are trusted: system, none, files, "
			"directories, PEM text; several",
	},
	{
		.name = "name",
		.type = SCHEMA_HOST,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, name),
		.otherwise = "the backend's host",
		.help = "the name that must be in the certificate",
	},
	{
		.name = "depth",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, depth),
		.most = 100,
		.standard = "10",
		.help = "most intermediate certificates in a chain",
	},
};

static const struct schema_map verify_map =
	MAP("verify", verify_keys, struct tls_verify, "mode",
	    "Whom we talk to; a scalar stands for `mode`.");

static const struct schema_key tls_keys[] = {
	{
		.name = "profile",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, profile),
		.words = profile_words,
		.standard = "intermediate",
		.help = "Mozilla's guidelines, suites with forward secrecy "
			"only; sets the keys below, each can be overridden",
	},
	{
		.name = "versions",
		.type = SCHEMA_VERSIONS,
		.gates = SCHEMA_BOTH,
		.flags = SCHEMA_BY_PROFILE,
		AT(struct tls_settings, versions),
		WHERE(struct tls_settings, versions_at),
		.otherwise = "the profile's",
		.help = "a list such as [TLSv1.2, TLSv1.3], or a string such "
			"as \"SSLv23:!SSLv3:!TLSv1_1\"",
	},
	{
		.name = "ciphers",
		.type = SCHEMA_STRING,
		.gates = SCHEMA_BOTH,
		.flags = SCHEMA_BY_PROFILE,
		AT(struct tls_settings, ciphers),
		WHERE(struct tls_settings, ciphers_at),
		.otherwise = "the profile's",
		.help = "suites up to TLS 1.2, an OpenSSL cipher list",
	},
	{
		.name = "ciphersuites",
		.type = SCHEMA_STRING,
		.gates = SCHEMA_BOTH,
		.flags = SCHEMA_BY_PROFILE,
		AT(struct tls_settings, ciphersuites),
		WHERE(struct tls_settings, ciphersuites_at),
		.otherwise = "the profile's",
		.help = "suites of TLS 1.3, names separated by colons",
	},
	{
		.name = "groups",
		.type = SCHEMA_STRINGS,
		.gates = SCHEMA_BOTH,
		.flags = SCHEMA_BY_PROFILE,
		AT(struct tls_settings, groups),
		COUNT(struct tls_settings, group_count),
		WHERE(struct tls_settings, groups_at),
		.otherwise = "the profile's",
		.help = "groups for the key exchange in order of preference; "
			"one with a leading ? is skipped when it is unknown",
	},
	{
		.name = "prefer_server_ciphers",
		.type = SCHEMA_CHOICE,
		.gates = SCHEMA_ACCEPT,
		.flags = SCHEMA_BY_PROFILE,
		AT(struct tls_settings, prefer_server_ciphers),
		.otherwise = "the profile's",
		.help = "whether our order of ciphers counts or the client's",
	},
	{
		.name = "dh",
		.type = SCHEMA_DH,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_settings, dh),
		.standard = "auto",
		.help = "parameters of finite-field Diffie-Hellman: auto, off, "
			"a file, or PEM text",
	},
	{
		.name = "alpn",
		.type = SCHEMA_STRINGS,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_settings, alpn),
		COUNT(struct tls_settings, alpn_count),
		.most = 255,
		.otherwise = "none",
		.help = "protocols to choose from, the first that the client "
			"offers too is taken: [h2, http/1.1]",
	},
	{
		.name = "certificates",
		.type = SCHEMA_CERTIFICATES,
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, certificates),
		COUNT(struct tls_settings, certificate_count),
		.map = &certificate_map,
		.otherwise = "none",
		.help = "a file, a directory, or a list of entries; on the "
			"connect gate our client certificates",
	},
	{
		.name = "strict_sni",
		.type = SCHEMA_BOOLEAN,
		.gates = SCHEMA_ACCEPT,
		.flags = SCHEMA_NOT_BY_NAME,
		AT(struct tls_settings, is_sni_strict),
		.standard = "false",
		.help = "an unknown or missing server name ends the handshake",
	},
	{
		.name = "server_name",
		.type = SCHEMA_SERVER_NAME,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_settings, server_name),
		.otherwise = "the backend's host",
		.help = "the name we ask the backend for (SNI): a name, \"\" "
			"for none, or pass for the client's own",
	},
	{
		.name = "verify",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_settings, verify),
		.map = &verify_map,
		.help = "whom we talk to",
	},
	{
		.name = "shutdown",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, shutdown),
		.words = shutdown_words,
		.standard = "fast",
		.help = "how a TLS connection ends",
	},
	{
		.name = "openssl",
		.type = SCHEMA_COMMANDS,
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, commands),
		COUNT(struct tls_settings, command_count),
		.otherwise = "none",
		.help = "further settings of OpenSSL, SSL_CONF commands and "
			"their values: {Options: NoRenegotiation}",
	},
	{
		.name = "hosts",
		.type = SCHEMA_TLS_HOSTS,
		.gates = SCHEMA_ACCEPT,
		.flags = SCHEMA_NOT_BY_NAME | SCHEMA_OWN,
		AT(struct tls_settings, hosts),
		COUNT(struct tls_settings, host_count),
		.otherwise = "none",
		.map = &schema_tls,
		.help = "by server name: any of these keys, for that name; an "
			"exact name comes before a wildcard",
	},
};

const struct schema_map schema_tls =
	MAP("tls", tls_keys, struct tls_settings, NULL,
	    "TLS at one gate; absent: plain. `tls: true` is TLS with every "
	    "default.");

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

static const struct schema_map keepalive_map =
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
		.help = "false: one socket shared by the workers; true: one "
			"socket a worker",
	},
	{
		.name = "keepalive",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		AT(struct conf_accept, keepalive),
		.map = &keepalive_map,
		.help = "TCP keep-alive probes to clients",
	},
	{
		.name = "tls",
		.type = SCHEMA_TLS,
		.gates = SCHEMA_BOTH,
		AT(struct conf_accept, tls),
		.map = &schema_tls,
		.standard = "false",
		.help = "true, or a map; absent or false: plain",
	},
};

static const struct schema_map accept_map =
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
		.help = "true, or a map; absent or false: plain",
	},
};

static const struct schema_map connect_map =
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

static const struct schema_map timeouts_map =
	MAP("timeouts", timeout_keys, struct conf_timeouts, NULL,
	    "How long each part of a connection may take.");

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

static const struct schema_map buffers_map =
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
		.map = &accept_map,
		.help = "where clients come in",
	},
	{
		.name = "connect",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_CONNECT,
		.flags = SCHEMA_REQUIRED,
		AT(struct conf_service, connect),
		WHERE(struct conf_service, connect.at),
		.map = &connect_map,
		.help = "where the backend is",
	},
	{
		.name = "timeouts",
		.type = SCHEMA_MAP,
		AT(struct conf_service, timeouts),
		.map = &timeouts_map,
		.help = "how long each part of a connection may take",
	},
	{
		.name = "buffers",
		.type = SCHEMA_MAP,
		AT(struct conf_service, buffers),
		.map = &buffers_map,
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
		.map = &accept_map,
		.help = "for the accept gate",
	},
	{
		.name = "connect",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_CONNECT,
		AT(struct schema_defaults, connect),
		.map = &connect_map,
		.help = "for the connect gate",
	},
	{
		.name = "timeouts",
		.type = SCHEMA_MAP,
		AT(struct schema_defaults, timeouts),
		.map = &timeouts_map,
		.help = "how long each part of a connection may take",
	},
	{
		.name = "buffers",
		.type = SCHEMA_MAP,
		AT(struct schema_defaults, buffers),
		.map = &buffers_map,
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
		.map = &global_map,
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

const struct schema_map *const schema_maps[] = {
	&schema_document, &global_map,     &log_map,         &resolver_map,
	&schema_defaults, &schema_service, &accept_map,      &keepalive_map,
	&connect_map,     &schema_tls,     &certificate_map, &verify_map,
	&timeouts_map,    &buffers_map,
};

const size_t schema_map_count = ARRAY_SIZE(schema_maps);

const struct schema_key *
schema_find(const struct schema_map *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i].name, name) == 0)
			return &map->keys[i];
	return NULL;
}

const struct schema_key *
schema_main(const struct schema_map *map)
{
	return map->main ? schema_find(map, map->main) : NULL;
}

bool
schema_is_on(const struct schema_key *key, unsigned int gates)
{
	return key->gates == 0 || (gates & ~key->gates) == 0;
}

const char *
schema_since(const struct schema_key *key)
{
	return key->since ? key->since : FIRST_RELEASE;
}

bool
schema_is_list(const struct schema_key *key)
{
	switch ((int)key->type) {
	case SCHEMA_VERSIONS:
	case SCHEMA_INCLUDE:
		return true;
	case SCHEMA_COMMANDS:
	case SCHEMA_TLS_HOSTS:
	case SCHEMA_SERVICES:
		return false;
	default:
		return key->count_offset != 0;
	}
}
