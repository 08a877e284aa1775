/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything happens in turns of one timer. Before a request leaves, the state
 * says that it may have, so that a process that comes after a sudden end does
 * not ask the same again within a minute.
 */
#include "daemon/helper/staples.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <event2/event.h>
#include <openssl/rand.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "common/base/text.h"
#include "common/route/certificate_index.h"
#include "common/route/staple_wants.h"
#include "daemon/fetch/ocsp_transport.h"
#include "daemon/helper/staple_store.h"
#include "daemon/process/generation.h"

/* Requests at one time; the transport has other things to do as well. */
#define UNDER_WAY_MAX 32

/* How far ahead it is noted that requests leave. */
#define NOTED_AHEAD_MS 5000

/* With more certificates than that, what is noted later at the latest. */
#define NOTED_AT_ONCE_MAX 1000

/* Answers of an earlier process that are judged in one turn, and before the
 * first client. */
#define JUDGED_IN_TURN  20
#define JUDGED_AT_FIRST 500

/* Between two turns: the clock may be set at any time. */
#define TURN_LEAST_MS 20
#define TURN_MOST_MS  5000

#define SECOND_MS INT64_C(1000)

struct staples {
	struct ocsp_transport *transport;
	void (*news)(void *argument);
	void *argument;
	struct event *turn;
	struct state_pair *state; /* NULL: nothing is kept */
	struct staple_store store;
	struct staple_wants current;
	struct stored_staple **staples; /* of the current wants, each one's */
	struct staple_wants prepared;
	size_t under_way;
	int64_t noted_ms;   /* requests may leave until then */
	int64_t earlier_ms; /* and a process before us may have asked */
	int64_t saved_ms;
	bool is_changed; /* since it was saved */
	bool is_state_failing;
};

/* The log: what has become of a staple, and when it is asked for again. Each
 * answer is told, and the first failure in a row; the others, one a minute at
 * most, to those who want to know everything. */

static void
report(const struct stored_staple *staple, enum log_level level,
       const char *state, const char *reason)
{
	char source[1024], words[512];
	char ends[32] = "none", refresh[32] = "none";
	const struct staple_want *want = staple->want;
	int64_t now_ms = clock_real_ms(), due_ms = staple->schedule.due_ms;

	if (!want || !log_is_enabled(level))
		return;
	text_escape_quoted(want->source, strlen(want->source), source,
			   sizeof(source));
	text_escape_quoted(reason, strlen(reason), words, sizeof(words));
	if (staple->bytes)
		clock_format(staple->end_ms, ends);
	if (want->responder)
		clock_format(due_ms > now_ms ? due_ms : now_ms, refresh);
	log_event(level, "staple",
		  "certificate=\"%s\" state=%s next_update=%s refresh=%s%s%s%s",
		  source, state, ends, refresh, reason[0] ? " reason=\"" : "",
		  words, reason[0] ? "\"" : "");
}

/* Where there has to be a staple, a failure is more than news. */
static void
report_failure(struct stored_staple *staple, const char *reason)
{
	enum log_level level = LOG_LEVEL_DEBUG;

	if (!staple->want)
		return;
	if (!staple->is_failing)
		level = staple->want->is_must ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
	staple->is_failing = true;
	report(staple, level, staple->bytes ? "kept" : "none", reason);
}

/* The state. */

static void
save(struct staples *staples, int64_t now_ms, int64_t noted_ms)
{
	struct error error = {0};
	unsigned char *bytes;
	size_t length;
	int status;

	staples->is_changed = false;
	staples->saved_ms = now_ms;
	staples->noted_ms = noted_ms;
	if (!staples->state)
		return;
	bytes = staple_store_encode(&staples->store, noted_ms, STATE_PAIR_MAX,
				    &length);
	status = state_pair_write(staples->state, bytes, length, &error);
	mem_free(bytes);
	if (status != 0 && !staples->is_state_failing)
		log_warn("staples cannot be kept", "reason=\"%s\"", error.text);
	staples->is_state_failing = status != 0;
}

