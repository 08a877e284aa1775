/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs in the middle of a handshake, on the 32 kB stack of its fibre: what is
 * big lives on the heap.
 *
 * X509_V_FLAG_X509_STRICT is not set. It demands of every certificate of a
 * chain what RFC 5280 demands of those who issue them (key identifiers, a key
 * usage, basic constraints that are critical), and CAs that people have made
 * for themselves with OpenSSL's own command before 3.0 lack one or another.
 * None of it makes a certificate pass that should not.
 */
#include "common/verify/peer_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "common/base/asn1_seconds.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/net/hostname.h"
#include "common/verify/fingerprint.h"
#include "common/verify/peer_advice.h"
#include "common/verify/peer_names.h"
#include "common/verify/peer_session.h"
#include "common/verify/verify_name.h"

/* What hangs on an SSL. */
struct peer_state {
	char *name; /* whom its certificate must be for; NULL: nobody */
	struct peer_verdict verdict;
	bool is_checked;
};

static int state_index = -1;
static int policy_index = -1;

static void
free_state(void *parent, void *pointer, CRYPTO_EX_DATA *extra, int index,
	   long argument, void *more)
{
	struct peer_state *state = pointer;

	(void)parent;
	(void)extra;
	(void)index;
	(void)argument;
	(void)more;
	if (!state)
		return;
	peer_verdict_clear(&state->verdict);
	mem_free(state->name);
	mem_free(state);
}

static void
free_policy(void *parent, void *pointer, CRYPTO_EX_DATA *extra, int index,
	    long argument, void *more)
{
	(void)parent;
	(void)extra;
	(void)index;
	(void)argument;
	(void)more;
	peer_policy_unref(pointer);
}

static void
make_indexes(void)
{
	state_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_state);
	policy_index =
		SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_policy);
}

static bool
has_indexes(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	return CRYPTO_THREAD_run_once(&once, make_indexes) &&
	       state_index >= 0 && policy_index >= 0;
}

static const struct peer_state *
state_of(const SSL *ssl)
{
	return has_indexes() ? SSL_get_ex_data(ssl, state_index) : NULL;
}

/* This connection's, made when there is none yet; NULL without memory. */
static struct peer_state *
state_need(SSL *ssl)
{
	struct peer_state *state;

	if (!has_indexes())
		return NULL;
	state = SSL_get_ex_data(ssl, state_index);
	if (state)
		return state;
	state = mem_alloc(sizeof(*state));
	if (SSL_set_ex_data(ssl, state_index, state))
		return state;
	mem_free(state);
	return NULL;
}

/* One check under way. */
struct check {
	const struct peer_policy *policy;
	X509_STORE_CTX *verification;
	X509 *leaf;
	struct peer_names *names; /* NULL until they are needed */
	const char *name;         /* the one wanted, or NULL */
	struct peer_verdict *verdict;
};

static const struct peer_names *
names_of(struct check *check)
{
	if (!check->names)
		check->names = peer_names_new(check->leaf);
	return check->names;
}

static bool
is_pinned(const struct check *check)
{
	return check->policy->pins &&
	       fingerprint_set_find(check->policy->pins, check->leaf) >= 0;
}

/* The first end of its certificates. */
static int64_t
chain_end(const STACK_OF(X509) *chain)
{
	int64_t first = PEER_FOREVER;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *one = sk_X509_value(chain, i);
		int64_t end;

		if (asn1_seconds(X509_get0_notAfter(one), &end) != 0)
			return 0;
		if (end < first)
			first = end;
	}
	return first;
}

static bool
check_chain(struct check *check)
{
	X509_STORE_CTX *verification = check->verification;

	if (X509_verify_cert(verification) > 0) {
		check->verdict->valid_until =
			chain_end(X509_STORE_CTX_get0_chain(verification));
		return true;
	}
	peer_verdict_note(check->verdict, PEER_STEP_CHAIN,
			  X509_STORE_CTX_get_error(verification),
			  X509_STORE_CTX_get_error_depth(verification),
			  X509_STORE_CTX_get_current_cert(verification), NULL);
	return false;
}

