/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the table: `tls` and what is in it, for both gates.
 */
#include "common/conf/schema_rows.h"

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

static const struct schema_word staple_words[] = {
	{"auto", TLS_STAPLE_AUTO,
	 "where the certificate, or `responder`, says whom to ask"},
	{"must", TLS_STAPLE_MUST, "the same, and it is wrong to have none"},
	{"off", TLS_STAPLE_OFF, "none is sent"},
	{NULL, 0, NULL},
};

/* No key has a default: an entry of `certificates` without any has what its
 * gate has. */
static const struct schema_key staple_keys[] = {
	{
		.name = "mode",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_staple, mode),
		.words = staple_words,
		.otherwise = "auto",
		.help = "whether an OCSP answer is sent with the certificate",
	},
	{
		.name = "file",
		.type = SCHEMA_PATH,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_staple, file),
		WHERE(struct tls_staple, file_at),
		.otherwise = "none, it is fetched",
		.help = "a file with the answer, in DER, which others keep "
			"fresh; what changes there comes into force without a "
			"reload",
	},
	{
		.name = "responder",
		.type = SCHEMA_STRING,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_staple, responder),
		WHERE(struct tls_staple, responder_at),
		.otherwise = "the certificate's own",
		.help = "whom to ask: http://ocsp.example.org/",
	},
};

const struct schema_map schema_staple =
	MAP("staple", staple_keys, struct tls_staple, "mode",
	    "OCSP answers that are sent along with certificates, so that "
	    "clients need not ask; a scalar stands for `mode`.");

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
		.help = "every certificate in it, links followed; what "
			"changes there comes into force without a reload",
	},
	{
		.name = "pem",
		.type = SCHEMA_PEM,
		AT(struct schema_certificate, pem),
		.help = "certificate, chain and key as PEM text in this place",
	},
	{
		.name = "store",
		.type = SCHEMA_STORE,
		AT(struct schema_certificate, store),
		.help = "an OSSL_STORE URI, such as pkcs11:object=web",
	},
	{
		.name = "self_signed",
		.type = SCHEMA_HOSTS,
		AT(struct schema_certificate, self_signed),
		COUNT(struct schema_certificate, self_signed_count),
		.help = "for trying things out: made for these names, at most "
			"50, when the configuration is loaded; each reload "
			"makes another one",
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
	{
		.name = "staple",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		AT(struct schema_certificate, staple),
		WHERE(struct schema_certificate, staple.at),
		.map = &schema_staple,
		.otherwise = "that of `tls`",
		.help = "the OCSP answer that is sent along",
	},
};

static const char *const certificate_sources[] = {
	"chain", "pkcs12", "directory", "pem", "store", "self_signed", NULL,
};

const struct schema_map schema_certificate = {
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
		.map = &schema_certificate,
		.otherwise = "none",
		.help = "a file, a directory, or a list of entries; on the "
			"connect gate our client certificates",
	},
	{
		.name = "staple",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_settings, staple),
		WHERE(struct tls_settings, staple.at),
		.map = &schema_staple,
		.help = "OCSP answers that are sent along with certificates",
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
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, verify),
		WHERE(struct tls_settings, verify.at),
		.map = &schema_verify,
		.help = "whom we let in, or whom we talk to",
	},
	{
		.name = "session",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, session),
		.map = &schema_session,
		.help = "handshakes that go on from an earlier one",
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
		.name = "key_log_file",
		.type = SCHEMA_PATH,
		.gates = SCHEMA_BOTH,
		AT(struct tls_settings, key_log_file),
		WHERE(struct tls_settings, key_log_at),
		.otherwise = "none",
		.help = "for debugging only: the secrets of every connection, "
			"in the format that Wireshark reads (NSS key log), are "
			"added to this file, which is made with access for its "
			"owner alone and is no link; a reload opens it anew",
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
