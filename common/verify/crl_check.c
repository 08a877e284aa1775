/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the answers of the index to OpenSSL's errors, by which a peer gets the
 * right alert, and to words for the log.
 */
#include "common/verify/crl_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <openssl/x509_vfy.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/verify/crl_index.h"

void
crl_rules_clear(struct crl_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		crl_index_unref(rules->indexes[i]);
	mem_free(rules->indexes);
	*rules = (struct crl_rules){0};
}

static const char *
format_day(int64_t seconds, char *buffer, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&when, &parts) ||
	    strftime(buffer, size, "%Y-%m-%d", &parts) == 0)
		snprintf(buffer, size, "?");
	return buffer;
}

__attribute__((format(printf, 3, 4), cold)) static bool
refuse(struct crl_refusal *refusal, int error, const char *format, ...)
{
	va_list arguments;

	refusal->error = error;
	va_start(arguments, format);
	vsnprintf(refusal->sentence, sizeof(refusal->sentence), format,
		  arguments);
	va_end(arguments);
	return false;
}

static bool
judge(enum crl_answer answer, const struct crl_finding *finding,
      struct crl_refusal *refusal)
{
	char day[32];

	switch (answer) {
	case CRL_GOOD:
		return true;
	case CRL_REVOKED:
		return refuse(refusal, X509_V_ERR_CERT_REVOKED,
			      "revoked on %s (%s), says %.160s",
			      format_day(finding->revoked_at, day, sizeof(day)),
			      finding->reason, finding->source);
	case CRL_MISSING:
		return refuse(refusal, X509_V_ERR_UNABLE_TO_GET_CRL,
			      "there is no revocation list of its issuer that "
			      "covers it");
	case CRL_EXPIRED:
		return refuse(
			refusal, X509_V_ERR_CRL_HAS_EXPIRED,
			"the revocation list of its issuer expired on "
			"%s: %.160s",
			format_day(finding->next_update, day, sizeof(day)),
			finding->source);
	case CRL_NOT_YET_VALID:
		return refuse(
			refusal, X509_V_ERR_CRL_NOT_YET_VALID,
			"the revocation list of its issuer is not valid "
			"before %s: %.160s",
			format_day(finding->this_update, day, sizeof(day)),
			finding->source);
	case CRL_BAD_SIGNATURE:
		return refuse(refusal, X509_V_ERR_CRL_SIGNATURE_FAILURE,
			      "the revocation list under the name of its "
			      "issuer is not signed with the issuer's key");
	case CRL_BAD_ISSUER:
		return refuse(refusal, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
			      "its issuer may not sign revocation lists (key "
			      "usage)");
	}
	abort();
}

static void
tell_expiry(const struct crl_finding *finding)
{
	char day[32];

	log_warn("a revocation list has expired and counts on",
		 "file=\"%s\" expired=%s", finding->source,
		 format_day(finding->next_update, day, sizeof(day)));
}

bool
crl_check_chain(const struct crl_rules *rules, const STACK_OF(X509) *chain,
		int64_t now, int64_t *valid_until, struct crl_refusal *refusal)
{
	int last = sk_X509_num(chain) - 1;

	if (rules->count == 0)
		return true;
	for (int i = 0; i < last && (i == 0 || rules->is_chain); i++) {
		struct crl_finding finding;
		enum crl_answer answer = crl_index_check(
			rules->indexes, rules->count, sk_X509_value(chain, i),
			sk_X509_value(chain, i + 1), now,
			rules->is_expired_good, &finding);

		if (finding.is_news)
			tell_expiry(&finding);
		refusal->depth = i;
		if (!judge(answer, &finding, refusal))
			return false;
		if (!rules->is_expired_good &&
		    finding.next_update < *valid_until)
			*valid_until = finding.next_update;
	}
	return true;
}
