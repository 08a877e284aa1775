/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From `verify` to a peer_policy.
 */
#include "common/tls/policy_peer.h"

#include <stdint.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/framed_hash.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/net/hostname.h"
#include "common/tls/ca_doubts.h"
#include "common/tls/ca_store.h"
#include "common/tls/policy_crl.h"
#include "common/tls/policy_ocsp.h"
#include "common/tls/tls_settings.h"
#include "common/verify/crl_index.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_policy.h"
#include "common/verify/public_suffix.h"
#include "common/verify/verify_name.h"

/* A list's two bytes of length, and room for what is around it. */
#define ADVERTISED_MAX 65000

/* What a policy is made from, and where to complain. */
struct draft {
	const struct tls_settings *settings;
	const struct tls_verify *verify;
	const struct file_set *files;
	bool is_server;
	enum tls_verify_mode mode;
	struct error_list *problems;
	struct error_list *warnings; /* NULL: nobody wants them */
	EVP_MD_CTX *hash;
};

/* At what was written of verification. */
static const struct position *
verify_at(const struct draft *draft)
{
	return draft->verify->at.line ? &draft->verify->at
				      : &draft->settings->at;
}

static bool
is_none(const struct tls_ca *cas, size_t count)
{
	return count == 1 && cas[0].kind == TLS_CA_NONE;
}

static struct ca_store *
open_authorities(const struct draft *draft, const struct tls_ca *cas,
		 size_t count)
{
	struct ca_store *store = ca_store_open(
		cas, count, draft->files, draft->problems, draft->warnings);

	if (store)
		framed_hash_add(draft->hash, ca_store_digest(store), 32);
	return store;
}

static void
choose_authorities(struct policy_peer *peer, const struct draft *draft)
{
	const struct tls_verify *verify = draft->verify;

	peer->policy->is_pin_only = is_none(verify->cas, verify->ca_count);
	if (verify->ca_count == 0)
		error_list_addf(draft->problems, verify_at(draft),
				"verify.ca has to be named: whose certificates "
				"are %s to show?",
				draft->is_server ? "clients" : "backends");
	else if (!peer->policy->is_pin_only)
		peer->authorities =
			open_authorities(draft, verify->cas, verify->ca_count);
	else if (verify->fingerprint_count == 0)
		error_list_addf(draft->problems, &verify->cas[0].at,
				"verify.ca is none, so that only fingerprints "
				"admit anybody, and there are none");
	if (!peer->authorities)
		return;
	peer_policy_set_authorities(peer->policy,
				    ca_store_x509(peer->authorities));
	if (draft->warnings)
		ca_doubts(ca_store_x509(peer->authorities),
			  verify->is_partial_chain, &verify->cas[0].at,
			  draft->warnings);
}

/* All of them travel in a list whose length has two bytes (RFC 8446 4.2.4). */
static void
check_advertised(const struct policy_peer *peer, const struct draft *draft)
{
	const STACK_OF(X509_NAME) *names = ca_store_names(peer->advertised);
	size_t length = 0;

	for (int i = 0; i < sk_X509_NAME_num(names); i++)
		length += 2 + (size_t)i2d_X509_NAME(
				      sk_X509_NAME_value(names, i), NULL);
	if (length > ADVERTISED_MAX)
		error_list_addf(draft->problems, verify_at(draft),
				"verify.advertise_ca: the names of %d "
				"authorities take %zu bytes, and no more than "
				"%d can be sent to clients: name fewer, or "
				"none",
				sk_X509_NAME_num(names), length,
				ADVERTISED_MAX);
}

static void
choose_advertised(struct policy_peer *peer, const struct draft *draft)
{
	const struct tls_verify *verify = draft->verify;

	framed_hash_add_text(draft->hash, "advertised");
	if (is_none(verify->advertised, verify->advertised_count))
		return;
	if (verify->advertised_count > 0)
		peer->advertised = open_authorities(draft, verify->advertised,
						    verify->advertised_count);
	else if (peer->authorities)
		peer->advertised = ca_store_ref(peer->authorities);
	if (!peer->advertised)
		return;
	check_advertised(peer, draft);
	framed_hash_add(draft->hash, ca_store_digest(peer->advertised), 32);
}

static void
choose_pins(struct peer_policy *policy, const struct draft *draft)
{
	const struct tls_verify *verify = draft->verify;
	struct error error = {.at = *verify_at(draft)};
	char text[FINGERPRINT_TEXT_SIZE];

	if (verify->fingerprint_count == 0)
		return;
	policy->pins = fingerprint_set_new(verify->fingerprints,
					   verify->fingerprint_count, &error);
	if (!policy->pins) {
		error_prefix(&error, "verify.fingerprints: ");
		error_list_add(draft->problems, &error);
	}
	framed_hash_add_text(draft->hash, "fingerprints");
	for (size_t i = 0; i < verify->fingerprint_count; i++)
		framed_hash_add_text(
			draft->hash,
			fingerprint_format(&verify->fingerprints[i], text,
					   sizeof(text)));
}

static void
read_suffixes(struct peer_policy *policy, const struct draft *draft)
{
	const struct tls_suffixes *suffixes = &draft->verify->suffixes;
	struct error error = {.at = suffixes->at};
	AUTO_BLOB struct blob blob = {0};

	if (file_set_read(draft->files, suffixes->path, &blob, &error) == 0) {
		framed_hash_add(draft->hash, blob.bytes, blob.length);
		policy->suffixes =
			public_suffixes_parse(blob.bytes, blob.length, &error);
		if (!policy->suffixes)
			error_prefix(&error, "%s: ", suffixes->path);
	}
	if (policy->suffixes)
		return;
	error_prefix(&error, "verify.public_suffix: ");
	error_list_add(draft->problems, &error);
}

