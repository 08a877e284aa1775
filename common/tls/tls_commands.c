/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SSL_CONF commands. What they may not do is told by what they did: the
 * context's options are compared after each.
 */
#include "common/tls/tls_commands.h"

#include <strings.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/tls_settings.h"
#include "common/tls/tls_status.h"

OPENSSL_AUTO_FREE(ssl_conf_ctx, SSL_CONF_CTX, SSL_CONF_CTX_free);

/* Said in one place only, so that two keys never fight. */
static const struct {
	const char *command;
	const char *key;
} keys[] = {
	{"CipherString", "ciphers"},
	{"Ciphersuites", "ciphersuites"},
	{"Groups", "groups"},
	{"Curves", "groups"},
	{"ECDHParameters", "groups"},
	{"DHParameters", "dh"},
	{"MinProtocol", "versions"},
	{"MaxProtocol", "versions"},
	{"Protocol", "versions"},
	{"Certificate", "certificates"},
	{"PrivateKey", "certificates"},
	{"ChainCAFile", "certificates"},
	{"ChainCAPath", "certificates"},
	{"ChainCAStore", "certificates"},
	{"VerifyMode", "verify"},
	{"VerifyCAFile", "verify"},
	{"VerifyCAPath", "verify"},
	{"VerifyCAStore", "verify"},
	{"ClientCAFile", "verify"},
	{"ClientCAPath", "verify"},
	{"ClientCAStore", "verify"},
	{"RequestCAFile", "verify"},
	{"RequestCAPath", "verify"},
	{"RequestCAStore", "verify"},
};

unsigned long long
tls_commands_options_always(void)
{
	return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	       openssl_compat_options();
}

unsigned long long
tls_commands_options_never(void)
{
	return SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_NO_DHE_KEX |
	       SSL_OP_ALLOW_CLIENT_RENEGOTIATION |
	       SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION;
}

static const char *
own_key(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcasecmp(command, keys[i].command) == 0)
			return keys[i].key;
	return NULL;
}

static int
run(const struct tls_command *command, SSL_CONF_CTX *conf, SSL_CTX *context,
    struct error *error)
{
	const uint64_t before = SSL_CTX_get_options(context);
	const char *key = own_key(command->command);
	char words[160];
	int result;

	if (key) {
		error_set(error,
			  "OpenSSL's command %s has a key of its own here: %s",
			  command->command, key);
		return -1;
	}
	if (strcasecmp(command->command, "NumTickets") == 0) {
		error_set(error, "OpenSSL's command NumTickets has a key of "
				 "its own here: session.tickets");
		return -1;
	}
	ERR_clear_error();
	result = SSL_CONF_cmd(conf, command->command, command->value);
	tls_status_queue_text(words, sizeof(words));
	if (result == -2) {
		error_set(error,
			  "\"%s\" is no command of SSL_CONF_cmd(3) that can "
			  "stand here",
			  command->command);
		return -1;
	}
	if (result <= 0) {
		error_set(error, "OpenSSL's command %s refuses \"%s\": %s",
			  command->command, command->value, words);
		return -1;
	}
	if ((SSL_CTX_get_options(context) & tls_commands_options_always()) !=
		    tls_commands_options_always() ||
	    SSL_CTX_get_options(context) & tls_commands_options_never() ||
	    (SSL_CTX_get_options(context) ^ before) & SSL_OP_NO_TICKET) {
		error_set(
			error,
			"OpenSSL's command %s: \"%s\" would undo what always "
			"holds: no renegotiation, no compression, tickets as "
			"`session` says, and a missing close_notify is no end",
			command->command, command->value);
		return -1;
	}
	return 0;
}

int
tls_commands_run(const struct tls_command *commands, size_t count,
		 SSL_CTX *context, bool is_server, struct error *error)
{
	AUTO_OPENSSL(ssl_conf_ctx) SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

	if (!conf) {
		error_set(error, "OpenSSL is out of memory");
		return -1;
	}
	SSL_CONF_CTX_set_flags(conf,
			       SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS |
				       (is_server ? SSL_CONF_FLAG_SERVER
						  : SSL_CONF_FLAG_CLIENT));
	SSL_CONF_CTX_set_ssl_ctx(conf, context);
	for (size_t i = 0; i < count; i++) {
		if (error)
			error->at = commands[i].at;
		if (run(&commands[i], conf, context, error) != 0)
			return -1;
	}
	if (!SSL_CONF_CTX_finish(conf)) {
		ERR_clear_error();
		error_set(error, "OpenSSL refuses these commands together");
		return -1;
	}
	return 0;
}
