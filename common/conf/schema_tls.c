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

static const struct schema_word verify_words[] = {
	{"none", TLS_VERIFY_NONE,
	 "nobody is asked for a certificate, and any backend may answer"},
	{"optional", TLS_VERIFY_OPTIONAL,
	 "a client may come without a certificate; one that it shows must be "
	 "valid (accept gate)"},
	{"required", TLS_VERIFY_REQUIRED,
	 "there must be a certificate, and it must be valid; a backend's for "
	 "the right name"},
	{"once", TLS_VERIFY_REQUIRED,
	 "the same as required, as nothing is ever renegotiated"},
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

static const struct schema_word crl_check_words[] = {
	{"leaf", TLS_CRL_LEAF, "the peer's certificate"},
	{"chain", TLS_CRL_CHAIN, "and all of its chain but the authority"},
	{NULL, 0, NULL},
};

static const struct schema_word crl_expired_words[] = {
	{"error", TLS_CRL_EXPIRED_ERROR,
	 "whoever it covers is refused until there is a new one"},
	{"warn", TLS_CRL_EXPIRED_WARN,
	 "the log says so, and it counts as before"},
	{NULL, 0, NULL},
};

static const struct schema_key crl_keys[] = {
	{
		.name = "files",
		.type = SCHEMA_PATHS,
		.gates = SCHEMA_BOTH,
		AT(struct tls_crl, files),
		COUNT(struct tls_crl, file_count),
		WHERE(struct tls_crl, files_at),
		.otherwise = "none",
		.help = "files with revocation lists (PEM, several in a file, "
			"or DER), of 64 MiB at most",
	},
	{
		.name = "directory",
		.type = SCHEMA_PATH,
		.gates = SCHEMA_BOTH,
		AT(struct tls_crl, directory),
		WHERE(struct tls_crl, directory_at),
		.otherwise = "none",
		.help = "every file in it, whatever it is called",
	},
	{
		.name = "check",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_crl, check),
		WHERE(struct tls_crl, check_at),
		.words = crl_check_words,
		.standard = "leaf",
		.help = "whose certificates are looked for; there must be a "
			"list of each one's issuer",
	},
	{
		.name = "expired",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_crl, expired),
		WHERE(struct tls_crl, expired_at),
		.words = crl_expired_words,
		.standard = "error",
		.help = "what becomes of a list after its nextUpdate",
	},
};

const struct schema_map schema_crl =
	MAP("crl", crl_keys, struct tls_crl, "files",
	    "Lists of revoked certificates; files that change are read again "
	    "without a reload. A scalar or a list stands for `files`.");

static const struct schema_word ocsp_staple_words[] = {
	{"off", OCSP_STAPLE_OFF, "the backend is not asked for one"},
	{"try", OCSP_STAPLE_TRY, "one that says revoked ends the connection"},
	{"must", OCSP_STAPLE_MUST, "and so does a missing or unusable one"},
	{NULL, 0, NULL},
};

static const struct schema_word ocsp_check_words[] = {
	{"off", OCSP_CHECK_OFF, "no responder is asked"},
	{"leaf", OCSP_CHECK_LEAF, "for the peer's certificate"},
	{"chain", OCSP_CHECK_CHAIN,
	 "and for all of its chain but the authority"},
	{NULL, 0, NULL},
};

static const struct schema_word ocsp_fail_words[] = {
	{"soft", TLS_OCSP_FAIL_SOFT,
	 "the peer is let in, and the record says so"},
	{"hard", TLS_OCSP_FAIL_HARD, "the peer is refused"},
	{NULL, 0, NULL},
};

static const struct schema_key ocsp_keys[] = {
	{
		.name = "staple",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_ocsp, staple),
		WHERE(struct tls_ocsp, staple_at),
		.words = ocsp_staple_words,
		.standard = "try",
		.help = "the answer that a backend sends along with its "
			"certificate (a staple)",
	},
	{
		.name = "check",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_ocsp, check),
		WHERE(struct tls_ocsp, check_at),
		.words = ocsp_check_words,
		.standard = "off",
		.help = "whose issuers' responders are asked, after the "
			"handshake and before anything is passed on; for a "
			"certificate with a good staple none is",
	},
	{
		.name = "fail",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_ocsp, fail),
		WHERE(struct tls_ocsp, fail_at),
		.words = ocsp_fail_words,
		.standard = "soft",
		.help = "what becomes of a peer when a responder that is asked "
			"gives no answer that proves anything; revoked is "
			"always refused",
	},
	{
		.name = "cache",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_BOTH,
		AT(struct tls_ocsp, cache_size),
		WHERE(struct tls_ocsp, cache_at),
		.most = 1000000,
		.standard = "4096",
		.help = "answers that are kept until they end, for all "
			"services "
			"and workers together: the largest such number counts; "
			"0 keeps none",
	},
	{
		.name = "http_proxy",
		.type = SCHEMA_STRING,
		.gates = SCHEMA_BOTH,
		AT(struct tls_ocsp, http_proxy),
		WHERE(struct tls_ocsp, http_proxy_at),
		.otherwise = "none",
		.help = "the way to responders: http://HOST:PORT",
	},
	{
		.name = "nonce",
		.type = SCHEMA_BOOLEAN,
		.gates = SCHEMA_BOTH,
		AT(struct tls_ocsp, is_nonce),
		WHERE(struct tls_ocsp, nonce_at),
		.standard = "false",
		.help = "take an answer only when it was made for the request "
			"(no other is kept, and many responders make none)",
	},
};

const struct schema_map schema_ocsp =
	MAP("ocsp", ocsp_keys, struct tls_ocsp, NULL,
	    "What the peer's issuer says of its certificate now (OCSP, RFC "
	    "6960).");

