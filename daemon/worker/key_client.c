/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each request has one of a fixed number of places, and its number on the wire
 * is the place's index and how many there were before. So an answer finds its
 * place at once, and one to a question that was not asked, or was answered,
 * shows itself.
 */
#include "daemon/worker/key_client.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/tls/key_operation.h"
#include "common/tls/local_keys.h"
#include "common/tls/remote_key.h"
#include "common/tls/sign_message.h"
#include "common/tls/ticket_keys.h"
#include "common/tls/ticket_ring.h"
#include "daemon/process/channel.h"

/* What a request comes to. */
enum outcome {
	OUTCOME_SIGNED,
	OUTCOME_REFUSED,
	OUTCOME_LOST,
};

struct place {
	uint64_t number;    /* of the request under way; 0: free */
	uint64_t operation; /* whose it is; 0: it blocks */
	size_t room;        /* for its signature */
};

/* One that waits in the call. */
struct blocked {
	uint64_t number;
	unsigned char *signature;
	size_t length;
	bool is_over;
	enum outcome outcome;
};

/* An outcome that arrived while somebody was blocked, to be told from the
 * loop. */
struct kept {
	STAILQ_ENTRY(kept) entries;
	uint64_t operation;
	enum outcome outcome;
	size_t length;
	unsigned char signature[];
};

struct key_client {
	struct event_base *base;
	struct key_client_events events;
	void *argument;

	struct channel *channel; /* NULL: there is no keeper */
	uint32_t keeper;         /* its number */
	struct timeval patience_time;
	struct event *patience; /* pending while there is none */
	bool is_patience_over;

	struct place places[KEY_CLIENT_WINDOW];
	unsigned char free_places[KEY_CLIENT_WINDOW]; /* a stack */
	size_t free_count;
	uint64_t sent;
	TAILQ_HEAD(, key_operation) waiting;

	struct blocked *blocked; /* NULL: nobody is */
	STAILQ_HEAD(, kept) kept;
	struct error unsent; /* why the last one could not be; or "" */
	struct event *later; /* for what cannot be done in a call */
};

/* What remote keys of this process sign with. */
static struct key_client *installed;

/* Outcomes. */

static void
tell(uint64_t operation, enum outcome outcome, const unsigned char *signature,
     size_t length)
{
	/* All of them return false when nobody waits any more. */
	switch (outcome) {
	case OUTCOME_SIGNED:
		(void)key_operation_answer(operation, signature, length);
		break;
	case OUTCOME_REFUSED:
		(void)key_operation_refuse(operation);
		break;
	case OUTCOME_LOST:
		(void)key_operation_lose(operation);
		break;
	}
}

static void
keep(struct key_client *client, uint64_t operation, enum outcome outcome,
     const unsigned char *signature, size_t length)
{
	struct kept *kept = mem_alloc(sizeof(*kept) + length);

	kept->operation = operation;
	kept->outcome = outcome;
	kept->length = length;
	if (length > 0)
		memcpy(kept->signature, signature, length);
	STAILQ_INSERT_TAIL(&client->kept, kept, entries);
	event_active(client->later, EV_TIMEOUT, 1);
}

/* The request that had this place has come to this. */
static void
settle(struct key_client *client, const struct place *place,
       enum outcome outcome, const unsigned char *signature, size_t length)
{
	struct blocked *blocked = client->blocked;

	if (place->operation != 0) {
		/* Inside the call on one SSL no other can go on. */
		if (blocked)
			keep(client, place->operation, outcome, signature,
			     length);
		else
			tell(place->operation, outcome, signature, length);
		return;
	}
	if (!blocked || blocked->number != place->number)
		return;
	blocked->is_over = true;
	blocked->outcome = outcome;
	blocked->length = length;
	if (length > 0)
		memcpy(blocked->signature, signature, length);
}

/* Places. */

/* There must be one. */
static struct place *
place_take(struct key_client *client)
{
	size_t index = client->free_places[--client->free_count];

	client->places[index].number =
		++client->sent * KEY_CLIENT_WINDOW + index;
	return &client->places[index];
}

/* What was there, which is free from now on. */
static struct place
place_free(struct key_client *client, struct place *place)
{
	struct place was = *place;

	*place = (struct place){0};
	client->free_places[client->free_count++] =
		(unsigned char)(place - client->places);
	return was;
}

/* Requests. */

/* On the small stack of a job, so nothing is logged here. There must be a
 * keeper and a place. Returns NULL when the request cannot be packed. */
