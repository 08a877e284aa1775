/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which certificates are asked about, and what an answer means for the peer, is
 * the verdict's business (peer_ocsp); here it is carried back and forth.
 */
#include "daemon/worker/authorize_ocsp.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/verify/peer_check.h"
#include "common/verify/peer_ocsp.h"
#include "daemon/worker/ocsp_client.h"

struct authorize_ocsp {
	struct ocsp_client *client;
	SSL *ssl;
	struct ocsp_question question;
	int depths[OCSP_ASK_MAX];
	void (*answered)(void *argument, bool is_admitted);
	void *argument;
};

struct authorize_ocsp *
authorize_ocsp_new(struct ocsp_client *client, SSL *ssl)
{
	const struct peer_policy *policy = peer_check_policy(ssl);
	struct ocsp_pair pairs[OCSP_ASK_MAX];
	struct authorize_ocsp *ocsp;
	int depths[OCSP_ASK_MAX];
	size_t count;

	count = peer_ocsp_questions(ssl, pairs, depths, OCSP_ASK_MAX);
	if (count == 0)
		return NULL;
	ocsp = mem_alloc(sizeof(*ocsp));
	ocsp->client = client;
	ocsp->ssl = ssl;
	memcpy(ocsp->depths, depths, sizeof(depths));
	for (size_t i = 0; i < count; i++)
		ocsp_ask_add(&ocsp->question.ask, &pairs[i]);
	ocsp->question.ask.is_nonce = policy->ocsp.is_nonce;
	if (policy->ocsp.http_proxy)
		ocsp->question.ask.http_proxy =
			mem_strdup(policy->ocsp.http_proxy);
	return ocsp;
}

/* The verdict hears all of it: any of them may keep the peer out. */
static bool
hear(struct authorize_ocsp *ocsp, const struct ocsp_told *told, size_t count)
{
	bool is_admitted = true;

	for (size_t i = 0; i < count; i++) {
		struct ocsp_judgement judgement = {
			.status = told[i].status,
			.next_update = told[i].valid_until,
			.valid_until = told[i].valid_until,
		};

		memcpy(judgement.sentence, told[i].sentence,
		       sizeof(judgement.sentence));
		if (!peer_ocsp_answered(ocsp->ssl, ocsp->depths[i], &judgement))
			is_admitted = false;
	}
	return is_admitted;
}

static void
on_answered(struct ocsp_question *question, const struct ocsp_told *told,
	    size_t count)
{
	struct authorize_ocsp *ocsp = question->argument;

	ocsp->answered(ocsp->argument, hear(ocsp, told, count));
}

int
authorize_ocsp_ask(struct authorize_ocsp *ocsp,
		   void (*answered)(void *argument, bool is_admitted),
		   void *argument)
{
	ocsp->answered = answered;
	ocsp->argument = argument;
	ocsp->question.answered = on_answered;
	ocsp->question.argument = ocsp;
	return ocsp_client_ask(ocsp->client, &ocsp->question);
}

bool
authorize_ocsp_conclude(struct authorize_ocsp *ocsp, enum ocsp_status status,
			const char *why)
{
	struct ocsp_told told[OCSP_ASK_MAX];
	size_t count = ocsp->question.ask.count;

	ocsp_client_cancel(&ocsp->question);
	for (size_t i = 0; i < count; i++) {
		told[i] = (struct ocsp_told){.status = status};
		snprintf(told[i].sentence, sizeof(told[i].sentence), "%s", why);
	}
	return hear(ocsp, told, count);
}

void
authorize_ocsp_free(struct authorize_ocsp *ocsp)
{
	if (!ocsp)
		return;
	ocsp_client_cancel(&ocsp->question);
	ocsp_ask_clear(&ocsp->question.ask);
	mem_free(ocsp);
}
