/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An inquiry is about several certificates. Each that is not known becomes a
 * subject, once, whoever waits for it, and takes its turn in the queue of its
 * responder. When nobody waits for it any more before that has come, it goes.
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
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/openssl_auto.h"
#include "daemon/helper/ocsp_cache.h"
#include "daemon/helper/ocsp_queue.h"

/* For so many seconds what has been asked is not asked again, whatever came
 * of it. */
#define PATIENCE 60

/* Failures that are remembered. */
#define FAILURES_MAX 4096

/* Certificates that are being asked about, of a responder a quarter at most. */
#define SUBJECTS_MAX 4096
_Static_assert(4 * OCSP_QUEUE_MAX == SUBJECTS_MAX,
	       "no responder takes the others' room");

#define BUCKETS 1024 /* a power of two */

/* An inquiry's certificate, waiting for a subject. */
struct waiter {
	LIST_ENTRY(waiter) entries;
	struct ocsp_inquiry *inquiry;
	struct subject *subject; /* NULL: there is an outcome */
	struct ocsp_told *told;  /* where that goes */
};

struct ocsp_inquiry {
	struct waiter waiters[OCSP_ASK_MAX];
	struct ocsp_told outcomes[OCSP_ASK_MAX];
	size_t count;
	size_t open; /* without an outcome */
	ocsp_inquiry_told *told;
	void *argument;
};

/* A certificate, and how it is asked about; lent. */
struct matter {
	struct ocsp_pair pair;
	struct ocsp_way way;
	char responder[OCSP_URI_SIZE];
	unsigned char certificate[OCSP_KEY_SIZE]; /* its key */
	unsigned char all[FRAMED_HASH_SIZE];      /* of all of this */
};

struct subject {
	LIST_ENTRY(subject) same; /* bucket */
	struct ocsp_fetch *fetch;
	struct ocsp_turn turn;
	char *responder;
	bool is_nonce;
	unsigned char certificate[OCSP_KEY_SIZE];
	unsigned char all[FRAMED_HASH_SIZE];
	LIST_HEAD(, waiter) waiters;
};

LIST_HEAD(subject_bucket, subject);

