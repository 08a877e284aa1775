/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only what is so for sure, or nearly: whether a chain without its root is
 * complete, for one, depends on whom the peer trusts.
 */
#include "common/route/certificate_doubts.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/openssl_auto.h"
#include "common/tls/certificate_record.h"
#include "common/verify/peer_words.h"

#define DAY_MS      INT64_C(86400000)
#define SOON_MAX_MS (30 * DAY_MS)

void
certificate_doubt_dates(const struct certificate_record *certificate,
			const struct position *at, struct error_list *warnings)
{
	int64_t now = clock_real_ms();
	int64_t left = certificate->not_after_ms - now;
	int64_t life = certificate->not_after_ms - certificate->not_before_ms;
	char date[32];

	if (left <= 0)
		error_list_addf(warnings, at, "%s expired on %s",
				certificate->source,
				clock_format(certificate->not_after_ms, date));
	else if (now < certificate->not_before_ms)
		error_list_addf(warnings, at, "%s is not valid before %s",
				certificate->source,
				clock_format(certificate->not_before_ms, date));
	else if (left < life / 10 && left < SOON_MAX_MS)
		error_list_addf(warnings, at,
				"%s expires on %s, in %" PRId64
				" day%s: renew it",
				certificate->source,
				clock_format(certificate->not_after_ms, date),
				left / DAY_MS, left / DAY_MS == 1 ? "" : "s");
}

static bool
is_for(X509 *leaf, bool is_server)
{
	EXTENDED_KEY_USAGE *purposes =
		X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
	bool is_found = !purposes;

	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++) {
		int purpose = OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, i));

		is_found = is_found || purpose == NID_anyExtendedKeyUsage ||
			   purpose == (is_server ? NID_server_auth
						 : NID_client_auth);
	}
	EXTENDED_KEY_USAGE_free(purposes);
	return is_found;
}

static void
doubt_purpose(X509 *leaf, const char *source, bool is_server,
	      const struct position *at, struct error_list *warnings)
{
	char purposes[160];

	if (is_for(leaf, is_server))
		return;
	peer_words_purposes(leaf, purposes, sizeof(purposes));
	error_list_addf(warnings, at,
			"%s is for %s only (extendedKeyUsage): as a %s's it "
			"will be refused, get one for %s",
			source, purposes, is_server ? "server" : "client",
			is_server ? "serverAuth" : "clientAuth");
}

/* Issued by somebody whose certificate is not there, but can be fetched: that
 * is what an intermediate's place is told for. */
static void
doubt_chain(X509 *leaf, const char *source, const struct position *at,
	    struct error_list *warnings)
{
	char issuer[128], place[160];

	if (X509_NAME_cmp(X509_get_subject_name(leaf),
			  X509_get_issuer_name(leaf)) == 0 ||
	    !peer_words_issuer_place(leaf, place, sizeof(place)))
		return;
	peer_words_name(X509_get_issuer_name(leaf), issuer, sizeof(issuer));
	error_list_addf(warnings, at,
			"%s has no chain: unless all peers trust %s itself, "
			"append its certificate (get it at %s)",
			source, issuer, place);
}

void
certificate_doubt_use(const struct certificate_record *certificate,
		      bool is_server, const struct position *at,
		      struct error_list *warnings)
{
	const unsigned char *bytes = certificate->leaf->bytes;
	AUTO_OPENSSL(x509)
	X509 *leaf = d2i_X509(NULL, &bytes, (long)certificate->leaf->length);

	if (leaf) {
		doubt_purpose(leaf, certificate->source, is_server, at,
			      warnings);
		if (certificate->chain_count == 0)
			doubt_chain(leaf, certificate->source, at, warnings);
	}
	ERR_clear_error();
}