static void
save_changes(struct staples *staples, int64_t now_ms)
{
	if (staples->is_changed &&
	    (staples->store.count <= NOTED_AT_ONCE_MAX ||
	     staples->saved_ms + NOTED_AHEAD_MS <= now_ms ||
	     staples->saved_ms > now_ms))
		save(staples, now_ms, staples->noted_ms);
}

/* Staples. */

static uint32_t
draw(void)
{
	uint32_t number;

	if (RAND_bytes((unsigned char *)&number, sizeof(number)) != 1)
		return 0;
	return number;
}

static void
tell(struct staples *staples, struct stored_staple *staple)
{
	staple_store_tell(&staples->store, staple);
	staples->news(staples->argument);
}

/* There is no answer any more; workers may have one from a process before. */
static void
take_away(struct staples *staples, struct stored_staple *staple)
{
	stored_staple_set(staple, NULL, 0, 0, 0);
	staples->is_changed = true;
	tell(staples, staple);
}

/* One that was good just now, unless there is a newer one. */
static void
put(struct staples *staples, struct stored_staple *staple, const void *bytes,
    size_t length, const struct ocsp_judgement *judgement)
{
	const int64_t begin_ms = judgement->this_update * SECOND_MS;
	const bool is_known = staple->bytes && staple->is_judged;

	/* Who listens on the way to the responder can bring an old one. */
	if (is_known && (staple->begin_ms > begin_ms ||
			 (staple->length == length &&
			  memcmp(staple->bytes, bytes, length) == 0)))
		return;
	stored_staple_set(staple, bytes, length, begin_ms,
			  judgement->valid_until * SECOND_MS);
	staple->is_judged = true;
	staples->is_changed = true;
	tell(staples, staple);
}

static void
revoke(struct staples *staples, struct stored_staple *staple,
       const char *sentence)
{
	const bool is_news = staple->bytes || !staple->is_failing;

	take_away(staples, staple);
	staple->is_failing = true;
	report(staple, is_news ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, "revoked",
	       sentence);
}

/* Once its time is over there is none. */
static void
expire(struct staples *staples, struct stored_staple *staple, int64_t now_ms)
{
	if (!staple->bytes || now_ms < staple->end_ms)
		return;
	take_away(staples, staple);
	staple->is_failing = true;
	report(staple, LOG_LEVEL_WARN, "none", "the last answer has expired");
}

/* What an earlier process had is asked again whether it is good. */
static void
judge_stored(struct staples *staples, struct stored_staple *staple,
	     const struct staple_wants *wants, const struct staple_want *want,
	     int64_t now_ms)
{
	struct ocsp_judgement judgement;

	staple->is_judged = true;
	if (staple_want_judge(wants, want, staple->bytes, staple->length,
			      now_ms / SECOND_MS, &judgement) != OCSP_GOOD) {
		take_away(staples, staple);
		return;
	}
	staple->begin_ms = judgement.this_update * SECOND_MS;
	staple->end_ms = judgement.valid_until * SECOND_MS;
	tell(staples, staple);
}

/* Requests. */

static void
answered(struct staples *staples, struct stored_staple *staple,
	 const struct ocsp_reply *reply, int64_t now_ms)
{
	struct ocsp_judgement judgement;
	bool is_old;

	switch (staple_want_judge(&staples->current, staple->want, reply->bytes,
				  reply->length, now_ms / SECOND_MS,
				  &judgement)) {
	case OCSP_GOOD:
		put(staples, staple, reply->bytes, reply->length, &judgement);
		staple_schedule_answered(&staple->schedule, now_ms,
					 staple->begin_ms, staple->end_ms,
					 draw());
		is_old = judgement.this_update * SECOND_MS < staple->begin_ms;
		report(staple, LOG_LEVEL_INFO, "good",
		       is_old ? "the answer is older than the one before" : "");
		staple->is_failing = false;
		return;
	case OCSP_REVOKED:
		staple_schedule_failed(&staple->schedule, now_ms, draw());
		revoke(staples, staple, judgement.sentence);
		return;
	case OCSP_UNKNOWN:
	case OCSP_UNUSABLE:
		break;
	}
	staple_schedule_failed(&staple->schedule, now_ms, draw());
	report_failure(staple, judgement.sentence);
}

