/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operator said about TLS at one gate: the `tls` map of CONFIG.md.
 * The configuration fills it through its table, tls_policy makes an SSL_CTX
 * of it; nothing else holds a TLS setting.
 */
#ifndef SEALOCK_TLS_TLS_SETTINGS_H
#define SEALOCK_TLS_TLS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/verify/ocsp_rules.h"
#include "common/verify/peer_rules.h"
#include "common/verify/verify_scheme.h"

struct fingerprint;

enum tls_profile {
	TLS_PROFILE_MODERN,
	TLS_PROFILE_INTERMEDIATE,
	TLS_PROFILE_OLD,
};

/* yes, no, or what the profile says. */
enum tls_choice {
	TLS_CHOICE_PROFILE,
	TLS_CHOICE_YES,
	TLS_CHOICE_NO,
};

enum tls_shutdown {
	TLS_SHUTDOWN_FAST, /* send close_notify, do not wait for the peer's */
	TLS_SHUTDOWN_FULL, /* wait for it, within the close's short limit */
	TLS_SHUTDOWN_NONE, /* send none */
};

enum tls_verify_mode {
	TLS_VERIFY_DEFAULT, /* accept gate: none; connect gate: required */
	TLS_VERIFY_NONE,
	TLS_VERIFY_OPTIONAL, /* accept gate: whoever shows no certificate too */
	TLS_VERIFY_REQUIRED,
};

enum tls_crl_check {
	TLS_CRL_LEAF,
	TLS_CRL_CHAIN,
};

enum tls_crl_expired {
	TLS_CRL_EXPIRED_ERROR,
	TLS_CRL_EXPIRED_WARN,
};

enum tls_dh_kind {
	TLS_DH_AUTO,
	TLS_DH_OFF,
	TLS_DH_FILE,
	TLS_DH_INLINE,
};

enum tls_ca_kind {
	TLS_CA_SYSTEM,
	TLS_CA_NONE,
	TLS_CA_PATH, /* a file or a directory */
	TLS_CA_INLINE,
};

enum tls_server_name {
	TLS_SERVER_NAME_BACKEND, /* the backend's host, unless it is an IP */
	TLS_SERVER_NAME_NONE,
	TLS_SERVER_NAME_PASS, /* the client's own */
	TLS_SERVER_NAME_GIVEN,
};

enum secret_kind {
	SECRET_NONE,
	SECRET_FILE,
	SECRET_CREDENTIAL,
	SECRET_ENVIRONMENT,
	SECRET_COMMAND,
	SECRET_PROMPT,
};

/* Where a secret comes from; its bytes are read through the file set under
 * `name`. */
struct secret {
	enum secret_kind kind;
	char *name;   /* an absolute path, or "credential:NAME", "env:NAME",
		       * "command:…", "prompt:…": the name in the file set */
	char **words; /* COMMAND: the program and its arguments */
	size_t word_count;
	struct position at;
};

enum certificate_source {
	CERTIFICATE_FILE, /* a path: a file (any format), or a directory */
	CERTIFICATE_PAIR, /* chain and key apart */
	CERTIFICATE_PKCS12,
	CERTIFICATE_DIRECTORY,
	CERTIFICATE_INLINE,
	CERTIFICATE_STORE, /* an OSSL_STORE URI */
	CERTIFICATE_SELF_SIGNED,
};

enum tls_staple_mode {
	TLS_STAPLE_AUTO, /* where there is somebody to ask */
	TLS_STAPLE_MUST, /* and it is wrong when there is no answer */
	TLS_STAPLE_OFF,
};

/* Whether an OCSP answer is sent along with a certificate (a staple, RFC 6066
 * 8), and where it is from. */
struct tls_staple {
	struct position at; /* line 0: nobody has written it */
	enum tls_staple_mode mode;
	char *file; /* absolute path; NULL: it is fetched */
	struct position file_at;
	char *responder; /* a URL; NULL: the one that the certificate names */
	struct position responder_at;
};

/* One entry of `certificates`. */
struct certificate_spec {
	struct position at;
	enum certificate_source source;
	char *path; /* FILE, PAIR (the chain), PKCS12, DIRECTORY; for INLINE
		     * the PEM text itself; for STORE the URI; for SELF_SIGNED
		     * "self_signed:" with the names: its name in the file set,
		     * where it is PEM */
	char *key;  /* PAIR: the key's path, "credential:NAME"; else NULL */
	struct secret passphrase;
	char **names; /* accept gate: instead of those in the certificate;
		       * SELF_SIGNED: the names to make it for */
	size_t name_count;
	bool is_default;
	struct tls_staple staple; /* accept gate; line 0: the gate's counts */
};

struct tls_ca {
	struct position at;
	enum tls_ca_kind kind;
	char *text; /* PATH: absolute path; INLINE: PEM; SYSTEM: the absolute
		     * path of the system's store, filled in when the
		     * configuration is loaded (conf_system_ca_path()), NULL
		     * when this machine has none; NONE: NULL */
};

/* Positions with line 0: that was not written. */
struct tls_crl {
	char **files; /* absolute paths */
	size_t file_count;
	struct position files_at;
	char *directory; /* absolute path; NULL: none */
	struct position directory_at;
	enum tls_crl_check check;
	struct position check_at;
	enum tls_crl_expired expired;
	struct position expired_at;
};

