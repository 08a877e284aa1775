/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the table: `verify` and what is in it, for both gates.
 */
#include "common/conf/schema_rows.h"

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