static void
wake(struct staples *staples)
{
	event_active(staples->turn, EV_TIMEOUT, 0);
}

static void
on_reply(void *argument, const struct ocsp_reply *reply)
{
	struct stored_staple *staple = argument;
	struct staples *staples = staple->staples;
	int64_t now_ms = clock_real_ms();

	staple->exchange = NULL;
	staples->under_way--;
	staples->is_changed = true;
	/* The other one is for the next time, which is not now. */
	if (reply->is_method_refused)
		staple->is_by_post = !staple->is_by_post;
	if (reply->failure) {
		staple_schedule_failed(&staple->schedule, now_ms, draw());
		report_failure(staple, reply->failure);
	} else {
		answered(staples, staple, reply, now_ms);
	}
	wake(staples);
}

static void
ask(struct staples *staples, struct stored_staple *staple, int64_t now_ms)
{
	struct ocsp_question question = {
		.url = staple->want->responder,
		.method = staple->is_by_post ? OCSP_BY_POST : OCSP_BY_GET,
		/* There are few of them, and peers' certificates are many. */
		.is_first = true,
	};
	struct error error = {0};
	unsigned char *request = staple_want_request(
		&staples->current, staple->want, &question.length, &error);

	staple_schedule_asked(&staple->schedule, now_ms);
	staples->is_changed = true;
	if (!request) {
		staple_schedule_failed(&staple->schedule, now_ms, draw());
		report_failure(staple, error.text);
		return;
	}
	question.request = request;
	staple->staples = staples;
	staple->exchange = ocsp_transport_ask(staples->transport, &question,
					      on_reply, staple);
	staples->under_way++;
	mem_free(request);
}

static void
cancel(struct staples *staples, struct stored_staple *staple)
{
	if (!staple->exchange)
		return;
	ocsp_exchange_free(TAKE(staple->exchange));
	staples->under_way--;
}

/* Of a certificate that has expired nobody knows anything any more. */
static bool
can_be_asked(const struct staples *staples, const struct stored_staple *staple,
	     int64_t now_ms)
{
	return staples->transport && staple->want->responder &&
	       staple->want->certificate->not_after_ms > now_ms &&
	       !staple->exchange && staples->under_way < UNDER_WAY_MAX;
}

/* What is to be done about one now; when something is to be done the next time.
 */
static int64_t
look_at(struct staples *staples, struct stored_staple *staple, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;

	staple_schedule_settle(&staple->schedule, now_ms);
	expire(staples, staple, now_ms);
	if (can_be_asked(staples, staple, now_ms) &&
	    staple->schedule.due_ms <= now_ms) {
		if (staples->noted_ms < now_ms ||
		    staples->noted_ms > now_ms + NOTED_AHEAD_MS)
			save(staples, now_ms, now_ms + NOTED_AHEAD_MS);
		ask(staples, staple, now_ms);
	}
	if (can_be_asked(staples, staple, now_ms))
		next_ms = staple->schedule.due_ms;
	if (staple->bytes && staple->end_ms < next_ms)
		next_ms = staple->end_ms;
	return next_ms;
}

/* What there is before anybody is asked. */
static void
report_start(const struct staples *staples, struct stored_staple *staple)
{
	const struct staple_want *want = staple->want;

	if (staple->bytes && staple->is_judged) {
		report(staple, LOG_LEVEL_INFO, "good", "");
		staple->is_failing = false;
	} else if (want->file && staple->is_revoked) {
		staple->is_failing = true;
		report(staple, LOG_LEVEL_ERROR, "revoked",
		       "so says the answer in its file");
	} else if (want->file) {
		report_failure(staple, "there is no good answer in its file");
	} else if (!want->responder) {
		report_failure(staple,
			       "the certificate names no responder, and there "
			       "is no file");
	} else if (!staples->transport) {
		report_failure(staple, "this sealock was built without "
				       "libcurl and cannot ask");
	} else {
		report(staple, LOG_LEVEL_DEBUG, "none", "");
	}
}

