/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A staple is judged by what the check of the chain has verified, within the
 * handshake: OpenSSL calls back when all of the server's flight is there, and
 * before our Finished. A resumed session brings none; what its first handshake
 * came to stands in it.
 *
 * "unknown" from one who has the right to say it is the issuer's word that
 * there is no such certificate. It ends the connection, as in IO::Socket::SSL
 * and in browsers.
 */
#include "common/verify/peer_ocsp.h"

#include <assert.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/verify/peer_check.h"

/* For SSL_CTX_set_tlsext_status_cb() in a client. */
#define STAPLE_ACCEPTED 1
#define STAPLE_REFUSED  0

/* A session that began without an answer is not resumed for longer: in a full
 * handshake the responder is asked again. */
#define DOUBT_SECONDS 60

static enum peer_ocsp
word_of(enum ocsp_status status)
{
	switch (status) {
	case OCSP_UNUSABLE:
		break;
	case OCSP_GOOD:
		return PEER_OCSP_GOOD;
	case OCSP_UNKNOWN:
		return PEER_OCSP_UNKNOWN;
	case OCSP_REVOKED:
		return PEER_OCSP_REVOKED;
	}
	return PEER_OCSP_UNUSABLE;
}

/* is_strict: nothing but good will do. */
static struct peer_statement
statement_of(const struct ocsp_judgement *judgement, int depth, bool is_strict)
{
	enum peer_ocsp ocsp = word_of(judgement->status);

	return (struct peer_statement){
		.ocsp = ocsp,
		.depth = depth,
		.valid_until =
			ocsp == PEER_OCSP_GOOD ? judgement->valid_until : 0,
		.sentence = ocsp == PEER_OCSP_GOOD ? NULL : judgement->sentence,
		.is_fatal = ocsp >= PEER_OCSP_UNKNOWN ||
			    (is_strict && ocsp != PEER_OCSP_GOOD),
	};
}

/* The chain as far as it has been verified. A pin admits without. */
static const STACK_OF(X509) *
verified_chain(const SSL *ssl)
{
	const struct peer_verdict *verdict = peer_check_verdict(ssl);

	if (!verdict || verdict->step == PEER_STEP_CHAIN)
		return NULL;
	return SSL_get0_verified_chain(ssl);
}

static struct ocsp_pair
pair_at(const STACK_OF(X509) *chain, int depth)
{
	return (struct ocsp_pair){
		.certificate = sk_X509_value(chain, depth),
		.issuer = sk_X509_value(chain, depth + 1),
	};
}

/* Servers staple for their own certificate; one that tells of the revocation of
 * its CA is believed, too. */
static bool
hear_staple(SSL *ssl, const unsigned char *der, size_t length, bool is_must)
{
	const STACK_OF(X509) *chain = verified_chain(ssl);
	int64_t now = clock_real_s();
	bool is_admitted = true;

	for (int i = 0; i + 1 < sk_X509_num(chain) && is_admitted; i++) {
		const struct ocsp_pair pair = pair_at(chain, i);
		struct ocsp_judgement judgement;
		struct peer_statement statement;

		if (ocsp_answer_judge(der, length, &pair, NULL, now,
				      &judgement) != OCSP_REVOKED &&
		    i > 0)
			continue;
		statement = statement_of(&judgement, i, is_must);
		is_admitted = peer_check_hear(ssl, &statement);
	}
	return is_admitted;
}

static bool
hear_nothing(SSL *ssl, enum peer_ocsp ocsp, const char *sentence, bool is_must)
{
	const struct peer_statement statement = {
		.ocsp = ocsp,
		.sentence = sentence,
		.is_fatal = is_must,
	};

	return peer_check_hear(ssl, &statement);
}

/* Does the gate insist on a staple, or the certificate itself (RFC 7633)? */
static bool
is_staple_due(const SSL *ssl, const struct peer_policy *policy)
{
	X509 *leaf = SSL_get0_peer_certificate(ssl);

	return policy->ocsp.staple == OCSP_STAPLE_MUST ||
	       (leaf && ocsp_is_staple_demanded(leaf));
}

static int
on_status(SSL *ssl, void *argument)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	const unsigned char *der = NULL;
	bool is_must, is_admitted;
	long length;

	(void)argument;
	assert(policy);
	if (SSL_session_reused(ssl))
		return STAPLE_ACCEPTED;
	is_must = is_staple_due(ssl, policy);
	length = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	if (!der || length <= 0)
		is_admitted = hear_nothing(
			ssl, PEER_OCSP_NONE,
			"the server sent no OCSP answer along", is_must);
	else if (sk_X509_num(verified_chain(ssl)) < 2)
		is_admitted = hear_nothing(
			ssl, PEER_OCSP_UNCHECKED,
			"whose OCSP answer would count is not known, as its "
			"issuer was not verified",
			is_must);
	else
		is_admitted = hear_staple(ssl, der, (size_t)length, is_must);
	return is_admitted ? STAPLE_ACCEPTED : STAPLE_REFUSED;
}

int
peer_ocsp_install(SSL_CTX *context, const struct peer_policy *policy)
{
	if (policy->role != PEER_SERVER ||
	    policy->ocsp.staple == OCSP_STAPLE_OFF)
		return 0;
	return SSL_CTX_set_tlsext_status_type(context,
					      TLSEXT_STATUSTYPE_ocsp) &&
			       SSL_CTX_set_tlsext_status_cb(context, on_status)
		       ? 0
		       : -1;
}

size_t
peer_ocsp_questions(SSL *ssl, struct ocsp_pair *pairs, int *depths, size_t max)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	const struct peer_verdict *verdict = peer_check_verdict(ssl);
	const STACK_OF(X509) *chain;
	size_t count = 0;

	if (!policy || !verdict || policy->ocsp.check == OCSP_CHECK_OFF ||
	    SSL_session_reused(ssl))
		return 0;
	chain = verified_chain(ssl);
	for (int i = 0; i + 1 < sk_X509_num(chain) && count < max; i++) {
		if (i > 0 && policy->ocsp.check == OCSP_CHECK_LEAF)
			break;
		if (i == 0 && verdict->ocsp == PEER_OCSP_GOOD)
			continue;
		pairs[count] = pair_at(chain, i);
		depths[count++] = i;
	}
	return count;
}

/* Is there anybody who might know better later? */
static bool
may_answer(const SSL *ssl, int depth)
{
	X509 *certificate = sk_X509_value(verified_chain(ssl), depth);
	AUTO_FREE char *responder = mem_alloc(OCSP_URI_SIZE);

	return certificate && ocsp_responder_find(certificate, responder);
}

bool
peer_ocsp_answered(SSL *ssl, int depth, const struct ocsp_judgement *judgement)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	struct peer_statement statement;

	assert(policy);
	statement = statement_of(judgement, depth, policy->ocsp.is_hard);
	if (statement.ocsp == PEER_OCSP_UNUSABLE && may_answer(ssl, depth))
		statement.valid_until = clock_real_s() + DOUBT_SECONDS;
	return peer_check_hear(ssl, &statement);
}
