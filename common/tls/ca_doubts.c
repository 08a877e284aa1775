/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manual's common problem: a trust store is no list of certificates to be
 * trusted, but of CAs to verify others by.
 */
#include "common/tls/ca_doubts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/tls/certificate.h"
#include "common/verify/peer_words.h"

#define LOOKED_AT_MAX 100

static void
doubt_one(X509 *certificate, bool is_partial_chain, const struct position *at,
	  struct error_list *warnings)
{
	int64_t not_before_ms, not_after_ms;
	char subject[128], issuer[128], date[32];

	peer_words_name(X509_get_subject_name(certificate), subject,
			sizeof(subject));
	if (!is_partial_chain && X509_check_ca(certificate) == 0 &&
	    X509_self_signed(certificate, 0) != 1)
		error_list_addf(
			warnings, at,
			"verify.ca: %s is no CA (basicConstraints lack "
			"CA:TRUE) and is not looked at: name %s, which has "
			"signed it, or admit it by its fingerprint",
			subject,
			peer_words_name(X509_get_issuer_name(certificate),
					issuer, sizeof(issuer)));
	else if (certificate_validity(certificate, &not_before_ms,
				      &not_after_ms) == 0 &&
		 not_after_ms <= clock_real_ms())
		error_list_addf(warnings, at,
				"verify.ca: %s expired on %s: what it has "
				"signed is not valid any more",
				subject, clock_format(not_after_ms, date));
}

void
ca_doubts(X509_STORE *store, bool is_partial_chain, const struct position *at,
	  struct error_list *warnings)
{
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

	if (sk_X509_OBJECT_num(objects) > LOOKED_AT_MAX)
		return;
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *certificate =
			X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (certificate)
			doubt_one(certificate, is_partial_chain, at, warnings);
	}
	ERR_clear_error();
}
