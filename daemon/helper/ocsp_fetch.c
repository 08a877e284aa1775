/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An inquiry is about several certificates. Each that is not known becomes a
 * subject, once, whoever waits for it; a flight is one request about one or
 * more subjects of the same responder.
 */
#include "daemon/helper/ocsp_fetch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/base/clock.h"
#include "common/base/framed_hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "daemon/fetch/ocsp_transport.h"
#include "daemon/helper/ocsp_cache.h"

/* For so many seconds what has been asked is not asked again, whatever came
 * of it. */
#define PATIENCE 60

/* Failures that are remembered. */
#define FAILURES_MAX 4096

/* Certificates that are being asked about. */
#define SUBJECTS_MAX 4096

/* An inquiry's certificate, waiting for a subject. */
struct waiter {
	LIST_ENTRY(waiter) entries;
	struct ocsp_inquiry *inquiry;
	struct ocsp_told *told; /* where the outcome goes */
	bool is_waiting;
};

struct ocsp_inquiry {
	struct waiter waiters[OCSP_ASK_MAX];
	struct ocsp_told outcomes[OCSP_ASK_MAX];
	size_t count;
	size_t open; /* without an outcome */
	ocsp_inquiry_told *told;
	void *argument;
};

/* How a certificate is asked about; lent. */
struct way {
	struct ocsp_pair pair;
	const char *proxy; /* "": none */
	bool is_nonce;
	char responder[OCSP_URI_SIZE];
	unsigned char certificate[OCSP_KEY_SIZE]; /* its key */
	unsigned char all[FRAMED_HASH_SIZE];      /* of all of this */
};

struct subject {
	LIST_ENTRY(subject) entries;
	struct way way; /* of what is our own */
	char *proxy;
	LIST_HEAD(, waiter) waiters;
};

struct flight {
	LIST_ENTRY(flight) entries;
	struct ocsp_fetch *fetch;
	struct ocsp_exchange *exchange;
	struct subject *subjects[OCSP_ASK_MAX];
	size_t count;
	struct ocsp_nonce nonce;
};

struct ocsp_fetch {
	struct ocsp_transport *transport;
	struct ocsp_cache *answers;  /* by certificate */
	struct ocsp_cache *failures; /* by way */
	LIST_HEAD(, subject) subjects;
	size_t subject_count;
	LIST_HEAD(, flight) flights;
};

/* Outcomes. */

__attribute__((format(printf, 2, 3))) static void
say_unusable(struct ocsp_told *told, const char *format, ...)
{
	va_list arguments;

	*told = (struct ocsp_told){.status = OCSP_UNUSABLE};
	va_start(arguments, format);
	vsnprintf(told->sentence, sizeof(told->sentence), format, arguments);
	va_end(arguments);
}

static void
settle(struct ocsp_inquiry *inquiry)
{
	if (--inquiry->open > 0)
		return;
	inquiry->told(inquiry->argument, inquiry->outcomes, inquiry->count);
	mem_free(inquiry);
}

static void
subject_free(struct subject *subject)
{
	X509_free(subject->way.pair.certificate);
	X509_free(subject->way.pair.issuer);
	mem_free(subject->proxy);
	mem_free(subject);
}

/* It is known now what has become of it. */
static void
conclude(struct ocsp_fetch *fetch, struct subject *subject,
	 const struct ocsp_told *told)
{
	struct waiter *waiter;

	LIST_REMOVE(subject, entries);
	fetch->subject_count--;
	while ((waiter = LIST_FIRST(&subject->waiters))) {
		LIST_REMOVE(waiter, entries);
		waiter->is_waiting = false;
		*waiter->told = *told;
		settle(waiter->inquiry);
	}
	subject_free(subject);
}

static void
remember_failure(struct ocsp_fetch *fetch, const struct subject *subject,
		 const char *failure, const struct ocsp_told *told)
{
	static struct log_limit limit;
	int64_t now = clock_real_s();

	log_event_limited(&limit, LOG_LEVEL_WARN, "no usable OCSP answer",
			  "responder=%s reason=\"%s\"", subject->way.responder,
			  failure);
	ocsp_cache_put(fetch->failures, subject->way.all, now, now + PATIENCE,
		       told);
}

/* Not before the minute is over is it asked again; then as long as the answer
 * says, but for those that do not say. */
static void
remember_answer(struct ocsp_fetch *fetch, const struct subject *subject,
		const struct ocsp_judgement *judgement,
		const struct ocsp_told *told)
{
	int64_t now = clock_real_s(), until = now + PATIENCE;

	if (subject->way.is_nonce)
		return;
	if (judgement->status != OCSP_UNKNOWN && judgement->next_update != 0 &&
	    judgement->valid_until > until)
		until = judgement->valid_until;
	ocsp_cache_put(fetch->answers, subject->way.certificate, now, until,
		       told);
}