/* What X509_verify_cert() built, with everything that it trusts at the end. */
static bool
check_revoked(struct check *check)
{
	const STACK_OF(X509) *chain =
		X509_STORE_CTX_get0_chain(check->verification);
	struct crl_refusal refusal;

	if (crl_check_chain(&check->policy->crl, chain, clock_real_s(),
			    &check->verdict->valid_until, &refusal))
		return true;
	peer_verdict_note(check->verdict, PEER_STEP_REVOKED, refusal.error,
			  refusal.depth, sk_X509_value(chain, refusal.depth),
			  refusal.sentence);
	return false;
}

static void
note_leaf(struct check *check, enum peer_step step, int error,
	  const char *sentence)
{
	peer_verdict_note(check->verdict, step, error, 0, check->leaf,
			  sentence);
}

static bool
check_name(struct check *check)
{
	const struct peer_policy *policy = check->policy;

	if (!peer_policy_wants_name(policy))
		return true;
	/* A backend that nobody has prepared for is nobody's. */
	if (check->name &&
	    verify_name_check(&policy->scheme, policy->suffixes,
			      names_of(check), check->name, NULL))
		return true;
	note_leaf(check, PEER_STEP_NAME,
		  check->name && hostname_is_ip(check->name)
			  ? X509_V_ERR_IP_ADDRESS_MISMATCH
			  : X509_V_ERR_HOSTNAME_MISMATCH,
		  NULL);
	return false;
}

/* Of OpenSSL's errors the one for a name that none of those permitted covers:
 * its alert, certificate_unknown, is the nearest there is to access_denied. */
static bool
check_rules(struct check *check)
{
	const struct peer_rules *allow = &check->policy->allow;

	if (peer_rules_is_empty(allow) ||
	    peer_rules_find(allow, names_of(check), NULL))
		return true;
	note_leaf(check, PEER_STEP_RULES, X509_V_ERR_PERMITTED_VIOLATION,
		  "no rule of allow is for it");
	return false;
}

static bool
check_pin_alone(struct check *check)
{
	if (check->verdict->is_pinned)
		return true;
	note_leaf(check, PEER_STEP_CHAIN,
		  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
		  "no fingerprint is its, and with ca none nothing else "
		  "admits it");
	return false;
}

/* OpenSSL knows what it stumbled over itself; a list is asked about what it has
 * been content with. */
static X509 *
certificate_in_question(const struct check *check)
{
	X509_STORE_CTX *verification = check->verification;

	if (check->verdict->step != PEER_STEP_REVOKED)
		return X509_STORE_CTX_get_current_cert(verification);
	return sk_X509_value(X509_STORE_CTX_get0_chain(verification),
			     check->verdict->depth);
}

static void
advise(struct check *check)
{
	const struct peer_policy *policy = check->policy;
	struct peer_verdict *verdict = check->verdict;
	const struct peer_case peer = {
		.error = verdict->error,
		.depth = verdict->depth,
		.leaf = check->leaf,
		.about = certificate_in_question(check),
		.chain = X509_STORE_CTX_get0_untrusted(check->verification),
		.store = policy->authorities,
		.name = check->name,
		.is_client = policy->role == PEER_CLIENT,
		.now = (time_t)clock_real_s(),
	};
	AUTO_FREE char *text = mem_alloc(PEER_ADVICE_MAX);

	switch (verdict->step) {
	case PEER_STEP_NONE:
	case PEER_STEP_OCSP: /* comes later */
		return;
	case PEER_STEP_CHAIN:
		if (!policy->is_pin_only)
			peer_advice(&peer, text, PEER_ADVICE_MAX);
		break;
	case PEER_STEP_REVOKED:
		peer_advice(&peer, text, PEER_ADVICE_MAX);
		break;
	case PEER_STEP_NAME:
		if (check->name)
			verify_name_explain(&policy->scheme, policy->suffixes,
					    names_of(check), check->name, text,
					    PEER_ADVICE_MAX);
		break;
	case PEER_STEP_RULES:
		peer_rules_explain(&policy->allow, names_of(check), text,
				   PEER_ADVICE_MAX);
		break;
	}
	if (text[0] != '\0')
		verdict->advice = TAKE(text);
}

