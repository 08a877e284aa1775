/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdicts in words. What comes from a certificate is escaped here, once.
 */
#include "common/verify/peer_verdict.h"

#include <assert.h>
#include <stdio.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "common/base/mem.h"
#include "common/verify/peer_words.h"

/* As much of a subject as a log line has room for. */
#define SUBJECT_MAX 128

void
peer_verdict_note(struct peer_verdict *verdict, enum peer_step step, int error,
		  int depth, const X509 *certificate, const char *sentence)
{
	char subject[SUBJECT_MAX];

	assert(verdict->step == PEER_STEP_NONE && step != PEER_STEP_NONE);
	/* A check that failed without a reason has failed. */
	if (error == X509_V_OK)
		error = X509_V_ERR_UNSPECIFIED;
	verdict->step = step;
	verdict->error = error;
	verdict->depth = depth;
	if (!sentence)
		sentence = X509_verify_cert_error_string(error);
	verdict->sentence = mem_strdup(sentence);
	if (certificate)
		verdict->subject = mem_strdup(
			peer_words_name(X509_get_subject_name(certificate),
					subject, sizeof(subject)));
}

const char *
peer_verdict_format(const struct peer_verdict *verdict, char *buffer,
		    size_t size)
{
	const char *advice = verdict->advice ? verdict->advice : "";
	const char *colon = verdict->advice ? ": " : "";

	if (verdict->step == PEER_STEP_NONE)
		buffer[0] = '\0';
	else if (verdict->subject)
		snprintf(buffer, size, "%s (depth %d, subject %s)%s%s",
			 verdict->sentence, verdict->depth, verdict->subject,
			 colon, advice);
	else
		snprintf(buffer, size, "%s%s%s", verdict->sentence, colon,
			 advice);
	return buffer;
}

const char *
peer_verdict_format_admission(const struct peer_verdict *verdict, char *buffer,
			      size_t size)
{
	assert(verdict->is_admitted);
	if (!verdict->is_pinned)
		snprintf(buffer, size, "ok");
	else if (verdict->step == PEER_STEP_NONE)
		snprintf(buffer, size, "pinned");
	else
		snprintf(buffer, size, "pinned, despite: %s",
			 verdict->sentence);
	return buffer;
}

const char *
peer_verdict_ocsp(const struct peer_verdict *verdict)
{
	static const char *const words[] = {
		[PEER_OCSP_UNCHECKED] = NULL,
		[PEER_OCSP_GOOD] = "good",
		[PEER_OCSP_NONE] = "none",
		[PEER_OCSP_UNUSABLE] = "unusable",
		[PEER_OCSP_UNKNOWN] = "unknown",
		[PEER_OCSP_REVOKED] = "revoked",
	};

	assert((size_t)verdict->ocsp < ARRAY_SIZE(words));
	return words[verdict->ocsp];
}

void
peer_verdict_clear(struct peer_verdict *verdict)
{
	mem_free(verdict->subject);
	mem_free(verdict->sentence);
	mem_free(verdict->advice);
	mem_free(verdict->ocsp_sentence);
	*verdict = (struct peer_verdict){0};
}