/* Flights. */

static void
begin_flight(struct ocsp_fetch *fetch, struct subject *const *subjects,
	     size_t count);

static void
fail_subject(struct ocsp_fetch *fetch, struct subject *subject,
	     const char *failure)
{
	struct ocsp_told told;

	say_unusable(&told, "%s: %s", subject->way.responder, failure);
	remember_failure(fetch, subject, failure, &told);
	conclude(fetch, subject, &told);
}

/* Of one that several were asked of at once, the answer may prove nothing of
 * some: there are responders that answer for one alone. */
static void
judge_subject(struct flight *flight, struct subject *subject,
	      const struct ocsp_reply *reply)
{
	struct ocsp_fetch *fetch = flight->fetch;
	struct ocsp_judgement judgement;
	struct ocsp_told told;

	if (ocsp_answer_judge(reply->bytes, reply->length, &subject->way.pair,
			      subject->way.is_nonce ? &flight->nonce : NULL,
			      clock_real_s(), &judgement) == OCSP_UNUSABLE) {
		if (flight->count > 1)
			begin_flight(fetch, &subject, 1);
		else
			fail_subject(fetch, subject, judgement.sentence);
		return;
	}
	told.status = judgement.status;
	told.valid_until = judgement.valid_until;
	memcpy(told.sentence, judgement.sentence, sizeof(told.sentence));
	remember_answer(fetch, subject, &judgement, &told);
	conclude(fetch, subject, &told);
}

static void
on_reply(void *argument, const struct ocsp_reply *reply)
{
	struct flight *flight = argument;

	LIST_REMOVE(flight, entries);
	for (size_t i = 0; i < flight->count; i++) {
		struct subject *subject = flight->subjects[i];

		if (!reply->failure)
			judge_subject(flight, subject, reply);
		else if (flight->count > 1 && reply->status != 0)
			begin_flight(flight->fetch, &subject, 1);
		else
			fail_subject(flight->fetch, subject, reply->failure);
	}
	mem_free(flight);
}

static void
begin_flight(struct ocsp_fetch *fetch, struct subject *const *subjects,
	     size_t count)
{
	const struct way *way = &subjects[0]->way;
	struct flight *flight = mem_alloc(sizeof(*flight));
	struct ocsp_question question = {
		.url = way->responder,
		.proxy = way->proxy,
		.method = count == 1 && !way->is_nonce ? OCSP_BY_EITHER
						       : OCSP_BY_POST,
	};
	AUTO_FREE unsigned char *request = NULL;
	struct ocsp_pair pairs[OCSP_ASK_MAX];

	flight->fetch = fetch;
	flight->count = count;
	for (size_t i = 0; i < count; i++) {
		flight->subjects[i] = subjects[i];
		pairs[i] = subjects[i]->way.pair;
	}
	if (way->is_nonce)
		ocsp_nonce_make(&flight->nonce);
	request = ocsp_request_new(pairs, count,
				   way->is_nonce ? &flight->nonce : NULL,
				   &question.length);
	question.request = request;
	LIST_INSERT_HEAD(&fetch->flights, flight, entries);
	flight->exchange = ocsp_transport_ask(fetch->transport, &question,
					      on_reply, flight);
}

/* Inquiries. */

static void
find_way(struct way *way, const struct ocsp_ask *ask, size_t index)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	way->pair = ask->pairs[index];
	way->proxy = ask->http_proxy ? ask->http_proxy : "";
	way->is_nonce = ask->is_nonce;
	(void)ocsp_responder_find(way->pair.certificate, way->responder);
	ocsp_key_make(&way->pair, way->certificate);
	framed_hash_add(hash, way->certificate, sizeof(way->certificate));
	framed_hash_add_text(hash, way->responder);
	framed_hash_add_text(hash, way->proxy);
	framed_hash_add_number(hash, way->is_nonce);
	framed_hash_end(hash, way->all);
}

static struct subject *
find_subject(const struct ocsp_fetch *fetch, const struct way *way)
{
	struct subject *subject;

	LIST_FOREACH (subject, &fetch->subjects, entries)
		if (memcmp(subject->way.all, way->all, sizeof(way->all)) == 0)
			return subject;
	return NULL;
}

static struct subject *
subject_new(struct ocsp_fetch *fetch, const struct way *way)
{
	struct subject *subject = mem_alloc(sizeof(*subject));

	subject->way = *way;
	subject->proxy = mem_strdup(way->proxy);
	subject->way.proxy = subject->proxy;
	X509_up_ref(way->pair.certificate);
	X509_up_ref(way->pair.issuer);
	LIST_INIT(&subject->waiters);
	LIST_INSERT_HEAD(&fetch->subjects, subject, entries);
	fetch->subject_count++;
	return subject;
}