static void
on_turn(evutil_socket_t descriptor, short what, void *argument)
{
	struct staples *staples = argument;
	int64_t now_ms = clock_real_ms(), wait_ms = TURN_MOST_MS;
	struct timeval wait;
	size_t judged = 0;

	(void)descriptor;
	(void)what;
	for (size_t i = 0; i < staples->current.count; i++) {
		struct stored_staple *staple = staples->staples[i];
		int64_t next_ms;

		if (staple->bytes && !staple->is_judged) {
			if (judged == JUDGED_IN_TURN) {
				wait_ms = 0;
				continue;
			}
			judged++;
			judge_stored(staples, staple, &staples->current,
				     staple->want, now_ms);
			report_start(staples, staple);
		}
		next_ms = look_at(staples, staple, now_ms);
		if (next_ms - now_ms < wait_ms)
			wait_ms = next_ms - now_ms;
	}
	save_changes(staples, now_ms);
	if (staples->current.count == 0)
		return;
	if (wait_ms < TURN_LEAST_MS)
		wait_ms = TURN_LEAST_MS;
	wait.tv_sec = wait_ms / SECOND_MS;
	wait.tv_usec = wait_ms % SECOND_MS * 1000;
	event_add(staples->turn, &wait);
}

/* Generations. */

/* The one of a want, known from the beginning as one that may have been asked
 * for just before. */
static struct stored_staple *
staple_of(struct staples *staples, const struct staple_want *want,
	  int64_t now_ms)
{
	size_t before = staples->store.count;
	struct stored_staple *staple =
		staple_store_get(&staples->store, want->certificate->digest);

	if (staples->store.count > before && staples->earlier_ms > 0)
		staple_schedule_asked(&staple->schedule,
				      staples->earlier_ms < now_ms
					      ? staples->earlier_ms
					      : now_ms);
	return staple;
}

/* NULL, or what is wrong with it (mem_free()). */
static char *
read_file(struct staples *staples, const struct staple_wants *wants,
	  const struct staple_want *want, const struct file_set *files,
	  int64_t now_ms)
{
	struct stored_staple *staple = staple_of(staples, want, now_ms);
	AUTO_BLOB struct blob blob = {0};
	struct ocsp_judgement judgement;
	struct error error = {0};

	staple->is_revoked = false;
	if (file_set_read_most(files, want->file, OCSP_ANSWER_MAX, &blob,
			       &error) != 0)
		return mem_strdup(error.text);
	switch (staple_want_judge(wants, want, blob.bytes, blob.length,
				  now_ms / SECOND_MS, &judgement)) {
	case OCSP_GOOD:
		put(staples, staple, blob.bytes, blob.length, &judgement);
		return NULL;
	case OCSP_REVOKED:
		take_away(staples, staple);
		staple->is_revoked = true;
		break;
	case OCSP_UNKNOWN:
	case OCSP_UNUSABLE:
		break;
	}
	return mem_format("%s: %s", want->file, judgement.sentence);
}

void
staples_prepare(struct staples *staples, const struct generation *generation,
		struct error_list *warnings)
{
	struct error error = {0};
	struct certificate_index *index;
	int64_t now_ms = clock_real_ms();
	size_t judged = 0;

	staples_abort(staples);
	if (generation->index < 0)
		return;
	index = certificate_index_open(generation->index, &error);
	if (!index) {
		error_list_add(warnings, &error);
		return;
	}
	staple_wants_find(generation->conf, index, &staples->prepared,
			  warnings);
	certificate_index_unref(index);
	for (size_t i = 0; i < staples->prepared.count; i++) {
		const struct staple_want *want = &staples->prepared.wants[i];
		struct stored_staple *staple = staple_of(staples, want, now_ms);
		AUTO_FREE char *wrong = NULL;

		if (staple->bytes && !staple->is_judged &&
		    judged++ < JUDGED_AT_FIRST)
			judge_stored(staples, staple, &staples->prepared, want,
				     now_ms);
		if (want->file)
			wrong = read_file(staples, &staples->prepared, want,
					  generation->files, now_ms);
		if (wrong)
			error_list_addf(warnings, &want->at,
					"staple for %s: %s", want->source,
					wrong);
	}
}

