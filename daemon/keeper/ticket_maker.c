/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring's next key is sent out when the one before it comes into force, a
 * whole rotation ahead, and workers switch to it by their clock. So it does no
 * harm when the loop here looks at its own clock a few seconds late.
 */
#include "daemon/keeper/ticket_maker.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/state_pair.h"
#include "common/ipc/message.h"
#include "daemon/keeper/ticket_text.h"

/* How often the clock is looked at: it may have been set. */
#define LOOK_MS 5000

/* When a worker had no room. */
#define AGAIN_MS 100

/* In place of a worker's place. */
#define NOBODY UINT64_MAX

#define STATE_VERSION 1

struct made_ring {
	TAILQ_ENTRY(made_ring) entries;
	TAILQ_ENTRY(made_ring) changes;
	uint64_t change; /* the number of its last one */
	struct ticket_ring *ring;
	enum tls_ticket_mode mode;
	unsigned char told[2][TICKET_KEY_NAME_SIZE]; /* of the current key and
						      * the next in the log */
};

TAILQ_HEAD(ring_list, made_ring);

struct maker_generation {
	TAILQ_ENTRY(maker_generation) entries;
	uint64_t number;
	struct ticket_sources sources;
};

TAILQ_HEAD(generation_list, maker_generation);

struct ticket_maker {
	size_t (*tell)(uint32_t worker, const struct message *message,
		       void *argument);
	void *argument;
	struct event *clock;
	struct state_pair *state; /* NULL: nothing is kept */
	bool is_unsaved;          /* it could not be written */
	struct ring_list rings;
	/* The same in the order in which they changed, and how far in it each
	 * worker is, by its number: one that had no room is told the rest. */
	struct ring_list changed;
	uint64_t change;
	uint64_t *places;
	size_t worker_count;
	struct ring_list found; /* in the state, claimed by no one so far */
	struct generation_list generations; /* oldest first */
	struct maker_generation *prepared;
	struct maker_generation *current;
};

static struct made_ring *
find_ring(struct ring_list *list, const unsigned char id[TICKET_RING_ID_SIZE])
{
	struct made_ring *made;

	TAILQ_FOREACH (made, list, entries)
		if (memcmp(made->ring->id, id, TICKET_RING_ID_SIZE) == 0)
			return made;
	return NULL;
}

static void
free_ring(struct ring_list *list, struct made_ring *made)
{
	TAILQ_REMOVE(list, made, entries);
	ticket_ring_free(made->ring);
	mem_free(made);
}

/* Every worker is to be told of it. */
static void
note_change(struct ticket_maker *maker, struct made_ring *made)
{
	if (made->change > 0)
		TAILQ_REMOVE(&maker->changed, made, changes);
	made->change = ++maker->change;
	TAILQ_INSERT_TAIL(&maker->changed, made, changes);
}

/* Whose word counts: what is in force, or else the newest that names it. */
static const struct ticket_source *
source_of(const struct ticket_maker *maker, const struct made_ring *made)
{
	const struct ticket_source *source = NULL;
	const struct maker_generation *generation;

	if (maker->current)
		source = ticket_sources_find(&maker->current->sources,
					     made->ring->id);
	if (source)
		return source;
	TAILQ_FOREACH_REVERSE(generation, &maker->generations, generation_list,
			      entries)
	{
		source = ticket_sources_find(&generation->sources,
					     made->ring->id);
		if (source)
			return source;
	}
	return NULL;
}

/* The state: all that are made by chance. */

static size_t
count_kept(const struct ring_list *list)
{
	const struct made_ring *made;
	size_t count = 0;

	TAILQ_FOREACH (made, list, entries)
		if (made->mode == TLS_TICKETS_AUTO)
			count++;
	return count;
}

static void
write_kept(const struct ring_list *list, struct buf_writer *writer)
{
	const struct made_ring *made;

	TAILQ_FOREACH (made, list, entries)
		if (made->mode == TLS_TICKETS_AUTO)
			ticket_ring_write(made->ring, writer);
}

