/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of settings.
 */
#include "common/tls/tls_settings.h"

#include "common/base/mem.h"

static void
free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(strings[i]);
	mem_free(strings);
}

void
secret_clear(struct secret *secret)
{
	mem_free(secret->name);
	free_strings(secret->words, secret->word_count);
	*secret = (struct secret){0};
}

static void
staple_clear(struct tls_staple *staple)
{
	mem_free(staple->file);
	mem_free(staple->responder);
	*staple = (struct tls_staple){0};
}

const struct tls_staple *
tls_staple_of(const struct tls_settings *settings, size_t entry)
{
	if (entry < settings->certificate_count &&
	    settings->certificates[entry].staple.at.line != 0)
		return &settings->certificates[entry].staple;
	return &settings->staple;
}

void
certificate_spec_clear(struct certificate_spec *spec)
{
	mem_free(spec->path);
	mem_free(spec->key);
	secret_clear(&spec->passphrase);
	free_strings(spec->names, spec->name_count);
	staple_clear(&spec->staple);
	*spec = (struct certificate_spec){0};
}

static void
free_cas(struct tls_ca *cas, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(cas[i].text);
	mem_free(cas);
}

static void
verify_clear(struct tls_verify *verify)
{
	free_cas(verify->cas, verify->ca_count);
	free_cas(verify->advertised, verify->advertised_count);
	mem_free(verify->name);
	free_strings(verify->crl.files, verify->crl.file_count);
	mem_free(verify->crl.directory);
	mem_free(verify->ocsp.http_proxy);
	mem_free(verify->fingerprints);
	mem_free(verify->suffixes.path);
	peer_rules_clear(&verify->allow);
}

static void
session_clear(struct tls_session *session)
{
	free_strings(session->tickets.files, session->tickets.file_count);
	secret_clear(&session->tickets.secret);
	mem_free(session->key);
}

enum tls_verify_mode
tls_verify_mode_of(const struct tls_verify *verify, bool is_server)
{
	if (verify->mode != TLS_VERIFY_DEFAULT)
		return verify->mode;
	return is_server ? TLS_VERIFY_NONE : TLS_VERIFY_REQUIRED;
}

void
tls_host_clear(struct tls_host *host)
{
	mem_free(host->pattern);
	if (host->settings)
		tls_settings_clear(host->settings);
	mem_free(host->settings);
	*host = (struct tls_host){0};
}

void
tls_settings_clear(struct tls_settings *settings)
{
	mem_free(settings->ciphers);
	mem_free(settings->ciphersuites);
	free_strings(settings->groups, settings->group_count);
	mem_free(settings->dh.text);
	free_strings(settings->alpn, settings->alpn_count);
	for (size_t i = 0; i < settings->certificate_count; i++)
		certificate_spec_clear(&settings->certificates[i]);
	mem_free(settings->certificates);
	staple_clear(&settings->staple);
	mem_free(settings->server_name);
	mem_free(settings->key_log_file);
	verify_clear(&settings->verify);
	session_clear(&settings->session);
	for (size_t i = 0; i < settings->command_count; i++) {
		mem_free(settings->commands[i].command);
		mem_free(settings->commands[i].value);
	}
	mem_free(settings->commands);
	for (size_t i = 0; i < settings->host_count; i++)
		tls_host_clear(&settings->hosts[i]);
	mem_free(settings->hosts);
	*settings = (struct tls_settings){0};
}