static const struct place *
ask(struct key_client *client, uint64_t operation, size_t room,
    const unsigned char key_id[KEY_ID_SIZE], const struct sign_request *request)
{
	struct place *place = place_take(client);
	struct message *message = sign_message_new(place->number, key_id,
						   request, &client->unsent);

	if (!message) {
		place_free(client, place);
		event_active(client->later, EV_TIMEOUT, 1);
		return NULL;
	}
	place->operation = operation;
	place->room = room;
	channel_send(client->channel, message);
	return place;
}

static bool
can_ask(const struct key_client *client)
{
	return client->channel && client->free_count > 0;
}

/* It has ended before it was sent. */
static void
cancel(struct key_operation *operation)
{
	TAILQ_REMOVE(&installed->waiting, operation, waiters);
}

/* From the loop: send what waits, as far as there are places. */
static void
ask_for_waiting(struct key_client *client)
{
	struct key_operation *operation;

	while (can_ask(client) && (operation = TAILQ_FIRST(&client->waiting))) {
		TAILQ_REMOVE(&client->waiting, operation, waiters);
		operation->cancel = NULL;
		if (!ask(client, operation->number, operation->capacity,
			 operation->key_id, operation->request))
			key_operation_lose(operation->number);
	}
}

static void
on_later(evutil_socket_t descriptor, short what, void *argument)
{
	static struct log_limit limit;
	struct key_client *client = argument;
	struct kept *kept;

	(void)descriptor;
	(void)what;
	if (client->unsent.text[0] != '\0')
		log_event_limited(&limit, LOG_LEVEL_ERROR,
				  "cannot ask for a signature", "why=\"%s\"",
				  client->unsent.text);
	client->unsent.text[0] = '\0';
	ask_for_waiting(client);
	while ((kept = STAILQ_FIRST(&client->kept))) {
		STAILQ_REMOVE_HEAD(&client->kept, entries);
		tell(kept->operation, kept->outcome, kept->signature,
		     kept->length);
		mem_free(kept);
	}
}

static int
start(struct key_operation *operation, const unsigned char key_id[KEY_ID_SIZE],
      const struct sign_request *request)
{
	struct key_client *client = installed;

	if (!client || (!client->channel && client->is_patience_over))
		return -1;
	if (can_ask(client) && TAILQ_EMPTY(&client->waiting))
		return ask(client, operation->number, operation->capacity,
			   key_id, request)
			       ? 0
			       : -1;
	operation->key_id = key_id;
	operation->request = request;
	operation->cancel = cancel;
	TAILQ_INSERT_TAIL(&client->waiting, operation, waiters);
	return 0;
}

/* Wait in the call for a place, and for the answer. */
static int
sign(const unsigned char key_id[KEY_ID_SIZE],
     const struct sign_request *request, unsigned char *signature,
     size_t *length)
{
	int64_t deadline_ms = clock_monotonic_ms() + KEY_CLIENT_BLOCK_MS;
	struct key_client *client = installed;
	struct blocked blocked = {.signature = signature};
	const struct place *place;
	int64_t left_ms;

	if (!client)
		return -1;
	/* While it waits, nothing is told to anybody: nobody else gets here. */
	assert(!client->blocked);
	client->blocked = &blocked;
	while (client->channel && !blocked.is_over) {
		if (blocked.number == 0 && can_ask(client)) {
			place = ask(client, 0, *length, key_id, request);
			if (!place)
				break;
			blocked.number = place->number;
		}
		left_ms = deadline_ms - clock_monotonic_ms();
		if (left_ms <= 0)
			break;
		channel_wait(client->channel, (int)left_ms);
	}
	client->blocked = NULL;
	/* Answers to others may have freed places. */
	if (!TAILQ_EMPTY(&client->waiting))
		event_active(client->later, EV_TIMEOUT, 1);
	*length = blocked.length;
	return blocked.is_over && blocked.outcome == OUTCOME_SIGNED ? 0 : -1;
}

/* The keeper. */

/* It is gone, or as good as that. */
static void
lose_keeper(struct key_client *client)
{
	channel_free(TAKE(client->channel));
	evtimer_add(client->patience, &client->patience_time);
	for (size_t i = 0; i < KEY_CLIENT_WINDOW; i++) {
		struct place was;

		if (client->places[i].number == 0)
			continue;
		was = place_free(client, &client->places[i]);
		settle(client, &was, OUTCOME_LOST, NULL, 0);
	}
}

static void
accuse(struct key_client *client, const char *why)
{
	uint32_t keeper = client->keeper;

	lose_keeper(client);
	client->events.accuse(keeper, why, client->argument);
}

/* Nobody has come to take its place. */
static void
on_patience(evutil_socket_t descriptor, short what, void *argument)
{
	struct key_client *client = argument;
	struct key_operation *operation;

	(void)descriptor;
	(void)what;
	client->is_patience_over = true;
	while ((operation = TAILQ_FIRST(&client->waiting)))
		key_operation_lose(operation->number);
}