/* What if a responder gives no answer that proves anything? */
enum tls_ocsp_fail {
	TLS_OCSP_FAIL_SOFT, /* go on */
	TLS_OCSP_FAIL_HARD, /* refuse */
};

struct tls_ocsp {
	enum ocsp_staple staple; /* connect gate */
	struct position staple_at;
	enum ocsp_check check;
	struct position check_at;
	enum tls_ocsp_fail fail;
	struct position fail_at;
	unsigned int cache_size; /* answers */
	struct position cache_at;
	char *http_proxy; /* http://HOST:PORT; NULL: none */
	struct position http_proxy_at;
	bool is_nonce;
	struct position nonce_at;
};

enum tls_suffix_kind {
	TLS_SUFFIX_BUILTIN,
	TLS_SUFFIX_OFF,
	TLS_SUFFIX_FILE,
};

/* Which public suffixes wildcards are asked about. */
struct tls_suffixes {
	struct position at;
	enum tls_suffix_kind kind;
	char *path; /* FILE: absolute */
};

struct tls_verify {
	struct position at; /* line 0: nobody has written it */
	enum tls_verify_mode mode;
	struct tls_ca *cas;
	size_t ca_count;
	struct tls_ca *advertised; /* accept gate; none: those of cas */
	size_t advertised_count;
	char *name; /* connect gate; NULL: the backend's host */
	unsigned int depth;
	bool is_partial_chain;
	struct tls_crl crl;
	struct tls_ocsp ocsp;
	struct fingerprint *fingerprints;
	size_t fingerprint_count;
	struct verify_scheme scheme; /* connect gate */
	struct tls_suffixes suffixes;
	struct peer_rules allow;
};

enum tls_ticket_mode {
	TLS_TICKETS_AUTO,    /* random keys, kept in the state directory */
	TLS_TICKETS_FILES,   /* those in files */
	TLS_TICKETS_DERIVED, /* of a secret and the clock */
	TLS_TICKETS_OFF,
};

#define TLS_TICKETS_KEEP_MAX 32

/* Accept gate. Positions with line 0: that was not written. */
struct tls_tickets {
	enum tls_ticket_mode mode;
	struct position mode_at;
	char **files; /* absolute paths */
	size_t file_count;
	struct position files_at;
	struct secret secret;
	int64_t rotate_ms;
	struct position rotate_at;
	unsigned int keep;
	struct position keep_at;
	int64_t lifetime_ms; /* from the first, full handshake */
	struct position lifetime_at;
	unsigned int number; /* of tickets after a full handshake, TLS 1.3 */
};

struct tls_session_cache {
	unsigned int size; /* sessions; 0: none */
	int64_t timeout_ms;
};

struct tls_session {
	bool is_resumed; /* false: nothing below counts */
	struct tls_session_cache cache;
	struct tls_tickets tickets;
	char *key; /* connect gate; NULL: the backend's address */
};

struct tls_command {
	struct position at;
	char *command; /* an SSL_CONF command of a file: "Options" */
	char *value;
};

struct tls_dh {
	struct position at;
	enum tls_dh_kind kind;
	char *text; /* FILE: absolute path; INLINE: PEM */
};

struct tls_host;

struct tls_settings {
	struct position at;
	enum tls_profile profile;
	unsigned int versions; /* enum tls_version; 0: the profile's */
	struct position versions_at;
	char *ciphers; /* NULL: the profile's */
	struct position ciphers_at;
	char *ciphersuites; /* NULL: the profile's */
	struct position ciphersuites_at;
	char **groups; /* none: the profile's */
	size_t group_count;
	struct position groups_at;
	enum tls_choice prefer_server_ciphers;
	struct tls_dh dh;
	char **alpn;
	size_t alpn_count;
	struct certificate_spec *certificates;
	size_t certificate_count;
	struct tls_staple staple; /* accept gate */
	bool is_sni_strict;
	enum tls_server_name server_name_kind;
	char *server_name; /* GIVEN */
	struct tls_verify verify;
	struct tls_session session;
	enum tls_shutdown shutdown;
	char *key_log_file; /* an absolute path; NULL: none */
	struct position key_log_at;
	struct tls_command *commands;
	size_t command_count;
	struct tls_host *hosts; /* accept gate */
	size_t host_count;
};

/* One entry of `hosts`: the settings for that name, everything that the entry
 * does not say taken from the gate's own settings already. */
struct tls_host {
	struct position at;
	char *pattern; /* normalized: a name, or *. and a name */
	struct tls_settings *settings;
};

/* The mode with the default of its gate. */
enum tls_verify_mode
tls_verify_mode_of(const struct tls_verify *verify, bool is_server);

/* How the certificates of an entry are stapled: its own way, else the gate's. A
 * number that is none (it may come from another process) has the gate's. */
const struct tls_staple *
tls_staple_of(const struct tls_settings *settings, size_t entry);

/* Free what is in them, not the structs themselves; zeroed ones are legal. */
void
tls_settings_clear(struct tls_settings *settings);
void
tls_host_clear(struct tls_host *host);
void
certificate_spec_clear(struct certificate_spec *spec);
void
secret_clear(struct secret *secret);

#endif
