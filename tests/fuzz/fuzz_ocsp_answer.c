/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certificate, its issuer's, each behind two bytes of length, and an answer:
 * what is believed has been signed, and says so to OpenSSL, too. With another
 * byte behind it nothing is believed any more.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/verify/ocsp_answer.h"

/* In 2030, when the answers of the corpus are of today. */
#define NOW INT64_C(1900000000)

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

OPENSSL_AUTO_FREE(ocsp_response, OCSP_RESPONSE, OCSP_RESPONSE_free);

static X509 *
read_certificate(struct buf_reader *reader)
{
	size_t length = buf_read_u16(reader);
	const unsigned char *der = buf_read_bytes(reader, length);

	return der ? d2i_X509(NULL, &der, (long)length) : NULL;
}

/* Does any statement with the certificate's serial number say so? */
static bool
is_said(OCSP_BASICRESP *basic, const X509 *certificate, int wanted)
{
	ASN1_INTEGER *serial;

	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		int status =
			OCSP_single_get0_status(single, NULL, NULL, NULL, NULL);

		if (status == wanted &&
		    OCSP_id_get0_info(
			    NULL, NULL, NULL, &serial,
			    (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(
				    single)) &&
		    ASN1_INTEGER_cmp(serial,
				     X509_get0_serialNumber(certificate)) == 0)
			return true;
	}
	return false;
}

/* Signed by the issuer, or somebody whose certificate is in it. */
static void
compare(const unsigned char *der, size_t length, const struct ocsp_pair *pair,
	const struct ocsp_judgement *judgement)
{
	static const int statuses[] = {
		[OCSP_GOOD] = V_OCSP_CERTSTATUS_GOOD,
		[OCSP_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
		[OCSP_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
	};
	AUTO_OPENSSL(ocsp_response)
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &der, (long)length);
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	STACK_OF(X509) *issuers = sk_X509_new_null();

	assert(basic && issuers && sk_X509_push(issuers, pair->issuer) > 0);
	assert(OCSP_basic_verify(basic, issuers, NULL, OCSP_NOVERIFY) > 0);
	assert(is_said(basic, pair->certificate, statuses[judgement->status]));
	sk_X509_free(issuers);
	OCSP_BASICRESP_free(basic);
	ERR_clear_error();
}

static void
check(const struct ocsp_judgement *judgement, enum ocsp_status status)
{
	assert(judgement->status == status);
	assert((status == OCSP_GOOD) == (judgement->sentence[0] == '\0'));
	for (const char *at = judgement->sentence; *at; at++)
		assert(*at >= ' ' && *at <= '~');
	if (status != OCSP_GOOD)
		return;
	assert(judgement->valid_until >= NOW - OCSP_SKEW);
	assert(judgement->this_update <= NOW + OCSP_SKEW);
	assert(judgement->next_update == 0 ||
	       judgement->next_update >= judgement->this_update);
}

static void
judge(const unsigned char *der, size_t length, const struct ocsp_pair *pair)
{
	static const struct ocsp_nonce nonce = {.bytes = {1}};
	AUTO_FREE unsigned char *longer = mem_alloc(length + 1);
	struct ocsp_judgement judgement;
	enum ocsp_status status =
		ocsp_answer_judge(der, length, pair, NULL, NOW, &judgement);

	check(&judgement, status);
	if (status != OCSP_UNUSABLE)
		compare(der, length, pair, &judgement);
	memcpy(longer, der, length);
	assert(ocsp_answer_judge(longer, length + 1, pair, NULL, NOW,
				 &judgement) == OCSP_UNUSABLE);
	check(&judgement, OCSP_UNUSABLE);
	/* What demands more never yields more. */
	check(&judgement,
	      ocsp_answer_judge(der, length, pair, &nonce, NOW, &judgement));
	assert(judgement.status == status || judgement.status == OCSP_UNUSABLE);
	assert(ERR_peek_error() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	AUTO_OPENSSL(x509) X509 *certificate = NULL;
	AUTO_OPENSSL(x509) X509 *issuer = NULL;
	char uri[OCSP_URI_SIZE];
	struct buf_reader reader;

	buf_read_init(&reader, bytes, length);
	certificate = read_certificate(&reader);
	issuer = read_certificate(&reader);
	ERR_clear_error();
	if (!certificate || !issuer || reader.failed)
		return 0;
	assert(ocsp_responder_find(certificate, uri) == (uri[0] != '\0'));
	(void)ocsp_is_staple_demanded(certificate);
	judge(reader.bytes, reader.length,
	      &(const struct ocsp_pair){certificate, issuer});
	return 0;
}