/* A pin is looked for first; what else would have been wrong is noted. */
static void
run(struct check *check)
{
	struct peer_verdict *verdict = check->verdict;

	verdict->is_pinned = is_pinned(check);
	if (check->policy->is_pin_only)
		(void)check_pin_alone(check);
	else if (check_chain(check) && check_revoked(check) &&
		 check_name(check))
		(void)check_rules(check);
	verdict->is_admitted =
		verdict->is_pinned || verdict->step == PEER_STEP_NONE;
	if (verdict->is_pinned)
		verdict->valid_until = PEER_FOREVER;
	if (!verdict->is_admitted)
		advise(check);
	peer_names_free(check->names);
}

/* Our answer and the error must agree: OpenSSL takes its alert from the one,
 * and others may look at the other alone. */
static int
answer(X509_STORE_CTX *verification, const struct peer_verdict *verdict)
{
	if (verdict && verdict->is_admitted) {
		X509_STORE_CTX_set_error(verification, X509_V_OK);
		return 1;
	}
	X509_STORE_CTX_set_error(verification, verdict ? verdict->error
						       : X509_V_ERR_OUT_OF_MEM);
	return 0;
}

static int
on_certificate(X509_STORE_CTX *verification, void *argument)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		verification, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct peer_state *state = ssl ? state_need(ssl) : NULL;
	struct check check = {
		.policy = argument,
		.verification = verification,
		.leaf = X509_STORE_CTX_get0_cert(verification),
	};

	if (!state || !check.leaf)
		return answer(verification, NULL);
	peer_verdict_clear(&state->verdict);
	state->is_checked = true;
	check.name = state->name;
	check.verdict = &state->verdict;
	/* What a pin outranks has left its words in the queue, and the next
	 * SSL_get_error() would take them for the handshake's own. */
	ERR_set_mark();
	run(&check);
	ERR_pop_to_mark();
	return answer(verification, check.verdict);
}

static int
mode_of(const struct peer_policy *policy)
{
	return SSL_VERIFY_PEER |
	       (policy->is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

int
peer_check_install(SSL_CTX *context, struct peer_policy *policy)
{
	X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(context);
	int purpose = policy->role == PEER_CLIENT ? X509_PURPOSE_SSL_CLIENT
						  : X509_PURPOSE_SSL_SERVER;
	unsigned long flags =
		X509_V_FLAG_TRUSTED_FIRST |
		(policy->is_partial_chain ? X509_V_FLAG_PARTIAL_CHAIN : 0);

	if (!has_indexes() ||
	    !SSL_CTX_set_ex_data(context, policy_index, policy))
		return -1;
	peer_policy_ref(policy);
	SSL_CTX_set1_cert_store(context, policy->authorities);
	SSL_CTX_set_verify(context, mode_of(policy), NULL);
	SSL_CTX_set_verify_depth(context, (int)policy->depth);
	SSL_CTX_set_cert_verify_callback(context, on_certificate, policy);
	return X509_VERIFY_PARAM_clear_flags(
		       rules, X509_VERIFY_PARAM_get_flags(rules)) &&
			       X509_VERIFY_PARAM_set_flags(rules, flags) &&
			       X509_VERIFY_PARAM_set_purpose(rules, purpose)
		       ? 0
		       : -1;
}

const struct peer_policy *
peer_check_policy(const SSL *ssl)
{
	return has_indexes()
		       ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), policy_index)
		       : NULL;
}

static int
refuse(struct error *error, const char *sentence)
{
	error_set(error, "%s", sentence);
	return -1;
}

int
peer_check_expect(SSL *ssl, const char *name, struct error *error)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	struct peer_state *state = policy ? state_need(ssl) : NULL;
	char normalized[HOSTNAME_MAX + 1];

	if (!policy || !peer_policy_wants_name(policy))
		return 0;
	if (!state)
		return refuse(error, "no memory for TLS");
	if (verify_name_normalize(name ? name : "", normalized, error) != 0)
		return -1;
	mem_free(state->name);
	state->name = mem_strdup(normalized);
	return 0;
}

const struct peer_verdict *
peer_check_verdict(const SSL *ssl)
{
	const struct peer_state *state = state_of(ssl);

	return state && state->is_checked ? &state->verdict : NULL;
}

