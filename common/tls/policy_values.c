/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From settings to values, each on its own; how they go together is tried by
 * tls_policy.
 */
#include "common/tls/policy_values.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/tls/cipher_list.h"
#include "common/tls/key_log.h"
#include "common/tls/openssl_compat.h"
#include "common/tls/signer.h"
#include "common/tls/tls_dh.h"
#include "common/tls/tls_profile.h"
#include "common/tls/tls_settings.h"
#include "common/tls/tls_version.h"

#define LEGACY (TLS_VERSION_SSL3 | TLS_VERSION_1_0 | TLS_VERSION_1_1)

/* What a policy is made from, and where to complain. */
struct draft {
	const struct tls_settings *settings;
	const struct tls_profile_values *profile;
	const struct file_set *files;
	struct error_list *problems;
	struct error_list *warnings; /* NULL: nobody wants them */
};

__attribute__((format(printf, 3, 4))) static void
warn(const struct draft *draft, const struct position *at, const char *format,
     ...)
{
	struct error error = {.at = *at};
	va_list arguments;
	char text[sizeof(error.text)];

	if (!draft->warnings)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	error_set(&error, "%s", text);
	error_list_add(draft->warnings, &error);
}

static void
choose_ciphers(struct policy_values *values, const struct draft *draft,
	       struct cipher_list *list)
{
	const struct tls_settings *settings = draft->settings;
	struct error error = {.at = settings->ciphers_at};

	if (cipher_list_select(settings->ciphers ? settings->ciphers
						 : draft->profile->ciphers,
			       list, &error) != 0) {
		error_prefix(&error, "ciphers: ");
		error_list_add(draft->problems, &error);
		return;
	}
	if (list->left_out[0])
		warn(draft, &settings->ciphers_at,
		     "ciphers: never offered, as they have no forward secrecy "
		     "or authentication: %s",
		     list->left_out);
	if (list->level < CIPHER_LIST_LEVEL)
		warn(draft, &settings->ciphers_at,
		     "ciphers: @SECLEVEL=%d is weaker than %d, OpenSSL's and "
		     "ours",
		     list->level, CIPHER_LIST_LEVEL);
	if (draft->settings->dh.kind == TLS_DH_OFF && !list->has_ecdhe)
		error_list_addf(draft->problems, &settings->dh.at,
				"dh is off, but all of the ciphers need it");
	values->level = list->level;
	values->ciphers = mem_strdup(list->names);
}

static void
choose_ciphersuites(struct policy_values *values, const struct draft *draft)
{
	const struct tls_settings *settings = draft->settings;
	struct error error = {.at = settings->ciphersuites_at};

	values->ciphersuites = ciphersuites_select(
		settings->ciphersuites ? settings->ciphersuites
				       : draft->profile->ciphersuites,
		&error);
	if (values->ciphersuites)
		return;
	error_prefix(&error, "ciphersuites: ");
	error_list_add(draft->problems, &error);
}

/* The highest versions without a hole between them: a ClientHello names a
 * range, and OpenSSL would take the lowest one. */
static unsigned int
highest_range(unsigned int versions)
{
	unsigned int version = TLS_VERSION_1_3, range = 0;

	while (version && !(versions & version))
		version >>= 1;
	for (; version & versions; version >>= 1)
		range |= version;
	return range;
}

static void
choose_versions(struct policy_values *values, const struct draft *draft,
		const struct cipher_list *list)
{
	const struct position *at = &draft->settings->versions_at;
	unsigned int asked = draft->settings->versions
				     ? draft->settings->versions
				     : draft->profile->versions;
	unsigned int versions = asked & tls_version_available();
	char shown[64], more[64];

	if (versions == 0) {
		error_list_addf(draft->problems, at,
				"versions: this OpenSSL does not speak %s; it "
				"speaks %s",
				tls_version_format(asked, shown, sizeof(shown)),
				tls_version_format(tls_version_available(),
						   more, sizeof(more)));
		return;
	}
	if (!list->names)
		return;
	if ((versions & LEGACY) && !list->has_legacy) {
		tls_version_format(versions & LEGACY, shown, sizeof(shown));
		versions &= ~(unsigned int)LEGACY;
		if (versions == 0) {
			error_list_addf(draft->problems, at,
					"versions: none of the ciphers can be "
					"used with %s (profile: old has some)",
					shown);
			return;
		}
		warn(draft, at,
		     "versions: %s left out, as none of the ciphers can be "
		     "used with it (profile: old has some)",
		     shown);
	}
	if (!values->is_server && highest_range(versions) != versions) {
		warn(draft, at,
		     "versions: a client offers a range: %s, and not %s",
		     tls_version_format(highest_range(versions), shown,
					sizeof(shown)),
		     tls_version_format(versions & ~highest_range(versions),
					more, sizeof(more)));
		versions = highest_range(versions);
	}
	if (versions & LEGACY) {
		warn(draft, at,
		     "versions: %s obsolete (RFC 8996) and takes OpenSSL's "
		     "security level down to 0, for every version here",
		     tls_version_format(versions & LEGACY, shown,
					sizeof(shown)));
		values->level = 0;
	}
	values->versions = versions;
}

