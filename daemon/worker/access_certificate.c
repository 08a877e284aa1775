/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/access_certificate.h"

#include <stdio.h>
#include <openssl/ssl.h>

#include "common/verify/peer_check.h"
#include "common/verify/peer_names.h"
#include "common/verify/peer_words.h"

static void
learn_names(const X509 *leaf, struct access_certificate *certificate)
{
	struct peer_names *names = peer_names_new(leaf);

	certificate->name_total = peer_names_count(names);
	for (size_t i = 0; i < certificate->name_total && i < ACCESS_NAMES_MAX;
	     i++) {
		const struct peer_name *name = peer_names_at(names, i);
		char *to = certificate->names[certificate->name_count++];
		int length = snprintf(to, sizeof(certificate->names[0]),
				      "%s:", peer_name_kind_word(name->kind));

		peer_name_format(name, to + length,
				 sizeof(certificate->names[0]) -
					 (size_t)length);
	}
	peer_names_free(names);
}

void
access_certificate_read(const X509 *leaf, const struct peer_verdict *verdict,
			struct access_certificate *certificate)
{
	struct fingerprint fingerprint;

	*certificate = (struct access_certificate){.is_known = true};
	peer_words_name(X509_get_subject_name(leaf), certificate->subject,
			sizeof(certificate->subject));
	learn_names(leaf, certificate);
	if (fingerprint_make(leaf, "sha256", false, &fingerprint, NULL) == 0)
		fingerprint_format(&fingerprint, certificate->fingerprint,
				   sizeof(certificate->fingerprint));
	if (verdict && verdict->is_admitted)
		peer_verdict_format_admission(verdict, certificate->verify,
					      sizeof(certificate->verify));
	else
		snprintf(certificate->verify, sizeof(certificate->verify),
			 "none");
	certificate->ocsp = verdict ? peer_verdict_ocsp(verdict) : NULL;
}

void
access_certificate_learn(SSL *ssl, struct access_certificate *certificate)
{
	const X509 *leaf = SSL_get0_peer_certificate(ssl);

	*certificate = (struct access_certificate){.is_known = false};
	if (leaf)
		access_certificate_read(leaf, peer_check_verdict(ssl),
					certificate);
}
