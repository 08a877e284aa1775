/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parsing is OpenSSL's, and so is the signature; who may answer for whom
 * is decided here. OCSP_basic_verify() decides that for all certificates of an
 * answer at once, refuses one about two issuers, builds chains with the help
 * of whatever the answer brings along, and trusts whoever a store says so. An
 * issuer that is known already needs none of it: either its own key has signed,
 * or that of a certificate that it has signed itself.
 *
 * Runs on the 32 kB stack of a handshake's fibre: what is big lives on the
 * heap.
 */
#include "common/verify/ocsp_answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "common/base/asn1_seconds.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "common/verify/crl_signature.h"
#include "common/verify/peer_words.h"

/* Certificates in an answer that are tried as its signer's; each one costs the
 * verification of a signature. */
#define SIGNERS_MAX 4

/* Of what proves something: what OpenSSL's security level 1 asks for. SHA-1
 * has 63: an answer holds what a stranger has chosen, the nonce, so that a
 * responder can be made to sign one half of a collision. */
#define SECURITY_BITS_MIN 80
#define DIGEST_SIZE_MIN   28

OPENSSL_AUTO_FREE(ocsp_response, OCSP_RESPONSE, OCSP_RESPONSE_free);
OPENSSL_AUTO_FREE(ocsp_certid, OCSP_CERTID, OCSP_CERTID_free);

/* One judgement under way. */
struct hearing {
	const struct ocsp_pair *pair;
	const struct ocsp_nonce *nonce;
	int64_t now;
	OCSP_BASICRESP *basic;
	struct ocsp_judgement *judgement;
	/* Why it cannot let anybody in, though it may keep somebody out; "":
	 * it can. */
	char weakness[160];
	int64_t signer_end; /* of the responder's own certificate, or
			     * INT64_MAX */
};

const char *
ocsp_status_word(enum ocsp_status status)
{
	static const char *const words[] = {
		[OCSP_UNUSABLE] = "unusable",
		[OCSP_GOOD] = "good",
		[OCSP_REVOKED] = "revoked",
		[OCSP_UNKNOWN] = "unknown",
	};

	assert((size_t)status < ARRAY_SIZE(words));
	return words[status];
}

__attribute__((format(printf, 2, 3), cold)) static bool
refuse(struct ocsp_judgement *judgement, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(judgement->sentence, sizeof(judgement->sentence), format,
		  arguments);
	va_end(arguments);
	return false;
}

/* The first weakness is the one that is told. */
__attribute__((format(printf, 2, 3), cold)) static void
weaken(struct hearing *hearing, const char *format, ...)
{
	va_list arguments;

	if (hearing->weakness[0])
		return;
	va_start(arguments, format);
	vsnprintf(hearing->weakness, sizeof(hearing->weakness), format,
		  arguments);
	va_end(arguments);
}

static bool
parse(struct hearing *hearing, const unsigned char *der, size_t length)
{
	AUTO_OPENSSL(ocsp_response) OCSP_RESPONSE *response = NULL;
	const unsigned char *at = der;
	int status;

	if (length == 0 || length > OCSP_ANSWER_MAX)
		return refuse(hearing->judgement, "the answer is %s",
			      length ? "longer than 64 kB" : "empty");
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)length);
	if (!response || at != der + length)
		return refuse(hearing->judgement, "the answer is not OCSP");
	status = OCSP_response_status(response);
	if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return refuse(hearing->judgement, "the responder says: %s",
			      OCSP_response_status_str(status));
	hearing->basic = OCSP_response_get1_basic(response);
	return hearing->basic ||
	       refuse(hearing->judgement, "the answer is of an unknown kind");
}

/* Is that who the answer says has made it? */
static bool
is_named_signer(const OCSP_BASICRESP *basic, X509 *certificate)
{
	const ASN1_OCTET_STRING *key = NULL;
	const X509_NAME *name = NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length;

	if (!OCSP_resp_get0_id(basic, &key, &name))
		return false;
	if (name)
		return X509_NAME_cmp(name,
				     X509_get_subject_name(certificate)) == 0;
	return key &&
	       X509_pubkey_digest(certificate, EVP_sha1(), digest, &length) &&
	       ASN1_STRING_length(key) == (int)length &&
	       memcmp(ASN1_STRING_get0_data(key), digest, length) == 0;
}