/* Whom it is asked of may have changed. */
static void
set_responder(struct staples *staples, struct stored_staple *staple)
{
	const char *responder = staple->want->responder;
	uint64_t whom = 0;

	if (responder)
		whom = hash_siphash13(responder, strlen(responder), 0, 0) | 1;
	if (staple->asked_whom == whom)
		return;
	cancel(staples, staple);
	if (staple->asked_whom != 0 && staple->schedule.asked_ms != 0)
		staple_schedule_hurry(&staple->schedule);
	staple->asked_whom = whom;
	staple->is_by_post = false;
	staples->is_changed = true;
}

static void
forget_current(struct staples *staples)
{
	for (size_t i = 0; i < staples->current.count; i++)
		staples->staples[i]->want = NULL;
	mem_free(TAKE(staples->staples));
}

void
staples_commit(struct staples *staples)
{
	struct staple_wants before = staples->current;
	struct stored_staple **known = TAKE(staples->staples);
	int64_t now_ms = clock_real_ms();

	for (size_t i = 0; i < before.count; i++)
		known[i]->want = NULL;
	staples->current = staples->prepared;
	staples->prepared = (struct staple_wants){0};
	staples->staples = mem_array(staples->current.count,
				     sizeof(struct stored_staple *));
	for (size_t i = 0; i < staples->current.count; i++) {
		const struct staple_want *want = &staples->current.wants[i];
		struct stored_staple *staple = staple_of(staples, want, now_ms);

		staples->staples[i] = staple;
		staple->want = want;
		set_responder(staples, staple);
		report_start(staples, staple);
	}
	for (size_t i = 0; i < before.count; i++)
		if (!known[i]->want)
			cancel(staples, known[i]);
	mem_free(known);
	staple_wants_clear(&before);
	staple_store_tidy(&staples->store, now_ms);
	wake(staples);
}

void
staples_abort(struct staples *staples)
{
	staple_wants_clear(&staples->prepared);
}

void
staples_tell_news(const struct staples *staples, uint64_t *told,
		  bool (*take)(const struct staple_told *told, void *argument),
		  void *argument)
{
	const struct stored_staple *staple =
		staple_store_told_after(&staples->store, *told);

	for (; staple; staple = TAILQ_NEXT(staple, told_entries)) {
		const struct staple_told news = {
			.leaf = staple->leaf,
			.until_ms = staple->end_ms,
			.bytes = staple->bytes,
			.length = staple->length,
		};

		if (!take(&news, argument))
			return;
		*told = staple->told;
	}
}

/* The beginning and the end. */

struct staples *
staples_new(struct event_base *base, struct ocsp_transport *transport,
	    void (*news)(void *argument), void *argument)
{
	struct staples *staples = mem_alloc(sizeof(*staples));

	staples->transport = transport;
	staples->news = news;
	staples->argument = argument;
	staple_store_init(&staples->store);
	staples->turn = evtimer_new(base, on_turn, staples);
	assert(staples->turn);
	return staples;
}

void
staples_keep(struct staples *staples, struct state_pair *state)
{
	size_t length;
	void *bytes = state_pair_read(state, &length);

	staples->state = state;
	if (bytes &&
	    staple_store_decode(&staples->store, bytes, length, clock_real_ms(),
				&staples->earlier_ms) != 0)
		log_warn("what was kept of staples cannot be read", NULL);
	state_pair_forget(bytes, length);
}

void
staples_free(struct staples *staples)
{
	if (!staples)
		return;
	save(staples, clock_real_ms(), 0);
	for (size_t i = 0; i < staples->current.count; i++)
		cancel(staples, staples->staples[i]);
	forget_current(staples);
	staple_wants_clear(&staples->current);
	staple_wants_clear(&staples->prepared);
	staple_store_clear(&staples->store);
	event_free(staples->turn);
	mem_free(staples);
}