static const struct schema_key allow_keys[] = {
	{
		.name = "cn",
		.type = SCHEMA_RULES,
		.gates = SCHEMA_BOTH,
		AT(struct peer_rules, lists[PEER_NAME_CN].rules),
		COUNT(struct peer_rules, lists[PEER_NAME_CN].count),
		.otherwise = "none",
		.help = "common names",
	},
	{
		.name = "ou",
		.type = SCHEMA_RULES,
		.gates = SCHEMA_BOTH,
		AT(struct peer_rules, lists[PEER_NAME_OU].rules),
		COUNT(struct peer_rules, lists[PEER_NAME_OU].count),
		.otherwise = "none",
		.help = "organizational units",
	},
	{
		.name = "dns",
		.type = SCHEMA_RULES,
		.gates = SCHEMA_BOTH,
		AT(struct peer_rules, lists[PEER_NAME_DNS].rules),
		COUNT(struct peer_rules, lists[PEER_NAME_DNS].count),
		.otherwise = "none",
		.help = "DNS names; *.example.org is any one label and "
			".example.org",
	},
	{
		.name = "uri",
		.type = SCHEMA_RULES,
		.gates = SCHEMA_BOTH,
		AT(struct peer_rules, lists[PEER_NAME_URI].rules),
		COUNT(struct peer_rules, lists[PEER_NAME_URI].count),
		.otherwise = "none",
		.help = "URIs; a * at the end, behind a slash, is all that "
			"follows: spiffe://example.org/ns/*",
	},
	{
		.name = "email",
		.type = SCHEMA_RULES,
		.gates = SCHEMA_BOTH,
		AT(struct peer_rules, lists[PEER_NAME_EMAIL].rules),
		COUNT(struct peer_rules, lists[PEER_NAME_EMAIL].count),
		.otherwise = "none",
		.help = "mail addresses",
	},
	{
		.name = "ip",
		.type = SCHEMA_RULES,
		.gates = SCHEMA_BOTH,
		AT(struct peer_rules, lists[PEER_NAME_IP].rules),
		COUNT(struct peer_rules, lists[PEER_NAME_IP].count),
		.otherwise = "none",
		.help = "IP addresses, or networks such as 192.0.2.0/24",
	},
};

const struct schema_map schema_allow =
	MAP("allow", allow_keys, struct peer_rules, NULL,
	    "Names, of which a good certificate must have one; without any, "
	    "every good certificate will do.");

static const struct schema_key verify_keys[] = {
	{
		.name = "mode",
		.type = SCHEMA_WORD,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, mode),
		.words = verify_words,
		.standard = "required",
		.standard_accept = "none",
		.help = "whether the peer's certificate is checked",
	},
	{
		.name = "ca",
		.type = SCHEMA_CA,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, cas),
		COUNT(struct tls_verify, ca_count),
		.standard = "system",
		.standard_accept = "",
		.otherwise = "none, it has to be named",
		.help = "whose certificates are trusted: system, none, files, "
			"directories, PEM text; several",
	},
	{
		.name = "advertise_ca",
		.type = SCHEMA_CA,
		.gates = SCHEMA_ACCEPT,
		AT(struct tls_verify, advertised),
		COUNT(struct tls_verify, advertised_count),
		.otherwise = "those of `ca`",
		.help = "the authorities whose names are sent to clients, so "
			"that they can choose a certificate: as in `ca`; none "
			"sends none",
	},
	{
		.name = "name",
		.type = SCHEMA_HOST,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, name),
		.otherwise = "the backend's host",
		.help = "the name that must be in the certificate, a host name "
			"(in Unicode, too) or an IP address",
	},
	{
		.name = "depth",
		.type = SCHEMA_UNSIGNED,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, depth),
		.most = 100,
		.standard = "10",
		.help = "most intermediate certificates in a chain",
	},
	{
		.name = "partial_chain",
		.type = SCHEMA_BOOLEAN,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, is_partial_chain),
		.standard = "false",
		.help = "every certificate of `ca` is trusted by itself, also "
			"one that is not self-signed: an intermediate, or a "
			"leaf",
	},
	{
		.name = "scheme",
		.type = SCHEMA_SCHEME,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, scheme),
		.standard = "http",
		.help = "by whose rules the name is compared: where a wildcard "
			"may stand, whether the common name counts",
	},
	{
		.name = "public_suffix",
		.type = SCHEMA_SUFFIXES,
		.gates = SCHEMA_CONNECT,
		AT(struct tls_verify, suffixes),
		.standard = "builtin",
		.help = "what no wildcard may stand in front of, such as "
			"co.uk: libpsl's list, none, or a file in the format "
			"of publicsuffix.org",
	},
	{
		.name = "fingerprints",
		.type = SCHEMA_FINGERPRINTS,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, fingerprints),
		COUNT(struct tls_verify, fingerprint_count),
		.otherwise = "none",
		.help = "of certificates, or of their public keys, that are "
			"admitted whatever else may be wrong with them; to "
			"admit nothing else: `ca` none",
	},
	{
		.name = "allow",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, allow),
		.map = &schema_allow,
		.help = "who of those with a good certificate is let in",
	},
	{
		.name = "crl",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, crl),
		.map = &schema_crl,
		.help = "lists of revoked certificates",
	},
	{
		.name = "ocsp",
		.type = SCHEMA_MAP,
		.gates = SCHEMA_BOTH,
		AT(struct tls_verify, ocsp),
		.map = &schema_ocsp,
		.help = "answers about revoked certificates",
	},
};

const struct schema_map schema_verify =
	MAP("verify", verify_keys, struct tls_verify, "mode",
	    "Whom we let in, or whom we talk to; a scalar stands for `mode`.");

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