static void
choose_names(struct peer_policy *policy, const struct draft *draft)
{
	const struct tls_verify *verify = draft->verify;
	const struct verify_scheme *scheme = &verify->scheme;
	const uint64_t numbers[] = {
		scheme->check_cn,        scheme->wildcards_in_alt,
		scheme->wildcards_in_cn, scheme->ip_in_cn,
		scheme->is_none,         verify->suffixes.kind,
	};
	struct error error = {.at = *verify_at(draft)};
	char normalized[HOSTNAME_MAX + 1];

	policy->scheme = *scheme;
	framed_hash_add(draft->hash, numbers, sizeof(numbers));
	framed_hash_add_text(draft->hash, verify->name);
	if (verify->name &&
	    verify_name_normalize(verify->name, normalized, &error) != 0) {
		error_prefix(&error, "verify.name: ");
		error_list_add(draft->problems, &error);
	}
	if (!peer_policy_wants_name(policy))
		return;
	switch (verify->suffixes.kind) {
	case TLS_SUFFIX_OFF:
		break;
	case TLS_SUFFIX_BUILTIN:
		policy->suffixes = public_suffixes_builtin();
		if (verify->suffixes.at.line && !public_suffixes_are_known())
			error_list_addf(draft->warnings, &verify->suffixes.at,
					"verify.public_suffix: this build has "
					"no list of its own: a wildcard needs "
					"two labels behind it, that is all");
		break;
	case TLS_SUFFIX_FILE:
		read_suffixes(policy, draft);
		break;
	}
}

static void
choose_rules(struct peer_policy *policy, const struct draft *draft)
{
	const struct peer_rules *allow = &draft->verify->allow;

	peer_rules_copy(&policy->allow, allow);
	for (size_t kind = 0; kind < ARRAY_SIZE(allow->lists); kind++) {
		const uint64_t numbers[] = {kind, allow->lists[kind].count};

		framed_hash_add(draft->hash, numbers, sizeof(numbers));
		for (size_t i = 0; i < allow->lists[kind].count; i++)
			framed_hash_add_text(draft->hash,
					     allow->lists[kind].rules[i].text);
	}
	if (draft->mode == TLS_VERIFY_OPTIONAL && !peer_rules_is_empty(allow) &&
	    draft->warnings)
		error_list_addf(draft->warnings, verify_at(draft),
				"verify.allow: with optional, whoever shows no "
				"certificate is let in without any of these "
				"names");
}

static void
choose_lists(struct peer_policy *policy, const struct draft *draft)
{
	struct crl_rules *rules = &policy->crl;

	policy_crl_choose(draft->verify, !policy->is_pin_only, draft->files,
			  rules, draft->problems, draft->warnings);
	framed_hash_add_text(draft->hash, "crl");
	framed_hash_add_number(draft->hash, rules->is_chain);
	framed_hash_add_number(draft->hash, rules->is_expired_good);
	for (size_t i = 0; i < rules->count; i++)
		framed_hash_add(draft->hash,
				crl_index_digest(rules->indexes[i]), 32);
}

static void
choose(struct policy_peer *peer, const struct draft *draft)
{
	const struct tls_verify *verify = draft->verify;
	struct peer_policy *policy;
	const uint64_t numbers[] = {
		draft->is_server,
		draft->mode,
		verify->depth,
		verify->is_partial_chain,
	};

	framed_hash_add(draft->hash, numbers, sizeof(numbers));
	if (draft->mode == TLS_VERIFY_NONE) {
		policy_crl_choose(verify, false, draft->files, NULL,
				  draft->problems, draft->warnings);
		return;
	}
	if (draft->mode == TLS_VERIFY_OPTIONAL && !draft->is_server)
		error_list_addf(draft->problems, verify_at(draft),
				"verify: a backend always shows a certificate, "
				"there is no optional on the connect gate: "
				"required or none");
	policy = peer_policy_new(draft->is_server ? PEER_CLIENT : PEER_SERVER);
	policy->is_required = draft->mode == TLS_VERIFY_REQUIRED;
	policy->depth = verify->depth;
	policy->is_partial_chain = verify->is_partial_chain;
	peer->policy = policy;
	choose_authorities(peer, draft);
	choose_pins(policy, draft);
	choose_lists(policy, draft);
	if (!policy->is_pin_only)
		policy_ocsp_choose(&verify->ocsp, draft->is_server,
				   &policy->ocsp, draft->hash, draft->problems);
	choose_rules(policy, draft);
	if (draft->is_server)
		choose_advertised(peer, draft);
	else
		choose_names(policy, draft);
}

void
policy_peer_choose(struct policy_peer *peer,
		   const struct tls_settings *settings,
		   const struct file_set *files, bool is_server,
		   struct error_list *problems, struct error_list *warnings)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();
	const struct draft draft = {
		.settings = settings,
		.verify = &settings->verify,
		.files = files,
		.is_server = is_server,
		.mode = tls_verify_mode_of(&settings->verify, is_server),
		.problems = problems,
		.warnings = warnings,
		.hash = hash,
	};

	*peer = (struct policy_peer){.policy = NULL};
	choose(peer, &draft);
	framed_hash_end(hash, peer->digest);
}

void
policy_peer_clear(struct policy_peer *peer)
{
	peer_policy_unref(peer->policy);
	ca_store_unref(peer->authorities);
	ca_store_unref(peer->advertised);
	*peer = (struct policy_peer){.policy = NULL};
}