/* Is there an outcome without asking? */
static bool
is_known(struct ocsp_fetch *fetch, const struct way *way,
	 struct ocsp_told *told)
{
	int64_t now = clock_real_s();

	if (!way->is_nonce &&
	    ocsp_cache_find(fetch->answers, way->certificate, now, told))
		return true;
	if (way->responder[0] == '\0')
		say_unusable(told, "the certificate names no OCSP responder "
				   "that is asked by http");
	else if (!fetch->transport)
		say_unusable(told, "this sealock was built without libcurl");
	else
		return ocsp_cache_find(fetch->failures, way->all, now, told);
	return true;
}

/* Those that are to be asked of one responder go together. */
static void
begin_flights(struct ocsp_fetch *fetch, struct subject **subjects, size_t count)
{
	while (count > 0) {
		const char *responder = subjects[0]->way.responder;
		struct subject *together[OCSP_ASK_MAX];
		size_t going = 0, staying = 0;

		for (size_t i = 0; i < count; i++) {
			if (strcmp(subjects[i]->way.responder, responder) == 0)
				together[going++] = subjects[i];
			else
				subjects[staying++] = subjects[i];
		}
		begin_flight(fetch, together, going);
		count = staying;
	}
}

struct ocsp_inquiry *
ocsp_fetch_ask(struct ocsp_fetch *fetch, const struct ocsp_ask *ask,
	       ocsp_inquiry_told *told, void *argument)
{
	struct ocsp_inquiry *inquiry = mem_alloc(sizeof(*inquiry));
	struct subject *fresh[OCSP_ASK_MAX];
	size_t fresh_count = 0;

	inquiry->count = ask->count;
	inquiry->told = told;
	inquiry->argument = argument;
	for (size_t i = 0; i < ask->count; i++) {
		struct waiter *waiter = &inquiry->waiters[i];
		struct subject *subject;
		struct way way;

		find_way(&way, ask, i);
		waiter->inquiry = inquiry;
		waiter->told = &inquiry->outcomes[i];
		if (is_known(fetch, &way, waiter->told))
			continue;
		subject = find_subject(fetch, &way);
		if (!subject && fetch->subject_count == SUBJECTS_MAX) {
			say_unusable(waiter->told, "too many certificates are "
						   "being asked about");
			continue;
		}
		if (!subject) {
			subject = subject_new(fetch, &way);
			fresh[fresh_count++] = subject;
		}
		LIST_INSERT_HEAD(&subject->waiters, waiter, entries);
		waiter->is_waiting = true;
		inquiry->open++;
	}
	begin_flights(fetch, fresh, fresh_count);
	if (inquiry->open > 0)
		return inquiry;
	inquiry->open = 1;
	settle(inquiry);
	return NULL;
}

void
ocsp_inquiry_free(struct ocsp_inquiry *inquiry)
{
	if (!inquiry)
		return;
	for (size_t i = 0; i < inquiry->count; i++)
		if (inquiry->waiters[i].is_waiting)
			LIST_REMOVE(&inquiry->waiters[i], entries);
	mem_free(inquiry);
}

/* The beginning and the end. */

struct ocsp_fetch *
ocsp_fetch_new(struct ocsp_transport *transport)
{
	struct ocsp_fetch *fetch = mem_alloc(sizeof(*fetch));

	fetch->transport = transport;
	fetch->answers = ocsp_cache_new(0);
	fetch->failures = ocsp_cache_new(FAILURES_MAX);
	LIST_INIT(&fetch->subjects);
	LIST_INIT(&fetch->flights);
	return fetch;
}

void
ocsp_fetch_free(struct ocsp_fetch *fetch)
{
	struct subject *subject;
	struct flight *flight;

	if (!fetch)
		return;
	while ((flight = LIST_FIRST(&fetch->flights))) {
		LIST_REMOVE(flight, entries);
		ocsp_exchange_free(flight->exchange);
		mem_free(flight);
	}
	while ((subject = LIST_FIRST(&fetch->subjects))) {
		assert(LIST_EMPTY(&subject->waiters));
		LIST_REMOVE(subject, entries);
		subject_free(subject);
	}
	ocsp_cache_free(fetch->answers);
	ocsp_cache_free(fetch->failures);
	mem_free(fetch);
}

void
ocsp_fetch_set_size(struct ocsp_fetch *fetch, size_t size)
{
	ocsp_cache_set_size(fetch->answers, size);
}