static int
error_of(enum peer_ocsp ocsp)
{
	switch (ocsp) {
	case PEER_OCSP_REVOKED:
		return X509_V_ERR_CERT_REVOKED;
	case PEER_OCSP_UNKNOWN:
		return X509_V_ERR_OCSP_CERT_UNKNOWN;
	case PEER_OCSP_NONE:
		return X509_V_ERR_OCSP_VERIFY_NEEDED;
	case PEER_OCSP_UNUSABLE:
	case PEER_OCSP_UNCHECKED:
	case PEER_OCSP_GOOD:
		break;
	}
	return X509_V_ERR_OCSP_VERIFY_FAILED;
}

/* A peer that the check has let in is kept out after all. */
static void
overrule(SSL *ssl, struct peer_state *state,
	 const struct peer_statement *statement)
{
	X509 *leaf = SSL_get0_peer_certificate(ssl);
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	struct peer_verdict *verdict = &state->verdict;
	X509 *about = statement->depth == 0
			      ? leaf
			      : sk_X509_value(chain, statement->depth);
	const struct peer_case peer = {
		.error = error_of(statement->ocsp),
		.depth = statement->depth,
		.leaf = leaf,
		.about = about,
		.name = state->name,
		.is_client = SSL_is_server(ssl),
		.now = (time_t)clock_real_s(),
	};
	AUTO_FREE char *text = mem_alloc(PEER_ADVICE_MAX);

	peer_verdict_note(verdict,
			  statement->ocsp == PEER_OCSP_REVOKED
				  ? PEER_STEP_REVOKED
				  : PEER_STEP_OCSP,
			  peer.error, peer.depth, about, statement->sentence);
	if (verdict->is_pinned)
		return;
	verdict->is_admitted = false;
	SSL_set_verify_result(ssl, peer.error);
	if (peer_advice(&peer, text, PEER_ADVICE_MAX)[0] != '\0')
		verdict->advice = TAKE(text);
}

bool
peer_check_hear(SSL *ssl, const struct peer_statement *statement)
{
	struct peer_state *state =
		has_indexes() ? SSL_get_ex_data(ssl, state_index) : NULL;
	struct peer_verdict *verdict;

	if (!state || !state->is_checked)
		return false;
	verdict = &state->verdict;
	if (statement->depth == 0 || statement->ocsp > verdict->ocsp) {
		verdict->ocsp = statement->ocsp;
		mem_free(verdict->ocsp_sentence);
		verdict->ocsp_sentence =
			statement->sentence ? mem_strdup(statement->sentence)
					    : NULL;
	}
	if (statement->valid_until > 0 && !verdict->is_pinned &&
	    statement->valid_until < verdict->valid_until)
		verdict->valid_until = statement->valid_until;
	if (statement->is_fatal && verdict->step == PEER_STEP_NONE)
		overrule(ssl, state, statement);
	return verdict->is_admitted;
}

/* Where a session was resumed no certificate has been checked: the verdict is
 * that of the handshake with which it began. */
static void
recall_verdict(SSL *ssl)
{
	struct peer_state *state = state_need(ssl);
	struct peer_session known;

	if (!state || state->is_checked ||
	    peer_session_recall(SSL_get_session(ssl), &known) != 0)
		return;
	if (known.has_certificate) {
		state->verdict = known.verdict;
		known.verdict = (struct peer_verdict){0};
		state->is_checked = true;
	}
	peer_session_clear(&known);
}

int
peer_check_confirm(SSL *ssl, struct error *error)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	const struct peer_verdict *verdict;
	const struct peer_state *state;
	long result = SSL_get_verify_result(ssl);

	if (SSL_get_verify_mode(ssl) != (policy ? mode_of(policy) : 0))
		return refuse(error, "the peer's certificate was not verified");
	if (!policy)
		return 0;
	if (SSL_session_reused(ssl))
		recall_verdict(ssl);
	verdict = peer_check_verdict(ssl);
	state = state_of(ssl);
	if (peer_policy_wants_name(policy) && (!state || !state->name))
		return refuse(error, "nobody has said whose certificate to "
				     "expect");
	if (!SSL_get0_peer_certificate(ssl))
		return policy->is_required
			       ? refuse(error, "no certificate came")
			       : 0;
	if (!verdict || !verdict->is_admitted)
		return refuse(error, "the peer's certificate was not verified");
	if (result == X509_V_OK)
		return 0;
	error_set(error, "certificate verify failed: %s",
		  X509_verify_cert_error_string(result));
	return -1;
}