/* The flags leave nothing to OpenSSL but to verify the signature with that
 * certificate's key, and nobody else's. */
static bool
has_signed(OCSP_BASICRESP *basic, X509 *certificate)
{
	STACK_OF(X509) *alone = sk_X509_new_null();
	bool is_his = alone && sk_X509_push(alone, certificate) > 0 &&
		      OCSP_basic_verify(basic, alone, NULL,
					OCSP_NOINTERN | OCSP_NOVERIFY) > 0;

	sk_X509_free(alone);
	return is_his;
}

/* Has the issuer made it a responder's certificate (RFC 6960 4.2.2.2)? What is
 * asked about cannot vouch for itself. */
static bool
is_delegate(struct hearing *hearing, X509 *candidate)
{
	const struct ocsp_pair *pair = hearing->pair;
	uint32_t flags = X509_get_extension_flags(candidate);
	int64_t begin, end;

	if (X509_cmp(candidate, pair->certificate) == 0)
		return refuse(hearing->judgement,
			      "the certificate that it is about has "
			      "signed the answer itself");
	if (X509_NAME_cmp(X509_get_issuer_name(candidate),
			  X509_get_subject_name(pair->issuer)) != 0 ||
	    X509_verify(candidate, X509_get0_pubkey(pair->issuer)) != 1)
		return refuse(hearing->judgement,
			      "the responder's certificate is not "
			      "from the issuer of the one that it "
			      "answers for");
	if ((flags & EXFLAG_INVALID) || !(flags & EXFLAG_XKUSAGE) ||
	    !(X509_get_extended_key_usage(candidate) & XKU_OCSP_SIGN))
		return refuse(hearing->judgement,
			      "the responder's certificate is not "
			      "for that (it lacks OCSPSigning)");
	if ((flags & EXFLAG_KUSAGE) &&
	    !(X509_get_key_usage(candidate) &
	      (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		return refuse(hearing->judgement,
			      "the key of the responder's certificate "
			      "is not for signing");
	if (asn1_seconds(X509_get0_notBefore(candidate), &begin) ||
	    asn1_seconds(X509_get0_notAfter(candidate), &end))
		return refuse(hearing->judgement,
			      "the responder's certificate has no "
			      "dates");
	if (begin > hearing->now + OCSP_SKEW || end < hearing->now)
		return refuse(hearing->judgement,
			      "the responder's certificate %s",
			      end < hearing->now ? "has expired"
						 : "is not valid yet");
	hearing->signer_end = end;
	return true;
}

/* What the answer, and the right to make it, rest on. */
static void
look_for_weakness(struct hearing *hearing, X509 *signer)
{
	const X509_ALGOR *algorithm = OCSP_resp_get0_tbs_sigalg(hearing->basic);
	unsigned char *bytes = NULL;
	int length = i2d_X509_ALGOR(algorithm, &bytes), bits = 0;
	const struct der_span span = {bytes, length > 0 ? (size_t)length : 0};
	struct crl_method method = {0};

	if (length <= 0 || crl_method_find(&span, &method, NULL) != 0)
		weaken(hearing, "the answer is signed in a way that proves "
				"nothing");
	else if (method.digest &&
		 EVP_MD_get_size(method.digest) < DIGEST_SIZE_MIN)
		weaken(hearing, "the answer is signed over a %s digest",
		       EVP_MD_get0_name(method.digest));
	OPENSSL_free(bytes);
	if (EVP_PKEY_get_security_bits(X509_get0_pubkey(signer)) <
	    SECURITY_BITS_MIN)
		weaken(hearing, "the responder's key is too short");
	if (signer != hearing->pair->issuer &&
	    (!X509_get_signature_info(signer, NULL, NULL, &bits, NULL) ||
	     bits < SECURITY_BITS_MIN))
		weaken(hearing, "the responder's certificate is signed in a "
				"way that proves nothing");
}

/* Who has signed it, if it is one who may. */
static X509 *
find_signer(struct hearing *hearing)
{
	const STACK_OF(X509) *others = OCSP_resp_get0_certs(hearing->basic);
	X509 *issuer = hearing->pair->issuer;
	int tried = 0;

	if (is_named_signer(hearing->basic, issuer) &&
	    has_signed(hearing->basic, issuer))
		return issuer;
	(void)refuse(hearing->judgement,
		     "the answer is signed by nobody who may answer "
		     "for this issuer");
	for (int i = 0; i < sk_X509_num(others) && tried < SIGNERS_MAX; i++) {
		X509 *candidate = sk_X509_value(others, i);

		if (!is_named_signer(hearing->basic, candidate))
			continue;
		tried++;
		if (!is_delegate(hearing, candidate))
			continue;
		if (has_signed(hearing->basic, candidate))
			return candidate;
		(void)refuse(hearing->judgement,
			     "the answer's signature is wrong");
	}
	return NULL;
}

/* RFC 6960 4.4: what is critical and unknown makes all of it unusable. */
static bool
is_understood(OCSP_BASICRESP *basic)
{
	int at = -1;

	while ((at = OCSP_BASICRESP_get_ext_by_critical(basic, 1, at)) >= 0) {
		X509_EXTENSION *extension = OCSP_BASICRESP_get_ext(basic, at);

		if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) !=
		    NID_id_pkix_OCSP_Nonce)
			return false;
	}
	return true;
}

/* In the extension stands an OCTET STRING (RFC 8954 2.1). */
static bool
has_nonce(OCSP_BASICRESP *basic, const struct ocsp_nonce *nonce)
{
	int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce,
					       -1);
	const ASN1_OCTET_STRING *value;
	const unsigned char *bytes;

	if (at < 0)
		return false;
	value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
	bytes = ASN1_STRING_get0_data(value);
	return ASN1_STRING_length(value) == 2 + OCSP_NONCE_SIZE &&
	       bytes[0] == V_ASN1_OCTET_STRING && bytes[1] == OCSP_NONCE_SIZE &&
	       memcmp(bytes + 2, nonce->bytes, OCSP_NONCE_SIZE) == 0;
}