static void
choose_key_uses(struct policy_values *values, const struct draft *draft,
		const struct cipher_list *list)
{
	values->key_uses = values->is_server ? KEY_USE_SERVER : KEY_USE_CLIENT;
	/* Can a client get TLS 1.2 or before with DHE? */
	if (values->is_server && list->has_dhe &&
	    draft->settings->dh.kind != TLS_DH_OFF &&
	    values->versions != TLS_VERSION_1_3)
		values->key_uses |= KEY_USE_DHE;
	if (values->versions & LEGACY)
		values->key_uses |= KEY_USE_LEGACY;
}

/* OpenSSL sends a key share for the first group alone, unless told otherwise:
 * a client that has the post-quantum one there asks most servers of today for
 * another round trip. */
#define POST_QUANTUM "X25519MLKEM768:"

static char *
with_two_key_shares(char *groups)
{
	char *marked;

	if (strncmp(groups, POST_QUANTUM, strlen(POST_QUANTUM)) != 0 ||
	    !openssl_compat_has_key_share_marks())
		return groups;
	marked = mem_format("*" POST_QUANTUM "*%s",
			    groups + strlen(POST_QUANTUM));
	mem_free(groups);
	return marked;
}

static void
choose_groups(struct policy_values *values, const struct draft *draft)
{
	const struct tls_settings *settings = draft->settings;
	struct error error = {.at = settings->groups_at};

	if (settings->group_count > 0)
		values->groups =
			groups_select((const char *const *)settings->groups,
				      settings->group_count, &error);
	else
		values->groups =
			groups_select(draft->profile->groups,
				      draft->profile->group_count, &error);
	if (!values->groups) {
		error_prefix(&error, "groups: ");
		error_list_add(draft->problems, &error);
	} else if (!values->is_server && settings->group_count == 0) {
		values->groups = with_two_key_shares(values->groups);
	}
}

static void
choose_dh(struct policy_values *values, const struct draft *draft)
{
	const struct tls_dh *dh = &draft->settings->dh;
	struct error error = {.at = dh->at};

	switch (dh->kind) {
	case TLS_DH_AUTO:
		values->is_dh_automatic = true;
		return;
	case TLS_DH_OFF:
		return;
	case TLS_DH_FILE:
	case TLS_DH_INLINE:
		values->dh = tls_dh_load(dh, draft->files, &error);
		if (values->dh)
			return;
		error_prefix(&error, "dh: ");
		error_list_add(draft->problems, &error);
		return;
	}
}

static void
choose_alpn(struct policy_values *values, const struct draft *draft)
{
	const struct tls_settings *settings = draft->settings;
	size_t size = 0;

	for (size_t i = 0; i < settings->alpn_count; i++) {
		size_t length = strlen(settings->alpn[i]);

		if (length == 0 || length > UINT8_MAX) {
			error_list_addf(draft->problems, &settings->at,
					"alpn: \"%.32s\" has %zu bytes, not 1 "
					"to 255",
					settings->alpn[i], length);
			return;
		}
		size += 1 + length;
	}
	if (size > UINT16_MAX)
		error_list_addf(draft->problems, &settings->at,
				"alpn: together the names are too long");
	if (size == 0 || size > UINT16_MAX)
		return;
	values->alpn = mem_alloc(sizeof(*values->alpn) + size);
	for (size_t i = 0; i < settings->alpn_count; i++) {
		unsigned char *end = values->alpn->bytes + values->alpn->length;
		size_t length = strlen(settings->alpn[i]);

		end[0] = (unsigned char)length;
		memcpy(end + 1, settings->alpn[i], length);
		values->alpn->length += 1 + length;
	}
}

/* Those who check a configuration open no key log, but are told the same. */
static void
choose_key_log(struct policy_values *values, const struct draft *draft)
{
	const struct tls_settings *settings = draft->settings;
	struct error error = {.at = settings->key_log_at};
	const char *path = settings->key_log_file;

	if (!path)
		return;
	if (key_log_open(draft->files, path, &values->key_log, &error) != 0) {
		error_prefix(&error, "key_log_file: ");
		error_list_add(draft->problems, &error);
		return;
	}
	warn(draft, &settings->key_log_at,
	     "key_log_file: whoever reads %s can decrypt every connection of "
	     "this gate: for debugging only%s",
	     path,
	     values->key_log && key_log_is_exposed(values->key_log)
		     ? " (others than its owner may open it)"
		     : "");
}