static void
break_off(struct key_client *client, const char *why)
{
	log_error("keeper broke the rules", "reason=\"%s\"", why);
	accuse(client, why);
}

static void
on_tickets(struct key_client *client, const struct message *message)
{
	struct buf_reader reader = message_reader(message);
	struct ticket_ring *ring;

	if (reader.length == TICKET_RING_ID_SIZE) {
		ticket_keys_drop(reader.bytes);
	} else {
		ring = ticket_ring_read(&reader);
		if (!ring || reader.length > 0) {
			ticket_ring_free(ring);
			break_off(client, "keys of tickets that make no sense");
			return;
		}
		ticket_keys_put(ring);
	}
	client->events.tickets(client->argument);
}

static void
on_answer(struct key_client *client, const struct message *message)
{
	struct buf_reader reader = message_reader(message);
	uint64_t number = buf_read_u64(&reader);
	struct place *place = &client->places[number % KEY_CLIENT_WINDOW];
	enum outcome outcome = message->type == MESSAGE_SIGNED
				       ? OUTCOME_SIGNED
				       : OUTCOME_REFUSED;
	const char *why = NULL;
	struct place was;

	if (number == 0 || place->number != number)
		why = "an answer to what was not asked";
	else if (reader.length > place->room)
		why = "a signature that is too long for its key";
	if (why) {
		break_off(client, why);
		return;
	}
	was = place_free(client, place);
	if (!client->blocked)
		ask_for_waiting(client);
	settle(client, &was, outcome, reader.bytes, reader.length);
}

static void
on_message(struct channel *channel, struct message *message, void *argument)
{
	(void)channel;
	if (message->type == MESSAGE_TICKETS)
		on_tickets(argument, message);
	else
		on_answer(argument, message);
}

static void
on_closed(struct channel *channel, const char *why, void *argument)
{
	struct key_client *client = argument;

	log_debug("the keeper's channel closed",
		  "why=\"%s\" under_way=%zu waiting=%zu", why,
		  key_client_under_way(client), key_client_waiting(client));
	if (channel_is_broken(channel))
		accuse(client, why);
	else
		lose_keeper(client);
}

void
key_client_attach(struct key_client *client, uint32_t number, int descriptor)
{
	static const struct channel_events events = {on_message, on_closed};
	struct ipc_side side = {IPC_WORKER, IPC_KEEPER};

	lose_keeper(client);
	evtimer_del(client->patience);
	client->is_patience_over = false;
	client->keeper = number;
	client->channel =
		channel_new(client->base, descriptor, side, &events, client);
	ask_for_waiting(client);
}

bool
key_client_has_keeper(const struct key_client *client)
{
	return client->channel != NULL;
}

int
key_client_install(struct key_client *client, struct error *error)
{
	static const struct remote_key_functions functions = {
		.sign = sign,
		.start = start,
	};

	installed = client;
	return local_keys_own_or(&functions, error);
}

struct key_client *
key_client_new(struct event_base *base, int64_t patience_ms,
	       const struct key_client_events *events, void *argument)
{
	struct key_client *client = mem_alloc(sizeof(*client));

	client->base = base;
	client->events = *events;
	client->argument = argument;
	for (size_t i = KEY_CLIENT_WINDOW; i-- > 0;)
		client->free_places[client->free_count++] = (unsigned char)i;
	client->patience_time.tv_sec = (time_t)(patience_ms / 1000);
	client->patience_time.tv_usec =
		(suseconds_t)(patience_ms % 1000 * 1000);
	TAILQ_INIT(&client->waiting);
	STAILQ_INIT(&client->kept);
	client->later = event_new(base, -1, 0, on_later, client);
	client->patience = evtimer_new(base, on_patience, client);
	assert(client->later && client->patience);
	evtimer_add(client->patience, &client->patience_time);
	return client;
}

void
key_client_free(struct key_client *client)
{
	struct kept *kept;

	if (!client)
		return;
	assert(TAILQ_EMPTY(&client->waiting));
	if (installed == client)
		installed = NULL;
	channel_free(client->channel);
	while ((kept = STAILQ_FIRST(&client->kept))) {
		STAILQ_REMOVE_HEAD(&client->kept, entries);
		mem_free(kept);
	}
	event_free(client->later);
	event_free(client->patience);
	mem_free(client);
}

size_t
key_client_under_way(const struct key_client *client)
{
	return KEY_CLIENT_WINDOW - client->free_count;
}

size_t
key_client_waiting(const struct key_client *client)
{
	const struct key_operation *operation;
	size_t count = 0;

	TAILQ_FOREACH (operation, &client->waiting, waiters)
		count++;
	return count;
}