static void
save(struct ticket_maker *maker)
{
	static struct log_limit limit;
	size_t count = count_kept(&maker->rings) + count_kept(&maker->found);
	size_t capacity = 3 + count * TICKET_RING_WIRE_MAX;
	struct error error = {0};
	bool was_unsaved = maker->is_unsaved;
	struct buf_writer writer;
	unsigned char *content;

	if (!maker->state)
		return;
	content = mem_alloc(capacity);
	buf_write_init(&writer, content, capacity);
	buf_write_u8(&writer, STATE_VERSION);
	buf_write_u16(&writer, (uint16_t)count);
	write_kept(&maker->rings, &writer);
	write_kept(&maker->found, &writer);
	assert(!writer.failed);
	maker->is_unsaved = state_pair_write(maker->state, content,
					     writer.length, &error) != 0;
	if (maker->is_unsaved)
		log_event_limited(&limit, LOG_LEVEL_WARN,
				  "ticket keys cannot be kept", "reason=\"%s\"",
				  error.text);
	else if (was_unsaved)
		log_info("ticket keys are kept again", NULL);
	mem_wipe(content, capacity);
	mem_free(content);
}

/* Whoever wrote it was one of us, or the file is not what it should be. */
static bool
read_kept(struct ticket_maker *maker, struct buf_reader *reader)
{
	uint8_t version = buf_read_u8(reader);
	uint16_t count = buf_read_u16(reader);

	if (version != STATE_VERSION)
		return false;
	for (; count > 0 && !reader->failed; count--) {
		struct ticket_ring *ring = ticket_ring_read(reader);
		struct made_ring *made;

		if (!ring || find_ring(&maker->found, ring->id)) {
			ticket_ring_free(ring);
			return false;
		}
		made = mem_alloc(sizeof(*made));
		made->ring = ring;
		made->mode = TLS_TICKETS_AUTO;
		TAILQ_INSERT_TAIL(&maker->found, made, entries);
	}
	return !reader->failed;
}

static void
load(struct ticket_maker *maker)
{
	size_t length;
	void *content = state_pair_read(maker->state, &length);
	struct buf_reader reader;

	buf_read_init(&reader, content, length);
	if (content ? !read_kept(maker, &reader)
		    : state_pair_is_damaged(maker->state))
		log_warn("ticket keys of before cannot be read", NULL);
	state_pair_forget(content, length);
}

void
ticket_maker_set_state(struct ticket_maker *maker, struct state_pair *state)
{
	assert(!maker->state && TAILQ_EMPTY(&maker->generations));
	maker->state = state;
	load(maker);
}

/* Workers. */

static bool
tell_ring(const struct ticket_maker *maker, uint32_t worker,
	  const struct ticket_ring *ring)
{
	struct message *message = message_new(MESSAGE_TICKETS);
	bool is_told;

	ticket_ring_write(ring, &message->body);
	assert(!message->body.failed);
	is_told = maker->tell(worker, message, maker->argument) == 0;
	message_free(message);
	return is_told;
}

static void
tell_gone(const struct ticket_maker *maker, const struct ticket_ring *ring)
{
	struct message *message = message_new(MESSAGE_TICKETS);

	buf_write_bytes(&message->body, ring->id, sizeof(ring->id));
	(void)maker->tell(TICKET_MAKER_ALL, message, maker->argument);
	message_free(message);
}

static void
look_again_in(struct ticket_maker *maker, int64_t milliseconds)
{
	struct timeval delay = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_usec = (suseconds_t)(milliseconds % 1000 * 1000),
	};

	if (TAILQ_EMPTY(&maker->rings))
		evtimer_del(maker->clock);
	else
		evtimer_add(maker->clock, &delay);
}

/* What is new since its place. False: it has no room for all of it. */
static bool
tell_worker(struct ticket_maker *maker, uint32_t worker)
{
	uint64_t *place = &maker->places[worker];
	const struct made_ring *made = TAILQ_LAST(&maker->changed, ring_list);
	const struct made_ring *before;

	while (made && made->change > *place &&
	       (before = TAILQ_PREV(made, ring_list, changes)) &&
	       before->change > *place)
		made = before;
	for (; made && made->change > *place;
	     made = TAILQ_NEXT(made, changes)) {
		if (!tell_ring(maker, worker, made->ring))
			return false;
		*place = made->change;
	}
	return true;
}