/* Responders name certificates by digests of their own choice. */
static const EVP_MD *
digest_of(const ASN1_OBJECT *object)
{
	switch (OBJ_obj2nid(object)) {
	case NID_sha1:
		return EVP_sha1();
	case NID_sha256:
		return EVP_sha256();
	case NID_sha384:
		return EVP_sha384();
	case NID_sha512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool
is_about(const OCSP_SINGLERESP *single, const struct ocsp_pair *pair)
{
	OCSP_CERTID *theirs =
		(OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
	AUTO_OPENSSL(ocsp_certid) OCSP_CERTID *ours = NULL;
	ASN1_OBJECT *algorithm;
	ASN1_INTEGER *serial;
	const EVP_MD *digest;

	if (!OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, theirs) ||
	    ASN1_INTEGER_cmp(serial,
			     X509_get0_serialNumber(pair->certificate)) != 0)
		return false;
	digest = digest_of(algorithm);
	if (digest)
		ours = OCSP_cert_to_id(digest, pair->certificate, pair->issuer);
	return ours && OCSP_id_cmp(ours, theirs) == 0;
}

/* May it let somebody in now? */
static bool
is_current(int64_t now, struct ocsp_judgement *found)
{
	char day[32];

	if (found->next_update != 0 && found->next_update < found->this_update)
		return refuse(found, "the answer ends before it begins");
	if (found->this_update > now + OCSP_SKEW)
		return refuse(found, "the answer is not valid before %s",
			      peer_words_date((time_t)found->this_update, day,
					      sizeof(day)));
	if (found->valid_until < now - OCSP_SKEW)
		return refuse(found, "the answer expired on %s",
			      peer_words_date((time_t)found->valid_until, day,
					      sizeof(day)));
	return true;
}

static void
say_revoked(struct ocsp_judgement *found, int reason)
{
	const char *why = reason >= 0 ? OCSP_crl_reason_str(reason) : NULL;
	char day[32];

	found->status = OCSP_REVOKED;
	(void)refuse(
		found, "revoked on %s%s%s%s, says its responder",
		peer_words_date((time_t)found->revoked_at, day, sizeof(day)),
		why ? " (" : "", why ? why : "", why ? ")" : "");
}

static void
set_end(struct ocsp_judgement *found, int64_t signer_end)
{
	int64_t end = found->next_update != 0
			      ? found->next_update
			      : found->this_update + OCSP_LIFE_UNSAID;

	found->valid_until = end < signer_end ? end : signer_end;
}

/* One statement about the certificate. */
static void
hear(const struct hearing *hearing, OCSP_SINGLERESP *single,
     struct ocsp_judgement *found)
{
	ASN1_GENERALIZEDTIME *revoked, *begin, *end = NULL;
	int reason = -1, status;

	status = OCSP_single_get0_status(single, &reason, &revoked, &begin,
					 &end);
	if (asn1_seconds(begin, &found->this_update) ||
	    (end && asn1_seconds(end, &found->next_update))) {
		(void)refuse(found, "the answer has no dates");
		return;
	}
	set_end(found, hearing->signer_end);
	if (status == V_OCSP_CERTSTATUS_REVOKED) {
		(void)!asn1_seconds(revoked, &found->revoked_at);
		say_revoked(found, reason);
		return;
	}
	if (OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0)
		(void)refuse(found, "the answer demands what is unknown here");
	else if (hearing->weakness[0])
		(void)refuse(found, "%s", hearing->weakness);
	else if (!is_current(hearing->now, found))
		return;
	else if (status == V_OCSP_CERTSTATUS_GOOD)
		found->status = OCSP_GOOD;
	else {
		found->status = OCSP_UNKNOWN;
		(void)refuse(found, "its responder does not know it");
	}
}

/* Everything that the answer says of the certificate; the worst counts. */
static void
hear_all(const struct hearing *hearing)
{
	struct ocsp_judgement *worst = hearing->judgement;
	bool is_first = true;

	for (int i = 0; i < OCSP_resp_count(hearing->basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(hearing->basic, i);
		struct ocsp_judgement found = {.status = OCSP_UNUSABLE};

		if (!is_about(single, hearing->pair))
			continue;
		hear(hearing, single, &found);
		if (is_first || found.status > worst->status ||
		    (found.status == worst->status &&
		     found.valid_until < worst->valid_until))
			*worst = found;
		is_first = false;
	}
}

static bool
is_mentioned(const struct hearing *hearing)
{
	for (int i = 0; i < OCSP_resp_count(hearing->basic); i++)
		if (is_about(OCSP_resp_get0(hearing->basic, i), hearing->pair))
			return true;
	return false;
}

static void
judge(struct hearing *hearing, const unsigned char *der, size_t length)
{
	struct ocsp_judgement *judgement = hearing->judgement;
	X509 *signer;

	if (!parse(hearing, der, length))
		return;
	if (!is_mentioned(hearing)) {
		(void)refuse(judgement, "the answer is about another "
					"certificate");
		return;
	}
	signer = find_signer(hearing);
	if (!signer)
		return;
	judgement->sentence[0] = '\0';
	look_for_weakness(hearing, signer);
	if (hearing->nonce && !has_nonce(hearing->basic, hearing->nonce))
		weaken(hearing, "the answer was not made for this request (it "
				"lacks the nonce)");
	if (!is_understood(hearing->basic))
		weaken(hearing, "the answer demands what is unknown here");
	hear_all(hearing);
}

enum ocsp_status
ocsp_answer_judge(const void *der, size_t length, const struct ocsp_pair *pair,
		  const struct ocsp_nonce *nonce, int64_t now,
		  struct ocsp_judgement *judgement)
{
	struct hearing hearing = {
		.pair = pair,
		.nonce = nonce,
		.now = now,
		.judgement = judgement,
		.signer_end = INT64_MAX,
	};

	*judgement = (struct ocsp_judgement){.status = OCSP_UNUSABLE};
	ERR_set_mark();
	judge(&hearing, der, length);
	OCSP_BASICRESP_free(hearing.basic);
	ERR_pop_to_mark();
	if (judgement->status == OCSP_UNUSABLE) {
		judgement->this_update = 0;
		judgement->next_update = 0;
		judgement->valid_until = 0;
	}
	return judgement->status;
}
