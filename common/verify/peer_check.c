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

#include "common/base/error.h"
#include "common/base/mem.h"

static int verdict_index = -1;
static int policy_index = -1;

static void
free_verdict(void *parent, void *pointer, CRYPTO_EX_DATA *extra, int index,
	     long argument, void *more)
{
	struct peer_verdict *verdict = pointer;

	(void)parent;
	(void)extra;
	(void)index;
	(void)argument;
	(void)more;
	if (verdict)
		peer_verdict_clear(verdict);
	mem_free(verdict);
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
	verdict_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_verdict);
	policy_index =
		SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_policy);
}

static bool
has_indexes(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	return CRYPTO_THREAD_run_once(&once, make_indexes) &&
	       verdict_index >= 0 && policy_index >= 0;
}

/* A new verdict of this connection's, which says no. */
static struct peer_verdict *
verdict_new(SSL *ssl)
{
	struct peer_verdict *verdict;

	if (!ssl)
		return NULL;
	free_verdict(NULL, SSL_get_ex_data(ssl, verdict_index), NULL, 0, 0,
		     NULL);
	verdict = mem_alloc(sizeof(*verdict));
	if (SSL_set_ex_data(ssl, verdict_index, verdict))
		return verdict;
	mem_free(verdict);
	return NULL;
}

static enum peer_step
step_of(int error)
{
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return PEER_STEP_NAME;
	default:
		return PEER_STEP_CHAIN;
	}
}

static void
check_chain(X509_STORE_CTX *verification, struct peer_verdict *verdict)
{
	int error;

	if (X509_verify_cert(verification) > 0)
		return;
	error = X509_STORE_CTX_get_error(verification);
	peer_verdict_note(verdict, step_of(error), error,
			  X509_STORE_CTX_get_error_depth(verification),
			  X509_STORE_CTX_get_current_cert(verification), NULL);
}

/* What X509_verify_cert() built, with everything that it trusts at the end. */
static void
check_revoked(X509_STORE_CTX *verification, const struct peer_policy *policy,
	      struct peer_verdict *verdict)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(verification);
	struct crl_refusal refusal;

	if (!policy ||
	    crl_check_chain(&policy->crl, chain, (int64_t)time(NULL), &refusal))
		return;
	peer_verdict_note(verdict, PEER_STEP_REVOKED, refusal.error,
			  refusal.depth, sk_X509_value(chain, refusal.depth),
			  refusal.sentence);
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
check(X509_STORE_CTX *verification, void *argument)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		verification, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct peer_verdict *verdict = verdict_new(ssl);

	(void)argument;
	if (!verdict)
		return answer(verification, NULL);
	check_chain(verification, verdict);
	if (verdict->step == PEER_STEP_NONE)
		check_revoked(verification, peer_check_policy(ssl), verdict);
	verdict->is_admitted = verdict->step == PEER_STEP_NONE;
	return answer(verification, verdict);
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
	SSL_CTX_set_cert_verify_callback(context, check, NULL);
	return X509_VERIFY_PARAM_clear_flags(
		       rules, X509_VERIFY_PARAM_get_flags(rules)) &&
			       X509_VERIFY_PARAM_set_flags(rules, flags) &&
			       X509_VERIFY_PARAM_set_purpose(rules, purpose)
		       ? 0
		       : -1;
}

const struct peer_verdict *
peer_check_verdict(const SSL *ssl)
{
	return has_indexes() ? SSL_get_ex_data(ssl, verdict_index) : NULL;
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
peer_check_confirm(SSL *ssl, struct error *error)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	const struct peer_verdict *verdict = peer_check_verdict(ssl);
	long result = SSL_get_verify_result(ssl);

	if (SSL_get_verify_mode(ssl) != (policy ? mode_of(policy) : 0))
		return refuse(error, "the peer's certificate was not verified");
	if (!policy)
		return 0;
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