static void
tell_workers(struct ticket_maker *maker)
{
	bool is_behind = false;

	for (size_t i = 0; i < maker->worker_count; i++)
		is_behind |= !tell_worker(maker, (uint32_t)i);
	look_again_in(maker, is_behind ? AGAIN_MS : LOOK_MS);
}

void
ticket_maker_welcome(struct ticket_maker *maker, uint32_t worker)
{
	if (worker >= maker->worker_count)
		maker->places = mem_resize(maker->places, (size_t)worker + 1,
					   sizeof(*maker->places));
	while (maker->worker_count <= worker)
		maker->places[maker->worker_count++] = NOBODY;
	maker->places[worker] = 0;
	tell_workers(maker);
}

/* Rings. */

static void
tell_log(struct made_ring *made, int64_t now)
{
	const struct ticket_key *current = ticket_ring_current(made->ring, now);
	const struct ticket_key *next = ticket_ring_next(made->ring, now);
	static const struct ticket_key none;
	const unsigned char *names[2] = {current ? current->name : none.name,
					 next ? next->name : none.name};
	char text[TICKET_TEXT_SIZE];

	if (memcmp(made->told[0], names[0], TICKET_KEY_NAME_SIZE) == 0 &&
	    memcmp(made->told[1], names[1], TICKET_KEY_NAME_SIZE) == 0)
		return;
	for (size_t i = 0; i < 2; i++)
		memcpy(made->told[i], names[i], TICKET_KEY_NAME_SIZE);
	log_info("ticket keys", "%s",
		 ticket_text_fields(made->ring, made->mode, now, text));
}

/* Bring all on, and let everybody know. What is kept is kept before anybody
 * gets a ticket under it. */
static void
bring_on(struct ticket_maker *maker, bool is_kept_changed)
{
	int64_t now = clock_real_s();
	struct made_ring *made;

	TAILQ_FOREACH (made, &maker->rings, entries) {
		const struct ticket_source *source = source_of(maker, made);

		assert(source);
		if (!ticket_source_update(source, made->ring, now))
			continue;
		note_change(maker, made);
		is_kept_changed |= made->mode == TLS_TICKETS_AUTO;
	}
	if (is_kept_changed || maker->is_unsaved)
		save(maker);
	tell_workers(maker);
	TAILQ_FOREACH (made, &maker->rings, entries)
		tell_log(made, now);
}

static void
on_clock(int descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	bring_on(argument, false);
}

static void
add_ring(struct ticket_maker *maker, const struct ticket_source *source)
{
	struct made_ring *made = find_ring(&maker->found, source->id);

	if (made) {
		TAILQ_REMOVE(&maker->found, made, entries);
	} else {
		made = mem_alloc(sizeof(*made));
		made->ring = ticket_ring_new(source->id);
	}
	made->mode = source->mode;
	TAILQ_INSERT_TAIL(&maker->rings, made, entries);
	note_change(maker, made);
}

/* Those that no generation names any more. */
static bool
drop_rings(struct ticket_maker *maker)
{
	struct made_ring *made, *next;
	bool is_changed = false;
	char text[TICKET_TEXT_SIZE];

	for (made = TAILQ_FIRST(&maker->rings); made; made = next) {
		next = TAILQ_NEXT(made, entries);
		if (source_of(maker, made))
			continue;
		log_info("ticket keys are needed no longer", "ring=%s",
			 ticket_text_ring(made->ring, text));
		tell_gone(maker, made->ring);
		TAILQ_REMOVE(&maker->changed, made, changes);
		free_ring(&maker->rings, made);
		is_changed = true;
	}
	return is_changed;
}

static void
free_generation(struct ticket_maker *maker, struct maker_generation *generation)
{
	TAILQ_REMOVE(&maker->generations, generation, entries);
	ticket_sources_clear(&generation->sources);
	mem_free(generation);
}

void
ticket_maker_prepare(struct ticket_maker *maker, uint64_t number,
		     struct ticket_sources *sources)
{
	struct maker_generation *generation = mem_alloc(sizeof(*generation));
	bool is_changed = false;

