/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flight is one request, about one certificate or more of a queue. The queue
 * remembers for a short while how its responder behaves: whether it answers for
 * several at once, and whether it answers at all.
 *
 * Once it is found to be silent, one flight at a time finds out whether it
 * still is, and whoever comes meanwhile hears at once what he would have heard
 * after his wait. With `fail: soft` that lets him in sooner; it lets in nobody
 * else, but for those who come after a responder has found its voice and before
 * the flight that was to notice is over.
 */
#include "daemon/helper/ocsp_queue.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <openssl/x509.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/verify/ocsp_talk.h"
#include "daemon/fetch/ocsp_transport.h"

/* Flights of a queue, also of one whose responder is silent. */
#define FLIGHTS_MAX        4
#define SILENT_FLIGHTS_MAX 1

/* After so many flights in a row that nothing came of a responder is silent,
 * for so long after the last of them. */
#define UNANSWERED_MAX 4
#define SILENCE_MS     5000

/* For so long one that has answered for one alone is asked about one alone. */
#define ALONE_MS 60000

/* Queues that nobody is in, kept for what they remember. */
#define IDLE_MAX 64

#define BUCKETS 256 /* a power of two */

struct flight {
	LIST_ENTRY(flight) entries;
	struct ocsp_queue *queue;
	struct ocsp_exchange *exchange;
	struct ocsp_turn *turns[OCSP_ASK_MAX];
	size_t count;
	struct ocsp_nonce nonce;
};

LIST_HEAD(queue_bucket, ocsp_queue);

struct ocsp_queue {
	LIST_ENTRY(ocsp_queue) same;     /* bucket */
	TAILQ_ENTRY(ocsp_queue) entries; /* while it is idle */
	struct ocsp_queues *queues;
	struct ocsp_way way; /* of what is our own */
	char *responder, *proxy;
	TAILQ_HEAD(, ocsp_turn) waiting;
	size_t count; /* of turns, also of those in a flight */
	LIST_HEAD(, flight) flights;
	unsigned int flight_count;
	unsigned int unanswered; /* flights in a row */
	int64_t unanswered_until;
	int64_t alone_until;
	char failure[256]; /* the last unanswered one's */
};

struct ocsp_queues {
	struct ocsp_transport *transport;
	ocsp_turn_told *told;
	struct queue_bucket buckets[BUCKETS];
	TAILQ_HEAD(, ocsp_queue) idle; /* the last to become so is the last */
	size_t idle_count;
};

static void
begin_flights(struct ocsp_queue *queue);

/* Queues. */

static struct ocsp_queue *
queue_new(struct ocsp_queues *queues, const struct ocsp_way *way)
{
	struct ocsp_queue *queue = mem_alloc(sizeof(*queue));

	queue->queues = queues;
	queue->responder = mem_strdup(way->responder);
	queue->proxy = mem_strdup(way->proxy);
	queue->way = (struct ocsp_way){
		.responder = queue->responder,
		.proxy = queue->proxy,
		.is_nonce = way->is_nonce,
	};
	TAILQ_INIT(&queue->waiting);
	LIST_INIT(&queue->flights);
	return queue;
}

static void
queue_free(struct ocsp_queue *queue)
{
	struct flight *flight;

	while ((flight = LIST_FIRST(&queue->flights))) {
		LIST_REMOVE(flight, entries);
		ocsp_exchange_free(flight->exchange);
		mem_free(flight);
	}
	LIST_REMOVE(queue, same);
	mem_free(queue->responder);
	mem_free(queue->proxy);
	mem_free(queue);
}

/* Is nobody in it, nor about to be told? */
static bool
is_idle(const struct ocsp_queue *queue)
{
	return queue->count == 0 && queue->flight_count == 0;
}

static void
leave_idle(struct ocsp_queue *queue)
{
	TAILQ_REMOVE(&queue->queues->idle, queue, entries);
	queue->queues->idle_count--;
}

static void
enter_idle(struct ocsp_queue *queue)
{
	struct ocsp_queues *queues = queue->queues;

	if (queues->idle_count == IDLE_MAX) {
		struct ocsp_queue *oldest = TAILQ_FIRST(&queues->idle);

		leave_idle(oldest);
		queue_free(oldest);
	}
	TAILQ_INSERT_TAIL(&queues->idle, queue, entries);
	queues->idle_count++;
}