struct ocsp_fetch {
	struct ocsp_queues *queues;  /* NULL: nobody can be asked */
	struct ocsp_cache *answers;  /* by certificate */
	struct ocsp_cache *failures; /* by matter */
	struct subject_bucket subjects[BUCKETS];
	size_t subject_count;
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

/* Subjects. */

static struct subject_bucket *
bucket_of(struct ocsp_fetch *fetch, const unsigned char *all)
{
	return &fetch->subjects[hash_bytes(all, FRAMED_HASH_SIZE) &
				(BUCKETS - 1)];
}

static struct subject *
find_subject(struct ocsp_fetch *fetch, const struct matter *matter)
{
	struct subject *subject;

	LIST_FOREACH (subject, bucket_of(fetch, matter->all), same)
		if (memcmp(subject->all, matter->all, sizeof(matter->all)) == 0)
			return subject;
	return NULL;
}

static struct subject *
subject_new(struct ocsp_fetch *fetch, const struct matter *matter)
{
	struct subject *subject = mem_alloc(sizeof(*subject));

	subject->fetch = fetch;
	subject->turn.pair = matter->pair;
	subject->turn.argument = subject;
	X509_up_ref(matter->pair.certificate);
	X509_up_ref(matter->pair.issuer);
	subject->responder = mem_strdup(matter->responder);
	subject->is_nonce = matter->way.is_nonce;
	memcpy(subject->certificate, matter->certificate,
	       sizeof(subject->certificate));
	memcpy(subject->all, matter->all, sizeof(subject->all));
	LIST_INIT(&subject->waiters);
	LIST_INSERT_HEAD(bucket_of(fetch, subject->all), subject, same);
	fetch->subject_count++;
	return subject;
}

/* Nobody finds it any more. */
static void
hide(struct subject *subject)
{
	LIST_REMOVE(subject, same);
	subject->fetch->subject_count--;
}

static void
subject_free(struct subject *subject)
{
	assert(LIST_EMPTY(&subject->waiters));
	X509_free(subject->turn.pair.certificate);
	X509_free(subject->turn.pair.issuer);
	mem_free(subject->responder);
	mem_free(subject);
}

static void
wait_for(struct subject *subject, struct waiter *waiter)
{
	LIST_INSERT_HEAD(&subject->waiters, waiter, entries);
	waiter->subject = subject;
	waiter->inquiry->open++;
}

static void
stop_waiting(struct waiter *waiter)
{
	LIST_REMOVE(waiter, entries);
	waiter->subject = NULL;
}

/* It is known now what has become of it. */
static void
conclude(struct subject *subject, const struct ocsp_told *told)
{
	struct waiter *waiter;

	hide(subject);
	while ((waiter = LIST_FIRST(&subject->waiters))) {
		stop_waiting(waiter);
		*waiter->told = *told;
		settle(waiter->inquiry);
	}
	subject_free(subject);
}

static void
remember_failure(const struct subject *subject, const char *failure,
		 const struct ocsp_told *told)
{
	static struct log_limit limit;
	int64_t now = clock_real_s();

	log_event_limited(&limit, LOG_LEVEL_WARN, "no usable OCSP answer",
			  "responder=%s reason=\"%s\"", subject->responder,
			  failure);
	ocsp_cache_put(subject->fetch->failures, subject->all, now,
		       now + PATIENCE, told);
}

/* Not before the minute is over is it asked again; then as long as the answer
 * says, but for those that do not say. */
static void
remember_answer(const struct subject *subject,
		const struct ocsp_judgement *judgement,
		const struct ocsp_told *told)
{
	int64_t now = clock_real_s(), until = now + PATIENCE;

	if (subject->is_nonce)
		return;
	if (judgement->status != OCSP_UNKNOWN && judgement->next_update != 0 &&
	    judgement->valid_until > until)
		until = judgement->valid_until;
	ocsp_cache_put(subject->fetch->answers, subject->certificate, now,
		       until, told);
}

/* What others have failed with is no reason not to ask about it in a moment. */
static void
on_turn(struct ocsp_turn *turn, const struct ocsp_judgement *judgement,
	const char *failure)
{
	struct subject *subject = turn->argument;
	struct ocsp_told told;

	if (judgement) {
		told.status = judgement->status;
		told.valid_until = judgement->valid_until;
		memcpy(told.sentence, judgement->sentence,
		       sizeof(told.sentence));
		remember_answer(subject, judgement, &told);
	} else {
		say_unusable(&told, "%s: %s", subject->responder, failure);
		if (turn->is_begun)
			remember_failure(subject, failure, &told);
	}
	conclude(subject, &told);
}

/* Inquiries. */

static void
find_matter(struct matter *matter, const struct ocsp_ask *ask, size_t index)
{
	AUTO_OPENSSL(evp_md_ctx) EVP_MD_CTX *hash = framed_hash_new();

	matter->pair = ask->pairs[index];
	matter->way = (struct ocsp_way){
		.responder = matter->responder,
		.proxy = ask->http_proxy ? ask->http_proxy : "",
		.is_nonce = ask->is_nonce,
	};
	(void)ocsp_responder_find(matter->pair.certificate, matter->responder);
	ocsp_key_make(&matter->pair, matter->certificate);
	framed_hash_add(hash, matter->certificate, sizeof(matter->certificate));
	framed_hash_add_text(hash, matter->responder);
	framed_hash_add_text(hash, matter->way.proxy);
	framed_hash_add_number(hash, matter->way.is_nonce);
	framed_hash_end(hash, matter->all);
}

/* Is there an outcome without asking? */
static bool
is_known(struct ocsp_fetch *fetch, const struct matter *matter,
	 struct ocsp_told *told)
{
	int64_t now = clock_real_s();