	assert(!maker->prepared);
	generation->number = number;
	generation->sources = *sources;
	*sources = (struct ticket_sources){0};
	TAILQ_INSERT_TAIL(&maker->generations, generation, entries);
	maker->prepared = generation;
	for (size_t i = 0; i < generation->sources.count; i++) {
		const struct ticket_source *source =
			&generation->sources.sources[i];

		if (find_ring(&maker->rings, source->id))
			continue;
		add_ring(maker, source);
		is_changed = true;
	}
	if (is_changed)
		bring_on(maker, true);
}

void
ticket_maker_commit(struct ticket_maker *maker)
{
	struct made_ring *made;
	bool is_changed;

	assert(maker->prepared);
	maker->current = TAKE(maker->prepared);
	/* What was kept and nobody has asked for is of another time. */
	is_changed = !TAILQ_EMPTY(&maker->found);
	while ((made = TAILQ_FIRST(&maker->found)))
		free_ring(&maker->found, made);
	bring_on(maker, is_changed);
}

void
ticket_maker_abort(struct ticket_maker *maker)
{
	if (!maker->prepared)
		return;
	free_generation(maker, TAKE(maker->prepared));
	if (drop_rings(maker))
		save(maker);
}

void
ticket_maker_release(struct ticket_maker *maker, uint64_t number)
{
	struct maker_generation *oldest;

	while ((oldest = TAILQ_FIRST(&maker->generations)) &&
	       oldest->number < number && oldest != maker->current &&
	       oldest != maker->prepared)
		free_generation(maker, oldest);
	if (drop_rings(maker))
		save(maker);
}

bool
ticket_maker_rotate(struct ticket_maker *maker)
{
	struct made_ring *made;
	bool is_changed = false;

	TAILQ_FOREACH (made, &maker->rings, entries) {
		const struct ticket_source *source = source_of(maker, made);

		if (made->mode != TLS_TICKETS_AUTO)
			continue;
		ticket_make_rotate(made->ring, &source->pace, clock_real_s());
		note_change(maker, made);
		is_changed = true;
	}
	if (is_changed)
		bring_on(maker, true);
	return is_changed;
}

char *
ticket_maker_show(const struct ticket_maker *maker, size_t most)
{
	static const char not_all[] = "there is no room for the others\n";
	const struct made_ring *made;
	int64_t now = clock_real_s();
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert(out && most >= sizeof(not_all));
	TAILQ_FOREACH (made, &maker->rings, entries)
		ticket_text_lines(made->ring, made->mode, now, out);
	if (TAILQ_EMPTY(&maker->rings))
		fputs("no gate has tickets\n", out);
	fclose(out);
	if (length > most) {
		length = most - strlen(not_all);
		while (length > 0 && text[length - 1] != '\n')
			length--;
		memcpy(text + length, not_all, sizeof(not_all));
	}
	return text;
}

struct ticket_maker *
ticket_maker_new(struct event_base *base,
		 size_t (*tell)(uint32_t worker, const struct message *message,
				void *argument),
		 void *argument)
{
	struct ticket_maker *maker = mem_alloc(sizeof(*maker));

	maker->tell = tell;
	maker->argument = argument;
	TAILQ_INIT(&maker->rings);
	TAILQ_INIT(&maker->changed);
	TAILQ_INIT(&maker->found);
	TAILQ_INIT(&maker->generations);
	maker->clock = evtimer_new(base, on_clock, maker);
	assert(maker->clock);
	return maker;
}

void
ticket_maker_free(struct ticket_maker *maker)
{
	struct maker_generation *generation;
	struct made_ring *made;

	if (!maker)
		return;
	while ((made = TAILQ_FIRST(&maker->rings)))
		free_ring(&maker->rings, made);
	while ((made = TAILQ_FIRST(&maker->found)))
		free_ring(&maker->found, made);
	while ((generation = TAILQ_FIRST(&maker->generations)))
		free_generation(maker, generation);
	event_free(maker->clock);
	mem_free(maker->places);
	state_pair_free(maker->state);
	mem_free(maker);
}