static bool
is_way(const struct ocsp_way *one, const struct ocsp_way *other)
{
	return one->is_nonce == other->is_nonce &&
	       strcmp(one->responder, other->responder) == 0 &&
	       strcmp(one->proxy, other->proxy) == 0;
}

/* The one there is, or a new one; somebody goes into it now. */
static struct ocsp_queue *
queue_of(struct ocsp_queues *queues, const struct ocsp_way *way)
{
	uint64_t hash = hash_bytes(way->responder, strlen(way->responder));
	struct queue_bucket *bucket = &queues->buckets[hash & (BUCKETS - 1)];
	struct ocsp_queue *queue;

	LIST_FOREACH (queue, bucket, same)
		if (is_way(&queue->way, way))
			break;
	if (!queue) {
		queue = queue_new(queues, way);
		LIST_INSERT_HEAD(bucket, queue, same);
	} else if (is_idle(queue)) {
		leave_idle(queue);
	}
	return queue;
}

static bool
is_silent(const struct ocsp_queue *queue)
{
	return queue->unanswered >= UNANSWERED_MAX;
}

/* Turns. */

static void
tell(struct ocsp_turn *turn, const struct ocsp_judgement *judgement,
     const char *failure)
{
	struct ocsp_queue *queue = TAKE(turn->queue);

	queue->count--;
	queue->queues->told(turn, judgement, failure);
}

/* Ask about it once more, before all others. */
static void
ask_alone(struct ocsp_turn *turn)
{
	turn->is_alone = true;
	TAILQ_INSERT_HEAD(&turn->queue->waiting, turn, entries);
}

/* Flights. */

/* Nobody answers for several issuers at once, but for himself: that they were
 * not answered for together says nothing of his habits. */
static bool
has_one_issuer(const struct flight *flight)
{
	for (size_t i = 1; i < flight->count; i++)
		if (X509_cmp(flight->turns[i]->pair.issuer,
			     flight->turns[0]->pair.issuer) != 0)
			return false;
	return true;
}

/* Is nothing proved of it? A refusal of several, or an answer that says nothing
 * of some, may be an answer to one. */
static bool
is_left_open(struct flight *flight, struct ocsp_turn *turn,
	     const struct ocsp_reply *reply)
{
	struct ocsp_judgement judgement;
	const char *failure = reply->failure;

	if (!failure &&
	    ocsp_answer_judge(reply->bytes, reply->length, &turn->pair,
			      flight->queue->way.is_nonce ? &flight->nonce
							  : NULL,
			      clock_real_s(), &judgement) != OCSP_UNUSABLE) {
		tell(turn, &judgement, NULL);
		return false;
	}
	if (flight->count > 1)
		ask_alone(turn);
	else
		tell(turn, NULL, failure ? failure : judgement.sentence);
	return true;
}

static void
end_answered(struct flight *flight, const struct ocsp_reply *reply)
{
	struct ocsp_queue *queue = flight->queue;
	bool is_test = flight->count > 1 && has_one_issuer(flight);
	size_t left_open = 0;

	queue->unanswered = 0;
	for (size_t i = flight->count; i-- > 0;)
		left_open += is_left_open(flight, flight->turns[i], reply);
	if (is_test && left_open + 1 >= flight->count)
		queue->alone_until = clock_monotonic_ms() + ALONE_MS;
}

/* Nothing came back. */
static void
end_unanswered(struct flight *flight, const char *failure)
{
	static struct log_limit limit;
	struct ocsp_queue *queue = flight->queue;
	struct ocsp_turn *turn;

	queue->unanswered_until = clock_monotonic_ms() + SILENCE_MS;
	snprintf(queue->failure, sizeof(queue->failure), "%s", failure);
	if (++queue->unanswered == UNANSWERED_MAX)
		log_event_limited(&limit, LOG_LEVEL_WARN,
				  "OCSP responder is silent",
				  "responder=%s reason=\"%s\"",
				  queue->responder, queue->failure);
	for (size_t i = 0; i < flight->count; i++)
		tell(flight->turns[i], NULL, queue->failure);
	while (is_silent(queue) && (turn = TAILQ_FIRST(&queue->waiting))) {
		TAILQ_REMOVE(&queue->waiting, turn, entries);
		tell(turn, NULL, queue->failure);
	}
}

static void
on_reply(void *argument, const struct ocsp_reply *reply)
{
	struct flight *flight = argument;
	struct ocsp_queue *queue = flight->queue;

	if (reply->failure && reply->status == 0)
		end_unanswered(flight, reply->failure);
	else
		end_answered(flight, reply);
	LIST_REMOVE(flight, entries);
	mem_free(flight);
	queue->flight_count--;
	begin_flights(queue);
	if (is_idle(queue))
		enter_idle(queue);
}