	if (!matter->way.is_nonce &&
	    ocsp_cache_find(fetch->answers, matter->certificate, now, told))
		return true;
	if (matter->responder[0] == '\0')
		say_unusable(told, "the certificate names no OCSP responder "
				   "that is asked by http");
	else if (!fetch->queues)
		say_unusable(told, "this sealock was built without libcurl");
	else
		return ocsp_cache_find(fetch->failures, matter->all, now, told);
	return true;
}

/* One that takes its turn from now on; NULL: that is told. */
static struct subject *
queue_up(struct ocsp_fetch *fetch, const struct matter *matter,
	 struct ocsp_told *told)
{
	struct subject *subject;
	const char *refusal;

	if (fetch->subject_count == SUBJECTS_MAX) {
		say_unusable(told, "too many certificates are being asked "
				   "about");
		return NULL;
	}
	subject = subject_new(fetch, matter);
	refusal = ocsp_queue_add(fetch->queues, &matter->way, &subject->turn);
	if (!refusal)
		return subject;
	say_unusable(told, "%s: %s", matter->responder, refusal);
	hide(subject);
	subject_free(subject);
	return NULL;
}

struct ocsp_inquiry *
ocsp_fetch_ask(struct ocsp_fetch *fetch, const struct ocsp_ask *ask,
	       ocsp_inquiry_told *told, void *argument)
{
	struct ocsp_inquiry *inquiry = mem_alloc(sizeof(*inquiry));

	inquiry->count = ask->count;
	inquiry->told = told;
	inquiry->argument = argument;
	for (size_t i = 0; i < ask->count; i++) {
		struct waiter *waiter = &inquiry->waiters[i];
		struct subject *subject;
		struct matter matter;

		find_matter(&matter, ask, i);
		waiter->inquiry = inquiry;
		waiter->told = &inquiry->outcomes[i];
		if (is_known(fetch, &matter, waiter->told))
			continue;
		subject = find_subject(fetch, &matter);
		if (!subject)
			subject = queue_up(fetch, &matter, waiter->told);
		if (subject)
			wait_for(subject, waiter);
	}
	for (size_t i = 0; i < inquiry->count; i++)
		if (inquiry->waiters[i].subject)
			ocsp_queue_begin(&inquiry->waiters[i].subject->turn);
	if (inquiry->open > 0)
		return inquiry;
	inquiry->open = 1;
	settle(inquiry);
	return NULL;
}

/* Nothing has come of one that has not begun, nor will: without anybody to
 * wait for it, it only kept others waiting. */
static void
give_up(struct waiter *waiter)
{
	struct subject *subject = waiter->subject;

	stop_waiting(waiter);
	if (!LIST_EMPTY(&subject->waiters) ||
	    !ocsp_queue_remove(&subject->turn))
		return;
	hide(subject);
	subject_free(subject);
}

void
ocsp_inquiry_free(struct ocsp_inquiry *inquiry)
{
	if (!inquiry)
		return;
	for (size_t i = 0; i < inquiry->count; i++)
		if (inquiry->waiters[i].subject)
			give_up(&inquiry->waiters[i]);
	mem_free(inquiry);
}

/* The beginning and the end. */

struct ocsp_fetch *
ocsp_fetch_new(struct ocsp_transport *transport)
{
	struct ocsp_fetch *fetch = mem_alloc(sizeof(*fetch));

	if (transport)
		fetch->queues = ocsp_queues_new(transport, on_turn);
	fetch->answers = ocsp_cache_new(0);
	fetch->failures = ocsp_cache_new(FAILURES_MAX);
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&fetch->subjects[i]);
	return fetch;
}

void
ocsp_fetch_free(struct ocsp_fetch *fetch)
{
	struct subject *subject;

	if (!fetch)
		return;
	ocsp_queues_free(fetch->queues);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((subject = LIST_FIRST(&fetch->subjects[i]))) {
			hide(subject);
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