static void
copy_commands(struct policy_values *values, const struct tls_settings *settings)
{
	values->commands =
		mem_array(settings->command_count, sizeof(*values->commands));
	values->command_count = settings->command_count;
	for (size_t i = 0; i < settings->command_count; i++) {
		const struct tls_command *command = &settings->commands[i];

		values->commands[i].at = command->at;
		values->commands[i].command = mem_strdup(command->command);
		values->commands[i].value = mem_strdup(command->value);
	}
}

static void
hash_dh(EVP_MD_CTX *hash, EVP_PKEY *dh)
{
	unsigned char *der = NULL;
	int length = dh ? i2d_KeyParams(dh, &der) : 0;

	assert(length >= 0);
	framed_hash_add(hash, der, (size_t)length);
	OPENSSL_free(der);
}

static void
hash_key_log(EVP_MD_CTX *hash, const struct key_log *log)
{
	uint64_t identity[2] = {0};

	if (log)
		key_log_identity(log, identity);
	framed_hash_add(hash, identity, sizeof(identity));
}

static void
make_digest(struct policy_values *values, const struct tls_settings *settings)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();
	const uint64_t numbers[] = {
		values->is_server,       values->is_server_order,
		values->versions,        (uint64_t)values->level,
		values->is_dh_automatic, values->alpn != NULL,
		settings->is_sni_strict, settings->server_name_kind,
		settings->shutdown,      values->command_count,
	};

	framed_hash_add(hash, numbers, sizeof(numbers));
	framed_hash_add_text(hash, values->ciphers);
	framed_hash_add_text(hash, values->ciphersuites);
	framed_hash_add_text(hash, values->groups);
	hash_dh(hash, values->dh);
	framed_hash_add_text(hash, settings->server_name);
	framed_hash_add_text(hash, settings->key_log_file);
	hash_key_log(hash, values->key_log);
	framed_hash_add(hash, values->peer.digest, sizeof(values->peer.digest));
	if (values->alpn)
		framed_hash_add(hash, values->alpn->bytes,
				values->alpn->length);
	for (size_t i = 0; i < values->command_count; i++) {
		framed_hash_add_text(hash, values->commands[i].command);
		framed_hash_add_text(hash, values->commands[i].value);
	}
	framed_hash_end(hash, values->digest);
}

static void
make_context_digest(struct policy_values *values)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	framed_hash_add(hash, values->digest, sizeof(values->digest));
	policy_session_hash(&values->session, hash);
	framed_hash_end(hash, values->context_digest);
}

void
policy_values_choose(struct policy_values *values,
		     const struct tls_settings *settings,
		     const struct file_set *files, bool is_server,
		     struct error_list *problems, struct error_list *warnings)
{
	const struct draft draft = {settings,
				    tls_profile_values(settings->profile),
				    files, problems, warnings};
	size_t before = problems->count;
	struct cipher_list list;

	*values = (struct policy_values){.is_server = is_server};
	values->is_server_order =
		settings->prefer_server_ciphers == TLS_CHOICE_PROFILE
			? draft.profile->is_server_order
			: settings->prefer_server_ciphers == TLS_CHOICE_YES;
	choose_ciphers(values, &draft, &list);
	choose_ciphersuites(values, &draft);
	choose_versions(values, &draft, &list);
	choose_key_uses(values, &draft, &list);
	cipher_list_clear(&list);
	choose_groups(values, &draft);
	choose_dh(values, &draft);
	choose_alpn(values, &draft);
	policy_peer_choose(&values->peer, settings, files, is_server, problems,
			   warnings);
	policy_session_choose(&values->session, settings, is_server);
	choose_key_log(values, &draft);
	copy_commands(values, settings);
	if (problems->count > before)
		return;
	make_digest(values, settings);
	make_context_digest(values);
}

unsigned int
policy_values_key_uses(const struct tls_settings *settings, bool is_server)
{
	struct policy_values values = {.is_server = is_server};
	struct error_list problems = {0};
	const struct draft draft = {
		.settings = settings,
		.profile = tls_profile_values(settings->profile),
		.problems = &problems,
	};
	struct cipher_list list;
	unsigned int uses;

	choose_ciphers(&values, &draft, &list);
	choose_versions(&values, &draft, &list);
	if (problems.count == 0)
		choose_key_uses(&values, &draft, &list);
	uses = values.key_uses;
	cipher_list_clear(&list);
	policy_values_clear(&values);
	error_list_clear(&problems);
	return uses;
}

void
policy_values_clear(struct policy_values *values)
{
	mem_free(values->ciphers);
	mem_free(values->ciphersuites);
	mem_free(values->groups);
	mem_free(values->alpn);
	EVP_PKEY_free(values->dh);
	policy_peer_clear(&values->peer);
	key_log_unref(values->key_log);
	for (size_t i = 0; i < values->command_count; i++) {
		mem_free(values->commands[i].command);
		mem_free(values->commands[i].value);
	}
	mem_free(values->commands);
	*values = (struct policy_values){0};
}