/* As many as can be asked about at once. */
static void
board(struct flight *flight)
{
	struct ocsp_queue *queue = flight->queue;
	bool is_alone = clock_monotonic_ms() < queue->alone_until;
	struct ocsp_turn *turn;

	while (flight->count < (is_alone ? 1 : OCSP_ASK_MAX) &&
	       (turn = TAILQ_FIRST(&queue->waiting)) &&
	       !(turn->is_alone && flight->count > 0)) {
		TAILQ_REMOVE(&queue->waiting, turn, entries);
		turn->is_begun = true;
		flight->turns[flight->count++] = turn;
		is_alone |= turn->is_alone;
	}
}

static void
begin_flight(struct ocsp_queue *queue)
{
	const struct ocsp_way *way = &queue->way;
	struct flight *flight = mem_alloc(sizeof(*flight));
	struct ocsp_question question = {
		.url = way->responder,
		.proxy = way->proxy,
	};
	AUTO_FREE unsigned char *request = NULL;
	struct ocsp_pair pairs[OCSP_ASK_MAX];

	flight->queue = queue;
	board(flight);
	for (size_t i = 0; i < flight->count; i++)
		pairs[i] = flight->turns[i]->pair;
	if (way->is_nonce)
		ocsp_nonce_make(&flight->nonce);
	request = ocsp_request_new(pairs, flight->count,
				   way->is_nonce ? &flight->nonce : NULL,
				   &question.length);
	question.request = request;
	question.method = flight->count == 1 && !way->is_nonce ? OCSP_BY_EITHER
							       : OCSP_BY_POST;
	LIST_INSERT_HEAD(&queue->flights, flight, entries);
	queue->flight_count++;
	flight->exchange = ocsp_transport_ask(queue->queues->transport,
					      &question, on_reply, flight);
}

static void
begin_flights(struct ocsp_queue *queue)
{
	unsigned int most = is_silent(queue) ? SILENT_FLIGHTS_MAX : FLIGHTS_MAX;

	while (queue->flight_count < most && !TAILQ_EMPTY(&queue->waiting))
		begin_flight(queue);
}

/* The public ones. */

static const char *
refusal(struct ocsp_queue *queue)
{
	if (queue->flight_count == 0 &&
	    clock_monotonic_ms() >= queue->unanswered_until)
		queue->unanswered = 0;
	if (queue->count == OCSP_QUEUE_MAX)
		return "too many certificates are being asked about there";
	if (is_silent(queue) && queue->flight_count > 0)
		return queue->failure;
	return NULL;
}

const char *
ocsp_queue_add(struct ocsp_queues *queues, const struct ocsp_way *way,
	       struct ocsp_turn *turn)
{
	struct ocsp_queue *queue = queue_of(queues, way);
	const char *reason = refusal(queue);

	/* Nobody is refused by one that would be idle, then. */
	assert(!reason || !is_idle(queue));
	if (reason)
		return reason;
	turn->queue = queue;
	turn->is_begun = false;
	turn->is_alone = false;
	TAILQ_INSERT_TAIL(&queue->waiting, turn, entries);
	queue->count++;
	return NULL;
}

void
ocsp_queue_begin(struct ocsp_turn *turn)
{
	begin_flights(turn->queue);
}

bool
ocsp_queue_remove(struct ocsp_turn *turn)
{
	struct ocsp_queue *queue = turn->queue;

	if (!queue || turn->is_begun)
		return false;
	TAILQ_REMOVE(&queue->waiting, turn, entries);
	queue->count--;
	if (is_idle(queue))
		enter_idle(queue);
	turn->queue = NULL;
	return true;
}

struct ocsp_queues *
ocsp_queues_new(struct ocsp_transport *transport, ocsp_turn_told *told)
{
	struct ocsp_queues *queues = mem_alloc(sizeof(*queues));

	queues->transport = transport;
	queues->told = told;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&queues->buckets[i]);
	TAILQ_INIT(&queues->idle);
	return queues;
}

void
ocsp_queues_free(struct ocsp_queues *queues)
{
	struct ocsp_queue *queue;

	if (!queues)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((queue = LIST_FIRST(&queues->buckets[i])))
			queue_free(queue);
	mem_free(queues);
}
